"""A load's report as text, as JSON, its seconds as lines, and what all forms of it say: settings, machine, verdict."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from smpp_sim.load.report import LoadReport
from smpp_sim.load.series import Second


@dataclass(frozen=True)
class RunFacts:
    """What stands beside the figures: how the load was run, on what, against whom, and why it was not good enough.

    ``shortfalls`` is empty for a load that passed.
    """

    began: str
    peer: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=dict)
    shortfalls: Sequence[str] = ()
    remarks: Sequence[str] = ()

    @property
    def passed(self) -> bool:
        """Whether there is nothing against it."""
        return not self.shortfalls


def remarks_of(report: LoadReport) -> list[str]:
    """Return what the reader of the figures must know to trust them, a sentence each."""
    found = []
    if report.saturated:
        found.append(
            f"the load used {report.cpu_share:.0%} of its core: it may have been the limit, not the peer"
        )
    if report.lag_p99_ms > max(1.0, report.p50_ms / 2):
        found.append(
            f"1 % of the dialogues left {report.lag_p99_ms:.2f} ms late or more; that stands in the latencies"
        )
    if report.throttled:
        found.append(f"{report.throttled} turns were throttled and sent again; their time ran on")
    if report.left_open:
        found.append(f"{report.left_open} scripts ended with a screen that still asked")
    if report.messages:
        found.append(f"{report.messages} SMS came beside the dialogues")
    return found


def as_text(report: LoadReport, facts: RunFacts) -> str:
    """Return the report for a terminal."""
    rows = [
        ("rate", f"{count(report.turns_per_s)} turns/s"),
        ("turns", f"{count(report.turns)} in {report.seconds:.1f} s, {count(report.dialogues)} dialogues"),
        ("latency, ms", _latencies(report)),
        ("load itself", _itself(report)),
    ]
    lines = [f"{name:<12} {value}" for name, value in rows]
    lines += [f"{'error':<12} {kind}: {count(number)}" for kind, number in sorted(report.problems.items())]
    lines += [f"{'remark':<12} {remark}" for remark in facts.remarks]
    lines += [f"{'FAILED':<12} {reason}" for reason in facts.shortfalls if reason not in _counted(report)]
    lines.append("passed" if facts.passed else "failed")
    return "\n".join(lines)


def _counted(report: LoadReport) -> set[str]:
    return {f"{kind}: {number}" for kind, number in report.problems.items()}


def _latencies(report: LoadReport) -> str:
    return (
        f"p50 {report.p50_ms:.2f}  p90 {report.p90_ms:.2f}  p99 {report.p99_ms:.2f}  "
        f"p99.9 {report.p999_ms:.2f}  max {report.longest_ms:.2f}"
    )


def _itself(report: LoadReport) -> str:
    lag = f", turns left {report.lag_p99_ms:.2f} ms late at p99" if report.longest_lag_ms else ""
    return f"{report.cpu_share:.0%} of a core{lag}"


def report_as_json(report: LoadReport, facts: RunFacts) -> str:
    """Return the report for a program; latencies in milliseconds, times in seconds."""
    document = {
        "passed": facts.passed,
        "shortfalls": list(facts.shortfalls),
        "remarks": list(facts.remarks),
        "began": facts.began,
        "peer": facts.peer,
        "turns": report.turns,
        "seconds": round(report.seconds, 3),
        "turns_per_s": round(report.turns_per_s, 1),
        "dialogues": report.dialogues,
        "latency_ms": {
            "p50": report.p50_ms,
            "p90": report.p90_ms,
            "p99": report.p99_ms,
            "p99.9": report.p999_ms,
            "max": report.longest_ms,
            "mean": round(report.mean_ms, 6),
        },
        "errors": report.problems,
        "throttled": report.throttled,
        "left_open": report.left_open,
        "messages": report.messages,
        "load": {
            "cpu_share": round(report.cpu_share, 4),
            "lag_p99_ms": report.lag_p99_ms,
            "longest_lag_ms": report.longest_lag_ms,
        },
        "settings": dict(facts.settings),
        "machine": dict(facts.machine),
        "sample": list(report.sample),
        "series": [_second(second) for second in report.series],
        "distribution": [list(bucket) for bucket in report.buckets],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _second(second: Second) -> dict[str, Any]:
    return asdict(second) | {"turns_per_s": round(second.turns_per_s, 1)}


def told(second: Second, problems: dict[str, int]) -> str:
    """Return the line that tells the view of a second."""
    return json.dumps({**asdict(second), "turns_per_s": second.turns_per_s, "kinds": problems}) + "\n"


def line(second: Second, problems: dict[str, int]) -> str:
    """Return a second as one line of text, for a log or a pipe."""
    phase = "" if second.measured else " warm-up"
    wrong = sum(problems.values())
    return (
        f"{second.at_s:5.0f} s{phase}: {count(second.turns_per_s)} turns/s, "
        f"p50 {second.p50_ms:.2f} p99 {second.p99_ms:.2f} max {second.longest_ms:.2f} ms, "
        f"{second.in_flight} in flight, {count(wrong)} {'error' if wrong == 1 else 'errors'}"
    )


def count(number: float) -> str:
    """Return a number with its thousands apart."""
    return f"{number:,.0f}".replace(",", " ")
