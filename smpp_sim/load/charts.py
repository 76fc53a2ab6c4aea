"""Charts as SVG, without a script: lines over time, and columns. Colours are CSS classes of the page.

Each chart has a ``title`` that says what it shows, for those who do not see it; the page has the figures as tables.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 760, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 12, 28
Scale = Callable[[float], float]
"""From a value to a coordinate."""


@dataclass(frozen=True)
class Line:
    """One line of a chart: its name in the legend, its CSS class, its points."""

    name: str
    css: str
    points: Sequence[tuple[float, float]]


def lines(title: str, drawn: Sequence[Line], *, log: bool = False, from_x: float = 0.0) -> str:
    """Return a chart of lines over seconds; what is measured begins at ``from_x``, the rest is shaded.

    ``log``: the vertical axis is logarithmic, and values that are not positive are left out.
    """
    values = [y for line in drawn for _, y in line.points if y > 0 or not log]
    last_x = max((x for line in drawn for x, _ in line.points), default=0.0) or 1.0
    across = _linear(0, last_x, _LEFT, WIDTH - _RIGHT)
    up, marks = (_log_axis if log else _linear_axis)(values)
    parts = [_shade(across(0), across(min(from_x, last_x)))] if from_x > 0 else []
    parts += [_level(up(mark), _plain(mark)) for mark in marks]
    parts += [_below(across(mark), f"{_plain(mark)} s") for mark in _steps(last_x, 8)]
    for line in reversed(drawn):
        known = [(across(x), up(y)) for x, y in line.points if y > 0 or not log]
        if len(known) == 1:  # a load of one second: what it was like is true from its beginning
            known.insert(0, (across(0), known[0][1]))
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in known)
        parts.append(f'<polyline class="{line.css}" points="{points}"/>')
    return _figure(title, parts, drawn)


def columns(
    title: str, bins: Sequence[tuple[float, float, float]], unit: str, css: str, *, log_x: bool
) -> str:
    """Return a chart of columns, each from one value of x to another and so high."""
    if not bins:
        return _figure(title, ['<text class="mark" x="380" y="120">nothing to show</text>'], ())
    first, last = bins[0][0], bins[-1][1]
    if log_x:
        scale = _linear(math.log10(first), math.log10(last), _LEFT, WIDTH - _RIGHT)
        marks = _decades(first, last)
    else:
        scale, marks = _linear(first, last, _LEFT, WIDTH - _RIGHT), _steps(last, 8)

    def across(value: float) -> float:
        return scale(math.log10(value)) if log_x else scale(value)

    up, levels = _linear_axis([high for *_, high in bins])
    parts = [_level(up(mark), _plain(mark)) for mark in levels]
    parts += [_below(across(mark), f"{_plain(mark)} {unit}") for mark in marks]
    for begins, ends, high in bins:
        x, y = across(begins), up(high)
        wide = max(1.0, across(ends) - x - 0.5)
        parts.append(
            f'<rect class="{css}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{up(0) - y:.1f}"/>'
        )
    return _figure(title, parts, ())


def _figure(title: str, parts: Sequence[str], legend: Sequence[Line]) -> str:
    names = "".join(f'<span class="{line.css}">{escape(line.name)}</span>' for line in legend)
    shown = f'<figcaption class="legend">{names}</figcaption>' if names else ""
    body = "".join(parts)
    return (
        f'<figure><svg role="img" viewBox="0 0 {WIDTH} {HEIGHT}"><title>{escape(title)}</title>{body}</svg>'
        f"{shown}</figure>"
    )


def _shade(left: float, right: float) -> str:
    high = HEIGHT - _BOTTOM - _TOP
    return f'<rect class="before" x="{left:.1f}" y="{_TOP}" width="{right - left:.1f}" height="{high}"/>'


def _level(y: float, label: str) -> str:
    rule = f'<line class="rule" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
    return f'{rule}<text class="mark left" x="{_LEFT - 6}" y="{y + 4:.1f}">{label}</text>'


def _below(x: float, label: str) -> str:
    return f'<text class="mark" x="{x:.1f}" y="{HEIGHT - 8}">{label}</text>'


def _linear(low: float, high: float, at_low: float, at_high: float) -> Scale:
    wide = (high - low) or 1.0
    return lambda value: at_low + (value - low) / wide * (at_high - at_low)


def _linear_axis(values: Sequence[float]) -> tuple[Scale, list[float]]:
    marks = _steps(max(values, default=0.0) or 1.0, 5)
    top = max(max(values, default=0.0), marks[-1]) or 1.0
    return _linear(0, top, HEIGHT - _BOTTOM, _TOP), marks


def _log_axis(values: Sequence[float]) -> tuple[Scale, list[float]]:
    low, high = min(values, default=1.0) * 0.8, max(values, default=10.0) * 1.25
    scale = _linear(math.log10(low), math.log10(high), HEIGHT - _BOTTOM, _TOP)
    return (lambda value: scale(math.log10(value))), _decades(low, high)


def _steps(most: float, about: int) -> list[float]:
    """Round numbers from 0 to ``most``, some ``about`` of them."""
    rough = most / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    return [step * number for number in range(int(most / step * 1.0001) + 1)]


def _decades(low: float, high: float) -> list[float]:
    """1, 2 and 5 of each power of ten between; only the powers where those would be too many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    factors = (1, 2, 5) if len(powers) < 5 else (1,)
    marks = [factor * 10.0**power for power in powers for factor in factors]
    return [mark for mark in marks if low <= mark <= high]


def _plain(number: float) -> str:
    """A mark of an axis, no longer than there is room for."""
    if number >= 1_000_000:
        return f"{number / 1e6:,.6g}\N{NO-BREAK SPACE}M".replace(",", "\N{NO-BREAK SPACE}")
    return f"{number:,.0f}".replace(",", "\N{NO-BREAK SPACE}") if number >= 1000 else f"{number:g}"
