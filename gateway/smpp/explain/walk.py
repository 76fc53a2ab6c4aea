"""Where each octet of a PDU belongs: the field tables walked once more, for people instead of for speed.

``codec`` stops at the first fault and keeps no positions. Here every octet lands in exactly one span, up to the
fault and behind it, and spans that hold a password are known as such.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.smpp.codec import HEADER_OCTETS
from gateway.smpp.fields import (
    COctetString,
    Destinations,
    FieldKind,
    Integer,
    OctetString,
    UnsuccessfulSmes,
    rows,
)
from gateway.smpp.pdu import PDU_CLASSES
from gateway.smpp.vocabulary import RESPONSE_BIT

_ADDRESS = COctetString(21)
_HEADER_FIELDS = ("command_length", "command_id", "command_status", "sequence_number")
_ERROR_STATUS_OCTETS = 4

REST = "rest"
"""The field of a span that could not be read."""

WITH_PASSWORD = frozenset(
    command_id.to_bytes(4, "big")
    for command_id, pdu_class in PDU_CLASSES.items()
    if any(isinstance(kind, COctetString) and kind.secret for _, kind in rows(pdu_class))
)
"""The command_id of each, as it stands on the wire."""

_LONGEST_BIND = 256  # its fields have 98 at most; whoever sends thousands of long ones must not keep us busy
_HEADER_LIKE = re.compile(rb"(?s)(?=\x00[\x00\x01]..(....)\x00\x00\x00\x00....)")


@dataclass(frozen=True, slots=True)
class Span:
    """``field`` is the name in the specification's table; ``label`` tells several of the same name apart."""

    start: int
    end: int
    field: str
    label: str
    secret: bool = False


@dataclass(slots=True)
class Walk:
    """What was found: spans without gap or overlap, the values, and where it went wrong, if it did.

    ``values`` has integers, C-strings as text and short_message as octets; ``tlvs`` the last value of each tag (F8).
    """

    frame: bytes
    spans: list[Span] = field(default_factory=list)
    values: dict[str, int | str | bytes] = field(default_factory=dict)
    tlvs: dict[int, bytes] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)
    """Tag to where its last TLV begins."""
    fault: str = ""
    """What could not be read; empty when all could."""
    at: int = 0

    @property
    def short_message(self) -> bytes:
        """Its octets; none where there is no such field."""
        octets = self.values.get("short_message")
        return octets if isinstance(octets, bytes) else b""

    def take(self, octets: int, field: str, label: str = "", *, secret: bool = False) -> bytes:
        """The next ``octets`` as a span; _Cut when there are not so many."""
        end = self.at + octets
        if end > len(self.frame):
            raise _Cut(label or field)
        self.spans.append(Span(self.at, end, field, label or field, secret))
        taken, self.at = self.frame[self.at : end], end
        return taken


class _Cut(Exception):
    """The field cannot be read; the argument is its label."""


def walk(frame: bytes) -> Walk:
    """``frame`` is one PDU, or the beginning of one."""
    found = Walk(frame)
    try:
        _walk_header(found)
        _walk_body(found)
        _walk_tlvs(found)
    except _Cut as cut:
        found.fault = str(cut)
        secret = any(kind.secret for kind in _kinds(found) if isinstance(kind, COctetString))
        if found.at < len(frame):
            found.take(len(frame) - found.at, REST, f"unreadable: {found.fault}", secret=secret)
    return found


def _kinds(found: Walk) -> list[FieldKind]:
    pdu_class = PDU_CLASSES.get(int(found.values.get("command_id", 0)))
    return [kind for _, kind in rows(pdu_class)] if pdu_class else []


def _walk_header(found: Walk) -> None:
    for name in _HEADER_FIELDS:
        found.values[name] = int.from_bytes(found.take(4, name), "big")


def _walk_body(found: Walk) -> None:
    command_id = int(found.values["command_id"])
    pdu_class = PDU_CLASSES.get(command_id)
    if pdu_class is None:
        if found.at < len(found.frame):
            found.take(len(found.frame) - found.at, REST, "body")
        return
    if command_id & RESPONSE_BIT and len(found.frame) == HEADER_OCTETS:
        return  # F10
    for name, kind in rows(pdu_class):
        _walk_field(found, name, kind)


def _walk_field(found: Walk, name: str, kind: FieldKind) -> None:
    match kind:
        case Integer():
            found.values[name] = found.take(1, name)[0]
        case COctetString():
            found.values[name] = _walk_text(found, kind, name)
        case OctetString():
            _walk_octets(found, name)
        case Destinations():
            _walk_destinations(found)
        case UnsuccessfulSmes():
            _walk_unsuccessful(found)


