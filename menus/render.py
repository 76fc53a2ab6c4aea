"""Texts with values in them: compiled when the file is loaded, filled in when a turn needs them.

    {name}             a value as it is; one that comes in both languages, in the reader's
    {balance:money}    the value balance_kopecks as "250,50 руб."; {left:sum} the same without ",00"
    {fee:price}        like sum; the file may word a price of 0 otherwise, "бесплатно"
    {left:number}      1234567 as "1 234 567"
    {renews:day}       "2026-06-01" as "1 июня"; {since:date} as "1 июня 2026 г."
    {left:minutes}     a plural form of the file's `formats`: "5 минут"
    {left:by kind}     the format whose name is the value `kind`; a plain number when there is none of that name
    {source:aside}     " (SMS 300)", a name behind something; nothing for no name
    {{ and }}          the braces themselves

A text is compiled once for every (language, script): its fixed parts are transliterated then, not in a turn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from data.model import LANGUAGES, SCRIPTS
from menus.cldr import Conventions, conventions
from menus.letters import spelling

Values = Mapping[str, Any]
Filler = Callable[[Values], str]
Format = Callable[[Any], str]
Writing = tuple[str, str]
"""(language, script)"""

WRITINGS: tuple[Writing, ...] = tuple((language, script) for language in LANGUAGES for script in SCRIPTS)

MONEY_FORMATS = ("money", "sum", "price")
PLAIN_FORMATS = ("number", "day", "date", "aside")
ZERO = "zero"
"""The category of a pattern for none at all, which need not show the number."""

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_FIELD = re.compile(r"([a-z_][a-z0-9_]*)(?::(?:by ([a-z_][a-z0-9_]*)|([a-z_][a-z0-9_]*)))?")


class TemplateError(ValueError):
    """A text whose braces cannot be understood; the message says which."""


@dataclass(frozen=True, slots=True)
class Field:
    """One place in a text for a value: {name}, {name:format} or {name:by value}."""

    name: str
    format: str = ""
    by: str = ""

    @property
    def value(self) -> str:
        """The value it reads: money is always counted in kopecks, so the text need not say it."""
        return f"{self.name}_kopecks" if self.format in MONEY_FORMATS else self.name

    @property
    def values(self) -> tuple[str, ...]:
        """Every value it reads."""
        return (self.value, self.by) if self.by else (self.value,)


def parse(text: str) -> list[str | Field]:
    """Split a text into fixed parts and fields. Raises TemplateError."""
    pieces: list[str | Field] = []
    end = 0
    for token in _TOKEN.finditer(text):
        pieces.append(text[end : token.start()])
        pieces.append(_piece(token))
        end = token.end()
    pieces.append(text[end:])
    return [piece for piece in pieces if piece != ""]


def _piece(token: re.Match[str]) -> str | Field:
    if token[0] in ("{{", "}}"):
        return token[0][0]
    if token[1] is None:
        raise TemplateError(f"a lone '{token[0]}' in the text")
    match = _FIELD.fullmatch(token[1].strip())
    if match is None:
        raise TemplateError(f"'{token[0]}' is not the name of a value")
    return Field(match[1], match[3] or "", match[2] or "")


@dataclass(slots=True)
class Forms:
    """An entry of the file's `formats`: the pattern around {n} for each plural category of each language.

    Money has one pattern for all numbers, under the category "other"; any may have one for ZERO.
    """

    name: str
    line: int
    patterns: dict[str, dict[str, str]] = field(default_factory=dict)


class Formats:
    """Every format a text may use, for each writing; built from CLDR and the file's own forms."""

    def __init__(self, forms: Mapping[str, Forms]):
        self.names = frozenset({*MONEY_FORMATS, *PLAIN_FORMATS, *forms})
        self._by_writing = {writing: dict(_formats(forms, *writing)) for writing in WRITINGS}

    def of(self, writing: Writing) -> Mapping[str, Format]:
        """name -> function(value) -> text."""
        return self._by_writing[writing]


