"""The graph as Mermaid: every node and every way, nothing that Mermaid would misread."""

import re

import pytest

from menus.diagram import diagram, escaped
from menus.model import targets
from menus.tree import entrances

NODE = re.compile(
    r'    n\d+(\["[^"]*"\]|\[\["[^"]*"\]\]|\{\{"[^"]*"\}\}|\("[^"]*"\)):::(screen|choice|operation|final)'
)
ENTRANCE = re.compile(r'    e\d+\(\["[^"]*"\]\):::entrance --> n\d+')
ARROW = re.compile(r'    n\d+ -->\|"[^"]*"\| n\d+')
CLASS = re.compile(r"    classDef (entrance|screen|choice|operation|final) [a-z0-9#:,]+")


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_line_is_a_node_a_way_or_a_class(selfcare, language: str):
    first, *lines = diagram(selfcare, language).splitlines()
    assert first == "flowchart LR"
    for line in lines:
        assert any(kind.fullmatch(line) for kind in (NODE, ENTRANCE, ARROW, CLASS)), line
    assert sum(bool(NODE.fullmatch(line)) for line in lines) == len(selfcare.nodes)
    arrows = {(node.id, target.node) for node in selfcare.nodes.values() for _, target in targets(node)}
    assert sum(bool(ARROW.fullmatch(line)) for line in lines) == len(arrows)
    ways = {target.node for _, target in entrances(selfcare)}
    assert sum(bool(ENTRANCE.fullmatch(line)) for line in lines) == len(ways)


def test_labels_say_what_is_dialled_and_answered(selfcare):
    drawn = diagram(selfcare)
    assert "#42;105#42;00#35;" in drawn
    assert '|"3 Опции"|' in drawn
    assert '|"OK, 1"|' in drawn
    assert "3 Options" in diagram(selfcare, "en")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("*105#", "#42;105#35;"),
        ('"a" <b> & `c`', "#34;a#34; #60;b#62; #38; #96;c#96;"),
        ("no_money", "no#95;money"),
        ("{name}; (да)", "{name}; (да)"),
    ],
)
def test_escaped(text: str, label: str):
    assert escaped(text) == label
