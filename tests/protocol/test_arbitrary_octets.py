"""Whatever the octets: decode raises RemoteProtocolError and nothing else, a session raises nothing."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.smpp.errors import RemoteProtocolError
from gateway.smpp.events import Closed, Request, Unanswered, UnbindRequest
from gateway.smpp.fields import (
    COctetString,
    Destinations,
    DistributionList,
    FieldKind,
    Integer,
    OctetString,
    SmeAddress,
    UnsuccessfulSme,
    UnsuccessfulSmes,
    rows,
)
from gateway.smpp.framing import Framer
from gateway.smpp.pdu import PDU_CLASSES, Pdu, decode, encode
from gateway.smpp.session import Role, Session, SessionSettings, State
from tests.protocol.scene import BINDS, Joined, session
from tests.protocol.vectors import VECTORS

octet = st.integers(0, 0xFF)
word = st.integers(0, 0xFFFFFFFF)
latin1 = st.characters(min_codepoint=1, max_codepoint=0xFF)
address = st.text(latin1, max_size=20)
tlvs = st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=20), max_size=4)


def values_of(kind: FieldKind) -> st.SearchStrategy:
    match kind:
        case Integer():
            return octet
        case COctetString(size):
            return st.text(latin1, max_size=size - 1)
        case OctetString(size):
            return st.binary(max_size=size)
        case Destinations():
            one = st.builds(SmeAddress, octet, octet, address) | st.builds(DistributionList, address)
            return st.lists(one, min_size=1, max_size=5)
        case UnsuccessfulSmes():
            return st.lists(st.builds(UnsuccessfulSme, octet, octet, address, word), max_size=5)
    raise AssertionError(kind)


def pdus_of(pdu_class: type[Pdu]) -> st.SearchStrategy[Pdu]:
    given_fields = {name: values_of(kind) for name, kind in rows(pdu_class)}
    return st.builds(pdu_class, **given_fields, tlvs=tlvs, command_status=word, sequence_number=word)


pdus = st.sampled_from(sorted(PDU_CLASSES)).flatmap(lambda command_id: pdus_of(PDU_CLASSES[command_id]))


@st.composite
def odd_frames(draw: st.DrawFn) -> bytes:
    """A right length and a known command, and behind them a good body with something done to it."""
    body = bytearray(draw(st.sampled_from(VECTORS)).frame[16:])
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(body)))
        match draw(st.sampled_from(["cut", "change", "insert", "remove"])):
            case "cut":
                del body[at:]
            case "change" if at < len(body):
                body[at] = draw(octet)
            case "insert":
                body[at:at] = draw(st.binary(max_size=5))
            case "remove":
                del body[at : at + draw(st.integers(1, 4))]
    command_id = draw(st.sampled_from(sorted(PDU_CLASSES)) | word)
    header = (16 + len(body), command_id, draw(st.just(0) | word), draw(st.integers(0, 5) | word))
    return b"".join(number.to_bytes(4, "big") for number in header) + body


@given(pdus)
def test_codec_round_trip(pdu: Pdu):
    assert decode(encode(pdu)) == pdu


@given(pdus)
def test_what_is_encoded_says_its_own_length(pdu: Pdu):
    frame = encode(pdu)
    assert int.from_bytes(frame[:4], "big") == len(frame)


@given(pdus)
def test_every_pdu_has_a_repr_without_secrets(pdu: Pdu):
    assert pdu.name in repr(pdu)


@given(st.binary(max_size=200) | odd_frames())
@settings(max_examples=500)
def test_decode_raises_only_remote_protocol_error(octets: bytes):
    try:
        pdu = decode(octets)
    except RemoteProtocolError:
        return
    assert decode(encode(pdu)) == pdu


@given(st.lists(odd_frames(), max_size=6), st.lists(st.integers(1, 40), min_size=1))
def test_framing_does_not_depend_on_how_the_stream_is_split(frames: list[bytes], sizes: list[int]):
    stream, framer, found = b"".join(frames), Framer(65536), []
    for size in itertools.cycle(sizes):
        found += [frame for frame, *_ in framer.receive(stream[:size])]
        stream = stream[size:]
        if not stream:
            break
    assert found == frames


reads = st.lists(st.binary(max_size=60) | odd_frames() | pdus.map(encode), max_size=12)


@given(
    role=st.sampled_from(Role),
    state=st.sampled_from([State.OPEN, *BINDS]),
    reads=reads,
    steps=st.lists(st.sampled_from(["answer", "time", "nothing"]), min_size=12, max_size=12),
)
@settings(max_examples=300)
def test_session_never_raises_for_what_a_peer_sends(
    role: Role, state: State, reads: list[bytes], steps: list[str]
):
    peer = session(role, state, SessionSettings(peer_window=3))
    now, seen = 1000.0, []
    for octets, step in zip(reads, steps, strict=False):
        peer.receive_data(octets, now)
        happened = peer.events()
        seen += happened
        if step == "answer":
            answer(peer, happened, now)
        elif step == "time":
            now = max(now, peer.deadline() or now)
            peer.on_deadline(now)
        check_octets(peer.data_to_send())
    peer.receive_eof(now)
    seen += peer.events()
    assert [type(event) for event in seen].count(Closed) == 1
    assert isinstance(seen[-1], Closed)
    assert (peer.pending, peer.owed, peer.window_free, peer.deadline()) == (0, 0, 0, None)


def answer(peer: Session, happened: list, now: float) -> None:
    for event in happened:
        if isinstance(event, Request) and not peer.closed:
            peer.acknowledge(event.pdu)
        elif isinstance(event, UnbindRequest):
            peer.send(event.pdu.respond(), now)


def check_octets(octets: bytes) -> None:
    """All that a session wants to be written are whole PDUs that can be read."""
    for frame, *_ in Framer(65536).receive(octets):
        decode(frame)


@given(
    st.lists(st.sampled_from(["submit", "deliver", "answer up", "answer down", "carry", "time"]), max_size=60)
)
def test_two_sessions_joined_lose_nothing(steps: list[str]):
    joined = Joined(SessionSettings(window=4, peer_window=4), SessionSettings(window=4, peer_window=4)).bind()
    waiting = {Role.ESME: [], Role.SMSC: []}
    sent = {Role.ESME: 0, Role.SMSC: 0}
    settled = {Role.ESME: [], Role.SMSC: []}

    def take_events() -> None:
        for role in Role:
            for event in joined[role].events():
                if isinstance(event, Request):
                    waiting[role].append(event.pdu)
                else:
                    settled[role].append((event.context, isinstance(event, Unanswered)))

    def send(role: Role, name: str) -> None:
        if joined[role].window_free:
            pdu = next(one for one in PDU_CLASSES.values() if one.__name__ == name)()
            joined[role].send(pdu, joined.now, sent[role])
            sent[role] += 1

    def answer_all(role: Role) -> None:
        while waiting[role]:
            joined[role].acknowledge(waiting[role].pop())

    for step in steps:
        match step:
            case "submit":
                send(Role.ESME, "SubmitSm")
            case "deliver":
                send(Role.SMSC, "DeliverSm")
            case "answer up":
                answer_all(Role.SMSC)
            case "answer down":
                answer_all(Role.ESME)
            case "carry":
                joined.carry()
            case "time":
                joined.now += 1
        take_events()
    for _ in range(3):
        joined.carry()
        take_events()
        answer_all(Role.SMSC)
        answer_all(Role.ESME)
    joined.carry()
    take_events()
    for role in Role:
        assert sorted(settled[role]) == [(number, False) for number in range(sent[role])]
        assert joined[role].pending == 0
