"""What one line of a paste holds: octets in the form of some tool or some log, or words about them."""

import re
from dataclasses import dataclass

from gateway.dumps.streams import MAX_PDU_OCTETS
from gateway.smpp.codec import HEADER_OCTETS

_DIGIT = "[0-9A-Fa-f]"
_PAIR = rf"(?:0x|\\x)?{_DIGIT}{{2}}"
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")

# The three ways to go on: xxd, tcpdump -X, netty (which draws lines around it); hexdump -C, Wireshark; od.
_OFFSET = re.compile(
    rf"\s*\|?(?:0x)?(?P<offset>{_DIGIT}{{4,8}})"
    rf"(?:(?P<sure>[:|])\s*|\s{{2,}}|(?<={_DIGIT}{{6}}) (?={_DIGIT}{{2}}(?:\s|$)))(?P<rest>\S.*)"
)
_GROUP = re.compile(rf"(?P<gap>\s*+)(?P<octets>(?:{_DIGIT}{{2}}){{1,8}})(?=\s|$)")
_HALF_LINE_OCTETS = 8
_OD_DIGITS = 7

_SWAPPED = re.compile(rf"{_DIGIT}{{7}}(?: +{_DIGIT}{{4}})+\s*")

_BETWEEN = re.compile(r"0[xX]|\\x|[\s,;:{}()\[\]\"'-]|(?<![0-9A-Za-z])b(?=[\"'])")
_TIME = r"\d\d:\d\d:\d\d"
_STAMP = re.compile(
    rf"[\[(]?(?:\d{{4}}-\d\d-\d\d[ T]{_TIME}(?:[.,]\d+)?|{_TIME}[.,]\d{{3,9}})(?:Z|[+-]\d\d:?\d\d)?[])]?\s"
    r"|\[(?=[0-9A-Fa-fx,;:\s]*+[^]])[^][]*+\]\s"
)
_RUN = re.compile(rf"(?<![0-9A-Za-z]){_PAIR}(?:[\s:,;-]{{0,2}}{_PAIR}){{7,}}(?![0-9A-Za-z])")
_LABEL = re.compile(rf"data:\s++(?={_DIGIT}{{2}}(?:\s|$))")
_STRING = re.compile(r"([\"'])((?:[^\"'\\]|\\.)*+)\1")
_ESCAPE = re.compile(rf"\\(?:x({_DIGIT}{{2}})|u00({_DIGIT}{{2}})|([0-7]{{1,3}})|(.))")
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b"}
_WORD = re.compile(r"[^\W_]+")
_OCTETS = re.compile(
    rf"(?:{_DIGIT}{{2}}){{1,4}}|0x{_DIGIT}{{2}}"
)  # 0x80000000 is a number that somebody tells
_UUID = re.compile(rf"\b{_DIGIT}{{8}}(?:-{_DIGIT}{{4}}){{3}}-{_DIGIT}{{12}}\b")


# ------------------------------------------------------------------------------------- lines with an offset


@dataclass(frozen=True, slots=True)
class DumpLine:
    """``offsets``: what the digits in front may mean, the likeliest first; ``sure``: nothing but an offset looks so."""

    offsets: tuple[int, ...]
    octets: bytes
    sure: bool


def dump_line(line: str) -> DumpLine | None:
    """A line of a dump: offset, octets, characters. None for another one."""
    match = _OFFSET.fullmatch(line)
    octets = octets_before_characters(match["rest"]) if match else b""
    if match is None or not octets:
        return None
    return DumpLine(_numbers(match["offset"]), octets, match["sure"] is not None)


def lone_offset(line: str) -> tuple[int, ...]:
    """What the offset may mean that stands alone in the last line of hexdump and od; nothing for another line."""
    digits = line.strip()
    return _numbers(digits) if 6 <= len(digits) <= 8 and set(digits) <= _HEX_DIGITS else ()


def _numbers(digits: str) -> tuple[int, ...]:
    """Hexadecimal, but of seven digits as od writes them: octal, or decimal."""
    if len(digits) != _OD_DIGITS or not digits.isdecimal():
        return (int(digits, 16),)
    return (int(digits, 16 if set(digits) & set("89") else 8), int(digits))


def octets_before_characters(rest: str) -> bytes:
    """Groups of pairs up to the wide gap in front of the characters; one in the middle of the line is none."""
    octets = bytearray()
    at = 0
    while match := _GROUP.match(rest, at):
        gap = len(match["gap"].expandtabs())
        if gap > 2 or (gap == 2 and len(octets) != _HALF_LINE_OCTETS):
            break
        octets += bytes.fromhex(match["octets"])
        at = match.end()
    return bytes(octets)


# ------------------------------------------------------------------------------------------ other lines


def without_stamp(line: str) -> str:
    """The line without the date, the time or the brackets that a log puts in front."""
    stamp = _STAMP.match(line)
    return line[stamp.end() :] if stamp else line


def bare_digits(line: str) -> str:
    """The line without anything usual between octets, and around them."""
    return _BETWEEN.sub("", line)


def is_digits(text: str) -> bool:
    """Whether there are only hexadecimal digits in ``text``, or nothing."""
    return set(text) <= _HEX_DIGITS


def has_swapped_octets(line: str) -> bool:
    """Whether it is a line of od -x, or of hexdump without -C."""
    return _SWAPPED.fullmatch(line) is not None


def labelled(line: str) -> bytes:
    """The octets behind ``data:``, of which Kannel writes sixteen a line; none in another line."""
    label = _LABEL.search(line)
    return octets_before_characters(line[label.end() :]) if label else b""


def runs(line: str) -> list[bytes]:
    """Octets side by side among other words, eight at least."""
    return [bytes.fromhex(bare_digits(match[0])) for match in _RUN.finditer(line)]


def strings(line: str) -> bytes:
    """The octets in strings of a programming language with escapes in them: ``b'\\x00\\x00\\x00D'``."""
    found = [text for _, text in _STRING.findall(line) if "\\" in text]
    text = "".join(_ESCAPE.sub(_unescaped, text) for text in found)
    return text.encode("latin-1") if all(ord(character) <= 0xFF for character in text) else b""


def are_all_strings(line: str) -> bool:
    """Whether there is nothing in the line but strings, and what joins them."""
    return not _STRING.sub("", line).strip(" \t\\+,;b")


def _unescaped(escape: re.Match[str]) -> str:
    hexadecimal, octal, letter = escape[1] or escape[2], escape[3], escape[4]
    if hexadecimal:
        return chr(int(hexadecimal, 16))
    return chr(int(octal, 8) & 0xFF) if octal else _LETTERS.get(letter, letter)


def begins_like_a_pdu(octets: bytes) -> bool:
    """Whether the first octets may be a command_length."""
    return len(octets) >= 8 and HEADER_OCTETS <= int.from_bytes(octets[:4], "big") <= MAX_PDU_OCTETS


def is_heading(line: str) -> bool:
    """Whether there are words in the line, and no more octets than words: what a tool or a log says about octets."""
    words = _WORD.findall(_UUID.sub("", line))
    octets = sum(len(word) for word in words if _OCTETS.fullmatch(word))
    return any(map(_is_word, words)) and 2 * octets <= sum(map(len, words))


def _is_word(word: str) -> bool:
    return len(word) >= 3 and word.isalpha() and not is_digits(word)


def is_ruler(line: str) -> bool:
    """Whether the line is only drawn, or numbers the columns."""
    bare = line.replace(" ", "")
    return not bare.strip("+-|#=_.*") or bare == "|0123456789abcdef|"
