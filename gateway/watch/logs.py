"""Logging: structlog on standard error, text on a terminal, JSON lines elsewhere."""

import logging
import math
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from gateway.settings import Log
from gateway.terminal import decorated


class Sparing:
    """A processor that lets `lines` lines of one event pass in a second; the next one says how many were left out.

    A peer that misbehaves a thousand times a second is news once. Nobody can fill a disk with log lines.
    """

    def __init__(self, lines: int = 20, clock: Callable[[], float] = time.monotonic):
        self._lines, self._clock = lines, clock
        self._since: dict[str, float] = {}
        self._seen: Counter[str] = Counter()

    def __call__(self, logger: Any, method: str, line: EventDict) -> EventDict:
        """The line, or DropEvent."""
        event, now = line["event"], self._clock()
        if now - self._since.get(event, -math.inf) >= 1:
            left_out = self._seen[event] - self._lines
            self._since[event], self._seen[event] = now, 0
            if left_out > 0:
                line["left_out"] = left_out
        self._seen[event] += 1
        if self._seen[event] > self._lines:
            raise structlog.DropEvent
        return line


def configure_logging(settings: Log) -> None:
    """Set structlog up for this process."""
    as_text = settings.format == "text" or (settings.format == "auto" and sys.stderr.isatty())
    renderer = _text(decorated(sys.stderr)) if as_text else structlog.processors.JSONRenderer()
    for_machines: list[Processor] = []
    if not as_text:
        for_machines = [structlog.processors.format_exc_info, _most_important_first]
    structlog.configure(
        processors=[
            Sparing(),
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            *for_machines,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _most_important_first(logger: Any, method: str, line: EventDict) -> EventDict:
    """For those who read JSON lines with their eyes."""
    first = {name: line[name] for name in ("timestamp", "level", "event", "link") if name in line}
    return {**first, **line}


def _text(colors: bool) -> structlog.dev.ConsoleRenderer:
    # Plain tracebacks: a prettier one prints the values of variables, and secrets are among them.
    # Strings in quotes: what subscribers type must not reach a terminal as it is.
    return structlog.dev.ConsoleRenderer(
        colors=colors, repr_native_str=True, exception_formatter=structlog.dev.plain_traceback
    )
