"""The transcripts leave nothing of the menu out: every node, every way out of it, every code, command and word."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.daemon import load_menu
from gateway.smpp.text import measure
from handlers import registry
from menus.model import BACK, HOME, CallNode, EndNode, Menu, targets
from menus.turns import Display
from smpp_sim.transcripts.transcript import PickedUp, ScreenShown, TextReceived
from tests.dialogues.tester import Played
from tests.dialogues.visits import Dialled, Visits, commands, reader

READERS = ("ru cyrillic", "ru latin", "en")
SUFFIXES = {".ru": "ru cyrillic", ".latin": "ru latin", ".en": "en"}

# What a menu must be ready for, and what nobody can bring about with the catalogue as it is.
UNREACHABLE = {
    ("options.catalogue", "none"): "there is something for everybody on every shelf",
    ("options.catalogue.none", "1"): "the same",
    ("options.catalogue.none", BACK): "the same",
    ("options.check", "unknown"): "the list before it holds only what the catalogue knows",
    ("options.check", "corporate_only"): "the list before it leaves those out for a private number",
    ("options.check", "wrong_tariff"): "the list before it leaves out what the tariff does not allow",
    ("sms.catalogue", "none"): "there is something for everybody",
}
UNREACHABLE_NODES = {"options.catalogue.none", "sms.catalogue.none"}

UNHEARD = {
    **{("failure", to_whom): "nothing fails here" for to_whom in READERS},
    **{("unknown_subscriber", to_whom): "nobody knows what a stranger speaks" for to_whom in READERS[1:]},
    **{("more", to_whom): "nothing is too long for a screen of Latin letters yet" for to_whom in READERS[1:]},
}


@pytest.fixture(scope="module")
def menu() -> Menu:
    registry.load_all()
    return load_menu(None)


@pytest.fixture(scope="module")
def visits(all_played: dict[str, Played]) -> Visits:
    together = Visits()
    for played in all_played.values():
        together.add(played.visits)
    return together


def display_of(spoken_to: str) -> Display:
    language, script = f"{spoken_to} latin".split()[:2]
    return Display(language, script, measure)


def fail_with(what: str, missing: set) -> None:
    """Fail with a list, unless there is nothing on it."""
    if missing:
        pytest.fail("\n".join([f"{len(missing)} {what}:", *sorted(map(str, missing))]), pytrace=False)


def test_every_node_is_visited(menu: Menu, visits: Visits) -> None:
    missing = menu.nodes.keys() - visits.nodes - UNREACHABLE_NODES
    fail_with("nodes that no transcript visits", missing)


def test_every_answer_and_outcome_occurs(menu: Menu, visits: Visits) -> None:
    missing = set(ways(menu)) - visits.ways - UNREACHABLE.keys()
    fail_with("ways (node, answer or outcome) that no transcript takes", missing)


def test_what_counts_as_unreachable_is(menu: Menu, visits: Visits) -> None:
    assert not UNREACHABLE.keys() & visits.ways
    assert not UNREACHABLE_NODES & visits.nodes
    assert set(ways(menu)) >= UNREACHABLE.keys(), "the menu has no such way any more"


def ways(menu: Menu) -> Iterator[tuple[str, str]]:
    """Everything that leads out of a node. «0» counts where it is offered; «00» leads to the same place from all."""
    for node in menu.nodes.values():
        yield from ((node.id, way) for way, _ in targets(node))
        if not isinstance(node, (CallNode, EndNode)):
            yield node.id, BACK


def test_home_is_dialled_from_somewhere(visits: Visits) -> None:
    assert any(way == HOME for _, way in visits.ways)


@pytest.mark.parametrize("spoken_to", READERS)
def test_every_code_is_dialled_by_every_reader(menu: Menu, visits: Visits, spoken_to: str) -> None:
    missing = {Dialled(source, spoken_to) for source, _ in menu.codes.entries()} - visits.entrances
    fail_with("codes that nobody dials", missing)


def test_every_command_is_sent_in_every_spelling(menu: Menu, visits: Visits) -> None:
    missing = set(commands(menu)) - visits.entrances
    fail_with("commands that nobody sends", missing)


@pytest.mark.parametrize("spoken_to", READERS)
def test_every_word_is_heard_by_every_reader(
    menu: Menu, all_played: dict[str, Played], spoken_to: str
) -> None:
    heard = "\n".join(shown(all_played))
    display = display_of(spoken_to)
    unheard = {
        name for name in menu.phrases if menu.words(name, display, {"reference": "a1b2c3"}) not in heard
    }
    excused = {name for name, to_whom in UNHEARD if to_whom == spoken_to}
    assert unheard == excused


def shown(all_played: dict[str, Played]) -> Iterator[str]:
    for played in all_played.values():
        yield from (step.text for step in played.happened if isinstance(step, (ScreenShown, TextReceived)))


@pytest.mark.parametrize("spoken_to", READERS)
def test_a_failure_is_owned_up_to_on_one_screen(menu: Menu, spoken_to: str) -> None:
    display = display_of(spoken_to)
    text = menu.words("failure", display, {"reference": "a1b2c3"})
    alphabet, used = measure(text)
    assert "a1b2c3" in text
    assert used <= {"ucs2": display.ucs2, "gsm7": display.septets}[alphabet], text


def test_a_file_is_named_after_the_language_it_speaks(all_played: dict[str, Played]) -> None:
    wrong = {
        f"{name}: {phone.msisdn} {' '.join(phone.words)}"
        for name, played in all_played.items()
        for phone in played.said
        if isinstance(phone, PickedUp) and len(phone.words) > 1
        if reader(phone.words) != SUFFIXES.get(Path(Path(name).stem).suffix)
    }
    fail_with("phones in a file of another language", wrong)


def test_every_conversation_is_held_in_every_language(all_played: dict[str, Played]) -> None:
    """But for the few that are about something else than words."""
    editions = Counter(name.split(".")[0] for name in all_played)
    alone = {subject for subject, count in editions.items() if count < len(READERS)}
    assert alone == {"language-on-the-way", "two-phones", "unknown-subscriber"}