def _walk_text(found: Walk, kind: COctetString, name: str, label: str = "") -> str:
    end = found.frame.find(b"\0", found.at, found.at + kind.size)
    if end < 0:
        raise _Cut(label or name)
    return found.take(end + 1 - found.at, name, label, secret=kind.secret)[:-1].decode("latin-1")


def _walk_octets(found: Walk, name: str) -> None:
    octets = found.take(1, "sm_length")[0]
    if octets and found.at + octets <= len(found.frame):
        found.values[name] = found.take(octets, name)
    elif octets:
        raise _Cut(name)
    else:
        found.values[name] = b""


def _walk_address(found: Walk, number: int) -> None:
    for name in ("dest_addr_ton", "dest_addr_npi"):
        found.take(1, name, f"{number}: {name}")
    _walk_text(found, _ADDRESS, "destination_addr", f"{number}: destination_addr")


def _walk_destinations(found: Walk) -> None:
    count = found.take(1, "number_of_dests")[0]
    if not count:
        raise _Cut("number_of_dests")
    found.values["number_of_dests"] = count
    for number in range(1, count + 1):
        if found.at < len(found.frame) and found.frame[found.at] not in (1, 2):
            raise _Cut(f"{number}: dest_flag")
        if found.take(1, "dest_flag", f"{number}: dest_flag")[0] == 1:
            _walk_address(found, number)
        else:
            _walk_text(found, _ADDRESS, "dl_name", f"{number}: dl_name")


def _walk_unsuccessful(found: Walk) -> None:
    count = found.values["no_unsuccess"] = found.take(1, "no_unsuccess")[0]
    for number in range(1, count + 1):
        _walk_address(found, number)
        found.take(_ERROR_STATUS_OCTETS, "error_status_code", f"{number}: error_status_code")


def _walk_tlvs(found: Walk) -> None:
    while found.at < len(found.frame):
        head = found.frame[found.at : found.at + 4]
        octets = int.from_bytes(head[2:], "big")
        if len(head) < 4 or found.at + 4 + octets > len(found.frame):
            raise _Cut("optional part")
        tag = int.from_bytes(head[:2], "big")
        found.last[tag] = found.at
        found.tlvs[tag] = found.take(4 + octets, "tlv", f"tlv 0x{tag:04X}")[4:]


# ------------------------------------------------------------------------------------------ passwords


@dataclass(frozen=True, slots=True)
class Secret:
    """A bind or outbind that begins at ``bind``, and where its password stands."""

    bind: int
    start: int
    end: int


def find_secrets(octets: bytes) -> list[Secret]:
    """The password of each bind and outbind, wherever it begins.

    Also inside what is explained as something else: a wrong command_length before it must not bring one to light.
    Of a bind whose fields do not hold together, all that follows its header is taken for secret.
    """
    return [_secret(octets, at) for at in find_binds(octets)]


def find_binds(octets: bytes) -> list[int]:
    """Where a bind or outbind begins, or may begin."""
    found = {at for at in _pdu_starts(octets) if octets[at + 4 : at + 8] in WITH_PASSWORD}
    found |= {like.start() for like in _HEADER_LIKE.finditer(octets) if _is_bind(octets, like)}
    return sorted(found)


def _is_bind(octets: bytes, like: re.Match[bytes]) -> bool:
    size = int.from_bytes(octets[like.start() : like.start() + 4], "big")
    return size >= HEADER_OCTETS and like[1] in WITH_PASSWORD


def _pdu_starts(octets: bytes) -> Iterator[int]:
    """Where a PDU begins if every command_length is right."""
    at = size = 0
    while at == 0 or (size >= HEADER_OCTETS and at < len(octets)):
        yield at
        size = int.from_bytes(octets[at : at + 4], "big")
        at += size
        if at == 0:
            return


def _secret(octets: bytes, bind: int) -> Secret:
    size = int.from_bytes(octets[bind : bind + 4], "big")
    if size <= min(len(octets) - bind, _LONGEST_BIND):
        found = walk(octets[bind : bind + size])
        if holds_together(found):
            password = next(span for span in found.spans if span.secret)
            return Secret(bind, bind + password.start, bind + password.end - 1)
    return Secret(bind, bind + HEADER_OCTETS, len(octets))


def holds_together(bind: Walk) -> bool:
    """Whether the fields of a bind or outbind are what they are called.

    One octet more or less, a NUL above all, and each field is taken for its neighbour: the password may be read as the
    system_id. Then something is missing at the end, or a number is a character, or the other way round, or one field is
    empty and the next is not.
    """
    texts = [value for value in bind.values.values() if isinstance(value, str)]
    numbers = (int(bind.values.get(name, 0)) for name in ("addr_ton", "addr_npi"))
    who, password, kind = (bind.values.get(name) for name in ("system_id", "password", "system_type"))
    shifted = (password and not who) or (kind and not password)
    return not bind.fault and not shifted and all(map(str.isprintable, texts)) and max(numbers) < ord(" ")
