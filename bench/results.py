"""Rows of the benchmark, and the tables that they make."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from smpp_sim.load.smsc import LoadReport

# Above this the load generator had next to nothing left: the row measures it, not the ESME.
SATURATED = 0.9


@dataclass(frozen=True)
class Row:
    """One measurement, or the reason why there is none (``reason`` set, ``report`` None).

    ``subscribers`` are those the load draws from; ``cpu_share`` of one core, by the ESME's processes.
    """

    name: str
    title: str
    script: str = ""
    window: int = 0
    subscribers: int = 0
    report: LoadReport | None = None
    cpu_share: float | None = None
    reason: str = ""


HEAD = (
    "ESME",
    "Turn",
    "Window",
    "Subscribers",
    "Turns/s",
    "p50 ms",
    "p99 ms",
    "p99.9 ms",
    "CPU of ESME",
    "CPU of load",
    "Remarks",
)


def measured(rows: Iterable[Row]) -> str:
    """Return the table of all rows in Markdown."""
    return table(HEAD, [_cells(row) for row in rows])


def ratios(rows: Sequence[Row], base: str = "starpound") -> str:
    """Return how often ``base`` does what each other ESME does, turn by turn and window by window."""
    lines = []
    for row in rows:
        ours = _same_work(rows, base, row)
        if row.name in (base, "ceiling") or not row.report or not ours or not row.report.turns:
            continue
        rate = ours.report.turns_per_s / row.report.turns_per_s
        p99 = row.report.p99_ms / ours.report.p99_ms
        lines.append((row.title, row.script, str(row.window), f"{rate:.2f} ×", f"{p99:.2f} ×"))
    head = ("starpound against", "Turn", "Window", "turns/s, times as many", "p99, times as short")
    return table(head, lines) if lines else ""


def progress(row: Row) -> str:
    """Return a row as a line for standard error."""
    if row.report is None:
        return f"{row.name}: {row.reason}"
    return " ".join(cell.replace("*", "") for cell in _cells(row) if cell)


def _same_work(rows: Sequence[Row], name: str, like: Row) -> Row | None:
    """The row of ``name`` for the same turn, window and number of subscribers, if it was measured."""
    key = (like.script, like.window, like.subscribers)
    found = (row for row in rows if row.name == name and (row.script, row.window, row.subscribers) == key)
    return next((row for row in found if row.report and row.report.turns), None)


def _cells(row: Row) -> tuple[str, ...]:
    report = row.report
    if report is None:
        return (row.title, row.script, *[""] * 8, f"not measured: {row.reason}")
    return (
        row.title,
        row.script,
        str(row.window),
        f"{row.subscribers:,}".replace(",", " "),
        f"{report.turns_per_s:,.0f}".replace(",", " "),
        *(f"{ms:.2f}" for ms in (report.p50_ms, report.p99_ms, report.p999_ms)),
        "?" if row.cpu_share is None else f"{row.cpu_share:.0%}",
        f"{report.cpu_share:.0%}",
        "; ".join(_remarks(report)),
    )


def _remarks(report: LoadReport) -> list[str]:
    remarks = [f"{count} × {error}" for error, count in report.errors.items()]
    counts = {"throttled": report.throttled, "unanswered": report.unanswered, "late": report.late}
    remarks += [f"{count} {what}" for what, count in counts.items() if count]
    if report.cpu_share >= SATURATED:
        remarks.append("the load generator is the limit")
    return remarks


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table whose columns also stand in line on a terminal."""
    rows = [tuple(head), *map(tuple, lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    rendered = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    rendered.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(rendered) + "\n"
