"""Every command in every state; cases S1, S2, S3, S5 and S7."""

import pytest

from gateway.smpp import pdu, vocabulary
from gateway.smpp.errors import LocalProtocolError
from gateway.smpp.events import (
    Bound,
    Notice,
    Refused,
    Request,
    Response,
    Stray,
    UnbindRequest,
)
from gateway.smpp.pdu import PDU_CLASSES, Pdu, encode
from gateway.smpp.session import Role, Session, SessionSettings, State
from gateway.smpp.vocabulary import COMMAND_IDS, COMMAND_NAMES, RESPONSE_BIT
from tests.protocol.scene import BINDS, SETTINGS, Joined, answers, feed, session

BOUND = [State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX]
MESSAGES = [
    pdu.SubmitSm,
    pdu.SubmitMulti,
    pdu.DeliverSm,
    pdu.DataSm,
    pdu.QuerySm,
    pdu.CancelSm,
    pdu.ReplaceSm,
]
RINVBNDSTS = vocabulary.ESME_RINVBNDSTS


def request(command: type[Pdu] | int, sequence_number: int = 5) -> Pdu:
    """A well-formed PDU of the command; a bind with the right password."""
    command = PDU_CLASSES[command] if isinstance(command, int) else command
    filled = {"dest_addresses": [pdu.SmeAddress(1, 1, "79260000003")]} if command is pdu.SubmitMulti else {}
    made = command(sequence_number=sequence_number, **filled)
    if command in BINDS.values():
        made.system_id, made.password = "gw", "secret"
    return made


# ----------------------------------------------------------- the table, written down a second time, by hand

# Rows of Table 2-1, p.17: the letters say in which states (Open, T, R, X = BOUND_TX, _RX, _TRX) it may be issued.
# enquire_link in O is case S5; X for replace_sm is the specification's own slip (see states.py).
ISSUED_BY_ESME = {
    "bind_transmitter": "O", "bind_receiver": "O", "bind_transceiver": "O", "unbind": "TRX",
    "submit_sm": "TX", "submit_multi": "TX", "data_sm": "TRX", "query_sm": "TX", "cancel_sm": "TX",
    "replace_sm": "TX", "enquire_link": "OTRX",
}  # fmt: skip
ISSUED_BY_SMSC = {
    "outbind": "O", "unbind": "TRX", "data_sm": "TRX", "deliver_sm": "RX", "alert_notification": "RX",
    "enquire_link": "OTRX",
}  # fmt: skip
LETTERS = {"O": State.OPEN, "T": State.BOUND_TX, "R": State.BOUND_RX, "X": State.BOUND_TRX}
REQUESTS = sorted(name for name, command_id in COMMAND_IDS.items() if not command_id & RESPONSE_BIT)
EVERY = [
    pytest.param(role, state, name, id=f"{role.value}-{state.value}-{name}")
    for role in Role
    for state in State
    for name in REQUESTS
]


def may_issue(role: Role, state: State, name: str) -> bool:
    table = ISSUED_BY_ESME if role is Role.ESME else ISSUED_BY_SMSC
    return state in {LETTERS[letter] for letter in table.get(name, "")}


@pytest.mark.parametrize(("role", "state", "name"), EVERY)
def test_every_request_sent(role: Role, state: State, name: str):
    sender = session(role, state)
    made = request(COMMAND_IDS[name])
    if may_issue(role, state, name):
        number = sender.send(made, 1000.0)
        assert answers(sender)[0].sequence_number == number
    else:
        with pytest.raises(LocalProtocolError, match=name):
            sender.send(made, 1000.0)
        assert sender.data_to_send() == b""
        with pytest.raises(LocalProtocolError, match=name):
            sender.send_encoded(encode(made), 1000.0)
    assert sender.state is state


@pytest.mark.parametrize(("role", "state", "name"), EVERY)
def test_every_request_received(role: Role, state: State, name: str):
    receiver = session(role, state)
    happened = feed(receiver, request(COMMAND_IDS[name]))
    answered = answers(receiver)
    if state is State.CLOSED:
        assert (happened, answered, receiver.state) == ([], [], State.CLOSED)
    elif may_issue(role.peer, state, name):
        expect_accepted(name, receiver, happened, answered, state)
    else:
        again = role is Role.SMSC and name.startswith("bind_")
        status = vocabulary.ESME_RALYBND if again else RINVBNDSTS
        assert happened == [Refused(COMMAND_IDS[name], 5, status)]
        [answer] = answered
        without_response = name in ("outbind", "alert_notification")
        assert answer.name == ("generic_nack" if without_response else f"{name}_resp")
        assert (answer.command_status, answer.sequence_number) == (status, 5)
        assert receiver.state is state


