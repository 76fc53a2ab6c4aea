"""Cases W1 to W8: windows, and who waits for what."""

import pytest

from gateway.smpp import pdu, vocabulary
from gateway.smpp.errors import LocalProtocolError
from gateway.smpp.events import Refused, Request, Response, Stray, Unanswered
from gateway.smpp.pdu import PDU_CLASSES, Pdu, encode
from gateway.smpp.session import Role, Session, SessionSettings, State
from gateway.smpp.vocabulary import RESPONSE_BIT
from gateway.smpp.window import MAX_SEQUENCE_NUMBER, Window
from tests.protocol.scene import Joined, answers, events_of, feed, session

SMALL = SessionSettings(window=3, peer_window=2)


def test_W1_window_is_never_exceeded_by_us():
    esme = session(Role.ESME, State.BOUND_TRX, SMALL)
    assert esme.window_free == 3
    numbers = [esme.send(pdu.SubmitSm(), 1000.0) for _ in range(3)]
    assert (esme.window_free, esme.pending) == (0, 3)
    with pytest.raises(LocalProtocolError, match="window"):
        esme.send(pdu.SubmitSm(), 1000.0)
    with pytest.raises(LocalProtocolError, match="window"):
        esme.send_encoded(encode(pdu.SubmitSm()), 1000.0)
    assert len(answers(esme)) == 3
    feed(esme, pdu.SubmitSmResp("1", sequence_number=numbers[1]))
    assert esme.window_free == 1
    esme.send(pdu.SubmitSm(), 1000.0)


def test_W1_enquire_link_and_unbind_need_no_place_in_the_window():
    esme = session(Role.ESME, State.BOUND_TRX, SMALL)
    for _ in range(3):
        esme.send(pdu.DataSm(), 1000.0)
    esme.send(pdu.EnquireLink(), 1000.0)
    esme.send(pdu.Unbind(), 1000.0)
    assert esme.pending == 3


def test_W1_alert_notification_needs_none_either():
    smsc = session(Role.SMSC, State.BOUND_TRX, SMALL)
    for _ in range(9):
        smsc.send(pdu.AlertNotification(), 1000.0)
    assert (smsc.pending, smsc.window_free) == (0, 3)


def test_W1_window_is_free_only_when_bound():
    assert session(Role.ESME, State.OPEN, SMALL).window_free == 0
    assert session(Role.ESME, State.CLOSED, SMALL).window_free == 0


def test_W1_the_windows_of_whoever_binds():
    """One listener, several accounts: their windows are known only when one of them binds."""

    def authenticate(bind: Pdu) -> int:
        smsc.settings = SMALL
        return 0

    smsc = Session(Role.SMSC, SessionSettings(window=50, peer_window=50), 1000.0, authenticate)
    feed(smsc, pdu.BindTransceiver("gw", "secret"))
    assert smsc.window_free == SMALL.window
    happened = feed(smsc, *[pdu.SubmitSm()] * 3)
    assert [type(event) for event in happened] == [Request, Request, Refused]


def test_W1_a_peer_above_its_window_is_throttled_and_stays_connected():
    smsc = session(Role.SMSC, State.BOUND_TRX, SMALL)
    happened = feed(smsc, *[pdu.SubmitSm(sequence_number=number) for number in range(1, 5)])
    assert [type(event) for event in happened] == [Request, Request, Refused, Refused]
    throttled = {"command_status": vocabulary.ESME_RTHROTTLED}
    assert answers(smsc) == [pdu.SubmitSmResp(sequence_number=number, **throttled) for number in (3, 4)]
    smsc.acknowledge(happened[0].pdu)
    assert [type(event) for event in feed(smsc, pdu.SubmitSm(sequence_number=5))] == [Request]
    assert smsc.owed == 2
    assert not smsc.closed


def test_W1_two_sessions_with_a_window_of_three():
    joined = Joined(SMALL, SessionSettings(peer_window=3)).bind()
    sent, answered = 0, []
    while len(answered) < 50:
        while sent < 50 and joined.esme.window_free:
            joined.esme.send(pdu.SubmitSm(short_message=b"%d" % sent), joined.now, sent)
            sent += 1
        joined.carry()
        for event in joined.smsc.events():
            assert isinstance(event, Request)
            joined.smsc.send(event.pdu.respond(message_id=event.pdu.short_message.decode()), joined.now)
        joined.carry()
        answered += [(event.context, event.pdu.message_id) for event in joined.esme.events()]
    assert answered == [(number, str(number)) for number in range(50)]


def test_W4_a_lost_response_gives_the_place_back_and_says_so_once():
    settings = SessionSettings(window=1, response_timer_s=5)
    esme = session(Role.ESME, State.BOUND_TRX, settings)
    number = esme.send(pdu.SubmitSm(), 1000.0, "mine")
    assert esme.deadline() == 1005.0
    esme.on_deadline(1004.9)
    assert esme.events() == []
    esme.on_deadline(1005.0)
    assert esme.events() == [Unanswered("mine", "response_timer")]
    assert esme.window_free == 1
    late = feed(esme, pdu.SubmitSmResp("1", sequence_number=number))
    assert late == [Stray(pdu.SubmitSmResp.command_id, number, 0)]
    assert esme.window_free == 1


