"""pydantic's findings in one line for the person who wrote the file."""

from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo

_LIST = "a list is wanted: in brackets; for tables a [[…]] each in TOML, a - each in YAML"
_SHAPES = {"tuple_type": _LIST, "list_type": _LIST, "dataclass_type": "keys and their values are wanted"}
"""What pydantic says in words of Python. The value is not shown: it may be a table with a password."""


def explain(error: ValidationError, shape: type) -> str:
    """The first thing that is wrong with a file of that `shape`, a dataclass: where, what, and the nearest right key.

    Unknown keys come first: a key with a slip in it is also missing.
    """
    errors = sorted(error.errors(), key=lambda found: found["type"] != "unexpected_keyword_argument")
    return _explain(errors[0], shape)


def _explain(found: Any, shape: type) -> str:
    location = found["loc"]
    where = ".".join(map(str, location))
    if found["type"] == "unexpected_keyword_argument":
        known = _keys(_table_at(location[:-1], shape))
        near = get_close_matches(str(location[-1]), known, n=1)
        return f"unknown key {where}" + (
            f"; did you mean {near[0]}?" if near else f"; known: {', '.join(known)}"
        )
    if found["type"] == "missing":
        return f"{where} is missing"
    if found["type"] in _SHAPES:
        return f"{where}: {_SHAPES[found['type']]}"
    message = found["msg"].removeprefix("Value error, ")
    # A table is not shown: it may hold a password.
    secret = "password" in where or not isinstance(found["input"], str | int | float | bool)
    shown = "" if secret or found["type"] == "value_error" else f" (it is {found['input']!r})"
    return f"{where}: {message}{shown}" if where else message


def _keys(table: type) -> list[str]:
    return [_key(field) for field in fields(table)]


def _key(field: Any) -> str:
    info = field.default
    return info.alias if isinstance(info, FieldInfo) and info.alias else field.name


def _table_at(location: tuple[str | int, ...], shape: type) -> Any:
    """The dataclass of the table at `location`, e.g. ("links", 0) of Settings is Link."""
    table: Any = shape
    for step in location:
        if isinstance(step, str):
            table = next(field.type for field in fields(table) if _key(field) == step)
            while not is_dataclass(table):
                table = get_args(table)[0]
    return table
