"""What leaves by a link: its queue, sent by whichever of its connections may carry it, and what becomes of it.

A message is the store's until the centre has taken it, and what the centre made of it is told to the store with the
next unit of work. Between the two a message is in one place only: in the queue, under way on a connection, or among the
outcomes; a connection that is lost hands back what was under way on it.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

import structlog

from data.model import Outgoing
from gateway.alarm import Alarm
from gateway.links.connection import Connection
from gateway.links.flow import Flow
from gateway.links.outbox import ITEMS, Fragment, Item, Lane, SendQueue, Verdict
from gateway.settings import LinkSettings
from gateway.smpp import pdu as pdus
from gateway.smpp.errors import LocalProtocolError
from gateway.smpp.events import Response, Unanswered
from gateway.smpp.session import Session, State
from gateway.smpp.vocabulary import ESME_ROK, ESME_RUNKNOWNERR, status_name
from gateway.turns.dialogues import Dialogues
from gateway.turns.receipts import AwaitedReceipts
from gateway.turns.sms import carried_in
from gateway.turns.station import Station
from gateway.turns.work import Outcomes
from gateway.watch.metrics import Metrics

log = structlog.get_logger(__name__)

_REFILL = 1000
_STORE_AGAIN_S = 0.5

_MAY_CARRY = {
    "esme": (State.BOUND_TX, State.BOUND_TRX),
    "smsc": (State.BOUND_RX, State.BOUND_TRX),
}
_NOT_OURS = {
    "esme": pdus.DeliverSm.command_id.to_bytes(4, "big"),
    "smsc": pdus.SubmitSm.command_id.to_bytes(4, "big"),
}
_TAKEN = (pdus.SubmitSmResp, pdus.DeliverSmResp, pdus.DataSmResp)


class Outward:
    """The sending half of a link. Times are those of `clock`, monotonic seconds."""

    def __init__(
        self,
        settings: LinkSettings,
        station: Station,
        dialogues: Dialogues,
        metrics: Metrics,
        clock: Callable[[], float],
    ):
        self.connections: list[Connection] = []
        self.down_since: float | None = clock()
        """When the last connection that could carry a message was lost; None while there is one."""
        self.sms_taken = False
        """Whether the centre has taken an SMS, which may have held a secret, since somebody reset this."""
        self.receipts = AwaitedReceipts(settings.name, station.receipt_ids, metrics)
        self._settings, self._station = settings, station
        self._dialogues, self._metrics, self._clock = dialogues, metrics, clock
        self._log = log.bind(link=settings.name)
        self._flow = Flow(settings.window, settings.rate)
        self._outbox = SendQueue(settings.backlog, self._flow)
        self._outcomes = Outcomes()
        self._being_told: list[Outcomes] = []
        self._parts: dict[int, int] = {}  # of long messages: how many have not been taken
        self._reading = asyncio.Lock()  # of the store, by one connection at a time
        self._skipped = 0  # messages that were given up, or not sent again
        self._may_hold: set[Connection] = set()  # messages of ours; until it has left, whatever its state
        self._may_carry = _MAY_CARRY[settings.role]
        self._not_ours = _NOT_OURS[settings.role]
        self._alarm = Alarm(self.wake)
        metrics.link_up.labels(settings.name).set(0)
        metrics.backlog.labels(settings.name).set(0)
        metrics.window.labels(settings.name).set(self._flow.window)

    def __len__(self) -> int:
        return len(self._outbox)

    @property
    def full(self) -> bool:
        """Whether new questions had better be refused for now."""
        return self._outbox.full

    @property
    def window(self) -> int:
        """Requests that may wait for their response on one connection, just now."""
        return self._flow.window

    # --- connections

    def joined(self, connection: Connection) -> None:
        """A connection has been bound."""
        self.connections.append(connection)
        if connection in self._carriers():
            self._may_hold.add(connection)
            self.down_since = None
        self._metrics.link_up.labels(self._settings.name).set(len(self.connections))

    def left(self, connection: Connection) -> None:
        """A connection that had joined is gone. What was on its way by it waits for another."""
        self.connections.remove(connection)
        self._hand_back(connection)
        self._metrics.link_up.labels(self._settings.name).set(len(self.connections))
        if not self._carriers():
            self.down_since = self.down_since or self._clock()
        # With others about to hand back, or to go on, the store would be read too early.
        if not self._may_hold:
            self._outbox.restart()
            self._parts.clear()
            self._metrics.backlog.labels(self._settings.name).set(0)
        if not self.connections:
            self._alarm.cancel()
        self.wake()

    def wake(self) -> None:
        """Have one of the pumps look at the queue: not one that waits for a peer who does not read."""
        if self.connections:
            next((one for one in self.connections if one.writable), self.connections[0]).wake()

    def _carriers(self) -> list[Connection]:
        return [one for one in self.connections if one.session.state in self._may_carry]

    def _hand_back(self, connection: Connection) -> None:
        """Take from a connection that ended in the middle of something what was under way by it."""
        self._may_hold.discard(connection)
        connection.session.receive_eof(self._clock())
        for event in connection.session.events():
            match event:
                case Response():
                    self.on_response(event)
                case Unanswered():
                    self.on_unanswered(event)

    # --- what is to leave

    def put(self, messages: Sequence[Outgoing]) -> None:
        """Queue what has just been committed for this link; unbound, it finds it in the store later."""
        for message in messages:
            self._outbox.put(message)

    def withdraw(self, ids: Collection[int]) -> None:
        """Send these no more."""
        self._outbox.withdraw(ids)

    async def send(self, current: Connection) -> None:
        """Fill the windows from the queue, and the queue from the store; `current` is written by its own pump."""
        now, wall = self._clock(), time.time()
        limited, allowance = bool(self._settings.rate), self._flow.allowance(now)
        room, skipped = 0, self._skipped
        for connection in self._by_promise():
            session = connection.session
            window = min(session.window_free, self._flow.window - session.pending)
            room = min(window, allowance) if limited else window
            if not connection.writable:
                room = 0
            sent = await self._fill(session, room, now, wall)
            allowance -= sent
            room -= sent
            self._flow.spend(sent)
            if sent and connection is not current:
                connection.flush()
            if room > 0:
                break  # nothing is left to be sent
        if (
            self._skipped > skipped
        ):  # the store has to be told; older ones are there because it fails just now
            self.wake()
        if room > 0:
            self._set_alarm(self._outbox.due())
        elif limited and not allowance:
            self._set_alarm(self._flow.due(now))

    def _by_promise(self) -> list[Connection]:
        """The carriers, those first that answer, and of them the least busy."""
        carriers = self._carriers()
        if len(carriers) > 1:
            carriers.sort(key=lambda one: (one.session.unanswered, one.session.pending))
        return carriers

    async def _fill(self, session: Session, room: int, now: float, wall: float) -> int:
        """Send as many as there is room for; how many that were."""
        sent = 0
        while sent < room:
            if (lane := self._outbox.wanting()) is not None:
                if await self._refill(lane):
                    continue
                break
            item = self._outbox.pop(now)
            if item is None:
                break
            if self._outbox.is_stale(item):
                self._skip(item)
                continue
            if item.expires < wall:
                if self._give_up(item, "expired") >= _REFILL:
                    break
                continue
            frame = item.frame or self._encoded(item)
            if frame is None:
                continue
            if frame[4:8] == self._not_ours:  # it was to leave by a link of the other role
                frame = carried_in(frame, self._station.carrier)
            try:
                session.send_encoded(frame, now, item)
            except LocalProtocolError as error:  # a peer of an older version has no place for it
                self._give_up(item, str(error))
            else:
                sent += 1
        return sent

    def _encoded(self, item: Item) -> bytes | None:
        """The PDU of a message; None: it is a long one, and its fragments stand in the queue in its place."""
        assert isinstance(item, Outgoing), "fragments are encoded"
        frames = self._station.sms.frames(self._station.carrier, item)
        if len(frames) == 1:
            return frames[0]
        self._parts[item.id] = len(frames)
        self._outbox.push([Fragment(item.id, number, item, frame) for number, frame in enumerate(frames, 1)])
        return None

    async def _refill(self, lane: Lane) -> bool:
        """Go on with the store, but for what the centre has taken and the store could not yet be told of.

        False: the store fails just now.
        """
        async with self._reading:
            if lane is not self._outbox.wanting():  # somebody has read it meanwhile
                return True
            settled, generation = self._untold(), self._outbox.generation
            try:
                rows = await self._dialogues.unsent(self._station, lane.kind, lane.last_id, _REFILL)
            except Exception as error:
                self._log.error("the store cannot be read", reason=str(error))
                self.try_store_again()
                return False
            if generation != self._outbox.generation:  # the link went down, and begins anew
                return True
            settled |= self._untold()
            lane.refill([row for row in rows if row.id not in settled], more=len(rows) == _REFILL)
            if rows:
                lane.last_id = max(lane.last_id, rows[-1].id)
            return True

    def _untold(self) -> set[int]:
        """The messages that the store still holds although nothing is to be done for them."""
        return set().union(*(outcomes.ids for outcomes in (self._outcomes, *self._being_told)))

    # --- what became of it

    @property
    def has_outcomes(self) -> bool:
        """Whether the store has still to be told of something."""
        return bool(self._outcomes)

    @contextmanager
    def told(self) -> Iterator[Outcomes]:
        """The outcomes, for a unit of work that tells the store; a unit that fails leaves them to the next."""
        outcomes, self._outcomes = self._outcomes, Outcomes()
        self._being_told.append(outcomes)
        try:
            yield outcomes
        except BaseException:
            self._outcomes = outcomes + self._outcomes
            raise
        finally:
            self._being_told.remove(outcomes)
        self._metrics.answers.labels(self._settings.name, "taken").inc(len(outcomes.taken))

    def try_store_again(self) -> None:
        """The store has failed: look again soon, for what was taken has still to be deleted there."""
        self._set_alarm(self._clock() + _STORE_AGAIN_S)

    def on_response(self, event: Response) -> None:
        """The centre has answered a message of ours."""
        item, response = event.context, event.pdu
        if not isinstance(item, ITEMS):
            return
        if response.command_status == ESME_ROK and isinstance(response, _TAKEN):
            self._outbox.settle(item, ESME_ROK, 0, 0)
            if item.kind != "ussd":
                self._note_sms(item, response.message_id)
            if not isinstance(item, Fragment) or self._is_whole(item):
                self._outcomes.taken.append(item.id)
        else:
            self._judge(item, response.command_status or ESME_RUNKNOWNERR)  # 0 in a generic_nack is no yes

    def _note_sms(self, item: Item, message_id: str) -> None:
        self.sms_taken = True
        if self._settings.receipts and (sent := self.receipts.expect(item.id, item.msisdn, message_id)):
            self._outcomes.sent.append(sent)

    def _is_whole(self, fragment: Fragment) -> bool:
        """Whether the centre has all of a message, one fragment of which it has just taken."""
        left = (
            self._parts.get(fragment.id, 0) - 1
        )  # without an entry it was given up, whatever is under way of it
        if left > 0:
            self._parts[fragment.id] = left
        else:
            self._parts.pop(fragment.id, None)
        return left == 0

    def _judge(self, item: Item, status: int) -> None:
        if self._outbox.settle(item, status, self._clock(), time.time()) is Verdict.FAILED:
            self._give_up(item, status_name(status))
        else:
            self._metrics.answers.labels(self._settings.name, "retry").inc()
            self._metrics.window.labels(self._settings.name).set(self._flow.window)

    def on_unanswered(self, event: Unanswered) -> None:
        """Nobody knows whether the centre has taken it: it is sent again (W4)."""
        item = event.context
        if not isinstance(item, ITEMS):
            return
        if time.time() < item.expires:
            self._outbox.retry(item, self._clock())
        else:
            self._give_up(item, "no response")

    def _skip(self, item: Item) -> None:
        self._skipped += 1
        self._outcomes.taken.append(item.id)
        self._outbox.forget(item)
        self._metrics.answers.labels(self._settings.name, "stale").inc()

    def _give_up(self, item: Item, reason: str) -> int:
        """Have the store told that the message has failed, with all its parts; how many wait for that."""
        self._outbox.forget(item)
        if isinstance(item, Fragment):
            if self._parts.pop(item.id, None) is None:
                return len(self._outcomes.failed)
            self._outbox.withdraw([item.id])
        self._skipped += 1
        self._outcomes.failed.append((item.id, reason))
        self._metrics.answers.labels(self._settings.name, "failed").inc()
        self._log.warning("answer given up", id=item.id, reason=reason)
        return len(self._outcomes.failed)

    # --- time

    def _set_alarm(self, when: float | None) -> None:
        """Look at the queue then, if not earlier."""
        if self.connections:
            self._alarm.arm(when)
