"""What a load looks like while it runs: a panel on a terminal, or a line every few seconds.

The panel is drawn by a process of its own, out of a line of JSON a second: drawing takes milliseconds, and in the
process that sends the turns they would stand in the latencies.

    python -m smpp_sim.load.view      # reads lines of `load_output.told` from standard input, until it ends
"""

import json
import signal
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rich.columns import Columns
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from smpp_sim.load.output import count

BARS = "▁▂▃▄▅▆▇█"
REMEMBERED = 60


def sparkline(values: Iterable[float]) -> str:
    """Return a bar for each value, the highest full."""
    known = list(values)
    most = max(known, default=0) or 1
    return "".join(BARS[min(len(BARS) - 1, int(value / most * len(BARS)))] for value in known)


class View:
    """The panel, and what it remembers: rates and 99th percentiles of the last minute."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._rates: deque[float] = deque(maxlen=REMEMBERED)
        self._p99s_ms: deque[float] = deque(maxlen=REMEMBERED)
        self._turns = self._seconds = self._longest_ms = 0.0
        self._phase: bool | None = None

    def take(self, told_line: str) -> RenderableType:
        """Return the panel after one more second; means begin anew when the warm-up is over."""
        now: dict[str, Any] = json.loads(told_line)
        if now["measured"] != self._phase:
            self._phase, self._turns, self._seconds, self._longest_ms = now["measured"], 0.0, 0.0, 0.0
        self._turns += now["turns"]
        self._seconds += now["lasted_s"]
        self._longest_ms = max(self._longest_ms, now["longest_ms"])
        self._rates.append(now["turns_per_s"])
        self._p99s_ms.append(now["p99_ms"])
        phase = "measuring" if now["measured"] else "ramp and warm-up"
        body = Group(self._table(now), self._graphs(now), *_problems(now["kinds"]))
        ends = f"{now['at_s']:.0f} s, {phase}, Ctrl-C ends it"
        return _Fitting(Panel(body, title=Text(self.title), subtitle=ends))

    def _table(self, now: dict[str, Any]) -> Table:
        table = _rows()
        mean = self._turns / self._seconds if self._seconds else 0.0
        throttled = f"{count(now['throttled'])} throttled in this second" if now["throttled"] else ""
        table.add_row("turns/s", f"[bold]{count(now['turns_per_s'])}[/]", f"mean {count(mean)}")
        table.add_row("in flight", f"[bold]{count(now['in_flight'])}[/]", throttled)
        return table

    def _graphs(self, now: dict[str, Any]) -> Table:
        table = _rows()
        shown = [f"{words} [bold]{now[f'{name}_ms']:.2f}[/]" for name, words in _NAMES.items()]
        table.add_row("ms", Columns(shown, padding=(0, 3)))
        table.add_row("", f"longest of all {self._longest_ms:.2f}")
        table.add_row()
        table.add_row("turns/s", _Bars(self._rates, "green"))
        table.add_row("p99", _Bars(self._p99s_ms, "yellow"))
        return table


def _rows() -> Table:
    table = Table.grid(padding=(0, 3))
    table.add_column(min_width=9)
    return table


@dataclass(frozen=True)
class _Bars:
    """The latest values for which there is room, as bars."""

    values: Iterable[float]
    style: str

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[Text]:
        yield Text(sparkline(list(self.values)[-options.max_width :]), self.style)


@dataclass(frozen=True)
class _Fitting:
    """A panel that leaves room at the right edge: the ^C of a terminal would break the last line else."""

    panel: Panel

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        return console.render(self.panel, options.update(width=min(_WIDEST, options.max_width - 3)))


_WIDEST = 96
_NAMES = {"p50": "p50", "p90": "p90", "p99": "p99", "p999": "p99.9", "longest": "max"}


def _problems(kinds: dict[str, int]) -> list[Text]:
    if not kinds:
        return [Text("no errors", "dim")]
    return [Text(f"{count(times)} × {kind}", "red") for kind, times in sorted(kinds.items())[:8]]


def main(title: str) -> None:
    """Draw until standard input ends. Ctrl-C is for the load, whose end is ours."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    view = View(title)
    with Live(console=Console(stderr=True), auto_refresh=False) as live:
        for told_line in sys.stdin:
            live.update(view.take(told_line), refresh=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "starpound load")
