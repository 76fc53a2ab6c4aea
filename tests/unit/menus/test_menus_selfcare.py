"""Every outcome of every operation, worded for every reader: it fits, it ends or waits as it should."""

import re

import pytest
from data.catalogue.tables import FILES, FOLDER
from hypothesis import given
from hypothesis import strategies as st

from gateway.smpp.text import measure
from menus.engine import advance
from menus.letters import transliterate
from menus.loader import load
from menus.model import CallNode, EndNode, ListNode, Menu, MenuNode
from menus.turns import Answer, Begin, Call, Dialogue, End, Returned, Show
from tests.unit.menus.scene import CITY_100, OUTCOMES, READERS, SELFCARE, Phone, by_sms

MENU = load(SELFCARE)

# What a dialogue may have learned before the call.
BEFORE = {"number": 100, "category": "long-distance", **CITY_100}

RESULTS = [
    pytest.param(reader, node, outcome, id=f"{reader}-{node.id}-{outcome}")
    for reader in READERS
    for node in MENU.nodes.values()
    if isinstance(node, CallNode)
    for outcome in OUTCOMES[node.operation.node]
]


def every_screen(menu: Menu, dialogue: Dialogue, step: Show | End | Call, reader: str) -> list[str]:
    """The text of a step and of what follows when 9 is pressed to the end."""
    display = READERS[reader]
    screens = [step.text] if not isinstance(step, Call) else []
    while isinstance(step, Show) and step.text.endswith(menu.words("more", display)):
        step = advance(menu, dialogue, Answer("9"), display)
        screens.append(step.text)
    return screens


@pytest.mark.parametrize(("reader", "node", "outcome"), RESULTS)
def test_every_outcome_fits_the_screen(reader: str, node: CallNode, outcome: str):
    dialogue = Dialogue(node.id, values=dict(BEFORE))
    returned = Returned(outcome, OUTCOMES[node.operation.node][outcome])
    step = advance(MENU, dialogue, returned, READERS[reader])
    screens = every_screen(MENU, dialogue, step, reader)
    for screen in screens:
        alphabet, length = measure(screen)
        assert length <= {"gsm7": 182, "ucs2": 80}[alphabet], (screen, length)
        assert reader == "ru" or alphabet == "gsm7", screen
        assert "{" not in screen
        assert "!" not in screen
        assert screen == screen.strip()
    if isinstance(step, End):
        assert dialogue == Dialogue()
        assert len(screens) == 1, "an answer should not need a second screen"


@pytest.mark.parametrize(("reader", "node", "outcome"), RESULTS)
def test_every_outcome_by_sms_is_one_text(reader: str, node: CallNode, outcome: str):
    display = by_sms(READERS[reader])
    returned = Returned(outcome, OUTCOMES[node.operation.node][outcome])
    step = advance(MENU, Dialogue(node.id, values=dict(BEFORE)), returned, display)
    if isinstance(step, End):
        assert MENU.words("more", display) not in step.text
        assert reader == "ru" or measure(step.text)[0] == "gsm7"


ONE_SMS = (
    "password.blocked",
    "packages.left",
    "budget.budget",
    "options.on.on_budget",
    "options.on.replaced",
)
"""Answers that used to cost a second part for a few characters more."""


@pytest.mark.parametrize("node", ONE_SMS)
def test_a_frequent_answer_is_one_sms_in_cyrillic(node: str):
    call, outcome = node.rsplit(".", 1)
    operation = "password.issue" if call == "password" else MENU.nodes[call].operation.node
    dialogue = Dialogue("password.issue" if call == "password" else call, values=dict(BEFORE))
    returned = Returned(outcome, OUTCOMES[operation][outcome])
    step = advance(MENU, dialogue, returned, by_sms(READERS["ru"]))
    assert step.node == node
    assert measure(step.text)[1] <= 70, step.text


# Reviewed by eye: adjectives, which mosmetro spells with -y. A noun here is a mistake of the letters.
ADJECTIVES = {"Личный", "Общий", "Следующий", "корпоративный", "личный"}
ADJECTIVES |= {"Детский", "Любимый", "Корпоративный"}  # of the catalogue


