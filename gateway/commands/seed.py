"""``starpound seed``: subscribers to try things with."""

import asyncio
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from gateway.commands import explained
from gateway.commands.store import STORE, ask

if TYPE_CHECKING:
    from data.store import Store


@click.command(short_help="Fill a store with subscribers.")
@STORE
@click.option("--subscribers", "count", required=True, type=click.IntRange(1), help="How many.")
@click.option(
    "--first",
    default=79_260_000_000,
    type=click.IntRange(100, 10**15 - 1),
    show_default=True,
    help="The first number.",
)
@explained
def seed(url: str, count: int, first: int) -> None:
    """Fill a store with subscribers: the same ones every time; every tenth is corporate.

    \b
    Example: starpound seed --store sqlite:///var/starpound.db --subscribers 1000
    """
    new = ask(url, lambda store: _fill(store, count, first), create=True)
    click.echo(f"{new} new subscribers, {first} to {first + count - 1}, in {url}")


async def _fill(store: "Store", count: int, first: int) -> int:
    from data.seed import seed as fill

    with click.progressbar(length=count, label="subscribers", file=sys.stderr) as bar:
        return await fill(store, count, first, partial(_advance, bar))


def _advance(bar: Any, done: int) -> None:
    task = asyncio.current_task()
    if task and task.cancelling():  # Ctrl-C: all of it is one transaction, without an await to end it at
        raise asyncio.CancelledError
    bar.update(done - bar.pos)
