"""Cases S6 to S8: the end of a session, and what comes too late."""

import pytest

from gateway.smpp import pdu, vocabulary
from gateway.smpp.errors import LocalProtocolError
from gateway.smpp.events import (
    Closed,
    Response,
    Stray,
    Unanswered,
    UnbindRequest,
)
from gateway.smpp.pdu import encode
from gateway.smpp.session import Role, State
from tests.protocol.scene import Joined, answers, events_of, feed, session

BOUND = [State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX]
RINVBNDSTS = vocabulary.ESME_RINVBNDSTS


# --------------------------------------------------------------------------------------------------- the end


@pytest.mark.parametrize("state", BOUND)
@pytest.mark.parametrize("role", Role)
def test_S6_unbind_from_either_side(role: Role, state: State):
    joined = Joined().bind(state)
    leaving, left = joined[role], joined[role.peer]
    leaving.send(pdu.Unbind(), joined.now)
    joined.carry()
    [unbind] = left.events()
    assert isinstance(unbind, UnbindRequest)
    assert not left.closed
    left.send(unbind.pdu.respond(), joined.now)
    assert left.closed
    assert [type(event) for event in left.events()] == [Closed]
    octets = left.data_to_send()
    assert octets == encode(pdu.UnbindResp(sequence_number=unbind.pdu.sequence_number)), (
        "written before the close"
    )
    leaving.receive_data(octets, joined.now)
    assert leaving.closed
    assert [type(event) for event in leaving.events()] == [Closed]


def test_S6_work_in_flight_is_finished_before_unbind_resp():
    joined = Joined().bind()
    joined.smsc.send(pdu.DeliverSm(short_message=b"*100#"), joined.now, "dialled")
    joined.esme.send(pdu.SubmitSm(short_message=b"screen"), joined.now, "answer")
    joined.smsc.send(pdu.Unbind(), joined.now)
    joined.carry()
    dialled, unbind = joined.esme.events()
    [submitted] = joined.smsc.events()
    joined.smsc.acknowledge(submitted.pdu)
    joined.esme.acknowledge(dialled.pdu)
    joined.carry()
    assert events_of(Response, joined.smsc.events())[0].context == "dialled"
    assert events_of(Response, joined.esme.events())[0].context == "answer"
    joined.esme.send(unbind.pdu.respond(), joined.now)
    joined.carry()
    assert joined.esme.closed
    assert joined.smsc.closed


def test_S6_what_is_not_finished_is_handed_back():
    joined = Joined().bind()
    joined.esme.send(pdu.SubmitSm(), joined.now, "first")
    joined.esme.send(pdu.SubmitSm(), joined.now, "second")
    joined.esme.send(pdu.Unbind(), joined.now)
    joined.carry()
    joined.smsc.send(joined.smsc.events()[-1].pdu.respond(), joined.now)
    joined.carry()
    first, second, closed = joined.esme.events()
    assert (first, second) == (Unanswered("first", "closed"), Unanswered("second", "closed"))
    assert isinstance(closed, Closed)


@pytest.mark.parametrize("role", Role)
def test_S6_nothing_new_once_an_unbind_is_under_way(role: Role):
    joined = Joined().bind()
    joined[role].send(pdu.Unbind(), joined.now)
    joined.carry()
    for peer in (joined.esme, joined.smsc):
        assert peer.window_free == 0
        with pytest.raises(LocalProtocolError, match="leaving"):
            peer.send(pdu.DataSm(), joined.now)
    feed(joined[role.peer], pdu.DataSm(sequence_number=70))
    assert answers(joined[role.peer])[0].command_status == RINVBNDSTS


def test_S5_after_its_unbind_the_peer_may_still_ask_whether_we_are_there():
    smsc = session(Role.SMSC, State.BOUND_TRX)
    feed(smsc, pdu.Unbind(sequence_number=1))
    feed(smsc, pdu.EnquireLink(sequence_number=2), pdu.Unbind(sequence_number=3))
    refused = pdu.UnbindResp(command_status=RINVBNDSTS, sequence_number=3)
    assert answers(smsc) == [pdu.EnquireLinkResp(sequence_number=2), refused]


