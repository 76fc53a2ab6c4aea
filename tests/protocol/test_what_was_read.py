"""What a peer has certainly read: whoever answers a request has read all that was written before it (W7).

What is behind it is for who has to know whether a message that comes once more is the same one.
"""

import pytest

from gateway.smpp import pdu
from gateway.smpp.events import Request, UnbindRequest
from gateway.smpp.pdu import Pdu
from gateway.smpp.session import Role, Session, SessionSettings, State
from tests.protocol.scene import Joined, events_of, feed, session

BOUND = [State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX]


def known(session: Session) -> tuple[int, int]:
    return session.responses_sent, session.responses_read


def dialled(esme: Session, *numbers: int) -> None:
    """The centre's messages come, and are acknowledged."""
    for event in events_of(Request, feed(esme, *[pdu.DeliverSm(sequence_number=n) for n in numbers])):
        esme.acknowledge(event.pdu)


def test_a_new_session_has_answered_nothing():
    assert known(session(Role.ESME, State.OPEN)) == (0, 0)


def test_responses_that_are_written_are_not_yet_read():
    esme = session(Role.ESME, State.BOUND_TRX)
    dialled(esme, 1, 2, 3)
    assert esme.data_to_send()
    assert known(esme) == (3, 0)


def test_an_answer_proves_what_was_written_before_the_request_and_nothing_behind_it():
    esme = session(Role.ESME, State.BOUND_TRX)
    dialled(esme, 1, 2)
    number = esme.send(pdu.SubmitSm(), 1000.0)
    dialled(esme, 3)
    feed(esme, pdu.SubmitSmResp("7", sequence_number=number))
    assert known(esme) == (3, 2)


def test_answers_that_overtake_each_other_take_nothing_back():
    esme = session(Role.ESME, State.BOUND_TRX)
    numbers = []
    for message in (1, 2, 3):
        dialled(esme, message)
        numbers.append(esme.send(pdu.SubmitSm(), 1000.0))
    read = []
    for number in (numbers[1], numbers[0], numbers[2]):
        feed(esme, pdu.SubmitSmResp("7", sequence_number=number))
        read.append(esme.responses_read)
    assert read == [2, 2, 3]


@pytest.mark.parametrize(
    "answer",
    [pdu.SubmitSmResp("7"), pdu.SubmitSmResp(command_status=0x58), pdu.GenericNack(command_status=3)],
    ids=["taken", "refused", "generic_nack"],
)
def test_any_answer_proves_it(answer: Pdu):
    esme = session(Role.ESME, State.BOUND_TRX)
    dialled(esme, 1)
    answer.sequence_number = esme.send(pdu.SubmitSm(), 1000.0)
    feed(esme, answer)
    assert known(esme) == (1, 1)


def test_an_answer_that_cannot_be_read_proves_it():
    esme = session(Role.ESME, State.BOUND_TRX)
    dialled(esme, 1)
    number = esme.send(pdu.SubmitSm(), 1000.0)
    feed(esme, bytes.fromhex("00000012 80000004 00000000") + number.to_bytes(4, "big") + b"id")
    assert known(esme) == (1, 1)


def test_enquire_link_resp_proves_it_whoever_asked():
    for asked_by in ("the program", "the timer"):
        esme = session(Role.ESME, State.BOUND_TRX, SessionSettings(enquire_link_timer_s=30))
        dialled(esme, 1)
        if asked_by == "the program":
            number = esme.send(pdu.EnquireLink(), 1000.0)
        else:
            esme.on_deadline(1030.0)
            number = int.from_bytes(esme.data_to_send()[-4:], "big")
        feed(esme, pdu.EnquireLinkResp(sequence_number=number))
        assert known(esme) == (1, 1), asked_by


@pytest.mark.parametrize("state", BOUND)
@pytest.mark.parametrize("role", Role)
def test_unbind_resp_proves_it(role: Role, state: State):
    joined = Joined().bind(state)
    leaving, left = joined[role], joined[role.peer]
    left.send(pdu.EnquireLink(), joined.now)
    joined.carry()
    before = leaving.responses_sent
    assert leaving.responses_read < before
    leaving.send(pdu.Unbind(), joined.now)
    joined.carry()
    [unbind] = events_of(UnbindRequest, left.events())
    left.send(unbind.pdu.respond(), joined.now)
    joined.carry()
    assert leaving.closed
    assert known(leaving) == (before, before)


def test_a_stray_response_proves_nothing():
    esme = session(Role.ESME, State.BOUND_TRX, SessionSettings(response_timer_s=5, enquire_link_timer_s=None))
    dialled(esme, 1)
    number = esme.send(pdu.SubmitSm(), 1000.0)
    wrong = pdu.DataSmResp(sequence_number=number)
    never_asked_for = pdu.SubmitSmResp("7", sequence_number=number + 1)
    feed(esme, wrong, never_asked_for)
    esme.on_deadline(1005.0)
    feed(esme, pdu.SubmitSmResp("7", sequence_number=number))
    assert known(esme) == (1, 0)


def test_what_the_session_answers_by_itself_counts_as_well():
    smsc = session(Role.SMSC, State.BOUND_TRX)
    before = smsc.responses_sent
    assert before == 1, "bind_resp"
    unknown = bytes.fromhex("00000010 00000f00 00000000 00000004")
    feed(
        smsc,
        pdu.EnquireLink(sequence_number=2),
        pdu.BindTransceiver("gw", "secret", sequence_number=3),
        unknown,
    )
    assert smsc.responses_sent == before + 3


def test_a_response_on_a_closed_session_is_none():
    esme = session(Role.ESME, State.BOUND_TRX)
    [event] = feed(esme, pdu.DeliverSm(sequence_number=1))
    esme.receive_eof(1000.0)
    esme.acknowledge(event.pdu)
    esme.send(event.pdu.respond(), 1000.0)
    assert known(esme) == (0, 0)
