"""The other end of a link: a raw session on a socket, that remembers what passes and answers as a test tells it to."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from gateway.smpp import pdu as pdus
from gateway.smpp.events import (
    BindRefused,
    Bound,
    Closed,
    Event,
    Notice,
    Refused,
    Request,
    Response,
    UnbindRequest,
)
from gateway.smpp.pdu import DataSm, DeliverSm, Pdu, SubmitSm
from gateway.smpp.session import Role, Session, SessionSettings
from gateway.smpp.vocabulary import ESME_ROK

WAIT_S = 20.0
BINDS = {
    "transceiver": pdus.BindTransceiver,
    "receiver": pdus.BindReceiver,
    "transmitter": pdus.BindTransmitter,
}
MESSAGES = (SubmitSm, DeliverSm, DataSm)


class Peer(asyncio.Protocol):
    """One connection. `judge` is asked for the command_status of each message that comes; None: no answer yet."""

    def __init__(self, role: Role, judge: Callable[[Pdu], int | None] | None = None, **settings: Any):
        self._loop = asyncio.get_running_loop()
        calm = {"window": 100, "peer_window": 100, "enquire_link_timer_s": None, "session_init_timer_s": None}
        self.session = Session(
            role,
            SessionSettings(**{**calm, "response_timer_s": None, **settings}),
            0.0,
            lambda bind: self.admit(bind),
        )
        self.admit: Callable[[Pdu], int] = lambda bind: ESME_ROK
        self.judge = judge or (lambda pdu: ESME_ROK)
        self.answers_unbind = True
        self.on_data: Callable[[bytes], object] = lambda data: None
        self.events: list[Event] = []
        self.messages: list[Any] = []
        """Those of the gateway, in the order of arrival."""
        self.bind: Any = None
        """The bind request, or the response to it."""
        self.lost = False
        self.deaf = False
        """Whether what comes is read and not looked at."""
        self._changed = asyncio.Event()
        self._ids = 0
        self.transport: Any = None

    # --- the transport's

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.on_data(data)
        if self.deaf:
            return
        self.session.receive_data(data, self._loop.time())
        for event in self.session.events():
            self._note(event)
        self.flush()
        self._changed.set()
        if self.session.closed:
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        self.session.receive_eof(self._loop.time())
        self.events += self.session.events()
        self._changed.set()

    def _note(self, event: Event) -> None:
        self.events.append(event)
        match event:
            case Bound(pdu):
                self.bind = pdu
            case Request(pdu):
                self.messages.append(pdu)
                status = self.judge(pdu)
                if status is not None:
                    self.answer(pdu, status)
            case UnbindRequest(pdu) if self.answers_unbind:
                self.session.send(pdu.respond(), self._loop.time())

    # --- the test's

    def answer(self, pdu: Pdu, status: int = ESME_ROK, message_id: str | None = None) -> None:
        """Answer a message of the gateway; without a `message_id`, an id is drawn."""
        self._ids += 1
        values = {} if status else {"message_id": message_id or f"{self._ids:x}"}
        if isinstance(pdu, DeliverSm):
            values = {}
        self.session.send(pdu.respond(status, **values), self._loop.time())
        self.flush()

    def send(self, *requests: Pdu) -> None:
        """Send in one write."""
        for request in requests:
            self.session.send(request, self._loop.time(), request)
        self.flush()

    def write(self, octets: bytes) -> None:
        """Write octets of the test's own."""
        self.transport.write(octets)

    def flush(self) -> None:
        """Write what the session has to say."""
        data = self.session.data_to_send()
        if data and not self.transport.is_closing():
            self.transport.write(data)

    def cut(self) -> None:
        """Drop the connection."""
        self.transport.abort()

    async def until(self, true: Callable[[], Any], what: str) -> None:
        """Wait until something is true of this connection."""
        try:
            async with asyncio.timeout(WAIT_S):
                while not true():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(
                f"never: {what}; the last of {len(self.events)} events: {self.events[-10:]}"
            ) from None

    async def bound(self) -> "Peer":
        """Wait for the bind, from whichever side."""
        await self.until(lambda: self.session.bound, "a bind")
        return self

    async def bind_as(
        self, kind: str = "transceiver", system_id: str = "gw", password: str = "secret", **values: Any
    ) -> int:
        """Bind as an ESME does; the command_status of the answer."""
        before = len(self.events)
        self.send(BINDS[kind](system_id=system_id, password=password, **values))

        def answered() -> list[Event]:
            return [
                event for event in self.events[before:] if isinstance(event, Bound | BindRefused | Closed)
            ]

        await self.until(answered, "an answer to the bind")
        match answered()[0]:
            case Bound():
                return ESME_ROK
            case BindRefused(status):
                return status
        raise AssertionError(f"closed instead of an answer: {self.events}")

    async def ask(self, request: Pdu) -> Any:
        """The response to a request."""
        self.send(request)
        await self.until(lambda: self.response_to(request), f"a response to {request}")
        return self.response_to(request)

    def response_to(self, request: Pdu) -> Any:
        """The response to a request, if it has come."""
        found = (e.pdu for e in self.events if isinstance(e, Response) and e.context is request)
        return next(found, None)

    async def statuses(self, requests: list[Pdu]) -> list[int]:
        """The command_status of the response to each request, once all have come."""
        await self.until(lambda: all(map(self.response_to, requests)), f"{len(requests)} responses")
        return [self.response_to(request).command_status for request in requests]

    async def message(self, count: int = 1) -> Any:
        """The message of the gateway with that number, counted from 1."""
        await self.until(lambda: len(self.messages) >= count, f"message {count}")
        return self.messages[count - 1]

    async def over(self) -> None:
        """Wait for the end of the connection."""
        await self.until(lambda: self.lost, "the end of the connection")

    def seen(self, kind: type) -> list[Any]:
        """The events of that kind."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def refused(self) -> list[int]:
        """What the session itself refused of the gateway's requests."""
        return [event.status for event in self.seen(Refused)]

    @property
    def notices(self) -> list[Pdu]:
        """What came without wanting a response."""
        return [event.pdu for event in self.seen(Notice)]


