"""Text on the wire: how long it is, in which alphabet, and how a long message is cut into parts.

A text is counted in what the network counts: septets of GSM 03.38, where an extension character takes two (the
escape and itself), or UTF-16 code units, where a character beyond the BMP takes two (a surrogate pair). Neither
pair is ever cut in half.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from gateway.smpp import gsm7

_BASIC_CHARACTERS = gsm7.BASIC.replace("\x1b", "")
_EXTENSION_CHARACTERS = "".join(gsm7.EXTENSION.values())
_NOT_BASIC = re.compile(f"[^{re.escape(_BASIC_CHARACTERS)}]")
_NOT_GSM7 = re.compile(f"[^{re.escape(_BASIC_CHARACTERS + _EXTENSION_CHARACTERS)}]")
_EXTENSION = re.compile(f"[{re.escape(_EXTENSION_CHARACTERS)}]")


def measure(text: str) -> tuple[str, int]:
    """The alphabet that ``text`` needs, and its length in that alphabet.

    ``("gsm7", septets)`` when GSM 03.38 has every character, else ``("ucs2", UTF-16 code units)``. A USSD screen
    takes 182 of the one or 80 of the other (TS 23.038 §5).
    """
    other = _NOT_BASIC.search(text)
    if other is None:
        return "gsm7", len(text)
    if other[0] in _EXTENSION_CHARACTERS and _NOT_GSM7.search(text) is None:
        return "gsm7", len(text) + len(_EXTENSION.findall(text))
    return "ucs2", len(_encode_ucs2(text)) // 2


# ----------------------------------------------------------------------------------------- alphabets


def _encode_ucs2(text: str) -> bytes:
    return text.encode("utf-16-be", "replace")


def _encode_packed(text: str) -> bytes:
    return gsm7.pack_septets(gsm7.encode_gsm7(text))


def _decode_packed(octets: bytes) -> str:
    return gsm7.decode_gsm7(gsm7.unpack_septets(octets))


def _decode_ucs2(octets: bytes) -> str:
    return octets.decode("utf-16-be", "replace")


def _decode_gsm7_with_language(octets: bytes) -> str:
    language = octets[:2].isalpha() and octets[2:3] == b"\r"
    return gsm7.decode_gsm7(octets[3:] if language else octets)


def _decode_ucs2_with_language(octets: bytes) -> str:
    language = len(octets) > 1 and gsm7.unpack_septets(octets[:2]).isalpha()
    return _decode_ucs2(octets[2:] if language else octets)


def _encoder(codec: str) -> Callable[[str], bytes]:
    return lambda text: text.encode(codec)


def _decoder(codec: str) -> Callable[[bytes], str]:
    return lambda octets: octets.decode(codec, "replace")


_ENCODERS: dict[str, Callable[[str], bytes]] = {
    "gsm7": gsm7.encode_gsm7,
    "gsm7-packed": _encode_packed,
    "ucs2": _encode_ucs2,
    "latin1": _encoder("latin-1"),
    "iso8859-5": _encoder("iso8859-5"),
    "ascii": _encoder("ascii"),
}

_DECODERS: dict[str, Callable[[bytes], str]] = {
    "gsm7": gsm7.decode_gsm7,
    "gsm7-packed": _decode_packed,
    "gsm7-language": _decode_gsm7_with_language,
    "ucs2": _decode_ucs2,
    "ucs2-language": _decode_ucs2_with_language,
    "latin1": _decoder("latin-1"),
    "iso8859-5": _decoder("iso8859-5"),
    "ascii": _decoder("ascii"),
}

ALPHABETS = tuple(_DECODERS)
"""The names that ``decode_text`` knows; the two ``-language`` ones cannot be encoded."""


def encode_text(text: str, alphabet: str) -> bytes:
    """The octets of ``text``: ``gsm7`` one septet an octet, ``gsm7-packed``, ``ucs2`` as UTF-16BE, ``latin1``,
    ``iso8859-5``, ``ascii``.

    UnicodeEncodeError when the alphabet lacks a character (in ucs2 none is lacking: half a surrogate pair goes out
    as "?"). KeyError: no such alphabet.
    """
    return _ENCODERS[alphabet](text)


def decode_text(octets: bytes, alphabet: str) -> str:
    """The characters of ``octets``; what cannot be read becomes U+FFFD. KeyError: no such alphabet."""
    return _DECODERS[alphabet](octets)


# --------------------------------------------------------------------------------------- data_coding


def _sms_alphabet(data_coding: int) -> str | None:
    """SMPP §5.2.19, and above 0x0F the message classes of TS 23.038 §4 that centres pass on."""
    named = {0x00: "gsm7", 0x01: "ascii", 0x03: "latin1", 0x06: "iso8859-5", 0x08: "ucs2"}
    match data_coding >> 4:
        case 0x0:
            return named.get(data_coding)
        case 0x1:
            return _by_charset_bits(data_coding)
        case 0xC | 0xD:
            return "gsm7"  # message waiting
        case 0xE:
            return "ucs2"  # message waiting
        case 0xF:
            return "latin1" if data_coding & 0x04 else "gsm7"
    return None


def _cbs_alphabet(data_coding: int) -> str | None:
    """TS 23.038 §5. There, 0x08 is Portuguese in GSM 03.38; on SMPP links it means what it means in SMS."""
    match data_coding >> 4:
        case 0x0:
            return "ucs2" if data_coding == 0x08 else "gsm7"
        case 0x1:
            return {0x10: "gsm7-language", 0x11: "ucs2-language"}.get(data_coding)
        case 0x2:
            return "gsm7"
        case 0x4 | 0x5 | 0x9:
            return _by_charset_bits(data_coding)
        case 0xF:
            return "latin1" if data_coding & 0x04 else "gsm7"
    return None


def _by_charset_bits(data_coding: int) -> str | None:
    return ("gsm7", "latin1", "ucs2", None)[data_coding >> 2 & 0x03]  # 8-bit data is shown as Latin-1


def _table(alphabet_of: Callable[[int], str | None]) -> MappingProxyType[int, str]:
    found = ((data_coding, alphabet_of(data_coding)) for data_coding in range(256))
    return MappingProxyType({data_coding: alphabet for data_coding, alphabet in found if alphabet})


ALPHABET_BY_DCS = MappingProxyType({"sms": _table(_sms_alphabet), "cbs": _table(_cbs_alphabet)})
"""data_coding to alphabet, by table; a link names the table it uses, since 0x00 and others mean different things
to different centres. A value that is missing is reserved, binary or compressed: not text.
"""


# ------------------------------------------------------------------------------------- long messages

_WHOLE_OCTETS = {"gsm7": 160}
_PART_LIMIT = 255


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of which long message this is; ``number`` counts from 1 (TS 23.040 §9.2.3.24.1)."""

    reference: int
    total: int
    number: int


