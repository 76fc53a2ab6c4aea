"""What waits for an ESME: every deliver_sm stays here until the ESME has said that it took it.

The queue keeps its order: a message that comes back (the link broke, the response got lost, the ESME was busy)
stands where it stood before. While the ESME is busy nothing is taken out at all; a message that the ESME has
trouble with steps aside for a while, so that it does not hold up the others. Time is a number.
"""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.dialect import Message
from gateway.smpp.pdu import AlertNotification


class QueueFull(Exception):
    """Too much waits for this ESME already."""


@dataclass(slots=True, eq=False)
class UssdDialogue:
    """A USSD dialogue as the centre holds it.

    `unit` numbers the messages of both sides; `told` says that the ESME may know of the dialogue; `over` that
    nothing more of it is to be delivered, except that it is over. `owed`: the ESME's answer is awaited; `closes`: the
    subscriber's next answer ends it.
    """

    msisdn: str
    system_id: str
    service_addr: str
    session: int
    opened: float
    deadline: float
    unit: int = 0
    told: bool = False
    over: bool = False
    owed: bool = False
    closes: bool = False


@dataclass(slots=True, eq=False)
class Delivery:
    """A deliver_sm, or an alert_notification, on its way.

    `dialogue` is None for what belongs to none; `farewell` says that a dialogue ended.
    """

    number: int
    pdu: Message | AlertNotification
    expires: float
    dialogue: UssdDialogue | None = None
    farewell: bool = False
    pause_s: float = 0.0
    due: float = 0.0

    def dead(self, now: float) -> bool:
        """Whether it is of no use any more."""
        if now >= self.expires:
            return True
        return self.dialogue is not None and self.dialogue.over and not self.farewell


class DeliveryQueue:
    """The deliver_sm for one ESME, in order. `limit` bounds those that wait or are under way."""

    def __init__(self, limit: int, retry_first_s: float, retry_most_s: float):
        self._limit, self._retry_first_s, self._retry_most_s = limit, retry_first_s, retry_most_s
        self._waiting: deque[Delivery] = deque()
        self._under_way: set[Delivery] = set()
        self._aside: list[Delivery] = []
        self._count = 0
        self._pause_s = 0.0
        self._paused_until = 0.0

    def __len__(self) -> int:
        return self.waiting + len(self._under_way)

    @property
    def waiting(self) -> int:
        """How many are not under way."""
        return len(self._waiting) + len(self._aside)

    def deadline(self, now: float) -> float | None:
        """When there is something to take that cannot be taken now; None: nothing will come of time alone."""
        times = [max(delivery.due, self._paused_until) for delivery in self._aside]
        if self._waiting:
            times.append(self._paused_until)
        return min((when for when in times if when > now), default=None)

    def require_room(self, count: int, now: float) -> None:
        """Raises `QueueFull` unless `count` more fit."""
        if len(self) + count > self._limit:
            self._waiting = deque(delivery for delivery in self._waiting if not delivery.dead(now))
            self._aside = [delivery for delivery in self._aside if not delivery.dead(now)]
        if len(self) + count > self._limit:
            raise QueueFull(f"{len(self)} messages are waiting for the application already")

    def put(
        self,
        pdu: Message | AlertNotification,
        now: float,
        expires: float = math.inf,
        dialogue: UssdDialogue | None = None,
        farewell: bool = False,
    ) -> None:
        """Queue a deliver_sm. Raises `QueueFull`."""
        self.require_room(1, now)
        self._count += 1
        self._waiting.append(Delivery(self._count, pdu, expires, dialogue, farewell))

    def take(self, now: float) -> Delivery | None:
        """The next one, now under way: report it with `done`, `give_back`, `busy` or `trouble`.

        None: there is nothing, or nothing that may be taken yet.
        """
        if now < self._paused_until:
            return None
        if self._aside:
            self._come_back(now)
        while self._waiting:
            delivery = self._waiting.popleft()
            if not delivery.dead(now):
                self._under_way.add(delivery)
                return delivery
        return None

    def done(self, delivery: Delivery) -> None:
        """The ESME took it, or will never take it."""
        self._under_way.discard(delivery)
        self._pause_s = 0.0

    def give_back(self, deliveries: Iterable[Delivery]) -> None:
        """Nobody knows whether the ESME took these: they are delivered again, in their old places."""
        returned = [delivery for delivery in deliveries if delivery in self._under_way]
        self._under_way.difference_update(returned)
        self._put_back(returned)

    def busy(self, delivery: Delivery, now: float) -> None:
        """The ESME has no room: give back, and pause everything, longer each time."""
        self.give_back([delivery])
        if now >= self._paused_until:
            self._pause_s = self._longer(self._pause_s)
            self._paused_until = now + self._pause_s

    def trouble(self, delivery: Delivery, now: float) -> None:
        """The ESME failed at this one: it steps aside, longer each time."""
        self._under_way.discard(delivery)
        delivery.pause_s = self._longer(delivery.pause_s)
        delivery.due = now + delivery.pause_s
        self._aside.append(delivery)

    def fresh_start(self) -> None:
        """The ESME has come back: pauses are over, everything stands in its old place."""
        self._pause_s = self._paused_until = 0.0
        self._come_back(math.inf)

    def _come_back(self, now: float) -> None:
        back = [delivery for delivery in self._aside if delivery.due <= now]
        if back:
            self._aside = [delivery for delivery in self._aside if delivery.due > now]
            self._put_back(back)

    def _put_back(self, deliveries: list[Delivery]) -> None:
        if deliveries:
            self._waiting = deque(sorted([*deliveries, *self._waiting], key=lambda delivery: delivery.number))

    def _longer(self, pause_s: float) -> float:
        return min(max(pause_s * 2, self._retry_first_s), self._retry_most_s)
