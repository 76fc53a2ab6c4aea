"""An explanation as text, for a terminal, a log or a page."""

import textwrap
from collections.abc import Callable, Iterator
from itertools import zip_longest

from gateway.smpp.explain.model import Explanation, Row

Style = Callable[[str, str], str]
"""``style(kind, text)``: the text as it is to be shown.

Kinds are title, summary, problem, dim, name, value and advice.
"""

_HEX_OCTETS = 6
_HEX_LINES = 10
_OFFSET_COLUMNS = 4
_SECTION_COLUMNS = 10
_LONGEST_NAME = 27
_SHORT_VALUE = 12


def render(explanation: Explanation, *, width: int = 100, style: Style | None = None) -> str:
    """Aligned lines of at most ``width`` columns, without one at the end. Offsets are hexadecimal, as in a dump.

    Of very long fields the first octets are shown; `as_json` has them all.
    """
    style = style or _plain
    blocks = ["\n".join(_head(explanation, width, style))]
    if explanation.fields:
        blocks.append("\n".join(_table(explanation.fields, width, style)))
    if explanation.advice:
        blocks.append("\n".join(_advice(explanation.advice, width, style)))
    return "\n\n".join(blocks)


def _plain(kind: str, text: str) -> str:
    return text


def _head(explanation: Explanation, width: int, style: Style) -> Iterator[str]:
    number = "" if explanation.sequence_number is None else f", sequence_number {explanation.sequence_number}"
    yield style("title", f"{explanation.command}{number}, {explanation.octets} octets")
    if explanation.summary:
        yield from (style("summary", line) for line in _wrap(explanation.summary, width))
    if explanation.problem:
        case = f" {explanation.case}" if explanation.case else ""
        yield from (style("problem", line) for line in _wrap(f"PROBLEM{case}: {explanation.problem}", width))


def _table(rows: tuple[Row, ...], width: int, style: Style) -> Iterator[str]:
    names = min(max(len(row.name) for row in rows), _LONGEST_NAME)
    for row in rows:
        yield from _row(row, names, width, style)


def _row(row: Row, names: int, width: int, style: Style) -> Iterator[str]:
    kind = "problem" if row.name.startswith("unreadable") else "name"
    hexed, named, said = _hex_lines(row), _wrap(row.name, names), _said_lines(row, names, width)
    for number, (octets, name, text) in enumerate(zip_longest(hexed, named, said, fillvalue="")):
        offset = f"{row.offset:04x}" if number == 0 else " " * _OFFSET_COLUMNS
        section = row.section if number == 0 and _fits(row.section) else ""
        columns = [(f"{offset}  {octets:{3 * _HEX_OCTETS - 1}}", "dim"), (f"{name:{names}}", kind)]
        columns += [
            (f"{text:{_said_columns(names, width)}}", "value"),
            (f"{section:>{_SECTION_COLUMNS}}", "dim"),
        ]
        yield _line(columns, style)


def _line(columns: list[tuple[str, str]], style: Style) -> str:
    """The columns with two spaces between them, and none behind the last that has something in it."""
    while not columns[-1][0].strip():
        columns.pop()
    last, kind = columns.pop()
    return "  ".join([*(style(kind, text) for text, kind in columns), style(kind, last.rstrip())])


def _fits(section: str) -> bool:
    return len(section) <= _SECTION_COLUMNS


def _said_columns(names: int, width: int) -> int:
    return max(20, width - _OFFSET_COLUMNS - 3 * _HEX_OCTETS - names - _SECTION_COLUMNS - 7)


def _said_lines(row: Row, names: int, width: int) -> list[str]:
    """The value, and the note behind it if there is room, else below a value that is long itself."""
    said = f"{row.value}  {row.note}" if row.note else row.value
    columns = _said_columns(names, width)
    if len(said) > columns and row.note and len(row.value) > _SHORT_VALUE:
        lines = [*_wrap(row.value, columns), *_wrap(row.note, columns)]
    else:
        lines = _wrap(said, columns)
    return lines if _fits(row.section) else [*lines, row.section]


def _hex_lines(row: Row) -> list[str]:
    pairs = row.hex.split(" ")
    lines = [" ".join(pairs[at : at + _HEX_OCTETS]) for at in range(0, len(pairs), _HEX_OCTETS)]
    if len(lines) > _HEX_LINES:
        rest = len(pairs) - (_HEX_LINES - 1) * _HEX_OCTETS
        return [*lines[: _HEX_LINES - 1], f"+ {rest} octets"]
    return lines


def _advice(advice: tuple[str, ...], width: int, style: Style) -> Iterator[str]:
    yield style("title", "Next")
    for said in advice:
        yield from (
            style("advice", line) for line in textwrap.wrap(f"- {said}", width, subsequent_indent="  ")
        )


def _wrap(text: str, width: int) -> list[str]:
    if len(text) <= width:
        return [text]
    return textwrap.wrap(text, width, drop_whitespace=True) or [""]
