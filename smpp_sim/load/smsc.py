"""A load generator: an SMSC that listens, waits for an ESME to bind, and times the turns of its answers.

The protocol is the least that a load needs, on purpose apart from ``gateway.smpp`` (``pdu`` says why):
one transceiver bind, deliver_sm out, submit_sm in, enquire_link and unbind; anything else gets generic_nack.
One read is answered by one write. With uvloop it drives well over 60 000 turns a second on one core, and the
report says what share of its core it used: near 100 % it measured itself, not the ESME.

    smsc = LoadSmsc()
    port = await smsc.listen()
    ...                                # an ESME binds to 127.0.0.1:port
    await smsc.wait_for_bind(10)
    report = await smsc.run(Script(("*100#",)), LoadSettings(window=64, seconds=5))
    await smsc.close()
"""

import asyncio
import contextlib
import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from smpp_sim.load import pdu as wire
from smpp_sim.load.dialogue import Leftovers
from smpp_sim.load.link import LoadLink
from smpp_sim.load.pdu import LoadScript
from smpp_sim.load.report import LoadReport, report_of
from smpp_sim.load.run import LoadRun
from smpp_sim.load.series import Second, Series
from smpp_sim.load.settings import LoadSettings
from smpp_sim.load.timer import PreciseAlarm

__all__ = ["LoadReport", "LoadScript", "LoadSettings", "LoadSmsc"]

_TICK_S = 0.01
# Arrivals nearer to each other than this leave together: an alarm for each would cost more than the turn.
_NEAREST_NS = 50_000

Watch = Callable[[Second, dict[str, int]], None]
"""Told of each second that is over, and of all problems so far by kind; it must be quick."""