def test_S6_unbinds_that_cross():
    joined = Joined().bind()
    joined.esme.send(pdu.Unbind(), joined.now)
    joined.smsc.send(pdu.Unbind(), joined.now)
    joined.carry()
    for peer in (joined.esme, joined.smsc):
        [unbind] = peer.events()
        peer.send(unbind.pdu.respond(), joined.now)
    joined.carry()
    assert joined.esme.closed
    assert joined.smsc.closed


def test_S6_unbind_answered_with_an_error_or_a_nack_is_the_end_as_well():
    for refusal in (pdu.UnbindResp, pdu.GenericNack):
        esme = session(Role.ESME, State.BOUND_TRX)
        number = esme.send(pdu.Unbind(), 1000.0)
        feed(esme, refusal(command_status=8, sequence_number=number))
        assert esme.closed


def test_S6_unbind_resp_needs_an_unbind():
    esme = session(Role.ESME, State.BOUND_TRX)
    with pytest.raises(LocalProtocolError, match="without an unbind"):
        esme.send(pdu.UnbindResp(sequence_number=1), 1000.0)


def test_S6_connection_lost_hands_back_what_was_under_way():
    joined = Joined().bind()
    joined.esme.send(pdu.SubmitSm(), joined.now, "mine")
    joined.esme.receive_eof(joined.now)
    unanswered, closed = joined.esme.events()
    assert unanswered == Unanswered("mine", "closed")
    assert "closed by the peer" in closed.reason
    joined.esme.receive_eof(joined.now)
    assert joined.esme.events() == [], "once is enough"


def test_S7_late_response_and_response_of_another_command():
    joined = Joined().bind()
    number = joined.esme.send(pdu.SubmitSm(), joined.now, "mine")
    wrong = feed(joined.esme, pdu.DataSmResp(sequence_number=number))
    assert wrong == [Stray(pdu.DataSmResp.command_id, number, 0)]
    assert joined.esme.pending == 1, "the right one may still come"
    twice = feed(joined.esme, *[pdu.SubmitSmResp("1", sequence_number=number)] * 2)
    assert [type(event) for event in twice] == [Response, Stray]


def test_S7_generic_nack_answers_the_request_it_names():
    joined = Joined().bind()
    number = joined.esme.send(pdu.SubmitSm(), joined.now, "mine")
    nack = pdu.GenericNack(command_status=3, sequence_number=number)
    assert feed(joined.esme, nack, nack) == [Response(nack, "mine"), Stray(nack.command_id, number, 3)]


@pytest.mark.parametrize("role", Role)
def test_S8_after_unbind_resp_nothing_but_close(role: Role):
    joined = Joined().bind()
    joined[role].send(pdu.Unbind(), joined.now)
    joined.carry()
    [unbind] = joined[role.peer].events()
    joined[role.peer].send(unbind.pdu.respond(), joined.now)
    joined.carry()
    for peer in (joined.esme, joined.smsc):
        peer.events()
        assert peer.state is State.CLOSED
        assert feed(peer, pdu.BindTransceiver("gw", "secret"), pdu.SubmitSm(), pdu.EnquireLink()) == []
        assert peer.data_to_send() == b""
        assert peer.deadline() is None
        with pytest.raises(LocalProtocolError):
            peer.send(pdu.BindTransceiver("gw", "secret"), joined.now)


def test_S8_a_late_answer_on_a_closed_session_is_dropped():
    esme = session(Role.ESME, State.BOUND_TRX)
    [dialled] = feed(esme, pdu.DeliverSm(sequence_number=1))
    esme.receive_eof(1000.0)
    esme.acknowledge(dialled.pdu)
    esme.send(dialled.pdu.respond(), 1000.0)
    assert esme.data_to_send() == b""
