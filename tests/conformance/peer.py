"""The peer of the tests: one TCP connection on which octets are written and PDUs are read."""

import asyncio
import contextlib
import struct
from collections import deque
from collections.abc import Callable

from tests.conformance.octets import ENQUIRE_LINK, RESPONSE, UNBIND, Raw, frame, response

PATIENCE_S = 10.0


class Gone(AssertionError):
    """The other end has closed; the test did not expect that here."""


class Peer:
    """One connection. `read` is the next PDU; `ask` writes a request and finds its response among what comes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self._reader, self._writer = reader, writer
        self._skipped: deque[Raw] = deque()
        self._number = 0x1000
        self.mute = False
        """Whether enquire_link is left for the test to answer."""

    def write(self, octets: bytes) -> None:
        self._writer.write(octets)

    async def write_slowly(self, octets: bytes) -> None:
        """One octet a segment."""
        for octet in octets:
            self.write(bytes([octet]))
            await self._writer.drain()
            await asyncio.sleep(0)

    async def read(self) -> Raw:
        """The next PDU."""
        return self._skipped.popleft() if self._skipped else await self._next()

    async def until(self, wanted: Callable[[Raw], bool]) -> Raw:
        """The next PDU that is `wanted`; those before it are kept for `read`."""
        for pdu in self._skipped:
            if wanted(pdu):
                self._skipped.remove(pdu)
                return pdu
        while not wanted(pdu := await self._next()):
            self._skipped.append(pdu)
        return pdu

    def skipped(self) -> list[int]:
        """The commands that came and that nobody has asked for yet."""
        return [pdu.command_id for pdu in self._skipped]

    async def request(self, command_id: int) -> Raw:
        """The next request of this command that the other end sends."""
        return await self.until(lambda pdu: pdu.command_id == command_id)

    async def response(self, number: int) -> Raw:
        """The response to the request with this sequence number."""
        return await self.until(lambda pdu: bool(pdu.command_id & RESPONSE) and pdu.number == number)

    async def ask(self, command_id: int, body: bytes = b"", number: int | None = None) -> Raw:
        """Write a request and wait for its response."""
        if number is None:
            number = self._number = self._number + 1
        self.write(frame(command_id, number, body))
        return await self.response(number)

    async def is_alive(self) -> None:
        """Make sure that the other end is there, and reads what it is sent in step."""
        answer = await self.ask(ENQUIRE_LINK)
        assert (answer.command_id, answer.status) == (ENQUIRE_LINK | RESPONSE, 0), answer

    async def is_closed(self) -> list[Raw]:
        """Wait for the other end to close; what it still sent."""
        rest = list(self._skipped)
        self._skipped.clear()
        while True:
            try:
                rest.append(await self._next())
            except Gone:
                return rest

    async def read_at_once(self) -> bytes:
        """What one read of the socket brings."""
        assert not self._skipped
        async with asyncio.timeout(PATIENCE_S):
            return await self._reader.read(65536)

    async def leave(self) -> None:
        """Unbind and close."""
        if not self._writer.is_closing():
            with contextlib.suppress(Gone):
                await self.ask(UNBIND)
        await self.close()

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _next(self) -> Raw:
        try:
            async with asyncio.timeout(PATIENCE_S):
                head = await self._reader.readexactly(16)
                length, *header = struct.unpack(">LLLL", head)
                body = await self._reader.readexactly(length - 16)
        except (asyncio.IncompleteReadError, OSError) as problem:
            if isinstance(problem, TimeoutError):
                raise AssertionError(
                    f"nothing came within {PATIENCE_S:g} s; skipped {self._skipped}"
                ) from None
            left = getattr(problem, "partial", b"").hex()
            raise Gone(f"closed by the other end; skipped {list(self._skipped)}, left {left!r}") from None
        pdu = Raw(*header, body)
        if pdu.command_id == ENQUIRE_LINK and not self.mute:
            self.write(response(pdu))
        return pdu
