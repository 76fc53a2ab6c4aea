"""What happened on one phone, numbered, for everybody who watches it.

A watcher asks for what came after the number it has seen, and may wait for it. Nobody is sent anything, so a
slow watcher holds up nobody: who stays away too long is told that he missed something.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any

from smpp_sim.watching import Watchers

MAX_EVENTS = 200
"""Events kept of a phone; the oldest goes first."""
MAX_WATCHERS = 64
"""Watchers that may wait on one phone at one time."""


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One thing that happened. `at` is Unix time; `data` is ready for JSON, its keys depend on `kind`."""

    number: int
    at: float
    kind: str
    data: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """For JSON: number, at, kind, and what belongs to the kind beside them."""
        return {"number": self.number, "at": round(self.at, 3), "kind": self.kind, **self.data}


class EventLog:
    """The last events of a phone; `last` is the number of the newest, 0 before the first."""

    def __init__(self) -> None:
        self.last = 0
        self._events: deque[LogEvent] = deque(maxlen=MAX_EVENTS)
        self.watchers = Watchers("this phone", MAX_WATCHERS)
        self._closed = False

    def add(self, kind: str, data: dict[str, Any], at: float) -> None:
        """Note an event and wake whoever waits."""
        self.last += 1
        self._events.append(LogEvent(self.last, at, kind, data))
        self.watchers.wake()

    def after(self, number: int, kinds: frozenset[str] = frozenset()) -> list[LogEvent]:
        """Events with a higher number, oldest first; of these kinds only, unless none is named."""
        return [
            event for event in self._events if event.number > number and (not kinds or event.kind in kinds)
        ]

    @property
    def forgotten(self) -> int:
        """Number of the newest event that is no longer kept, 0 when all are."""
        return self._events[0].number - 1 if self._events else 0

    def missed(self, number: int) -> bool:
        """Whether events after `number` are already forgotten."""
        return number < self.forgotten

    async def wait(self, number: int, kinds: frozenset[str], timeout_s: float) -> list[LogEvent]:
        """Like `after`, but waits for the first one, at most `timeout_s`; then the list is empty.

        Raises `TooManyWatchers`.
        """
        deadline = asyncio.get_running_loop().time() + timeout_s
        while not (found := self.after(number, kinds)) and not self._closed:
            if not await self.watchers.wait(deadline):
                break
        return found

    def close(self) -> None:
        """Nothing will happen here any more: everybody who waits gets what there is."""
        self._closed = True
        self.watchers.wake()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed
