"""The text of a message and what stands in front of it, or in it: user data headers, receipts, alphabets in doubt."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.smpp.explain.tables import quoted
from gateway.smpp.text import ALPHABET_BY_DCS, decode_text
from gateway.smpp.user_data_header import NO_HEADER, Header, read_header
from gateway.smpp.vocabulary import ESM_CLASS_RECEIPT, ESM_CLASS_TYPE_MASK, ESM_CLASS_UDHI

ESM_CLASS_NOTIFICATION = 0x20

_NATIONAL = (
    "the default table",
    "Turkish",
    "Spanish",
    "Portuguese",
    "Bengali",
    "Gujarati",
    "Hindi",
    "Kannada",
    "Malayalam",
    "Oriya",
    "Punjabi",
    "Tamil",
    "Telugu",
    "Urdu",
)
_KEY = re.compile(rb"(?i)(?:(?<=\s)|^)(id|sub|dlvrd|submit date|done date|stat|err|text):")
_STATES = {
    "ENROUTE": "on its way, not final",
    "DELIVRD": "delivered",
    "EXPIRED": "its validity ran out",
    "DELETED": "deleted",
    "UNDELIV": "cannot be delivered",
    "ACCEPTD": "accepted, somebody read it for the subscriber",
    "UNKNOWN": "nobody knows",
    "REJECTD": "refused",
}
_LEAST_OCTETS = 6  # what is shorter means something in any alphabet
_SENSE = 0.85
_PUNCTUATION = frozenset(" \r\n.,:;!?'\"-()/*#@+%&=_«»№€$£")
_FAR_LETTERS = "\u0700"
_DATE = re.compile(r"\d{10}(\d\d)?")


@dataclass(frozen=True, slots=True)
class Piece:
    """Some octets of a message: how many, what they are called, what they say."""

    octets: int
    name: str
    value: str
    note: str = ""
    section: str = ""


@dataclass(frozen=True, slots=True)
class MessageText:
    """What the mandatory fields say about the text: needed to read it."""

    data_coding: int
    esm_class: int
    table: str

    def alphabet(self, octets: bytes) -> str | None:
        """The name of the alphabet, None when the octets are no text; packed, if they cannot be unpacked GSM 03.38."""
        alphabet = ALPHABET_BY_DCS[self.table].get(self.data_coding)
        packed = alphabet == "gsm7" and self.table == "cbs" and any(octet > 0x7F for octet in octets)
        return "gsm7-packed" if packed else alphabet

    def header(self, octets: bytes) -> Header:
        """The user data header, if esm_class announces one and there is one."""
        return read_header(octets) if self.esm_class & ESM_CLASS_UDHI else NO_HEADER

    def text(self, octets: bytes) -> str | None:
        """The characters behind the header; None when they are no text."""
        header = self.header(octets)
        body = octets[header.octets :]
        alphabet = self.alphabet(body)
        return None if alphabet is None else decode_text(body, alphabet, header.national)


def is_receipt(esm_class: int) -> bool:
    """Whether esm_class says SMSC delivery receipt or intermediate notification."""
    return esm_class & ESM_CLASS_TYPE_MASK in (ESM_CLASS_RECEIPT, ESM_CLASS_NOTIFICATION)


def message_pieces(name: str, octets: bytes, about: MessageText) -> Iterator[Piece]:
    """``octets`` of short_message or message_payload, cut where their meaning changes; together they are all."""
    header = about.header(octets)
    if header.octets:
        yield from _header_pieces(octets[: header.octets])
    body = octets[header.octets :]
    keys = list(_KEY.finditer(body)) if is_receipt(about.esm_class) else []
    if keys and any(key[1].lower() == b"id" for key in keys):
        yield from _receipt_pieces(body, keys)
    elif body:
        yield _text_piece(name, body, header, about)


def _text_piece(name: str, octets: bytes, header: Header, about: MessageText) -> Piece:
    alphabet = about.alphabet(octets)
    section = "§5.2.22" if name == "short_message" else "§5.3.2.32"
    if alphabet is None:
        return Piece(len(octets), name, f"{len(octets)} octets", "this data_coding is not text", section)
    text = decode_text(octets, alphabet, header.national)
    headless = about.esm_class & ESM_CLASS_UDHI and not header.octets
    fault = "esm_class announces a user data header, none fits" if headless else ""
    note = "; ".join(filter(None, (f"as {alphabet}", fault, *_doubts(octets, alphabet, text, about))))
    return Piece(len(octets), name, quoted(text), note, section)


def _doubts(octets: bytes, alphabet: str, text: str, about: MessageText) -> Iterator[str]:
    """What else it may mean."""
    other_table = "sms" if about.table == "cbs" else "cbs"
    other = ALPHABET_BY_DCS[other_table].get(about.data_coding)
    if other and other != alphabet.removesuffix("-packed") and decode_text(octets, other) != text:
        yield f"by the {other_table} table it is {other}: {quoted(decode_text(octets, other))}"
    if about.data_coding == 0 and alphabet == "gsm7" and octets.decode("latin-1") != text:
        yield f"to some centres data_coding 0 is Latin-1: {quoted(octets.decode('latin-1'))}"
    if "\ufffd" in text:
        yield "some octets are not of this alphabet"
    if len(octets) >= _LEAST_OCTETS and not _makes_sense(octets, alphabet, text):
        yield from _better_reading(octets, alphabet, about)


def _makes_sense(octets: bytes, alphabet: str, text: str) -> bool:
    if alphabet == "gsm7" and _is_ucs2(octets):
        return False
    return _sense(_as_packed(octets) if alphabet == "gsm7-packed" else text) >= _SENSE


def _better_reading(octets: bytes, alphabet: str, about: MessageText) -> Iterator[str]:
    """The alphabet in which the text makes sense, whatever data_coding says; none may be it."""
    told = {alphabet, "latin1"} if about.data_coding == 0 and alphabet == "gsm7" else {alphabet}
    readings = {name: read(octets) for name, read in _READ_BY_MISTAKE.items() if name not in told}
    best = max(readings, key=lambda name: _sense(readings[name]))
    if _sense(readings[best]) >= _SENSE:
        yield f"by its octets it may be {best}: {quoted(readings[best])}"


def _sense(text: str) -> float:
    """The share of characters that texts consist of; 0 where there is one of which none does.

    Letters of Asia count by half: any two octets of Latin text, taken for one character, are one.
    """
    if not text or "\ufffd" in text or not all(char.isprintable() or char in "\r\n" for char in text):
        return 0
    usual = [char for char in text if char.isalnum() or char in _PUNCTUATION]
    return sum(1 if char < _FAR_LETTERS or char in _PUNCTUATION else 0.5 for char in usual) / len(text)


def _is_ucs2(octets: bytes) -> bool:
    """Whether each character would be a letter of Europe or the Near East, or a digit."""
    return len(octets) % 2 == 0 and max(octets[::2]) < ord(_FAR_LETTERS) >> 8


def _as_packed(octets: bytes) -> str:
    """Nothing, where it is no plain text: septets out of step are capitals, accents and digits among each other."""
    text = decode_text(octets, "gsm7-packed").rstrip("\r@")
    plain = sum(char.isascii() for char in text)
    return text if plain > _SENSE * len(text) else ""


_READ_BY_MISTAKE: dict[str, Callable[[bytes], str]] = {
    "utf-8": lambda octets: "" if octets.isascii() else octets.decode("utf-8", "replace"),
    "ucs2": lambda octets: decode_text(octets, "ucs2") if _is_ucs2(octets) else "",
    "latin1": lambda octets: decode_text(octets, "latin1"),
    "gsm7-packed": _as_packed,
}
"""The likelier ones first."""


# ----------------------------------------------------------------------------------- user data headers


def _header_pieces(header: bytes) -> Iterator[Piece]:
    """The length octet, then each element; what is left over is shown, too."""
    yield Piece(1, "UDH length", str(header[0]), "octets of user data header follow", "TS 23.040 §9.2.3.24")
    at = 1
    while at + 2 <= len(header) and at + 2 + header[at + 1] <= len(header):
        end = at + 2 + header[at + 1]
        yield _element_piece(header[at], header[at + 2 : end])
        at = end
    if at < len(header):
        yield Piece(len(header) - at, "UDH rest", f"{len(header) - at} octets", "no whole element")


def _element_piece(element: int, value: bytes) -> Piece:
    match element, len(value):
        case (0x00, 3) | (0x08, 4):
            *reference, total, number = value
            said = f"part {number} of {total}, reference {int.from_bytes(bytes(reference), 'big')}"
            note = "" if 1 <= number <= total else "cannot be: passed over by a receiver"
            return _element(value, f"concatenated, {8 * len(reference)}-bit", said, note, ".1")
        case (0x05, 4):
            to, sender = int.from_bytes(value[:2], "big"), int.from_bytes(value[2:], "big")
            return _element(value, "ports, 16-bit", f"to {to}, from {sender}", "", ".4")
        case (0x04, 2):
            return _element(value, "ports, 8-bit", f"to {value[0]}, from {value[1]}", "", ".3")
        case (0x24, 1) | (0x25, 1):
            kind = "single" if element == 0x24 else "locking"
            known = value[0] < len(_NATIONAL)
            return _element(
                value, f"national {kind} shift", _NATIONAL[value[0]] if known else f"{value[0]}: reserved"
            )
    return _element(value, f"element 0x{element:02X}", f"0x{value.hex().upper()}" if value else "(empty)")


def _element(value: bytes, name: str, said: str, note: str = "", section: str = "") -> Piece:
    return Piece(2 + len(value), f"UDH {name}", said, note, f"TS 23.040 §9.2.3.24{section}")


# ------------------------------------------------------------------------------------------- receipts


def _receipt_pieces(octets: bytes, keys: list[re.Match[bytes]]) -> Iterator[Piece]:
    """A piece for each key, with what stands before the next one; text: takes the rest."""
    starts = [key.start() for key in keys]
    if b"text" in (names := [key[1].lower() for key in keys]):
        starts = starts[: names.index(b"text") + 1]
    if starts[0]:
        yield Piece(
            starts[0], "receipt", quoted(octets[: starts[0]].decode("latin-1")), "before the first key"
        )
    for at, end in zip(starts, [*starts[1:], len(octets)], strict=True):
        name, _, value = octets[at:end].decode("latin-1").partition(":")
        yield _receipt_piece(end - at, name.lower(), value.rstrip() if name.lower() != "text" else value)


def _receipt_piece(octets: int, name: str, value: str) -> Piece:
    note = ""
    if name == "stat":
        note = _STATES.get(value.upper(), "the centre's own word")
    elif name.endswith("date") and _DATE.fullmatch(value):
        pairs = [value[at : at + 2] for at in range(0, len(value), 2)]
        note = f"20{pairs[0]}-{pairs[1]}-{pairs[2]} {':'.join(pairs[3:])}, in the centre's time"
    elif name == "id":
        note = "message_id of the submit_sm_resp; forms may differ (W9)"
    return Piece(octets, f"receipt {name}", quoted(value), note, "Appendix B")
