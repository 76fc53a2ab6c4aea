"""A wrong answer changes nothing but the hint: every key that was on the screen means what it meant."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.smpp.text import measure
from menus.engine import advance
from menus.loader import load
from menus.model import BACK, HOME, MORE
from menus.turns import WHOLE, Answer, Call, Dialogue, Display, Reaction, Returned, Show
from tests.unit.menus.scene import EN, LATIN, READERS, RU, SELFCARE, load_text, tiny

MENU = load(SELFCARE)
OTHER_KEYS = ("", "x", "77", "да", "ok", "8", "7", "6", "5", "4", "3", "2", "1", MORE, BACK, HOME)
DISPLAYS = st.sampled_from([RU, LATIN, EN, Display("ru", "cyrillic", measure, septets=160, ucs2=70)])
NAMES = st.text(alphabet="Город и Звезда: №10aXY", min_size=1, max_size=40).map(lambda text: f"{text}.")


def listed(names: list[str]) -> Dialogue:
    items = [
        {"number": number, "name": {"ru": name, "en": name}, "fee_kopecks": number % 3 * 10_000}
        for number, name in enumerate(names)
    ]
    return Dialogue("options.mine", values={"items": items})


def asked(name: str, other: str, fee: int) -> Dialogue:
    names = {"name": {"ru": name, "en": name}, "other": {"ru": other, "en": other}}
    return Dialogue("options.check", values={"category": "fun", "number": 21, "fee_kopecks": fee, **names})


def answered(dialogue: Dialogue, key: str, display: Display) -> tuple[Reaction, Dialogue]:
    """What the answer does to a copy, and the copy."""
    after = replace(dialogue, values=dict(dialogue.values))
    return advance(MENU, after, Answer(key), display), after


def is_hinted(step: Reaction, display: Display) -> bool:
    return isinstance(step, Show) and step.text.startswith(MENU.words("wrong", display))


def check_every_page(dialogue: Dialogue, shown: Reaction, display: Display) -> None:
    """Turn the pages to the last; on each, answer wrongly and compare every key with what it did before."""
    while isinstance(shown, Show):
        _, missed = answered(dialogue, "wrong", display)
        again = advance(MENU, replace(missed, misses=0), Answer("wrong"), display)
        assert again.text.removeprefix(f"{MENU.words('wrong', display)}\n") == shown.text
        for key in OTHER_KEYS:
            before, after = answered(dialogue, key, display), answered(missed, key, display)
            if before[0].node == dialogue.node and isinstance(before[0], Show) and key != MORE:
                continue  # a miss itself, the second is counted
            assert before[0] == after[0], key
            assert before[1].values == after[1].values, key
        if not shown.text.endswith(MENU.words("more", display)):
            return
        shown = advance(MENU, dialogue, Answer(MORE), display)


@given(st.lists(NAMES, min_size=1, max_size=20), DISPLAYS)
def test_in_a_list(names: list[str], display: Display):
    dialogue = listed(names)
    shown = advance(MENU, dialogue, Returned("list", {}), display)
    check_every_page(dialogue, shown, display)


@given(NAMES, NAMES, st.sampled_from([0, 30_000, 100_000]), DISPLAYS)
def test_in_a_menu(name: str, other: str, fee: int, display: Display):
    dialogue = asked(name, other, fee)
    shown = advance(MENU, dialogue, Returned("replaces", {}), display)
    check_every_page(dialogue, shown, display)


@given(NAMES, NAMES, st.sampled_from([0, 30_000, 100_000]), DISPLAYS)
def test_an_option_is_taken_where_it_stands_and_only_there(name: str, other: str, fee: int, display: Display):
    """«1 Заменить» charges: it does so on the page that shows it, and on no other."""
    dialogue = asked(name, other, fee)
    shown = advance(MENU, dialogue, Returned("replaces", {}), display)
    label = (
        MENU.nodes["options.check.replaces"].options["1"].label.render({}, display.language, display.script)
    )
    while True:
        step, _ = answered(dialogue, "1", display)
        assert isinstance(step, Call) == (f"1 {label}" in shown.text.splitlines())
        if not shown.text.endswith(MENU.words("more", display)):
            assert isinstance(step, Call)
            return
        shown = advance(MENU, dialogue, Answer(MORE), display)


@pytest.mark.parametrize("reader", READERS)
def test_the_menus_of_the_service_have_room_for_the_hint(reader: str):
    display = READERS[reader]
    for node in MENU.still - {"settings.language.changed"}:
        shown = advance(MENU, Dialogue(node), Answer("wrong"), display)
        assert is_hinted(shown, display), shown


# ------------------------------------------------------------------------------------ hidden options

HIDDEN = """
  root:
    menu: {ru: TEXT, en: TEXT}
    options:
      ok: bye
      1: {to: bye, ru: Первый и не последний, en: First}
      2: {to: bye, ru: Второй и тоже совсем не последний, en: Second}
      да: bye
  bye: {end: {ru: Пока, en: Bye}}
"""


@pytest.mark.parametrize("key", ["1", "2", "да", "", "ok"])
def test_on_a_screen_that_is_whole_everything_works(tmp_path, key: str):
    menu = load_text(tmp_path, tiny(HIDDEN.replace("TEXT", "Текст")))
    assert advance(menu, Dialogue("root"), Answer(key), RU).node == "bye"
    assert advance(menu, Dialogue("root", WHOLE), Answer(key), RU).node == "bye"


@pytest.mark.parametrize(
    ("page", "works"), [(0, {"", "ok"}), (1, {"", "ok", "1"}), (2, {"", "ok", "2", "да"})]
)
def test_what_is_not_shown_at_all_works_where_the_text_has_ended(tmp_path, page: int, works: set[str]):
    menu = load_text(tmp_path, tiny(HIDDEN.replace("TEXT", "слово " * 14)))
    for key in ("1", "2", "да", "", "ok"):
        node = advance(menu, Dialogue("root", page), Answer(key), RU).node
        assert (node == "bye") == (key in works), key


# --------------------------------------------------------------------- the language changes in between


def test_what_stood_on_a_whole_screen_is_taken_though_it_would_be_cut_now():
    dialogue = asked("География вызова: Город 300", "География вызова: Город 100", 75_000)
    shown = advance(MENU, dialogue, Returned("replaces", {}), LATIN)
    assert "1 Zamenit" in shown.text
    assert isinstance(advance(MENU, dialogue, Answer("1"), RU), Call)


def test_a_page_that_is_shown_again_in_another_language_is_a_new_screen():
    dialogue = asked("География вызова: Город 300", "География вызова: Город 100", 75_000)
    advance(MENU, dialogue, Returned("replaces", {}), LATIN)
    shown = advance(MENU, dialogue, Answer("wrong"), RU)
    assert "Заменить" not in shown.text
    assert is_hinted(advance(MENU, dialogue, Answer("1"), RU), RU)
