"""What the mandatory part of a PDU is made of (specification §3.1; sizes in the tables of chapter 4).

A PDU class declares its fields with the functions at the end; the declaration is at once the dataclass's field and
the row of the specification's table. ``codec`` and ``Pdu.__repr__`` read the rows.
"""

import dataclasses
import struct
from dataclasses import dataclass
from functools import cache
from typing import Any

from gateway.smpp.vocabulary import ESME_RINVDESTFLAG, ESME_RINVNUMDESTS, ESME_RINVPARLEN

_ROW = "smpp"
_ADDRESS_OCTETS = 21


class FieldError(ValueError):
    """A field cannot be read or written; ``status`` is what to tell a peer that sent it."""

    def __init__(self, message: str, status: int = ESME_RINVPARLEN) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Integer:
    """An unsigned integer of one octet."""

    def write(self, value: int) -> bytes:
        """OverflowError, TypeError when it is none."""
        return b"%c" % value

    def show(self, value: int) -> str:
        """Decimal, as the specification's tables have most of them."""
        return str(value)


@dataclass(frozen=True, slots=True)
class COctetString:
    """Characters with a NUL at the end; ``size`` counts octets including the NUL."""

    size: int
    secret: bool = False

    def write(self, value: str) -> bytes:
        """FieldError, UnicodeEncodeError when it is too long, holds a NUL or is not Latin-1."""
        if len(value) >= self.size:
            raise FieldError(f"{len(value)} characters, {self.size - 1} fit")
        if "\0" in value:
            raise FieldError("a NUL inside a C-string")
        return value.encode("latin-1") + b"\0"

    def show(self, value: str) -> str:
        """The text, unless it is a secret."""
        return "***" if self.secret else repr(value)


@dataclass(frozen=True, slots=True)
class OctetString:
    """Octets behind an integer of one octet that counts them (sm_length, short_message)."""

    size: int

    def write(self, value: bytes) -> bytes:
        """FieldError when there are too many."""
        if len(value) > self.size:
            raise FieldError(f"{len(value)} octets, {self.size} fit: the rest belongs in message_payload")
        return b"%c%b" % (len(value), value)

    def show(self, value: bytes) -> str:
        """How many: what people write to one another is none of a log's business."""
        return f"{len(value)} octets"


_ADDRESS = COctetString(_ADDRESS_OCTETS)


@dataclass(frozen=True, slots=True)
class SmeAddress:
    """One recipient of submit_multi (dest_flag 1, §4.5.1.1)."""

    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""


@dataclass(frozen=True, slots=True)
class DistributionList:
    """A list of recipients, by its name at the SMSC (dest_flag 2, §4.5.1.2)."""

    dl_name: str = ""


@dataclass(frozen=True, slots=True)
class UnsuccessfulSme:
    """A recipient that submit_multi did not reach, and why (§4.5.2.1)."""

    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    error_status_code: int = 0


@dataclass(frozen=True, slots=True)
class Destinations:
    """number_of_dests and dest_address(es) of submit_multi."""

    def read(self, frame: bytes, text: str, at: int) -> tuple[list[SmeAddress | DistributionList], int]:
        """The recipients from octet ``at`` on, and where they end."""
        if not frame[at]:
            raise FieldError("are none", ESME_RINVNUMDESTS)
        found, count, at = [], frame[at], at + 1
        for _ in range(count):
            destination, at = _read_destination(frame, text, at)
            found.append(destination)
        return found, at

    def write(self, destinations: list[SmeAddress | DistributionList]) -> bytes:
        """All of them; FieldError, OverflowError when something does not fit."""
        if not destinations:
            raise FieldError("submit_multi needs a destination")
        return b"%c%b" % (len(destinations), b"".join(map(_write_destination, destinations)))

    def show(self, destinations: list[SmeAddress | DistributionList]) -> str:
        """As they are."""
        return repr(destinations)


