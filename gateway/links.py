"""A link: one bind that is made, kept alive, and made again for as long as the daemon runs."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence

import structlog
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    RetryError,
    retry_if_exception_type,
    wait_random_exponential,
)

from data.model import Outgoing
from data.store import StoreError
from gateway.connection import Connection
from gateway.dialect import DialectError, Profile, load_profile
from gateway.dialogues import Dialogues
from gateway.metrics import Metrics
from gateway.outbox import Outbox, Verdict
from gateway.settings import Link as LinkSettings
from gateway.settings import split_address
from gateway.smpp import pdu as pdus
from gateway.smpp.events import (
    BindRefused,
    Bound,
    Closed,
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
    ESME_RINVCMDID,
    ESME_ROK,
    ESME_RTHROTTLED,
    ESME_RUNKNOWNERR,
    ESME_RX_T_APPN,
    INTERFACE_VERSION,
    command_name,
    status_name,
)
from gateway.work import Station, Work

log = structlog.get_logger(__name__)

_REFILL = 1000
_STORE_AGAIN_S = 0.5


class LinkDown(Exception):
    """The centre cannot be reached or refuses the bind; the message is what ``/healthz`` says."""


class Link:
    """One [[links]] table at work: await `run`; `stop` makes it unbind and return."""

    def __init__(
        self,
        settings: LinkSettings,
        dialogues: Dialogues,
        metrics: Metrics,
        on_jobs: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ):
        self.settings = settings
        self.station = Station(settings.name, _profile(settings), settings.sms_validity_s)
        self.problem: str | None = "not connected yet"
        """Why the link is down; None while it is bound."""
        self.sms_taken = False
        """Whether the centre has taken an SMS, which may have held a secret, since somebody reset this."""
        self._log = log.bind(link=settings.name, peer=settings.connect)
        self._dialogues = dialogues
        self._metrics = metrics
        metrics.link_up.labels(settings.name).set(0)
        self._on_jobs = on_jobs
        self._clock = clock
        self._outbox = Outbox(settings.backlog)
        self._taken: list[int] = []
        self._failed: list[tuple[int, str]] = []
        self._connection: Connection | None = None
        self._bound: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._alarm: asyncio.TimerHandle | None = None
        self._stopping = asyncio.Event()
        self._stopped = asyncio.Event()
        self._dispatch = {
            Bound: self._on_bound,
            BindRefused: self._on_bind_refused,
            Response: self._on_response,
            Unanswered: self._on_unanswered,
            Quarantined: self._on_quarantined,
            Closed: self._on_closed,
            Refused: self._on_refused,
            Stray: self._on_stray,
            Notice: self._on_notice,
        }

    # --- life

    async def run(self) -> None:
        """Bind, serve, bind again, until `stop`."""
        try:
            while not self._stopping.is_set():
                pump = await self._bind()
                if pump is not None:
                    await self._serve(pump)
                    await self._pause(random.uniform(0.5, 1) * self.settings.reconnect_first_s)
        finally:
            self._stopped.set()

    async def stop(self, grace_s: float) -> None:
        """Take no new messages, see the answers under way through, unbind; all of it within `grace_s` seconds."""
        self._stopping.set()
        if self._connection is None:
            return
        if self._session.bound:
            self._connection.wake()
        else:
            self._connection.abort()
        try:
            await asyncio.wait_for(self._stopped.wait(), grace_s)
        except TimeoutError:
            self._log.warning("link did not finish in time; what is unanswered stays in the store")
            if self._connection:
                self._connection.abort()

    def deliver(self, answers: Sequence[Outgoing]) -> None:
        """Send what somebody else has just committed for this link; unbound, it finds it in the store later."""
        for answer in answers:
            self._outbox.put(answer)
        if self._connection:
            self._connection.wake()

    async def _bind(self) -> asyncio.Task[None] | None:
        """Try until the centre lets us in; None when told to stop meanwhile."""
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(LinkDown),
            wait=wait_random_exponential(self.settings.reconnect_first_s, self.settings.reconnect_max_s),
            stop=lambda _: self._stopping.is_set(),
            sleep=self._pause,
            before_sleep=self._report,
        )
        try:
            return await attempts(self._attempt)
        except RetryError:
            return None

    async def _attempt(self) -> asyncio.Task[None]:
        """One connection and bind; the pump of the bound connection. Raises `LinkDown`, whatever goes wrong."""
        try:
            return await self._connect_and_bind()
        except LinkDown:
            raise
        except Exception as error:
            self._log.exception("link failed")
            raise LinkDown("failed; see the log") from error

    async def _connect_and_bind(self) -> asyncio.Task[None]:
        host, port = split_address(self.settings.connect)
        loop = asyncio.get_running_loop()
        session = Session(Role.ESME, self._session_settings(), self._clock())
        self._bound = loop.create_future()
        try:
            async with asyncio.timeout(self.settings.connect_s):
                _, connection = await loop.create_connection(
                    lambda: Connection(session, self._handle, self._clock), host, port
                )
        except TimeoutError:
            raise LinkDown(f"no connection within {self.settings.connect_s:g} s") from None
        except (OSError, UnicodeError) as error:
            raise LinkDown(getattr(error, "strerror", None) or str(error)) from None
        self._connection = connection
        if not session.closed:  # a peer that speaks first may have ended it already
            session.send(self._bind_request(), self._clock())
        pump = asyncio.create_task(connection.run(), name=f"link {self.settings.name}")
        await asyncio.wait({pump, self._bound}, return_when=asyncio.FIRST_COMPLETED)
        if self._bound.done() and self._bound.exception() is None:
            return pump
        connection.abort()
        await pump
        self._connection = None
        raise (
            LinkDown("closed by the centre before the bind")
            if not self._bound.done()
            else self._bound.exception()
        )

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    def _report(self, state: RetryCallState) -> None:
        self.problem = str(state.outcome.exception())
        wait_s = round(state.next_action.sleep, 1)
        self._log.warning(
            "link is down", reason=self.problem, attempt=state.attempt_number, retry_in_s=wait_s
        )

    async def _serve(self, pump: asyncio.Task[None]) -> None:
        """See a bound connection through to its end."""
        try:
            await pump
        except Exception:
            self.problem = "failed; see the log"
            self._log.exception("link failed")
        finally:
            self._went_down()

    def _went_down(self) -> None:
        self._connection = None
        self.problem = self.problem or "closed"
        self._outbox.restart()
        self._metrics.link_up.labels(self.settings.name).set(0)
        self._metrics.backlog.labels(self.settings.name).set(0)
        if self._alarm:
            self._alarm.cancel()

    def _session_settings(self) -> SessionSettings:
        settings = self.settings
        return SessionSettings(
            window=settings.window,
            peer_window=settings.window,
            enquire_link_timer_s=settings.enquire_link_s,
            inactivity_timer_s=settings.inactivity_s,
            response_timer_s=settings.response_s,
        )

    def _bind_request(self) -> pdus.Pdu:
        return pdus.BindTransceiver(
            system_id=self.settings.system_id,
            password=self.settings.secret,
            system_type=self.settings.system_type,
            interface_version=INTERFACE_VERSION,
        )

    # --- what a read brought

    async def _handle(self, events: list[Event]) -> None:
        requests: list[pdus.DeliverSm] = []
        unbind: UnbindRequest | None = None
        refusal = self._refusal()
        for event in events:
            if type(event) is Request:
                if type(event.pdu) is not pdus.DeliverSm:
                    self._refuse(event.pdu, ESME_RINVCMDID)
                elif refusal:
                    self._refuse(event.pdu, refusal)
                else:
                    requests.append(event.pdu)
            elif type(event) is UnbindRequest:
                unbind = event
            else:
                self._dispatch[type(event)](event)
        if requests or self._taken or self._failed:
            await self._work(requests)
        await self._send_waiting()
        if unbind:
            self._log.info("the centre unbinds")
            self._session.send(unbind.pdu.respond(), self._clock())
        elif self._stopping.is_set():
            self._leave()

    def _refusal(self) -> int:
        """Why no message is taken in just now, as a command_status; 0 when it is."""
        if self._stopping.is_set():
            return ESME_RX_T_APPN
        return ESME_RTHROTTLED if self._outbox.full else 0

    def _refuse(self, pdu: pdus.Pdu, status: int) -> None:
        self._metrics.refused.labels(self.settings.name, status_name(status)).inc()
        self._session.acknowledge(pdu, status)

    async def _work(self, requests: list[pdus.DeliverSm]) -> None:
        """One unit of work. If the store fails, the centre keeps the messages and sends them again."""
        started = self._clock()
        try:
            work = await self._dialogues.handle(self.station, requests, self._taken, self._failed)
        except Exception as error:
            reason = str(error)
            expected = isinstance(error, StoreError)
            self._log.error(
                "the store took nothing of this read",
                messages=len(requests),
                reason=reason,
                exc_info=not expected,
            )
            for pdu in requests:
                self._refuse(pdu, ESME_RX_T_APPN)
            self._set_alarm(self._clock() + _STORE_AGAIN_S)  # what was taken has still to be deleted
            return
        self._metrics.answers.labels(self.settings.name, "taken").inc(len(self._taken))
        self._taken, self._failed = [], []
        for pdu, status in work.acknowledgements:
            self._session.acknowledge(pdu, status)
        for answer in work.answers:
            self._outbox.put(answer)
        if work.jobs:
            self._on_jobs()
        self._count(work, self._clock() - started)

    async def _send_waiting(self) -> None:
        """Fill the window from the queue, and the queue from the store."""
        session, outbox = self._session, self._outbox
        now, wall = self._clock(), time.time()
        room = session.window_free
        while room > 0:
            if outbox.wants_refill and self.problem is None:
                await self._refill()
            message = outbox.pop(now)
            if message is None:
                break
            if message.expires >= wall:
                session.send_encoded(message.pdu, now, message)
                room -= 1
            elif self._give_up(message, "expired") >= _REFILL:
                break
        if self._failed:
            self._connection.wake()
        if room > 0 and (due := outbox.due()) is not None:
            self._set_alarm(due)

    async def _refill(self) -> None:
        """Go on with the store, but for what the centre has taken and the store could not yet be told of."""
        rows = await self._dialogues.unsent(self.station, self._outbox.last_id, _REFILL)
        settled = {*self._taken, *(number for number, _ in self._failed)}
        self._outbox.refill([row for row in rows if row.id not in settled], more=len(rows) == _REFILL)
        if rows:
            self._outbox.last_id = max(self._outbox.last_id, rows[-1].id)

    def _give_up(self, message: Outgoing, reason: str) -> int:
        """Have the store told that the message has failed; how many wait for that."""
        self._failed.append((message.id, reason))
        self._outbox.forget(message)
        self._metrics.answers.labels(self.settings.name, "failed").inc()
        self._log.warning("answer given up", id=message.id, reason=reason)
        return len(self._failed)

    def _set_alarm(self, when: float) -> None:
        if self._alarm:
            self._alarm.cancel()
        if self._connection:
            self._alarm = asyncio.get_running_loop().call_at(when, self._connection.wake)

    def _leave(self) -> None:
        """Unbind once nothing waits for a response any more."""
        session = self._session
        if session.bound and not session.leaving and not session.pending:
            self.problem = "stopping"
            session.send(pdus.Unbind(), self._clock())

    def _count(self, work: Work, seconds: float) -> None:
        name, metrics = self.settings.name, self._metrics
        if work.acknowledgements:
            metrics.commit.observe(seconds)
            metrics.batch.observe(len(work.acknowledgements))
        metrics.backlog.labels(name).set(len(self._outbox))
        for what, count in work.counted.items():
            metrics.turns.labels(name, what.lower()).inc(count)

    # --- events of the session

    @property
    def _session(self) -> Session:
        return self._connection.session

    def _on_bound(self, event: Bound) -> None:
        self.problem = None
        self._metrics.link_up.labels(self.settings.name).set(1)
        self._log.info("link is bound", system_id=event.pdu.system_id)
        self._bound.set_result(None)

    def _on_bind_refused(self, event: BindRefused) -> None:
        self._bound.set_exception(LinkDown(f"bind refused: {status_name(event.status)}"))

    def _on_response(self, event: Response) -> None:
        status = event.pdu.command_status
        if status == ESME_ROK and type(event.pdu) is pdus.SubmitSmResp:
            self._outbox.settle(event.context, status, 0, 0)
            self._taken.append(event.context.id)
            self.sms_taken = self.sms_taken or event.context.kind == "sms"
        elif isinstance(event.context, Outgoing):
            self._judge(event.context, status or ESME_RUNKNOWNERR)  # 0 in a generic_nack is no yes

    def _judge(self, message: Outgoing, status: int) -> None:
        if self._outbox.settle(message, status, self._clock(), time.time()) is Verdict.FAILED:
            self._give_up(message, status_name(status))
        else:
            self._metrics.answers.labels(self.settings.name, "retry").inc()

    def _on_unanswered(self, event: Unanswered) -> None:
        message = event.context
        if not isinstance(message, Outgoing):
            return
        if time.time() < message.expires:
            self._outbox.retry(message, self._clock())
        else:
            self._give_up(message, "no response")

    def _on_quarantined(self, event: Quarantined) -> None:
        status = status_name(event.status)
        self._metrics.quarantined.labels(self.settings.name, status).inc()
        # The header only: a body may hold what a subscriber typed.
        header = event.octets[:16].hex()
        self._log.warning("PDU not understood", reason=event.reason, status=status, header=header)

    def _on_refused(self, event: Refused) -> None:
        self._metrics.refused.labels(self.settings.name, status_name(event.status)).inc()
        self._log.warning("refused", command=command_name(event.command_id), status=status_name(event.status))

    def _on_stray(self, event: Stray) -> None:
        self._metrics.answers.labels(self.settings.name, "stray").inc()
        self._log.info("response to nothing, or late", command=command_name(event.command_id))

    def _on_notice(self, event: Notice) -> None:
        self._log.info("notice of the centre", command=event.pdu.name)

    def _on_closed(self, event: Closed) -> None:
        self.problem = self.problem or event.reason
        if not self._bound.done():
            self._bound.set_exception(LinkDown(event.reason))
        elif self._bound.exception() is None:
            if self._stopping.is_set():
                self._log.info("link is closed", reason=event.reason)
            else:
                self._log.warning("link is closed", reason=event.reason)


def _profile(settings: LinkSettings) -> Profile:
    try:
        return load_profile(settings.dialect)
    except DialectError as error:
        raise DialectError(f"links.{settings.name}.dialect: {error}") from None
