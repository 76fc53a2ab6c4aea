"""What is committed and not yet taken by the centre, of one link.

The store holds every answer until a positive response; this is only the part of it that is kept at hand: a lane for
each kind of message, each in the order of the store's ids. Somebody who looks at his display is served before a
notice, and a notice before a mailing. A centre that throttles makes the whole queue wait and keep its order; a
message that fails for now waits alone. Nothing here is lost with the process: a link that binds starts from the
store.
"""

import enum
import math
from collections import OrderedDict
from collections.abc import Collection, Sequence
from heapq import heappop, heappush
from typing import NamedTuple

from data.model import Outgoing, OutgoingKind
from gateway.backoff import Backoff
from gateway.links.flow import Flow
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

PRIORITY: tuple[OutgoingKind, ...] = ("ussd", "reply", "sms", "mailing")
"""Kinds of messages, the most urgent first: screens, answers to SMS, notices, mailings."""

_SCREEN_PAUSE_S = (
    2.0  # somebody looks at his display: however long the centre throttles, it is asked this often
)


class Verdict(enum.Enum):
    """What a response means for the message."""

    TAKEN = enum.auto()
    RETRY = enum.auto()
    FAILED = enum.auto()


class Fragment(NamedTuple):
    """One of several PDUs of a long message; it stands in the queue where its message stood."""

    id: int
    """That of the message."""
    number: int
    """From 1."""
    message: Outgoing
    frame: bytes

    @property
    def msisdn(self) -> str:
        """Of the message."""
        return self.message.msisdn

    @property
    def kind(self) -> OutgoingKind:
        """Of the message."""
        return self.message.kind

    @property
    def expires(self) -> float:
        """Of the message."""
        return self.message.expires


Item = Outgoing | Fragment
"""What waits in the queue. Two of them are told apart by their first two fields."""

ITEMS = (Outgoing, Fragment)
"""The classes of an item, for `isinstance`."""


class Lane:
    """The messages of one kind. `last_id` is the last that was read from the store, or put behind those."""

    __slots__ = ("kind", "last_id", "left_behind", "limit", "longest_pause_s", "more_in_store", "ready")

    def __init__(self, kind: OutgoingKind, limit: int):
        self.kind, self.limit = kind, limit
        self.longest_pause_s = _SCREEN_PAUSE_S if kind == "ussd" else math.inf
        self.restart()

    def restart(self) -> None:
        """Begin with the store again."""
        self.ready: list[Item] = []
        self.last_id = 0
        self.more_in_store = True
        self.left_behind = False

    @property
    def full(self) -> bool:
        """Whether what is at hand, or in the store behind it, is enough."""
        return len(self.ready) >= self.limit or (self.more_in_store and len(self.ready) > 0)

    def put(self, message: Outgoing) -> None:
        """Queue what has just been committed; what is beyond the limit stays in the store until there is room.

        One from another link may stand before `last_id`, where nobody would look for it in the store again.
        """
        if message.id <= self.last_id:
            heappush(self.ready, message)
        elif self.more_in_store or len(self.ready) >= self.limit:
            self.more_in_store = self.left_behind = True
        else:
            self.last_id = message.id
            heappush(self.ready, message)

    def refill(self, messages: Sequence[Outgoing], more: bool) -> None:
        """Queue what the store holds beyond `last_id`; `more` says whether it holds still more behind that."""
        for message in messages:
            heappush(self.ready, message)
        if messages:
            self.last_id = messages[-1].id
        self.more_in_store = more or self.left_behind


