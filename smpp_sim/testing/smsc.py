"""A simulator in a thread of its own, for tests that are plain functions: started, asked, stopped without a loop.

>>> with Smsc() as smsc:
...     start_my_application(smsc.host, smsc.port, smsc.system_id, smsc.password)
...     smsc.wait_bound()
...     smsc.phone().dial("*100#").expect("Balance").ends()
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from gateway.smpp.explain import one_line
from smpp_sim.centre.centre import Centre, describe
from smpp_sim.centre.held_phone import NothingCame
from smpp_sim.mailbox import Letter
from smpp_sim.settings import SimulatorError, SimulatorSettings
from smpp_sim.simulator import Simulator
from smpp_sim.testing.held_phone import HeldPhone, Told, indented
from smpp_sim.transcripts.replay import replay
from smpp_sim.transcripts.transcript import parse

T = TypeVar("T")

DEFAULT_PHONE = "79260000003"
START_S = 30.0
"""Seconds that the start may take; far more than it does."""
TOLD_PDUS = 12
"""PDUs in the message of a failure."""


class Smsc:
    """`start`, or use it as a context manager; then `port` says where an application may bind.

    `timeout_s` is how long phones wait for a screen or an SMS unless told otherwise.
    """

    def __init__(
        self,
        settings: SimulatorSettings | None = None,
        *,
        timeout_s: float = 5.0,
        default_phone: str = DEFAULT_PHONE,
    ):
        self.settings = settings or SimulatorSettings(smpp_port=0, http_port=0)
        self.timeout_s, self.default_phone = timeout_s, default_phone
        self._simulator = Simulator(self.settings)
        self._ready = threading.Event()
        self._problem: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="starpound simulator", daemon=True)

    def __enter__(self) -> "Smsc":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen. Raises `SimulatorError`, one line."""
        self._thread.start()
        if not self._ready.wait(START_S):
            raise SimulatorError(f"the simulator did not start within {START_S:g} s")
        if self._problem:
            raise self._problem

    def stop(self) -> None:
        """Unbind everybody and close; harmless when it is stopped already."""
        if self._loop and self._stop and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(START_S)

    # --- where to bind ----------------------------------------------------------------------------------------

    @property
    def host(self) -> str:
        """Address to connect to."""
        return self.settings.smpp_host

    @property
    def port(self) -> int:
        """Port to connect to."""
        return self._simulator.smpp_port

    @property
    def system_id(self) -> str:
        """Name to bind with: of the first account, if there are several."""
        return self.settings.accounts[0].system_id

    @property
    def password(self) -> str:
        """Password to bind with."""
        return self.settings.accounts[0].password

    @property
    def url(self) -> str:
        """The control API, for `starpound dial --sim` while a test waits, and for everything else."""
        return self._simulator.url

    @property
    def smtp_port(self) -> int | None:
        """The mailbox, if the settings have one."""
        return self._simulator.smtp_port

    # --- what there is ----------------------------------------------------------------------------------------

    def wait_bound(self, system_id: str = "", timeout_s: float = 10.0) -> None:
        """Wait until that application (unless given: the one of the first account) is bound. Raises `NothingCame`."""
        __tracebackhide__ = True
        system_id = system_id or self.system_id
        try:
            self.wait(self._simulator.wait_bound(system_id, timeout_s))
        except NothingCame as problem:
            raise NothingCame(f"{problem} to {self.host}:{self.port}\n\n{self.story()}") from None

    @property
    def links(self) -> list[dict[str, Any]]:
        """Who is bound, as GET /api/links has it."""
        return self.call(lambda: [describe(self._centre, link) for link in self._centre.links if link.bind])

    @property
    def letters(self) -> list[Letter]:
        """Letters in the mailbox."""
        return self.call(lambda: list(self._simulator.mailbox.letters))

    def phone(self, msisdn: str = "") -> HeldPhone:
        """A phone, from now on: what came to it before is not looked at."""
        return HeldPhone(self, msisdn or self.default_phone)

    def replay(self, file: str | Path, *, timeout_s: float | None = None) -> None:
        """Play a transcript; an AssertionError with the difference when it goes otherwise.

        Raises `TranscriptError` for a file that does not parse.
        """
        __tracebackhide__ = True
        path = Path(file)
        steps = parse(path.read_bytes(), str(path))
        patience_s = self.timeout_s if timeout_s is None else timeout_s
        done = replay(steps, self.url, timeout_s=patience_s, token=self.settings.http_token)
        if not done.right:
            lines = "\n".join(done.difference(path.name))
            raise AssertionError(f"{path}:{done.line}: {done.problem}\n{lines}\n\n{self.story()}")

    def story(self) -> str:
        """Who has bound, who has gone, and the last PDUs, for the message of a failure."""
        who, wire = self.call(
            lambda: ([*_who_is_bound(self._centre), *_who_came(self._centre)], _wire(self._centre))
        )
        return "\n".join([*who, "", "The wire, newest last:", indented(wire or ["nothing"])])

    # --- for phones -------------------------------------------------------------------------------------------

    def call(self, deed: Callable[[], T]) -> T:
        """Do something in the simulator's thread; its result."""

        async def done() -> T:
            return deed()

        return self.wait(done())

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the simulator's thread; its result."""
        if not self._loop or not self._thread.is_alive():
            coroutine.close()
            raise SimulatorError("the simulator is not running")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    @property
    def told(self) -> Told:
        """The centre, for a phone that lives in it."""
        return Told(self._centre, self.call, self.wait, self.story, self.timeout_s)

    @property
    def _centre(self) -> Centre:
        return self._simulator.centre

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as problem:
            self._problem = problem
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with self._simulator:
            self._ready.set()
            await self._stop.wait()


def _who_is_bound(centre: Centre) -> list[str]:
    bound = [f"{link.system_id} ({link.bind}, from {link.peer})" for link in centre.links if link.bind]
    strangers = [f"{link.peer} is connected and has not bound" for link in centre.links if not link.bind]
    return [f"bound: {', '.join(bound) or 'nobody'}", *strangers]


def _who_came(centre: Centre) -> list[str]:
    events = centre.log.after(centre.log.last - 10)
    return [
        f"  {event.kind} {event.data['system_id']} {event.data['peer']} {event.data.get('reason', '')}".rstrip()
        for event in events
    ]


def _wire(centre: Centre) -> list[str]:
    newest = list(islice(centre.trace.newest(), TOLD_PDUS))
    return [
        f"{'→' if pdu.direction == 'out' else '←'} {pdu.connection.account or pdu.connection.peer}  "
        f"{one_line(pdu.octets)}"
        for pdu in reversed(newest)
    ]
