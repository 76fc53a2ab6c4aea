"""The whole simulator as one object: centre, mailbox and control API, started and stopped together."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

from smpp_sim.api.app import build_app
from smpp_sim.centre.centre import Centre
from smpp_sim.centre.held_phone import HeldPhone, NothingCame
from smpp_sim.mailbox import Mailbox
from smpp_sim.settings import SimulatorError, SimulatorSettings, cannot_listen

__all__ = ["Simulator", "SimulatorError", "SimulatorSettings"]

_MAX_HTTP = 512
"""HTTP and WebSocket connections at one time; a further one is answered 503."""


class Simulator:
    """`start` it inside a running loop; then `smpp_port`, `http_port`, `smtp_port` are the real ones.

    >>> async with Simulator(SimulatorSettings(smpp_port=0, http_port=0)) as simulator:
    ...     await simulator.wait_bound("gw", timeout_s=5)
    """

    def __init__(self, settings: SimulatorSettings | None = None):
        self.settings = settings or SimulatorSettings()
        self.mailbox = Mailbox()
        self.smpp_port = self.http_port = 0
        self.smtp_port: int | None = None
        self._centre: Centre | None = None
        self._http: _HttpServer | None = None

    async def __aenter__(self) -> "Simulator":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def centre(self) -> Centre:
        """The SMSC and USSD centre; there is one from `start` on."""
        if self._centre is None:
            raise SimulatorError("the simulator is not started")
        return self._centre

    @property
    def url(self) -> str:
        """Where the control API is, for `remote`."""
        host = self.settings.http_host
        return f"http://[{host}]:{self.http_port}" if ":" in host else f"http://{host}:{self.http_port}"

    async def start(self) -> None:
        """Listen everywhere. Raises `SimulatorError`, one line, and then nothing is left listening."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Unbind who is bound, end all requests, close everything. Harmless when it is stopped already."""
        if self._centre:
            await self._centre.stop()
        await self.mailbox.stop()
        if self._http:
            http, self._http = self._http, None
            await http.stop()

    def phone(self, msisdn: str) -> HeldPhone:
        """A phone in the hand, from now on."""
        return HeldPhone(self.centre, msisdn)

    async def wait_bound(self, system_id: str, timeout_s: float = 10.0) -> None:
        """Wait until this ESME is bound. Raises `NothingCame`."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while not any(link.system_id == system_id and link.bind for link in self.centre.links):
            left_s = deadline - asyncio.get_running_loop().time()
            if not await self.centre.log.wait(self.centre.log.last, frozenset({"bound"}), max(left_s, 0)):
                raise NothingCame(f"{system_id} did not bind within {timeout_s:g} s")

    async def _start(self) -> None:
        settings = self.settings
        self._centre = Centre(settings)
        await self._centre.start()
        self.smpp_port = self._centre.port
        if settings.smtp_port is not None:
            await self.mailbox.start(settings.smtp_host, settings.smtp_port)
            self.smtp_port = self.mailbox.port
        logging.getLogger("uvicorn.error").addFilter(_in_one_line)
        listening = _listen(settings.http_host, settings.http_port)
        self.http_port = listening.getsockname()[1]
        self._http = _HttpServer(uvicorn.Config(**_http_config(self)), listening)
        await self._http.start()


def _http_config(simulator: Simulator) -> dict[str, Any]:
    return {
        "app": build_app(simulator.centre, simulator.mailbox, simulator.settings),
        "lifespan": "off",
        "log_config": None,
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "date_header": False,
        "ws": "websockets-sansio",
        "ws_max_size": 64 * 1024,
        "limit_concurrency": _MAX_HTTP,
        "timeout_graceful_shutdown": 2,
    }


def _in_one_line(record: logging.LogRecord) -> bool:
    """Nonsense of a WebSocket client is no failure of ours: no traceback of it."""
    if str(record.msg).startswith("Invalid UTF-8"):
        record.exc_info = None
    return True


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=128)
        # asyncio leaves Nagle's algorithm on for sockets made like this one; an answer would take 40 ms
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as error:
        raise cannot_listen("control API", host, port, error) from None


class _HttpServer(uvicorn.Server):
    """uvicorn inside a loop that is not its own: it leaves signals to whoever runs the loop."""

    def __init__(self, config: uvicorn.Config, listening: socket.socket):
        super().__init__(config)
        self._listening = listening
        self._task: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def main_loop(self) -> None:
        """Wait for the end, instead of looking for it ten times a second; the ticks only kept the Date header."""
        await self._ended.wait()

    async def start(self) -> None:
        """Serve in the background; the socket listens already, so nobody has to wait."""
        self._task = asyncio.create_task(self.serve(sockets=[self._listening]), name="simulator control API")

    async def stop(self) -> None:
        """End what is under way and close."""
        self.should_exit = True
        self._ended.set()
        if self._task:
            await self._task
        self._listening.close()
