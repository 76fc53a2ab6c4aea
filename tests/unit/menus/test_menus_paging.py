"""Cutting texts into screens: every screen fits, nothing is lost, nothing is cut in half."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.smpp.text import measure
from menus.paging import Frame, Page, fits, list_pages, page_at, text_pages
from menus.turns import Display
from tests.unit.menus.scene import RU

FRAME = Frame("9 Далее", "0 Назад")
BARE = Frame("9 Далее")
LATIN_FRAME = Frame("9 More", "0 Back")

LETTERS = "абвгдежзABCxyz019 ,.«»€[]^{}~|\\🙂ё"
WORDS = st.text(alphabet=LETTERS.replace(" ", ""), min_size=1, max_size=25)
TEXTS = st.lists(WORDS, min_size=1, max_size=60).flatmap(
    lambda words: st.lists(st.sampled_from(" \n"), min_size=len(words), max_size=len(words)).map(
        lambda spaces: "".join(word + space for word, space in zip(words, spaces, strict=True)).strip()
    )
)
ANYTHING = st.text(max_size=400)
FRAMES = st.sampled_from([FRAME, BARE, LATIN_FRAME, Frame("9 Далее", "0 Назад", "Такого пункта нет.")])
DISPLAYS = st.sampled_from([RU, Display("ru", "cyrillic", measure, septets=160, ucs2=70)])


def on_screen(page: Page, frame: Frame) -> str:
    return f"{frame.hint}\n{page.text}" if frame.hint else page.text


def without_last_line(page: Page, frame: Frame) -> str:
    for line in (frame.more, frame.last):
        if line and (page.text == line or page.text.endswith(f"\n{line}")):
            return page.text[: -len(line)].rstrip("\n")
    return page.text


# ----------------------------------------------------------------------------------------------- text


@given(TEXTS, FRAMES, DISPLAYS)
def test_every_screen_fits_even_under_the_hint(text: str, frame: Frame, display: Display):
    for page in text_pages(text, frame, display):
        alphabet, length = measure(on_screen(page, frame))
        assert length <= (display.ucs2 if alphabet == "ucs2" else display.septets), page


@given(TEXTS, FRAMES, DISPLAYS)
def test_joined_screens_lose_no_word(text: str, frame: Frame, display: Display):
    pages = text_pages(text, frame, display)
    shown = " ".join(without_last_line(page, frame) for page in pages)
    assert shown.split() == text.split()


@given(ANYTHING, FRAMES)
def test_any_text_at_all_is_shown_to_its_last_sign(text: str, frame: Frame):
    pages = text_pages(text, frame, RU)
    shown = "".join(without_last_line(page, frame) for page in pages)
    assert re.sub(r"\s", "", shown) == re.sub(r"\s", "", text)
    assert all(fits(on_screen(page, frame), RU) for page in pages) or len(text) < 2


@given(st.text(alphabet="абв", min_size=81, max_size=300))
def test_a_word_longer_than_a_screen_is_cut_and_comes_whole(word: str):
    pages = text_pages(word, FRAME, RU)
    assert "".join(without_last_line(page, FRAME) for page in pages) == word
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
    for page in text_pages(text, FRAME, RU):
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
    first, second = text_pages(text, Frame("9 More"), RU)
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
    (page,) = text_pages("слово\u00a0" * 100, FRAME, display)
    assert page.text == "слово " * 100
    assert list_pages("Что:", ("раз", "два"), FRAME, display)[0].text == "Что:\n1 раз\n2 два"


def test_the_last_line_stands_only_on_the_last_screen():
    pages = text_pages("слово " * 30, FRAME, RU)
    assert [page.text.splitlines()[-1] for page in pages] == ["9 Далее", "9 Далее", "0 Назад"]


def test_a_last_line_longer_than_more_still_has_room():
    frame = Frame("9", "0 Назад к началу")
    text = "а" * 78
    pages = text_pages(text, frame, RU)
    assert [len(page.text) <= 80 for page in pages] == [True, True]
    assert pages[0].text[:-2] + pages[1].text[: -len(frame.last) - 1] == text


# ----------------------------------------------------------------------------------------------- list

ITEMS = st.lists(WORDS.map(lambda word: word[:25]), min_size=1, max_size=40).map(tuple)


@given(st.sampled_from(["", "Что выбрать?", "Заголовок " * 12]), ITEMS, FRAMES, DISPLAYS)
def test_every_list_screen_fits_and_every_item_has_a_label(heading, items, frame: Frame, display: Display):
    pages = list_pages(heading.strip(), items, frame, display)
    seen = 0
    for page in pages:
        assert fits(on_screen(page, frame), display), page
        assert page.items <= 8
        if page.items:
            assert page.start == seen
        for label, item in enumerate(items[page.start : page.start + page.items] if page.items else (), 1):
            assert f"{label} {item}" in page.text.splitlines()
        seen += page.items
    assert seen == len(items)


def test_a_list_that_fits_needs_no_9():
    (page,) = list_pages("Опции", ("Семья", "Музыка"), FRAME, RU)
    assert page == Page("Опции\n1 Семья\n2 Музыка\n0 Назад", 0, 2)


def test_never_more_than_eight_on_a_screen():
    display = Display("en", "cyrillic", measure)
    first, second = list_pages("", tuple("abcdefghijk"), LATIN_FRAME, display)
    assert first.items == 8
    assert first.text.splitlines()[-1] == "9 More"
    assert second == Page("1 i\n2 j\n3 k\n0 Back", 8, 3)


def test_an_item_longer_than_a_screen_is_shortened():
    (page,) = list_pages("", ("слово " * 30,), FRAME, RU)
    assert page.items == 1
    assert "...\n0 Назад" in page.text
    assert fits(page.text, RU)


def test_a_heading_longer_than_a_screen_comes_first():
    pages = list_pages("слово " * 30, ("Семья",), FRAME, RU)
    assert [page.items for page in pages] == [0, 0, 0, 1]
    assert pages[-1].text == "1 Семья\n0 Назад"


def test_an_empty_list_shows_its_heading():
    (page,) = list_pages("Пусто", (), FRAME, RU)
    assert page == Page("Пусто\n0 Назад", 0, 0)


@pytest.mark.parametrize(("start", "number"), [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2), (9, 2)])
def test_page_at(start: int, number: int):
    assert page_at([Page("", 0, 2), Page("", 2, 2), Page("", 4, 2)], start) == number


def test_page_at_a_heading():
    assert page_at([Page("", -1), Page("", -1), Page("", 0, 2)], -1) == 1
