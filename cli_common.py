"""What the commands share: the one-line errors of the terminal, types of options, the event loop."""

import asyncio
import contextlib
import functools
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import click

PORT = click.IntRange(0, 65535)


class Failure(click.ClickException):
    """One line for the person at the terminal, exit status 2."""

    exit_code = 2


def about_ports(error: Exception, *options: str) -> str:
    """What is wrong; with a port in use also the options that choose another one."""
    hint = f"; choose another: {', '.join(options)}; 0 picks a free one" if "in use" in str(error) else ""
    return f"{error}{hint}"


def explained(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn the expected errors of every room into a `Failure`; anything else is a bug and shows its traceback."""

    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        from data.store import StoreError
        from gateway.daemon import StartError
        from gateway.dialect import DialectError
        from gateway.settings import SettingsError
        from menus.problems import MenuError
        from smpp_sim.settings import SimulatorError

        try:
            return command(*args, **kwargs)
        except (StoreError, StartError, SettingsError, DialectError, MenuError, SimulatorError) as error:
            raise Failure(str(error)) from error

    return wrapper


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
