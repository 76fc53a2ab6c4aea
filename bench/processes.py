"""Child processes that never outlive the benchmark, however it ends.

Each child leads a process group of its own: a Ctrl-C of the terminal reaches only the benchmark, which then
ends the groups one by one, politely first. What a child prints goes to a file in the work directory, and its
last lines into the message when it fails.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

STOP_S = 5.0


class ChildFailed(Exception):
    """A child did not do its work; the text says which, and what it printed last."""


@contextlib.asynccontextmanager
async def running(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run ``command`` for as long as the block lasts; its process group is its pid."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )
    try:
        yield process
    finally:
        await _stop(process)


async def finished(command: Sequence[str], log: Path) -> None:
    """Run ``command`` to its end; ChildFailed when its exit status is not 0."""
    async with running(command, log) as process:
        if await process.wait():
            raise ChildFailed(
                f"{Path(command[0]).name} {command[1]}: exit status {process.returncode}{tail(log)}"
            )


def tail(log: Path, lines: int = 1) -> str:
    """Return the last lines of a log as one, to put behind a message; empty when there are none."""
    last = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()][-lines:]
    return ": " + " / ".join(last) if last else ""


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End the whole group: SIGTERM, then SIGKILL for what is left of it."""
    try:
        if process.returncode is None:
            _signal(process.pid, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), STOP_S)
    finally:  # also when the patience of whoever presses Ctrl-C ends first
        _signal(process.pid, signal.SIGKILL)
    await process.wait()


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
