"""A scenario from a YAML file. What is wrong with it is said in one line: file, line, key, and what to do."""

import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from gateway.validation import explain
from smpp_sim.config import Place
from smpp_sim.scenarios.scenario import Scenario
from smpp_sim.settings import SimulatorError

_SHAPE = TypeAdapter(Scenario)


class ScenarioError(SimulatorError):
    """A scenario that cannot be read: ``FILE:LINE: what is wrong``."""


class _Loader(yaml.SafeLoader):
    """YAML without its traps: `on`, `no` and `000110` are the words and digits that they seem to be."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 - as in PyYAML


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("null", r"^(?:null|~|)$", ["n", "~", ""]),
    ("int", r"^(?:[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+)$", "-+0123456789"),
    ("float", r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?$", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def read_scenario(path: str | Path) -> Scenario:
    """The scenario in a file. Raises `ScenarioError`."""
    try:
        text = Path(path).read_text("utf-8")
    except OSError as problem:
        raise ScenarioError(f"{path}: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{path}: is not text in UTF-8; save it in that encoding") from None
    return parse_scenario(text, str(path))


def parse_scenario(text: str, origin: str) -> Scenario:
    """The scenario in a text; `origin` names it in errors. Raises `ScenarioError`."""
    lines: dict[Place, int] = {}
    values = _values(text, origin, lines)
    if not isinstance(values, dict):
        raise ScenarioError(f"{origin}:1: this is no scenario; begin with scripts:")
    try:
        return _SHAPE.validate_python(values)
    except ValidationError as problem:
        first = min(problem.errors(), key=lambda one: one["type"] != "unexpected_keyword_argument")
        line = _line(lines, first["loc"])
        raise ScenarioError(f"{origin}:{line}: {explain(problem, Scenario)}{_nearest(first)}") from None


def _values(text: str, origin: str, lines: dict[Place, int]) -> Any:
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        return None if root is None else _Reader(loader, origin, lines).read(root, ())
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        where = f"{origin}:{mark.line + 1}" if mark else origin
        hint = "put codes and texts into quotation marks, and indent with spaces"
        raise ScenarioError(f"{where}: not YAML: {problem.problem}; {hint}") from None
    except RecursionError:
        raise ScenarioError(f"{origin}: too deeply nested; a scenario has a handful of levels") from None
    except yaml.YAMLError as problem:
        raise ScenarioError(f"{origin}: not YAML: {str(problem).splitlines()[0]}") from None


class _Reader:
    """Nodes to Python's values; `lines` gets where each of them stands."""

    def __init__(self, loader: _Loader, origin: str, lines: dict[Place, int]):
        self._loader, self._origin, self._lines = loader, origin, lines
        self._seen: set[int] = set()

    def read(self, node: yaml.Node, place: Place) -> Any:
        """What a node says. Raises `ScenarioError`."""
        self._lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            return self._loader.construct_object(node)
        if id(node) in self._seen:
            raise self._error(node, "an anchor is used again (*name); write it out")
        self._seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            return [self.read(one, (*place, index)) for index, one in enumerate(node.value)]
        assert isinstance(node, yaml.MappingNode), "YAML has three kinds of nodes"
        return self._mapping(node, place)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._error(key, "the name before the colon is not a word")
            if key.value in found:
                raise self._error(key, f"{key.value} stands twice; keep one")
            self._lines[*place, key.value] = key.start_mark.line + 1
            found[key.value] = self.read(value, (*place, key.value))
        return found

    def _error(self, node: yaml.Node, what: str) -> ScenarioError:
        return ScenarioError(f"{self._origin}:{node.start_mark.line + 1}: {what}")


def _nearest(found: Any) -> str:
    """The word that was meant, where only certain ones are possible."""
    words = re.findall(r"'([^']+)'", found.get("ctx", {}).get("expected", ""))
    near = get_close_matches(str(found["input"]), words, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _line(lines: dict[Place, int], place: Place) -> int:
    """The line of a place, or of the nearest thing round it."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)
