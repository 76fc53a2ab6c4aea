"""A load generator: an SMSC that listens, waits for an ESME to bind, and times the turns of its answers.

The protocol is the least that a load needs, on purpose apart from ``gateway.smpp`` (``load_pdu`` says why):
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
from collections.abc import Iterator
from dataclasses import dataclass, field

from smpp_sim import load_pdu as wire
from smpp_sim.load_pdu import Script
from smpp_sim.load_run import LoadSettings, Run

__all__ = ["LoadReport", "LoadSettings", "LoadSmsc", "Script"]

_LONGEST_PDU = 65536
_TICK_S = 0.01


@dataclass(frozen=True)
class LoadReport:
    """What one run measured.

    ``turns`` and the percentiles cover ``seconds`` after the warm-up; ``errors``, ``throttled`` (turns sent
    again), ``unanswered`` (turns given up) and ``late`` (answers to no open dialogue) cover all of it.
    ``left_open``: scripts whose last answer still asked. ``cpu_share``: of one core, by this process.
    ``sample``: the first dialogue, a line for each text, "> " sent and "< " received.
    """

    turns: int
    seconds: float
    dialogues: int
    p50_ms: float
    p99_ms: float
    p999_ms: float
    longest_ms: float
    errors: dict[str, int] = field(default_factory=dict)
    throttled: int = 0
    unanswered: int = 0
    late: int = 0
    left_open: int = 0
    cpu_share: float = 0.0
    sample: tuple[str, ...] = ()

    @property
    def turns_per_s(self) -> float:
        """Answered turns a second."""
        return self.turns / self.seconds if self.seconds else 0.0


class _Link(asyncio.Protocol):
    """One connection of an ESME: frames, the bind, and the run that is on."""

    def __init__(self, smsc: "LoadSmsc") -> None:
        self.smsc = smsc
        self.run: Run | None = None
        self.system_id: str | None = None
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.smsc.opened(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.smsc.unbound(self)
        if self.run is not None:
            self.run.lost("connection lost")

    def data_received(self, data: bytes) -> None:
        """Take all PDUs of one read, then write all that follows from them at once. The hot path."""
        now_ns = time.perf_counter_ns()
        octets = self._tail + data if self._tail else data
        run, start, end, unpack = self.run, 0, len(octets), wire.HEADER.unpack_from
        while end - start >= 16:
            length, command_id, status, sequence = unpack(octets, start)
            stop = start + length
            if not 16 <= length <= _LONGEST_PDU:
                return self._give_up(sequence)
            if stop > end:
                break
            if run is None or command_id not in (wire.SUBMIT_SM, wire.DELIVER_SM_RESP):
                self._housekeeping(command_id, octets, start, stop)
            elif command_id == wire.SUBMIT_SM:
                run.answered(octets, start, stop, sequence, now_ns)
            else:
                run.acknowledged(sequence, status, now_ns)
            start = stop
        self._tail = octets[start:]
        if run is not None:
            self.flush(run)
        return None

    def flush(self, run: Run) -> None:
        """Write what the run has to say."""
        octets = run.flush(time.perf_counter_ns())
        if octets:
            self.transport.write(octets)

    def _give_up(self, sequence: int) -> None:
        """Close: after an impossible command_length nobody knows where the next PDU begins."""
        self._answer(wire.GENERIC_NACK, wire.ESME_RINVCMDLEN, sequence)
        self.transport.close()

    def _housekeeping(self, command_id: int, octets: bytes, start: int, stop: int) -> None:
        """Answer whatever is not a turn of a run."""
        _, _, _, sequence = wire.HEADER.unpack_from(octets, start)
        if command_id & wire.RESPONSE:
            return
        if command_id in (wire.BIND_RECEIVER, wire.BIND_TRANSMITTER, wire.BIND_TRANSCEIVER):
            self._bind(command_id, octets, start, stop, sequence)
        elif command_id == wire.ENQUIRE_LINK:
            self._answer(command_id, wire.ESME_ROK, sequence)
        elif command_id == wire.UNBIND:
            self._answer(command_id, wire.ESME_ROK, sequence)
            self.transport.close()
        elif command_id == wire.SUBMIT_SM:
            self._submitted_between_runs(sequence)
        else:
            self._answer(wire.GENERIC_NACK, wire.ESME_RINVCMDID, sequence)

    def _submitted_between_runs(self, sequence: int) -> None:
        if self.system_id is None:
            self._answer(wire.SUBMIT_SM, wire.ESME_RINVBNDSTS, sequence)
        else:
            self._answer(wire.SUBMIT_SM, wire.ESME_ROK, sequence, b"0\0")

    def _bind(self, command_id: int, octets: bytes, start: int, stop: int, sequence: int) -> None:
        try:
            system_id, password = wire.read_bind(octets, start, stop)
        except ValueError:
            return self._answer(command_id, wire.ESME_RINVMSGLEN, sequence)
        status = self.smsc.admit(self, command_id, password)
        if status == wire.ESME_ROK:
            self.system_id = system_id
            self._answer(command_id, status, sequence, self.smsc.system_id.encode() + b"\0")
            return self.smsc.bound(self)
        return self._answer(command_id, status, sequence)

    def _answer(self, command_id: int, status: int, sequence: int, body: bytes = b"") -> None:
        self.transport.write(wire.response(command_id, status, sequence, body))


class LoadSmsc:
    """The listening end. ``password`` None admits any; one transceiver is admitted at a time."""

    def __init__(self, password: str | None = None, system_id: str = "load") -> None:
        self.system_id = system_id
        self._password = password
        self._server: asyncio.Server | None = None
        self._links: set[_Link] = set()
        self._link: _Link | None = None
        self._is_bound = asyncio.Event()
        self._sequence = 1

    async def listen(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen, and return the port (that which was free, for port 0). OSError when it is taken."""
        self._server = await asyncio.get_running_loop().create_server(lambda: _Link(self), host, port)
        return self._server.sockets[0].getsockname()[1]

    async def wait_for_bind(self, timeout_s: float) -> str:
        """Return the system_id of the bound ESME; TimeoutError when none binds in time."""
        async with asyncio.timeout(timeout_s):
            await self._is_bound.wait()
        assert self._link is not None
        return self._link.system_id or ""

    async def run(self, script: Script, settings: LoadSettings) -> LoadReport:
        """Load the bound ESME with ``script``; ConnectionError when none is bound.

        Returns after ``settings.seconds`` (or ``turns``) and the time that dialogues in flight need to end,
        at most ``turn_timeout_s``. An ESME that goes away ends the run: see ``errors``.
        """
        link = self._link
        if link is None:
            raise ConnectionError("no ESME is bound")
        stopped = asyncio.Event()
        run = Run(script, settings, self._sequence, stopped.set)
        link.run = run
        ticker = asyncio.create_task(_tick(link, run))
        try:
            with _no_collector():
                run.begin()
                link.flush(run)
                seconds, cpu_s = await _measured(run, stopped, settings)
                await _drain(run, settings)
        finally:
            ticker.cancel()
            link.run = None
            self._sequence = run.sequence
        return _report(run, seconds, cpu_s)

    async def close(self) -> None:
        """Stop listening and end all connections."""
        if self._server is not None:
            self._server.close()
        for link in list(self._links):
            link.transport.close()
        if self._server is not None:
            await self._server.wait_closed()

    def admit(self, link: _Link, command_id: int, password: str) -> int:
        """Return the status for a bind request."""
        if link.system_id is not None:
            return wire.ESME_RALYBND
        if self._link is not None or command_id != wire.BIND_TRANSCEIVER:
            return wire.ESME_RBINDFAIL
        if self._password is not None and password != self._password:
            return wire.ESME_RINVPASWD
        return wire.ESME_ROK

    def opened(self, link: _Link) -> None:
        """Remember a connection, to close it at the end."""
        self._links.add(link)

    def bound(self, link: _Link) -> None:
        """Take ``link`` as the one to load."""
        self._link = link
        self._is_bound.set()

    def unbound(self, link: _Link) -> None:
        """Forget ``link``; another ESME may bind."""
        self._links.discard(link)
        if self._link is link:
            self._link = None
            self._is_bound.clear()


