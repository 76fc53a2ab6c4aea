"""The four timers of §7.2 (p.165). Time is a number."""

import pytest

from gateway.smpp import pdu
from gateway.smpp.events import Closed, Unanswered, UnbindRequest
from gateway.smpp.pdu import decode, encode
from gateway.smpp.session import Role, Session, SessionSettings, State
from tests.protocol.scene import Joined, answers, check_password, events_of, feed, session

OFF = SessionSettings(session_init_timer_s=None, enquire_link_timer_s=None, response_timer_s=None)


def test_all_timers_off():
    joined = Joined(OFF, OFF).bind()
    joined.esme.send(pdu.SubmitSm(), joined.now)
    for peer in (joined.esme, joined.smsc):
        assert peer.deadline() is None
        peer.on_deadline(1e9)
        assert not peer.closed


def test_session_init_timer_closes_a_connection_that_does_not_bind():
    smsc = Session(Role.SMSC, SessionSettings(session_init_timer_s=4), 100.0, check_password)
    assert smsc.deadline() == 104.0
    feed(smsc, pdu.EnquireLink(), now=103.0)
    assert smsc.deadline() == 104.0, "an enquire_link is no bind"
    smsc.on_deadline(104.0)
    [closed] = smsc.events()
    assert "session_init_timer" in closed.reason
    assert smsc.closed


def test_session_init_timer_does_not_hold_for_a_bind_that_is_under_way():
    esme = Session(Role.ESME, SessionSettings(session_init_timer_s=4, response_timer_s=60), 100.0)
    esme.send(pdu.BindTransceiver("gw", "secret"), 103.0)
    assert esme.deadline() == 163.0
    esme.on_deadline(163.0)
    [closed] = esme.events()
    assert "bind_transceiver within response_timer" in closed.reason


def test_session_init_timer_ends_with_the_bind():
    smsc = Session(Role.SMSC, SessionSettings(session_init_timer_s=4), 100.0, check_password)
    feed(smsc, pdu.BindTransceiver("gw", "secret"), now=101.0)
    smsc.on_deadline(104.0)
    assert smsc.bound


@pytest.mark.parametrize("said", [b"", b"\0\0\0\x2f\0\0", encode(pdu.BindTransceiver("gw", "secret"))[:-1]])
def test_slow_loris_before_the_bind_is_closed_when_the_timer_runs_out(said: bytes):
    """An octet now and then moves nothing: the time counts from the connection."""
    smsc = Session(Role.SMSC, SessionSettings(session_init_timer_s=4), 100.0, check_password)
    for moment, octet in enumerate(said):
        smsc.receive_data(bytes([octet]), 100.0 + moment / 10)
        assert smsc.deadline() == 104.0
    smsc.on_deadline(104.0)
    assert smsc.closed
    [closed] = smsc.events()
    assert "session_init_timer" in closed.reason


@pytest.mark.parametrize("role", Role)
def test_slow_loris_on_a_bound_session_is_asked_and_then_dropped(role: Role):
    """An octet is no sign of life, only a PDU is (S5): whoever sends one octet a second for ever is found out."""
    ours = session(role, State.BOUND_TRX)
    frame = (65536).to_bytes(4, "big") + bytes(12)
    for second in range(30):
        ours.receive_data(frame[second : second + 1] or b"\0", 1000.0 + second)
    ours.on_deadline(1030.0)
    assert [sent.name for sent in answers(ours)] == ["enquire_link"]
    for second in range(30, 40):
        ours.receive_data(b"\0", 1000.0 + second)
    ours.on_deadline(1040.0)
    [closed] = ours.events()
    assert "enquire_link within response_timer" in closed.reason


def test_half_open_peer_is_dropped_and_what_was_under_way_comes_back():
    """It has lost its power, and no packet tells us: after enquire_link_timer and response_timer we know."""
    smsc = session(Role.SMSC, State.BOUND_TRX)
    smsc.send(pdu.DeliverSm(), 1029.0, "dialled")
    smsc.on_deadline(smsc.deadline())
    assert [sent.name for sent in answers(smsc)] == ["deliver_sm", "enquire_link"]
    while not smsc.closed:
        smsc.on_deadline(smsc.deadline())
    assert [type(event) for event in smsc.events()] == [Unanswered, Closed]
    assert smsc.deadline() is None


@pytest.mark.parametrize("role", Role)
def test_silence_is_followed_by_enquire_link(role: Role):
    joined = Joined().bind()
    peer = joined[role]
    assert peer.deadline() == 1030.0
    peer.on_deadline(1029.9)
    assert peer.data_to_send() == b""
    peer.on_deadline(1030.0)
    probe = decode(peer.data_to_send())
    assert probe.name == "enquire_link"
    assert peer.deadline() == 1040.0, "now the response timer runs"
    feed(peer, pdu.EnquireLinkResp(sequence_number=probe.sequence_number), now=1031.0)
    assert (peer.deadline(), peer.pending) == (1061.0, 0)


