"""Values in texts: money, dates, numbers and plural forms as CLDR has them, letters as a reader wants them."""

import datetime

import pytest
from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from data.model import LANGUAGES
from gateway.smpp.text import measure
from menus.cldr import LOCALES, conventions, plural_categories
from menus.letters import plain, spelling, transliterate
from menus.render import Formats, Forms, Phrase, TemplateError, parse

FORMS = {
    "money": Forms("money", 1, {"ru": {"other": "{n} руб."}, "en": {"other": "{n} rub"}}),
    "price": Forms(
        "price",
        1,
        {"ru": {"other": "{n} руб.", "zero": "бесплатно"}, "en": {"other": "{n} rub", "zero": "free"}},
    ),
    "calls": Forms(
        "calls",
        1,
        {
            "ru": {"one": "{n} звонок", "few": "{n} звонка", "many": "{n} звонков", "zero": "звонков нет"},
            "en": {"one": "{n} call", "other": "{n} calls", "zero": "{n} calls, none"},
        },
    ),
    "points": Forms(
        "points",
        2,
        {
            "ru": {"one": "{n} балл", "few": "{n} балла", "many": "{n} баллов"},
            "en": {"one": "{n} point", "other": "{n} points"},
        },
    ),
}
FORMATS = Formats(FORMS)


def show(text: str, language: str = "ru", script: str = "cyrillic", **values: object) -> str:
    phrase = Phrase(1, {"ru": text, "en": text}, {"ru": 1, "en": 1})
    phrase.compile(FORMATS)
    return phrase.render(values, language, script).replace("\u00a0", " ")


# ------------------------------------------------------------------------------------------- templates


@pytest.mark.parametrize(
    ("text", "values", "shown"),
    [
        ("Просто текст", {}, "Просто текст"),
        ("{name}", {"name": {"ru": "Семья", "en": "Family"}}, "Семья"),
        ("{login}:{login}", {"login": "926"}, "926:926"),
        ("{number}", {"number": 100}, "100"),
        ("{{{number}}}", {"number": 1}, "{1}"),
        ("{balance:money}", {"balance_kopecks": 25050}, "250,50 руб."),
        ("{balance:money}", {"balance_kopecks": 0}, "0,00 руб."),
        ("{balance:money}", {"balance_kopecks": -5}, "-0,05 руб."),
        ("{balance:money}", {"balance_kopecks": -123456789}, "-1 234 567,89 руб."),
        ("{fee:price}", {"fee_kopecks": 30000}, "300 руб."),
        ("{fee:price}", {"fee_kopecks": 175}, "1,75 руб."),
        ("{fee:price}", {"fee_kopecks": -30000}, "-300 руб."),
        ("{fee:price}", {"fee_kopecks": 0}, "бесплатно"),
        ("{left:sum}", {"left_kopecks": 30000}, "300 руб."),
        ("{left:sum}", {"left_kopecks": 30050}, "300,50 руб."),
        ("{left:sum}", {"left_kopecks": 0}, "0 руб."),
        ("{left:calls}", {"left": 0}, "звонков нет"),
        ("{left:calls}", {"left": 10}, "10 звонков"),
        ("300 SMS{source:aside}", {"source": {"ru": "Пакет", "en": "Package"}}, "300 SMS (Пакет)"),
        ("300 SMS{source:aside}", {"source": None}, "300 SMS"),
        ("{left:number}", {"left": 1234567}, "1 234 567"),
        ("{renews:day}", {"renews": "2028-02-29"}, "29 февраля"),
        ("{since:date}", {"since": "2026-06-01"}, "1 июня 2026 г."),
        ("{left:points}", {"left": 1}, "1 балл"),
        ("{left:points}", {"left": 22}, "22 балла"),
        ("{left:points}", {"left": 11}, "11 баллов"),
        ("{left:points}", {"left": 1021}, "1 021 балл"),
        ("{left:by kind}", {"left": 2, "kind": "points"}, "2 балла"),
        ("{left:by kind}", {"left": 2000, "kind": "parrots"}, "2 000"),
    ],
)
def test_russian(text: str, values: dict, shown: str):
    assert show(text, **values) == shown


@pytest.mark.parametrize(
    ("text", "values", "shown"),
    [
        ("{name}", {"name": {"ru": "Семья", "en": "Family — “all”"}}, 'Family - "all"'),
        ("{balance:money}", {"balance_kopecks": 123456789}, "1,234,567.89 rub"),
        ("{renews:day}", {"renews": "2026-06-01"}, "1 June"),
        ("{since:date}", {"since": "2026-06-01"}, "1 June 2026"),
        ("{left:points}", {"left": 1}, "1 point"),
        ("{fee:price}", {"fee_kopecks": 0}, "free"),
        ("{left:calls}", {"left": 0}, "0 calls, none"),
        ("300 SMS{source:aside}", {"source": {"ru": "Пакет", "en": "“Package”"}}, '300 SMS ("Package")'),
        ("{left:points}", {"left": 21}, "21 points"),
        ("{left:points}", {"left": 1001}, "1,001 points"),
    ],
)
def test_english(text: str, values: dict, shown: str):
    assert show(text, "en", **values) == shown
    assert show(text, "en", "latin", **values) == shown


