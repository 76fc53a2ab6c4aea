"""``starpound jobs``: slow work that was set aside after its last try, looked at beside the running gateway."""

import json
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import click

from gateway.commands import explained
from gateway.commands.records import (
    LIMIT,
    NUMBERS,
    YES,
    chosen,
    confirm,
    counted,
    enumerated,
    missing,
    moment,
    newest,
    plain,
    print_table,
)
from gateway.commands.store import STORE, ask
from gateway.terminal import Failure

if TYPE_CHECKING:
    from data.model import JobRecord
    from data.store import Jobs, Store

HEADINGS = ("number", "set aside", "job", "subscriber", "link", "tries", "reason")

_ALL = click.option("--all", "all_of_them", is_flag=True, help="Every job that was set aside.")
_LIST = "jobs list"
_NONE = "no job is set aside"


@click.group()
def jobs() -> None:
    """Look at jobs that failed for the last time."""


@jobs.command("list")
@STORE
@LIMIT
@click.option("--job", default=None, help="Only those of this name.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with what the jobs were given.")
@explained
def list_jobs(url: str, limit: int, job: str | None, as_json: bool) -> None:
    """List the newest jobs that were set aside after their last try. Times are UTC; the log says more of each try.

    \b
    Example: starpound jobs list --store sqlite:///var/starpound.db --job password.generate
    """
    records = ask(url, lambda store: _newest(store, limit, job))
    if as_json:
        click.echo(json.dumps([_as_json(record) for record in records], ensure_ascii=False, indent=2))
    elif not records:
        click.echo(_NONE if job is None else f"no job {job} is set aside")
    else:
        print_table(HEADINGS, map(_cells, records))


@jobs.command(short_help="Have the gateway try jobs again.")
@STORE
@NUMBERS
@_ALL
@explained
def retry(numbers: tuple[int, ...], all_of_them: bool, url: str) -> None:
    """Have the gateway try jobs again, with all their tries before them, after what was wrong is right.

    \b
    Example: starpound jobs retry --store sqlite:///var/starpound.db 17 18
    """
    ids = chosen(numbers, all_of_them, _LIST)
    count = ask(url, lambda store: _change(store, ids, lambda jobs: jobs.try_again(ids, time.time())))
    if not count:
        click.echo(_NONE)
        return
    begins = "begins it" if count == 1 else "begins them"
    click.echo(f"{_jobs(count)} due: the gateway {begins} within a few seconds, or at its next start")


@jobs.command()
@STORE
@NUMBERS
@_ALL
@YES
@explained
def drop(numbers: tuple[int, ...], all_of_them: bool, yes: bool, url: str) -> None:
    """Delete jobs for good; what they were to do is not done.

    \b
    Example: starpound jobs drop --store sqlite:///var/starpound.db 17 18 --yes
    """
    ids = chosen(numbers, all_of_them, _LIST)
    if not yes:
        confirm("every job that was set aside" if ids is None else _jobs(len(ids)))
    count = ask(url, lambda store: _drop(store, ids))
    click.echo(f"{_jobs(count)} dropped")


# --- the store


async def _newest(store: "Store", limit: int, job: str | None) -> list["JobRecord"]:
    async with store.view() as view:
        return await newest(view.jobs.held, limit, lambda record: job in (None, record.name))


async def _held_one(jobs: "Jobs", number: int) -> "JobRecord | None":
    found = await jobs.held(1, number + 1)
    return found[0] if found and found[0].id == number else None


async def _change(store: "Store", ids: list[int] | None, verb: Callable[["Jobs"], Awaitable[int]]) -> int:
    """Do it to all that were named, or to none if one of them is not set aside."""
    async with store.unit() as unit:
        if absent := await missing(ids, lambda number: _held_one(unit.jobs, number)):
            raise Failure(f"no job {enumerated(absent)} among those set aside; nothing was done")
        return await verb(unit.jobs)


async def _drop(store: "Store", ids: list[int] | None) -> int:
    count = await _change(store, ids, lambda jobs: jobs.drop(ids))
    await store.erase_traces()  # if somebody is reading, the gateway or the next command does it
    return count


# --- what is printed


def _jobs(count: int) -> str:
    return counted(count, "job")


def _cells(record: "JobRecord") -> tuple[str, ...]:
    return (
        str(record.id),
        moment(record.held or 0),
        record.name,
        plain(record.msisdn),
        record.link,
        str(record.attempts),
        plain(record.reason),
    )


def _as_json(record: "JobRecord") -> dict[str, Any]:
    return {
        "number": record.id,
        "job": record.name,
        "subscriber": record.msisdn,
        "link": record.link,
        "address": record.address,
        "given": json.loads(record.args),
        "promised": moment(record.created),
        "set_aside": moment(record.held or 0),
        "tries": record.attempts,
        "reason": record.reason,
    }
