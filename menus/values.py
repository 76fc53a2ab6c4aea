"""Which values a dialogue surely has at each node, on whatever way it came: what texts and arguments may rely on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from menus.model import CAPTURE, ITEMS, CallNode, ListNode, Menu, Node, targets
from menus.tree import entrances, parents

ValueNames = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Known:
    """The names of values that are there. `anything`: others may be, from where nothing is declared of them."""

    names: frozenset[str] = frozenset()
    anything: bool = False

    def has(self, name: str) -> bool:
        """Whether a text may use it."""
        return self.anything or name in self.names

    def having(self, more: tuple[str, ...]) -> Known:
        """With more values beside."""
        return Known(self.names | frozenset(more), self.anything)

    def meet(self, other: Known) -> Known:
        """What is there on both ways."""
        if self.anything and other.anything:
            return Known(self.names & other.names, True)
        if self.anything or other.anything:
            return other if self.anything else self
        return Known(self.names & other.names)

    @property
    def item_fields(self) -> frozenset[str]:
        """The declared fields of `items`; empty when nobody declares them."""
        return frozenset(
            name.removeprefix(f"{ITEMS}.") for name in self.names if name.startswith(f"{ITEMS}.")
        )

    def with_item_chosen(self) -> Known:
        """After an item was chosen: its fields instead of the items."""
        fields = self.item_fields
        rest = frozenset(name for name in self.names if name.partition(".")[0] != ITEMS)
        return Known(rest | fields, self.anything or not fields)


UNDECLARED = Known(anything=True)


def flow(menu: Menu, outcomes: Mapping[str, ValueNames]) -> dict[str, Known]:
    """node -> what is known there on every way; `outcomes`: operation -> outcome -> its values."""
    back = parents(menu)
    known: dict[str, Known] = {}
    waiting = deque(_beginnings(menu))
    while waiting:
        place, arriving = waiting.popleft()
        node = menu.nodes.get(place)
        if node is None:
            continue
        met = known[place].meet(arriving) if place in known else arriving
        if known.get(place) != met:
            known[place] = met
            waiting.extend(_onwards(node, met, outcomes))
            if not isinstance(node, CallNode):
                waiting.append((back[place], met))
    return known


def _beginnings(menu: Menu) -> Iterator[tuple[str, Known]]:
    yield menu.home.node, Known()
    for source, target in entrances(menu):
        yield target.node, Known(frozenset(CAPTURE.findall(source)))


def _onwards(node: Node, known: Known, outcomes: Mapping[str, ValueNames]) -> Iterator[tuple[str, Known]]:
    for way, target in targets(node):
        match node:
            case CallNode():
                carried = outcomes.get(node.operation.node, {}).get(way)
                yield target.node, UNDECLARED if carried is None else known.having(carried)
            case ListNode():
                yield target.node, known.with_item_chosen()
            case _:
                yield target.node, known