class Centre:
    """A centre that listens, and takes in whoever binds; `centre` makes one. `prepare` is given each connection."""

    def __init__(self, **settings: Any):
        self._settings = settings
        self.peers: list[Peer] = []
        self.judge: Callable[[Pdu], int | None] = lambda pdu: ESME_ROK
        self.prepare: Callable[[Peer], None] = lambda peer: None
        self._server: asyncio.Server | None = None
        self._arrived = asyncio.Event()
        self.port = 0

    async def listen(self, tls: ssl.SSLContext | None = None) -> None:
        """Be there, at the same port as before."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._take, "127.0.0.1", self.port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    def _take(self) -> Peer:
        peer = Peer(Role.SMSC, lambda pdu: self.judge(pdu), **self._settings)
        self.prepare(peer)
        self.peers.append(peer)
        self._arrived.set()
        return peer

    async def leave(self) -> None:
        """Drop everybody, and take nobody in."""
        if self._server:
            self._server.close()
            self._server = None
        for peer in self.peers:
            if peer.transport and not peer.lost:
                peer.cut()
                await peer.over()

    async def connection(self, number: int) -> Peer:
        """The connection with that number, counted from 1."""
        try:
            async with asyncio.timeout(WAIT_S):
                while len(self.peers) < number:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            raise AssertionError(f"never: connection {number}") from None
        return self.peers[number - 1]

    async def bound(self, number: int = 1) -> Peer:
        """That connection, once it is bound."""
        return await (await self.connection(number)).bound()


@asynccontextmanager
async def centre(tls: ssl.SSLContext | None = None, **settings: Any) -> AsyncIterator[Centre]:
    """A centre on a port of its own; `settings` are those of its sessions."""
    one = Centre(**settings)
    await one.listen(tls)
    try:
        yield one
    finally:
        await one.leave()


@asynccontextmanager
async def connected(
    port: int, role: Role = Role.ESME, tls: ssl.SSLContext | None = None, name: str = "", **settings: Any
) -> AsyncIterator[Peer]:
    """A connection to the gateway, not bound yet; an ESME's, or of a centre that has outbind to send."""
    loop = asyncio.get_running_loop()
    with_tls = {"ssl": tls, "server_hostname": name} if tls else {}
    _, peer = await loop.create_connection(lambda: Peer(role, **settings), "127.0.0.1", port, **with_tls)
    try:
        yield peer
    finally:
        if not peer.lost:
            peer.cut()
            await peer.over()
