"""Octets from text, all of them, sound PDUs or not: typed, copied from a log, or a dump of xxd, tcpdump, Wireshark.

What cannot be read is an error with its line, never left out: whoever explains a fault must not hide one. Only words
are left out: the head line of a packet, and what a log says beside the octets.
"""

import re

from gateway.dumps import lines
from gateway.dumps.streams import MAX_PDU_OCTETS


class HexError(ValueError):
    """The text is not hexadecimal; the message says where, in one line."""


def read_hex(text: str) -> bytes:
    """The octets that ``text`` stands for; of several dumps, one behind the other. HexError as in `read_dumps`."""
    return b"".join(read_dumps(text))


def is_hex(text: str) -> bool:
    """Whether `read_dumps` finds octets in ``text``."""
    try:
        return bool(read_dumps(text))
    except HexError:
        return False


def read_dumps(text: str) -> list[bytes]:
    """The octets that ``text`` stands for, apart for each dump in it: an offset of 0 begins the next, so does each PDU
    of a log, and words end one.

    Pairs with or without anything usual between them (spaces, colons, commas, 0x, \\x, quotes, braces), lines of a
    dump (offset, octets, characters), or of a log that has PDUs in it. HexError: something else.
    """
    dumps, words = Dumps(), ""
    for number, line in enumerate(text.splitlines(), 1):
        try:
            told = dumps.take(line)
        except HexError as error:
            raise HexError(f"line {number}: {error}") from None
        if not told and not words:
            words = f"line {number}: {_wrong(line)}"
    found = dumps.found()
    if words and not found:
        raise HexError(words)
    return found


class Dumps:
    """The dumps in a text, read line by line."""

    def __init__(self) -> None:
        self._dumps = [bytearray()]
        self._form = ""
        """Of the line before: only one of the same form goes on with its dump."""
        self._row = b""
        """The octets of the dump's last line."""
        self._repeated = False
        """A ``*`` stood for more lines like it."""

    def found(self) -> list[bytes]:
        """All that there are."""
        return [bytes(octets) for octets in self._dumps if octets]

    def take(self, line: str) -> bool:
        """Take in the octets of a line; False if there are only words in it. HexError: octets that cannot be read."""
        line = lines.without_stamp(line.rstrip())
        return not line.strip() or self._take_row(line) or self._take_octets(line) or self._take_words(line)

    def put(self, octets: bytes, form: str) -> None:
        """Add octets to the dump if the line before was of this form; otherwise they begin another."""
        if form != self._form or not form:
            self._dumps.append(bytearray())
        self._dumps[-1] += octets
        self._form = form

    def _take_octets(self, line: str) -> bool:
        if octets := _of_a_string(line):
            self.put(octets, "string" if lines.are_all_strings(line) else "")
        elif lines.is_digits(digits := lines.bare_digits(line)):
            self.put(_pairs(line, digits), "plain")
        elif octets := lines.labelled(line):
            self.put(octets, "labelled")
        elif octets := _of_a_log(line):
            self.put(octets, "")
        else:
            return False
        return True

    def _take_words(self, line: str) -> bool:
        if not lines.is_heading(line) and not lines.is_ruler(line):
            raise HexError(_wrong(line))
        self._form = ""
        return False

    # --------------------------------------------------------------------------------- with offsets

    @property
    def _here(self) -> int:
        return len(self._dumps[-1])

    def _take_row(self, line: str) -> bool:
        if line == "*" and self._row:
            self._repeated = True
            return True
        end = lines.lone_offset(line)
        if end and self._here and self._ends_at(end):
            return True
        row = lines.dump_line(line)
        if row is None or not self._fits(row):
            return False
        if row.offsets[0] == 0:
            self._dumps.append(bytearray())
        self._dumps[-1] += row.octets
        self._row, self._form = row.octets, "row"
        return True

    def _fits(self, row: lines.DumpLine) -> bool:
        """Without a colon the offset must be the right one: ``0000 0044`` may also be four octets."""
        offset = row.offsets[0]
        if offset == 0 or self._ends_at(row.offsets):
            return True
        if row.sure and offset > self._here:
            raise HexError(
                f"offset 0x{offset:04x}, and 0x{self._here:04x} octets before it: a line is missing"
            )
        if row.sure:
            del self._dumps[-1][offset:]  # characters that looked like octets
        return row.sure

    def _ends_at(self, offsets: tuple[int, ...]) -> bool:
        """Whether the dump ends at one of these, once the lines are there that a ``*`` stood for."""
        missing = offsets[0] - self._here
        if self._repeated and 0 < missing <= MAX_PDU_OCTETS:
            self._dumps[-1] += (self._row * (missing // len(self._row) + 1))[:missing]
        self._repeated = False
        return self._here in offsets


def _of_a_string(line: str) -> bytes:
    octets = lines.strings(line) if "\\" in line else b""
    return octets if lines.begins_like_a_pdu(octets) or lines.are_all_strings(line) else b""


def _of_a_log(line: str) -> bytes:
    return max(filter(lines.begins_like_a_pdu, lines.runs(line)), key=len, default=b"")


def _wrong(line: str) -> str:
    wrong = re.search(r"[^0-9A-Fa-f]+", lines.bare_digits(line))
    return f"{wrong[0][:20]!r} is not hexadecimal" if wrong else "no octets"


def _pairs(line: str, digits: str) -> bytes:
    if lines.has_swapped_octets(line):
        raise HexError("octets two by two in the order of this machine: use od -tx1 or hexdump -C")
    if len(digits) % 2:
        raise HexError(f"{len(digits)} digits: an octet has two")
    return bytes.fromhex(digits)
