"""Cutting a text into screens. Counted after the values are in, by the alphabet each screen needs.

A screen is cut at the end of a line, failing that between words, failing that between the letters of a word; never
between a letter and its accent, inside a composed emoji or a flag. A character is never cut at all, so neither are
GSM escape pairs and UTF-16 surrogates, which measure() counts as two.

Everything is a pure function of text and display, so pages need not be stored: a dialogue keeps the page's number.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from menus.cldr import NO_BREAK_SPACE
from menus.turns import Display

LABELS_PER_PAGE = 8  # 9 is "more"

_JOINER = "\u200d"


class Page(NamedTuple):
    """One screen. `start`: where it begins, a character of the text or an item of the list (-1: its heading).

    `items`: how many items of the list stand on it, labelled from 1.
    """

    text: str
    start: int
    items: int = 0


class Frame(NamedTuple):
    """What a screen has besides its text.

    more: the last line of every screen but the last; last: that of the last one
    hint: room is kept for this line above every screen ("" for none); the caller puts it there
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


def text_pages(text: str, frame: Frame, display: Display) -> tuple[Page, ...]:
    """Cut a text into screens, at least one. An unpaged display gets all of it on one, without last lines."""
    if not display.paged:
        return (Page(_shown(text), 0),)
    screen = _shown(f"{text}\n{frame.last}" if frame.last else text)
    if _has_room(f"{frame.hint}\n{screen}" if frame.hint else screen, display):
        return (Page(screen, 0),)
    return _cut_text(text, frame, display)


def list_pages(heading: str, items: tuple[str, ...], frame: Frame, display: Display) -> tuple[Page, ...]:
    """Cut a list into screens: the heading above the first, items labelled 1 to 8 on each."""
    if not display.paged:
        return (Page(_shown(joined(heading, *_labelled(items))), 0, len(items)),)
    return _cut_list(heading, items, frame, display) if items else text_pages(heading, frame, display)


def page_at(pages: Sequence[Page], start: int) -> int:
    """The number of the page on which `start` is found."""
    return max(0, sum(page.start <= start for page in pages) - 1)


# ----------------------------------------------------------------------------------------------- text


@lru_cache(maxsize=4096)
def _cut_text(text: str, frame: Frame, display: Display) -> tuple[Page, ...]:
    text = text.strip()
    pages: list[Page] = []
    start = 0
    while start < len(text) - 1 and not fits(joined(frame.hint, text[start:], frame.last), display):
        end = _end_of_screen(text, start, frame, display)
        pages.append(Page(_shown(joined(text[start:end].rstrip(), frame.more)), start))
        start = len(text) - len(text[end:].lstrip())
    pages.append(Page(_shown(joined(text[start:], frame.last)), start))
    return tuple(pages)


def _end_of_screen(text: str, start: int, frame: Frame, display: Display) -> int:
    """Where the screen that begins at `start` ends: as late as there is room, and where it reads best."""
    lengths = range(1, len(text) - start)  # something is left for the last screen
    too_long = bisect_left(
        lengths,
        True,
        key=lambda n: not fits(joined(frame.hint, text[start : start + n], frame.more), display),
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
    while place > start and _belongs_to_previous(text, place):
        place -= 1
    return place if place > start else end


def _belongs_to_previous(text: str, place: int) -> bool:
    """Unicode's UAX #29 in as much as occurs in messages: accents, joined emoji, skin tones, flags, tags."""
    sign = text[place]
    if sign == _JOINER or text[place - 1] == _JOINER or unicodedata.category(sign)[0] == "M":
        return True
    if "\U0001f3fb" <= sign <= "\U0001f3ff" or "\U000e0020" <= sign <= "\U000e007f":
        return True
    return _is_flag_letter(sign) and _flag_letters_before(text, place) % 2 == 1


def _is_flag_letter(sign: str) -> bool:
    return "\U0001f1e6" <= sign <= "\U0001f1ff"


def _flag_letters_before(text: str, place: int) -> int:
    return place - len(text[:place].rstrip("".join(map(chr, range(0x1F1E6, 0x1F200)))))


def _has_room(shown: str, display: Display) -> bool:
    alphabet, length = display.measure(shown)
    return length <= (display.ucs2 if alphabet == "ucs2" else display.septets)


def _shown(text: str) -> str:
    # No-break spaces have done their work, and the GSM alphabet has none.
    return text.replace(NO_BREAK_SPACE, " ")


# ----------------------------------------------------------------------------------------------- list


@lru_cache(maxsize=4096)
def _cut_list(heading: str, items: tuple[str, ...], frame: Frame, display: Display) -> tuple[Page, ...]:
    pages: list[Page] = []
    if heading and _room(heading, items, frame, display) == 0:
        alone = text_pages(heading, Frame(frame.more, frame.more, frame.hint), display)
        pages = [Page(page.text, -1) for page in alone]
        heading = ""
    start = 0
    while start < len(items):
        page = _list_page(heading, items, start, frame, display)
        pages.append(page)
        heading, start = "", start + page.items
    return tuple(pages)


def _list_page(heading: str, items: tuple[str, ...], start: int, frame: Frame, display: Display) -> Page:
    count = _room(heading, items[start:], frame, display) or 1
    last_line = frame.last if start + count == len(items) else frame.more
    lines = _labelled(items[start : start + count])
    if count == 1:
        lines = [_shortened(lines[0], joined(frame.hint, heading), last_line, display)]
    return Page(_shown(joined(heading, *lines, last_line)), start, count)


def _room(heading: str, items: Sequence[str], frame: Frame, display: Display) -> int:
    """How many of the items have room under the heading; 0 when not even the first."""
    lines = _labelled(items[:LABELS_PER_PAGE])
    above = joined(frame.hint, heading)
    if len(lines) == len(items) and fits(joined(above, *lines, frame.last), display):
        return len(lines)
    most = min(len(lines), len(items) - 1)
    return bisect_left(
        range(1, most + 1), True, key=lambda n: not fits(joined(above, *lines[:n], frame.more), display)
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
