"""What happened in each second of a load, taken from the counters that run on.

A turn is recorded once, in the histogram of the whole; a second is the difference of two snapshots of it. That costs
a fraction of a millisecond each second, and the hot path nothing.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from smpp_sim.load.histogram import Histogram, bounds_of
from smpp_sim.load.run import LoadRun

# What is left over at the end of a phase and is shorter than this says nothing about a rate.
_SHORTEST_NS = 250_000_000
PERCENTS = (50.0, 90.0, 99.0, 99.9, 100.0)


@dataclass(frozen=True)
class Second:
    """About a second: ``at_s`` is its end, counted from the start of the load, ``lasted_s`` its true length.

    The latencies are those of the turns answered in it, 0 when there were none; the longest is exact to 1/128.
    ``problems`` and ``throttled`` are those of this second, ``in_flight`` the dialogues open at its end.
    """

    at_s: float
    lasted_s: float
    measured: bool
    turns: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    p999_ms: float
    longest_ms: float
    in_flight: int
    problems: int
    throttled: int

    @property
    def turns_per_s(self) -> float:
        """Answered turns a second."""
        return self.turns / self.lasted_s if self.lasted_s else 0.0


class Series:
    """The seconds of one run. `take` one whenever a second is over, before its `measure` and after its `stop`."""

    def __init__(self, run: LoadRun, now_ns: int) -> None:
        self.seconds: list[Second] = []
        self._run = run
        self._began_ns = self._last_ns = now_ns
        self._problems = self._throttled = 0
        self._histogram = run.histogram
        self._counts: array[int] = array("Q", run.histogram.counts)

    def is_due(self, now_ns: int) -> bool:
        """Whether a second is over since the last one was taken."""
        return now_ns - self._last_ns >= 1_000_000_000

    def take(self, now_ns: int, *, measured: bool) -> Second | None:
        """Return what has happened since the last time; None when that is too short to say anything."""
        run, lasted_ns = self._run, now_ns - self._last_ns
        again = bool(self.seconds) and self.seconds[-1].measured == measured
        if lasted_ns <= 0 or (lasted_ns < _SHORTEST_NS and (again or not measured)):
            self._last_ns = now_ns
            return None
        histogram = run.measured[0] if run.measured else run.histogram
        if histogram is not self._histogram:  # the warm-up is over, and counted anew
            self._histogram, self._counts = histogram, Histogram().counts
        counts = array("Q", histogram.counts)
        turns, (p50_ms, p90_ms, p99_ms, p999_ms, longest_ms) = _percentiles(self._counts, counts)
        second = Second(
            (now_ns - self._began_ns) / 1e9,
            lasted_ns / 1e9,
            measured,
            turns,
            p50_ms,
            p90_ms,
            p99_ms,
            p999_ms,
            longest_ms,
            run.in_flight,
            run.problems - self._problems,
            run.throttled - self._throttled,
        )
        self._last_ns, self._counts = now_ns, counts
        self._problems, self._throttled = run.problems, run.throttled
        self.seconds.append(second)
        return second


def _percentiles(before: "array[int]", after: "array[int]") -> tuple[int, list[float]]:
    """Return how many were counted in between, and the latencies (ms) of `PERCENTS` among them."""
    new = [(bucket, n - o) for bucket, (o, n) in enumerate(zip(before, after, strict=True)) if n != o]
    total = sum(counted for _, counted in new)
    return total, list(_found(new, total))


def _found(new: list[tuple[int, int]], total: int) -> Iterator[float]:
    buckets, seen, bucket = iter(new), 0, 0
    for percent in PERCENTS:
        wanted = -int(-total * percent // 100)
        while seen < wanted:
            bucket, counted = next(buckets)
            seen += counted
        yield bounds_of(bucket)[1] / 1e6 if total else 0.0
