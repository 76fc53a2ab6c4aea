"""``starpound quarantine``: what came from a peer and could not be used, looked at beside the running gateway."""

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import click

from gateway.commands import explained
from gateway.commands.records import (
    LIMIT,
    NUMBER,
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
    from data.model import QuarantineRecord
    from data.store import Inbox, Store

HEADINGS = ("number", "time", "link", "peer", "octets", "status", "reason")

_ALL = click.option("--all", "all_of_them", is_flag=True, help="Every record.")
_LIST = "quarantine list"


@click.group()
def quarantine() -> None:
    """Look at what peers sent and nobody could use."""


@quarantine.command("list")
@STORE
@LIMIT
@click.option("--link", default=None, help="Only those of this link.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with all octets.")
@explained
def list_records(url: str, limit: int, link: str | None, as_json: bool) -> None:
    """List the newest records. Times are UTC; `show` has the octets.

    \b
    Example: starpound quarantine list --store sqlite:///var/starpound.db --link ussdc
    """
    records = ask(url, lambda store: _newest(store, limit, link))
    if as_json:
        click.echo(json.dumps([_as_json(record) for record in records], ensure_ascii=False, indent=2))
    elif not records:
        click.echo("the quarantine is empty" if link is None else f"nothing of link {link} in the quarantine")
    else:
        print_table(HEADINGS, map(_cells, records))


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

    record = ask(url, lambda store: quarantined_one(store, number))
    if record is None:
        raise Failure(_not_there([number]))
    for name, value in _facts(record):
        click.echo(f"{click.style(f'{name:8}', dim=True)}{value}")
    click.echo()
    click.echo(render(explain(record.octets)))


@quarantine.command(short_help="Have the gateway handle records again.")
@STORE
@NUMBERS
@_ALL
@explained
def replay(numbers: tuple[int, ...], all_of_them: bool, url: str) -> None:
    """Have the gateway handle records again, as if the peer had just sent them, after what was wrong is right.

    \b
    Example: starpound quarantine replay --store sqlite:///var/starpound.db 17 18
    """
    ids = chosen(numbers, all_of_them, _LIST)
    count = ask(url, lambda store: _change(store, ids, lambda inbox: inbox.ask_replay(ids)))
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
@_ALL
@YES
@explained
def drop(numbers: tuple[int, ...], all_of_them: bool, yes: bool, url: str) -> None:
    """Delete records for good, octets and all.

    \b
    Example: starpound quarantine drop --store sqlite:///var/starpound.db 17 18 --yes
    """
    ids = chosen(numbers, all_of_them, _LIST)
    if not yes:
        confirm("every record" if ids is None else _records(len(ids)))
    count = ask(url, lambda store: _drop(store, ids))
    click.echo(f"{_records(count)} dropped")


# --- the store


async def quarantined_one(store: "Store", number: int) -> "QuarantineRecord | None":
    """The record with that number; None when there is none."""
    async with store.view() as view:
        return await view.inbox.quarantined_one(number)


async def _newest(store: "Store", limit: int, link: str | None) -> list["QuarantineRecord"]:
    async with store.view() as view:
        return await newest(view.inbox.quarantined, limit, lambda record: link in (None, record.link))


async def _change(store: "Store", ids: list[int] | None, verb: Callable[["Inbox"], Awaitable[int]]) -> int:
    """Do it to all that were named, or to none if one of them is not there."""
    async with store.unit() as unit:
        if absent := await missing(ids, unit.inbox.quarantined_one):
            raise Failure(f"{_not_there(absent)}; nothing was done")
        return await verb(unit.inbox)


async def _drop(store: "Store", ids: list[int] | None) -> int:
    count = await _change(store, ids, lambda inbox: inbox.drop_quarantined(ids))
    await store.erase_traces()  # if somebody is reading, the gateway or the next command does it
    return count


# --- what is printed


def _records(count: int) -> str:
    return counted(count, "record")


def _not_there(numbers: list[int]) -> str:
    return f"no record {enumerated(numbers)} in the quarantine"


def _cells(record: "QuarantineRecord") -> tuple[str, ...]:
    from gateway.smpp.vocabulary import status_name

    status = status_name(record.status)
    return (
        str(record.id),
        moment(record.when),
        plain(record.link) or "-",
        plain(record.peer),
        str(len(record.octets)),
        status,
        ("replay asked: " if record.replay else "") + plain(record.reason).removesuffix(f" ({status})"),
    )


def _facts(record: "QuarantineRecord") -> list[tuple[str, str]]:
    from gateway.smpp.vocabulary import status_name

    return [
        ("number", f"{record.id}{', replay asked' if record.replay else ''}"),
        ("time", moment(record.when)),
        ("link", plain(record.link)),
        ("peer", f"{plain(record.peer)}, {'it sent this' if record.direction == 'in' else 'we sent this'}"),
        ("status", status_name(record.status)),
        ("reason", plain(record.reason)),
        ("octets", str(len(record.octets))),
    ]


def _as_json(record: "QuarantineRecord") -> dict[str, Any]:
    from gateway.smpp.vocabulary import status_name

    return {
        "number": record.id,
        "time": moment(record.when),
        "link": record.link,
        "peer": record.peer,
        "direction": record.direction,
        "status": status_name(record.status),
        "reason": record.reason,
        "octets": record.octets.hex(),
        "replay": record.replay,
    }
