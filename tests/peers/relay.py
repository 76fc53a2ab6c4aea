"""A relay on loopback between the two ends of every run here: it passes octets unchanged and keeps a copy.

`test_wire` has tshark read what was kept.
"""

import asyncio
import contextlib
import time

from tests.peers import recording

READ_OCTETS = 1 << 16
HALF_OPEN_S = 0.2
ENDING_S = 5.0


class Relay:
    """Listens on `port` for the ESME and connects to the SMSC on `smsc_port`; for `async with`.

    ``ours`` says which end is of this house. With a `port` given, it listens there.
    """

    def __init__(self, smsc_port: int, ours: recording.End, port: int = 0) -> None:
        self.port = port
        self._ours = ours
        self.smsc_port = smsc_port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Relay":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; from now on `port` is known."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Pass on what is still under way, which ends when either end has closed, and close."""
        if self._server is None:
            return
        self._server.close()
        if self._connections:
            _, open_still = await asyncio.wait(self._connections, timeout=ENDING_S)
            for task in open_still:
                task.cancel()
            await asyncio.gather(*open_still, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        try:
            await self._pass_on(reader, writer)
        finally:
            await _close(writer)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            smsc_reader, smsc_writer = await asyncio.open_connection("127.0.0.1", self.smsc_port)
        except OSError:
            return  # nobody is there: the ESME sees its connection end
        kept = recording.begin(self._ours)
        try:
            await _until_one_ends(
                asyncio.create_task(_pump(reader, smsc_writer, kept.from_esme)),
                asyncio.create_task(_pump(smsc_reader, writer, kept.from_smsc)),
            )
        finally:
            await _close(smsc_writer)


async def _until_one_ends(*pumps: asyncio.Task[None]) -> None:
    """Wait for both; when one end has closed, the other has a moment to finish."""
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait(pumps, timeout=HALF_OPEN_S)
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: list[recording.Piece]
) -> None:
    """Pass octets on, in the pieces that they came in, until the end of the stream."""
    with contextlib.suppress(ConnectionError):
        while octets := await reader.read(READ_OCTETS):
            kept.append(recording.Piece(time.time(), octets))
            writer.write(octets)
            await writer.drain()
        writer.write_eof()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
