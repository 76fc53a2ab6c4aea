"""``starpound quarantine``: what came from a peer and could not be used, looked at beside the running gateway."""

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gateway.commands import explained
from gateway.terminal import Failure

if TYPE_CHECKING:
    from data.model import QuarantineRecord
    from data.store import Store

STORE = click.option("--store", "url", required=True, help="sqlite:///PATH")
NUMBER = click.IntRange(1, 2**63 - 1)
NUMBERS = click.argument("numbers", nargs=-1, type=NUMBER, metavar="[N]...")

HEADINGS = ("number", "time", "link", "peer", "octets", "status", "reason")
_PAGE = 500

Answer = TypeVar("Answer")


@click.group()
def quarantine() -> None:
    """Look at what peers sent and nobody could use."""


@quarantine.command("list")
@STORE
@click.option(
    "--limit", default=20, type=click.IntRange(1), show_default=True, help="How many, newest first."
)
@click.option("--link", default=None, help="Only those of this link.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with all octets.")
@explained
def list_records(url: str, limit: int, link: str | None, as_json: bool) -> None:
    """List the newest records. Times are UTC; `show` has the octets.

    \b
    Example: starpound quarantine list --store sqlite:///var/starpound.db --link ussdc
    """
    records = _ask(url, lambda store: _newest(store, limit, link))
    if as_json:
        click.echo(json.dumps([_as_json(record) for record in records], ensure_ascii=False, indent=2))
    elif not records:
        click.echo("the quarantine is empty" if link is None else f"nothing of link {link} in the quarantine")
    else:
        _print_table(map(_cells, records))


@quarantine.command()
@STORE
@click.argument("number", type=NUMBER, metavar="N")
@explained
def show(number: int, url: str) -> None:
    """Show record N, every octet of it explained; passwords are masked.

    \b
    Example: starpound quarantine show --store sqlite:///var/starpound.db 17
    """
    from gateway.smpp.explain import explain, render

    record = _ask(url, lambda store: store.quarantined_one(number))
    if record is None:
        raise Failure(_not_there([number]))
    for name, value in _facts(record):
        click.echo(f"{click.style(f'{name:8}', dim=True)}{value}")
    click.echo()
    click.echo(render(explain(record.octets)))


@quarantine.command(short_help="Have the gateway handle records again.")
@STORE
@NUMBERS
@click.option("--all", "all_of_them", is_flag=True, help="Every record.")
@explained
def replay(numbers: tuple[int, ...], all_of_them: bool, url: str) -> None:
    """Have the gateway handle records again, as if the peer had just sent them, after what was wrong is right.

    \b
    Example: starpound quarantine replay --store sqlite:///var/starpound.db 17 18
    """
    ids = _chosen(numbers, all_of_them)
    count = _ask(url, lambda store: _change(store, ids, store.ask_replay))
    left = len(ids) - count if ids else 0
    if left:
        click.echo(f"{_records(left)} came from somebody who had not bound: nothing to be handled", err=True)
    if count:
        click.echo(
            f"{_records(count)} marked: the gateway handles {'it' if count == 1 else 'them'} within a few seconds, "
            "or at its next start"
        )
    elif not left:
        click.echo("there is nothing in the quarantine that came by a link")


