"""Cutting a text into screens. Counted after the values are in, by the alphabet each screen needs.

A screen is cut at the end of a line, failing that between words, failing that between the letters of a word; never
between a letter and its accent, inside a composed emoji or a flag. A character is never cut at all, so neither are
GSM escape pairs and UTF-16 surrogates, which measure() counts as two.

Everything is a pure function of text and display, so pages need not be stored: a dialogue keeps the page's number.
A wrong answer is no reason to cut anew, or the keys would change under the reader's thumb: a screen that is not the
last keeps room for the hint, and a last one without room is repeated as it is.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from gateway.smpp.graphemes import belongs_to_previous
from menus.cldr import NO_BREAK_SPACE
from menus.turns import Display

LABELS = tuple("12345678")  # 9 is "more"

Choices = tuple[tuple[str, str], ...]
"""(key, line) of each answer that a text offers; a key without a line works where the text ends."""


class Page(NamedTuple):
    """One screen, and the answers that stand on it: keys of options, or labels of a list's items.

    `start`: which item of the list the first label means.
    """

    text: str
    keys: tuple[str, ...] = ()
    start: int = 0


class Margins(NamedTuple):
    """What a screen has besides its text.

    more: the last line of every screen but the last; last: that of the last one
    hint: room is kept for this line above every screen but the last; the caller puts it there
    """

    more: str
    last: str = ""
    hint: str = ""


def joined(*lines: str) -> str:
    """The lines that are not empty, one under another."""
    return "\n".join([line for line in lines if line])


def fits(text: str, display: Display) -> bool:
    """Whether the text has room on one screen."""
    return _has_room(_shown(text), display)


def text_pages(text: str, margins: Margins, display: Display, options: Choices = ()) -> tuple[Page, ...]:
    """Cut a text and its options into screens, at least one. An unpaged display gets all on one, no last lines."""
    body = _with_options(text, options) if options else text
    screen = _shown(f"{body}\n{margins.last}" if margins.last and display.paged else body)
    if display.paged and not _has_room(screen, display):
        return _cut_text(text, options, margins, display)
    return (Page(screen, _keys(options)) if options else Page(screen),)


def list_pages(heading: str, items: tuple[str, ...], margins: Margins, display: Display) -> tuple[Page, ...]:
    """Cut a list into screens: the heading above the first, items labelled 1 to 8 on each."""
    if not display.paged:
        return (Page(_shown(joined(heading, *_labelled(items))), LABELS[: len(items)]),)
    return _cut_list(heading, items, margins, display) if items else text_pages(heading, margins, display)


# ----------------------------------------------------------------------------------------------- text


def _keys(options: Choices) -> tuple[str, ...]:
    return tuple([key for key, _ in options])


def _with_options(text: str, options: Choices) -> str:
    return joined(text, *[line for _, line in options])


@lru_cache(maxsize=4096)
def _cut_text(text: str, options: Choices, margins: Margins, display: Display) -> tuple[Page, ...]:
    text = text.lstrip()
    screens = list(_screens(_with_options(text, options).rstrip(), margins, display))
    beginnings = [start for start, _ in screens[1:]]
    keys: list[list[str]] = [[] for _ in screens]
    for key, place in _places(text, options):
        keys[-1 if place is None else bisect_right(beginnings, place)].append(key)
    return tuple(Page(_shown(screen), tuple(on)) for (_, screen), on in zip(screens, keys, strict=True))


def _places(text: str, options: Choices) -> Iterator[tuple[str, int | None]]:
    """Where the line of each key begins; None for a key without one."""
    place = len(text) + 1 if text else 0
    for key, line in options:
        yield key, place if line else None
        place += len(line) + 1 if line else 0


def _screens(text: str, margins: Margins, display: Display) -> Iterator[tuple[int, str]]:
    """Where each screen begins, and what stands on it."""
    start = 0
    while start < len(text) - 1 and not fits(joined(text[start:], margins.last), display):
        end = _end_of_screen(text, start, margins, display)
        yield start, joined(text[start:end].rstrip(), margins.more)
        start = len(text) - len(text[end:].lstrip())
    yield start, joined(text[start:], margins.last)


def _end_of_screen(text: str, start: int, margins: Margins, display: Display) -> int:
    """Where the screen that begins at `start` ends: as late as there is room, and where it reads best."""
    lengths = range(1, len(text) - start)  # something is left for the last screen
    too_long = bisect_left(
        lengths,
        True,
        key=lambda n: not fits(joined(margins.hint, text[start : start + n], margins.more), display),
    )
    room = start + max(1, too_long)
    line = text.rfind("\n", start + 1, room + 1)
    if line - start >= too_long // 2 > 0:  # a short first line alone would waste the screen
        return line
    word = max(line, text.rfind(" ", start + 1, room + 1))
    return word if word > start else _between_graphemes(text, start, room)


def _between_graphemes(text: str, start: int, end: int) -> int:
    """The last place up to `end` that divides no composed character; `end` itself if there is none."""
    place = end
    while place > start and belongs_to_previous(text, place):
        place -= 1
    return place if place > start else end


def _has_room(shown: str, display: Display) -> bool:
    alphabet, length = display.measure(shown)
    return length <= (display.ucs2 if alphabet == "ucs2" else display.septets)


def _shown(text: str) -> str:
    # No-break spaces have done their work, and the GSM alphabet has none.
    return text.replace(NO_BREAK_SPACE, " ")


# ----------------------------------------------------------------------------------------------- list


@lru_cache(maxsize=4096)
def _cut_list(heading: str, items: tuple[str, ...], margins: Margins, display: Display) -> tuple[Page, ...]:
    pages: list[Page] = []
    if heading and _room(heading, items, margins, display) == 0:
        pages += _cut_text(heading, (), margins._replace(last=margins.more), display)
        heading = ""
    start = 0
    while start < len(items):
        page = _list_page(heading, items, start, margins, display)
        pages.append(page)
        heading, start = "", start + len(page.keys)
    return tuple(pages)


def _list_page(heading: str, items: tuple[str, ...], start: int, margins: Margins, display: Display) -> Page:
    count = _room(heading, items[start:], margins, display) or 1
    is_last = start + count == len(items)
    last_line = margins.last if is_last else margins.more
    lines = _labelled(items[start : start + count])
    if count == 1:
        above = heading if is_last else joined(margins.hint, heading)
        lines = [_shortened(lines[0], above, last_line, display)]
    return Page(_shown(joined(heading, *lines, last_line)), LABELS[:count], start)


def _room(heading: str, items: Sequence[str], margins: Margins, display: Display) -> int:
    """How many of the items have room under the heading; 0 when not even the first."""
    lines = _labelled(items[: len(LABELS)])
    if len(lines) == len(items) and fits(joined(heading, *lines, margins.last), display):
        return len(lines)
    above = joined(margins.hint, heading)
    most = min(len(lines), len(items) - 1)
    return bisect_left(
        range(1, most + 1), True, key=lambda n: not fits(joined(above, *lines[:n], margins.more), display)
    )


def _labelled(items: Sequence[str]) -> list[str]:
    return [f"{label} {item}" for label, item in enumerate(items, 1)]


def _shortened(line: str, above: str, below: str, display: Display) -> str:
    """The line itself if it has room alone on a screen, else as much of it as has, and dots."""
    if fits(joined(above, line, below), display):
        return line
    too_long = bisect_left(
        range(1, len(line)), True, key=lambda n: not fits(joined(above, f"{line[:n]}...", below), display)
    )
    return f"{line[: _between_graphemes(line, 0, max(1, too_long))].rstrip()}..."
