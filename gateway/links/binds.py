"""Binds of ours: made, kept alive, and made again for as long as the daemon runs.

A centre may have several addresses; the next one is tried when one does not answer. It may also want to be the one
that connects: then it sends outbind on its connection, and we bind as receiver there (SMPP 3.4 §2.2.1).
"""

import asyncio
import contextlib
import hmac
import itertools
import os
import random
import ssl
from collections.abc import Iterator
from typing import Any

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    RetryError,
    retry_if_exception_type,
    wait_random_exponential,
)

from gateway.links.connection import Connection
from gateway.links.link import Link
from gateway.links.tls import Certificates
from gateway.settings import split_address
from gateway.smpp import pdu as pdus
from gateway.smpp.events import BindRefused, Bound, Closed, Event, Notice
from gateway.smpp.session import Role, Session
from gateway.smpp.vocabulary import INTERFACE_VERSION, status_name

_NAMES = {
    pdus.BindTransceiver: "transceiver",
    pdus.BindReceiver: "receiver",
    pdus.BindTransmitter: "transmitter",
}
_REQUESTS = {
    "transceiver": (pdus.BindTransceiver,),
    "pair": (pdus.BindReceiver, pdus.BindTransmitter),
    "transmitter": (pdus.BindTransmitter,),
}

BindClass = type[pdus.BindTransceiver] | type[pdus.BindReceiver] | type[pdus.BindTransmitter]


class LinkDown(Exception):
    """The centre cannot be reached or refuses the bind; the message is what ``/healthz`` says."""


def requests_of(link: Link) -> tuple[BindClass, ...]:
    """The binds that we connect for."""
    requests = _REQUESTS[link.settings.bind]
    if link.settings.outbind:
        return tuple(request for request in requests if request is not pdus.BindReceiver)
    return requests


class _Binding:
    """A connection on its way to being bound, and to its end: what both ways of binding share."""

    def __init__(self, link: Link, request: BindClass):
        self._link = link
        self._request = request
        self.name = _NAMES[request]
        self.problem: str | None = "not connected yet"
        self._log = link.log.bind(bind=self.name)

    def _ask(self, session: Session) -> None:
        settings = self._link.settings
        if not session.closed:  # a peer that speaks first may have ended it already
            request = self._request(
                system_id=settings.system_id,
                password=settings.secret,
                system_type=settings.system_type,
                interface_version=INTERFACE_VERSION,
            )
            session.send(request, self._link.clock())

    async def _serve(self, connection: Connection, bound: asyncio.Future[None]) -> None:
        """Pump a connection to its end; `bound` is done when it is bound or has failed at that."""

        async def handle(events: list[Event]) -> None:
            if not bound.done() or connection.session.closed:
                for event in events:
                    self._note(event, connection, bound)
                if bound.done() and bound.exception() is not None:
                    connection.abort()
            await self._link.handle(connection, events)

        try:
            await connection.run(handle)
        except Exception:
            self.problem = "failed; see the log"
            self._log.exception("link failed")
        finally:
            if connection in self._link.connections:
                self._link.left(connection)
            self.problem = self.problem or "closed"
            if not bound.done():
                bound.set_exception(LinkDown("closed by the centre before the bind"))
            bound.exception()  # whoever waited for it may be gone

    def _note(self, event: Event, connection: Connection, bound: asyncio.Future[None]) -> None:
        match event:
            case Bound():
                self.problem = None
                self._link.joined(connection)
                bound.set_result(None)
            case BindRefused(status) if not bound.done():
                bound.set_exception(LinkDown(f"bind refused: {status_name(status)}"))
            case Closed(reason) if not bound.done():
                bound.set_exception(LinkDown(connection.why or _before_the_bind(reason)))
            case Closed(reason) if bound.exception() is None:
                self._say_closed(connection.why or reason)
            case Notice(pdus.Outbind() as outbind):
                self._on_outbind(outbind, connection)

    def _say_closed(self, reason: str) -> None:
        if self._link.stopping.is_set():
            self.problem = "stopping"
            self._log.info("link is closed", reason=reason)
        else:
            self.problem = self.problem or reason
            self._log.warning("link is closed", reason=reason)

    def _on_outbind(self, outbind: pdus.Outbind, connection: Connection) -> None:
        """Ours is not the connection for that."""


