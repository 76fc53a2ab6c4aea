"""What the gateway logs, at hand."""

from collections.abc import Callable
from typing import Any, NoReturn

import pytest
import structlog

from gateway import daemon
from gateway.links import binds, link, listener, outward, tls
from gateway.turns import post, quarantine, receipts, robots
from gateway.watch.logs import Sparing


class Heard(list[dict[str, Any]]):
    """The lines of the log, of every level."""

    def of(self, event: str) -> list[dict[str, Any]]:
        """Those about that."""
        return [line for line in self if line["event"] == event]

    def about(self, words: str) -> Callable[[], bool]:
        """Whether any line says these words, now."""
        return lambda: any(words in str(line) for line in self)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    lines = Heard()

    def note(_: object, level: str, line: dict[str, Any]) -> NoReturn:
        lines.append({"level": level, **line})
        raise structlog.DropEvent

    logger = structlog.wrap_logger(
        None, processors=[Sparing(), note], wrapper_class=structlog.stdlib.BoundLogger
    )
    for module in (binds, daemon, link, listener, outward, post, quarantine, receipts, robots, tls):
        if hasattr(module, "log"):
            monkeypatch.setattr(module, "log", logger)
    return lines
