"""The benchmark: turns a second and their times, starpound on its store beside bare ESMEs of others.

    .venv/bin/python bench/run.py [--quick] [--only starpound,node,…] [--seconds 5] [--output FILE]

Every ESME binds to the same load generator (smpp_sim.load.smsc). starpound answers from SQLite, everything durable;
the others answer a fixed text and keep nothing. "codec" among the names is PDUs a second, without a link.
The whole run writes bench/results.md; --quick and --only print their tables, and write a file only where
--output says.
"""

import argparse
import asyncio
import contextlib
import gc
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import codec  # noqa: E402
import machine  # noqa: E402
import results  # noqa: E402
from answerers import EVERYONE, FIRST_MSISDN, STARPOUND, Answerer, seed, versions  # noqa: E402
from processes import ChildFailed, tail  # noqa: E402
from results import Row  # noqa: E402

from smpp_sim.load.smsc import LoadReport, LoadScript, LoadSettings, LoadSmsc  # noqa: E402

# What the subscribers send. The answers of the five-turn dialogue are those of menus/selfcare.yaml: change
# them here, and only here, when the menu changes: service guide, options, catalogue, family, its first option
# (whether it can be switched on is checked, nothing is bought). No answer before the last may end the dialogue.
SCRIPTS = {
    "single": LoadScript(("*100#",), service="100"),
    "five": LoadScript(("*105#", "3", "2", "1", "1"), service="105"),
    "sms": LoadScript(("?",), kind="sms", service="000100"),
}
WINDOWS = (1, 64, 512)
SUBSCRIBERS = 100_000
GROWTH = (1_000, 1_000_000)
GROWTH_WINDOW = 64
BIND_S = 30.0
CODEC = "codec"
CODEC_S = 1.0
RESULTS = HERE / "results.md"


@dataclass(frozen=True)
class Plan:
    """What to run: whom, how long each row (s), how often (the median counts), on which stores."""

    names: frozenset[str]
    seconds: float
    warmup_s: float
    repeat: int
    growth: tuple[int, ...]
    windows: tuple[int, ...]
    scripts: frozenset[str]


class Bench:
    """One run of the benchmark; ``rows`` grows as it goes, so that an interrupted run can say what it has."""

    def __init__(self, plan: Plan, work: Path) -> None:
        self.plan = plan
        self.work = work
        self.rows: list[Row] = []
        self.rates: list[codec.Rate] = []
        self.notes: list[str] = []
        self.samples: dict[str, tuple[str, ...]] = {}

    async def run(self) -> None:
        """Measure everybody in the plan; first the codecs, while nothing else runs."""
        if CODEC in self.plan.names:
            for rate in codec.measure(min(self.plan.seconds, CODEC_S)):
                self.rates.append(rate)
                _say(codec.progress(rate))
        for answerer in EVERYONE:
            if answerer.name not in self.plan.names:
                continue
            fine = await self._answerer(answerer, SUBSCRIBERS, answerer.scripts, self.plan.windows)
            if answerer is STARPOUND and fine:
                for subscribers in self.plan.growth:
                    await self._answerer(answerer, subscribers, ("single", "five"), (GROWTH_WINDOW,))

    async def _answerer(
        self, answerer: Answerer, subscribers: int, scripts: Sequence[str], windows: Sequence[int]
    ) -> bool:
        """Measure one ESME in all its rows, or note why that is not possible; return whether it was."""
        wanted = [script for script in scripts if script in self.plan.scripts]
        reason = answerer.missing()
        if reason is None and wanted:
            directory = self.work / f"{answerer.name}-{subscribers}"
            directory.mkdir()
            try:
                reason = await self._bound(answerer, directory, subscribers, wanted, windows)
            finally:
                shutil.rmtree(directory)
        if reason:
            self._add(Row(answerer.name, answerer.title, reason=self._short(reason)))
        return not reason

    async def _bound(
        self, answerer: Answerer, work: Path, subscribers: int, scripts: Sequence[str], windows: Sequence[int]
    ) -> str | None:
        """Start the ESME and run its rows; return what went wrong, if anything did."""
        try:
            if answerer is STARPOUND:
                await self._seed(work, subscribers)
            async with _listening() as (smsc, port), answerer.start(work, port) as groups:
                await smsc.wait_for_bind(BIND_S)
                for script in scripts:
                    for window in windows:
                        await self._row(answerer, smsc, groups, script, window, subscribers)
        except TimeoutError:
            return f"did not bind within {BIND_S:.0f} s{_last_words(work)}"
        except (ChildFailed, OSError) as error:
            return f"{error}{_last_words(work)}"
        return None

    async def _seed(self, work: Path, subscribers: int) -> None:
        began = time.perf_counter()
        await seed(work / "starpound.db", subscribers, work / "seed.log")
        note = f"Seeding {subscribers:,} subscribers took {time.perf_counter() - began:.1f} s".replace(
            ",", " "
        )
        self.notes.append(note)
        _say(note)

    async def _row(
        self,
        answerer: Answerer,
        smsc: LoadSmsc,
        groups: list[int],
        script: str,
        window: int,
        subscribers: int,
    ) -> None:
        """Measure one row ``repeat`` times and keep the median run."""
        runs = [
            await self._once(smsc, groups, SCRIPTS[script], window, subscribers)
            for _ in range(self.plan.repeat)
        ]
        middle = statistics.median_low(report.turns_per_s for report, _ in runs)
        report, cpu_share = next(run for run in runs if run[0].turns_per_s == middle)
        self._add(
            Row(answerer.name, answerer.title, script, window, subscribers, report, cpu_share),
        )
        if answerer is STARPOUND and window == GROWTH_WINDOW and subscribers == SUBSCRIBERS:
            self.samples[script] = report.sample

    async def _once(
        self, smsc: LoadSmsc, groups: list[int], script: LoadScript, window: int, subscribers: int
    ) -> tuple[LoadReport, float | None]:
        settings = LoadSettings(
            window=window,
            seconds=self.plan.seconds,
            warmup_s=self.plan.warmup_s,
            first_msisdn=FIRST_MSISDN,
            subscribers=subscribers,
        )
        began, began_s = machine.processor_seconds(groups), time.perf_counter()
        report = await smsc.run(script, settings)
        ended, seconds = machine.processor_seconds(groups), time.perf_counter() - began_s
        return report, None if began is None or ended is None else (ended - began) / seconds

    def _add(self, row: Row) -> None:
        self.rows.append(row)
        _say(results.progress(row))

    def _short(self, reason: str) -> str:
        """Without the paths of this machine: the reason is published."""
        return reason.replace(str(self.work), "…").replace(str(HERE.parent), ".").replace("|", "/")


