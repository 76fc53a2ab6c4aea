"""What of a menu a conversation has seen: nodes, ways out of them, codes and commands."""

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import NamedTuple

from menus.model import Menu, ShortNumber, command_key, digits_pattern
from menus.turns import Begin, End, Show, Text, Turn


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
    watched.moves = {node: _Noted(node, ways, visits) for node, ways in menu.moves.items()}
    return watched


class _Noted(dict[str, str]):
    """The ways out of a node; it says which are taken."""

    def __init__(self, node: str, ways: Mapping[str, str], visits: Visits):
        super().__init__(ways)
        self._node, self._visits = node, visits

    def __getitem__(self, way: str) -> str:
        to = super().__getitem__(way)
        self._visits.ways.add((self._node, way))
        self._visits.nodes.add(self._node)
        return to

    def get(self, way: str, default: str | None = None) -> str | None:
        return self[way] if way in self else default  # noqa: SIM401 - this is `get`


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
