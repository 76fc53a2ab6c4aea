"""YAML with line numbers: nodes are read, not Python objects, so that every fault can be shown where it is.

It also spares product people YAML's traps: `on`, `no` and `00` stay the words and digits they are, and a key that
stands twice is an error instead of silently hiding the first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from menus.problems import MenuError, Problem, nearest

Complain = Callable[[int, str, str], None]
"""(line, what, hint) -> None"""

_KINDS = {
    yaml.ScalarNode: "a word or text",
    yaml.SequenceNode: "a list",
    yaml.MappingNode: "names and values",
}


_DEEPEST = 20


@dataclass(slots=True)
class Entry:
    """One `key: value` of the file. `what` names it in complaints."""

    key: str
    line: int
    value: yaml.Node
    what: str

    @property
    def value_line(self) -> int:
        """Where the value begins."""
        return self.value.start_mark.line + 1

    @property
    def is_mapping(self) -> bool:
        """Whether the value has names of its own."""
        return isinstance(self.value, yaml.MappingNode)


def compose(path: str | Path) -> Entry:
    """The whole file as one entry. Raises MenuError when it cannot be opened or is not YAML."""
    file, text = str(path), ""
    try:
        text = Path(path).read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except RecursionError:
        hint = "look there for a bracket that is not closed, or a line that is indented too far"
        raise MenuError([Problem(file, _deep_line(text), "is nested too deeply", hint)]) from None
    except OSError as error:
        raise MenuError([Problem(file, 0, f"cannot be read: {error.strerror}", "check the path")]) from None
    except UnicodeDecodeError:
        raise MenuError([Problem(file, 0, "is not text in UTF-8", "save it in that encoding")]) from None
    except yaml.MarkedYAMLError as error:
        raise MenuError([_not_yaml(file, error)]) from None
    except yaml.YAMLError as error:
        raise MenuError([Problem(file, 0, "is not YAML", str(error).splitlines()[0])]) from None
    if root is None:
        raise MenuError([Problem(file, 0, "is empty", "begin with home, codes, words and nodes")])
    return Entry("", root.start_mark.line + 1, root, "the menu")


def _deep_line(text: str) -> int:
    """The first line where more things stand in each other than any menu has."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST and event.start_mark:
            return event.start_mark.line + 1
    return 0


def _not_yaml(file: str, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    hint = "put texts with any of : , ? # { } into quotation marks, and indent with spaces"
    return Problem(file, mark.line + 1 if mark else 0, f"is not YAML here: {error.problem}", hint)


class EntryReader:
    """Takes entries apart; what is wrong goes to `complain`, and reading goes on with something harmless."""

    def __init__(self, complain: Complain):
        self.complain = complain

    def entries(self, entry: Entry, each: str) -> dict[str, Entry]:
        """The names and values under an entry, in order; `each` names one of them. Nothing if it has none."""
        if not entry.is_mapping:
            kind = _KINDS.get(type(entry.value), "something else")
            self.complain(entry.line, f"{entry.what} is {kind}", f"write names and values under it: {each}")
            return {}
        found: dict[str, Entry] = {}
        for key, value in entry.value.value:
            self._add(found, key, value, each)
        return found

    def _add(self, found: dict[str, Entry], key: yaml.Node, value: yaml.Node, each: str) -> None:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            self.complain(line, f"the name of {each} is not a word", "write a plain word before the colon")
        elif key.value in found:
            first = found[key.value].line
            self.complain(
                line, f"{each} '{key.value}' stands twice", f"the first is at line {first}: keep one"
            )
        else:
            found[key.value] = Entry(key.value, line, value, f"{each} '{key.value}'")

    def fields(self, entry: Entry, *known: str, needed: tuple[str, ...] = ()) -> dict[str, Entry]:
        """The entries of something that has fixed names; complains of other names and of those missing."""
        found = self.entries(entry, ", ".join(known))
        for key, value in found.items():
            value.what = f"{key} of {entry.what}"
            if key not in known:
                self.complain(value.line, f"'{key}' is not known in {entry.what}", nearest(key, known))
        if entry.is_mapping:
            for key in needed:
                if key not in found:
                    self.complain(entry.line, f"{entry.what} has no {key}", f"add '{key}:' to it")
        return {key: value for key, value in found.items() if key in known}

    def word(self, entry: Entry, hint: str) -> str:
        """The value as it is written; "" after a complaint when it is not a word or is empty."""
        if isinstance(entry.value, yaml.ScalarNode):
            found, word = "empty", str(entry.value.value).strip()
        else:
            found, word = _KINDS.get(type(entry.value), "odd"), ""
        if not word:
            self.complain(entry.line, f"{entry.what} is {found}", hint)
        return word
