"""Every PDU of all runs of this folder as tshark sees it. Its name has these tests run last, when all is recorded.

Where a peer is wrong on purpose (`hostile`), its own octets are left out; what our end answers is not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.dumps.capture import read_capture, write_capture
from gateway.dumps.streams import Captured
from gateway.smpp import fields
from gateway.smpp.codec import HEADER_OCTETS
from gateway.smpp.errors import RemoteProtocolError
from gateway.smpp.framing import Frame, Framer
from gateway.smpp.pdu import Pdu, decode
from gateway.smpp.vocabulary import command_name
from tests.peers import dissection, recording
from tests.peers.dissection import Direction, Dissection, Seen
from tests.peers.recording import Connection, Piece

SHOWN = 20
UNKNOWN_HERE = {0x00000111: "broadcast_sm"}
"""What peers send that is no command of SMPP 3.4, and tshark knows all the same."""
OTHER_NAMES = {"short_message": "message"}


@dataclass
class Wire:
    """The connections of this run, and what tshark found in them."""

    capture: Path
    connections: tuple[Connection, ...]
    found: Dissection

    def directions(self) -> Iterator[tuple[Direction, Connection, list[Frame]]]:
        """All directions that are meant to be right, with the frames that our framer finds."""
        for stream, connection in enumerate(self.connections):
            for esme in (True, False):
                if connection.hostile is None or (connection.ours == "esme") == esme:
                    octets = connection.stream(esme=esme)
                    yield Direction(stream, esme), connection, list(Framer(1 << 20).receive(octets))


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Wire:
    if reason := dissection.missing():
        pytest.skip(reason)
    kept = tuple(recording.connections())
    if not kept:
        pytest.skip("no peer has been run before these tests")
    capture = tmp_path_factory.mktemp("wire") / "peers.pcap"
    return Wire(capture, kept, dissected(capture, kept))


def dissected(path: Path, kept: tuple[Connection, ...]) -> Dissection:
    recording.write_pcap(path, kept)
    return dissection.dissect(path)


def test_nothing_is_malformed(wire: Wire) -> None:
    """No malformed packet, no remark of tshark's experts."""
    wrong = []
    for direction, connection, frames in wire.directions():
        for mark in wire.found.marks.get(direction, ()):
            octets = frames[mark.pdu][0].hex() if frames else "no PDU"
            wrong.append(f"{_where(direction, connection)}: {mark.words}: {octets}")
    assert not wrong, _story("tshark finds wrong", wrong)


def test_same_pdus(wire: Wire) -> None:
    """tshark sees the same PDUs as our framer, in number, order, name, status, sequence number and length."""
    wrong = []
    for direction, connection, frames in wire.directions():
        ours = [_header(frame) for frame in frames]
        theirs = [
            (seen.command, seen.command_status, seen.sequence_number, seen.command_length)
            for seen in wire.found.pdus.get(direction, ())
        ]
        if ours != theirs:
            wrong.append(f"{_where(direction, connection)}:\n  ours   {ours}\n  tshark {theirs}")
    assert not wrong, _story("not the same PDUs", wrong)


def test_same_fields(wire: Wire) -> None:
    """What our codec reads in a PDU is what tshark reads there: every field that both name, and all TLVs."""
    wrong, compared = [], 0
    for direction, connection, frames in wire.directions():
        for frame, seen in zip(frames, wire.found.pdus.get(direction, ()), strict=False):
            for name, ours, theirs in _fields(frame[0], seen):
                compared += 1
                if ours != theirs:
                    where = _where(direction, connection)
                    wrong.append(f"{where}: {name}: {ours!r}, tshark {theirs!r}: {frame[0].hex()}")
    assert not wrong, _story("not the same fields", wrong)
    assert compared, "nothing was compared"


def test_our_reader(wire: Wire) -> None:
    """What `starpound explain` takes out of a capture is what the framer saw."""
    read: dict[tuple[str, str], list[bytes]] = {}
    for captured in read_capture(wire.capture):
        read.setdefault((captured.source, captured.destination), []).append(captured.octets)
    wrong = []
    for direction, connection, frames in wire.directions():
        if connection.hostile is None and read.get(_ends(direction), []) != [frame[0] for frame in frames]:
            wrong.append(f"{_where(direction, connection)}: {len(frames)} PDUs")
    assert not wrong, _story("not the same PDUs", wrong)


def test_our_writer(wire: Wire, tmp_path: Path) -> None:
    """tshark reads the captures that we write: as many PDUs, nothing malformed."""
    pdus = [
        Captured(0.001 * number, *_ends(direction), frame[0])
        for direction, _, frames in wire.directions()
        for number, frame in enumerate(frames)
    ]
    capture = tmp_path / "ours.pcap"
    write_capture(capture, pdus)
    found = dissection.dissect(capture)
    seen = [pdu.command_length for pdus in found.pdus.values() for pdu in pdus]
    assert sorted(seen) == sorted(len(pdu.octets) for pdu in pdus)
    assert not found.marks


def _ends(direction: Direction) -> tuple[str, str]:
    esme, smsc = recording.addresses(direction.stream)
    return (esme, smsc) if direction.esme else (smsc, esme)


def test_a_mark_is_noticed(tmp_path: Path) -> None:
    """These tests are not blind: a deliver_sm whose sm_length points beyond its end is marked, and its frame known."""
    if reason := dissection.missing():
        pytest.skip(reason)
    body = b"\0\0\0" + b"1\0" + b"\0\0" + b"2\0" + bytes(9) + b"\xc8" + b"four"
    good = bytes.fromhex("00000010 00000015 00000000 00000001")
    octets = (
        good + (HEADER_OCTETS + len(body)).to_bytes(4) + bytes.fromhex("00000005 00000000 00000002") + body
    )
    one = Connection("", None, "smsc", from_smsc=[Piece(1.0, octets[:30]), Piece(2.0, octets[30:])])
    found = dissected(tmp_path / "marked.pcap", (one,))
    [mark] = found.marks[Direction(0, esme=False)]
    assert mark.pdu == 1
    assert "Malformed" in mark.words


def _header(frame: Frame) -> tuple[str, int, int, int]:
    octets, command_id, status, sequence_number = frame
    name = UNKNOWN_HERE.get(command_id) or command_name(command_id)
    return name, status, sequence_number, len(octets)


def _fields(frame: bytes, seen: Seen) -> Iterator[tuple[str, object, object]]:
    """Name, our value, tshark's value."""
    try:
        pdu = decode(frame)
    except RemoteProtocolError:
        assert seen.command_id in UNKNOWN_HERE, f"our codec cannot read {frame.hex()}"
        return
    for name, kind in fields.rows(type(pdu)) if len(frame) > HEADER_OCTETS else ():
        theirs = seen.values.get(f"smpp.{OTHER_NAMES.get(name, name)}")
        if theirs is not None:
            yield name, _octets(pdu, name, kind), theirs
    yield "TLVs", [(tag, len(value)) for tag, value in pdu.tlvs.items()], list(seen.tags)


def _octets(pdu: Pdu, name: str, kind: fields.FieldKind) -> bytes:
    value = getattr(pdu, name)
    match kind:
        case fields.Integer():
            return bytes([value])
        case fields.COctetString():
            return value.encode("latin-1") + b"\0"
    return value


def _where(direction: Direction, connection: Connection) -> str:
    return f"{connection.test} ({'ESME' if direction.esme else 'SMSC'} sends)"


def _story(what: str, wrong: list[str]) -> str:
    more = [f"… and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
    return "\n".join([f"{what}, {len(wrong)} times:", *wrong[:SHOWN], *more])
