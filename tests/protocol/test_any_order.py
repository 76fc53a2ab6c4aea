"""Whatever comes, in whatever state and order: a listed state, a listed answer, and nobody's request forgotten."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.smpp import pdu, vocabulary
from gateway.smpp.events import Closed, Event, Request, Response, Unanswered, UnbindRequest
from gateway.smpp.pdu import PDU_CLASSES, DeliverSm, SubmitSm
from gateway.smpp.session import Role, Session, SessionSettings, State
from gateway.smpp.vocabulary import COMMAND_IDS, RESPONSE_BIT
from tests.protocol.scene import BINDS, Joined, answers, check_password, session
from tests.protocol.test_arbitrary_octets import odd_frames
from tests.protocol.vectors import VECTORS

LISTED_STATUSES = {
    vocabulary.STATUS_CODES[f"ESME_{name}"]
    for name in (
        "ROK", "RINVBNDSTS", "RALYBND", "RINVCMDID", "RINVCMDLEN", "RINVMSGLEN", "RINVPARLEN", "RINVOPTPARSTREAM",
        "RINVNUMDESTS", "RINVDESTFLAG", "RINVPASWD", "RTHROTTLED",
    )
}  # fmt: skip
"""What a session says by itself: the cases F2, F3, F6, S1 to S4 and W1."""


def may_follow(role: Role, state: State) -> set[State]:
    """The states that one PDU of the peer can lead to (§2.2): only an SMSC becomes bound by what it receives here."""
    if state is State.OPEN and role is Role.SMSC:
        return set(State)
    return {state, State.CLOSED}


commands = st.sampled_from([*PDU_CLASSES, 0x00000777, 0x80000777]) | st.integers(0, 0xFFFFFFFF)


@st.composite
def pdus_of_any_command(draw: st.DrawFn) -> bytes:
    """A right length, a command, and the body of a good PDU: of this command, or of another one."""
    command_id = draw(commands)
    own = [vector.frame[16:] for vector in VECTORS if vector.pdu.command_id == command_id]
    body = draw(
        st.sampled_from(own or [b""]) | st.sampled_from(VECTORS).map(lambda vector: vector.frame[16:])
    )
    header = (16 + len(body), command_id, draw(st.sampled_from([0, 0x58, 0x4FF])), draw(st.integers(0, 9)))
    return b"".join(number.to_bytes(4, "big") for number in header) + body


@given(
    role=st.sampled_from(Role),
    state=st.sampled_from(State),
    frame=pdus_of_any_command() | odd_frames(),
)
@settings(max_examples=400, deadline=None)
def test_every_role_state_and_command_lands_in_a_listed_state(role: Role, state: State, frame: bytes):
    ours = session(role, state, SessionSettings(peer_window=1))
    ours.receive_data(frame, 1000.0)
    happened, said = ours.events(), answers(ours)
    assert ours.state in may_follow(role, state)
    assert {answer.command_status for answer in said} <= LISTED_STATUSES
    number, command_id = frame[12:16], int.from_bytes(frame[4:8], "big")
    assert {answer.sequence_number.to_bytes(4, "big") for answer in said} <= {number}
    if state is State.CLOSED:
        assert (happened, said) == ([], [])
    elif not command_id & RESPONSE_BIT:
        handed_out = [event for event in happened if isinstance(event, Request | UnbindRequest)]
        silent = command_id in (COMMAND_IDS["outbind"], COMMAND_IDS["alert_notification"])
        assert len(said) + len(handed_out) == 1 or (silent and not said), "a request is answered, once"


# ------------------------------------------------------------------------------- two sessions, any order


class Wire:
    """Two sessions and what is under way between them, which arrives in pieces of any size."""

    def __init__(self) -> None:
        small = SessionSettings(window=3, peer_window=3, response_timer_s=20, enquire_link_timer_s=30)
        self.now = 1000.0
        self.ends = {
            Role.ESME: Session(Role.ESME, small, self.now),
            Role.SMSC: Session(Role.SMSC, small, self.now, check_password),
        }
        self.under_way = {Role.ESME: b"", Role.SMSC: b""}
        self.waiting: dict[Role, list[pdu.Pdu]] = {Role.ESME: [], Role.SMSC: []}
        self.unbinds: dict[Role, list[pdu.Pdu]] = {Role.ESME: [], Role.SMSC: []}
        self.sent = {Role.ESME: 0, Role.SMSC: 0}
        self.settled: dict[Role, list[int]] = {Role.ESME: [], Role.SMSC: []}
        self.closed = {Role.ESME: 0, Role.SMSC: 0}

    def note(self, role: Role, event: Event) -> None:
        match event:
            case Request():
                self.waiting[role].append(event.pdu)
            case UnbindRequest():
                self.unbinds[role].append(event.pdu)
            case Response() | Unanswered():
                self.settled[role].append(event.context)
            case Closed():
                self.closed[role] += 1

    def step(self, what: str, role: Role, size: int) -> None:
        ours = self.ends[role]
        match what:
            case "send" if ours.window_free and self.may_send(role):
                ours.send(SubmitSm() if role is Role.ESME else DeliverSm(), self.now, self.sent[role])
                self.sent[role] += 1
            case "carry":
                self.under_way[role] += ours.data_to_send()
                carried, self.under_way[role] = self.under_way[role][:size], self.under_way[role][size:]
                self.ends[role.peer].receive_data(carried, self.now)
            case "answer" if self.waiting[role]:
                ours.acknowledge(self.waiting[role].pop(size % len(self.waiting[role])), size % 2 * 8)
            case "unbind" if ours.bound and not ours.leaving:
                ours.send(pdu.Unbind(), self.now)
            case "respond" if self.unbinds[role]:
                ours.send(self.unbinds[role].pop().respond(), self.now)
            case "time":
                self.now += size
                ours.on_deadline(self.now)
            case "cut" if size > 55:
                for end in self.ends.values():
                    end.receive_eof(self.now)
        for one, end in self.ends.items():
            for event in end.events():
                self.note(one, event)

    def may_send(self, role: Role) -> bool:
        states = (State.BOUND_TX, State.BOUND_TRX) if role is Role.ESME else (State.BOUND_RX, State.BOUND_TRX)
        return self.ends[role].state in states


steps = st.tuples(
    st.sampled_from(
        ["send", "send", "carry", "carry", "carry", "answer", "unbind", "respond", "time", "cut"]
    ),
    st.sampled_from(Role),
    st.integers(1, 60),
)


@given(bind=st.sampled_from(list(BINDS.values())), order=st.lists(steps, max_size=120))
@settings(max_examples=300, deadline=None)
def test_two_sessions_in_any_order_of_events_forget_nobodys_request(bind: type[pdu.Pdu], order: list):
    wire = Wire()
    wire.ends[Role.ESME].send(bind("gw", "secret"), wire.now)
    for what, role, size in order:
        wire.step(what, role, size)
    for role in Role:
        ours = wire.ends[role]
        ours.receive_eof(wire.now)
        wire.step("nothing", role, 0)
        assert sorted(wire.settled[role]) == list(range(wire.sent[role])), "lost, or told twice"
        assert (wire.closed[role], ours.pending, ours.owed) == (1, 0, 0)
        assert ours.events() == []


@settings(deadline=None)
@given(cuts=st.lists(st.integers(1, 50), min_size=1, max_size=20), state=st.sampled_from(list(BINDS)))
def test_a_conversation_does_not_depend_on_how_its_octets_are_cut(cuts: list[int], state: State):
    whole, cut = Joined().bind(state), Joined().bind(state)
    stream = b"".join(vector.frame for vector in VECTORS if vector.pdu.command_id != COMMAND_IDS["unbind"])
    whole.smsc.receive_data(stream, 1000.0)
    at = 0
    for number in range(len(stream)):
        size = cuts[number % len(cuts)]
        cut.smsc.receive_data(stream[at : at + size], 1000.0)
        at += size
    assert cut.smsc.data_to_send() == whole.smsc.data_to_send()
    assert repr(cut.smsc.events()) == repr(whole.smsc.events())
