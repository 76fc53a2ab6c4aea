"""``starpound seed``: subscribers to try things with."""

import asyncio
import sys
from functools import partial
from typing import Any

import click

from gateway.commands import explained


@click.command(short_help="Fill a store with subscribers.")
@click.option("--store", "url", required=True, help="sqlite:///PATH")
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
    from data.opening import open_store
    from data.seed import seed as seed_store

    store = open_store(url)
    try:
        with click.progressbar(length=count, label="subscribers", file=sys.stderr) as bar:
            new = asyncio.run(seed_store(store, count, first, progress=partial(_advance, bar)))
    finally:
        asyncio.run(store.close())
    click.echo(f"{new} new subscribers, {first} to {first + count - 1}, in {url}")


def _advance(bar: Any, done: int) -> None:
    task = asyncio.current_task()
    if task and task.cancelling():  # Ctrl-C: all of it is one transaction, without an await to end it at
        raise asyncio.CancelledError
    bar.update(done - bar.pos)
