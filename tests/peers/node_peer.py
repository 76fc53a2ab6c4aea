"""node-smpp as a peer: `node/peer.js`. Buffers arrive as bytes; ``octets`` is the PDU as it was on the wire."""

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from tests.peers.line_peer import WAIT_S, Link, Peer

NODE = Path(__file__).with_name("node")


def missing() -> str | None:
    """Why node-smpp cannot run here; None when it can."""
    if shutil.which("node") is None:
        return "node is not installed (tests/provide node)"
    if not (NODE / "node_modules" / "smpp").is_dir():
        return "the npm package smpp is not installed (tests/provide node)"
    return None


class Node:
    """The process that is node-smpp, one for all tests: starting it takes a quarter of a second."""

    def __init__(self, control_port: int):
        self._control_port = control_port

    @contextlib.asynccontextmanager
    async def esme(self, port: int) -> AsyncIterator[Link]:
        """An ESME connected to this port, not yet bound."""
        async with self._peer() as peer:
            peer.tell({"connect": port})
            yield await peer.opened()

    @contextlib.asynccontextmanager
    async def smsc(self) -> AsyncIterator[Peer]:
        """An SMSC, listening."""
        async with self._peer() as peer:
            await peer.listen()
            yield peer

    @contextlib.asynccontextmanager
    async def _peer(self) -> AsyncIterator[Peer]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._control_port, limit=1 << 20)
        peer = Peer("node-smpp", reader, writer)
        try:
            yield peer
        finally:
            await peer.end()


@contextlib.contextmanager
def running() -> Iterator[Node]:
    """The process, for as long as the block."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(["node", str(NODE / "peer.js")], text=True, **pipes) as process:
        port = process.stdout.readline().strip()
        assert port.isdecimal(), f"node did not start: it says {port!r} where its port should be"
        try:
            yield Node(int(port))
        finally:
            process.stdin.close()
            process.wait(WAIT_S)
