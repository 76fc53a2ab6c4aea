"""What all commands share: the one-line errors of the terminal, types of options, the event loop."""

import asyncio
import contextlib
import functools
import math
import os
import re
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

import click

PORT = click.IntRange(0, 65535)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class Amount(click.FloatRange):
    """A number with a least and a most, as `click.FloatRange`; ``nan`` and ``inf`` are none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a number that one can wait for or count to.", param, ctx)
        return number


_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Failure(click.ClickException):
    """One line for the person at the terminal, exit status 2."""

    exit_code = 2


def plain() -> bool:
    """Whether no colours are wanted: NO_COLOR is set, to anything but nothing (no-color.org)."""
    return bool(os.environ.get("NO_COLOR"))


def decorated(stream: TextIO) -> bool:
    """Whether escapes may go there: to a terminal, unless it is to be `plain`."""
    return stream.isatty() and not plain()


def is_file(word: str) -> bool:
    """Whether there is a file of that name; a word too long for one is the name of none."""
    try:
        return Path(word).is_file()
    except OSError:
        return False


def about_ports(error: Exception, *options: str) -> str:
    """What is wrong; with a port in use also the options that choose another one."""
    hint = f"; choose another: {', '.join(options)}; 0 picks a free one" if "in use" in str(error) else ""
    return f"{error}{hint}"


def piped_lines() -> Iterator[str]:
    """The lines of standard input, each as it is asked for; octets that are no text become U+FFFD."""
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    for line in sys.stdin:
        yield line.rstrip("\r\n")


def printable(line: str) -> str:
    """A line that came over the wire, for a terminal: what would move its cursor or colour it is shown instead."""
    return _UNSEEN.sub(_shown, line.replace("\t", " "))


def _shown(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(0x2400 + code) if code < 0x20 else "\N{REPLACEMENT CHARACTER}"


Command = Callable[..., Any]


def explaining(expected: Callable[[], tuple[type[Exception], ...]]) -> Callable[[Command], Command]:
    """A decorator of commands that makes a `Failure` of the `expected` errors, which are asked for when one comes.

    Also of a file that is nested too deeply for its parser. Anything else is a bug and shows its traceback.
    """

    def explained(command: Command) -> Command:
        @functools.wraps(command)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            try:
                return command(*args, **kwargs)
            except RecursionError:
                raise Failure(
                    "a file is nested too deeply: look in it for brackets that are not closed"
                ) from None
            except Exception as error:
                if isinstance(error, expected()):
                    raise Failure(str(error)) from error
                raise

        return wrapper

    return explained


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where it is to be had. Ctrl-C or SIGTERM has ended all in good order when this returns."""
    try:
        import uvloop
    except ImportError:
        runner = asyncio.run
    else:
        runner = uvloop.run
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        runner(_until_terminated(work))


async def _until_terminated(work: Coroutine[Any, Any, None]) -> None:
    """SIGTERM cancels, as asyncio has Ctrl-C do; an exception out of a signal handler would end in some transport."""
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await work
