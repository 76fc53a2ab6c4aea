"""What a centre delivers again because it never read that we had it.

A response of ours may be lost with its connection. Then the centre delivers the message once more, equal to the last
octet but for its sequence number, soon after it is bound again. Nothing in most dialects, and nothing in an SMS, tells
such a repeat from somebody who says the same thing twice; what tells them apart is what the centre can have known. TCP
keeps the order, so whoever answers a request of ours has read all responses that were written before it. Of the
others, when the connection is lost, nobody knows: their messages are in doubt, and one that comes again in time is
acknowledged and not done again. Each counts once.

The store holds a row for every unit of work, so that a process which dies between the commit and the write finds out
what it had not said yet. docs/explanation/unit-of-work.md has the rule with its limits.
"""

import math
import struct
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from data.model import Acknowledged

AGAIN_S = 60.0
"""A repeat comes within this after the centre is bound again."""
_UNREAD_S = 10.0  # no response stays unread for longer on a connection that is alive


class ReadMark(NamedTuple):
    """What the peer of a connection has been told: our responses until now, and how many it is known to have read."""

    connection: str
    responses: int
    read: int


class _Unread(NamedTuple):
    responses: int
    when: float
    digests: Sequence[int]


class Repeats:
    """The messages of one link's centre that it may deliver again. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._unread: dict[str, deque[_Unread]] = {}
        self._doubted: Counter[int] = Counter()
        self._until = math.inf

    @property
    def doubted(self) -> bool:
        """Whether anything may come again."""
        if self._doubted and self._clock() > self._until:
            self._doubted.clear()
        return bool(self._doubted)

    def claim(self, digest: int) -> bool:
        """Whether a message is a repeat; the next one that is equal is none, unless it was delivered twice as well."""
        if not self._doubted or not self.doubted or self._doubted[digest] <= 0:
            return False
        self._doubted[digest] -= 1
        return True

    def give_back(self, digests: Iterable[int]) -> None:
        """The unit of work that claimed these has failed: they will come once more."""
        self._doubted.update(digests)

    def acknowledged(self, told: ReadMark, digests: Sequence[int]) -> None:
        """These messages have been acknowledged on a connection; `told.responses` counts the responses to them."""
        unread, now = self._unread.setdefault(told.connection, deque()), self._clock()
        unread.append(_Unread(told.responses, now, digests))
        while unread and (unread[0].responses <= told.read or unread[0].when < now - _UNREAD_S):
            unread.popleft()

    def bound(self, others: Iterable[ReadMark] = ()) -> None:
        """A connection has been bound: what is in doubt comes now, or not at all.

        The `others` may be dead already, and nobody has noticed: then the new one was made in their place.
        """
        for told in others:
            self._doubt(told)
        self._until = self._clock() + AGAIN_S

    def left(self, connection: str) -> None:
        """A connection has been taken leave of in good order: its peer has read everything."""
        self._unread.pop(connection, None)

    def lost(self, told: ReadMark, others: bool) -> None:
        """A connection is gone; `others` says whether the centre is bound by another one still."""
        self._doubt(told)
        self._until = self._clock() + AGAIN_S if others else math.inf

    def _doubt(self, told: ReadMark) -> None:
        for unread in self._unread.pop(told.connection, ()):
            if unread.responses > told.read:
                self._doubted.update(unread.digests)

    def restore(self, rows: Sequence[Acknowledged]) -> None:
        """Take up what the process before this one had acknowledged on connections that ended with it."""
        for _, those in groupby(sorted(rows, key=lambda row: row.connection), key=lambda row: row.connection):
            of_one = list(those)
            read = max(row.read for row in of_one)
            newest = max(row.when for row in of_one)
            for row in of_one:
                if row.responses > read and row.when >= newest - _UNREAD_S:
                    self._doubted.update(unpack(row.digests))


def pack(digests: Sequence[int]) -> bytes:
    """Digests as the store keeps them, 8 octets each."""
    return struct.pack(f">{len(digests)}q", *digests)


def unpack(octets: bytes) -> tuple[int, ...]:
    """The digests in them."""
    return struct.unpack(f">{len(octets) // 8}q", octets)