def test_latin_letters():
    values = {
        "name": {"ru": "Общение — связь", "en": ""},
        "balance_kopecks": 123450,
        "since": "2026-07-01",
        "left": 5,
    }
    text = "«{name}»: {balance:money}, {left:points} с {since:date}"
    assert show(text, script="latin", **values) == (
        '"Obschenie - svyaz": 1 234,50 rub., 5 ballov s 1 iyulya 2026 g.'
    )


def test_data_is_never_respelled():
    assert show("Пароль {password}", script="latin", password="Щ«é»") == "Parol Щ«é»"


@pytest.mark.parametrize("text", ["{", "}", "a } b", "{Имя}", "{name:}", "{a b}", "{}", "{{name}"])
def test_braces_that_mean_nothing(text: str):
    with pytest.raises(TemplateError):
        parse(text)


def test_a_missing_value_is_an_error():
    with pytest.raises(KeyError, match="balance_kopecks"):
        show("{balance:money}", balance=1)


def test_what_is_not_a_date_is_an_error():
    with pytest.raises(KeyError):
        show("{since:date}", since="yesterday")


# ------------------------------------------------------------------------------------ the tables of CLDR

IN_EVERY_LANGUAGE = st.sampled_from(LANGUAGES)


@given(IN_EVERY_LANGUAGE, st.integers(-(10**12), 10**12))
def test_plural_forms_are_those_of_cldr(language: str, number: int):
    expected = Locale.parse(LOCALES[language]).plural_form(abs(number))
    assert conventions(language, "cyrillic").plural(number) == expected
    assert expected in plural_categories(language)


@given(IN_EVERY_LANGUAGE, st.integers(-(10**15), 10**15))
def test_numbers_are_those_of_cldr(language: str, number: int):
    write = conventions(language, "cyrillic")
    assert plain(write.whole(number)) == plain(format_decimal(number, locale=LOCALES[language]))


@given(IN_EVERY_LANGUAGE, st.integers(-(10**13), 10**13))
def test_amounts_are_those_of_cldr(language: str, kopecks: int):
    write = conventions(language, "cyrillic")
    rouble = format_decimal(abs(kopecks) // 100, locale=LOCALES[language])
    assert (
        plain(write.amount(kopecks)).lstrip("-") == f"{plain(rouble)}{write.decimal}{abs(kopecks) % 100:02d}"
    )
    assert (kopecks < 0) == write.amount(kopecks).startswith(write.minus)


@given(IN_EVERY_LANGUAGE, st.dates(min_value=datetime.date(1970, 1, 1)))
def test_dates_are_those_of_cldr(language: str, day: datetime.date):
    write = conventions(language, "cyrillic")
    locale = LOCALES[language]
    assert plain(write.date(day.isoformat())) == plain(format_date(day, "long", locale))
    assert plain(write.day(day.isoformat())) == plain(format_skeleton("MMMMd", day, locale=locale))


# --------------------------------------------------------------------------------------------- letters

RUSSIAN = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"


@given(st.text(alphabet=RUSSIAN + RUSSIAN.upper() + "«»—–…№₽\u00a0 09azAZ.,!?-\n"))
def test_latin_letters_stay_in_the_gsm_alphabet(text: str):
    assert measure(transliterate(text))[0] == "gsm7"


@given(st.text(alphabet="«»„“”‘’—–…№₽\u00a0 09azAZ.,!?-"))
def test_english_stays_in_the_gsm_alphabet(text: str):
    assert measure(spelling("en", "cyrillic")(text))[0] == "gsm7"


@pytest.mark.parametrize(
    ("russian", "latin"),
    [
        ("Ваш запрос обрабатывается", "Vash zapros obrabatyvaetsya"),
        ("ещё объект, съёмка", "esche obyekt, syomka"),
        ("ЯЗЫК, ОПЦИИ", "YAZYK, OPTSII"),
        ("Щит и Я", "Schit i Ya"),
        ("*105*3# №5", "*105*3# N5"),
        ("Опций пока нет", "Optsiy poka net"),
        ("ОПЦИЙ, акций, сообщений, линий", "OPTSIY, aktsiy, soobscheniy, liniy"),
        ("категорий и условий", "kategoriy i usloviy"),
        ("Детский, общий, третий, последний", "Detsky, obschy, trety, posledny"),
        ("Личный, Любимый", "Lichny, Lyubimy"),
    ],
)
def test_transliteration(russian: str, latin: str):
    assert transliterate(russian) == latin


def test_without_a_price_of_its_own_a_file_has_the_sum():
    phrase = Phrase(1, {"ru": "{fee:price}", "en": "{fee:price}"}, {"ru": 1, "en": 1})
    phrase.compile(Formats({"money": FORMS["money"]}))
    assert phrase.render({"fee_kopecks": 0}, "ru", "cyrillic") == "0 руб."
