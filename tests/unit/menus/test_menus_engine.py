"""What the engine promises for any menu."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from menus.engine import advance, machine_of
from menus.problems import UnexpectedOutcome
from menus.turns import Answer, Begin, Call, Dialogue, End, Returned, Show
from tests.unit.menus.scene import EN, RU, load_text, tiny

NODES = """
  root:
    menu: {ru: Главное, en: Main}
    options:
      1: {to: ask, ru: Спросить, en: Ask}
      да: bye
  ask:
    call: ask
    args: {number: "{number}", word: тут}
    outcomes:
      one: {end: {ru: "Один {number}", en: "One {number}"}}
      more: ask.again
      long: {end: {ru: "{text}", en: "{text}"}}
  ask.again:
    call: again
    outcomes:
      done: question
  question:
    menu: {ru: "Ещё?", en: "Again?"}
    parent: bye.question
    options: {ok: ask, 1: {to: bye, ru: Нет, en: No}}
  bye.question:
    menu: {ru: "Уходите?", en: "Leaving?"}
    options: {1: {to: bye, ru: Да, en: Yes}}
  bye: {end: {ru: Пока, en: Bye}}
"""


@pytest.fixture
def menu(tmp_path: Path):
    nodes = NODES.replace("      да: bye\n", "      да: bye\n      2: bye.question\n")
    text = tiny(nodes).replace('{"*1#": root}', '{"*1#": root, "*1*{number}#": ask, "*1*1*{number}#": ask}')
    return load_text(tmp_path, text)


def test_a_call_gets_its_arguments_and_waits_for_what_it_brings(menu):
    dialogue = Dialogue()
    assert advance(menu, dialogue, Begin("*1*007#"), RU) == Call(
        "ask", {"number": "007", "word": "тут"}, "ask"
    )
    assert dialogue == Dialogue("ask", values={"number": "007"})
    assert advance(menu, dialogue, Returned("one", {}), RU) == End("Один 007", "ask.one")
    assert dialogue == Dialogue()


def test_a_call_may_lead_to_a_call(menu):
    dialogue = Dialogue()
    advance(menu, dialogue, Begin("*1*7#"), RU)
    assert advance(menu, dialogue, Returned("more", {"x": 1}), RU) == Call("again", {}, "ask.again")
    assert advance(menu, dialogue, Returned("done", {}), RU) == Show("Ещё?\n1 Нет\n0 Назад", "question")
    assert dialogue.values == {"number": "7", "x": 1}


def test_a_declared_parent_is_where_back_leads(menu):
    assert advance(menu, Dialogue("question"), Answer("0"), EN).node == "bye.question"
    assert advance(menu, Dialogue("bye.question"), Answer("0"), EN).node == "root"


def test_an_option_may_be_a_word_and_is_not_shown_without_a_label(menu):
    dialogue = Dialogue()
    assert advance(menu, dialogue, Begin("*1#"), RU).text == "Главное\n1 Спросить"
    assert advance(menu, dialogue, Answer(" ДА "), RU) == End("Пока", "bye")


def test_a_long_last_word_waits_until_it_is_read(menu):
    dialogue = Dialogue("ask", values={"number": "1"})
    text = "слово " * 30
    shown = advance(menu, dialogue, Returned("long", {"text": text}), RU)
    assert isinstance(shown, Show)
    assert dialogue.node == "ask.long"
    assert isinstance(advance(menu, dialogue, Answer("9"), RU), Show)
    last = advance(menu, dialogue, Answer("9"), RU)
    assert isinstance(last, End)
    assert not last.text.endswith("9 Далее")
    assert dialogue == Dialogue()


def test_back_and_home_leave_a_long_last_word(menu):
    for answer in ("0", "00"):
        dialogue = Dialogue("ask.long", values={"text": "слово " * 30})
        assert advance(menu, dialogue, Answer(answer), RU).node == "root"


@pytest.mark.parametrize(
    ("node", "code"), [("ask", "never"), ("root", "one"), ("", "one"), ("gone", "one"), ("bye", "one")]
)
def test_an_outcome_without_a_branch_is_our_fault(menu, node: str, code: str):
    with pytest.raises(UnexpectedOutcome) as caught:
        advance(menu, Dialogue(node), Returned(code, {}), RU)
    assert (caught.value.node, caught.value.code) == (node, code)


def test_an_answer_in_the_middle_of_a_call_is_late(menu):
    dialogue = Dialogue("ask", values={"number": "1"})
    assert advance(menu, dialogue, Answer("1"), EN) == End("Too late.", "expired")


def test_the_table_of_moves_is_the_machines(menu):
    machine = machine_of(menu)
    assert menu.moves.keys() == machine.states.keys()
    for node, ways in menu.moves.items():
        assert set(ways) == set(machine.get_triggers(node))
        for way, to in ways.items():
            walker = SimpleNamespace()
            machine.add_model(walker, initial=node)
            walker.trigger(way)
            assert walker.state == to, (node, way)


def test_codes_are_compared_without_spaces_around(menu):
    assert advance(menu, Dialogue(), Begin(" *1# "), RU).node == "root"


def test_chosen_cannot_be_typed(menu):
    assert advance(menu, Dialogue("root"), Answer("Chosen"), EN).text.startswith("No such item.")
