"""node-smpp as a peer: `node/peer.js`, told what to do and telling what it sees.

Everything is awaited in order: a test says what the peer sees next, and nothing else may come in between.
What node-smpp read arrives as a dict, a Buffer as bytes; ``octets`` is the PDU as it was on the wire.
"""

import asyncio
import contextlib
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from typing import Any

NODE = Path(__file__).with_name("node")
WAIT_S = 10

Pdu = dict[str, Any]


def missing() -> str | None:
    """Why node-smpp cannot run here; None when it can."""
    if shutil.which("node") is None:
        return "node is not installed (tests/provide node)"
    if not (NODE / "node_modules" / "smpp").is_dir():
        return "the npm package smpp is not installed (tests/provide node)"
    return None


class Link:
    """One SMPP connection of the peer. An unbind is answered by itself, so that our end can always leave."""

    def __init__(self, peer: "Peer", number: int):
        self._peer = peer
        self._number = number
        self._seen: asyncio.Queue[Pdu] = asyncio.Queue()

    def send(self, command: str, **fields: Any) -> None:
        """Send a request with these fields; node-smpp fills in the others."""
        self._peer.tell({"link": self._number, "send": command, "fields": fields})

    def respond(self, request: Pdu, **fields: Any) -> None:
        """Answer a request that came; ``command_status`` is one of the fields."""
        self._peer.tell({"link": self._number, "respond": request["sequence_number"], "fields": fields})

    async def next(self, command: str) -> Pdu:
        """What comes next, which has to be this command."""
        seen = await self._peer.wait(self._seen.get(), command)
        came = seen.get("command", seen["event"])
        assert came == command, f"node-smpp was to see {command} next, and saw {came}; {self._peer.story()}"
        return seen

    async def ask(self, command: str, **fields: Any) -> Pdu:
        """Send a request; its response, which has to come next."""
        self.send(command, **fields)
        return await self.next(f"{command}_resp")

    async def closed(self) -> None:
        """Wait for the end of the connection, which has to come next."""
        await self.next("close")

    async def nothing_came(self) -> None:
        """Make sure that the other end had nothing more to send: next comes the answer to enquire_link."""
        await self.ask("enquire_link")

    def take(self, seen: Pdu) -> None:
        """Called by the peer with what this connection saw."""
        if seen.get("command") == "unbind":
            self.respond(seen)
        self._seen.put_nowait(seen)


class Peer:
    """A peer of one test. As an SMSC it listens on `port`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.port = 0
        self._reader, self._writer = reader, writer
        self._links: list[Link] = []
        self._opened: asyncio.Queue[Link] = asyncio.Queue()
        self._listening = asyncio.Event()
        self._story: list[str] = []
        self._watching = asyncio.create_task(self._watch())

    async def opened(self) -> Link:
        """The next connection that is made."""
        return await self.wait(self._opened.get(), "connection")

    async def listen(self) -> None:
        """Be an SMSC; afterwards `port` is known."""
        self.tell({"listen": True})
        await self.wait(self._listening.wait(), "free port")

    async def wait(self, event: Coroutine[None, None, Any], name: str) -> Any:
        """Await something that the process is to see; AssertionError when it does not."""
        waiting = asyncio.create_task(event)
        await asyncio.wait({waiting, self._watching}, timeout=WAIT_S, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        waiting.cancel()
        why = "it is gone" if self._watching.done() else f"within {WAIT_S} s"
        raise AssertionError(f"node-smpp saw no {name}: {why}; {self.story()}")

    def tell(self, order: dict[str, Any]) -> None:
        """Send the process a line."""
        line = json.dumps(order, default=lambda octets: {"hex": octets.hex()}, ensure_ascii=False)
        self._story.append(f"  told {line}")
        self._writer.write(line.encode() + b"\n")

    def story(self) -> str:
        """What happened so far, for the message of a failure."""
        return "\n".join(["what it was told and what it saw:", *self._story])

    async def end(self) -> None:
        """Let the process close all that it has open, and wait until it has."""
        self._writer.write_eof()
        try:
            await self._watching
        finally:
            self._writer.close()
            await self._writer.wait_closed()

    async def _watch(self) -> None:
        async for line in self._reader:
            self._story.append(f"  saw  {line.decode().rstrip()}")
            self._sort(json.loads(line, object_hook=_with_bytes))

    def _sort(self, seen: Pdu) -> None:
        match seen["event"]:
            case "listening":
                self.port = seen["port"]
                self._listening.set()
            case "open":
                self._links.append(Link(self, seen["link"]))
                self._opened.put_nowait(self._links[-1])
            case "failed":
                raise AssertionError(f"node-smpp cannot do that: {seen['message']}")
            case _:
                self._links[seen["link"] - 1].take(seen)


def _with_bytes(value: dict[str, Any]) -> Any:
    return bytes.fromhex(value["hex"]) if value.keys() == {"hex"} else value


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
        peer = Peer(reader, writer)
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