def test_what_ends_in_y_in_latin_letters_is_an_adjective():
    catalogue = [(FOLDER / name).read_text("utf-8") for name in FILES]
    texts = "\n".join([*(phrase.sources["ru"] for phrase in MENU.texts()), *catalogue])
    words = set(re.findall("[А-Яа-яЁё]+", texts))
    assert {
        word for word in words if re.search("[иы]й$", word) and transliterate(word)[-2:] != "iy"
    } == ADJECTIVES
    for word in words:
        assert re.fullmatch("[A-Za-z]+", transliterate(word)), word


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "node", [n.id for n in MENU.nodes.values() if isinstance(n, MenuNode) and n.id in MENU.still]
)
def test_every_menu_has_room_on_one_screen(reader: str, node: str):
    """Also for Cyrillic: 80 characters with options and the way back."""
    phone = Phone(MENU, READERS[reader], dialogue=Dialogue("root"))
    phone.dialogue.node = phone.menu.moves["root"]["00"]
    phone.dialogue.node = node
    shown = phone.answer("00" if node == "root" else "7")
    assert shown.node == node
    plain = shown.text.removeprefix(MENU.words("wrong", READERS[reader])).strip()
    if node == "root":
        assert MENU.words("more", READERS[reader]) not in plain


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "words", ["unknown_code", "unknown_sms", "unknown_subscriber", "expired", "enough", "failure"]
)
def test_fixed_answers_have_room_on_one_screen(reader: str, words: str):
    alphabet, length = measure(MENU.words(words, READERS[reader], {"reference": "a1b2c3"}))
    assert alphabet == ("ucs2" if reader == "ru" else "gsm7")
    assert length <= {"gsm7": 182, "ucs2": 80}[alphabet]


MONEY = st.integers(-(10**11), 10**11)
NAMES = st.text(alphabet="Город и Звезда «»:№ 100—City", min_size=1, max_size=120)


@given(NAMES, NAMES, MONEY, MONEY, st.sampled_from(sorted(READERS)))
def test_long_names_and_large_sums_are_paged(ru: str, en: str, fee: int, balance: int, reader: str):
    values = {"name": {"ru": ru, "en": en}, "fee_kopecks": fee, "balance_kopecks": balance}
    dialogue = Dialogue("options.on", values={"number": "100"})
    step = advance(MENU, dialogue, Returned("on", values), READERS[reader])
    for screen in every_screen(MENU, dialogue, step, reader):
        alphabet, length = measure(screen)
        assert length <= {"gsm7": 182, "ucs2": 80}[alphabet], screen


@given(
    st.lists(
        st.sampled_from(["", "0", "00", "9", "1", "2", "3", "4", "5", "8", "x", " 1 ", "🙂"]), max_size=25
    )
)
def test_whatever_is_pressed_the_dialogue_answers(pressed: list[str]):
    phone = Phone(MENU)
    step = phone.turn(Begin("*105#"))
    for answer in pressed:
        if isinstance(step, End):
            assert phone.dialogue == Dialogue()
            step = phone.turn(Begin("*105#"))
        step = phone.answer(answer)
        assert step.text


@given(st.text(max_size=60), st.sampled_from(["000100", "000105", "000110", "1"]))
def test_whatever_is_sent_there_is_an_end(text: str, to: str):
    assert isinstance(Phone(MENU).text(to, text), End)


def test_every_published_code_and_number():
    """Codes are promises: a change here is a change of what was printed on leaflets."""
    assert {code: target.node for code, target in MENU.codes.entries()} == {
        "*100#": "balance",
        "*105#": "root",
        "*105*00#": "password.confirm",
        "*105*1*1#": "budget",
        "*105*2#": "packages",
        "*105*3#": "options",
        "*105*503*{number}*1#": "options.on",
        "*105*503*{number}*0#": "options.off",
        "*105*503*{number}*2#": "options.status",
        "*105*9#": "settings",
    }
    assert set(MENU.numbers) == {"000100", "000105", "000110"}


@pytest.mark.parametrize(
    ("node", "parent"),
    [
        ("root", "root"),
        ("password.confirm", "root"),
        ("options", "root"),
        ("options.mine.list", "options"),
        ("options.mine.none", "options"),
        ("options.mine.one", "options.mine"),
        ("options.categories.list", "options"),
        ("options.catalogue.list", "options.categories"),
        ("options.check.possible", "options.catalogue"),
        ("options.on.on", "root"),
        ("settings", "root"),
    ],
)
def test_where_back_leads(node: str, parent: str):
    assert MENU.moves[node]["0"] == parent


def test_every_screen_knows_back_and_home():
    for node in MENU.nodes.values():
        if isinstance(node, MenuNode | ListNode | EndNode):
            assert {"0", "00"} <= MENU.moves[node.id].keys()