@contextlib.asynccontextmanager
async def _listening() -> AsyncIterator[tuple[LoadSmsc, int]]:
    smsc = LoadSmsc()
    port = await smsc.listen()
    try:
        yield smsc, port
    finally:
        await smsc.close()


def _last_words(work: Path) -> str:
    logs = (work / name for name in ("answerer.log", "bearerbox.log", "smsbox.log"))
    return "".join(tail(log) for log in logs if log.exists())


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def render(bench: Bench, facts: Iterable[str]) -> str:
    """Return results.md."""
    plan = bench.plan
    parts = [
        "# Benchmark\n",
        "Made by `make bench`; what the columns and the scripts mean is in docs/explanation/performance.md.\n",
        "\n".join(f"- {fact}" for fact in facts),
        f"- Each row: {plan.seconds:g} s after {plan.warmup_s:g} s of warm-up"
        + (f", the median of {plan.repeat} runs" if plan.repeat > 1 else ""),
        *(f"- {note}" for note in bench.notes),
        "",
    ]
    if bench.rows:
        parts.append(results.measured(bench.rows))
    if bench.rates:
        parts += ["## The codec\n", codec.rendered(bench.rates)]
    compared = results.ratios(bench.rows)
    if compared:
        parts += ["## Ratios\n", compared]
    for script, sample in bench.samples.items():
        parts += [f"## The first dialogue of `{script}`\n", "```", *map(_indented, sample), "```\n"]
    return "\n".join(parts)


def _indented(text: str) -> str:
    """A screen of several lines, with its mark on each."""
    return text.replace("\n", f"\n{text[0]} ")


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    names = ",".join(_everyone())
    parser = argparse.ArgumentParser(description="Measure starpound and others under the same load.")
    parser.add_argument("--quick", action="store_true", help="1.5 s a row, and no store of a million")
    parser.add_argument("--only", metavar="NAMES", help=f"some of {names}")
    parser.add_argument("--scripts", metavar="NAMES", help=f"some of {','.join(SCRIPTS)}")
    parser.add_argument("--windows", metavar="LIST", help="e.g. 1,64")
    parser.add_argument("--seconds", type=float, help="measured in each row (5)")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each row, the median counts (1)")
    parser.add_argument("--output", type=Path, help="write the tables there")
    parser.add_argument("--directory", type=Path, help="where the stores are made; a disk, not a tmpfs")
    options = parser.parse_args(given)
    for option, known in (("only", names.split(",")), ("scripts", list(SCRIPTS))):
        unknown = set(_listed(getattr(options, option))) - set(known)
        if unknown:
            parser.error(f"--{option}: unknown {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    return options


def _everyone() -> list[str]:
    return [CODEC, *(answerer.name for answerer in EVERYONE)]


def _listed(text: str | None) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()] if text else []


def plan_of(options: argparse.Namespace) -> Plan:
    """Return what the command line asks for."""
    return Plan(
        names=frozenset(_listed(options.only) or _everyone()),
        seconds=options.seconds or (1.5 if options.quick else 5.0),
        warmup_s=0.5 if options.quick else 1.0,
        repeat=max(1, options.repeat),
        growth=GROWTH[:1] if options.quick else GROWTH,
        windows=tuple(map(int, _listed(options.windows))) or WINDOWS,
        scripts=frozenset(_listed(options.scripts) or SCRIPTS),
    )


async def bench(options: argparse.Namespace, work: Path) -> None:
    """Run the benchmark, print its tables, write its file. A cancelled run prints what it has."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    facts = [*machine.describe(work), f"Others: {versions()}"]
    run = Bench(plan_of(options), work)
    whole = not (options.quick or options.only or options.scripts or options.windows)
    try:
        await run.run()
    except asyncio.CancelledError:
        print(render(run, [*facts, "Interrupted: not all rows were measured"]))
        raise
    text = render(run, facts)
    print(text)
    output = options.output or (RESULTS if whole else None)
    if output:
        output.write_text(text, encoding="utf-8")
        _say(f"written to {output}")


def main() -> int:
    """Return the exit status: 0, or 130 after an interruption."""
    options = arguments()
    home = options.directory or HERE.parent / "var"
    home.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="bench-", dir=home) as work,
        asyncio.Runner(loop_factory=_loop) as runner,
    ):
        gc.freeze()
        try:
            runner.run(bench(options, Path(work)))
        except (KeyboardInterrupt, asyncio.CancelledError):
            _say("interrupted")
            return 130
    return 0


def _loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        _say("uvloop is not installed: the load generator is slower without it")
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


if __name__ == "__main__":
    sys.exit(main())
