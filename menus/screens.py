"""The screens of a node: its words, its options or items, and what stands under them.

Always the same for the same dialogue and reader, so a dialogue keeps only the number of the one that it shows.
What holds no values is laid out once for every kind of reader, not in every turn.
"""

from __future__ import annotations

from functools import lru_cache

from menus.cldr import NO_BREAK_SPACE
from menus.model import ITEMS, Choice, EndNode, ListNode, Menu, MenuNode, Node, ScreenNode
from menus.paging import Choices, Margins, Page, list_pages, text_pages
from menus.render import Phrase, Values, Writing
from menus.turns import Display


def pages_of(menu: Menu, node: ScreenNode, values: Values, display: Display) -> tuple[Page, ...]:
    """Lay out a node."""
    if node.id in menu.still:
        return _still_pages(menu, node, display)
    return _pages(menu, node, values, display)


def is_still(node: Node) -> bool:
    """Whether a node looks the same in every dialogue."""
    return isinstance(node, MenuNode) and not any(True for _ in node.text.fields())


@lru_cache(maxsize=4096)
def _still_pages(menu: Menu, node: ScreenNode, display: Display) -> tuple[Page, ...]:
    return _pages(menu, node, {}, display)


def _pages(menu: Menu, node: ScreenNode, values: Values, display: Display) -> tuple[Page, ...]:
    margins = _margins(menu, node, display)
    writing = (display.language, display.script)
    if isinstance(node, ListNode):
        return _list(node, values, margins, display)
    if isinstance(node, EndNode) and node.item is not None:
        values = {**values, ITEMS: "\n".join(_lines(node.item, values, writing))}
    text = node.text.render(values, *writing)
    options = _options(node, *writing) if isinstance(node, MenuNode) else ()
    return text_pages(text, margins, display, options)


def _list(node: ListNode, values: Values, margins: Margins, display: Display) -> tuple[Page, ...]:
    """With all that is told of each item if one screen has room for it, else in short."""
    writing = (display.language, display.script)
    heading = node.text.render(values, *writing)
    pages = list_pages(heading, _lines(node.item, values, writing), margins, display)
    if node.short is None or len(pages) == 1:
        return pages
    return list_pages(heading, _lines(node.short, values, writing), margins, display)


def _lines(item: Phrase, values: Values, writing: Writing) -> tuple[str, ...]:
    return tuple([item.render(one, *writing) for one in values[ITEMS]])


@lru_cache(maxsize=4096)
def _options(node: MenuNode, language: str, script: str) -> Choices:
    return tuple((key, _line(option, language, script)) for key, option in node.options.items())


def _line(option: Choice, language: str, script: str) -> str:
    """A key and its label are never parted: a screen is cut between options, not in them."""
    if option.label is None:
        return ""
    return f"{option.key} {option.label.render({}, language, script)}".replace(" ", NO_BREAK_SPACE)


@lru_cache(maxsize=4096)
def _margins(menu: Menu, node: ScreenNode, display: Display) -> Margins:
    """«0 Назад» stands under a choice; a question that OK answers is left bare. It works on both.

    On the way to the end of a last word nothing is asked but to read on: no room is kept for the hint.
    """
    choice = isinstance(node, ListNode) or (isinstance(node, MenuNode) and bool(node.shown))
    back = menu.words("back", display) if choice and node.id != menu.home.node else ""
    hint = "" if isinstance(node, EndNode) else menu.words("wrong", display)
    return Margins(menu.words("more", display), back, hint)
