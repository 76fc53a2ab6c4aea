"""What of a menu a conversation has seen: nodes, ways out of them, codes and commands."""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from typing import NamedTuple

from menus.model import Menu, ShortNumber, command_key, digits_pattern
from menus.turns import Begin, Dialogue, End, Show, Text, Turn


class Dialled(NamedTuple):
    """A code as the menu writes it, and how its owner is spoken to: "ru cyrillic", "ru latin" or "en"."""

    code: str
    reader: str


class Texted(NamedTuple):
    """A short number and what the menu knows the SMS as: a command's key, "" for an empty one, "…" for others."""

    number: str
    key: str


@dataclass
class Visits:
    """Grows while a transcript is played."""

    nodes: set[str] = field(default_factory=set)
    """Those that the dialogue has stood at: screens, calls, ends."""
    ways: set[tuple[str, str]] = field(default_factory=set)
    """(node, answer or outcome)."""
    entrances: set[Dialled | Texted] = field(default_factory=set)

    def see(self, menu: Menu, owner: tuple[str, ...], turn: Turn, step: Show | End) -> None:
        """Take note of a turn, and of the screen that it has come to."""
        self.nodes.add(step.node)
        if owner == ("unknown",):
            return
        match turn:
            case Begin(code=code):
                self.entrances |= {Dialled(source, reader(owner)) for source in _sources(menu, code)}
            case Text(to=to, text=text) if to in menu.numbers:
                self.entrances |= {Texted(to, key) for key in _keys(menu.numbers[to], text)}

    def add(self, other: "Visits") -> None:
        """Take over what another conversation has seen."""
        self.nodes |= other.nodes
        self.ways |= other.ways
        self.entrances |= other.entrances


def reader(owner: tuple[str, ...]) -> str:
    """How an owner is spoken to: English has one script only."""
    _, language, script, *_ = owner
    return language if language == "en" else f"{language} {script}"


def noting(menu: Menu, visits: Visits) -> Menu:
    """The same menu, but every move in it is noted."""
    watched = copy(menu)
    watched.moves = {
        node: {way: _Noted(event, node, way, visits) for way, event in ways.items()}
        for node, ways in menu.moves.items()
    }
    return watched


class _Noted:
    """An event of the machine that says when it is fired."""

    def __init__(self, event, node: str, way: str, visits: Visits):
        self._event, self._way, self._visits = event, (node, way), visits

    def trigger(self, dialogue: Dialogue) -> bool:
        self._visits.ways.add(self._way)
        self._visits.nodes.add(self._way[0])
        return self._event.trigger(dialogue)


def commands(menu: Menu) -> Iterator[Texted]:
    """Everything that can be sent to short numbers, each Russian command in Latin letters, too."""
    for number in menu.numbers.values():
        if number.empty:
            yield Texted(number.number, "")
        if number.other:
            yield Texted(number.number, "…")
        for source, _ in number.spellings:
            yield from (Texted(number.number, key) for key in ShortNumber.keys(source))


def _sources(menu: Menu, code: str) -> Iterator[str]:
    return (source for source, _ in menu.codes.entries() if digits_pattern(source).fullmatch(code))


def _keys(number: ShortNumber, text: str) -> list[str]:
    if not text.strip():
        return [""]
    sent = command_key(text)
    known = [key for source, _ in number.spellings for key in ShortNumber.keys(source)]
    return [key for key in known if digits_pattern(key).fullmatch(sent)] or ["…"]
