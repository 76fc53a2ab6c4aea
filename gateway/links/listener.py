"""Connections that the other side opens: centres that bind to us (role smsc), and centres that send outbind.

Each connection has a task of its own: a slow TLS handshake holds nobody up, and a connection that does not bind in
time is closed by its session's timer.
"""

import asyncio
import socket
import ssl
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol
from weakref import WeakSet

import structlog

from gateway.links.connection import Connection
from gateway.links.link import Link
from gateway.links.tls import Certificates
from gateway.settings import split_address
from gateway.smpp.credentials import authenticator
from gateway.smpp.events import Bound, Closed, Event, Quarantined
from gateway.smpp.explain.walk import holds_together, walk
from gateway.smpp.pdu import BindRequest, BindResponse, encode
from gateway.smpp.session import Role, Session
from gateway.smpp.vocabulary import ESME_RBINDFAIL, ESME_ROK, status_name
from gateway.turns.quarantine import Quarantine

log = structlog.get_logger(__name__)

_MOST_CONNECTIONS = 1000
_MOST_OF_ONE_ADDRESS = 100
_HANDSHAKE_S = 10.0
_ACCEPT_AGAIN_S = 1.0  # after an error such as too many open files


class Host(Protocol):
    """Whoever the connections at an address are for."""

    def session(self, address: str) -> Session | None:
        """A session for a connection from that IP address; None: nobody is let in from there."""

    async def serve(self, connection: Connection) -> None:
        """See a connection through to its end."""


class Listener:
    """One listening address. OSError: it cannot be had. Await `run` in a task; `close` ends it."""

    def __init__(self, address: str, host: Host, certificates: Certificates | None):
        self._address, self._host, self._certificates = address, host, certificates
        name, port = split_address(address)
        family = socket.AF_INET6 if ":" in name else socket.AF_INET
        self._socket = socket.create_server((name, port), family=family, backlog=128)
        self._socket.setblocking(False)
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: Counter[str] = Counter()

    @property
    def port(self) -> int:
        """The port that was really taken."""
        port: int = self._socket.getsockname()[1]
        return port

    async def run(self) -> None:
        """Take connections in, until cancelled."""
        loop = asyncio.get_running_loop()
        # No sock_accept: cancelled at the wrong moment, it forgets the socket that it has just accepted.
        readable = asyncio.Event()
        loop.add_reader(self._socket, readable.set)
        try:
            while True:
                await readable.wait()
                readable.clear()
                if not self._accept():
                    await asyncio.sleep(_ACCEPT_AGAIN_S)
        finally:
            loop.remove_reader(self._socket)

    def _accept(self) -> bool:
        """Take in one of those that wait, if any; False: it is of no use just now."""
        try:
            arrived, peer = self._socket.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return True  # gone again
        except OSError as error:
            log.error("no connection accepted", listen=self._address, reason=error.strerror)
            return False
        arrived.setblocking(False)
        self._admit(arrived, peer[0])
        return True

    def _admit(self, arrived: socket.socket, address: str) -> None:
        session = self._host.session(address)
        why = "its network is not among networks"
        if session and (self._open[address] >= _MOST_OF_ONE_ADDRESS or len(self._tasks) >= _MOST_CONNECTIONS):
            session = None
            why = f"{self._open[address]} connections from there are open, {len(self._tasks)} in all"
        if session is None:
            log.warning("connection refused", listen=self._address, peer=address, reason=why)
            arrived.close()
            return
        task = asyncio.create_task(self._take(arrived, address, session), name=f"connection from {address}")
        self._open[address] += 1
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._forget(done, address))

    def _forget(self, task: asyncio.Task[None], address: str) -> None:
        self._tasks.discard(task)
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]

    async def close(self) -> None:
        """Take nobody in any more, and leave those who are still there."""
        self._socket.close()
        await asyncio.sleep(0)  # one that has not begun yet would leave its socket open
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _take(self, arrived: socket.socket, peer: str, session: Session) -> None:
        tls: dict[str, Any] = {}
        if self._certificates:
            tls = {"ssl": self._certificates.context(), "ssl_handshake_timeout": _HANDSHAKE_S}
        loop = asyncio.get_running_loop()
        connection = Connection(session, loop.time)
        try:
            # Not the protocol that is returned: with TLS, uvloop's is one of its own.
            await loop.connect_accepted_socket(lambda: connection, arrived, **tls)
        except (OSError, ssl.SSLError) as error:
            log.info("no TLS", listen=self._address, peer=peer, reason=str(error))
            arrived.close()
            return
        await self._host.serve(connection)