def test_W4_each_request_has_its_own_time():
    settings = SessionSettings(response_timer_s=5)
    esme = session(Role.ESME, State.BOUND_TRX, settings)
    for moment in range(4):
        esme.send(pdu.SubmitSm(), 1000.0 + moment, moment)
    esme.on_deadline(1006.5)
    assert [event.context for event in esme.events()] == [0, 1]
    assert esme.deadline() == 1007.0


def test_W4_sent_again_it_has_a_new_sequence_number():
    esme = session(Role.ESME, State.BOUND_TRX, SessionSettings(response_timer_s=5))
    frame = encode(pdu.SubmitSm(short_message=b"again"))
    first = esme.send_encoded(frame, 1000.0, "row 1")
    esme.on_deadline(1005.0)
    second = esme.send_encoded(frame, 1005.0, "row 1")
    assert first != second
    assert [sent.short_message for sent in answers(esme)] == [b"again", b"again"]
    response = pdu.SubmitSmResp("1", sequence_number=second)
    assert events_of(Response, feed(esme, response)) == [Response(response, "row 1")]


def test_W5_a_request_is_waited_for_before_its_octets_are_handed_out():
    esme = session(Role.ESME, State.BOUND_TRX)
    number = esme.send(pdu.SubmitSm(), 1000.0, "mine")
    [response] = feed(esme, pdu.SubmitSmResp("1", sequence_number=number))  # data_to_send not even called
    assert response.context == "mine"


def test_W5_what_cannot_be_encoded_leaves_no_trace():
    esme = session(Role.ESME, State.BOUND_TRX)
    with pytest.raises(LocalProtocolError, match="service_type"):
        esme.send(pdu.SubmitSm(service_type="far too long"), 1000.0)
    assert (esme.pending, esme.data_to_send(), esme.events()) == (0, b"", [])


REFUSALS = ["ESME_RTHROTTLED", "ESME_RMSGQFUL"]
ERRORS = ["ESME_RSYSERR", "ESME_RX_T_APPN", "ESME_RSUBMITFAIL", "ESME_RINVDSTADR"]


@pytest.mark.parametrize("name", REFUSALS)
def test_W2_a_throttled_request_comes_back_whole_and_in_order(name: str):
    status = vocabulary.STATUS_CODES[name]
    esme = session(Role.ESME, State.BOUND_TRX, SMALL)
    numbers = [esme.send(pdu.SubmitSm(), 1000.0, {"receipt for": n}) for n in range(3)]
    happened = feed(
        esme, *[pdu.SubmitSmResp(command_status=status, sequence_number=number) for number in numbers]
    )
    assert [event.context["receipt for"] for event in happened] == [0, 1, 2]
    assert {event.pdu.command_status for event in happened} == {status}
    assert (esme.window_free, esme.bound) == (3, True)


@pytest.mark.parametrize("name", ERRORS)
def test_W3_an_error_is_the_messages_own_and_the_link_stays(name: str):
    status = vocabulary.STATUS_CODES[name]
    esme = session(Role.ESME, State.BOUND_TRX, SMALL)
    number = esme.send(pdu.SubmitSm(), 1000.0, "mine")
    [response] = feed(esme, pdu.SubmitSmResp(command_status=status, sequence_number=number))
    assert (response.pdu.command_status, response.context) == (status, "mine")
    assert (esme.window_free, esme.bound) == (3, True)


@pytest.mark.parametrize("role", Role)
def test_W6_all_that_one_read_produced_is_one_string_of_octets(role: Role):
    peer = session(role, State.BOUND_TRX)
    happened = feed(peer, pdu.DataSm(sequence_number=1), pdu.EnquireLink(), pdu.DataSm(sequence_number=2))
    for event in happened:
        peer.acknowledge(event.pdu)
    peer.send(pdu.DataSm(), 1000.0)
    octets = peer.data_to_send()
    assert octets.count(b"\x80\x00\x01\x03") == 2
    assert len(octets) == 16 + 2 * 17 + len(encode(pdu.DataSm()))
    assert peer.data_to_send() == b""


def test_W8_a_receipt_ahead_of_its_submit_sm_resp_reaches_the_program():
    esme = session(Role.ESME, State.BOUND_TRX)
    number = esme.send(pdu.SubmitSm(registered_delivery=1), 1000.0, "mine")
    receipt = pdu.DeliverSm(esm_class=4, short_message=b"id:7 stat:DELIVRD", sequence_number=1)
    early, response = feed(esme, receipt, pdu.SubmitSmResp("7", sequence_number=number))
    assert isinstance(early, Request)
    assert (response.context, response.pdu.message_id) == ("mine", "7")


