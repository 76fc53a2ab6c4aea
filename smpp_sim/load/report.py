"""What one load measured, and whether it is good enough."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from os import cpu_count, getloadavg
from pathlib import Path
from typing import Any

from smpp_sim.load.histogram import Histogram, bounds_of
from smpp_sim.load.run import LATE, UNANSWERED, LoadRun
from smpp_sim.load.series import Second

# Above this share of its core the generator had next to nothing left, and measured itself.
SATURATED = 0.9


@dataclass(frozen=True)
class LoadReport:
    """What one run measured.

    ``turns`` and ``seconds`` are those after the warm-up, and so are the percentiles; at an open rate these cover
    the turns that were still in flight at the end, too. ``errors``, ``throttled`` (turns sent again), ``unanswered``
    (turns given up) and ``late`` (answers to turns given up) cover the whole run, as does ``series``.
    ``left_open``: scripts whose last answer still asked. ``messages``: SMS that came beside USSD dialogues.
    ``cpu_share``: of one core, by this process. ``lag_p99_ms``: how late turns of an open rate left it.
    ``sample``: the first dialogue, a line for each text, "> " sent and "< " received. ``buckets``: shortest and
    longest duration (ms) of each bucket, and how many turns are in it.
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
    messages: int = 0
    cpu_share: float = 0.0
    sample: tuple[str, ...] = ()
    p90_ms: float = 0.0
    mean_ms: float = 0.0
    lag_p99_ms: float = 0.0
    longest_lag_ms: float = 0.0
    series: tuple[Second, ...] = ()
    buckets: tuple[tuple[float, float, int], ...] = ()

    @property
    def turns_per_s(self) -> float:
        """Answered turns a second."""
        return self.turns / self.seconds if self.seconds else 0.0

    @property
    def problems(self) -> dict[str, int]:
        """All that went wrong, by kind; empty when nothing did."""
        rest = {UNANSWERED: self.unanswered, LATE: self.late}
        return self.errors | {kind: count for kind, count in rest.items() if count}

    @property
    def saturated(self) -> bool:
        """Whether the generator itself may have been the limit."""
        return self.cpu_share >= SATURATED

    def shortfalls(self, max_p99_ms: float | None = None, min_rate: float | None = None) -> list[str]:
        """Return why this is not good enough, a sentence each; empty when it is."""
        found = [f"{kind}: {count}" for kind, count in self.problems.items()]
        if not self.turns:
            found.append("no turn was answered")
        if max_p99_ms is not None and self.p99_ms > max_p99_ms:
            found.append(f"p99 is {self.p99_ms:.2f} ms, more than {max_p99_ms:g} ms")
        if min_rate is not None and self.turns_per_s < min_rate:
            found.append(f"{self.turns_per_s:.0f} turns a second, fewer than {min_rate:g}")
        return found


def report_of(run: LoadRun, seconds: float, cpu_s: float, series: Sequence[Second]) -> LoadReport:
    """Put together what a run that has stopped has counted."""
    assert run.measured is not None
    durations, dialogues = run.measured
    p50, p90, p99, p999 = (durations.percentile_ns(percent) / 1e6 for percent in (50, 90, 99, 99.9))
    buckets = tuple(_buckets(durations))
    return LoadReport(
        turns=run.measured_turns,
        seconds=seconds,
        dialogues=dialogues,
        p50_ms=p50,
        p90_ms=p90,
        p99_ms=p99,
        p999_ms=p999,
        longest_ms=durations.longest_ns / 1e6,
        mean_ms=sum((low + high) / 2 * n for low, high, n in buckets) / max(1, durations.count),
        errors=dict(run.errors),
        throttled=run.throttled,
        unanswered=run.unanswered,
        late=run.late,
        left_open=run.left_open,
        messages=run.messages,
        cpu_share=cpu_s / seconds if seconds else 0.0,
        lag_p99_ms=run.lag.percentile_ns(99) / 1e6,
        longest_lag_ms=run.lag.longest_ns / 1e6,
        sample=tuple(run.sample),
        series=tuple(series),
        buckets=buckets,
    )


def _buckets(durations: Histogram) -> list[tuple[float, float, int]]:
    filled = ((bounds_of(bucket), count) for bucket, count in enumerate(durations.counts) if count)
    return [(shortest / 1e6, longest / 1e6, count) for (shortest, longest), count in filled]


def machine() -> dict[str, Any]:
    """Return what the load ran on: no host name and no path, a report is passed on."""
    return {
        "processor": _processor(),
        "cores": cpu_count(),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load average": round(getloadavg()[0], 2),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown")
