"""What a load looks like while it runs: a panel on a terminal, or a line every few seconds.

The panel is drawn by a process of its own, out of a line of JSON a second: drawing takes milliseconds, and in the
process that sends the turns they would stand in the latencies.

    python -m smpp_sim.load.view      # reads lines of `load_output.told` from standard input, until it ends
"""

import json
import signal
import sys
from collections import deque
from collections.abc import Iterable
from typing import Any

from rich.console import Console, Group, RenderableType
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
        body = Group(self._table(now), Text(), self._graphs(), *_problems(now["kinds"]))
        return Panel(
            body, title=self.title, subtitle=f"{now['at_s']:.0f} s, {phase}, Ctrl-C ends it", width=96
        )

    def _table(self, now: dict[str, Any]) -> Table:
        table = Table.grid(padding=(0, 3))
        mean = self._turns / self._seconds if self._seconds else 0.0
        throttled = f"{count(now['throttled'])} throttled in this second" if now["throttled"] else ""
        table.add_row("turns/s", f"[bold]{count(now['turns_per_s'])}[/]", f"mean {count(mean)}")
        table.add_row("in flight", f"[bold]{count(now['in_flight'])}[/]", throttled)
        latencies = ("p50", "p90", "p99", "p999", "longest")
        shown = "   ".join(f"{_NAMES[name]} [bold]{now[f'{name}_ms']:.2f}[/]" for name in latencies)
        table.add_row("ms", shown, f"longest of all {self._longest_ms:.2f}")
        return table

    def _graphs(self) -> Table:
        table = Table.grid(padding=(0, 3))
        table.add_row("turns/s", Text(sparkline(self._rates), "green"))
        table.add_row("p99", Text(sparkline(self._p99s_ms), "yellow"))
        return table


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
