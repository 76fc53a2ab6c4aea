"""Ways through the menu: who is reached from where, and where «0 Назад» leads.

Back is not remembered, it is a property of the file: the screen before a node is the one found on the shortest way
to it from home, unless the node names its `parent`. A screen that shows what an operation brought is not shown
from memory: back to it means calling the operation again. From an end (one of several screens) back is home: what
was asked before it is settled, and by a code one gets there without having been asked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping

from menus.model import CallNode, EndNode, ListNode, Menu, MenuNode, Node, Target, targets


def entrances(menu: Menu) -> Iterator[tuple[str, Target]]:
    """Every way into the menu: what is dialled or sent, and the node."""
    yield from menu.codes.entries()
    for number in menu.numbers.values():
        for sent, target in number.entries():
            yield f"SMS {number.number}: {sent}" if sent else f"SMS {number.number}", target


def ways(menu: Menu, sms: bool = True) -> dict[str, str]:
    """node -> the node before it on the shortest way, "" for an entrance; home's ways first. All that is reached.

    sms: whether short numbers are entrances, too.
    """
    found: dict[str, str] = {}
    dialled = entrances(menu) if sms else menu.codes.entries()
    for start in (menu.home.node, *(target.node for _, target in dialled)):
        if start in menu.nodes and start not in found:
            _explore(menu, start, found)
    return found


def _explore(menu: Menu, start: str, found: dict[str, str]) -> None:
    found[start] = ""
    queue = deque([start])
    while queue:
        here = queue.popleft()
        for _, target in targets(menu.nodes[here]):
            if target.node in menu.nodes and target.node not in found:
                found[target.node] = here
                queue.append(target.node)


def parents(menu: Menu) -> dict[str, str]:
    """node -> the node to which "0" leads from it. Home leads to itself."""
    before = ways(menu)
    return {node.id: _parent(menu, node, before) for node in menu.nodes.values()}


def _parent(menu: Menu, node: Node, before: Mapping[str, str]) -> str:
    if node.parent is not None:
        return node.parent.node
    if isinstance(node, EndNode):
        return menu.home.node
    previous = before.get(node.id, "")
    while previous and isinstance(menu.nodes[previous], CallNode):
        previous = before[previous]
    return _way_to_show(menu, previous, before) if previous else menu.home.node


def _way_to_show(menu: Menu, screen: str, before: Mapping[str, str]) -> str:
    """The screen itself, or the operation that brings what it shows."""
    if not _needs_values(menu.nodes[screen]):
        return screen
    while before[screen] and isinstance(menu.nodes[before[screen]], CallNode):
        screen = before[screen]
    return screen


def _needs_values(node: Node) -> bool:
    return isinstance(node, ListNode) or (
        isinstance(node, MenuNode) and any(True for _ in node.text.fields())
    )


def call_cycles(menu: Menu) -> list[list[str]]:
    """Calls that could follow one another for ever without a screen between, each cycle once."""
    cycles: list[list[str]] = []
    done: set[str] = set()
    for start in menu.nodes:
        _follow_calls(menu, start, [], done, cycles)
    return cycles


def _follow_calls(menu: Menu, here: str, path: list[str], done: set[str], cycles: list[list[str]]) -> None:
    if here in path:
        cycles.append(path[path.index(here) :])
        return
    node = menu.nodes.get(here)
    if here in done or not isinstance(node, CallNode):
        return
    for target in node.outcomes.values():
        _follow_calls(menu, target.node, [*path, here], done, cycles)
    done.add(here)