async def _tick(link: _Link, run: Run) -> None:
    while True:
        await asyncio.sleep(_TICK_S)
        run.tick(time.perf_counter_ns())
        link.flush(run)


async def _measured(run: Run, stopped: asyncio.Event, settings: LoadSettings) -> tuple[float, float]:
    """Warm up, measure, stop; return the seconds measured, and those of processor time in them."""
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    await _wait(stopped, settings.warmup_s)
    if not run.stopped:
        run.measure()
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        await _wait(stopped, settings.seconds)
    seconds, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    run.stop()
    return seconds, cpu_s


async def _wait(stopped: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopped.wait()


async def _drain(run: Run, settings: LoadSettings) -> None:
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


def _report(run: Run, seconds: float, cpu_s: float) -> LoadReport:
    assert run.measured is not None
    durations, dialogues = run.measured
    p50, p99, p999 = (durations.percentile_ns(percent) / 1e6 for percent in (50, 99, 99.9))
    return LoadReport(
        turns=durations.count,
        seconds=seconds,
        dialogues=dialogues,
        p50_ms=p50,
        p99_ms=p99,
        p999_ms=p999,
        longest_ms=durations.longest_ns / 1e6,
        errors=dict(run.errors),
        throttled=run.throttled,
        unanswered=run.unanswered,
        late=run.late,
        left_open=run.left_open,
        cpu_share=cpu_s / seconds if seconds else 0.0,
        sample=tuple(run.sample),
    )