class LoadSmsc:
    """The end that puts the load on. ``password`` None admits any; one transceiver is admitted at a time.

    It listens, or, for a gateway in the role of the SMSC, connects and binds. ``link`` says how turns look on
    the wire; `dialect.wire_of` makes one. ``refusals``: how often a bind came to nothing, by command_status.
    ``first_session`` numbers the first dialogue: a load soon after another one needs another number (`Leftovers`).
    """

    def __init__(
        self,
        password: str | None = None,
        system_id: str = "load",
        *,
        admits: str | None = None,
        link: wire.Wire | None = None,
        first_session: int = 0,
    ) -> None:
        self.system_id = system_id
        self.refusals: Counter[int] = Counter()
        self._password = password
        self._admits = admits
        self._wire = link or wire.Wire()
        self._server: asyncio.Server | None = None
        self._links: set[LoadLink] = set()
        self._link: LoadLink | None = None
        self._is_bound = asyncio.Event()
        self._leftovers = Leftovers(session=first_session)
        self._run: LoadRun | None = None
        self._connects = False

    async def listen(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen, and return the port (that which was free, for port 0). OSError when it is taken."""
        self._server = await asyncio.get_running_loop().create_server(lambda: LoadLink(self), host, port)
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def connect(self, host: str, port: int, system_id: str, password: str) -> None:
        """Connect to a gateway that is the SMSC, and ask to be bound. OSError when nobody listens."""
        account = system_id, password
        self._connects = True
        await asyncio.get_running_loop().create_connection(lambda: LoadLink(self, account), host, port)

    async def wait_for_bind(self, timeout_s: float) -> str:
        """Return the system_id of the bound peer.

        TimeoutError when nobody binds in time; ConnectionRefusedError when whom we `connect`-ed to will not have us.
        """
        async with asyncio.timeout(timeout_s):
            await self._is_bound.wait()
        if self._link is None:
            raise ConnectionRefusedError("the bind was refused")
        return self._link.system_id or ""

    async def run(
        self,
        script: LoadScript | Sequence[LoadScript],
        settings: LoadSettings,
        watch: Watch = lambda *_: None,
    ) -> LoadReport:
        """Load the bound peer with ``script``; ConnectionError when none is bound.

        Returns after ``settings.seconds`` (or ``turns``, or `stop`) and the time that dialogues in flight need to
        end, at most ``turn_timeout_s``. A peer that goes away ends the run: see ``errors``.
        """
        link = self._link
        if link is None:
            raise ConnectionError("no ESME is bound")
        stopped = asyncio.Event()
        run = LoadRun(script, settings, on_stop=stopped.set, link=self._wire, leftovers=self._leftovers)
        link.run = self._run = run
        try:
            with _no_collector():
                now_ns = time.perf_counter_ns()
                series = Series(run, now_ns)
                run.begin(now_ns)
                with _driven(link, run, series, watch):
                    link.flush(run)
                    seconds, cpu_s = await _measured(run, stopped, settings, series)
                    await _drain(run, settings)
        finally:
            link.run = self._run = None
            run.finish()
        return report_of(run, seconds, cpu_s, series.seconds)

    def stop(self) -> bool:
        """End the run that is on; `run` returns when the turns in flight are answered or given up.

        False when nothing was to be ended, no run or one that is ending already.
        """
        if self._run is None or self._run.stopped:
            return False
        self._run.stop()
        return True

    async def close(self) -> None:
        """Stop listening and end all connections."""
        if self._server is not None:
            self._server.close()
        for link in list(self._links):
            link.transport.close()
        if self._server is not None:
            await self._server.wait_closed()

    def admit(self, link: LoadLink, command_id: int, system_id: str, password: str) -> int:
        """Return the status for a bind request."""
        if link.system_id is not None:
            return wire.ESME_RALYBND
        if self._link is not None or command_id != wire.BIND_TRANSCEIVER:
            return wire.ESME_RBINDFAIL
        if self._admits is not None and system_id != self._admits:
            return wire.ESME_RINVSYSID
        if self._password is not None and password != self._password:
            return wire.ESME_RINVPASWD
        return wire.ESME_ROK

    def opened(self, link: LoadLink) -> None:
        """Remember a connection, to close it at the end."""
        self._links.add(link)

    def bound(self, link: LoadLink) -> None:
        """Take ``link`` as the one to load."""
        self._link = link
        self._is_bound.set()

    def refused(self, status: int) -> None:
        """Remember that a bind came to nothing, and why."""
        self.refusals[status] += 1
        if self._connects:
            self._is_bound.set()

    def unbound(self, link: LoadLink) -> None:
        """Forget ``link``; another ESME may bind."""
        self._links.discard(link)
        if self._link is link:
            self._link = None
            self._is_bound.clear()
        elif self._connects:
            self._is_bound.set()  # closed without an answer


@contextlib.contextmanager
def _driven(link: LoadLink, run: LoadRun, series: Series, watch: Watch) -> Iterator[None]:
    """Let time pass for the run: turns that are due leave, those too old are given up, seconds are counted."""
    alarm = PreciseAlarm(lambda: ring())

    def ring() -> None:
        link.flush(run)
        if not run.stopped:
            alarm.set(max(run.next_ns, time.perf_counter_ns() + _NEAREST_NS))

    ring()
    ticker = asyncio.create_task(_tick(link, run, series, watch))
    try:
        yield
    finally:
        ticker.cancel()
        alarm.close()


async def _tick(link: LoadLink, run: LoadRun, series: Series, watch: Watch) -> None:
    while True:
        await asyncio.sleep(_TICK_S)
        now_ns = time.perf_counter_ns()
        run.tick(now_ns)
        link.flush(run)
        if series.is_due(now_ns) and not run.stopped:
            second = series.take(now_ns, measured=run.measuring)
            if second:
                watch(second, run.kinds)


async def _measured(
    run: LoadRun, stopped: asyncio.Event, settings: LoadSettings, series: Series
) -> tuple[float, float]:
    """Warm up, measure, stop; return the seconds measured, and those of processor time in them."""
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    await _wait(stopped, settings.ramp_s + settings.warmup_s)
    if not run.stopped:
        series.take(time.perf_counter_ns(), measured=False)
        run.measure()
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        await _wait(stopped, settings.seconds)
    seconds, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    run.stop()
    series.take(time.perf_counter_ns(), measured=run.measuring)
    return seconds, cpu_s


async def _wait(stopped: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopped.wait()


async def _drain(run: LoadRun, settings: LoadSettings) -> None:
    """Wait for the dialogues in flight; the ticker gives up those that take too long."""
    give_up_s = time.perf_counter() + settings.turn_timeout_s + 1
    while not run.drained and time.perf_counter() < give_up_s:  # noqa: ASYNC110 (an event would cost each turn)
        await asyncio.sleep(_TICK_S)


@contextlib.contextmanager
def _no_collector() -> Iterator[None]:
    """Keep the garbage collector out of the measurement: a run makes no cycles, and its pauses would count."""
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
