"""The examples of docs/reference/menu-file.md do what the page says."""

import json
import re
from pathlib import Path

import pytest

from menus.lint import check
from menus.loader import examine
from menus.render import Formats, Phrase
from menus.turns import Returned
from tests.unit.menus.scene import READERS, Declared, Phone, load_text, name

PAGE = (Path(__file__).parents[3] / "docs/reference/menu-file.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```([a-z ]+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
ROWS = re.findall(r"^\| `([^`]*\{.*?)` \| `(.*?)` \| (.*?) \| (.*?) \| (.*?) \|$", PAGE, re.MULTILINE)

THINGS = [
    {"thing": 1, "name": name("Кино", "Films"), "price": 21},
    {"thing": 2, "name": name("Музыка", "Music"), "price": 2},
]
OPERATIONS = {
    "points.show": Declared(outcomes={"some": ("left",), "none": ()}),
    "points.shop": Declared(outcomes={"list": ("items", "items.thing", "items.name", "items.price")}),
    "points.buy": Declared(args={"thing": int}, outcomes={"bought": ("name",)}),
    "points.give": Declared(args={"amount": int, "to": str}, outcomes={"given": ()}),
}
JOBS = {"points.burn": Declared(messages={"points.gone": ("left",)})}
REPLIES = {
    "points.show": Returned("some", {"left": 22}),
    "points.shop": Returned("list", {"items": THINGS}),
    "points.buy": Returned("bought", {"name": THINGS[0]["name"]}),
    "points.give": Returned("given", {}),
}


@pytest.fixture
def menu(tmp_path: Path):
    return load_text(tmp_path, BLOCKS["yaml"])


def test_the_whole_menu_has_no_problem(menu):
    assert check(menu, OPERATIONS, JOBS) == []


def test_the_conversation_goes_as_written(menu):
    phone = Phone(menu, replies=REPLIES)
    spoken: list[str] = []
    for line in BLOCKS["transcript ru"].splitlines():
        if line.startswith(">"):
            text = line[1:].strip()
            step = phone.dial(text) if text.startswith("*") else phone.answer(text)
            spoken += [line, *(f"< {shown}" for shown in step.text.splitlines()), f"= {step.node}"]
    assert spoken == BLOCKS["transcript ru"].splitlines()


def test_the_number_of_the_example_answers_any_sms(menu):
    assert Phone(menu, replies=REPLIES).text("000115", "баллы?").text == "У вас 22 балла"


def test_the_message_of_the_example(menu):
    assert menu.senders == {"points.gone": "000115"}
    assert menu.message("points.gone", {"left": 3}, READERS["ru"]) == "Сгорело: 3 балла"


def test_the_table_of_values_is_found():
    assert len(ROWS) == 14


@pytest.mark.parametrize(("text", "values", "ru", "latin", "en"), ROWS)
def test_values_are_shown_as_in_the_table(menu, text: str, values: str, ru: str, latin: str, en: str):
    phrase = Phrase(1, {"ru": text, "en": text}, {"ru": 1, "en": 1})
    phrase.compile(Formats(menu.forms))
    shown = [phrase.render(json.loads(values), of.language, of.script) for of in READERS.values()]
    assert [text.replace("\u00a0", " ") for text in shown] == [ru, latin, en]


def test_the_broken_menu_has_the_problems_of_the_page(tmp_path: Path):
    path = tmp_path / "menu.yaml"
    path.write_text(BLOCKS["yaml broken"], encoding="utf-8")
    found = [str(problem).removeprefix(f"{path}:") for problem in examine(path, {})]
    assert found == BLOCKS["problems"].splitlines()
