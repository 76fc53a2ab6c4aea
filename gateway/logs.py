"""Logging: structlog on standard error, text on a terminal, JSON lines elsewhere."""

import logging
import sys

import structlog

from gateway.settings import Log


def configure_logging(settings: Log) -> None:
    """Set structlog up for this process."""
    on_terminal = sys.stderr.isatty()
    as_text = settings.format == "text" or (settings.format == "auto" and on_terminal)
    renderer = _text(on_terminal) if as_text else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            *([] if as_text else [structlog.processors.format_exc_info]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _text(colors: bool) -> structlog.dev.ConsoleRenderer:
    # Plain tracebacks: a prettier one prints the values of variables, and secrets are among them.
    # Strings in quotes: what subscribers type must not reach a terminal as it is.
    return structlog.dev.ConsoleRenderer(
        colors=colors, repr_native_str=True, exception_formatter=structlog.dev.plain_traceback
    )