def test_no_answer_to_enquire_link_means_that_the_link_is_dead():
    esme = session(Role.ESME, State.BOUND_TRX)
    esme.send(pdu.SubmitSm(), 1025.0, "mine")
    esme.on_deadline(1030.0)
    esme.on_deadline(1040.0)
    happened = esme.events()
    assert [type(event) for event in happened] == [Unanswered, Closed]
    assert "enquire_link" in happened[1].reason
    assert esme.closed


def test_S5_any_pdu_counts_as_a_sign_of_life():
    esme = session(Role.ESME, State.BOUND_TRX)
    for moment in range(1000, 1200, 20):
        feed(esme, pdu.DeliverSm(), now=float(moment))
        esme.on_deadline(moment + 19.0)
        assert esme.data_to_send() == b"", "no enquire_link while the peer talks"


def test_S5_another_pdu_in_place_of_the_answer_to_enquire_link():
    esme = session(Role.ESME, State.BOUND_TRX)
    esme.on_deadline(1030.0)
    probe = decode(esme.data_to_send())
    feed(esme, pdu.DeliverSm(), now=1035.0)
    esme.on_deadline(1040.0)
    assert (esme.closed, esme.events()) == (False, [])
    assert esme.deadline() == 1065.0
    feed(esme, pdu.EnquireLinkResp(sequence_number=probe.sequence_number), now=1041.0)
    assert not esme.closed


def test_inactivity_timer_unbinds():
    settings = SessionSettings(inactivity_timer_s=50, enquire_link_timer_s=None)
    esme = session(Role.ESME, State.BOUND_TRX, settings)
    feed(esme, pdu.DeliverSm(), now=1010.0)
    feed(esme, pdu.EnquireLink(), now=1040.0)
    assert esme.deadline() == 1060.0, "an enquire_link is no activity"
    esme.data_to_send()
    esme.on_deadline(1060.0)
    assert [sent.name for sent in answers(esme)] == ["unbind"]
    assert esme.deadline() == 1070.0
    esme.on_deadline(1070.0)
    [closed] = events_of(Closed, esme.events())
    assert "unbind" in closed.reason


def test_inactivity_timer_between_two_sessions():
    quiet = SessionSettings(inactivity_timer_s=50)
    joined = Joined(quiet, SessionSettings()).bind()
    for moment in range(1000, 1051):
        joined.now = float(moment)
        for peer in (joined.esme, joined.smsc):
            peer.on_deadline(joined.now)
        joined.carry()
    [unbind] = joined.smsc.events()
    assert isinstance(unbind, UnbindRequest)
    joined.smsc.send(unbind.pdu.respond(), joined.now)
    joined.carry()
    assert joined.esme.closed


def test_two_idle_sessions_keep_each_other_alive():
    joined = Joined().bind()
    for moment in range(1000, 1600):
        joined.now = float(moment)
        for peer in (joined.esme, joined.smsc):
            peer.on_deadline(joined.now)
        joined.carry()
    assert joined.esme.bound
    assert joined.smsc.bound
    assert (joined.esme.events(), joined.smsc.events()) == ([], [])


def test_the_link_of_a_slow_program_is_kept_alive():
    """No timer of ours waits for the program: it may keep a request for as long as it likes."""
    joined = Joined().bind()
    joined.smsc.send(pdu.DeliverSm(), joined.now, "dialled")
    joined.carry()
    for moment in range(1001, 1010):
        joined.now = float(moment)
        joined.esme.on_deadline(joined.now)
    assert joined.esme.owed == 1
    assert joined.smsc.pending == 1


def test_after_every_deadline_the_next_one_is_later():
    joined = Joined(SessionSettings(inactivity_timer_s=120), SessionSettings(inactivity_timer_s=70)).bind()
    joined.esme.send(pdu.SubmitSm(), joined.now)
    for peer in (joined.esme, joined.smsc):
        while (due := peer.deadline()) is not None:
            peer.on_deadline(due)
            following = peer.deadline()
            assert following is None or following > due
        assert peer.closed


@pytest.mark.parametrize(
    "wrong",
    [
        {"window": 0},
        {"peer_window": 0},
        {"bind_tries": 0},
        {"max_pdu_octets": 15},
        {"enquire_link_timer_s": 5, "response_timer_s": None},
    ],
)
def test_settings_that_make_no_sense(wrong: dict):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SessionSettings(**wrong)
