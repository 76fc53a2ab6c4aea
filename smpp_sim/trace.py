"""What the wire did: the last PDUs of all links, numbered, with where they came from and what they answer.

The links' taps only cut octets into PDUs and put them into a ring that is bounded in PDUs and in octets. Everything
else is found out when somebody looks: `facts` reads one PDU, and nothing that it says holds a password. Like an event
log, the trace sends nobody anything: who watches asks for what came after the number that he has seen.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import dropwhile
from typing import Any, Literal

from gateway.smpp.codec import HEADER
from gateway.smpp.errors import RemoteProtocolError
from gateway.smpp.framing import Framer
from gateway.smpp.vocabulary import RESPONSE_BIT
from smpp_sim.watching import Watchers

Direction = Literal["in", "out"]
"""Seen from the centre: what came in, what went out."""

MAX_WATCHERS = 64
"""Watchers that may wait at one time."""

_CONTEXT_OCTETS = 128
_NOWHERE = "0.0.0.0:0"


@dataclass(slots=True, eq=False)
class TracedConnection:
    """Where PDUs came from or went to. `account` is empty until somebody is bound; addresses as in a URL."""

    number: int
    peer: str = _NOWHERE
    local: str = _NOWHERE
    account: str = ""

    def is_called(self, name: str) -> bool:
        """Whether a tester means this connection: by its number, or by its account."""
        return name in (str(self.number), self.account)


@dataclass(slots=True, eq=False)
class TracedPdu:
    """One PDU on the wire, or octets that are none. **Not to be shown as it is**: `octets` may hold a password.

    `before` are the octets just before it in the same direction: a bind may have begun there. `answers` and
    `answered_by` are numbers of other PDUs, 0 for none; a response's `about` is its request.
    """

    number: int
    at: float
    connection: TracedConnection
    direction: Direction
    octets: bytes = field(repr=False)
    before: bytes = field(repr=False)
    note: str = ""
    answers: int = 0
    answered_by: int = 0
    about: "TracedPdu | None" = field(default=None, repr=False)


def url_address(address: Any) -> str:
    """What `asyncio` calls an address, as in a URL: ``127.0.0.1:2775``, ``[::1]:2775``. None: the peer is gone."""
    if not address:
        return _NOWHERE
    host, port = address[:2]
    return f"[{host.partition('%')[0]}]:{port}" if ":" in host else f"{host}:{port}"


class WireTrace:
    """The ring. `last` is the number of the newest PDU, 0 before the first; with 0 `max_pdus` it is off."""

    def __init__(self, max_pdus: int, max_octets: int):
        self.last = 0
        self.octets = 0
        self.closed = False
        self.on = max_pdus > 0
        self._max_pdus, self._max_octets = max_pdus, max_octets
        self._pdus: deque[TracedPdu] = deque()
        self._connections = 0
        self._paired = 0
        self._requests: dict[tuple[int, Direction, int], TracedPdu] = {}
        self._watchers = Watchers("the trace", MAX_WATCHERS)

    # --- filled by the links ------------------------------------------------------------------------------------

    def tap(self, max_pdu_octets: int) -> "Tap":
        """For a new connection."""
        self._connections += 1
        return Tap(self, TracedConnection(self._connections), max_pdu_octets)

    def add(
        self,
        connection: TracedConnection,
        direction: Direction,
        octets: bytes,
        before: bytes,
        at: float,
        note: str,
    ) -> None:
        """Keep a PDU; the oldest ones go when there are too many, or too long ones."""
        self.last += 1
        self.octets += len(octets)
        pdus = self._pdus
        pdus.append(TracedPdu(self.last, at, connection, direction, octets, before, note))
        while len(pdus) > self._max_pdus or (self.octets > self._max_octets and len(pdus) > 1):
            self.octets -= len(pdus.popleft().octets)
        self._watchers.wake()

    # --- for those who look -------------------------------------------------------------------------------------

    @property
    def forgotten(self) -> int:
        """Number of the newest PDU that is no longer kept, 0 when all are."""
        return self._pdus[0].number - 1 if self._pdus else self.last

    def pdus(self, after: int = 0) -> Iterator[TracedPdu]:
        """Those with a higher number, oldest first. To be consumed before the loop runs on."""
        self._pair()
        return self._since(after)

    def newest(self) -> Iterator[TracedPdu]:
        """All, newest first. To be consumed before the loop runs on."""
        self._pair()
        return reversed(self._pdus)

    def find(self, number: int) -> TracedPdu | None:
        """The PDU of that number, if it is kept."""
        if not self._pdus or not self.forgotten < number <= self.last:
            return None
        self._pair()
        return self._pdus[number - self._pdus[0].number]

    async def wait(self, number: int, timeout_s: float) -> bool:
        """Wait until there are PDUs after `number`, at most `timeout_s`; whether there are. TooManyWatchers."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while self.last <= number and not self.closed:
            if not await self._watchers.wait(deadline):
                break
        return self.last > number

    def close(self) -> None:
        """Nothing will come any more: everybody who waits goes on."""
        self.closed = True
        self._watchers.wake()

    def _since(self, after: int) -> Iterator[TracedPdu]:
        if self.last - after < len(self._pdus) // 2:  # a few of the newest: not through all the others
            newest = []
            for pdu in reversed(self._pdus):
                if pdu.number <= after:
                    break
                newest.append(pdu)
            return reversed(newest)
        return dropwhile(lambda pdu: pdu.number <= after, self._pdus)

    def _pair(self) -> None:
        """Find what answers what, among the PDUs that nobody has looked at yet."""
        for pdu in self._since(self._paired):
            if len(pdu.octets) >= HEADER.size:
                _, command_id, _, sequence_number = HEADER.unpack_from(pdu.octets)
                self._pair_one(pdu, command_id, sequence_number)
        self._paired = self.last
        if len(self._requests) > 2 * self._max_pdus:
            kept = self.forgotten
            self._requests = {key: pdu for key, pdu in self._requests.items() if pdu.number > kept}

    def _pair_one(self, pdu: TracedPdu, command_id: int, sequence_number: int) -> None:
        if not command_id & RESPONSE_BIT:
            self._requests[pdu.connection.number, pdu.direction, sequence_number] = pdu
            return
        asked: Direction = "out" if pdu.direction == "in" else "in"
        request = self._requests.pop((pdu.connection.number, asked, sequence_number), None)
        if request is not None:
            pdu.about, pdu.answers, request.answered_by = request, request.number, pdu.number