class Bind(_Binding):
    """One bind on connections that we open: await `run`; it returns once the link is stopping."""

    def __init__(self, link: Link, request: BindClass, certificates: Certificates | None):
        super().__init__(link, request)
        self._certificates = certificates
        self._addresses: Iterator[str] = iter(())
        self._peer = ""

    async def run(self) -> None:
        """Bind, serve, bind again."""
        settings, stopping = self._link.settings, self._link.stopping
        while not stopping.is_set():
            pump = await self._bind()
            if pump is not None:
                await pump
                await self._pause(random.uniform(0.5, 1) * settings.reconnect_first_s)

    async def _bind(self) -> asyncio.Task[None] | None:
        """Try until the centre lets us in; the pump of the connection, or None when told to stop meanwhile."""
        settings = self._link.settings
        self._addresses = itertools.cycle(settings.connect)  # by preference, each time
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(LinkDown),
            wait=wait_random_exponential(settings.reconnect_first_s, settings.reconnect_max_s),
            stop=lambda _: self._link.stopping.is_set(),
            sleep=self._pause,
            before_sleep=self._report,
        )
        try:
            return await attempts(self._attempt)
        except RetryError:
            return None

    async def _attempt(self) -> asyncio.Task[None]:
        """One connection and bind. Raises `LinkDown`, whatever goes wrong."""
        try:
            connection = await self._connect()
            return await self._bind_on(connection)
        except LinkDown:
            raise
        except Exception as error:
            self._log.exception("link failed")
            raise LinkDown("failed; see the log") from error

    async def _connect(self) -> Connection:
        settings = self._link.settings
        self._peer = next(self._addresses)
        host, port = split_address(self._peer)
        where = f"{self._peer}: " if len(settings.connect) > 1 else ""
        loop = asyncio.get_running_loop()
        session = Session(Role.ESME, self._link.session_settings(), self._link.clock())
        tls: dict[str, Any] = {}
        if self._certificates and settings.tls:
            tls = {"ssl": self._certificates.context(), "server_hostname": settings.tls.server_name or host}
        try:
            async with asyncio.timeout(settings.connect_s):
                _, connection = await loop.create_connection(
                    lambda: Connection(session, self._link.clock), host, port, **tls
                )
        except TimeoutError:
            raise LinkDown(f"{where}no connection within {settings.connect_s:g} s") from None
        except ssl.SSLCertVerificationError as error:
            hint = "" if settings.tls and settings.tls.ca_file else "; is the operator's CA in tls.ca_file?"
            raise LinkDown(f"{where}certificate: {error.verify_message}{hint}") from None
        except (OSError, UnicodeError, ValueError) as error:
            raise LinkDown(f"{where}{_reason(error)}") from None
        return connection

    async def _bind_on(self, connection: Connection) -> asyncio.Task[None]:
        bound: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ask(connection.session)
        pump = asyncio.create_task(self._serve(connection, bound), name=f"link {self._link.name}")
        stopping = asyncio.create_task(self._link.stopping.wait())
        ends: set[asyncio.Future[Any]] = {bound, stopping}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:  # bound or not: nobody else knows of the pump yet
            connection.abort()
            await pump
            raise
        finally:
            stopping.cancel()
            if not bound.done() or bound.exception():
                connection.abort()
                await pump
        if failure := bound.exception():
            raise failure
        return pump

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._link.stopping.wait(), seconds)

    def _report(self, state: RetryCallState) -> None:
        assert state.outcome, "there was an attempt"
        assert state.next_action, "and there will be another"
        self.problem = str(state.outcome.exception())
        wait_s = round(state.next_action.sleep, 1)
        self._log.warning(
            "link is down",
            peer=self._peer,
            reason=self.problem,
            attempt=state.attempt_number,
            retry_in_s=wait_s,
        )


class Invitation:
    """The receiver of a pair, on connections that the centre opens: its outbind, then our bind_receiver.

    Whoever else connects there changes nothing for a receiver that is bound.
    """

    name = "receiver"

    def __init__(self, link: Link):
        self._link = link
        self._invited: set[_Invited] = set()

    @property
    def problem(self) -> str | None:
        """None while there is a receiver."""
        bound = any(one.problem is None for one in self._invited)
        return None if bound else "waits for the centre's outbind"

    def session(self, address: str) -> Session | None:
        """One that waits for outbind; None for somebody from elsewhere."""
        if not self._link.settings.lets_in(address):
            return None
        return Session(Role.ESME, self._link.session_settings(), self._link.clock())

    async def serve(self, connection: Connection) -> None:
        """See one connection of the centre through to its end."""
        invited = _Invited(self._link)
        self._invited.add(invited)
        try:
            await invited.serve(connection)
        finally:
            self._invited.discard(invited)


class _Invited(_Binding):
    """One connection that was opened to the address for outbind."""

    def __init__(self, link: Link):
        super().__init__(link, pdus.BindReceiver)
        assert link.settings.outbind, "nobody is invited otherwise"
        self._settings = link.settings.outbind

    async def serve(self, connection: Connection) -> None:
        """See it through to its end."""
        bound: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await self._serve(connection, bound)
        if bound.exception() is not None:
            self._link.log.warning(
                "outbind came to nothing", peer=connection.peer, reason=str(bound.exception())
            )

    def _on_outbind(self, outbind: pdus.Outbind, connection: Connection) -> None:
        settings = self._settings
        right = not settings.password or hmac.compare_digest(
            outbind.password.encode("latin-1"), settings.password.encode("latin-1")
        )
        if settings.system_id not in ("", outbind.system_id) or not right:
            self._link.log.warning("outbind of somebody else", peer=connection.peer)
            connection.abort()
        else:
            self._ask(connection.session)


def _before_the_bind(reason: str) -> str:
    gone = reason.startswith("connection closed by the peer")
    return "closed by the centre before the bind" if gone else reason


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)  # asyncio's own words are about a call that failed
    words = getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
    return words or "TLS: the peer closed during the handshake; does it speak TLS on this port?"