def _formats(forms: Mapping[str, Forms], language: str, script: str) -> Iterator[tuple[str, Format]]:
    write, spell = conventions(language, script), spelling(language, script)
    yield from (("number", write.whole), ("day", write.day), ("date", write.date))
    yield "aside", lambda name: f" ({spell(name[language])})" if name else ""
    patterns = {
        name: {category: spell(text) for category, text in form.patterns[language].items()}
        for name, form in forms.items()
    }
    money = patterns.pop("money", {"other": "{n}"})
    price = patterns.pop("price", money)
    yield from (("money", _summed(money, write.amount)), ("sum", _summed(money, write.price)))
    yield "price", _summed(price, write.price)
    yield from ((name, _counted(by_category, write)) for name, by_category in patterns.items())


def _summed(patterns: Mapping[str, str], show: Callable[[int], str]) -> Format:
    return _or_zero(patterns, _around(patterns["other"], show))


def _counted(patterns: Mapping[str, str], write: Conventions) -> Format:
    by_category = {category: _around(pattern, write.whole) for category, pattern in patterns.items()}
    plural = write.plural
    return _or_zero(patterns, lambda number: by_category[plural(number)](number))


def _around(pattern: str, show: Callable[[int], str]) -> Format:
    before, _, after = pattern.partition("{n}")
    return lambda number: f"{before}{show(number)}{after}"


def _or_zero(patterns: Mapping[str, str], show: Format) -> Format:
    if ZERO not in patterns:
        return show
    zero = patterns[ZERO].replace("{n}", "0")
    return lambda number: show(number) if number else zero


class Template:
    """A text of one writing, ready to be filled in."""

    __slots__ = ("_constant", "_pieces")

    def __init__(self, text: str, formats: Formats, writing: Writing):
        spell = spelling(*writing)
        self._pieces: list[str | Filler] = [
            spell(piece) if isinstance(piece, str) else _filler(piece, formats.of(writing), writing)
            for piece in parse(text)
        ]
        fixed = [piece for piece in self._pieces if isinstance(piece, str)]
        self._constant = "".join(fixed) if len(fixed) == len(self._pieces) else None

    def render(self, values: Values) -> str:
        """Fill in the values. Raises KeyError when one is missing: the lint finds that at load."""
        if self._constant is not None:
            return self._constant
        return "".join([piece if isinstance(piece, str) else piece(values) for piece in self._pieces])


def _filler(place: Field, formats: Mapping[str, Format], writing: Writing) -> Filler:
    name = place.value
    if place.by:
        return _chosen(name, place.by, formats)
    if place.format:
        show = formats[place.format]
        return lambda values: show(values[name])
    return _as_it_is(name, writing)


def _chosen(name: str, by: str, formats: Mapping[str, Format]) -> Filler:
    number = formats["number"]
    return lambda values: formats.get(values[by], number)(values[name])


def _as_it_is(name: str, writing: Writing) -> Filler:
    language, spell = writing[0], spelling(*writing)

    def show(values: Values) -> str:
        value = values[name]
        if type(value) is dict:
            return spell(value[language])
        return value if type(value) is str else str(value)  # a string is data (a login), never respelled

    return show


class Phrase:
    """One text of the file in all languages, as written and compiled.

    line: where it begins; sources: language -> text as written; lines: language -> line
    """

    __slots__ = ("_templates", "line", "lines", "sources")

    def __init__(self, line: int, sources: Mapping[str, str], lines: Mapping[str, int]):
        self.line = line
        self.sources = dict(sources)
        self.lines = dict(lines)
        self._templates: dict[Writing, Template] = {}

    def fields(self) -> Iterator[tuple[Field, int]]:
        """Every place for a value, with its line."""
        for language, text in self.sources.items():
            yield from ((piece, self.lines[language]) for piece in parse(text) if isinstance(piece, Field))

    def compile(self, formats: Formats) -> None:
        """Make it ready for render; needs every language and only known formats."""
        self._templates = {
            (language, script): Template(self.sources[language], formats, (language, script))
            for language, script in WRITINGS
        }

    def render(self, values: Values, language: str, script: str) -> str:
        """The text in the reader's language and letters. Raises KeyError for a value that is missing."""
        return self._templates[language, script].render(values)
