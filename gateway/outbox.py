"""What is committed and not yet taken by the centre, of one link.

The store holds every answer until a positive submit_sm_resp; this is only the part of it that is kept at hand, in
the order of the store's ids. A centre that throttles makes the whole queue wait and keep its order; a message
that fails for now waits alone. Nothing here is lost with the process: a link that binds starts from the store.
"""

import enum
from dataclasses import dataclass
from heapq import heappop, heappush

from data.model import Outgoing
from gateway.smpp.vocabulary import (
    ESME_RMSGQFUL,
    ESME_ROK,
    ESME_RSUBMITFAIL,
    ESME_RSYSERR,
    ESME_RTHROTTLED,
    ESME_RX_T_APPN,
)

# The centre has no room: everybody waits (SMPP 3.4 §5.1.3, table 5-2).
THROTTLED = frozenset({ESME_RTHROTTLED, ESME_RMSGQFUL})
# This message, later.
TEMPORARY = frozenset({ESME_RSYSERR, ESME_RX_T_APPN, ESME_RSUBMITFAIL})


class Verdict(enum.Enum):
    """What a response means for the message."""

    TAKEN = enum.auto()
    RETRY = enum.auto()
    FAILED = enum.auto()


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double: `first_s`, 2·`first_s`, … up to `max_s`."""

    first_s: float = 0.1
    max_s: float = 30

    def after(self, failures: int) -> float:
        """Seconds to wait after that many failures in a row (from 1)."""
        return min(self.max_s, self.first_s * 2 ** min(failures - 1, 30))


class Outbox:
    """The queue of one link. Times are monotonic seconds, except `Outgoing.expires`, which is the wall's."""

    def __init__(self, limit: int, backoff: Backoff | None = None):
        self._limit = limit
        self._backoff = backoff or Backoff()
        self._ready: list[Outgoing] = []
        self._later: list[tuple[float, Outgoing]] = []
        self._failures: dict[int, int] = {}
        self._throttles = 0
        self._paused_until = 0.0
        self.last_id = 0
        self.more_in_store = True

    def __len__(self) -> int:
        return len(self._ready) + len(self._later)

    @property
    def full(self) -> bool:
        """Whether new messages had better be refused for now: what is at hand, or in the store behind it, is enough."""
        return len(self) >= self._limit or (self.more_in_store and len(self) > 0)

    @property
    def wants_refill(self) -> bool:
        """Whether the store may hold messages beyond `last_id` and there is room for them."""
        return self.more_in_store and not self._ready

    def put(self, message: Outgoing) -> None:
        """Queue what has just been committed; what is beyond the limit stays in the store until there is room."""
        if self.more_in_store or self.full:
            self.more_in_store = True
        else:
            self.last_id = message.id
            heappush(self._ready, message)

    def refill(self, messages: list[Outgoing], more: bool) -> None:
        """Queue what the store holds beyond `last_id`; `more` says whether it holds still more behind that."""
        for message in messages:
            heappush(self._ready, message)
        if messages:
            self.last_id = messages[-1].id
        self.more_in_store = more

    def restart(self) -> None:
        """Forget the queue: the link is down, and its next bind reads the store from the beginning."""
        self._ready.clear()
        self._later.clear()
        self.last_id = 0
        self.more_in_store = True

    def pop(self, now: float) -> Outgoing | None:
        """The next message to send, or None when none is due."""
        while self._later and self._later[0][0] <= now:
            heappush(self._ready, heappop(self._later)[1])
        if not self._ready or now < self._paused_until:
            return None
        return heappop(self._ready)

    def due(self) -> float | None:
        """When `pop` is worth another call although nothing came in; None when nothing waits for a time."""
        times = [when for when, _ in self._later[:1]]
        if self._ready:
            times.append(self._paused_until)
        return min(times, default=None)

    def settle(self, message: Outgoing, status: int, now: float, wall: float) -> Verdict:
        """Take note of the centre's answer. RETRY has queued the message again; the other two are the store's."""
        if status == ESME_ROK:
            self._throttles = 0
            self._failures.pop(message.id, None)
            return Verdict.TAKEN
        if status in THROTTLED:
            if now >= self._paused_until:  # a whole window that is refused at once is one refusal
                self._throttles += 1
                self._paused_until = now + self._backoff.after(self._throttles)
            heappush(self._ready, message)
            return Verdict.RETRY
        if status in TEMPORARY and wall < message.expires:
            return self.retry(message, now)
        return Verdict.FAILED

    def forget(self, message: Outgoing) -> None:
        """The message is given up."""
        self._failures.pop(message.id, None)

    def retry(self, message: Outgoing, now: float) -> Verdict:
        """Send it again after a while: its response said so, or never came."""
        failures = self._failures[message.id] = self._failures.get(message.id, 0) + 1
        heappush(self._later, (now + self._backoff.after(failures), message))
        return Verdict.RETRY