def split_octets(octets: bytes, alphabet: str, limit_octets: int) -> list[bytes]:
    """``octets`` in pieces of at most ``limit_octets``, no escape or surrogate pair cut; always at least one."""
    pieces = []
    while len(octets) > limit_octets:
        end = limit_octets
        if alphabet == "gsm7":
            end -= octets[end - 1] == gsm7.ESCAPE
        elif alphabet == "ucs2":
            end -= end % 2
            end -= 2 * (octets[end - 2] & 0xFC == 0xD8)  # ends in the first half of a pair
        pieces.append(octets[:end])
        octets = octets[end:]
    return [*pieces, octets]


def segments(text: str, alphabet: str, reference: int, *, wide: bool = False) -> list[bytes]:
    """``text`` as the short_message of one submit_sm, or of several, each with its user data header.

    One part holds 160 septets, 70 characters of UCS-2 or 140 octets; one of several 153, 67 or 134 (with ``wide``,
    a 16-bit reference, 152, 66 or 133). Several parts need esm_class bit 6 (UDHI). ``reference`` is reduced to its
    8 or 16 bits. UnicodeEncodeError as in ``encode_text``; ValueError when 255 parts are not enough.
    """
    octets = encode_text(text, alphabet)
    if len(octets) <= _WHOLE_OCTETS.get(alphabet, 140):
        return [octets]
    limit = (153 if alphabet == "gsm7" else 134) - wide
    pieces = split_octets(octets, alphabet, limit)
    if len(pieces) > _PART_LIMIT:
        raise ValueError(f"{len(pieces)} parts, {_PART_LIMIT} are possible")
    return [
        encode_udh(Part(reference, len(pieces), number), wide=wide) + piece
        for number, piece in enumerate(pieces, 1)
    ]


def encode_udh(part: Part, *, wide: bool = False) -> bytes:
    """The user data header of one part: element 0x00 with an 8-bit reference, or 0x08 with one of 16 bits."""
    if wide:
        reference = (part.reference & 0xFFFF).to_bytes(2, "big")
        return b"\x06\x08\x04" + reference + bytes([part.total, part.number])
    return bytes([5, 0, 3, part.reference & 0xFF, part.total, part.number])


def parse_udh(octets: bytes) -> tuple[Part | None, bytes]:
    """The part that the header at the start of ``octets`` tells of, and what comes after the header.

    None for a header without such an element, or with one that cannot be (part 3 of 2, part 0): it is ignored, as
    TS 23.040 §9.2.3.24.1 asks. A header longer than ``octets`` is no header: all of it is returned as text.
    """
    size = octets[0] + 1 if octets else 1
    if size > len(octets):
        return None, octets
    part, at = None, 1
    while at + 2 <= size:
        element, length = octets[at], octets[at + 1]
        part = _read_part(element, octets[at + 2 : min(at + 2 + length, size)]) or part
        at += 2 + length
    return part, octets[size:]


def _read_part(element: int, value: bytes) -> Part | None:
    if (element, len(value)) not in ((0x00, 3), (0x08, 4)):
        return None
    *reference, total, number = value
    if not 1 <= number <= total:
        return None
    return Part(int.from_bytes(reference, "big"), total, number)
