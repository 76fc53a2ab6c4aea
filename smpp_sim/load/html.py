"""A load's report as one HTML page: no script, nothing from elsewhere, light or dark as the reader has it."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from operator import attrgetter
from typing import Any

from smpp_sim.load import charts
from smpp_sim.load.charts import Line
from smpp_sim.load.output import RunFacts, count
from smpp_sim.load.report import LoadReport

_BINS_PER_DECADE = 20
_PERCENTILES: tuple[tuple[str, Callable[[Any], float]], ...] = (
    ("p50", attrgetter("p50_ms")),
    ("p90", attrgetter("p90_ms")),
    ("p99", attrgetter("p99_ms")),
    ("p99.9", attrgetter("p999_ms")),
    ("max", attrgetter("longest_ms")),
)

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --panel: #f4f6f8; --line: #d5dae0; --soft: #5c6670;
  --a: #0b6bcb; --b: #1a7f37; --c: #9a6700; --d: #bc4c00; --e: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --paper: #14171a; --panel: #1d2125; --line: #363c43;
  --soft: #9aa4ae; --a: #58a6ff; --b: #56d364; --c: #e3b341; --d: #ff9b5e; --e: #ff7b72; } }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.soft, .legend { color: var(--soft); } .good { color: var(--b); } .bad { color: var(--e); }
.figures { display: flex; flex-wrap: wrap; gap: .75rem; padding: 0; list-style: none; }
.figures li { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .5rem 1rem; }
.figures b { display: block; font-size: 1.4rem; font-variant-numeric: tabular-nums; }
figure { margin: 0; background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .5rem; }
svg { display: block; width: 100%; height: auto; }
polyline { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.rule { stroke: var(--line); } .before { fill: var(--line); opacity: .45; }
.mark { fill: var(--soft); font-size: 11px; text-anchor: middle; } .mark.left { text-anchor: end; }
@media (max-width: 40rem) { .mark { font-size: 17px; } }
polyline.a { stroke: var(--a); } polyline.b { stroke: var(--b); } polyline.c { stroke: var(--c); }
polyline.d { stroke: var(--d); } polyline.e { stroke: var(--e); }
rect.a { fill: var(--a); } rect.e { fill: var(--e); }
.legend span { margin: 0 .5rem; font-weight: 600; }
span.a { color: var(--a); } span.b { color: var(--b); } span.c { color: var(--c); }
span.d { color: var(--d); } span.e { color: var(--e); }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top; }
td.n, th.n { text-align: right; white-space: nowrap; }
pre { background: var(--panel); padding: .75rem; overflow-x: auto; }
"""


