"""A peer that is another program, told what to do and telling what it sees, a JSON object a line.

`node/peer.js` says what the lines are; `perl/peer.pl` keeps to the same. Everything is awaited in order: a test says
what the peer sees next, and nothing else may come in between. What the peer read arrives as a dict, octets as bytes.
"""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

WAIT_S = 30

Pdu = dict[str, Any]


class Link:
    """One SMPP connection of the peer. An unbind is answered by itself, so that our end can always leave."""

    def __init__(self, peer: "Peer", number: int):
        self._peer = peer
        self._number = number
        self._seen: asyncio.Queue[Pdu] = asyncio.Queue()

    def send(self, command: str, **fields: Any) -> None:
        """Send a request with these fields; the peer fills in the others."""
        self._peer.tell({"link": self._number, "send": command, "fields": fields})

    def respond(self, request: Pdu, **fields: Any) -> None:
        """Answer a request that came; ``command_status`` is one of the fields."""
        self._peer.tell({"link": self._number, "respond": request["sequence_number"], "fields": fields})

    async def next(self, command: str) -> Pdu:
        """What comes next, which has to be this command."""
        seen = await self.any(command)
        came = seen.get("command", seen["event"])
        assert came == command, (
            f"{self._peer.name} was to see {command} next, and saw {came}; {self._peer.story()}"
        )
        return seen

    async def any(self, wanted: str = "PDU") -> Pdu:
        """What comes next, whatever it is; `wanted` is for the message of a failure."""
        return await self._peer.wait(self._seen.get(), wanted)

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
    """A peer of one test: `name` is the stack that it is. As an SMSC it listens on `port`."""

    def __init__(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.name, self.port = name, 0
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
        raise AssertionError(f"{self.name} saw no {name}: {why}; {self.story()}")

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
                raise AssertionError(f"{self.name} cannot do that: {seen['message']}")
            case _:
                self._links[seen["link"] - 1].take(seen)


def _with_bytes(value: dict[str, Any]) -> Any:
    return bytes.fromhex(value["hex"]) if value.keys() == {"hex"} else value
