"""What is wrong with a menu file, where, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault of a menu file. `line` counts from 1; 0 is the file as a whole."""

    file: str
    line: int
    what: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.what}" + (f"; {self.hint}" if self.hint else "")


class MenuError(Exception):
    """A menu file that cannot be used.

    `file`, `line`, `what` and `hint` are those of the first problem, `problems` holds all of them in the order
    of the file. The text is one line.
    """

    def __init__(self, problems: Iterable[Problem]):
        self.problems = tuple(sorted(problems))
        first = self.problems[0]
        self.file, self.line, self.what, self.hint = first.file, first.line, first.what, first.hint
        others = len(self.problems) - 1
        super().__init__(f"{first}" + (f" (and {others} more)" if others else ""))


class UnexpectedOutcome(Exception):
    """An operation came back where, or with what, the menu has no branch for. A fault of ours, not of the file."""

    def __init__(self, node: str, code: str):
        super().__init__(f"node {node or '(none)'} has no branch for the outcome {code!r}")
        self.node = node
        self.code = code


def nearest(name: str, names: Iterable[str], otherwise: str = "") -> str:
    """A hint that names the likeliest right one: "did you mean 'root'?", or all of them when they are few."""
    names = sorted(set(names))
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    if otherwise:
        return otherwise
    return f"there are: {', '.join(names)}" if 0 < len(names) <= 12 else ""
