"""GSM 03.38: the default alphabet of 3GPP TS 23.038 §6.2.1 and its extension table (§6.2.1.1).

Unpacked, one septet an octet, is what SMPP carries. The charmap codecs of Python do the work in C.
Packed, eight septets in seven octets, is what a few USSD centres ask for.
"""

import codecs
import re
from collections.abc import Mapping
from types import MappingProxyType

ESCAPE = 0x1B

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The character of each septet; 0x1B is the escape and stands for none."""

EXTENSION = MappingProxyType(
    {
        0x0A: "\f",
        0x14: "^",
        0x28: "{",
        0x29: "}",
        0x2F: "\\",
        0x3C: "[",
        0x3D: "~",
        0x3E: "]",
        0x40: "|",
        0x65: "€",
    }
)
"""The character of a septet behind an escape."""

_AS_ASCII = re.compile(r"[\n\r !\"#%&'()*+,\-./0-9:;<=>?A-Za-z]*")  # where both alphabets have the same codes
_CHUNK_OCTETS = 56  # whole septets, and still a small number: the time must not grow with the square
_UNDEFINED = "\ufffe"  # what a charmap table calls a code without a character


def charmap(characters: str) -> str:
    """A table of 128 characters in the form that `decode_gsm7` takes."""
    return characters.replace("\x1b", _UNDEFINED) + _UNDEFINED * 128


_TABLE = charmap(BASIC)
_BASIC_CODES = codecs.charmap_build(_TABLE)
_ALL_CODES = {ord(char): bytes([code]) for code, char in enumerate(BASIC) if code != ESCAPE} | {
    ord(char): bytes([ESCAPE, code]) for code, char in EXTENSION.items()
}


def encode_gsm7(text: str) -> bytes:
    """One septet an octet, two for an extension character. UnicodeEncodeError: not in the alphabet."""
    if _AS_ASCII.fullmatch(text):  # most texts, and five times faster
        return text.encode("ascii")
    try:
        return codecs.charmap_encode(text, "strict", _BASIC_CODES)[0]
    except UnicodeEncodeError:
        return codecs.charmap_encode(text, "strict", _ALL_CODES)[0]


def decode_gsm7(octets: bytes, table: str = _TABLE, extension: Mapping[int, str] = EXTENSION) -> str:
    """The characters of ``octets``, one septet each; an octet above 0x7F becomes U+FFFD.

    Behind an escape, a septet that the extension table lacks means what it means in the basic one, and a second
    escape is a space, as on any phone that does not know the table meant (§6.2.1.1). So is one at the end. The
    two tables may be national ones: see `gateway.smpp.national`.
    """
    if ESCAPE not in octets:
        return codecs.charmap_decode(octets, "replace", table)[0]
    first, *escaped = octets.replace(b"\x1b\x1b", b"\x1b ").split(b"\x1b")
    text = codecs.charmap_decode(first, "replace", table)[0]
    return text + "".join([_decode_escaped(piece, table, extension) for piece in escaped])


def _decode_escaped(octets: bytes, table: str, extension: Mapping[int, str]) -> str:
    if not octets:
        return " "
    first = extension.get(octets[0])
    if first is None:
        return codecs.charmap_decode(octets, "replace", table)[0]
    return first + codecs.charmap_decode(octets[1:], "replace", table)[0]


def pack_septets(septets: bytes, fill_bits: int = 0) -> bytes:
    """Eight septets in seven octets, the first in the lowest bits (§6.1.2.3.1).

    ``fill_bits`` (0–6) stay empty in front: behind a user data header the text begins on a septet's boundary.

    Seven spare bits at the end would read as ``@``: they are filled with a CR. A CR that was meant and ends on an
    octet's boundary would be taken for such a filling: it is doubled.
    """
    spare = -(fill_bits + 7 * len(septets)) % 8
    if spare == 7 or (spare == 0 and septets.endswith(b"\r")):
        septets += b"\r"
    packed = b"".join([_pack_eight(septets[at : at + 8]) for at in range(0, len(septets), 8)])
    size = (fill_bits + 7 * len(septets) + 7) // 8
    return (int.from_bytes(packed, "little") << fill_bits).to_bytes(len(packed) + 1, "little")[:size]


def _pack_eight(septets: bytes) -> bytes:
    bits = 0
    for septet in reversed(septets):
        bits = bits << 7 | septet
    return bits.to_bytes(7, "little")


def unpack_septets(octets: bytes, fill_bits: int = 0) -> bytes:
    """What ``pack_septets`` packed, without the CR that filled the spare bits."""
    count, spare = divmod(max(0, 8 * len(octets) - fill_bits), 7)
    if fill_bits:
        octets = (int.from_bytes(octets, "little") >> fill_bits).to_bytes(len(octets), "little")
    chunks = range(0, len(octets), _CHUNK_OCTETS)
    septets = b"".join([_unpack_chunk(octets[at : at + _CHUNK_OCTETS]) for at in chunks])[:count]
    return septets[:-1] if spare == 0 and septets.endswith(b"\r") else septets


def _unpack_chunk(octets: bytes) -> bytes:
    bits = int.from_bytes(octets, "little")
    return bytes([bits >> shift & 0x7F for shift in range(0, 8 * len(octets) - 6, 7)])
