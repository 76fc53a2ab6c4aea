"""Octets from text, all of them, sound PDUs or not: typed, copied from a log, or a dump of xxd, tcpdump, Wireshark.

What cannot be read is an error with its line, never left out: whoever explains a fault must not hide one.
"""

import re

_OFFSET = re.compile(r"\s*(?:0x)?(?P<offset>[0-9A-Fa-f]{4,8})(?:(?P<colon>:)\s*|\s{2,})(?P<rest>\S.*)")
_OD_OFFSET = re.compile(
    r"(?P<offset>[0-9A-Fa-f]{6,8})(?P<colon>) (?P<rest>[0-9A-Fa-f]{2}(?: [0-9A-Fa-f]{2})*)"
)
_HEADING = re.compile(r"[A-Z][A-Za-z ]+\(\d+ bytes\):\s*")  # tshark -x, before each view of a packet
_GROUP = re.compile(r"(?P<gap>\s*)(?P<octets>(?:[0-9A-Fa-f]{2}){1,8})(?=\s|$)")
_BETWEEN = re.compile(r"0[xX]|\\x|[\s,;:{}()\[\]\"'-]|(?<![0-9A-Za-z])b(?=[\"'])")
_LAST_OFFSET = re.compile(r"\s*[0-9a-f]{6,8}\s*")
_HALF_LINE_OCTETS = 8


class HexError(ValueError):
    """The text is not hexadecimal; the message says where, in one line."""


def read_hex(text: str) -> bytes:
    """The octets that ``text`` stands for; of several dumps, one behind the other. HexError as in `read_dumps`."""
    return b"".join(read_dumps(text))


def is_hex(text: str) -> bool:
    """Whether `read_dumps` finds octets in ``text``, and nothing else."""
    try:
        return bool(read_dumps(text))
    except HexError:
        return False


def read_dumps(text: str) -> list[bytes]:
    """The octets that ``text`` stands for, apart for each dump in it: an offset of 0 begins the next.

    Pairs with or without anything usual between them (spaces, colons, commas, 0x, \\x, quotes, braces), or lines of a
    dump: offset, octets, characters. HexError: something else.
    """
    dumps = [bytearray()]
    for number, line in enumerate(text.splitlines(), 1):
        octets = dumps[-1]
        dumped = _dump_line(line, len(octets))
        if dumped is None:
            octets += b"" if _is_no_octets(line, len(octets)) else _plain_line(line, number)
        elif dumped[0] == 0:
            dumps.append(bytearray(dumped[1]))
        else:
            offset, found = dumped
            del octets[offset:]  # characters that looked like octets
            octets += found
    return [bytes(octets) for octets in dumps if octets]


def _is_no_octets(line: str, octets: int) -> bool:
    """Whether the line is a heading, or the last one of hexdump and od: an offset alone."""
    if _HEADING.fullmatch(line):
        return True
    return octets > 0 and _LAST_OFFSET.fullmatch(line) is not None and int(line, 16) == octets


def _dump_line(line: str, octets_before: int) -> tuple[int, bytes] | None:
    """The offset and the octets of a line of a dump; None for another line.

    Without a colon the offset must be the right one: ``0000 0044`` may also be four octets.
    """
    line = line.rstrip()
    match = _OFFSET.fullmatch(line) or _OD_OFFSET.fullmatch(line)
    if match is None:
        return None
    offset = int(match["offset"], 16)
    if offset > octets_before or (not match["colon"] and offset not in (0, octets_before)):
        return None
    return offset, _octets_before_characters(match["rest"])


def _octets_before_characters(rest: str) -> bytes:
    """Groups of pairs up to the wide gap in front of the characters; one in the middle of the line is none."""
    octets = b""
    at = 0
    while match := _GROUP.match(rest, at):
        gap = len(match["gap"].expandtabs())
        if gap > 2 or (gap == 2 and len(octets) != _HALF_LINE_OCTETS):
            break
        octets += bytes.fromhex(match["octets"])
        at = match.end()
    return octets


def _plain_line(line: str, number: int) -> bytes:
    digits = _BETWEEN.sub("", line)
    wrong = re.search(r"[^0-9A-Fa-f]+", digits)
    if wrong:
        raise HexError(f"line {number}: {wrong[0][:20]!r} is not hexadecimal")
    if len(digits) % 2:
        raise HexError(f"line {number}: {len(digits)} digits: an octet has two")
    return bytes.fromhex(digits)