class Tap:
    """At one connection: told of every read and every write, it cuts them into PDUs for the trace.

    `at` is Unix time. What came after the stream lost its step is not followed: nobody knows where a PDU begins.
    """

    __slots__ = ("_lost", "_max_pdu_octets", "_streams", "_trace", "connection")

    def __init__(self, trace: WireTrace, connection: TracedConnection, max_pdu_octets: int):
        self.connection = connection
        self._trace = trace
        self._max_pdu_octets = max_pdu_octets
        self._streams: dict[Direction, _Stream] = {
            "in": _Stream(max_pdu_octets),
            "out": _Stream(max_pdu_octets),
        }
        self._lost = False

    def received(self, data: bytes, at: float) -> None:
        """What one read brought."""
        if self._trace.on and not self._lost:
            self._lost = self._follow("in", data, at)

    def sent(self, data: bytes, at: float) -> None:
        """What one write took. It begins anew after octets that are no PDU: a fault was put there on purpose."""
        if self._trace.on and self._follow("out", data, at):
            self._streams["out"] = _Stream(self._max_pdu_octets)

    def close(self, at: float) -> None:
        """The connection is gone: what is left is the beginning of a PDU whose end never came."""
        for direction, stream in self._streams.items():
            if stream.rest:
                self._add(direction, stream, bytes(stream.rest), at, "the connection ended here")

    def _follow(self, direction: Direction, data: bytes, at: float) -> bool:
        """Whether the stream has lost its step."""
        stream = self._streams[direction]
        try:
            for frame, *_ in stream.framer.receive(data):
                self._add(direction, stream, frame, at)
        except RemoteProtocolError as problem:
            stream.rest.clear()
            self._add(direction, stream, problem.octets, at, str(problem))
            return True
        waiting = stream.framer.waiting
        if waiting or stream.rest:
            stream.rest += data
            del stream.rest[: len(stream.rest) - waiting]
        return False

    def _add(self, direction: Direction, stream: "_Stream", octets: bytes, at: float, note: str = "") -> None:
        self._trace.add(self.connection, direction, octets, stream.before, at, note)
        long = len(octets) >= _CONTEXT_OCTETS
        stream.before = octets[-_CONTEXT_OCTETS:] if long else (stream.before + octets)[-_CONTEXT_OCTETS:]


class _Stream:
    """One direction of a connection. `rest` is of a PDU that has begun, `before` what came before the next one."""

    __slots__ = ("before", "framer", "rest")

    def __init__(self, max_pdu_octets: int):
        self.framer = Framer(max_pdu_octets)
        self.rest = bytearray()
        self.before = b""
