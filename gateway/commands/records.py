"""Numbered records that wait in the store for a person: which are meant, and how they are shown.

The quarantine has such records, and so have the jobs that were set aside.
"""

import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Protocol, TypeVar

import click

from gateway.terminal import Failure

NUMBER = click.IntRange(
    1, 2**63 - 2
)  # a page ends below the number after one, which must be a number as well
NUMBERS = click.argument("numbers", nargs=-1, type=NUMBER, metavar="[N]...")
LIMIT = click.option(
    "--limit", default=20, type=click.IntRange(1), show_default=True, help="How many, newest first."
)
YES = click.option("--yes", is_flag=True, help="Do not ask.")

_PAGE = 500


class Numbered(Protocol):
    """What is known of any record."""

    @property
    def id(self) -> int:
        """Its number."""


Record = TypeVar("Record", bound=Numbered)
RecordPage = Callable[[int, int | None], Awaitable[Sequence[Record]]]
"""So many records at most, those below a number if one is given, newest first."""


# --- which


def chosen(numbers: Sequence[int], all_of_them: bool, listed_by: str) -> list[int] | None:
    """The numbers, each once; None for all. Failure unless one of both is said."""
    if bool(numbers) == all_of_them:
        raise Failure(f"say which: numbers as `{listed_by}` shows them, or --all")
    return None if all_of_them else sorted(set(numbers))


def confirm(what: str) -> None:
    """Go on with a drop only if the person at the terminal says yes; a script has to say --yes."""
    if not sys.stdin.isatty():
        raise Failure(f"say --yes to drop {what} without being asked")
    click.confirm(f"Drop {what}, for good?", abort=True)


async def missing(ids: Iterable[int] | None, find: Callable[[int], Awaitable[Numbered | None]]) -> list[int]:
    """Those of the numbers that are not there."""
    return [number for number in ids or () if await find(number) is None]


async def newest(page: RecordPage[Record], limit: int, wanted: Callable[[Record], bool]) -> list[Record]:
    """The newest ``limit`` records that are wanted."""
    found: list[Record] = []
    async for record in _newest_first(page):
        if wanted(record):
            found.append(record)
        if len(found) == limit:
            break
    return found


async def _newest_first(page: RecordPage[Record]) -> AsyncIterator[Record]:
    records = await page(_PAGE, None)
    while records:
        for record in records:
            yield record
        records = await page(_PAGE, records[-1].id)


# --- how they are shown


def counted(count: int, what: str) -> str:
    """``1 record``, ``2 records``."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def enumerated(numbers: Iterable[int]) -> str:
    """``7, 9``."""
    return ", ".join(map(str, numbers))


def moment(when: float) -> str:
    """UTC, to the millisecond: ``2026-11-03T12:00:00.500Z``."""
    return datetime.fromtimestamp(when, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def plain(text: str) -> str:
    """A peer chose some of these words: nothing in them may steer the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns, as wide as what is in them."""
    table = [headings, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for number, cells in enumerate(table):
        line = "  ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()
        line = _cut(line)
        click.echo(line if number else click.style(line, bold=True))


def _cut(line: str) -> str:
    """A line of a table as the terminal has room for it; whole where no terminal is."""
    columns = shutil.get_terminal_size().columns
    return line if not sys.stdout.isatty() or len(line) <= columns else line[: columns - 1] + "…"
