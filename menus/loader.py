"""Reads a menu file and makes it run. The format is told at the head of menus/selfcare.yaml and in the docs.

Reading never stops at a fault: it is noted with its line and something harmless is put in its place, so that the
author sees all of them at once. Only a file without any gets an engine.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from data.model import LANGUAGES
from menus import lint
from menus.cldr import plural_categories
from menus.engine import build
from menus.model import (
    BACK,
    CAPTURE,
    HOME,
    MORE,
    SILENT,
    WORDS,
    Argument,
    CallNode,
    Choice,
    EndNode,
    ListNode,
    Menu,
    MenuNode,
    Node,
    ShortNumber,
    Target,
    digits_pattern,
)
from menus.problems import MenuError, Problem, nearest
from menus.render import MONEY_FORMATS, PLAIN_FORMATS, ZERO, Formats, Forms, Phrase, TemplateError, parse
from menus.yamlfile import Entry, EntryReader, compose

KINDS = ("menu", "list", "call", "end")
_FIELDS = {
    "menu": ("menu", "options", "parent"),
    "list": ("list", "item", "short", "to", "parent"),
    "call": ("call", "args", "outcomes"),
    "end": ("end", "item", "parent"),
}
_NEEDED = {
    "menu": ("options",),
    "list": ("item", "to"),
    "call": ("outcomes",),
    "end": (),
}
_RESERVED = {BACK: "back", HOME: "home", MORE: "the next page"}
_NODE_HINT = "write the id of a node"


def load(path: str | Path) -> Menu:
    """Read, check and build a menu. Raises MenuError with every problem of the file itself.

    Whether the operations it calls exist is checked separately: `lint.check(menu, operations, jobs)`.
    """
    menu = read(path)
    problems = [*menu.problems, *lint.check_structure(menu)]
    if problems:
        raise MenuError(problems)
    formats = Formats(menu.forms)
    for phrase in menu.texts():
        phrase.compile(formats)
    return build(menu)


def examine(
    path: str | Path, operations: lint.DeclaredOperations, jobs: lint.DeclaredJobs | None = None
) -> list[Problem]:
    """Every problem of a file, its own and those with the operations and jobs it relies on, in order of lines."""
    try:
        menu = read(path)
    except MenuError as error:
        return list(error.problems)
    return sorted({*menu.problems, *lint.check(menu, operations, jobs)})


def read(path: str | Path) -> Menu:
    """Read a file as far as it can be understood; what cannot is in `menu.problems`. Raises MenuError for no YAML."""
    entry = compose(path)
    menu = Menu(str(path))
    _File(menu).read(entry)
    return menu


class _File:
    """Reads one file into one menu, section by section."""

    def __init__(self, menu: Menu):
        self.menu = menu
        self.reader = EntryReader(menu.trouble)
        self.formats: set[str] = {*MONEY_FORMATS, *PLAIN_FORMATS}

    def read(self, root: Entry) -> None:
        sections = {
            "formats": self.read_formats,  # first: every text may use them
            "words": self.read_words,
            "messages": self.read_messages,
            "nodes": self.read_nodes,
            "codes": self.read_codes,
            "sms": self.read_numbers,
            "home": self.read_home,
        }
        needed = ("home", "codes", "words", "nodes")
        found = self.reader.fields(root, *sections, needed=needed)
        for name, read in sections.items():
            if name in found:
                read(found[name])

    def read_home(self, entry: Entry) -> None:
        self.menu.home = self.target(entry)

    # ------------------------------------------------------------------------------------- texts

    def read_formats(self, section: Entry) -> None:
        for name, entry in self.reader.entries(section, "format").items():
            if name in (*PLAIN_FORMATS, "sum"):
                self.menu.trouble(entry.line, f"the format {name} is there already", "call yours otherwise")
                continue
            self.formats.add(name)
            languages = self.reader.fields(entry, *LANGUAGES, needed=LANGUAGES)
            patterns = {language: self.patterns(name, language, of) for language, of in languages.items()}
            self.menu.forms[name] = Forms(name, entry.line, patterns)

    def patterns(self, name: str, language: str, entry: Entry) -> dict[str, str]:
        """The pattern for each plural category; money has one for all."""
        money = name in MONEY_FORMATS
        if money and not entry.is_mapping:
            return {"other": self.pattern(entry)}
        needed = ("other",) if money else tuple(sorted(plural_categories(language)))
        found = self.reader.fields(entry, *sorted({*needed, "other", ZERO}), needed=needed)
        return {category: self.pattern(of) for category, of in found.items()}

    def pattern(self, entry: Entry) -> str:
        text = self.reader.word(entry, "write a pattern such as '{n} min'")
        numbers = text.count("{n}")
        lone_brace = set("{}") & set(text.replace("{n}", ""))
        if text and (lone_brace or numbers > 1 or (not numbers and entry.key != ZERO)):
            self.menu.trouble(
                entry.line, f"{entry.what} must hold {{n}} once", "{n} is where the number stands"
            )
        return text

    def read_words(self, section: Entry) -> None:
        for name, entry in self.reader.fields(section, *WORDS, needed=tuple(WORDS)).items():
            self.menu.phrases[name] = self.phrase(entry)

    def read_messages(self, section: Entry) -> None:
        self.menu.messages_line = section.line
        for name, entry in self.reader.entries(section, "message").items():
            fields = self.reader.fields(entry, "from", *LANGUAGES, needed=("from",))
            if "from" in fields:
                self.menu.senders[name] = self.reader.word(fields.pop("from"), "write a short number")
            self.menu.messages[name] = self.phrase_of(entry, fields, entry.is_mapping)

    def phrase(self, entry: Entry) -> Phrase:
        """A text in every language; blank where it is missing, after a complaint."""
        languages = self.reader.fields(entry, *LANGUAGES)
        return self.phrase_of(entry, languages, entry.is_mapping)

    def phrase_of(self, entry: Entry, languages: dict[str, Entry], complain: bool = True) -> Phrase:
        sources = {language: self.text(found) for language, found in languages.items()}
        for language in LANGUAGES:
            if language not in sources and complain:
                self.menu.trouble(
                    entry.line, f"{entry.what} has no text in '{language}'", f"add '{language}:' to it"
                )
            sources.setdefault(language, "")
        lines: dict[str, int] = dict.fromkeys(LANGUAGES, entry.line)
        lines |= {language: found.line for language, found in languages.items()}
        return Phrase(entry.line, sources, lines)

    def text(self, entry: Entry) -> str:
        text = self.reader.word(entry, "write a text")
        try:
            pieces = parse(text)
        except TemplateError as error:
            self.menu.trouble(entry.line, str(error), "write {name} for a value and {{ for a brace")
            return ""
        for place in pieces:
            if not isinstance(place, str) and place.format and place.format not in self.formats:
                hint = nearest(place.format, self.formats)
                self.menu.trouble(entry.line, f"there is no format '{place.format}'", hint)
        return text

    # --------------------------------------------------------------------------------- entrances

    def read_codes(self, section: Entry) -> None:
        for code, entry in self.reader.entries(section, "code").items():
            if self.well_formed(code, entry):
                self.menu.codes.add(code, self.target(entry))

    def well_formed(self, source: str, entry: Entry) -> bool:
        try:
            digits_pattern(source)
        except re.error:
            self.menu.trouble(
                entry.line, f"{entry.what} has the same {{name}} twice", "give each its own name"
            )
            return False
        if set("{}") & set(CAPTURE.sub("", source)):
            hint = "write {name} in small Latin letters where the digits stand"
            self.menu.trouble(entry.line, f"{entry.what} has a brace that is no {{name}}", hint)
            return False
        return True

    def read_numbers(self, section: Entry) -> None:
        for number, entry in self.reader.entries(section, "short number").items():
            self.menu.numbers[number] = self.short_number(number, entry)

    def short_number(self, number: str, entry: Entry) -> ShortNumber:
        fields = self.reader.fields(entry, "empty", "commands", "other", "any")
        ways = {name: self.target(fields[name]) for name in ("empty", "other", "any") if name in fields}
        anything = ways.pop("any", None)
        if anything and ways:
            self.menu.trouble(
                fields["any"].line, f"{entry.what} has 'any' beside others", "'any' is all of them"
            )
        short = ShortNumber(
            number, entry.line, ways.get("empty", anything), other=ways.get("other", anything)
        )
        if "commands" in fields:
            self.read_commands(short, fields["commands"])
        return short

    def read_commands(self, short: ShortNumber, section: Entry) -> None:
        for spellings, entry in self.reader.entries(section, "command").items():
            target = self.target(entry)
            for spelling in spellings.split(","):
                if self.well_formed(spelling, entry):
                    short.add_command(spelling.strip(), target)

    # ------------------------------------------------------------------------------------- nodes

    def read_nodes(self, section: Entry) -> None:
        for name, entry in self.reader.entries(section, "node").items():
            self.add_node(name, entry, KINDS)

    def add_node(self, name: str, entry: Entry, kinds: tuple[str, ...]) -> None:
        if name in self.menu.nodes:
            first = self.menu.nodes[name].line
            self.menu.trouble(entry.line, f"node '{name}' stands twice", f"the first is at line {first}")
            return
        kind = self.kind(entry, kinds)
        if not kind:
            self.menu.broken.add(name)
            return
        fields = self.reader.fields(entry, *_FIELDS[kind], needed=_NEEDED[kind])
        node = {"menu": self.menu_node, "list": self.list_node, "call": self.call_node, "end": self.end_node}
        self.menu.nodes[name] = node[kind](name, entry.line, fields)

    def kind(self, entry: Entry, kinds: tuple[str, ...]) -> str:
        names = [key.value for key, _ in entry.value.value] if entry.is_mapping else []
        found = [kind for kind in kinds if kind in names]
        if len(found) == 1:
            return found[0]
        what = f"{entry.what} is {' and '.join(found)} at once" if found else f"{entry.what} is of no kind"
        self.menu.trouble(entry.line, what, f"give it one of {', '.join(kinds)}")
        return ""

    def menu_node(self, name: str, line: int, fields: dict[str, Entry]) -> Node:
        options = self.options(fields["options"]) if "options" in fields else {}
        return MenuNode(name, line, self.phrase(fields["menu"]), options, self.parent(fields))

    def options(self, section: Entry) -> dict[str, Choice]:
        found: dict[str, Choice] = {}
        entries = self.reader.entries(section, "option")
        if section.is_mapping and not entries:
            self.menu.trouble(section.line, f"{section.what} offer nothing", "add one, or make it an end")
        for key, entry in entries.items():
            if key in _RESERVED:
                hint = f"'{key}' always means {_RESERVED[key]}: choose another digit"
                self.menu.trouble(entry.line, f"option '{key}' is taken", hint)
            else:
                found[key] = self.option(key.casefold(), entry)
        return found

    def option(self, key: str, entry: Entry) -> Choice:
        if not entry.is_mapping:
            return Choice(key, self.target(entry))
        fields = self.reader.fields(entry, "to", *LANGUAGES)
        label = {name: of for name, of in fields.items() if name != "to"}
        phrase = self.phrase_of(entry, label) if label else None
        for _, line in phrase.fields() if phrase else ():
            self.menu.trouble(line, f"the label of {entry.what} holds a value", "put it into the menu's text")
        return Choice(key, self.to(entry, fields), phrase)

    def to(self, entry: Entry, fields: dict[str, Entry]) -> Target:
        if "to" in fields:
            return self.target(fields["to"])
        self.menu.trouble(entry.line, f"{entry.what} leads nowhere", "add 'to:' and the id of a node")
        return Target("", entry.line)

    def list_node(self, name: str, line: int, fields: dict[str, Entry]) -> Node:
        item = self.phrase(fields["item"]) if "item" in fields else _blank(line)
        short = self.phrase(fields["short"]) if "short" in fields else None
        to = self.target(fields["to"]) if "to" in fields else Target("", line)
        heading = _blank(line) if _is_silent(fields["list"]) else self.phrase(fields["list"])
        return ListNode(name, line, heading, item, to, self.parent(fields), short)

    def end_node(self, name: str, line: int, fields: dict[str, Entry]) -> Node:
        item = self.phrase(fields["item"]) if "item" in fields else None
        if _is_silent(fields["end"]):
            return EndNode(name, line, _blank(line), item, self.parent(fields), silent=True)
        return EndNode(name, line, self.phrase(fields["end"]), item, self.parent(fields))

    def call_node(self, name: str, line: int, fields: dict[str, Entry]) -> Node:
        operation = self.reader.word(fields["call"], "write the name of an operation")
        args = self.reader.entries(fields["args"], "argument") if "args" in fields else {}
        outcomes = self.reader.entries(fields["outcomes"], "outcome") if "outcomes" in fields else {}
        return CallNode(
            name,
            line,
            Target(operation, fields["call"].line),
            {argument: self.argument(entry) for argument, entry in args.items()},
            {outcome: self.branch(name, entry) for outcome, entry in outcomes.items()},
        )

    def argument(self, entry: Entry) -> Argument:
        source = self.reader.word(entry, 'write "{value}" for a value of the dialogue, or a word')
        value = CAPTURE.fullmatch(source)
        return Argument(entry.key, entry.line, value[1] if value else "", "" if value else source)

    def branch(self, name: str, entry: Entry) -> Target:
        """Where an outcome leads: a node by its id, or one written in place, called CALL.OUTCOME."""
        if not entry.is_mapping:
            return self.target(entry)
        inside = f"{name}.{entry.key}"
        self.add_node(inside, entry, ("menu", "list", "end"))
        return Target(inside, entry.line)

    def parent(self, fields: dict[str, Entry]) -> Target | None:
        return self.target(fields["parent"]) if "parent" in fields else None

    def target(self, entry: Entry) -> Target:
        return Target(self.reader.word(entry, _NODE_HINT), entry.line)


def _is_silent(entry: Entry) -> bool:
    return isinstance(entry.value, yaml.ScalarNode) and entry.value.value == SILENT


def _blank(line: int) -> Phrase:
    return Phrase(line, dict.fromkeys(LANGUAGES, ""), dict.fromkeys(LANGUAGES, line))
