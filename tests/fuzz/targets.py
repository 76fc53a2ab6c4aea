"""What the fuzzer feeds: functions of some octets that raise for nothing but a bug.

They are ordinary functions: `test_finds` calls them with all that was ever found, `fuzz.py` lets atheris choose.
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

from gateway.dialect import DialectError, load_profile, profile_names
from gateway.smpp import pdu as pdus
from gateway.smpp.errors import LocalProtocolError, RemoteProtocolError
from gateway.smpp.events import Closed, Event, Request, UnbindRequest
from gateway.smpp.explain import explain, one_line, render
from gateway.smpp.framing import Framer
from gateway.smpp.gsm7 import pack_septets, unpack_septets
from gateway.smpp.long_messages import read_part
from gateway.smpp.older_peers import for_older_peer
from gateway.smpp.pdu import DataSm, DeliverSm, Pdu, SubmitMulti, SubmitSm, decode, encode
from gateway.smpp.receipts import encode_receipt, message_keys, read_receipt, receipt_date
from gateway.smpp.session import Role, Session, SessionSettings
from gateway.smpp.text import data_coding_table, decode_text
from gateway.smpp.user_data_header import read_header

LIMIT_OCTETS = 4096
_SMALL = SessionSettings(window=3, peer_window=3, max_pdu_octets=LIMIT_OCTETS)
_BINDS = (pdus.BindTransmitter, pdus.BindReceiver, pdus.BindTransceiver)


def fuzz_decode(octets: bytes) -> None:
    """A PDU is read, or RemoteProtocolError says why not; what was read is written and read as the same."""
    try:
        pdu = decode(octets)
    except RemoteProtocolError:
        return
    assert decode(encode(pdu)) == pdu
    assert pdu.name in repr(pdu)
    try:
        older = for_older_peer(pdu)
    except LocalProtocolError:
        return
    assert decode(encode(older)).tlvs == {}


def fuzz_framing(octets: bytes) -> None:
    """However a stream is cut, the frames are the same, and so is where it stops making sense."""
    sizes = octets[:4] or b"\1"
    stream = octets[4:]
    whole = _frames([stream])
    cut, at = [], 0
    while at < len(stream):
        size = sizes[len(cut) % len(sizes)] + 1
        cut.append(stream[at : at + size])
        at += size
    assert _frames(cut) == whole
    assert _frames([stream[at : at + 1] for at in range(len(stream))]) == whole


def _frames(parts: list[bytes]) -> tuple[list[tuple], bool]:
    framer, found = Framer(LIMIT_OCTETS), []
    try:
        for part in parts:
            found += framer.receive(part)
            assert framer.waiting < LIMIT_OCTETS
    except RemoteProtocolError:
        return found, True
    return found, False


def fuzz_session(octets: bytes) -> None:
    """The first octet chooses role and bind; the others say what is read, answered, sent, and how time passes."""
    role, bind = list(product(Role, (None, *_BINDS)))[octets[0] % 8] if octets else (Role.SMSC, None)
    ours = _session(role, bind)
    now, seen, at = 0.0, ours.events(), 1
    while at < len(octets):
        what, size = octets[at] % 8, octets[at] // 8
        at += 1
        match what:
            case 0 | 1 | 2:
                size = size if what else 16 + 4 * size
                ours.receive_data(octets[at : at + size], now)
                at += size
            case 3:
                _answer(ours, seen, now)
            case 4:
                now = max(now, ours.deadline() or now)
                ours.on_deadline(now)
            case 5:
                _send(ours, size, now)
            case 6:
                seen += ours.events()
            case 7:
                _check(ours.data_to_send())
    ours.receive_eof(now)
    seen += ours.events()
    _check(ours.data_to_send())
    assert [type(event) for event in seen].count(Closed) == 1
    assert type(seen[-1]) is Closed
    assert (ours.pending, ours.owed, ours.window_free, ours.deadline()) == (0, 0, 0, None)


def _session(role: Role, bind: type[Pdu] | None) -> Session:
    ours = Session(role, _SMALL, 0.0, (lambda _: 0) if role is Role.SMSC else None)
    if bind and role is Role.SMSC:
        ours.receive_data(encode(bind("gw", "secret", sequence_number=1)), 0.0)
    elif bind:
        number = ours.send(bind("gw", "secret"), 0.0)
        ours.receive_data(
            encode(bind().respond(system_id="SMSC"))[:12] + number.to_bytes(4, "big") + b"\0", 0.0
        )
    return ours


def _answer(ours: Session, seen: list[Event], now: float) -> None:
    for event in seen:
        if isinstance(event, Request) and not ours.closed:
            ours.acknowledge(event.pdu, 0)
        elif isinstance(event, UnbindRequest):
            ours.send(event.pdu.respond(), now)
    seen[:] = [event for event in seen if not isinstance(event, Request | UnbindRequest)]


_SENT = (
    SubmitSm,
    DeliverSm,
    DataSm,
    pdus.Unbind,
    pdus.EnquireLink,
    pdus.Outbind,
    *_BINDS,
    pdus.AlertNotification,
)


def _send(ours: Session, which: int, now: float) -> None:
    try:
        ours.send(_SENT[which % len(_SENT)](), now, "mine")
    except LocalProtocolError:
        return


def _check(octets: bytes) -> None:
    framer = Framer(LIMIT_OCTETS)
    for frame, *_ in framer.receive(octets):
        decode(frame)
    assert not framer.waiting


def fuzz_text(octets: bytes) -> None:
    """Any octets are a text in every alphabet, have a header or none, and are a receipt or none."""
    for alphabet in _ALPHABETS:
        decode_text(octets, alphabet)
    header = read_header(octets)
    assert 0 <= header.octets <= len(octets)
    if header.national:
        decode_text(octets[header.octets :], "gsm7", header.national)
    unpacked = unpack_septets(octets)
    assert unpack_septets(pack_septets(unpacked))[: len(unpacked)] == unpacked
    for pdu in _messages(octets):
        _read_message(pdu)


_ALPHABETS = sorted({*data_coding_table("sms").values(), *data_coding_table("cbs").values()})


def _messages(octets: bytes) -> Iterator[DeliverSm | SubmitSm | DataSm | SubmitMulti]:
    text, esm_class = octets[1:255], octets[0] if octets else 0
    yield DeliverSm(esm_class=esm_class, short_message=text)
    yield SubmitSm(esm_class=0x40, short_message=text)
    yield DataSm(esm_class=esm_class, tlvs={0x0424: octets[1:], 0x001E: text[:65], 0x0427: text[:1]})
    tags = (0x020C, 0x020E, 0x020F, 0x001E, 0x0427, 0x0423)
    tlvs = {tag: octets[at + 1 : at + 1 + octets[at] % 9] for at, tag in enumerate(tags) if at < len(octets)}
    yield DeliverSm(esm_class=4, short_message=text, tlvs=tlvs)


def _read_message(pdu: DeliverSm | SubmitSm | DataSm | SubmitMulti) -> None:
    for alphabet in (None, "gsm7-packed"):
        part, _, _ = read_part(pdu, alphabet)
        if part:
            assert 1 <= part.number <= part.total
    receipt = read_receipt(pdu)
    if receipt:
        assert message_keys(receipt.message_id)
        receipt_date(receipt.done_date)
        encode_receipt(receipt)


def fuzz_dialect(octets: bytes) -> None:
    """Any message of a peer is a turn in the dialect, or DialectError says why not."""
    pdu = _message_in(octets)
    if pdu is None:
        return
    for profile in _PROFILES:
        profile.is_ussd(pdu)
        for read in (profile.read, profile.interpret):
            try:
                read(pdu)
            except DialectError:
                continue


_PROFILES = [load_profile(name) for name in profile_names()]


def _message_in(octets: bytes) -> Any:
    """A message with a good header, whatever the body."""
    commands = (DeliverSm, SubmitSm, DataSm)
    command_id = commands[octets[0] % 3].command_id if octets else 0
    body = octets[1:]
    try:
        return decode(b"".join(n.to_bytes(4, "big") for n in (16 + len(body), command_id, 0, 1)) + body)
    except RemoteProtocolError:
        return None


def fuzz_explain(octets: bytes) -> None:
    """Whatever the octets, they are explained, every one of them once."""
    explanation, at = explain(octets), 0
    for row in explanation.fields:
        assert row.offset == at, "a gap or an overlap"
        at = row.end
    assert at == len(octets)
    assert render(explanation)
    assert "\n" not in one_line(octets)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "decode": fuzz_decode,
    "framing": fuzz_framing,
    "session": fuzz_session,
    "text": fuzz_text,
    "dialect": fuzz_dialect,
    "explain": fuzz_explain,
}
