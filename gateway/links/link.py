"""A link: one SMSC or USSD centre, and what goes to and fro between it and the dialogues.

A link has as many connections as its centre and its settings want: one, a receiver and a transmitter that work as
one, or several that the centre has opened. How they come about is the business of `gateway.links.binds` and
`gateway.links.listener`; here they are the same. What leaves by them is the business of `gateway.links.outward`.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

import structlog

from data.model import Outgoing, QuarantineRecord
from data.store import StoreError
from gateway.dialect.words import Message
from gateway.links.connection import Connection
from gateway.links.flow import Flow
from gateway.links.outward import Outward
from gateway.settings import LinkSettings
from gateway.smpp import pdu as pdus
from gateway.smpp.errors import RemoteProtocolError
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
from gateway.smpp.session import Role, Session, SessionSettings
from gateway.smpp.vocabulary import (
    ESME_RCANCELFAIL,
    ESME_RINVCMDID,
    ESME_RQUERYFAIL,
    ESME_RREPLACEFAIL,
    ESME_RTHROTTLED,
    ESME_RX_T_APPN,
    command_name,
    status_name,
)
from gateway.turns.dialogues import Dialogues
from gateway.turns.post import Post
from gateway.turns.quarantine import Quarantine, octets_of
from gateway.turns.reading import Arrival, arrive
from gateway.turns.repeats import ReadMark
from gateway.turns.station import station_of
from gateway.turns.work import Work
from gateway.watch.metrics import Metrics

log = structlog.get_logger(__name__)

_TURNS: dict[str, tuple[type[Message], ...]] = {
    "esme": (pdus.DeliverSm, pdus.DataSm),
    "smsc": (pdus.SubmitSm, pdus.DataSm),
}
# What an ESME may ask of an SMSC, and the gateway as one does not offer.
_NOT_OFFERED = {
    pdus.QuerySm: ESME_RQUERYFAIL,
    pdus.CancelSm: ESME_RCANCELFAIL,
    pdus.ReplaceSm: ESME_RREPLACEFAIL,
}


class Source(Protocol):
    """Where connections of a link come from."""

    @property
    def name(self) -> str:
        """What it makes of them: transceiver, receiver, transmitter, or whatever the centre likes."""

    @property
    def problem(self) -> str | None:
        """Why there is none just now."""


class Link:
    """One [[links]] table at work. `joined` and `left` tell it of connections, `handle` of what they bring."""

    def __init__(
        self,
        settings: LinkSettings,
        dialogues: Dialogues,
        post: Post,
        metrics: Metrics,
        quarantine: Quarantine,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.settings = settings
        self.name = settings.name
        self.station = station_of(settings)
        self.sources: list[Source] = []
        self.outward = Outward(settings, self.station, dialogues, metrics, clock)
        self.stopping = asyncio.Event()
        self.log = log.bind(link=settings.name)
        self.clock = clock
        self._dialogues = dialogues
        self._metrics = metrics
        self._quarantine = quarantine
        self._post = post
        self._peer_flow = Flow(settings.window, settings.peer_rate)
        self._message_ids = itertools.count(int(time.time()))
        self._gone = asyncio.Event()
        self._turns = _TURNS[settings.role]
        post.join(self)

    # --- life

    @property
    def connections(self) -> list[Connection]:
        """Those that are bound."""
        return self.outward.connections

    @property
    def down_since(self) -> float | None:
        """When the last connection by which messages could leave was lost; None while there is one."""
        return self.outward.down_since

    @property
    def problem(self) -> str | None:
        """Why the link is down, or which half of it; None while all is well."""
        for source in self.sources:
            if source.problem is not None:
                return source.problem if len(self.sources) == 1 else f"{source.name}: {source.problem}"
        return None

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
        self.station.repeats.bound(map(_told, self.connections))
        self.outward.joined(connection)
        self._gone.clear()
        state, count = connection.session.state.value, len(self.connections)
        self.log.info("link is bound", peer=connection.peer, state=state, connections=count)

    def left(self, connection: Connection) -> None:
        """A connection that had joined is gone."""
        self.outward.left(connection)
        self.station.repeats.lost(_told(connection), others=bool(self.connections))
        if not self.connections:
            self._gone.set()

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

    def deliver(self, messages: Sequence[Outgoing]) -> None:
        """Send what somebody else has just committed for this link."""
        self.outward.put(messages)
        self.outward.wake()

    def withdraw(self, ids: Collection[int]) -> None:
        """Send these no more: somebody has taken them out of the store."""
        self.outward.withdraw(ids)

    # --- what a read brought

    async def handle(self, connection: Connection, events: list[Event]) -> None:
        """Do what the events of one connection ask for, in one unit of work; what it answers is sent by the caller."""
        arrivals: list[Arrival] = []
        unbind: UnbindRequest | None = None
        refusal = self._refusal()
        for event in events:
            match event:
                case Request():
                    pdu = event.pdu
                    if not isinstance(pdu, self._turns):
                        self._refuse(connection, pdu, _NOT_OFFERED.get(type(pdu), ESME_RINVCMDID))
                    elif refusal or self._too_fast():
                        self._refuse(connection, pdu, refusal or ESME_RTHROTTLED)
                    else:
                        arrivals.append(arrive(pdu, event.octets, self.station))
                case Response():
                    self.outward.on_response(event)
                case Unanswered():
                    self.outward.on_unanswered(event)
                case UnbindRequest():
                    unbind = event
                case Quarantined():
                    self._put_aside(connection, event)
                case Refused() | Stray() | Notice():
                    self._note(event)
        if arrivals or self.outward.has_outcomes:
            await self._work(connection, arrivals)
        await self.outward.send(connection)
        if unbind:
            self.log.info("the centre unbinds", peer=connection.peer)
            self.station.repeats.left(connection.id)  # who leaves in good order has read what there was
            connection.session.send(unbind.pdu.respond(), self.clock())
        elif self.stopping.is_set():
            self._leave(connection)

    async def replay(self, record: QuarantineRecord) -> None:
        """Handle a record of the quarantine as if its PDU had just come; nobody is acknowledged."""
        try:
            pdu = pdus.decode(record.octets)
        except RemoteProtocolError as error:
            await self._dialogues.handle(self.station, [], replayed=[record.id])
            self._quarantine.keep(self.name, record.peer, str(error), error.status, record.octets)
            return
        turns = [arrive(pdu, record.octets, self.station)] if isinstance(pdu, self._turns) else []
        work = await self._dialogues.handle(self.station, turns, replayed=[record.id])
        self._finish(work, record.peer)
        self.outward.wake()

    def _refusal(self) -> int:
        """Why no message is taken in just now, as a command_status; 0 when it is."""
        if self.stopping.is_set():
            return ESME_RX_T_APPN
        return ESME_RTHROTTLED if self.outward.full else 0

    def _too_fast(self) -> bool:
        if not self.settings.peer_rate:
            return False
        allowed = self._peer_flow.allowance(self.clock()) > 0
        self._peer_flow.spend(allowed)
        return not allowed

    def _refuse(self, connection: Connection, pdu: pdus.Pdu, status: int) -> None:
        self._metrics.refused.labels(self.name, status_name(status)).inc()
        connection.session.acknowledge(pdu, status)

    async def _work(self, connection: Connection, arrivals: list[Arrival]) -> None:
        """One unit of work. If the store fails, the centre keeps the messages and sends them again."""
        started = self.clock()
        try:
            with self.outward.told() as outcomes:
                work = await self._dialogues.handle(self.station, arrivals, outcomes, told=_told(connection))
        except Exception as error:
            self.log.error(
                "the store took nothing of this read",
                messages=len(arrivals),
                reason=str(error),
                exc_info=not isinstance(error, StoreError),
            )
            for arrival in arrivals:
                self._refuse(connection, arrival.pdu, ESME_RX_T_APPN)
            self.outward.try_store_again()
            return
        self._acknowledge(connection.session, work)
        if work.digests:
            self.station.repeats.acknowledged(_told(connection), work.digests)
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
        ours = [answer for answer in work.answers if answer.link == self.name]
        self.outward.put(ours)
        if len(ours) < len(work.answers):
            self._post.distribute([answer for answer in work.answers if answer.link != self.name])
        self._post.withdraw(work.withdrawn)
        if work.jobs:
            self._post.bell.set()
        for pdu, reason, status in work.misunderstood:
            self._quarantine.keep(self.name, peer, reason, status, octets_of(pdu))
        for receipt in work.receipts:
            self.outward.receipts.note(*receipt)

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
        metrics.backlog.labels(name).set(len(self.outward))
        metrics.window.labels(name).set(self.outward.window)
        for what, count in work.counted.items():
            metrics.turns.labels(name, what.lower()).inc(count)

    # --- events of the sessions

    def _put_aside(self, connection: Connection, event: Quarantined) -> None:
        self._metrics.quarantined.labels(self.name, status_name(event.status)).inc()
        self._quarantine.keep(self.name, connection.peer, event.reason, event.status, event.octets)

    def _note(self, event: Refused | Stray | Notice) -> None:
        match event:
            case Refused(command_id, _, status):
                self._metrics.refused.labels(self.name, status_name(status)).inc()
                self.log.warning("refused", command=command_name(command_id), status=status_name(status))
            case Stray(command_id):
                self._metrics.answers.labels(self.name, "stray").inc()
                self.log.info("response to nothing, or late", command=command_name(command_id))
            case Notice(pdu):
                self.log.info("notice of the centre", command=pdu.name)


def _told(connection: Connection) -> ReadMark:
    session = connection.session
    return ReadMark(connection.id, session.responses_sent, session.responses_read)
