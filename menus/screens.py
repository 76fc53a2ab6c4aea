"""The screens of a node: its words, its options or items, and what stands under them.

Always the same for the same dialogue and reader, so a dialogue keeps only the number of the one that it shows.
What holds no values is laid out once for every kind of reader, not in every turn.
"""

from __future__ import annotations

from functools import lru_cache

from menus.model import ITEMS, EndNode, ListNode, Menu, MenuNode, Node
from menus.paging import Frame, Page, joined, list_pages, text_pages
from menus.render import Values, Writing
from menus.turns import Display


def pages_of(menu: Menu, node: Node, values: Values, missed: bool, display: Display) -> tuple[Page, ...]:
    """Lay out a node. After a wrong answer (`missed`) every screen keeps room for the hint."""
    if node.id in menu.still:
        return _still_pages(menu, node, missed, display)
    return _pages(menu, node, values, missed, display)


def is_still(node: Node) -> bool:
    """Whether a node looks the same in every dialogue."""
    return isinstance(node, MenuNode) and not any(True for _ in node.text.fields())


@lru_cache(maxsize=4096)
def _still_pages(menu: Menu, node: Node, missed: bool, display: Display) -> tuple[Page, ...]:
    return _pages(menu, node, {}, missed, display)


def _pages(menu: Menu, node: Node, values: Values, missed: bool, display: Display) -> tuple[Page, ...]:
    frame = _frame(menu, node, missed, display)
    writing = (display.language, display.script)
    if isinstance(node, ListNode):
        items = tuple([node.item.render(item, *writing) for item in values[ITEMS]])
        return list_pages(node.text.render(values, *writing), items, frame, display)
    return text_pages(_body(node, values, writing), frame, display)


def _body(node: Node, values: Values, writing: Writing) -> str:
    if isinstance(node, MenuNode):
        return joined(node.text.render(values, *writing), _options(node, *writing))
    if isinstance(node, EndNode) and node.item is not None:
        lines = [node.item.render(item, *writing) for item in values[ITEMS]]
        values = {**values, ITEMS: "\n".join(lines)}
    return node.text.render(values, *writing)


@lru_cache(maxsize=4096)
def _options(node: MenuNode, language: str, script: str) -> str:
    return "\n".join([f"{key} {label.render({}, language, script)}" for key, label in node.shown])


@lru_cache(maxsize=4096)
def _frame(menu: Menu, node: Node, missed: bool, display: Display) -> Frame:
    """«0 Назад» stands under a choice; a question that OK answers is left bare. It works on both."""
    choice = isinstance(node, ListNode) or (isinstance(node, MenuNode) and bool(node.shown))
    back = menu.words("back", display) if choice and node.id != menu.home.node else ""
    return Frame(menu.words("more", display), back, menu.words("wrong", display) if missed else "")
