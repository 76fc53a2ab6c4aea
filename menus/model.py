"""The menu as the file describes it: nodes, codes, commands, texts. No behaviour but looking things up.

Every part knows its line, so that whatever is found wrong later can be shown in the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from menus.letters import transliterate
from menus.problems import Problem, nearest
from menus.render import Forms, Phrase, Values
from menus.turns import Display

BACK, HOME, MORE = "0", "00", "9"
CHOSEN = "Chosen"
"""The trigger of choosing an item. Answers are compared in small letters: nobody can type it."""
ITEMS = "items"
"""The value that lists are made of: a list of dicts."""
SILENT = "silent"
OK = "ok"
"""The key of an empty answer in a file, and how it is written by who types it."""

# Texts that the engine and the gateway need besides those of the nodes -> the values they may use.
WORDS: Mapping[str, tuple[str, ...]] = {
    "more": (),
    "back": (),
    "wrong": (),
    "enough": (),
    "expired": (),
    "unknown_code": (),
    "unknown_sms": (),
    "unknown_subscriber": (),
    "failure": ("reference",),
}

CAPTURE = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
CAPTURED_DIGITS = 15  # as many as a phone number has; fits a 64-bit integer


@dataclass(slots=True)
class Target:
    """A reference to a node, where it is made."""

    node: str
    line: int


@dataclass(slots=True)
class Choice:
    """One answer that a menu takes. Without a label it works but is not shown."""

    key: str
    to: Target
    label: Phrase | None = None


@dataclass(slots=True, eq=False)
class MenuNode:
    """A screen that offers options and waits."""

    id: str
    line: int
    text: Phrase
    options: dict[str, Choice]
    parent: Target | None = None

    @property
    def shown(self) -> list[tuple[str, Phrase]]:
        """(key, label) of the options that the screen shows."""
        return [(option.key, option.label) for option in self.options.values() if option.label]


@dataclass(slots=True, eq=False)
class ListNode:
    """A screen that offers what an operation brought as `items` and waits; the chosen one's values go along.

    With `short`, an item is worded so where one screen has no room for all of them as `item`.
    """

    id: str
    line: int
    text: Phrase
    item: Phrase
    to: Target
    parent: Target | None = None
    short: Phrase | None = None

    @property
    def wordings(self) -> tuple[Phrase, ...]:
        """How an item may be worded."""
        return (self.item, self.short) if self.short else (self.item,)


@dataclass(slots=True)
class Argument:
    """An argument of a call: a value of the dialogue, or a constant."""

    name: str
    line: int
    value: str = ""
    constant: str = ""


@dataclass(slots=True, eq=False)
class CallNode:
    """Calls an operation and goes where its outcome leads."""

    id: str
    line: int
    operation: Target
    args: dict[str, Argument]
    outcomes: dict[str, Target]
    parent: Target | None = None


@dataclass(slots=True, eq=False)
class EndNode:
    """The last screen. With `item`, {items} in its text is a line for each of the value `items`.

    A silent one says nothing: whatever was called sends its own SMS.
    """

    id: str
    line: int
    text: Phrase
    item: Phrase | None = None
    parent: Target | None = None
    silent: bool = False

    @property
    def wordings(self) -> tuple[Phrase, ...]:
        """How a line of the items is worded, if there are any."""
        return (self.item,) if self.item else ()


ScreenNode = MenuNode | ListNode | EndNode
"""What the subscriber sees; at a call nobody waits."""
Node = ScreenNode | CallNode


@dataclass(slots=True)
class Pattern:
    """A code or an SMS command with places for digits: "*105*503*{number}*1#"."""

    source: str
    to: Target
    expression: re.Pattern[str]


def digits_pattern(source: str) -> re.Pattern[str]:
    """Compile a code or a command; each {name} stands for 1 to 15 digits. Raises re.error for a name used twice.

    A space before digits may be left out: nobody means anything else by ВКЛ21.
    """
    parts = CAPTURE.split(source)
    fixed, names = parts[::2], parts[1::2]
    captures = [f"(?P<{name}>[0-9]{{1,{CAPTURED_DIGITS}}})" for name in names]
    escaped = [re.sub(r"\\ $", " ?", re.escape(text)) for text in fixed]
    return re.compile("".join(map(str.__add__, escaped, [*captures, ""])))


@dataclass(slots=True)
class Dictionary:
    """What is dialled or typed -> node. What has no places for digits is looked up, the rest is matched."""

    exact: dict[str, Target] = field(default_factory=dict)
    patterns: list[Pattern] = field(default_factory=list)

    def add(self, source: str, to: Target) -> None:
        """Learn a code or command."""
        if CAPTURE.search(source):
            self.patterns.append(Pattern(source, to, digits_pattern(source)))
        else:
            self.exact[source] = to

    def find(self, text: str) -> tuple[str, dict[str, str]] | None:
        """The node and the digits captured, or None."""
        target = self.exact.get(text)
        if target is not None:
            return target.node, {}
        for pattern in self.patterns:
            match = pattern.expression.fullmatch(text)
            if match:
                return pattern.to.node, match.groupdict()
        return None

    def entries(self) -> Iterator[tuple[str, Target]]:
        """Everything it knows, as written in the file."""
        yield from self.exact.items()
        yield from ((pattern.source, pattern.to) for pattern in self.patterns)


@dataclass(slots=True)
class ShortNumber:
    """What SMS to one short number do: an empty one, a known command, anything else."""

    number: str
    line: int
    empty: Target | None = None
    commands: Dictionary = field(default_factory=Dictionary)
    other: Target | None = None
    spellings: list[tuple[str, Target]] = field(default_factory=list)

    def add_command(self, source: str, to: Target) -> None:
        """Learn a command, and the Latin spelling under which a reader of transliterated messages sees it."""
        self.spellings.append((source, to))
        for key in self.keys(source):
            self.commands.add(key, to)

    @staticmethod
    def keys(source: str) -> set[str]:
        """Under which keys a command is kept."""
        return {command_key(source), command_key(transliterate(source))}

    def find(self, text: str) -> tuple[str, dict[str, str]] | None:
        """The node for an SMS and the digits captured, or None."""
        found = self.commands.find(command_key(text))
        if found:
            return found
        target = self.other if text.strip() else self.empty
        return (target.node, {}) if target else None

    def understands(self, text: str) -> bool:
        """Whether an SMS is a command, or an empty one that means something: anything but what ends at `other`."""
        return bool(self.commands.find(command_key(text)) or (self.empty and not text.strip()))

    def entries(self) -> Iterator[tuple[str, Target]]:
        """Every way in: what is sent, as the file words it, and the node."""
        if self.empty:
            yield "", self.empty
        yield from self.spellings
        if self.other:
            yield "…", self.other


def command_key(text: str) -> str:
    """How commands are compared: without case, ё as е, spaces between words once, no . ! ? at the end."""
    return " ".join(text.casefold().replace("ё", "е").split()).rstrip(" .!?")


@dataclass(slots=True, eq=False)
class Menu:
    """A menu file, read. `load` gives one that is checked and runs; nothing changes in it afterwards."""

    file: str
    home: Target = field(default_factory=lambda: Target("", 0))
    codes: Dictionary = field(default_factory=Dictionary)
    numbers: dict[str, ShortNumber] = field(default_factory=dict)
    forms: dict[str, Forms] = field(default_factory=dict)
    phrases: dict[str, Phrase] = field(default_factory=dict)
    messages: dict[str, Phrase] = field(default_factory=dict)
    senders: dict[str, str] = field(default_factory=dict)
    """Message -> the short number that it comes from."""
    messages_line: int = 0
    nodes: dict[str, Node] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    """Nodes that are in the file but could not be read: whoever refers to them is not to blame."""
    problems: list[Problem] = field(default_factory=list)
    """What the reader has found; empty in a menu that runs."""
    moves: dict[str, dict[str, str]] = field(default_factory=dict)
    """node -> answer or outcome -> where it leads; filled by the engine."""
    still: frozenset[str] = frozenset()
    """Nodes that look the same in every dialogue; filled by the engine."""
    meanings: Mapping[str, int] = field(default_factory=dict)
    """node -> a number for its keys and where they lead; filled by the engine."""

    def message(self, name: str, values: Values, display: Display) -> str:
        """An SMS that the service sends of itself, e.g. "password.issued". Raises KeyError for an unknown one."""
        return self.messages[name].render(values, display.language, display.script)

    def words(self, name: str, display: Display, values: Values | None = None) -> str:
        """A fixed answer: "unknown_code", "unknown_sms", "unknown_subscriber", "expired", "failure" (reference)."""
        return self.phrases[name].render(values or {}, display.language, display.script)

    def texts(self) -> Iterator[Phrase]:
        """Every text of the file but number formats."""
        yield from self.phrases.values()
        yield from self.messages.values()
        for node in self.nodes.values():
            yield from node_texts(node)

    def trouble(self, line: int, what: str, hint: str = "") -> None:
        """Note a problem."""
        self.problems.append(Problem(self.file, line, what, hint))

    def hint_for(self, node: str) -> str:
        """The nearest right node for a wrong one."""
        return nearest(node, self.nodes, "add it under nodes, or lead to one that is there")


def node_texts(node: Node) -> Iterator[Phrase]:
    """Every text of one node."""
    match node:
        case MenuNode():
            yield node.text
            yield from (option.label for option in node.options.values() if option.label)
        case ListNode() | EndNode():
            yield node.text
            yield from node.wordings


def targets(node: Node) -> Iterator[tuple[str, Target]]:
    """Where a node leads: (answer or outcome, target), without back and home."""
    match node:
        case MenuNode():
            yield from ((option.key, option.to) for option in node.options.values())
        case ListNode():
            yield CHOSEN, node.to
        case CallNode():
            yield from node.outcomes.items()