class Door:
    """What a link with role smsc says of itself: it is down while its centre has not bound."""

    name = "listener"

    def __init__(self, link: Link):
        self._link = link

    @property
    def problem(self) -> str | None:
        """None while there is a bind that can be answered."""
        if not self._link.connections:
            return "the centre has not bound"
        return None if self._link.down_since is None else "the centre has bound no receiver"


class Centres:
    """The centres that bind to us at one address; the system_id of the bind says whose link it is."""

    def __init__(self, links: Sequence[Link], quarantine: Quarantine):
        self._links = {link.settings.system_id: link for link in links}
        self._quarantine = quarantine
        self._check_secret = authenticator(
            {link.settings.system_id: link.settings.secret for link in links},
            one_answer=any(link.settings.one_bind_error for link in links),
        )
        # Until it has bound nobody knows whose connection it is.
        widest = max(links, key=lambda link: link.settings.window)
        self._settings = replace(
            widest.session_settings(),
            session_init_timer_s=min(link.settings.connect_s for link in links),
        )
        self._sessions: dict[str, WeakSet[Session]] = defaultdict(WeakSet)
        self._clock = widest.clock

    def session(self, address: str) -> Session | None:
        """One that lets the centres of these links in, from the networks and in the ways that are theirs."""
        if not any(link.settings.lets_in(address) for link in self._links.values()):
            return None

        def authenticate(bind: BindRequest) -> int:
            status = self._check(bind, address)
            if status == ESME_ROK:
                session.settings = self._links[bind.system_id].session_settings()
                self._sessions[bind.system_id].add(session)
            return status

        session = Session(Role.SMSC, self._settings, self._clock(), authenticate)
        return session

    def _check(self, bind: BindRequest, address: str) -> int:
        status = self._check_secret(bind)
        if status:
            known = self._links.get(bind.system_id)
            log.warning(
                "bind refused",
                peer=address,
                system_id=bind.system_id if holds_together(walk(encode(bind))) else "not to be read",
                status=status_name(status),
                **({"link": known.name} if known else {}),
            )
            return status
        link = self._links[bind.system_id]
        settings = link.settings
        there = sum(not session.closed for session in self._sessions[bind.system_id])
        why = None
        if link.stopping.is_set():
            why = "the gateway is stopping"
        elif not settings.lets_in(address):
            why = "its network is not among networks"
        elif bind.name.removeprefix("bind_") not in settings.binds:
            why = "its kind of bind is not among binds"
        elif there >= settings.sessions:
            why = f"it has {there} sessions already"
        if why is None:
            return ESME_ROK
        log.warning("bind refused", link=settings.name, peer=address, bind=bind.name, reason=why)
        return ESME_RBINDFAIL

    async def serve(self, connection: Connection) -> None:
        """See one connection through to its end."""
        link: Link | None = None

        async def handle(events: list[Event]) -> None:
            nonlocal link
            if link is None:
                link = self._who(events, connection)
            if link is not None:
                await link.handle(connection, events)

        try:
            await connection.run(handle)
        except Exception:
            log.exception("connection failed", peer=connection.peer)
        finally:
            if link is not None:
                link.left(connection)
                link.log.info("connection is over", peer=connection.peer)

    def _who(self, events: list[Event], connection: Connection) -> Link | None:
        """The link that the connection turns out to be of; what was wrong with it as long as it is nobody's."""
        bind = next((event.pdu for event in events if isinstance(event, Bound)), None)
        for event in events:
            match event:
                case Quarantined(octets, reason, status) if bind is None:
                    self._quarantine.keep("", connection.peer, reason, status, octets)
                case Closed(reason) if bind is None:
                    log.info("connection is over", peer=connection.peer, reason=reason)
        if bind is None or isinstance(bind, BindResponse):
            return None
        link = self._links[bind.system_id]
        link.joined(connection)
        return link
