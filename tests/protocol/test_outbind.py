"""Case S9: the SMSC opens the connection and asks the ESME to bind as a receiver (§2.2.1, §4.1.7)."""

import pytest

from gateway.smpp import pdu, vocabulary
from gateway.smpp.errors import LocalProtocolError
from gateway.smpp.events import Bound, Closed, Notice, Quarantined, Refused, Request
from gateway.smpp.session import Role, Session, SessionSettings, State
from tests.protocol.scene import BINDS, Joined, answers, feed, session
from tests.protocol.vectors import octets


def test_S9_outbind_and_bind_receiver_on_one_connection():
    joined = Joined()
    joined.smsc.send(pdu.Outbind("SMSC", "secret"), joined.now)
    joined.carry()
    [asked] = joined.esme.events()
    assert asked == Notice(pdu.Outbind("SMSC", "secret", sequence_number=1))
    assert joined.esme.state is State.OPEN
    joined.esme.send(pdu.BindReceiver("gw", "secret"), joined.now)
    joined.carry()
    assert [type(event) for event in joined.esme.events() + joined.smsc.events()] == [Bound, Bound]
    assert (joined.esme.state, joined.smsc.state) == (State.BOUND_RX, State.BOUND_RX)
    joined.smsc.send(pdu.DeliverSm(short_message=b"waiting"), joined.now)
    joined.carry()
    assert [type(event) for event in joined.esme.events()] == [Request]


def test_S9_outbind_waits_for_no_response_and_takes_no_place_in_the_window():
    smsc = Joined().smsc
    smsc.send(pdu.Outbind("SMSC", "secret"), 1000.0)
    assert smsc.pending == 0
    assert smsc.deadline() == 1010.0, "session_init_timer, and nothing else"


@pytest.mark.parametrize("role", Role)
def test_S9_session_init_timer_holds_for_both_ends(role: Role):
    """The one waits for the bind, the other may not make up its mind for ever: counted from the connection on."""
    joined = Joined(SessionSettings(session_init_timer_s=4), SessionSettings(session_init_timer_s=4))
    joined.smsc.send(pdu.Outbind("SMSC", "secret"), joined.now)
    joined.carry()
    joined.now += 3
    joined.smsc.send(pdu.Outbind("SMSC", "secret"), joined.now)
    joined.carry()
    joined.carry()
    ours = joined[role]
    ours.events()
    assert ours.deadline() == 1004.0, "asking again buys no time"
    ours.on_deadline(1004.0)
    [closed] = ours.events()
    assert isinstance(closed, Closed)
    assert "session_init_timer" in closed.reason


@pytest.mark.parametrize("state", BINDS)
def test_S9_outbind_on_a_bound_session_is_refused_and_never_sent(state: State):
    esme = session(Role.ESME, state)
    assert feed(esme, pdu.Outbind(sequence_number=3)) == [
        Refused(vocabulary.COMMAND_IDS["outbind"], 3, vocabulary.ESME_RINVBNDSTS)
    ]
    [nack] = answers(esme)
    assert (nack.name, nack.sequence_number) == ("generic_nack", 3)
    assert esme.bound
    with pytest.raises(LocalProtocolError, match="outbind"):
        session(Role.SMSC, state).send(pdu.Outbind(), 1000.0)


def test_S9_an_esme_sends_no_outbind_and_an_smsc_takes_none():
    with pytest.raises(LocalProtocolError, match="outbind"):
        session(Role.ESME, State.OPEN).send(pdu.Outbind(), 1000.0)
    smsc = session(Role.SMSC, State.OPEN)
    [refused] = feed(smsc, pdu.Outbind("gw", "secret", sequence_number=3))
    assert isinstance(refused, Refused)
    assert not smsc.closed


def test_S9_the_password_of_an_outbind_is_a_secret():
    esme = Session(Role.ESME, SessionSettings(), 0.0)
    [notice] = feed(esme, pdu.Outbind("SMSC", "hunter22"))
    assert "hunter22" not in repr(notice)
    malformed = octets('0000001C 0000000B 00000000 00000001 "SMSC" 00 "hunter2" 00')[:-1] + b"2"
    [quarantined] = feed(esme, malformed)
    assert isinstance(quarantined, Quarantined)
    assert quarantined.octets == malformed[:16]
    assert "hunter2" not in repr(quarantined)


def test_S9_only_the_first_outbind_counts():
    esme = session(Role.ESME, State.OPEN)
    outbind = pdu.Outbind("SMSC", "secret", sequence_number=3)
    happened = feed(esme, outbind, outbind)
    assert [type(event) for event in happened] == [Notice, Refused]
    assert [nack.command_status for nack in answers(esme)] == [vocabulary.ESME_RINVBNDSTS]
    esme.send(pdu.BindReceiver("gw", "secret"), 1000.0)
    assert [type(event) for event in feed(esme, outbind)] == [Refused]
    assert not esme.closed
