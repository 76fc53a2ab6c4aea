"""Cutting texts into screens: every screen fits, nothing is lost, nothing is cut in half."""

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from gateway.smpp.text import measure
from menus.paging import LABELS, Margins, Page, fits, list_pages, text_pages
from menus.turns import Display
from tests.unit.menus.scene import RU

MARGINS = Margins("9 Далее", "0 Назад")
BARE = Margins("9 Далее")
LATIN_MARGINS = Margins("9 More", "0 Back")

LETTERS = "абвгдежзABCxyz019 ,.«»€[]^{}~|\\🙂ё"
WORDS = st.text(alphabet=LETTERS.replace(" ", ""), min_size=1, max_size=25)
TEXTS = st.lists(WORDS, min_size=1, max_size=60).flatmap(
    lambda words: st.lists(st.sampled_from(" \n"), min_size=len(words), max_size=len(words)).map(
        lambda spaces: "".join(word + space for word, space in zip(words, spaces, strict=True)).strip()
    )
)
ANYTHING = st.text(max_size=400)
EVERY_MARGINS = st.sampled_from([MARGINS, BARE, LATIN_MARGINS, Margins("9 Далее", "0 Назад", "Нет такого.")])
DISPLAYS = st.sampled_from([RU, Display("ru", "cyrillic", measure, septets=160, ucs2=70)])


def fullest(pages: tuple[Page, ...], margins: Margins) -> list[str]:
    """The screens as they are with the hint above, for which all but the last keep room."""
    return [*(f"{margins.hint}\n{page.text}".lstrip() for page in pages[:-1]), pages[-1].text]


def without_last_line(page: Page, margins: Margins) -> str:
    for line in (margins.more, margins.last):
        if line and (page.text == line or page.text.endswith(f"\n{line}")):
            return page.text[: -len(line)].rstrip("\n")
    return page.text


# ----------------------------------------------------------------------------------------------- text


@given(TEXTS, EVERY_MARGINS, DISPLAYS)
def test_every_screen_fits_even_under_the_hint(text: str, margins: Margins, display: Display):
    for screen in fullest(text_pages(text, margins, display), margins):
        alphabet, length = measure(screen)
        assert length <= (display.ucs2 if alphabet == "ucs2" else display.septets), screen


@given(TEXTS, EVERY_MARGINS, DISPLAYS)
def test_joined_screens_lose_no_word(text: str, margins: Margins, display: Display):
    pages = text_pages(text, margins, display)
    shown = " ".join(without_last_line(page, margins) for page in pages)
    assert shown.split() == text.split()


@given(ANYTHING, EVERY_MARGINS)
def test_any_text_at_all_is_shown_to_its_last_sign(text: str, margins: Margins):
    pages = text_pages(text, margins, RU)
    shown = "".join(without_last_line(page, margins) for page in pages)
    assert re.sub(r"\s", "", shown) == re.sub(r"\s", "", text)
    assert all(fits(screen, RU) for screen in fullest(pages, margins)) or len(text) < 2


@given(st.text(alphabet="абв", min_size=81, max_size=300))
def test_a_word_longer_than_a_screen_is_cut_and_comes_whole(word: str):
    pages = text_pages(word, MARGINS, RU)
    assert "".join(without_last_line(page, MARGINS) for page in pages) == word
    assert all(len(page.text) == 80 for page in pages[:-1])


@given(
    st.lists(st.sampled_from(["é", "👍🏽", "👨‍👩‍👧", "🇷🇺", "é", "☺️", "ы", "𝄞"]), min_size=40, max_size=200)
)
def test_composed_characters_are_never_divided(characters: list[str]):
    text = unicodedata.normalize("NFD", "".join(characters))
    wholes = [unicodedata.normalize("NFD", one) for one in characters]
    for page in text_pages(text, BARE, RU):
        rest = without_last_line(page, BARE)
        while rest:
            assert wholes, rest
            assert rest.startswith(wholes[0]), (rest, wholes[0])
            rest = rest[len(wholes.pop(0)) :]
    assert not wholes


@given(TEXTS)
def test_every_screen_encodes_by_itself(text: str):
    for page in text_pages(text, MARGINS, RU):
        page.text.encode("utf-16-be")  # half a surrogate pair would raise


def test_signs_of_the_extension_table_count_two():
    assert len(text_pages("[" * 91, BARE, RU)) == 1
    assert len(text_pages("[" * 92, BARE, RU)) == 2
    assert len(text_pages("A" * 182, BARE, RU)) == 1
    assert len(text_pages("A" * 181 + "€", BARE, RU)) == 2


def test_a_sign_beyond_the_bmp_counts_two():
    assert len(text_pages("🙂" * 40, BARE, RU)) == 1
    assert len(text_pages("🙂" * 41, BARE, RU)) == 2


def test_one_cyrillic_letter_drops_only_its_own_screen_to_80():
    text = "A" * 150 + "\n" + "я" * 60
    first, second = text_pages(text, Margins("9 More"), RU)
    assert first.text == "A" * 150 + "\n9 More"
    assert second.text == "я" * 60


def test_a_screen_is_cut_at_the_end_of_a_line_if_that_does_not_waste_half_of_it():
    lines = "раз два три четыре пять шесть семь восемь\nдевять десять одиннадцать двенадцать тринадцать"
    assert text_pages(lines, BARE, RU)[0].text == "раз два три четыре пять шесть семь восемь\n9 Далее"
    short_first = "Так:\n" + "слово " * 20
    assert text_pages(short_first, BARE, RU)[0].text.count("слово") == 11


