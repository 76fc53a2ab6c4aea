"""Kannel as a peer: bearerbox and smsbox, and the HTTP service that smsbox asks.

The service is the test itself: `asked` is what came, and the answer to it is given there.
"""

import asyncio
import contextlib
import os
import shutil
import socket
import urllib.parse
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import httpx

SETTINGS = Path(__file__).with_name("kannel.conf")
WAIT_S = 30
END_S = 2
REQUEST_OCTETS = 1 << 16
BOXES = ("bearerbox", "smsbox")
CHARSET = "latin-1"
"""Octets of a query stand one by one for characters, so that TLVs survive."""


def missing() -> str | None:
    """Why Kannel cannot run here; None when it can."""
    return None if all(map(_which, BOXES)) else "kannel is not installed (tests/provide kannel)"


def _which(box: str) -> str | None:
    """Debian keeps its daemons where not everybody's PATH leads."""
    return shutil.which(box, path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin")))


class Asked(NamedTuple):
    """A request of smsbox: its path, and its query as octets that are written as Latin-1."""

    path: str
    query: dict[str, str]
    writer: asyncio.StreamWriter

    @property
    def tlvs(self) -> dict[str, bytes]:
        """The TLVs that came with the message, from Kannel's meta-data."""
        _, _, pairs = self.query["meta"].removeprefix("?").partition("?")
        return {name: value.encode(CHARSET) for name, value in _query(pairs).items()}

    async def answer(self, text: str = "", **headers: str) -> None:
        """The text of the answer; no text, no message. Headers: ``coding="2"`` is X-Kannel-Coding: 2."""
        body = text.encode()
        fields = {
            "Content-Type": "text/plain; charset=UTF-8",
            "Content-Length": str(len(body)),
            "Connection": "close",
            **{f"X-Kannel-{name.replace('_', '-')}": value for name, value in headers.items()},
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.writer.write(f"HTTP/1.1 200 OK\r\n{head}\r\n".encode() + body)
        self.writer.close()
        await self.writer.wait_closed()


def _query(text: str) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(text, keep_blank_values=True, encoding=CHARSET))


def meta_data(**tlvs: bytes | int) -> str:
    """TLVs as X-Kannel-Meta-Data wants them: integers in decimal."""
    return "?smpp?" + urllib.parse.urlencode(
        {name: value if isinstance(value, bytes) else str(value) for name, value in tlvs.items()}
    )


class Service:
    """The HTTP service, on a free `port`."""

    def __init__(self) -> None:
        self.port = 0
        self._asked: asyncio.Queue[Asked] = asyncio.Queue()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "Service":
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server
        self._server.close()
        await self._server.wait_closed()

    async def asked(self, path: str = "/asked") -> Asked:
        """The request that comes next, which has to be for this path. It has to be answered."""
        async with asyncio.timeout(WAIT_S):
            asked = await self._asked.get()
        assert asked.path == path, f"{path} was to be asked next, and {asked.path} was: {asked.query}"
        return asked

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        path, _, query = head.split()[1].decode("ascii").partition("?")
        self._asked.put_nowait(Asked(path, _query(query), writer))


class Box:
    """A running box of Kannel; what it logs is kept for the message of a failure."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._lines: list[str] = []
        self._more = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def said(self, words: str) -> None:
        """Wait until its log has these words."""
        try:
            async with asyncio.timeout(WAIT_S):
                while not any(words in line for line in self._lines):
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise AssertionError(
                f"Kannel did not say {words!r} within {WAIT_S} s, but:\n{self.story()}"
            ) from None

    def story(self) -> str:
        """All that it said."""
        return "\n".join(self._lines)

    async def end(self) -> None:
        """Let it end as an operator would; bearerbox sometimes does not when its bind was refused, and is killed."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), END_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stderr
        async for line in self._process.stderr:
            self._lines.append(line.decode(errors="replace").rstrip())
            self._more.set()


class Kannel(NamedTuple):
    """Kannel at work."""

    service: Service
    sendsms_port: int
    bearerbox: Box

    async def send_sms(self, **query: str) -> str:
        """Send through smsbox's HTTP interface; what it says. With a `receipt` the service is asked /receipt."""
        account = {"username": "peers", "password": "peers"}
        if query.pop("receipt", None):
            url = f"http://127.0.0.1:{self.service.port}/receipt?state=%d&text=%A&id=%F"
            query |= {"dlr-mask": "31", "dlr-url": url}
        async with httpx.AsyncClient(timeout=WAIT_S, trust_env=False) as client:
            url = f"http://127.0.0.1:{self.sendsms_port}/cgi-bin/sendsms"
            response = await client.get(url, params=account | query)
        assert response.status_code == httpx.codes.ACCEPTED, f"{response.status_code}: {response.text}"
        return response.text


@contextlib.asynccontextmanager
async def running(smsc_port: int, folder: Path) -> AsyncIterator[Kannel]:
    """Both boxes, and a service that is the test itself."""
    async with Service() as service, boxes_for(service.port, smsc_port, folder) as (sendsms, bearerbox):
        yield Kannel(service, sendsms, bearerbox)


@contextlib.asynccontextmanager
async def boxes_for(service_port: int, smsc_port: int, folder: Path) -> AsyncIterator[tuple[int, Box]]:
    """Both boxes, which know each other; bearerbox binds to the SMSC on this port. The port of sendsms, bearerbox."""
    admin, box, sendsms = _free_ports(3)
    async with contextlib.AsyncExitStack() as boxes:
        ports = {"ADMIN": admin, "BOX": box, "SENDSMS": sendsms, "SMSC": smsc_port, "SERVICE": service_port}
        settings = _settings(folder, ports)
        bearerbox = await _start("bearerbox", settings, boxes)
        await bearerbox.said("Start-up done")
        smsbox = await _start("smsbox", settings, boxes)
        await smsbox.said("Connected to bearerbox")
        await bearerbox.said("Client connected")
        yield sendsms, bearerbox


async def _start(name: str, settings: Path, boxes: contextlib.AsyncExitStack) -> Box:
    program = _which(name)
    assert program
    box = Box(await asyncio.create_subprocess_exec(program, "-v", "1", settings, stderr=PIPE))
    boxes.push_async_callback(box.end)
    return box


def _settings(folder: Path, ports: dict[str, int]) -> Path:
    text = SETTINGS.read_text()
    for mark, port in ports.items():
        text = text.replace(f"@{mark}@", str(port))
    settings = folder / "kannel.conf"
    settings.write_text(text)
    return settings


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        return [
            held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(count)
        ]
