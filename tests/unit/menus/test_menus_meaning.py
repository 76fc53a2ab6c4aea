"""An answer means the screen that was seen, even where the menu was changed between the two."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menus.loader import load
from menus.model import Menu
from menus.turns import Dialogue, End, Returned, Show
from tests.unit.menus.scene import EN, SELFCARE, Phone, load_text, name, tiny

NODES = """
  root:
    menu: {ru: Тариф, en: Tariff}
    options:
      1: {to: keep, ru: Оставить, en: Keep}
      2: {to: change, ru: Сменить, en: Change}
      3: {to: find, ru: Другие, en: Others}
  keep: {end: {ru: Оставлен, en: Kept}}
  change: {end: {ru: Сменён, en: Changed}}
  find:
    call: tariffs.find
    outcomes:
      found: others
  others:
    list: {ru: Другие, en: Others}
    item: {ru: "{name}", en: "{name}"}
    to: ask
  ask:
    menu: {ru: "Сменить на {name}?", en: "Change to {name}?"}
    options: {1: {to: change, ru: Да, en: Yes}}
"""
TARIFFS = [{"name": name(f"Тариф {number}", f"Tariff No {number}")} for number in range(1, 13)]


def menu_of(nodes: str) -> Menu:
    with tempfile.TemporaryDirectory() as folder:
        return load_text(Path(folder), tiny(nodes))


def changed(*replacements: tuple[str, str]) -> Menu:
    nodes = NODES
    for old, new in replacements:
        assert old in nodes, f"{old!r} is not in the menu"
        nodes = nodes.replace(old, new)
    return menu_of(nodes)


MENU = changed()
SWAPPED = (
    ("1: {to: keep, ru: Оставить, en: Keep}", "1: {to: change, ru: Сменить, en: Change}"),
    ("2: {to: change, ru: Сменить, en: Change}", "2: {to: keep, ru: Оставить, en: Keep}"),
)
QUESTION = NODES[NODES.index("  ask:") :]


@pytest.fixture
def phone() -> Phone:
    return Phone(MENU, EN, replies={"tariffs.find": Returned("found", {"items": TARIFFS})})


# ------------------------------------------------------------------------------------------ meanings


def test_a_meaning_is_the_same_in_every_process():
    """It is stored, and compared after a restart."""
    assert MENU.meanings["root"] == -2404282797096501248


def test_a_file_read_again_means_the_same():
    first, again = load(SELFCARE), load(SELFCARE)
    assert first.meanings == again.meanings
    assert all(-(2**63) <= meaning < 2**63 for meaning in first.meanings.values())


@pytest.mark.parametrize(
    "replacement",
    [
        ("en: Keep}", "en: Stay}"),
        ("en: Tariff}", "en: Your tariff}"),
        (', en: "{name}"', ', en: "the {name}"'),
        ("      1: {to: keep, ru: Оставить, en: Keep}\n", "      1: keep\n"),
    ],
)
def test_words_change_no_meaning(replacement: tuple[str, str]):
    assert changed(replacement).meanings == MENU.meanings


def test_the_order_of_options_changes_no_meaning():
    keep = "      1: {to: keep, ru: Оставить, en: Keep}\n"
    assert changed((keep, ""), ("  keep: {end", f"{keep}  keep: {{end")).meanings == MENU.meanings


@pytest.mark.parametrize(
    ("replacements", "nodes"),
    [
        (SWAPPED, {"root"}),
        ([("      1: {to: keep", "      4: {to: keep")], {"root"}),
        ([("      3: {to: find", "      4: {to: keep, ru: Так, en: So}\n      3: {to: find")], {"root"}),
        ([("    to: ask\n", "    to: ask\n    parent: keep\n")], {"others"}),
        ([("    to: ask\n", "    to: yes\n"), ("  ask:\n", "  yes:\n")], {"others"}),
    ],
    ids=["targets swapped", "another key", "one key more", "another way back", "another target of a list"],
)
def test_what_keys_lead_to_is_what_a_node_means(replacements, nodes: set[str]):
    other = changed(*replacements).meanings
    assert {
        node for node in MENU.meanings if other.get(node, MENU.meanings[node]) != MENU.meanings[node]
    } == nodes


LEAVES = ("a", "b", "c")
OPTIONS = st.dictionaries(st.sampled_from("12345"), st.sampled_from(LEAVES), min_size=1)


def meaning_of(options: dict[str, str]) -> int:
    ends = "".join(f"  {leaf}: {{end: {{ru: {leaf}, en: {leaf}}}}}\n" for leaf in LEAVES)
    shown = "".join(f"      {key}: {{to: {to}, ru: {key}, en: {key}}}\n" for key, to in options.items())
    reached = "".join(f"      way to {leaf}: {leaf}\n" for leaf in LEAVES)
    root = f"  root:\n    menu: {{ru: '?', en: '?'}}\n    options:\n{shown}{reached}"
    return menu_of(root + ends).meanings["root"]


@given(OPTIONS, OPTIONS)
def test_two_nodes_mean_the_same_only_with_the_same_keys_and_targets(one, other):
    assert (meaning_of(one) == meaning_of(other)) == (one == other)


# ------------------------------------------------------------------------------------------- answers


def test_an_answer_to_a_screen_that_means_something_else_is_not_taken(phone: Phone):
    phone.dial("*1#", "7")
    phone.menu = changed(*SWAPPED)
    assert phone.answer("1") == Show("Tariff\n1 Change\n2 Keep\n3 Others", "root")
    assert phone.dialogue.misses == 1, "it is not counted as a wrong one"
    assert phone.answer("1") == End("Changed", "change")


@pytest.mark.parametrize("key", ["0", "00", "no such key", ""])
def test_nor_is_any_other_key(phone: Phone, key: str):
    phone.dial("*1#", "3", "1")
    phone.menu = changed(("{1: {to: change", "{1: {to: keep"))
    assert phone.answer(key).node == "ask"
    assert phone.answer("1") == End("Kept", "keep")


def test_an_answer_counts_where_only_words_were_changed(phone: Phone):
    phone.dial("*1#")
    phone.menu = changed(("en: Keep}", "en: Stay}"), ("en: Tariff}", "en: Your tariff}"))
    assert phone.answer("1") == End("Kept", "keep")


def test_the_new_screen_begins_at_its_first_page(phone: Phone):
    phone.dial("*1#", "3", "9")
    assert phone.dialogue.page == 1
    phone.menu = changed(("    to: ask\n", "    to: ask\n    parent: keep\n"))
    assert phone.answer("1").text.startswith("Others\n1 Tariff No 1\n")
    assert phone.answer("2") == Show("Change to Tariff No 2?\n1 Yes\n0 Back", "ask")


def test_a_label_of_a_list_means_the_item_that_it_stood_before(phone: Phone):
    """Longer words put fewer items on a screen: the second page begins with another one."""
    seen = phone.dial("*1#", "3", "9").text
    phone.menu = changed(('en: "{name}"', 'en: "The tariff that we call {name}"'))
    shown = phone.answer("1")
    assert "1 Tariff No 9" in seen, seen
    assert shown.node == "others"
    assert shown.text.startswith("Others\n1 The tariff that we call Tariff No 1\n")


def test_back_from_a_later_page_is_back_whatever_begins_it(phone: Phone):
    phone.dial("*1#", "3", "9")
    phone.menu = changed(('en: "{name}"', 'en: "The tariff that we call {name}"'))
    assert phone.answer("0").node == "root"


def test_a_dialogue_of_which_nobody_knows_what_it_showed_is_taken_at_its_word(phone: Phone):
    phone.dialogue = Dialogue("root")
    assert phone.answer("1") == End("Kept", "keep")


LATE = End("Too late.", "expired")


def test_a_new_screen_without_its_values_is_too_late(phone: Phone):
    phone.dial("*1#")
    phone.menu = changed(*SWAPPED, ("en: Tariff}", 'en: "Tariff {name}"}'))
    assert phone.answer("1") == LATE
    assert phone.dialogue == Dialogue()


@pytest.mark.parametrize("key", ["1", "9", "no such key"])
def test_a_list_of_items_without_its_fields_is_too_late(phone: Phone, key: str):
    phone.dial("*1#", "3")
    phone.menu = changed(('en: "{name}"', 'en: "{title}"'))
    assert phone.answer(key) == LATE


def test_a_list_without_items_is_too_late(phone: Phone):
    phone.dial("*1#", "3", "1")
    phone.menu = changed(
        (QUESTION, "  ask: {list: silent, item: {ru: '{name}', en: '{name}'}, to: change}\n")
    )
    assert phone.answer("1") == LATE


def test_a_screen_that_has_become_a_call_is_too_late(phone: Phone):
    phone.dial("*1#", "3", "1")
    phone.menu = changed((QUESTION, "  ask: {call: change, outcomes: {done: change}}\n"))
    assert phone.answer("1") == LATE
    assert phone.calls == [("tariffs.find", {})]


def test_a_screen_that_has_become_a_last_word_is_said(phone: Phone):
    phone.dial("*1#", "3", "1")
    phone.menu = changed((QUESTION, "  ask: {end: {ru: Поздно, en: Sold out}}\n"))
    assert phone.answer("1") == End("Sold out", "ask")
    assert phone.dialogue == Dialogue()
