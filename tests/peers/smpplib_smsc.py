"""An SMSC whose codec is smpplib's: smpplib has no server, so framing and sockets are here, and nothing else.

Blocking sockets, a thread a connection that reads. As in `node_peer`, a test says what comes next, and nothing else
may come in between. For SMS only: see `test_gateway_smpplib.test_why_sms_only`.
"""

import asyncio
import contextlib
import queue
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

from smpplib import client, smpp
from smpplib.command import Command

WAIT_S = 30
CLOSED = "close"


class Link:
    """One connection of the gateway. An unbind is answered by itself, so that the gateway can always leave."""

    def __init__(self, connection: socket.socket):
        self._connection = connection
        self._numbers = client.SimpleSequenceGenerator()
        self._seen: queue.Queue[Command | Exception | str] = queue.Queue()
        self._story: list[str] = []
        self._thread = threading.Thread(target=self._read, name="smpplib SMSC")
        self._thread.start()

    def encode(self, command: str, **fields: Any) -> bytes:
        """A request as smpplib writes it."""
        return smpp.make_pdu(command, client=self._numbers, **fields).generate()

    def send(self, command: str, **fields: Any) -> None:
        """Send a request."""
        self.write(self.encode(command, **fields))

    def respond(self, request: Command, status: int = 0, **fields: Any) -> None:
        """Answer a request that came."""
        self.write(self.encode_response(request, status, **fields))

    def encode_response(self, request: Command, status: int = 0, **fields: Any) -> bytes:
        """The answer to a request, as smpplib writes it."""
        response = smpp.make_pdu(f"{request.command}_resp", client=self._numbers, status=status, **fields)
        response.sequence = request.sequence
        return response.generate()

    def write(self, octets: bytes) -> None:
        """Send octets as they are."""
        self._story.append(f"  sent {octets.hex()}")
        self._connection.sendall(octets)

    async def next(self, command: str) -> Command:
        """What comes next, which has to be this command, as smpplib reads it."""
        seen = await self.any(command)
        came = seen if isinstance(seen, str) else seen.command
        assert came == command, f"{command} was to come next, and {came} did; {self.story()}"
        return seen

    async def any(self, wanted: str = "PDU") -> Command:
        """What comes next, whatever it is; `wanted` is for the message of a failure."""
        try:
            seen = await asyncio.to_thread(self._seen.get, timeout=WAIT_S)
        except queue.Empty:
            raise AssertionError(f"no {wanted} came within {WAIT_S} s; {self.story()}") from None
        if isinstance(seen, Exception):
            raise AssertionError(f"smpplib cannot read what came; {self.story()}") from seen
        return seen

    async def ask(self, command: str, **fields: Any) -> Command:
        """Send a request; its response, which has to come next."""
        self.send(command, **fields)
        return await self.next(f"{command}_resp")

    async def closed(self) -> None:
        """Wait for the end of the connection, which has to come next."""
        await self.next(CLOSED)

    async def nothing_came(self) -> None:
        """Make sure that the gateway had nothing more to send: next comes its answer to enquire_link."""
        await self.ask("enquire_link")

    def story(self) -> str:
        """What went over the wire, for the message of a failure."""
        return "\n".join(["what was sent and what came:", *self._story])

    def close(self) -> None:
        """Close the connection, if it is not, and end the thread."""
        with contextlib.suppress(OSError):  # the gateway was quicker
            self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(WAIT_S)

    def _read(self) -> None:
        with self._connection, contextlib.suppress(ConnectionError):
            while frame := read_frame(self._connection.recv):
                self._story.append(f"  came {frame.hex()}")
                self._take(frame)
        self._seen.put(CLOSED)

    def _take(self, frame: bytes) -> None:
        try:
            pdu = smpp.parse_pdu(frame, client=self._numbers, allow_unknown_opt_params=True)
        except Exception as problem:
            self._seen.put(problem)
            return
        self._seen.put(pdu)
        if pdu.command == "unbind":
            self.respond(pdu)


def read_frame(receive: Callable[[int], bytes]) -> bytes:
    """The octets of the next PDU; none at the end of the connection."""
    head = _exactly(receive, 4)
    if not head:
        return b""
    (length,) = struct.unpack(">L", head)
    return head + _exactly(receive, length - 4)


def _exactly(receive: Callable[[int], bytes], count: int) -> bytes:
    octets = b""
    while len(octets) < count and (piece := receive(count - len(octets))):
        octets += piece
    return octets


class Smsc:
    """Listens on `port`; for `with`."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(WAIT_S)
        self.port = self._listener.getsockname()[1]
        self._links: list[Link] = []

    def __enter__(self) -> "Smsc":
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        for link in self._links:
            link.close()

    async def opened(self) -> Link:
        """The gateway's next connection."""
        try:
            connection, _ = await asyncio.to_thread(self._listener.accept)
        except TimeoutError:
            raise AssertionError(f"the gateway did not connect within {WAIT_S} s") from None
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._links.append(Link(connection))
        return self._links[-1]
