"""From TCP segments to PDUs, for one direction of a connection at a time.

A capture is not the connection: it begins in the middle, misses packets, holds others twice. A hole is said and
jumped over, and the next header of a PDU is looked for behind it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import dpkt

from gateway.smpp.codec import HEADER, HEADER_OCTETS
from gateway.smpp.framing import foreign_protocol
from gateway.smpp.vocabulary import COMMAND_NAMES

MAX_PDU_OCTETS = 0x10000
"""A command_length above this is none (the default of the gateway's links)."""

_HOLE_SEGMENTS = 256  # so many segments behind a hole, and it will not be filled any more
_SHOWN_OCTETS = 64
_HEADER_LIKE = re.compile(rb"(?s)(?=\x00[\x00\x01]..[\x00\x80]\x00[\x00\x01].)")


@dataclass(frozen=True, slots=True)
class Captured:
    """What one direction of a connection carried.

    ``octets`` is exactly one PDU, as long as ``problem`` is empty. Otherwise ``problem`` says what they are: the
    beginning of a PDU whose end is missing, or the first octets of a stream that is not SMPP.
    """

    time: float
    """Seconds since 1970, of the packet that completed it."""
    source: str
    """host:port; an IPv6 host stands in brackets."""
    destination: str
    octets: bytes
    problem: str = ""


@dataclass(slots=True)
class Stream:
    """One direction of a connection: segments in any order become octets in order."""

    source: str
    destination: str
    _next: int | None = None
    """Sequence number of the octet that comes next; None before the first segment."""
    _ahead: dict[int, tuple[float, bytes, int]] = field(default_factory=dict)
    """Segments behind a hole, by sequence number: time, octets, how many octets of it the capture does not hold."""
    _begin: int = 0
    _pdus: "Reader" = field(init=False)

    def __post_init__(self) -> None:
        self._pdus = Reader(self.source, self.destination)

    def is_over(self, first: int) -> bool:
        """Whether a SYN with this number begins a new connection between the same ends."""
        return self._next is not None and first != self._begin

    def receive(self, time: float, tcp: dpkt.tcp.TCP, missing: int = 0) -> Iterator[Captured]:
        """The PDUs that this segment completes, or whatever else it makes clear.

        ``missing`` octets at its end are not in the capture.
        """
        seq = tcp.seq
        if tcp.flags & dpkt.tcp.TH_SYN:
            self._begin, seq = seq, _after(seq, 1)
        if self._next is None:
            self._next = seq
        if tcp.data or missing:
            self._keep(seq, time, bytes(tcp.data), missing)
        yield from self._in_order()
        while len(self._ahead) > _HOLE_SEGMENTS:
            yield from self._jump()

    def _keep(self, seq: int, time: float, octets: bytes, missing: int) -> None:
        known = self._ahead.get(seq)
        if known is None or len(known[1]) < len(octets):
            self._ahead[seq] = time, octets, missing

    def _in_order(self) -> Iterator[Captured]:
        """Hand on what joins what was handed on, without what came before (a retransmission)."""
        while self._ahead:
            seq = min(self._ahead, key=self._distance)
            distance = self._distance(seq)
            if distance > 0:
                return
            time, octets, missing = self._ahead.pop(seq)
            fresh = octets[-distance:]
            if fresh or distance == 0:
                self._next = _after(seq, len(octets) + missing)
                yield from self._pdus.receive(time, fresh)
                if missing:
                    yield from self._pdus.cut(octets, missing)

    def _distance(self, seq: int) -> int:
        """From the octet that comes next to ``seq``; negative: it was here before. Numbers wrap at 2**32."""
        assert self._next is not None, "a segment has come"
        return (seq - self._next + 0x80000000 & 0xFFFFFFFF) - 0x80000000

    def _jump(self) -> Iterator[Captured]:
        """Give up the hole in front of the nearest segment."""
        seq = min(self._ahead, key=self._distance)
        time, _, _ = self._ahead[seq]
        yield from self._pdus.hole(time, self._distance(seq))
        self._next = seq
        yield from self._in_order()

    def close(self) -> Iterator[Captured]:
        """Nothing more will come: all that is left."""
        while self._ahead:
            yield from self._jump()
        yield from self._pdus.end()


def told_of_a_cut(here: int, missing: int) -> str:
    """What there is of the data of a packet whose end the capture does not hold."""
    return f"{here} of {here + missing} octets of this packet are here"


def _after(seq: int, octets: int) -> int:
    return (seq + octets) & 0xFFFFFFFF


# ------------------------------------------------------------------------------------------ framing


@dataclass(slots=True)
class Reader:
    """From octets in order to PDUs. Unlike a link's Framer it may begin anywhere, and begin again."""

    source: str
    destination: str
    _rest: bytes = b""
    _in_step: bool = False
    """The next octet is the first of a header."""
    _spoke_smpp: bool = False
    _time: float = 0.0
    _first: bytes = b""
    _octets: int = 0
    _whole: bool = True
    """Nothing was missing so far."""

    def receive(self, time: float, octets: bytes) -> Iterator[Captured]:
        """The PDUs that these octets complete."""
        self._time = time
        self._octets += len(octets)
        if self._whole and len(self._first) < _SHOWN_OCTETS:
            self._first = (self._first + octets)[:_SHOWN_OCTETS]
        self._rest += octets
        while self._in_step or self._find_step():
            size = self._size()
            if size == 0:
                self._in_step = False
                yield self._told(self._rest[:HEADER_OCTETS], "a command_length that cannot be: out of step")
            elif size is None or size > len(self._rest):
                return
            else:
                frame, self._rest = self._rest[:size], self._rest[size:]
                yield self._told(frame)

    def _size(self) -> int | None:
        """Octets of the next PDU; 0: that cannot be one; None: nobody knows yet."""
        if len(self._rest) < HEADER_OCTETS:
            return None
        size = int.from_bytes(self._rest[:4], "big")
        return size if HEADER_OCTETS <= size <= MAX_PDU_OCTETS else 0

    def _find_step(self) -> bool:
        """Look for a header, and drop what comes before it."""
        at_begin = not self._spoke_smpp and self._octets == len(self._rest)
        for found in _HEADER_LIKE.finditer(self._rest):
            if _is_header(self._rest, found.start(), sure=at_begin and found.start() == 0):
                self._rest = self._rest[found.start() :]
                self._in_step = self._spoke_smpp = True
                return True
        self._rest = self._rest[-HEADER_OCTETS + 1 :]
        return False

    def _told(self, octets: bytes, problem: str = "") -> Captured:
        return Captured(self._time, self.source, self.destination, octets, problem)

    def hole(self, time: float, missing: int) -> Iterator[Captured]:
        """``missing`` octets are not in the capture: the next header has to be found anew."""
        if self._in_step:
            yield self._told(self._rest, f"{missing} octets are missing from the capture here")
        self._rest, self._in_step, self._time = b"", False, time

    def cut(self, packet: bytes, missing: int) -> Iterator[Captured]:
        """The capture holds only ``packet``, the beginning of the one received last: nothing goes on behind it."""
        told = told_of_a_cut(len(packet), missing)
        if self._in_step or _may_begin(self._rest):
            self._spoke_smpp = True
            yield self._told(self._rest, told)
        elif self._spoke_smpp:
            yield self._told(packet[:_SHOWN_OCTETS], f"{told}, and no PDU begins in them")
        self._rest, self._in_step, self._whole = b"", False, False

    def end(self) -> Iterator[Captured]:
        """What is left when the capture is over."""
        if not self._spoke_smpp and self._octets:
            speaks = foreign_protocol(self._first) or "nothing known"
            yield self._told(self._first, f"not SMPP: {speaks}, {self._octets} octets")
        elif self._in_step and self._rest:
            yield self._told(self._rest, "the capture ends in the middle of this PDU")


def _may_begin(octets: bytes) -> bool:
    """Whether a PDU of a known command begins with these octets, fewer than a header has."""
    size, command_id = int.from_bytes(octets[:4], "big"), int.from_bytes(octets[4:8], "big")
    return len(octets) >= 8 and HEADER_OCTETS <= size <= MAX_PDU_OCTETS and command_id in COMMAND_NAMES


def _is_header(octets: bytes, at: int, *, sure: bool) -> bool:
    """Whether a PDU of a known command begins at ``at``; if that is not ``sure``, another one must follow it."""
    if at + HEADER_OCTETS > len(octets):
        return False
    size, command_id, _, _ = HEADER.unpack_from(octets, at)
    if not HEADER_OCTETS <= size <= MAX_PDU_OCTETS or command_id not in COMMAND_NAMES:
        return False
    following = octets[at + size : at + size + 4]
    return sure or len(following) < 4 or HEADER_OCTETS <= int.from_bytes(following, "big") <= MAX_PDU_OCTETS
