"""The header that may stand in front of a message's text: TS 23.040 §9.2.3.24, announced by esm_class bit 6 (UDHI).

Elements of it that count here: which part of a long message this is (0x00, 0x08), and which national language
tables the text is written with (0x24, 0x25). The others are passed over.
"""

from dataclasses import dataclass

_PART, _WIDE_PART, _SINGLE_SHIFT, _LOCKING_SHIFT = 0x00, 0x08, 0x24, 0x25


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of which long message this is; ``number`` counts from 1 (TS 23.040 §9.2.3.24.1)."""

    reference: int
    total: int
    number: int


@dataclass(frozen=True, slots=True)
class National:
    """The tables of a text in GSM 03.38, by national language identifier (TS 23.038 §6.2.1.2.4).

    ``single_shift`` is the table behind an escape, ``locking_shift`` the one for the rest; 0 is the usual one.
    """

    single_shift: int = 0
    locking_shift: int = 0


@dataclass(frozen=True, slots=True)
class Header:
    """What a user data header says; ``octets`` is how long it is, with the octet that tells its length."""

    octets: int = 0
    part: Part | None = None
    national: National | None = None

    @property
    def fill_bits(self) -> int:
        """Bits between the header and packed text, so that the text begins on a septet (TS 23.040 §9.2.3.24)."""
        return fill_bits(self.octets)


NO_HEADER = Header()


def fill_bits(header_octets: int) -> int:
    """How many bits a header of that length lacks to whole septets."""
    return -8 * header_octets % 7


def encode_udh(part: Part, *, wide: bool = False) -> bytes:
    """The user data header of one part: element 0x00 with an 8-bit reference, or 0x08 with one of 16 bits."""
    if wide:
        reference = (part.reference & 0xFFFF).to_bytes(2, "big")
        return b"\x06\x08\x04" + reference + bytes([part.total, part.number])
    return bytes([5, 0, 3, part.reference & 0xFF, part.total, part.number])


def parse_udh(octets: bytes) -> tuple[Part | None, bytes]:
    """The part that the header at the start of ``octets`` tells of, and what comes after the header."""
    header = read_header(octets)
    return header.part, octets[header.octets :]


def read_header(octets: bytes) -> Header:
    """The header at the start of ``octets``; of an element that comes twice the last one counts.

    An element that cannot be (part 3 of 2, part 0) is passed over, as TS 23.040 §9.2.3.24.1 asks. A header longer
    than ``octets`` is none: all of it is text.
    """
    size = octets[0] + 1 if octets else 1
    if size > len(octets):
        return NO_HEADER
    part, shifts, at = None, {}, 1
    while at + 2 <= size:
        element, length = octets[at], octets[at + 1]
        value = octets[at + 2 : min(at + 2 + length, size)]
        part = _read_part(element, value) or part
        if element in (_SINGLE_SHIFT, _LOCKING_SHIFT) and length == len(value) == 1:
            shifts[element] = value[0]
        at += 2 + length
    national = National(shifts.get(_SINGLE_SHIFT, 0), shifts.get(_LOCKING_SHIFT, 0)) if shifts else None
    return Header(size, part, national)


def _read_part(element: int, value: bytes) -> Part | None:
    if (element, len(value)) not in ((_PART, 3), (_WIDE_PART, 4)):
        return None
    *reference, total, number = value
    if not 1 <= number <= total:
        return None
    return Part(int.from_bytes(reference, "big"), total, number)