def expect_accepted(name: str, receiver: Session, happened: list, answered: list, state: State) -> None:
    match name:
        case "bind_transmitter" | "bind_receiver" | "bind_transceiver":
            assert [type(event) for event in happened] == [Bound]
            assert [answer.name for answer in answered] == [f"{name}_resp"]
            assert BINDS[receiver.state].command_id == COMMAND_IDS[name]
            return
        case "enquire_link":
            assert (happened, answered) == ([], [pdu.EnquireLinkResp(sequence_number=5)])
        case "unbind":
            assert (happened, answered) == ([UnbindRequest(pdu.Unbind(sequence_number=5))], [])
        case "outbind" | "alert_notification":
            assert ([type(event) for event in happened], answered) == ([Notice], [])
        case _:
            assert ([type(event) for event in happened], answered) == ([Request], [])
    assert receiver.state is state


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("command_id", [i for i in COMMAND_NAMES if i & RESPONSE_BIT], ids=COMMAND_NAMES.get)
def test_S7_every_response_that_nobody_asked_for(role: Role, state: State, command_id: int):
    receiver = session(role, state)
    happened = feed(receiver, PDU_CLASSES[command_id](sequence_number=4711))
    assert happened == ([] if state is State.CLOSED else [Stray(command_id, 4711, 0)])
    assert (receiver.data_to_send(), receiver.state) == (b"", state)


# -------------------------------------------------------------------------------------------- before a bind


@pytest.mark.parametrize(
    "command", [pdu.SubmitSm, pdu.DataSm, pdu.QuerySm, pdu.CancelSm, pdu.ReplaceSm, pdu.Unbind]
)
def test_S1_request_before_a_bind(command: type[Pdu]):
    smsc = session(Role.SMSC, State.OPEN)
    feed(smsc, request(command))
    [answer] = answers(smsc)
    assert answer.command_id == command.command_id | RESPONSE_BIT
    assert answer.command_status == RINVBNDSTS
    assert not smsc.closed


def test_S1_deliver_sm_ahead_of_bind_resp_is_not_taken_for_it():
    esme = Session(Role.ESME, SETTINGS, 0.0)
    number = esme.send(pdu.BindTransceiver("gw", "secret"), 0.0)
    esme.data_to_send()
    happened = feed(
        esme, pdu.DeliverSm(sequence_number=number), pdu.BindTransceiverResp(sequence_number=number)
    )
    assert [type(event) for event in happened] == [Refused, Bound]
    assert answers(esme) == [pdu.DeliverSmResp(command_status=RINVBNDSTS, sequence_number=number)]


@pytest.mark.parametrize("state", BOUND)
@pytest.mark.parametrize("again", BINDS.values())
def test_S2_second_bind_on_a_bound_session(state: State, again: type[Pdu]):
    smsc = session(Role.SMSC, state)
    feed(smsc, again("gw", "secret", sequence_number=9))
    [answer] = answers(smsc)
    assert answer.command_id == again.command_id | RESPONSE_BIT
    assert answer.command_status == vocabulary.ESME_RALYBND
    assert (smsc.state, smsc.closed) == (state, False)


def test_S2_not_even_with_a_wrong_password():
    smsc = session(Role.SMSC, State.BOUND_RX)
    feed(smsc, *[pdu.BindReceiver("gw", "wrong")] * 10)
    assert {answer.command_status for answer in answers(smsc)} == {vocabulary.ESME_RALYBND}
    assert not smsc.closed


def test_S3_submit_sm_on_a_receiver_bind_is_refused_and_never_sent():
    joined = Joined().bind(State.BOUND_RX)
    with pytest.raises(LocalProtocolError):
        joined.esme.send(pdu.SubmitSm(), joined.now)
    feed(joined.smsc, pdu.SubmitSm(sequence_number=3))
    assert answers(joined.smsc) == [pdu.SubmitSmResp(command_status=RINVBNDSTS, sequence_number=3)]


def test_S3_deliver_sm_towards_a_transmitter_is_refused_and_never_sent():
    joined = Joined().bind(State.BOUND_TX)
    with pytest.raises(LocalProtocolError):
        joined.smsc.send(pdu.DeliverSm(), joined.now)
    feed(joined.esme, pdu.DeliverSm(sequence_number=3))
    assert answers(joined.esme) == [pdu.DeliverSmResp(command_status=RINVBNDSTS, sequence_number=3)]


# --------------------------------------------------------------------------------------------- enquire_link


@pytest.mark.parametrize("state", [State.OPEN, *BOUND])
@pytest.mark.parametrize("role", Role)
def test_S5_enquire_link_is_answered_at_any_time(role: Role, state: State):
    peer = session(role, state)
    assert feed(peer, pdu.EnquireLink(sequence_number=6)) == []
    assert answers(peer) == [pdu.EnquireLinkResp(sequence_number=6)]


@pytest.mark.parametrize("role", Role)
def test_S5_also_while_we_are_leaving_and_with_a_full_window(role: Role):
    joined = Joined(SessionSettings(peer_window=1), SessionSettings(peer_window=1)).bind()
    peer = joined[role]
    feed(peer, pdu.DataSm(sequence_number=1))
    peer.send(pdu.Unbind(), joined.now)
    peer.data_to_send()
    feed(peer, pdu.EnquireLink(sequence_number=6))
    assert answers(peer) == [pdu.EnquireLinkResp(sequence_number=6)]


def test_S5_an_enquire_link_of_the_program_comes_back_to_it():
    joined = Joined().bind()
    joined.esme.send(pdu.EnquireLink(), joined.now, "mine")
    joined.carry()
    [response] = joined.esme.events()
    assert isinstance(response, Response)
    assert response.context == "mine"
