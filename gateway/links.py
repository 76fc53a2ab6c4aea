"""A link: one SMSC or USSD centre, and what goes to and fro between it and the dialogues.

A link has as many connections as its centre and its settings want: one, a receiver and a transmitter that work as
one, or several that the centre has opened. How they come about is the business of `gateway.binds` and
`gateway.listener`; here they are the same. A message leaves by any that may carry it.
"""

import asyncio
import itertools
import math
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from data.model import Outgoing, QuarantineRecord
from data.store import StoreError
from gateway.connection import Connection
from gateway.dialogues import Dialogues
from gateway.flow import Flow
from gateway.metrics import Metrics
from gateway.outbox import Lane, Outbox, Verdict
from gateway.quarantine import Quarantine, octets_of
from gateway.receipts import AwaitedReceipts
from gateway.settings import Link as LinkSettings
from gateway.smpp import pdu as pdus
from gateway.smpp.errors import LocalProtocolError, RemoteProtocolError
from gateway.smpp.events import (
    Event,
    Notice,
    Quarantined,
    Refused,
    Request,
    Response,
    Stray,
    Unanswered,
    UnbindRequest,
)
from gateway.smpp.session import Role, Session, SessionSettings, State
from gateway.smpp.vocabulary import (
    ESME_RCANCELFAIL,
    ESME_RINVCMDID,
    ESME_ROK,
    ESME_RQUERYFAIL,
    ESME_RREPLACEFAIL,
    ESME_RTHROTTLED,
    ESME_RUNKNOWNERR,
    ESME_RX_R_APPN,
    ESME_RX_T_APPN,
    command_name,
    status_name,
)
from gateway.sms import carried_in
from gateway.work import Message, Outcomes, Work, station_of

log = structlog.get_logger(__name__)

_REFILL = 1000
_STORE_AGAIN_S = 0.5

_TURNS = {"esme": (pdus.DeliverSm, pdus.DataSm), "smsc": (pdus.SubmitSm, pdus.DataSm)}
_MAY_CARRY = {
    "esme": (State.BOUND_TX, State.BOUND_TRX),
    "smsc": (State.BOUND_RX, State.BOUND_TRX),
}
_NOT_OURS = {
    "esme": pdus.DeliverSm.command_id.to_bytes(4, "big"),
    "smsc": pdus.SubmitSm.command_id.to_bytes(4, "big"),
}
_TAKEN = (pdus.SubmitSmResp, pdus.DeliverSmResp, pdus.DataSmResp)
# What an ESME may ask of an SMSC, and the gateway as one does not offer.
_NOT_OFFERED = {
    pdus.QuerySm: ESME_RQUERYFAIL,
    pdus.CancelSm: ESME_RCANCELFAIL,
    pdus.ReplaceSm: ESME_RREPLACEFAIL,
}


class Source(Protocol):
    """Where connections of a link come from."""

    problem: str | None
    """Why there is none just now."""


