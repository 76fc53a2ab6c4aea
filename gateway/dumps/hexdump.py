"""The PDUs in whatever text people have: a log, a dump, a mail.

What is no PDU is skipped here. Where every octet counts, and one that cannot be read is an error, see `hex_text`.
"""

import re
from collections.abc import Iterable, Iterator

from gateway.smpp.codec import HEADER, HEADER_OCTETS
from gateway.smpp.vocabulary import COMMAND_NAMES

_MAX_PDU_OCTETS = 0x10000
_COLUMNS = (
    re.compile(
        r"\s*(?:0x)?([0-9a-fA-F]{4,8})\s{2,}((?:[0-9a-fA-F]{2}\s{1,2}){1,16})\s*(?:\|.*)?$"
    ),  # hexdump -C
    re.compile(r"\s*(?:0x)?([0-9a-fA-F]{4,8}):\s+((?:[0-9a-fA-F]{2,4} ?)+)(?:\s{2}.*)?$"),  # xxd, tcpdump -X
    re.compile(r"\s*([0-9a-fA-F]{4,8})\s{2,3}((?:[0-9a-fA-F]{2} ){1,16}).*$"),  # Wireshark
)
_RUN = re.compile(r"(?:(?:0x|\\x)?[0-9a-fA-F]{2}[\s:,;-]{0,2}){4,}")
_DIGITS = re.compile(r"0x|\\x|[^0-9a-fA-F]")


def read_hexdump(text: str) -> list[bytes]:
    """The PDUs in a text: plain hex with or without separators, ``\\x``, ``0x``, or the columns of hexdump -C, xxd,
    tcpdump -X and Wireshark, any number of PDUs after each other, with other lines in between.
    """
    return [pdu for block in _blocks(text.splitlines()) for pdu in find_pdus(block)]


def find_pdus(octets: bytes) -> Iterator[bytes]:
    """The PDUs in a run of octets, whatever stands before and between them, such as the headers of packets."""
    at = 0
    while at + HEADER_OCTETS <= len(octets):
        length, command_id, status, _ = HEADER.unpack_from(octets, at)
        fits = HEADER_OCTETS <= length <= min(len(octets) - at, _MAX_PDU_OCTETS)
        if fits and command_id in COMMAND_NAMES and status <= 0xFFFF:
            yield octets[at : at + length]
            at += length
        else:
            at += 1


def _blocks(lines: Iterable[str]) -> Iterator[bytes]:
    """Octets that belong together: columns up to the next offset 0, or plain hex up to a line without any."""
    block, columns = bytearray(), False
    for line in lines:
        offset, octets = _line(line)
        if not octets or offset == 0 or columns != (offset is not None):
            yield bytes(block)
            block.clear()
        columns = offset is not None
        block += octets
    yield bytes(block)


def _line(line: str) -> tuple[int | None, bytes]:
    """The offset that a line begins with, None without one, and its octets."""
    for form in _COLUMNS:
        if found := form.match(line):
            return int(found[1], 16), _octets(found[2])
    runs = _RUN.findall(line)
    return None, _octets(max(runs, key=len)) if runs else b""


def _octets(digits: str) -> bytes:
    bare = _DIGITS.sub("", digits)
    return bytes.fromhex(bare[: len(bare) // 2 * 2])
