"""GSM 03.38: the default alphabet of 3GPP TS 23.038 §6.2.1 and its extension table (§6.2.1.1).

Unpacked, one septet an octet, is what SMPP carries. The charmap codecs of Python do the work in C.
Packed, eight septets in seven octets, is what a few USSD centres ask for.
"""

import codecs
import re
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
_UNDEFINED = "\ufffe"  # what a charmap table calls a code without a character
_TABLE = BASIC.replace("\x1b", _UNDEFINED) + _UNDEFINED * 128
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


def decode_gsm7(octets: bytes) -> str:
    """The characters of ``octets``, one septet each; an octet above 0x7F becomes U+FFFD.

    Behind an escape, a septet that the extension table lacks means what it means in the basic one, and a second
    escape is a space, as on any phone that does not know the table meant (§6.2.1.1). So is one at the end.
    """
    if ESCAPE not in octets:
        return codecs.charmap_decode(octets, "replace", _TABLE)[0]
    first, *escaped = octets.replace(b"\x1b\x1b", b"\x1b ").split(b"\x1b")
    return decode_gsm7(first) + "".join(map(_decode_escaped, escaped))


def _decode_escaped(octets: bytes) -> str:
    if not octets:
        return " "
    if octets[0] in EXTENSION:
        return EXTENSION[octets[0]] + decode_gsm7(octets[1:])
    return decode_gsm7(octets)


def pack_septets(septets: bytes) -> bytes:
    """Eight septets in seven octets, the first in the lowest bits (§6.1.2.3.1).

    Seven spare bits at the end would read as ``@``: they are filled with a CR. A CR that was meant and ends on an
    octet's boundary would be taken for such a filling: it is doubled.
    """
    if len(septets) % 8 == 7 or (len(septets) % 8 == 0 and septets.endswith(b"\r")):
        septets += b"\r"
    bits = sum(septet << 7 * at for at, septet in enumerate(septets))
    return bits.to_bytes((7 * len(septets) + 7) // 8, "little")


def unpack_septets(octets: bytes) -> bytes:
    """What ``pack_septets`` packed, without the CR that filled the spare bits."""
    bits = int.from_bytes(octets, "little")
    septets = bytes(bits >> 7 * at & 0x7F for at in range(8 * len(octets) // 7))
    return septets[:-1] if len(septets) % 8 == 0 and septets.endswith(b"\r") else septets
