"""The PDUs in whatever text people have: a log, a dump, a mail.

What is no PDU is skipped here. Where every octet counts, and one that cannot be read is an error, see `hex_text`.
"""

from collections.abc import Iterator

from gateway.dumps import lines
from gateway.dumps.hex_text import Dumps, HexError
from gateway.smpp.codec import HEADER, HEADER_OCTETS
from gateway.smpp.vocabulary import COMMAND_NAMES

_MAX_PDU_OCTETS = 0x10000


def read_hexdump(text: str) -> list[bytes]:
    """The PDUs in a text in any form that `hex_text` reads, any number of them, with other lines in between."""
    dumps = Dumps()
    for line in text.splitlines():
        try:
            told = dumps.take(line)
        except HexError:
            told = False
        if not told:
            dumps.put(_octets_among_words(line), "words")
    return [pdu for octets in dumps.found() for pdu in find_pdus(octets)]


def _octets_among_words(line: str) -> bytes:
    row = lines.dump_line(line)
    return row.octets if row else max(lines.runs(line), key=len, default=b"")


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
