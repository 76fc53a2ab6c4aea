"""A TOML file as `SimulatorSettings`; what is wrong with it is said in one line, with the number of the line."""

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gateway.validation import explain
from smpp_sim.settings import SimulatorError, SimulatorSettings

Place = tuple[str | int, ...]
"""Where a value stands: ``("accounts", 0, "password")``."""

_HEADER = re.compile(r"\s*(\[\[?)([^\[\]]++)\]")
_KEY = re.compile(r"\s*[\"']?([A-Za-z0-9_-]+)[\"']?\s*=")


def read_config(path: str | Path) -> SimulatorSettings:
    """The settings in a file. Raises `SimulatorError`: ``FILE:LINE: what is wrong``."""
    try:
        text = Path(path).read_text("utf-8")
        tables = tomllib.loads(text)
    except OSError as problem:
        raise SimulatorError(f"{path}: {problem.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise SimulatorError(f"{path}: not TOML: {problem}") from None
    return parse_config(tables, str(path), text)


def parse_config(tables: dict[str, Any], origin: str, text: str) -> SimulatorSettings:
    """The settings in the tables of a parsed file, whose `text` is only looked at for the lines."""
    try:
        return TypeAdapter(SimulatorSettings).validate_python(tables)
    except ValidationError as problem:
        first = min(problem.errors(), key=lambda one: one["type"] != "unexpected_keyword_argument")
        line = line_of(text, first["loc"])
        raise SimulatorError(f"{origin}:{line}: {explain(problem, SimulatorSettings)}") from None
    except SimulatorError as problem:
        raise SimulatorError(f"{origin}: {problem}") from None


def line_of(text: str, place: Place) -> int:
    """The line, from 1, of the value at `place`, or of the nearest table round it; 1 when there is none."""
    best, best_depth = 1, 0
    indexes: dict[Place, int] = {}
    table: Place = ()
    for number, line in enumerate(text.splitlines(), 1):
        here = table
        if header := _HEADER.match(line):
            here = table = _open_table(header[2], header[1] == "[[", indexes)
        elif key := _KEY.match(line):
            here = (*table, key[1])
        if len(here) > best_depth and place[: len(here)] == here:
            best, best_depth = number, len(here)
    return best


def _open_table(name: str, of_array: bool, indexes: dict[Place, int]) -> Place:
    """The place of the table under a header; tables of an array are counted in `indexes`."""
    place: Place = ()
    parts = [part.strip().strip("\"'") for part in name.split(".")]
    for depth, part in enumerate(parts, 1):
        place = (*place, part)
        if of_array and depth == len(parts):
            indexes[place] = indexes.get(place, -1) + 1
        if place in indexes:
            place = (*place, indexes[place])
    return place
