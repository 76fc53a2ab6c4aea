"""A phone, and a service behind it that answers what it is told to: what the tests of menus have in common."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gateway.smpp.text import measure
from menus.engine import advance
from menus.loader import load
from menus.model import Menu
from menus.turns import (
    Abort,
    Answer,
    Begin,
    Call,
    Dialogue,
    Display,
    End,
    Reaction,
    Returned,
    Show,
    Text,
    Turn,
)

SELFCARE = Path(__file__).parents[3] / "menus" / "selfcare.yaml"

RU = Display("ru", "cyrillic", measure)
LATIN = Display("ru", "latin", measure)
EN = Display("en", "cyrillic", measure)
READERS = {"ru": RU, "latin": LATIN, "en": EN}


def by_sms(reader: Display) -> Display:
    return Display(reader.language, reader.script, measure, paged=False)


def name(ru: str, en: str) -> dict[str, str]:
    return {"ru": ru, "en": en}


def city(minutes: int, fee_kopecks: int) -> dict[str, Any]:
    names = name(f"География вызова: Город {minutes}", f"Call geography: City {minutes}")
    return {"number": minutes, "name": names, "fee_kopecks": fee_kopecks}


CITY_100, CITY_300, CITY_500 = city(100, 30000), city(300, 75000), city(500, 100000)
MUSIC = {"number": 21, "name": name("Музыка", "Music"), "fee_kopecks": 9900}

CATEGORIES = [
    {"category": "family", "name": name("Семья", "Family")},
    {"category": "fun", "name": name("Развлечения", "Entertainment")},
    {"category": "long-distance", "name": name("Межгород", "Long distance")},
    {"category": "talk", "name": name("Общение и связь", "Talk and data")},
    {"category": "payments", "name": name("Переводы и платежи", "Transfers and payments")},
]
_REFUSALS = {
    "already": {"name": CITY_100["name"]},
    "unknown": {"number": 777},
    "no_money": {"name": CITY_100["name"], "fee_kopecks": 30000, "balance_kopecks": 12345},
    "no_budget": {"name": CITY_500["name"], "fee_kopecks": 100000, "left_kopecks": 53050},
    "wrong_tariff": {"name": CITY_100["name"]},
    "conflict": {"name": MUSIC["name"], "other": CITY_100["name"]},
    "blocked": {},
    "corporate_only": {"name": CITY_100["name"]},
}

# Every outcome that an operation may have, with values as large as they get in life.
OUTCOMES: dict[str, dict[str, dict[str, Any]]] = {
    "password.issue": {"accepted": {}, "too_often": {"minutes": 21}, "blocked": {}},
    "balance.show": {"private": {"balance_kopecks": 125050}, "corporate": {}},
    "balance.budget": {
        "budget": {"balance_kopecks": 12345600, "limit_kopecks": 150000, "left_kopecks": 123450},
        "no_limit": {"balance_kopecks": 12345600},
        "private": {"balance_kopecks": 125050},
    },
    "packages.left": {
        "left": {
            "items": [
                {"source": None, "kind": "minutes", "left": 321, "total": 400},
                {"source": None, "kind": "sms", "left": 87, "total": 100},
                {"source": None, "kind": "mb", "left": 9216, "total": 10240},
            ],
            "renews": "2026-09-01",
        },
        "none": {},
    },
    "options.mine": {"list": {"items": [CITY_100, MUSIC]}, "none": {}},
    "options.categories": {"list": {"items": CATEGORIES}},
    "options.catalogue": {"list": {"items": [CITY_100, CITY_300, CITY_500]}, "none": {}},
    "options.offered": {"list": {"items": [MUSIC, CITY_100, CITY_300, CITY_500]}, "none": {}},
    "options.check": {"possible": CITY_100, "replaces": {**CITY_300, "other": CITY_100["name"]}, **_REFUSALS},
    "options.on": {
        "on": {"name": CITY_100["name"], "fee_kopecks": 30000, "balance_kopecks": 95050},
        "on_budget": {"name": CITY_100["name"], "fee_kopecks": 30000, "left_kopecks": 108000},
        "on_contract": {"name": CITY_500["name"], "fee_kopecks": 100000},
        "replaced": {
            "name": CITY_500["name"],
            "other": CITY_100["name"],
            "other_number": 100,
            "fee_kopecks": 100000,
        },
        **_REFUSALS,
    },
    "options.off": {
        "off": {"name": CITY_100["name"]},
        "already_off": {"name": CITY_100["name"]},
        "unknown": {"number": 777},
    },
    "options.status": {
        "on": {"number": 100, "name": CITY_100["name"], "since": "2026-09-21"},
        "off": {"number": 100, "name": CITY_100["name"]},
        "unavailable": {"name": CITY_100["name"]},
        "unknown": {"number": 777},
    },
    "settings.language": {"changed": {}},
    "settings.script": {"changed": {}},
}
ARGUMENTS: dict[str, dict[str, type]] = {
    "options.catalogue": {"category": str},
    "options.check": {"number": int},
    "options.on": {"number": int},
    "options.off": {"number": int},
    "options.status": {"number": int},
    "settings.language": {"language": str},
    "settings.script": {"script": str},
}


@dataclass(frozen=True)
class Declared:
    """An operation or a job as a menu is checked against it."""

    args: Mapping[str, type] = field(default_factory=dict)
    outcomes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    messages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def declared(values: Mapping[str, Any]) -> tuple[str, ...]:
    items = values.get("items") or [{}]
    return (*values, *(f"items.{one}" for one in items[0]))


OPERATIONS = {
    operation: Declared(ARGUMENTS.get(operation, {}), {code: declared(of) for code, of in outcomes.items()})
    for operation, outcomes in OUTCOMES.items()
}
JOBS = {"password.generate": Declared(messages={"password.issued": ("login", "password")})}


@dataclass
class Phone:
    """Dials, answers, texts; runs calls against `replies`: operation -> Returned, else the first in OUTCOMES.

    Between two turns the dialogue goes through JSON, as it does through the store.
    """

    menu: Menu
    display: Display = RU
    replies: dict[str, Returned] = field(default_factory=dict)
    dialogue: Dialogue = field(default_factory=Dialogue)
    calls: list[tuple[str, dict]] = field(default_factory=list)

    def dial(self, code: str, *answers: str) -> Reaction:
        step = self.turn(Begin(code))
        for answer in answers:
            step = self.answer(answer)
        return step

    def answer(self, text: str = "") -> Reaction:
        return self.turn(Answer(text))

    def cancel(self) -> Reaction:
        return self.turn(Abort("cancel"))

    def text(self, to: str, text: str = "") -> Reaction:
        self.display = by_sms(self.display)
        return self.turn(Text(to, text))

    def turn(self, turn: Turn) -> Reaction:
        self.dialogue = Dialogue(**json.loads(json.dumps(asdict(self.dialogue), ensure_ascii=False)))
        step = advance(self.menu, self.dialogue, turn, self.display)
        while isinstance(step, Call):
            self.calls.append((step.operation, step.args))
            step = advance(self.menu, self.dialogue, self.reply(step.operation), self.display)
        assert isinstance(step, Show | End)
        self.check_room(step)
        return step

    def reply(self, operation: str) -> Returned:
        if operation in self.replies:
            return self.replies[operation]
        return Returned(*next(iter(OUTCOMES[operation].items())))

    def check_room(self, step: Show | End) -> None:
        alphabet, length = measure(step.text)
        room = 80 if alphabet == "ucs2" else 182
        assert length <= room or not self.display.paged, f"{length} > {room} {alphabet}: {step.text!r}"


_TINY = """\
home: root
codes: {"*1#": root}
words:
  more: {ru: 9 Далее, en: 9 More}
  back: {ru: 0 Назад, en: 0 Back}
  wrong: {ru: Нет такого., en: No such item.}
  enough: {ru: Довольно., en: Enough.}
  expired: {ru: Поздно., en: Too late.}
  unknown_code: {ru: Не знаем., en: Unknown.}
  unknown_sms: {ru: Не читаем., en: Not read.}
  unknown_subscriber: {ru: Чужой., en: Stranger.}
  failure: {ru: "Сбой {reference}", en: "Failure {reference}"}
"""


def tiny(nodes: str) -> str:
    """A whole menu file around some nodes (and sections before them, if the text begins with `nodes:`)."""
    return _TINY + (nodes if "nodes:" in nodes else f"nodes:\n{nodes}")


def load_text(tmp_path: Path, text: str) -> Menu:
    path = tmp_path / "menu.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path)
