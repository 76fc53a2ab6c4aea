"""The asyncio shell round a `Session`: one pump that writes, dispatches and re-arms the timer.

The session knows the protocol and no clock; the shell knows the clock, the socket and nothing of the protocol.
What arrives while the handler works is waiting in the session when it returns, so the busier a link is, the larger
are its batches.
"""

import asyncio
import secrets
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.alarm import Alarm
from gateway.smpp.events import Event
from gateway.smpp.session import Session

Handler = Callable[[list[Event]], Awaitable[None]]


class Connection(asyncio.Protocol):
    """A transport's protocol. After `connection_made`, await `run` until the connection is over.

    `run` is given a handler: it gets the session's events, in order, and may send on the session; what it sent
    leaves in one write when it returns. `clock` is monotonic, in seconds.
    """

    def __init__(self, session: Session, clock: Callable[[], float]):
        self.session = session
        self.id = secrets.token_hex(6)
        """What the store calls the connection; no other one is ever called so."""
        self.peer = ""
        """HOST:PORT of the other end."""
        self.why = ""
        """What ended the connection, if the transport knows better than the session."""
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._transport: Any = None
        self._alarm = Alarm(self._on_timer)
        self._lost = False
        self._at_work = False

    # --- called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep small PDUs from waiting for each other."""
        self._transport = transport
        host, port, *_ = transport.get_extra_info("peername") or ("somebody", 0)  # gone again already
        self.peer = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Frame and check at once, dispatch in the pump."""
        self.session.receive_data(data, self._clock())
        if (
            self._at_work
        ):  # what the session answers by itself, such as enquire_link, does not wait for the handler
            self.flush()
        self._wake.set()

    def connection_lost(self, error: Exception | None) -> None:
        """Whatever was under way is handed back as unanswered."""
        self._lost = True
        if isinstance(error, ssl.SSLError):  # in TLS 1.3 the peer may refuse us after the handshake
            self.why = f"TLS: {error.reason or error}"
        self.session.receive_eof(self._clock())
        self._writable.set()
        self._wake.set()

    def pause_writing(self) -> None:
        """The peer does not read: then nothing is read from it either, and what it may fill stays small."""
        self._writable.clear()
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        self._writable.set()
        self._wake.set()
        self._transport.resume_reading()

    # --- called by the owner

    @property
    def writable(self) -> bool:
        """Whether the peer reads what is written."""
        return self._writable.is_set()

    def wake(self) -> None:
        """Have the pump look again: something was sent on the session, or the handler has something to do."""
        self._wake.set()

    def abort(self) -> None:
        """Drop the connection, whatever is under way."""
        self._transport.abort()

    def flush(self) -> None:
        """Write what was sent on the session, now: for who sends on it outside its handler."""
        data = self.session.data_to_send()
        if data and not self._lost:
            self._transport.write(data)
        self._alarm.arm(self.session.deadline())

    async def run(self, handle: Handler) -> None:
        """Pump until the session is closed or the connection lost; the transport is closed on return."""
        try:
            while not (self._lost and not self._wake.is_set()):
                self.flush()
                if self.session.closed:
                    await handle(self.session.events())
                    return
                await self._wake.wait()
                self._wake.clear()
                await self._writable.wait()
                self._at_work = True
                await handle(self.session.events())
                self._at_work = False
        finally:
            self.flush()
            self._alarm.cancel()
            self._transport.close()

    def _on_timer(self) -> None:
        self.session.on_deadline(self._clock())
        self.flush()  # no timer waits for the handler
        self._wake.set()
        if self.session.closed:  # by a timer: the peer is not there to read what is still to be written
            self._writable.set()
            self._transport.abort()