class Link:
    """One [[links]] table at work. `joined` and `left` tell it of connections, `handle` of what they bring."""

    def __init__(
        self,
        settings: LinkSettings,
        dialogues: Dialogues,
        metrics: Metrics,
        quarantine: Quarantine,
        on_jobs: Callable[[], None],
        distribute: Callable[[Sequence[Outgoing]], None],
        clock: Callable[[], float] = time.monotonic,
    ):
        self.settings = settings
        self.name = settings.name
        self.station = station_of(settings)
        self.sources: list[Source] = []
        self.connections: list[Connection] = []
        self.stopping = asyncio.Event()
        self.down_since: float | None = clock()
        """When the last connection that could carry a message was lost; None while there is one."""
        self.sms_taken = False
        """Whether the centre has taken an SMS, which may have held a secret, since somebody reset this."""
        self.log = log.bind(link=settings.name)
        self.clock = clock
        self._dialogues = dialogues
        self._metrics = metrics
        self._quarantine = quarantine
        self._on_jobs, self._distribute = on_jobs, distribute
        self._flow = Flow(settings.window, settings.rate)
        self._peer_flow = Flow(settings.window, settings.peer_rate)
        self._outbox = Outbox(settings.backlog, self._flow)
        self._outcomes = Outcomes()
        self._being_written: list[Outcomes] = []
        self._receipts = AwaitedReceipts(self.name, metrics)
        self._message_ids = itertools.count(int(time.time()))
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = math.inf
        self._may_hold: set[Connection] = set()  # messages of ours; until it has `left`, whatever its state
        self._gone = asyncio.Event()
        self._turns = _TURNS[settings.role]
        self._may_carry = _MAY_CARRY[settings.role]
        self._not_ours = _NOT_OURS[settings.role]
        self._dispatch: dict[type[Event], Callable[..., None]] = {
            Response: self._on_response,
            Unanswered: self._on_unanswered,
            Refused: self._on_refused,
            Stray: self._on_stray,
            Notice: self._on_notice,
        }
        metrics.link_up.labels(self.name).set(0)
        metrics.window.labels(self.name).set(self._flow.window)

    # --- life

    @property
    def problem(self) -> str | None:
        """Why the link is down, or half of it; None while all is well."""
        return next((source.problem for source in self.sources if source.problem), None)

    def session_settings(self) -> SessionSettings:
        """For a session with this centre."""
        settings = self.settings
        return SessionSettings(
            window=settings.window,
            peer_window=settings.window,
            max_pdu_octets=settings.max_pdu_octets,
            session_init_timer_s=settings.connect_s,
            enquire_link_timer_s=settings.enquire_link_s,
            inactivity_timer_s=settings.inactivity_s,
            response_timer_s=settings.response_s,
        )

    def joined(self, connection: Connection) -> None:
        """A connection has been bound."""
        self.connections.append(connection)
        self._gone.clear()
        if connection in self._carriers():
            self._may_hold.add(connection)
            self.down_since = None
        self._metrics.link_up.labels(self.name).set(len(self.connections))
        state = connection.session.state.value
        self.log.info("link is bound", peer=connection.peer, state=state, connections=len(self.connections))

    def left(self, connection: Connection) -> None:
        """A connection that had joined is gone. What was on its way by it waits for another."""
        self.connections.remove(connection)
        self._hand_back(connection)
        self._metrics.link_up.labels(self.name).set(len(self.connections))
        if not self._carriers():
            self.down_since = self.down_since or self.clock()
        if not self._may_hold:  # others still have messages to hand back, which the store has, too
            self._outbox.restart()
            self._metrics.backlog.labels(self.name).set(0)
        if not self.connections:
            self._gone.set()
            self._stop_alarm()
        self._wake()

    def _hand_back(self, connection: Connection) -> None:
        """Take from a connection that ended in the middle of something what was under way by it."""
        self._may_hold.discard(connection)
        connection.session.receive_eof(self.clock())
        for event in connection.session.events():
            if isinstance(event, Response | Unanswered):
                self._dispatch[type(event)](event)

    async def stop(self, grace_s: float) -> None:
        """Take no new messages, see the answers under way through, unbind; all of it within `grace_s` seconds."""
        self.stopping.set()
        if not self.connections:
            return
        for connection in self.connections:
            connection.wake()
        try:
            await asyncio.wait_for(self._gone.wait(), grace_s)
        except TimeoutError:
            self.log.warning("link did not finish in time; what is unanswered stays in the store")
            for connection in self.connections:
                connection.abort()

    def deliver(self, answers: Sequence[Outgoing]) -> None:
        """Send what somebody else has just committed for this link; unbound, it finds it in the store later."""
        for answer in answers:
            self._outbox.put(answer)
        self._wake()

    def _wake(self) -> None:
        """Have one of the pumps look at the queue: not one that waits for a peer who does not read."""
        if self.connections:
            next((one for one in self.connections if one.writable), self.connections[0]).wake()

    def _carriers(self) -> list[Connection]:
        """The connections that may carry our messages."""
        return [one for one in self.connections if one.session.state in self._may_carry]

    # --- what a read brought

    async def handle(self, connection: Connection, events: list[Event]) -> None:
        """Do what the events of one connection ask for, in one unit of work; what it answers is sent by the caller."""
        requests: list[Message] = []
        unbind: UnbindRequest | None = None
        refusal = self._refusal()
        for event in events:
            kind = type(event)
            if kind is Request:
                if type(event.pdu) not in self._turns:
                    self._refuse(connection, event.pdu, _NOT_OFFERED.get(type(event.pdu), ESME_RINVCMDID))
                elif refusal or self._too_fast():
                    self._refuse(connection, event.pdu, refusal or ESME_RTHROTTLED)
                else:
                    requests.append(event.pdu)
            elif kind is UnbindRequest:
                unbind = event
            elif kind is Quarantined:
                self._put_aside(connection, event)
            elif act := self._dispatch.get(kind):
                act(event)
        if requests or self._outcomes:
            await self._work(connection, requests)
        await self._send_waiting(connection)
        if unbind:
            self.log.info("the centre unbinds", peer=connection.peer)
            connection.session.send(unbind.pdu.respond(), self.clock())
        elif self.stopping.is_set():
            self._leave(connection)

    async def replay(self, record: QuarantineRecord) -> None:
        """Handle a record of the quarantine as if its PDU had just come; nobody is acknowledged."""
        try:
            pdu = pdus.decode(record.octets)
        except RemoteProtocolError as error:
            work = await self._dialogues.handle(self.station, [], replayed=[record.id])
            self._quarantine.keep(self.name, record.peer, str(error), error.status, record.octets)
            return
        turns = [pdu] if isinstance(pdu, self._turns) else []
        work = await self._dialogues.handle(self.station, turns, replayed=[record.id])
        self._finish(work, record.peer)
        self._wake()

    def _refusal(self) -> int:
        """Why no message is taken in just now, as a command_status; 0 when it is."""
        if self.stopping.is_set():
            return ESME_RX_T_APPN
        return ESME_RTHROTTLED if self._outbox.full else 0

    def _too_fast(self) -> bool:
        if not self.settings.peer_rate:
            return False
        allowed = self._peer_flow.allowance(self.clock()) > 0
        self._peer_flow.spend(allowed)
        return not allowed

    def _refuse(self, connection: Connection, pdu: pdus.Pdu, status: int) -> None:
        self._metrics.refused.labels(self.name, status_name(status)).inc()
        connection.session.acknowledge(pdu, status)

    async def _work(self, connection: Connection, requests: list[Message]) -> None:
        """One unit of work. If the store fails, the centre keeps the messages and sends them again."""
        started = self.clock()
        outcomes, self._outcomes = self._outcomes, Outcomes()
        self._being_written.append(outcomes)
        try:
            work = await self._dialogues.handle(self.station, requests, outcomes)
        except Exception as error:
            self._outcomes = outcomes + self._outcomes
            self.log.error(
                "the store took nothing of this read",
                messages=len(requests),
                reason=str(error),
                exc_info=not isinstance(error, StoreError),
            )
            for pdu in requests:
                self._refuse(connection, pdu, ESME_RX_T_APPN)
            self._set_alarm(self.clock() + _STORE_AGAIN_S)  # what was taken has still to be deleted
            return
        finally:
            self._being_written.remove(outcomes)
        self._metrics.answers.labels(self.name, "taken").inc(len(outcomes.taken))
        self._acknowledge(connection.session, work)
        self._finish(work, connection.peer)
        self._count(work, self.clock() - started)

    def _acknowledge(self, session: Session, work: Work) -> None:
        for pdu, status in work.acknowledgements:
            if session.role is Role.ESME or status:
                session.acknowledge(pdu, status)
            else:  # an ESME is told the id of what it submitted
                message_id = f"{next(self._message_ids) & 0xFFFFFFFF:08x}"
                session.send(pdu.respond(message_id=message_id), self.clock())

    def _finish(self, work: Work, peer: str) -> None:
        """Have what was committed take its way."""
        elsewhere = []
        for answer in work.answers:
            if answer.link == self.name:
                self._outbox.put(answer)
            else:
                elsewhere.append(answer)
        if elsewhere:
            self._distribute(elsewhere)
        if work.jobs:
            self._on_jobs()
        for pdu, reason in work.misunderstood:
            self._quarantine.keep(self.name, peer, reason, ESME_RX_R_APPN, octets_of(pdu))
        for receipt, sent in work.receipts:
            self._receipts.note(receipt, sent)

    async def _send_waiting(self, current: Connection) -> None:
        """Fill the windows from the queue, and the queue from the store."""
        now, wall = self.clock(), time.time()
        allowance = self._flow.allowance(now) if self.settings.rate else math.inf
        room, failed = 0, len(self._outcomes.failed)
        for connection in self._carriers():
            session = connection.session
            window = min(session.window_free, self._flow.window - session.pending)
            room = min(window, allowance) if connection.writable else 0
            sent = await self._fill(session, room, now, wall)
            allowance -= sent
            room -= sent
            self._flow.spend(sent)
            if sent and connection is not current:
                connection.flush()
            if room > 0:
                break  # nothing is left to be sent
        if len(self._outcomes.failed) > failed:  # older ones are there because the store fails just now
            self._wake()
        if room > 0:
            self._set_alarm(self._outbox.due())
        elif not allowance:
            self._set_alarm(self._flow.due(now))

    async def _fill(self, session: Session, room: int, now: float, wall: float) -> int:
        """Send as many as there is room for; how many that were."""
        sent = 0
        while sent < room:
            if (lane := self._outbox.wanting()) is not None:
                if await self._refill(lane):
                    continue
                break
            message = self._outbox.pop(now)
            if message is None:
                break
            if message.expires < wall:
                if self._give_up(message, "expired") >= _REFILL:
                    break
                continue
            frame = message.pdu
            if frame[4:8] == self._not_ours:  # it was to leave by a link of the other role
                frame = carried_in(frame, self.station.carrier)
            try:
                session.send_encoded(frame, now, message)
            except LocalProtocolError as error:  # a peer of an older version has no place for it
                self._give_up(message, str(error))
            else:
                sent += 1
        return sent

    async def _refill(self, lane: Lane) -> bool:
        """Go on with the store, but for what the centre has taken and the store could not yet be told of.

        False: the store fails just now.
        """
        try:
            rows = await self._dialogues.unsent(self.station, lane.kind, lane.last_id, _REFILL)
        except Exception as error:
            self.log.error("the store cannot be read", reason=str(error))
            self._set_alarm(self.clock() + _STORE_AGAIN_S)
            return False
        settled = set().union(*(outcomes.ids for outcomes in (self._outcomes, *self._being_written)))
        lane.refill([row for row in rows if row.id not in settled], more=len(rows) == _REFILL)
        if rows:
            lane.last_id = max(lane.last_id, rows[-1].id)
        return True

    def _give_up(self, message: Outgoing, reason: str) -> int:
        """Have the store told that the message has failed; how many wait for that."""
        self._outcomes.failed.append((message.id, reason))
        self._outbox.forget(message)
        self._metrics.answers.labels(self.name, "failed").inc()
        self.log.warning("answer given up", id=message.id, reason=reason)
        return len(self._outcomes.failed)

    def _set_alarm(self, when: float | None) -> None:
        """Look at the queue then, if not earlier."""
        if when is None or not self.connections:
            return
        if when >= self._alarm_at:
            return
        self._stop_alarm()
        self._alarm_at = when
        self._alarm = asyncio.get_running_loop().call_at(when, self._ring)

    def _stop_alarm(self) -> None:
        if self._alarm:
            self._alarm.cancel()
        self._alarm, self._alarm_at = None, math.inf

    def _ring(self) -> None:
        self._stop_alarm()
        self._wake()

    def _leave(self, connection: Connection) -> None:
        """Unbind once nothing waits for a response any more."""
        session = connection.session
        if session.bound and not session.leaving and not session.pending:
            session.send(pdus.Unbind(), self.clock())

    def _count(self, work: Work, seconds: float) -> None:
        name, metrics = self.name, self._metrics
        if work.acknowledgements:
            metrics.commit.observe(seconds)
            metrics.batch.observe(len(work.acknowledgements))
        metrics.backlog.labels(name).set(len(self._outbox))
        metrics.window.labels(name).set(self._flow.window)
        for what, count in work.counted.items():
            metrics.turns.labels(name, what.lower()).inc(count)

    # --- events of the sessions

    def _on_response(self, event: Response) -> None:
        message, status = event.context, event.pdu.command_status
        if not isinstance(message, Outgoing):
            return
        if status == ESME_ROK and isinstance(event.pdu, _TAKEN):
            self._outbox.settle(message, status, 0, 0)
            self._outcomes.taken.append(message.id)
            if message.kind != "ussd":
                self.sms_taken = True
                if self.settings.receipts and (sent := self._receipts.expect(message, event.pdu.message_id)):
                    self._outcomes.sent.append(sent)
        else:
            self._judge(message, status or ESME_RUNKNOWNERR)  # 0 in a generic_nack is no yes

    def _judge(self, message: Outgoing, status: int) -> None:
        if self._outbox.settle(message, status, self.clock(), time.time()) is Verdict.FAILED:
            self._give_up(message, status_name(status))
        else:
            self._metrics.answers.labels(self.name, "retry").inc()
            self._metrics.window.labels(self.name).set(self._flow.window)

    def _on_unanswered(self, event: Unanswered) -> None:
        message = event.context
        if not isinstance(message, Outgoing):
            return
        if time.time() < message.expires:
            self._outbox.retry(message, self.clock())
        else:
            self._give_up(message, "no response")

    def _put_aside(self, connection: Connection, event: Quarantined) -> None:
        self._metrics.quarantined.labels(self.name, status_name(event.status)).inc()
        self._quarantine.keep(self.name, connection.peer, event.reason, event.status, event.octets)

    def _on_refused(self, event: Refused) -> None:
        self._metrics.refused.labels(self.name, status_name(event.status)).inc()
        self.log.warning("refused", command=command_name(event.command_id), status=status_name(event.status))

    def _on_stray(self, event: Stray) -> None:
        self._metrics.answers.labels(self.name, "stray").inc()
        self.log.info("response to nothing, or late", command=command_name(event.command_id))

    def _on_notice(self, event: Notice) -> None:
        self.log.info("notice of the centre", command=event.pdu.name)
