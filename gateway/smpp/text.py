"""Text on the wire: how long it is, in which alphabet, and which alphabet a data_coding stands for.

A text is counted in what the network counts: septets of GSM 03.38, where an extension character takes two (the
escape and itself), or UTF-16 code units, where a character beyond the BMP takes two (a surrogate pair). How a long
one is cut: `gateway.smpp.long_messages`.
"""

import codecs
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from types import MappingProxyType

from gateway.smpp import gsm7
from gateway.smpp.national import decode_national
from gateway.smpp.user_data_header import National, Part, encode_udh, parse_udh  # noqa: F401 — asked for here

_BYTE_ORDER_MARK = "\ufeff"
_BASIC_CHARACTERS = gsm7.BASIC.replace("\x1b", "")
_EXTENSION_CHARACTERS = "".join(gsm7.EXTENSION.values())
_NOT_BASIC = re.compile(f"[^{re.escape(_BASIC_CHARACTERS)}]")
_NOT_GSM7 = re.compile(f"[^{re.escape(_BASIC_CHARACTERS + _EXTENSION_CHARACTERS)}]")
_EXTENSION = re.compile(f"[{re.escape(_EXTENSION_CHARACTERS)}]")


@lru_cache(maxsize=256)  # a screen is measured when it is laid out, and again when it is written
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
    """A byte order mark, as Java's "UTF-16" writes one, is obeyed and is no text."""
    order = "utf-16-le" if octets.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    return octets.decode(order, "replace").removeprefix(_BYTE_ORDER_MARK)


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

_NATIONAL_SEPTETS: dict[str, Callable[[bytes], bytes]] = {"gsm7": bytes, "gsm7-packed": gsm7.unpack_septets}

ALPHABETS = tuple(_DECODERS)
"""The names that ``decode_text`` knows."""

SENT_ALPHABETS = tuple(_ENCODERS)
"""The names that ``encode_text`` knows: all but the two ``-language`` ones."""


def encode_text(text: str, alphabet: str) -> bytes:
    """The octets of ``text``: ``gsm7`` one septet an octet, ``gsm7-packed``, ``ucs2`` as UTF-16BE, ``latin1``,
    ``iso8859-5``, ``ascii``.

    UnicodeEncodeError when the alphabet lacks a character (in ucs2 none is lacking: half a surrogate pair goes out
    as "?"). KeyError: no such alphabet.
    """
    return _ENCODERS[alphabet](text)


def decode_text(octets: bytes, alphabet: str, national: National | None = None) -> str:
    """The characters of ``octets``; what cannot be read becomes U+FFFD. KeyError: no such alphabet.

    ``national`` names the tables of a text in GSM 03.38, as a user data header does; other alphabets have none.
    """
    if national is not None and alphabet in _NATIONAL_SEPTETS:
        return decode_national(_NATIONAL_SEPTETS[alphabet](octets), national)
    return _DECODERS[alphabet](octets)


# --------------------------------------------------------------------------------------- data_coding


def _sms_alphabet(data_coding: int) -> str | None:
    """SMPP §5.2.19, and above 0x0F the message classes of TS 23.038 §4 that centres pass on."""
    named = {0x00: "gsm7", 0x01: "ascii", 0x03: "latin1", 0x06: "iso8859-5", 0x08: "ucs2"}
    match data_coding >> 4:
        case 0x0:
            return named.get(data_coding)
        case 0x1 | 0x4 | 0x5:  # with a class; 0x4_ and 0x5_ are to be deleted once they are read
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


BINARY = "binary"
"""In a link's own table: messages with that data_coding are not text."""

DATA_CODINGS = MappingProxyType({"gsm7": 0x00, "ucs2": 0x08})
"""What a link sends if nothing else is said: alphabet to data_coding, in the order in which they are tried."""


def data_coding_table(
    base: str, overrides: Mapping[int | str, str] = MappingProxyType({})
) -> Mapping[int, str]:
    """A link's own table of received messages, data_coding to alphabet: that of `ALPHABET_BY_DCS`, and what differs.

    Keys of ``overrides`` may be text as in a settings file (``"0x00"``, ``"15"``); the alphabet `BINARY` takes a
    value out of the table. ValueError says what is unknown, and the nearest that is right.
    """
    if base not in ALPHABET_BY_DCS:
        raise ValueError(_unknown("data_coding table", base, ALPHABET_BY_DCS))
    table = dict(ALPHABET_BY_DCS[base])
    for data_coding, alphabet in overrides.items():
        if alphabet not in (*ALPHABETS, BINARY):
            raise ValueError(_unknown("alphabet", alphabet, (*ALPHABETS, BINARY)))
        table[_octet(data_coding)] = alphabet
    return MappingProxyType({key: alphabet for key, alphabet in table.items() if alphabet != BINARY})


def sending_table(codings: Mapping[str, int | str] = DATA_CODINGS) -> Mapping[str, int]:
    """A link's own table of sent messages, alphabet to data_coding; checked as in `data_coding_table`.

    The order counts: see `alphabet_for`.
    """
    for alphabet in codings:
        if alphabet not in SENT_ALPHABETS:
            raise ValueError(_unknown("alphabet", alphabet, SENT_ALPHABETS))
    if not codings:
        raise ValueError("a link needs an alphabet to send in")
    return MappingProxyType({alphabet: _octet(value) for alphabet, value in codings.items()})


def alphabet_for(text: str, codings: Mapping[str, int] = DATA_CODINGS) -> str:
    """The first alphabet of a `sending_table` that has every character of ``text``.

    UnicodeEncodeError when none has them, which cannot be where ucs2 is among them.
    """
    *others, last = codings
    for alphabet in others:
        try:
            encode_text(text, alphabet)
        except UnicodeEncodeError:
            continue
        return alphabet
    encode_text(text, last)
    return last


def _octet(value: int | str) -> int:
    try:
        number = int(value, 0) if isinstance(value, str) else value
    except ValueError:
        number = -1
    if isinstance(value, bool) or not 0 <= number <= 0xFF:
        raise ValueError(f"{value} is no data_coding; it is a number from 0x00 to 0xFF")
    return number


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    near = get_close_matches(str(name), list(known), n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    return f"unknown {kind} {name}; {hint}"


# ------------------------------------------------------------------------------------- long messages


def segments(text: str, alphabet: str, reference: int, *, wide: bool = False) -> list[bytes]:
    """The short_message of each of `gateway.smpp.long_messages.sms_parts`, in the forms with a user data header."""
    from gateway.smpp.long_messages import sms_parts  # which itself needs this module

    return [part.short_message for part in sms_parts(text, alphabet, reference, "udh16" if wide else "udh8")]