def as_html(report: LoadReport, facts: RunFacts) -> str:
    """Return the page."""
    verdict = '<b class="good">passed</b>' if facts.passed else '<b class="bad">failed</b>'
    parts = [
        f"<h1>Load on {escape(facts.peer)}</h1>",
        f'<p class="soft">{escape(facts.began)}, {report.seconds:.1f} s measured: {verdict}</p>',
        _list(facts.shortfalls, "bad"),
        _figures(report),
        _list(facts.remarks, "soft"),
        "<h2>Turns a second</h2>",
        _rates(report),
        "<h2>Latency, in milliseconds</h2>",
        _latencies(report),
        "<h2>How the latencies spread: turns by milliseconds</h2>",
        charts.columns("How many turns took how long, in ms", distribution(report), "ms", "a", log_x=True),
        "<h2>Errors</h2>",
        _errors(report),
        "<h2>Settings</h2>",
        _pairs(facts.settings),
        "<h2>Machine of the load</h2>",
        _pairs(facts.machine),
        _sample(report.sample),
        _seconds(report),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Load on {escape(facts.peer)}</title><style>{_STYLE}</style></head>\n"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def distribution(report: LoadReport) -> list[tuple[float, float, float]]:
    """Return turns by latency (ms), in columns of equal width on a logarithmic scale, empty ones left out."""
    found: dict[int, int] = {}
    for shortest, longest, turns in report.buckets:
        at = math.floor(math.log10(max((shortest + longest) / 2, 1e-4)) * _BINS_PER_DECADE)
        found[at] = found.get(at, 0) + turns
    return [
        (10 ** (at / _BINS_PER_DECADE), 10 ** ((at + 1) / _BINS_PER_DECADE), turns)
        for at, turns in sorted(found.items())
    ]


def _figures(report: LoadReport) -> str:
    shown = [("turns a second", count(report.turns_per_s)), ("turns", count(report.turns))]
    shown += [(f"{name}, ms", f"{of(report):.2f}") for name, of in _PERCENTILES]
    shown += [
        ("errors", count(sum(report.problems.values()))),
        ("of a core, the load", f"{report.cpu_share:.0%}"),
    ]
    items = "".join(f"<li><b>{value}</b>{escape(name)}</li>" for name, value in shown)
    return f'<ul class="figures">{items}</ul>'


def _warmed_s(report: LoadReport) -> float:
    """When the measurement began, in seconds of the chart."""
    return max((second.at_s for second in report.series if not second.measured), default=0.0)


def _rates(report: LoadReport) -> str:
    points = [(second.at_s, second.turns_per_s) for second in report.series]
    drawn = [Line("turns a second", "a", points)]
    flying = [(second.at_s, float(second.in_flight)) for second in report.series]
    rate = charts.lines("Turns a second over time", drawn, from_x=_warmed_s(report))
    flight = charts.lines(
        "Dialogues in flight over time", [Line("dialogues in flight", "b", flying)], from_x=_warmed_s(report)
    )
    return f"{rate}<h2>Dialogues in flight</h2>{flight}"


def _latencies(report: LoadReport) -> str:
    drawn = [
        Line(name, css, [(second.at_s, of(second)) for second in report.series])
        for (name, of), css in zip(_PERCENTILES, "abcde", strict=True)
    ]
    return charts.lines("Percentiles of latency over time, in ms", drawn, log=True, from_x=_warmed_s(report))


def _errors(report: LoadReport) -> str:
    if not report.problems and not report.throttled:
        return "<p>None.</p>"
    kinds = report.problems | ({"throttled, and sent again": report.throttled} if report.throttled else {})
    rows = [[escape(kind), count(number)] for kind, number in sorted(kinds.items())]
    bins = [
        (second.at_s - second.lasted_s, second.at_s, float(second.problems + second.throttled))
        for second in report.series
    ]
    shown = charts.columns("Errors and throttled turns over time", bins, "s", "e", log_x=False)
    return f"{_table(['what', 'how often'], rows)}{shown}"


def _pairs(values: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in values.items()
    )
    return f'<div class="wide"><table>{rows}</table></div>'


def _list(sentences: Sequence[str], css: str) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f'<ul class="{css}">{items}</ul>' if items else ""


def _sample(sample: Sequence[str]) -> str:
    return f"<h2>The first dialogue</h2><pre>{escape(chr(10).join(sample))}</pre>" if sample else ""


def _seconds(report: LoadReport) -> str:
    head = ["second", "turns/s", *(f"{name} ms" for name, _ in _PERCENTILES), "in flight", "errors"]
    rows = [
        [
            f"{second.at_s:.1f}{'' if second.measured else ' (before)'}",
            count(second.turns_per_s),
            *(f"{of(second):.2f}" for _, of in _PERCENTILES),
            count(second.in_flight),
            count(second.problems),
        ]
        for second in report.series
    ]
    return f"<details><summary>Second by second</summary>{_table(head, rows)}</details>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f'<th class="n">{name}</th>' if at else f"<th>{name}</th>" for at, name in enumerate(head))
    body = "".join(
        "<tr>"
        + "".join(f'<td class="n">{cell}</td>' if at else f"<td>{cell}</td>" for at, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><tr>{top}</tr>{body}</table></div>'
