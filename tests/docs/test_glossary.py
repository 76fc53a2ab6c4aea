"""The glossary: every word once, in order, and where it says that the code has it."""

import re

import pytest

from tests.docs.pages import ROOT

PAGE = (ROOT / "docs/reference/glossary.md").read_text("utf-8")
ROWS = re.findall(r"^\| (?!Word |---)(.+?) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)


def test_every_word_stands_once_and_in_order() -> None:
    words = [word.casefold() for word, _, _ in ROWS]
    assert len(words) > 60
    assert words == sorted(set(words))


@pytest.mark.parametrize(("word", "where"), [(word, where) for word, _, where in ROWS])
def test_the_code_has_it_where_the_glossary_says(word: str, where: str) -> None:
    places = re.findall(r"`(\w+)(?:\.(\w+))?` in `([\w/]+\.py)`", where)
    assert places, f"{word}: nothing of the form `Name` in `file.py`"
    for name, member, file in places:
        source = (ROOT / file).read_text("utf-8")
        assert re.search(rf"^(?:class |def )?{name}\b", source, re.MULTILINE), f"{word}: no {name} in {file}"
        assert not member or re.search(rf"^    (?:def )?{member}\b", source, re.MULTILINE), (
            f"{word}: no {name}.{member} in {file}"
        )
