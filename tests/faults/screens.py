"""Which node of the menu a screen belongs to, by the words of the menu file itself: they may be put better any day.

A node is named as `menus/selfcare.yaml` names it, with shell patterns for outcomes that differ from subscriber to
subscriber (``options.on.on*``); ``words.NAME`` and ``messages.NAME`` are the fixed answers and the SMS that follow.
"""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import yaml

from gateway.daemon import SELFCARE

_MENU: dict[str, Any] = yaml.safe_load(SELFCARE.read_text("utf-8"))
_VALUE = re.compile(r"\{(\w+)[^}]*\}")


def shows(text: str, node: str) -> bool:
    """Whether that is a screen of the node: its words, and whatever comes below them."""
    return any(pattern.match(text) for name, pattern in _PATTERNS.items() if fnmatchcase(name, node))


def warns(text: str) -> bool:
    """Whether the screen says that the answer before was wrong."""
    return _PATTERNS["words.wrong"].search(text) is not None


def read(text: str, name: str) -> dict[str, str]:
    """The values in a text that has just these words, such as the password in ``messages.password.issued``."""
    found = _PATTERNS[name].fullmatch(text)
    assert found, f"{text!r} is not {name}: {_PATTERNS[name].pattern}"
    return found.groupdict()


def choice(node: str, to: str) -> str:
    """What one answers at a menu in order to get to the node `to`."""
    options = _MENU["nodes"][node]["options"]
    return next(str(answer) for answer, target in options.items() if target == to or target["to"] == to)


def _texts() -> Iterator[tuple[str, dict[str, str]]]:
    for section in ("words", "messages"):
        for name, text in _MENU[section].items():
            yield f"{section}.{name}", text
    for name, node in _MENU["nodes"].items():
        yield from _texts_of(name, node)
        for outcome, target in node.get("outcomes", {}).items():
            if isinstance(target, dict):
                yield from _texts_of(f"{name}.{outcome}", target)


def _texts_of(name: str, node: dict[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    for kind in ("menu", "end"):
        if isinstance(node.get(kind), dict):
            yield name, node[kind]
    if "list" in node:  # a heading, if it has one, and its items
        heading = f"{node['list']['ru']}\n" if isinstance(node["list"], dict) else ""
        yield name, {"ru": f"{heading}1 {{item}}"}


def _pattern(template: str) -> re.Pattern[str]:
    """Values may be anything, and are captured under their names."""
    parts = _VALUE.split(template.strip())
    literals, names = parts[::2], parts[1::2]
    values = [f"(?P<{name}>.+)" if name not in names[:i] else ".+" for i, name in enumerate(names)]
    return re.compile("".join(map("".join, zip(map(re.escape, literals), [*values, ""], strict=True))))


_PATTERNS = {name: _pattern(text["ru"]) for name, text in _texts()}
