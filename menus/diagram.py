"""The menu as a Mermaid flowchart: to look at, to print, to paste into a document that renders Mermaid.

    ([ code or SMS ])  →  [ menu ]  [[ list ]]  {{ call }}  ( end )

Arrows carry the answer or the outcome. Back and home are left out: they lead from everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from data.model import LANGUAGES
from menus.model import CHOSEN, OK, CallNode, EndNode, ListNode, Menu, MenuNode, Node, targets
from menus.tree import entrances

_LABEL_LETTERS = 48
# What Mermaid, HTML or the Markdown in newer Mermaid's labels would read: *105*00# is no emphasis.
_SPECIAL = frozenset('"#&<>`\\*_')
# Words of Mermaid itself (call, end) cannot be names of classes.
_CLASSES = (
    "classDef entrance fill:#fff3c4,stroke:#b7860b,color:#000",
    "classDef screen fill:#dbeafe,stroke:#1d4ed8,color:#000",
    "classDef choice fill:#dbeafe,stroke:#1d4ed8,color:#000",
    "classDef operation fill:#ede9fe,stroke:#6d28d9,color:#000",
    "classDef final fill:#dcfce7,stroke:#15803d,color:#000",
)


def diagram(menu: Menu, language: str = "ru") -> str:
    """The whole graph of a menu as Mermaid source, with its texts in one language."""
    names = {node: f"n{number}" for number, node in enumerate(menu.nodes)}
    lines = [
        *_nodes(menu, names, language),
        *_entrances(menu, names),
        *_arrows(menu, names, language),
        *_CLASSES,
    ]
    return "\n".join(["flowchart LR", *(f"    {line}" for line in lines), ""])


_KINDS: dict[type[Node], str] = {MenuNode: "menu", ListNode: "list", CallNode: "call", EndNode: "end"}


def graph(menu: Menu) -> dict[str, Any]:
    """The same for a program that draws it itself, ready for JSON; titles and labels by language.

    ``{"home": node, "nodes": [{"id", "kind", "title"}], "edges": [{"from", "to", "label"}], "codes": [{"code",
    "to"}]}``; the kind is menu, list, call or end, the title a text as it is written in the file.
    """
    return {
        "home": menu.home.node,
        "nodes": [
            {"id": node.id, "kind": _KINDS[type(node)], "title": _title(node)} for node in menu.nodes.values()
        ],
        "edges": [
            {"from": node.id, "to": target.node, "label": _labels(node, way)}
            for node in menu.nodes.values()
            for way, target in targets(node)
        ],
        "codes": [{"code": source, "to": target.node} for source, target in entrances(menu)],
    }


def _title(node: Node) -> dict[str, str]:
    if isinstance(node, CallNode):
        return dict.fromkeys(LANGUAGES, _called(node))
    return dict(node.text.sources)


def _labels(node: Node, way: str) -> dict[str, str]:
    return {language: _way(node, way, language) for language in LANGUAGES}


def _nodes(menu: Menu, names: dict[str, str], language: str) -> Iterator[str]:
    for node in menu.nodes.values():
        yield f"{names[node.id]}{_shape(node, language)}"


def _shape(node: Node, language: str) -> str:
    match node:
        case MenuNode():
            return f'["{_label(node.id, node.text.sources[language])}"]:::screen'
        case ListNode():
            return f'[["{_label(node.id, node.text.sources[language])}"]]:::choice'
        case CallNode():
            return f'{{{{"{_label(node.id, _called(node))}"}}}}:::operation'
        case EndNode():
            return f'("{_label(node.id, node.text.sources[language])}"):::final'


def _called(node: CallNode) -> str:
    args = (f"{name}={arg.constant}" if arg.constant else name for name, arg in node.args.items())
    return f"{node.operation.node}({', '.join(args)})"


def _entrances(menu: Menu, names: dict[str, str]) -> Iterator[str]:
    """What is dialled or sent; everything that leads to one node stands in one place, line by line."""
    ways: dict[str, list[str]] = {}
    for source, target in entrances(menu):
        ways.setdefault(target.node, []).append(source)
    for number, (node, sources) in enumerate(ways.items()):
        yield f'e{number}(["{"<br/>".join(map(escaped, sources))}"]):::entrance --> {names[node]}'


def _arrows(menu: Menu, names: dict[str, str], language: str) -> Iterator[str]:
    for node in menu.nodes.values():
        ways: dict[str, list[str]] = {}
        for way, target in targets(node):
            ways.setdefault(target.node, []).append(_way(node, way, language))
        for to, labels in ways.items():
            yield f'{names[node.id]} -->|"{", ".join(map(escaped, labels))}"| {names[to]}'


def _way(node: Node, way: str, language: str) -> str:
    if way == CHOSEN:
        return "1…8"
    if not isinstance(node, MenuNode):
        return way
    label = node.options[way].label
    return f"{way} {label.sources[language]}" if label else way.upper() if way == OK else way


def _label(name: str, text: str) -> str:
    text = " / ".join(text.split("\n"))
    short = text if len(text) <= _LABEL_LETTERS else f"{text[:_LABEL_LETTERS].rstrip()}…"
    return f"<b>{escaped(name)}</b><br/>{escaped(short)}" if short else f"<b>{escaped(name)}</b>"


def escaped(text: str) -> str:
    """A text as part of a quoted Mermaid label, with entities for what would be read otherwise."""
    return "".join(f"#{ord(sign)};" if sign in _SPECIAL else sign for sign in text)