def test_numbers_are_kept_together_and_shown_with_plain_spaces():
    text = "слово " * 11 + "1\u00a0250\u00a0руб. и ещё"
    first, second = text_pages(text, BARE, RU)
    assert "1" not in first.text
    assert second.text == "1 250 руб. и ещё"


def test_without_pages_all_of_it_comes_at_once():
    display = Display("ru", "cyrillic", measure, paged=False)
    (page,) = text_pages("слово\u00a0" * 100, MARGINS, display)
    assert page.text == "слово " * 100
    assert list_pages("Что:", ("раз", "два"), MARGINS, display)[0].text == "Что:\n1 раз\n2 два"


def test_the_last_line_stands_only_on_the_last_screen():
    pages = text_pages("слово " * 30, MARGINS, RU)
    assert [page.text.splitlines()[-1] for page in pages] == ["9 Далее", "9 Далее", "0 Назад"]


def test_a_last_line_longer_than_more_still_has_room():
    margins = Margins("9", "0 Назад к началу")
    text = "а" * 78
    pages = text_pages(text, margins, RU)
    assert [len(page.text) <= 80 for page in pages] == [True, True]
    assert pages[0].text[:-2] + pages[1].text[: -len(margins.last) - 1] == text


# ----------------------------------------------------------------------------------------------- list

ITEMS = st.lists(WORDS.map(lambda word: word[:25]), min_size=1, max_size=40).map(tuple)


@given(st.sampled_from(["", "Что выбрать?", "Заголовок " * 12]), ITEMS, EVERY_MARGINS, DISPLAYS)
def test_every_list_screen_fits_and_every_item_has_a_label(
    heading, items, margins: Margins, display: Display
):
    pages = list_pages(heading.strip(), items, margins, display)
    seen = 0
    for page, screen in zip(pages, fullest(pages, margins), strict=True):
        assert fits(screen, display), page
        assert page.keys == LABELS[: len(page.keys)]
        assert page.start == seen or not page.keys
        for label, item in zip(page.keys, items[page.start :], strict=False):
            assert f"{label} {item}" in page.text.splitlines()
        seen += len(page.keys)
    assert seen == len(items)


def test_a_list_that_fits_needs_no_9():
    (page,) = list_pages("Опции", ("Семья", "Музыка"), MARGINS, RU)
    assert page == Page("Опции\n1 Семья\n2 Музыка\n0 Назад", ("1", "2"))


def test_never_more_than_eight_on_a_screen():
    display = Display("en", "cyrillic", measure)
    first, second = list_pages("", tuple("abcdefghijk"), LATIN_MARGINS, display)
    assert first.keys == tuple("12345678")
    assert first.text.splitlines()[-1] == "9 More"
    assert second == Page("1 i\n2 j\n3 k\n0 Back", ("1", "2", "3"), 8)


def test_an_item_longer_than_a_screen_is_shortened():
    (page,) = list_pages("", ("слово " * 30,), MARGINS, RU)
    assert page.keys == ("1",)
    assert "...\n0 Назад" in page.text
    assert fits(page.text, RU)


def test_a_heading_longer_than_a_screen_comes_first():
    pages = list_pages("слово " * 30, ("Семья",), MARGINS, RU)
    assert [page.keys for page in pages] == [(), (), (), ("1",)]
    assert pages[-1].text == "1 Семья\n0 Назад"


def test_an_empty_list_shows_its_heading():
    (page,) = list_pages("Пусто", (), MARGINS, RU)
    assert page == Page("Пусто\n0 Назад")


def test_a_list_that_fills_one_screen_just_so_is_not_cut_for_the_hint():
    margins = Margins("9 Далее", "0 Назад", "Нет такого.")
    (page,) = list_pages("", ("а" * 33, "б" * 34), margins, RU)
    assert len(page.text) == 80
    assert len(list_pages("", ("а" * 33, "б" * 35), margins, RU)) == 2


# -------------------------------------------------------------------------------------------- options


def option(key: str, label: str) -> tuple[str, str]:
    return key, f"{key}\u00a0{label}"


OPTIONS = (option("1", "Заменить"), option("2", "Подробнее"), ("3", ""))


def test_options_that_fit_are_all_on_the_screen_also_those_that_are_not_shown():
    (page,) = text_pages("Опция", MARGINS, RU, OPTIONS)
    assert page == Page("Опция\n1 Заменить\n2 Подробнее\n0 Назад", ("1", "2", "3"))


def test_an_option_is_on_the_page_on_which_its_line_stands():
    first, second, third = text_pages("слово " * 22, MARGINS, RU, OPTIONS)
    assert (first.keys, second.keys, third.keys) == ((), ("1",), ("2", "3"))
    assert "1 Заменить" in second.text
    assert "2 Подробнее" in third.text


LABELLED = st.lists(WORDS.map(lambda word: word[:30]), min_size=1, max_size=7).map(
    lambda labels: tuple(option(str(key), label) for key, label in enumerate(labels, 1))
)


@given(TEXTS, LABELLED, EVERY_MARGINS, DISPLAYS)
def test_every_key_is_where_its_line_is_and_nowhere_else(text, options, margins: Margins, display: Display):
    pages = text_pages(text, margins, display, (*options, ("да", "")))
    assert [key for page in pages for key in page.keys] == [*(key for key, _ in options), "да"]
    assert pages[-1].keys[-1] == "да"
    lines = dict(options)
    for page in pages:
        for key in page.keys:
            assert key == "да" or lines[key].replace("\u00a0", " ") in page.text.splitlines()