@dataclass(frozen=True, slots=True)
class UnsuccessfulSmes:
    """no_unsuccess and unsuccess_sme(s) of submit_multi_resp."""

    def read(self, frame: bytes, text: str, at: int) -> tuple[list[UnsuccessfulSme], int]:
        """The recipients from octet ``at`` on, and where they end."""
        found, count, at = [], frame[at], at + 1
        for _ in range(count):
            ton, npi, addr, at = _read_address(frame, text, at)
            (status,) = struct.unpack_from(">L", frame, at)
            found.append(UnsuccessfulSme(ton, npi, addr, status))
            at += 4
        return found, at

    def write(self, failed: list[UnsuccessfulSme]) -> bytes:
        """All of them; FieldError, OverflowError, struct.error when something does not fit."""
        return b"%c%b" % (len(failed), b"".join(map(_write_unsuccessful, failed)))

    def show(self, failed: list[UnsuccessfulSme]) -> str:
        """As they are."""
        return repr(failed)


FieldKind = Integer | COctetString | OctetString | Destinations | UnsuccessfulSmes
Table = tuple[tuple[str, FieldKind], ...]
"""Name and kind of each field, in the order of the wire."""


def _read_address(frame: bytes, text: str, at: int) -> tuple[int, int, str, int]:
    end = text.index("\0", at + 2, at + 2 + _ADDRESS_OCTETS)
    return frame[at], frame[at + 1], text[at + 2 : end], end + 1


def _read_destination(frame: bytes, text: str, at: int) -> tuple[SmeAddress | DistributionList, int]:
    match frame[at]:
        case 1:
            ton, npi, addr, at = _read_address(frame, text, at + 1)
            return SmeAddress(ton, npi, addr), at
        case 2:
            end = text.index("\0", at + 1, at + 1 + _ADDRESS_OCTETS)
            return DistributionList(text[at + 1 : end]), end + 1
    raise FieldError(f"have dest_flag {frame[at]}", ESME_RINVDESTFLAG)


def _write_destination(destination: SmeAddress | DistributionList) -> bytes:
    match destination:
        case SmeAddress(ton, npi, addr):
            return b"\x01%c%c%b" % (ton, npi, _ADDRESS.write(addr))
        case DistributionList(name):
            return b"\x02" + _ADDRESS.write(name)
    raise FieldError(f"a {type(destination).__name__} is no destination")


def _write_unsuccessful(sme: UnsuccessfulSme) -> bytes:
    address = _ADDRESS.write(sme.destination_addr)
    return (
        struct.pack(">BB", sme.dest_addr_ton, sme.dest_addr_npi)
        + address
        + struct.pack(">L", sme.error_status_code)
    )


# ----------------------------------------------------------------------------------------- declarations


def integer(default: int = 0) -> Any:
    """Declare a field of one octet."""
    return dataclasses.field(default=default, metadata={_ROW: Integer()})


def c_octet_string(size: int, *, secret: bool = False) -> Any:
    """Declare a C-string of at most ``size`` octets, its NUL included; a ``secret`` one never shows in a repr."""
    return dataclasses.field(default="", metadata={_ROW: COctetString(size, secret)})


def octet_string(size: int = 254) -> Any:
    """Declare at most ``size`` octets with their length before them."""
    return dataclasses.field(default=b"", metadata={_ROW: OctetString(size)})


def destinations() -> Any:
    """Declare the recipients of submit_multi."""
    return dataclasses.field(default_factory=list, metadata={_ROW: Destinations()})


def unsuccessful_smes() -> Any:
    """Declare the recipients that submit_multi did not reach."""
    return dataclasses.field(default_factory=list, metadata={_ROW: UnsuccessfulSmes()})


def rows(pdu_class: type) -> Table:
    """The field table of a PDU class, in the order of the wire: ``("service_type", COctetString(6)), …``."""
    return _rows(pdu_class)


@cache
def _rows(pdu_class: type) -> Table:
    declared = dataclasses.fields(pdu_class)
    return tuple((field.name, field.metadata[_ROW]) for field in declared if _ROW in field.metadata)
