"""What tshark makes of a capture: each SMPP PDU with its fields, and each mark of something wrong."""

import io
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from tests.peers.recording import SMSC_PORT

TSHARK = ("tshark", "-n", "-d", f"tcp.port=={SMSC_PORT},smpp", "-T", "pdml", "-J", "frame ip tcp smpp")
CHAT = 0x00200000
"""The severity of an expert's remark that means nothing: there was a SYN, and the like."""


class Direction(NamedTuple):
    """Half of a connection: its number in the capture, and who sent."""

    stream: int
    esme: bool


@dataclass(frozen=True)
class Seen:
    """A PDU as tshark reads it. ``values``: field to octets, the first of that name; ``tags`` of its TLVs."""

    command: str
    command_id: int
    command_status: int
    sequence_number: int
    command_length: int
    values: dict[str, bytes]
    tags: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Mark:
    """Something that tshark finds wrong in a packet of which ``pdu`` is the last PDU (index in its direction)."""

    pdu: int
    words: str


@dataclass
class Dissection:
    """All PDUs and all marks, by direction."""

    pdus: dict[Direction, list[Seen]]
    marks: dict[Direction, list[Mark]]


def missing() -> str | None:
    """Why there is no tshark; None when there is."""
    return None if shutil.which("tshark") else "tshark is not installed (tests/provide tshark)"


def dissect(capture: Path) -> Dissection:
    """Run tshark over the capture."""
    ran = subprocess.run([*TSHARK, "-r", str(capture)], capture_output=True, timeout=60, check=False)
    assert ran.returncode == 0, f"tshark failed: {ran.stderr.decode()}"
    # Text of messages may hold half a surrogate pair, which tshark writes as it is.
    text = ran.stdout.decode(errors="replace")
    found = Dissection({}, {})
    for _, element in ElementTree.iterparse(io.StringIO(text)):
        if element.tag == "packet":
            _take(element, found)
            element.clear()
    return found


def _take(packet: ElementTree.Element, found: Dissection) -> None:
    direction = Direction(
        int(_field(packet, "tcp.stream").get("show", "")),
        _field(packet, "tcp.srcport").get("show") != str(SMSC_PORT),
    )
    pdus = found.pdus.setdefault(direction, [])
    pdus += [_seen(proto) for proto in packet.iterfind("proto[@name='smpp']")]
    words = [*_malformed(packet), *_experts(packet)]
    if words:
        found.marks.setdefault(direction, []).append(Mark(len(pdus) - 1, "; ".join(words)))


def _field(element: ElementTree.Element, name: str) -> ElementTree.Element:
    found = element.find(f".//field[@name='{name}']")
    assert found is not None, f"tshark shows no {name}: {ElementTree.tostring(element, 'unicode')}"
    return found


def _malformed(packet: ElementTree.Element) -> Iterator[str]:
    for proto in packet.iterfind("proto[@name='_ws.malformed']"):
        yield proto.get("showname", "malformed")


def _experts(packet: ElementTree.Element) -> Iterator[str]:
    for expert in packet.iterfind(".//field[@name='_ws.expert']"):
        if int(_field(expert, "_ws.expert.severity").get("show", "0")) > CHAT:
            yield expert.get("showname", "expert")


def _seen(proto: ElementTree.Element) -> Seen:
    values: dict[str, bytes] = {}
    for field in proto.iter("field"):
        name, value = field.get("name", ""), field.get("value", "")
        # A value that is part of an octet has been shifted; it is not the octets of the field.
        if field.get("unmaskedvalue") is None and len(value) % 2 == 0:
            values.setdefault(name, bytes.fromhex(value))
    tags = _numbers(proto, "smpp.opt_param_tag"), _numbers(proto, "smpp.opt_param_len")
    return Seen(
        command=_name(_field(proto, "smpp.command_id").get("showname", "")),
        command_status=int.from_bytes(values.get("smpp.command_status", b"")),
        **{
            name: int.from_bytes(values[f"smpp.{name}"])
            for name in ("command_id", "sequence_number", "command_length")
        },
        values=values,
        tags=tuple(zip(*tags, strict=True)),
    )


def _numbers(proto: ElementTree.Element, name: str) -> list[int]:
    return [int(field.get("value", ""), 16) for field in proto.iterfind(f".//field[@name='{name}']")]


def _name(shown: str) -> str:
    """``Operation: Submit_sm - resp (0x80000004)`` is submit_sm_resp."""
    return shown.removeprefix("Operation: ").partition(" (")[0].replace(" - ", "_").lower()