@pytest.mark.parametrize("status", [0, vocabulary.ESME_RSYSERR])
@pytest.mark.parametrize("command", [pdu.DeliverSm, pdu.DataSm])
def test_W7_nothing_is_acknowledged_before_the_program_says_so(command: type[Pdu], status: int):
    esme = session(Role.ESME, State.BOUND_TRX)
    [dialled] = feed(esme, command(sequence_number=4))
    esme.on_deadline(1001.0)
    assert (esme.data_to_send(), esme.owed) == (b"", 1)
    esme.acknowledge(dialled.pdu, status)
    [answer] = answers(esme)
    assert answer == PDU_CLASSES[command.command_id | RESPONSE_BIT](command_status=status, sequence_number=4)
    assert esme.owed == 0


ANSWERED_BY_THE_PROGRAM = [
    pdu.SubmitSm,
    pdu.SubmitMulti,
    pdu.DeliverSm,
    pdu.DataSm,
    pdu.QuerySm,
    pdu.CancelSm,
    pdu.ReplaceSm,
]


@pytest.mark.parametrize("status", [0, 8])
@pytest.mark.parametrize("command", ANSWERED_BY_THE_PROGRAM)
def test_acknowledge_writes_what_respond_would(command: type[Pdu], status: int):
    issuer = Role.SMSC if command is pdu.DeliverSm else Role.ESME
    filled = {"dest_addresses": [pdu.SmeAddress()]} if command is pdu.SubmitMulti else {}
    octets = []
    for way in ("acknowledge", "respond"):
        receiver = session(issuer.peer, State.BOUND_TRX)
        [event] = feed(receiver, command(sequence_number=4, **filled))
        if way == "acknowledge":
            receiver.acknowledge(event.pdu, status)
        else:
            receiver.send(event.pdu.respond(status), 1000.0)
        octets.append(receiver.data_to_send())
    assert octets[0] == octets[1]


def test_a_request_comes_with_its_octets_as_they_were():
    """To the last of them: of a TLV that comes twice the decoded PDU has only one."""
    esme = session(Role.ESME, State.BOUND_TRX)
    frames = [
        encode(pdu.DeliverSm(tlvs={0x1501: b"a"}, sequence_number=4)),
        encode(pdu.DataSm(sequence_number=5)),
    ]
    frames[0] = (len(frames[0]) + 5).to_bytes(4, "big") + frames[0][4:] + b"\x15\x01\x00\x01b"
    happened = feed(esme, *frames)
    assert [event.octets for event in happened] == frames


def test_W7_an_answer_is_given_once():
    esme = session(Role.ESME, State.BOUND_TRX)
    [dialled] = feed(esme, pdu.DeliverSm(sequence_number=4))
    esme.acknowledge(dialled.pdu)
    with pytest.raises(LocalProtocolError):
        esme.acknowledge(dialled.pdu)
    with pytest.raises(LocalProtocolError):
        esme.send(dialled.pdu.respond(), 1000.0)


def test_the_program_does_not_answer_for_the_session():
    esme = session(Role.ESME, State.BOUND_TRX)
    for response in (pdu.EnquireLinkResp(), pdu.BindTransceiverResp()):
        with pytest.raises(LocalProtocolError, match="by the session itself"):
            esme.send(response, 1000.0)


def test_an_unreadable_request_may_be_answered_with_generic_nack():
    esme = session(Role.ESME, State.BOUND_TRX)
    feed(esme, pdu.DeliverSm(sequence_number=4))
    esme.send(pdu.GenericNack(command_status=8, sequence_number=4), 1000.0)
    assert (esme.owed, len(answers(esme))) == (0, 1)


def test_send_encoded_changes_the_sequence_number_and_nothing_else():
    esme = session(Role.ESME, State.BOUND_TRX)
    frame = encode(pdu.SubmitSm("USSD", source_addr="100", short_message=b"hi", tlvs={0x0501: b"\x02"}))
    number = esme.send_encoded(frame, 1000.0)
    octets = esme.data_to_send()
    assert octets[12:16] == number.to_bytes(4, "big")
    assert octets[:12] + octets[16:] == frame[:12] + frame[16:]


def test_F5_our_sequence_numbers_run_from_1_and_wrap_to_1():
    window = Window(10, None)
    assert window.next_sequence_number() == 1
    window.register(MAX_SEQUENCE_NUMBER, pdu.SubmitSm.command_id, 0.0, 0, None)
    assert window.next_sequence_number() == 1
    window.register(1, pdu.SubmitSm.command_id, 0.0, 0, None)
    window.register(MAX_SEQUENCE_NUMBER - 1, pdu.SubmitSm.command_id, 0.0, 0, None)
    assert window.next_sequence_number() == 2, "the next ones are still waited for"