@quarantine.command()
@STORE
@NUMBERS
@click.option("--all", "all_of_them", is_flag=True, help="Every record.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@explained
def drop(numbers: tuple[int, ...], all_of_them: bool, yes: bool, url: str) -> None:
    """Delete records for good, octets and all.

    \b
    Example: starpound quarantine drop --store sqlite:///var/starpound.db 17 18 --yes
    """
    ids = _chosen(numbers, all_of_them)
    if not yes:
        _confirm("every record" if ids is None else _records(len(ids)))
    count = _ask(url, lambda store: _drop(store, ids))
    click.echo(f"{_records(count)} dropped")


def _confirm(what: str) -> None:
    """Go on only if the person at the terminal says yes; a script has to say --yes."""
    if not sys.stdin.isatty():
        raise Failure(f"say --yes to drop {what} without being asked")
    click.confirm(f"Drop {what}, for good?", abort=True)


def _chosen(numbers: Sequence[int], all_of_them: bool) -> list[int] | None:
    """The numbers, each once; None for all. One of both must be said."""
    if bool(numbers) == all_of_them:
        raise Failure("say which: numbers as `quarantine list` shows them, or --all")
    return None if all_of_them else sorted(set(numbers))


# --- the store


def _ask(url: str, question: Callable[["Store"], Awaitable[Answer]]) -> Answer:
    """Open the store beside whoever is at work on it, and ask."""
    from data.sqlite import open_store

    async def ask() -> Answer:
        store = open_store(url, create=False, patient=True)
        try:
            return await question(store)
        finally:
            await store.close()

    return asyncio.run(ask())


async def _newest(store: "Store", limit: int, link: str | None) -> list["QuarantineRecord"]:
    found = []
    async for record in _all_records(store):
        if link in (None, record.link):
            found.append(record)
        if len(found) == limit:
            break
    return found


async def _all_records(store: "Store") -> AsyncIterator["QuarantineRecord"]:
    """From the newest to the oldest, page by page."""
    page = await store.quarantined(_PAGE)
    while page:
        for record in page:
            yield record
        page = await store.quarantined(_PAGE, before_id=page[-1].id)


async def _change(
    store: "Store", ids: list[int] | None, verb: Callable[[list[int] | None], Awaitable[int]]
) -> int:
    """Do it to all that were named, or to none if one of them is not there."""
    await store.begin()
    missing = [number for number in ids or () if not await store.quarantined_one(number)]
    if missing:
        raise Failure(f"{_not_there(missing)}; nothing was done")
    count = await verb(ids)
    await store.commit()
    return count


async def _drop(store: "Store", ids: list[int] | None) -> int:
    count = await _change(store, ids, store.drop_quarantined)
    await store.erase_traces()  # if somebody is reading, the gateway or the next command does it
    return count


# --- what is printed


def _records(count: int) -> str:
    return f"{count} record{'' if count == 1 else 's'}"


def _not_there(numbers: Sequence[int]) -> str:
    return f"no record {', '.join(map(str, numbers))} in the quarantine"


def _time(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain(text: str) -> str:
    """A peer chose some of these words: nothing in them may steer the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _cells(record: "QuarantineRecord") -> tuple[str, ...]:
    from gateway.smpp.vocabulary import status_name

    status = status_name(record.status)
    return (
        str(record.id),
        _time(record.when),
        _plain(record.link) or "-",
        _plain(record.peer),
        str(len(record.octets)),
        status,
        ("replay asked: " if record.replay else "") + _plain(record.reason).removesuffix(f" ({status})"),
    )


def _print_table(rows: Iterable[Sequence[str]]) -> None:
    table = [HEADINGS, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for number, cells in enumerate(table):
        line = "  ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()
        line = _cut(line)
        click.echo(line if number else click.style(line, bold=True))


def _cut(line: str) -> str:
    """A line of a table as the terminal has room for it; whole where no terminal is."""
    columns = shutil.get_terminal_size().columns
    return line if not sys.stdout.isatty() or len(line) <= columns else line[: columns - 1] + "…"


def _facts(record: "QuarantineRecord") -> list[tuple[str, str]]:
    from gateway.smpp.vocabulary import status_name

    return [
        ("number", f"{record.id}{', replay asked' if record.replay else ''}"),
        ("time", _time(record.when)),
        ("link", _plain(record.link)),
        ("peer", f"{_plain(record.peer)}, {'it sent this' if record.direction == 'in' else 'we sent this'}"),
        ("status", status_name(record.status)),
        ("reason", _plain(record.reason)),
        ("octets", str(len(record.octets))),
    ]


def _as_json(record: "QuarantineRecord") -> dict[str, Any]:
    from gateway.smpp.vocabulary import status_name

    return {
        "number": record.id,
        "time": _time(record.when),
        "link": record.link,
        "peer": record.peer,
        "direction": record.direction,
        "status": status_name(record.status),
        "reason": record.reason,
        "octets": record.octets.hex(),
        "replay": record.replay,
    }