class SendQueue:
    """The queue of one link. Times are monotonic seconds, except `Outgoing.expires`, which is the wall's.

    `limit` messages of each kind are kept at hand. `flow` hears what the centre makes of them.
    """

    def __init__(self, limit: int, flow: Flow, backoff: Backoff | None = None):
        self._lanes = [Lane(kind, limit) for kind in PRIORITY]
        self._lane = {lane.kind: lane for lane in self._lanes}
        self._flow = flow
        self._backoff = backoff or Backoff()
        self._later: list[tuple[float, Item]] = []
        self._failures: dict[tuple[object, ...], int] = {}
        self._withdrawn: OrderedDict[int, None] = OrderedDict()
        # By MSISDN, of screens, the oldest first. A dict would look for its first among all that it has lost.
        self._newest: OrderedDict[str, int] = OrderedDict()
        self._limit = limit
        self._throttles = 0
        self._paused_at = self._paused_until = 0.0
        self.generation = 0
        """How often the queue has begun anew."""

    def __len__(self) -> int:
        return sum(len(lane.ready) for lane in self._lanes) + len(self._later)

    @property
    def full(self) -> bool:
        """Whether new questions had better be refused for now. Mailings do not count: nobody waits for them."""
        return any(lane.full for lane in self._lanes if lane.kind != "mailing")

    def wanting(self) -> Lane | None:
        """The lane that the store should fill before anything else is popped; None when all is in order.

        What is put from here on may come too late for that reading, and makes another one necessary.
        """
        for lane in self._lanes:
            if lane.ready:
                return None
            if lane.more_in_store:
                lane.left_behind = False
                return lane
        return None

    def put(self, message: Outgoing) -> None:
        """Queue what has just been committed."""
        self._lane[message.kind].put(message)
        if message.kind == "ussd":
            self._note_newest(message)

    def _note_newest(self, message: Outgoing) -> None:
        self._newest[message.msisdn] = message.id
        self._newest.move_to_end(message.msisdn)
        if len(self._newest) > self._limit:
            self._newest.popitem(last=False)

    def withdraw(self, ids: Collection[int]) -> None:
        """These are not to be sent any more, wherever they are: in the queue, or under way and coming back."""
        self._withdrawn.update(dict.fromkeys(ids))
        while len(self._withdrawn) > self._limit:
            self._withdrawn.popitem(last=False)

    def is_stale(self, message: Item) -> bool:
        """Whether it is a screen that was sent without a response, and a newer one for this phone followed.

        Sent again it would cover the newer one, or answer a question that has been answered. Of what the store held at
        the bind nobody knows that: it is sent.
        """
        if message.kind != "ussd" or message[:2] not in self._failures:
            return False
        return self._newest.get(message.msisdn, 0) > message.id

    def restart(self) -> None:
        """Forget the queue: the link is down, and its next bind reads the store from the beginning."""
        self.generation += 1
        for lane in self._lanes:
            lane.restart()
        self._later.clear()
        self._failures.clear()
        self._newest.clear()
        self._throttles = 0
        self._paused_at = self._paused_until = 0.0

    def pop(self, now: float) -> Item | None:
        """The next message to send, or None when none is due."""
        while self._later and self._later[0][0] <= now:
            self._come_back(heappop(self._later)[1])
        for lane in self._lanes:
            while lane.ready:
                if now < self._paused(lane):
                    return None
                item = heappop(lane.ready)
                if not self._withdrawn or item.id not in self._withdrawn:
                    return item
                self.forget(item)
        return None

    def push(self, parts: Sequence[Fragment]) -> None:
        """Put the parts of a message that was popped in its place."""
        for part in parts:
            self._come_back(part)

    def due(self) -> float | None:
        """When `pop` is worth another call although nothing came in; None when nothing waits for a time."""
        times = [when for when, _ in self._later[:1]]
        times += [self._paused(lane) for lane in self._lanes if lane.ready][:1]
        return min(times, default=None)

    def settle(self, message: Item, status: int, now: float, wall: float) -> Verdict:
        """Take note of the centre's answer. RETRY has queued the message again; the other two are the store's."""
        if status == ESME_ROK:
            self._throttles = 0
            self._flow.taken()
            self.forget(message)
            return Verdict.TAKEN
        if status in THROTTLED:
            self._pause(message, now)
            self._come_back(message)
            return Verdict.RETRY
        if status in TEMPORARY and wall < message.expires:
            return self.retry(message, now)
        return Verdict.FAILED

    def forget(self, message: Item) -> None:
        """Nothing more is to be done with the message."""
        if self._failures:
            self._failures.pop(message[:2], None)

    def retry(self, message: Item, now: float) -> Verdict:
        """Send it again after a while: its response said so, or never came."""
        failures = self._failures[message[:2]] = self._failures.get(message[:2], 0) + 1
        heappush(self._later, (now + self._backoff.after(failures), message))
        return Verdict.RETRY

    def _pause(self, message: Item, now: float) -> None:
        """Wait as a whole, longer each time; a whole window that is refused at once is one refusal."""
        if now >= self._paused_until:
            self._throttles += 1
            self._paused_until = now + self._backoff.after(self._throttles)
        elif now < self._paused(self._lane[message.kind]):
            return
        self._paused_at = now
        self._flow.throttled()

    def _paused(self, lane: Lane) -> float:
        """Until when nothing of the lane is sent."""
        return min(self._paused_until, self._paused_at + lane.longest_pause_s)

    def _come_back(self, message: Item) -> None:
        heappush(self._lane[message.kind].ready, message)
