"""Russian in Latin letters, and signs that the GSM alphabet has not.

One letter outside the GSM 7-bit alphabet shrinks a screen from 182 characters to 80, so whatever leaves here is
meant to stay within it.

Of the schemas that iuliia knows most write the soft sign as an apostrophe or a modifier letter, or use diacritics.
Without either remain six; `mosmetro`, the one on the signs of the Moscow underground, is what people write in
messages themselves ("esche", "obyekt", "novy") and the shortest of those that keep the sound of ъ and я. It
transliterates «Щ» and «Ё» with loss, which nobody reads back.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import iuliia  # type: ignore[import-untyped]  # it comes without types

SCHEMA = iuliia.schemas.get("mosmetro")

# Signs of good typography and what stands for them where the alphabet is GSM 7-bit.
PLAIN_SIGNS = str.maketrans(
    {
        "«": '"',
        "»": '"',
        "„": '"',
        "“": '"',
        "”": '"',
        "‘": "'",
        "’": "'",
        "—": "-",
        "–": "-",
        "−": "-",
        "‑": "-",
        "…": "...",
        "№": "N",
        "₽": "RUB",
        "•": "-",
        "·": "-",
        "×": "x",
        "`": "'",
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
    }
)

_CAPITALS = re.compile("[А-ЯЁ]{2,}")
# The schema writes -ий as -y, which is right for adjectives (Detsky) and wrong for nouns in the genitive plural:
# «опций» would be "optsy". Adjectives end so after few letters, and after н seldom behind a vowel.
_NOUN_ENDINGS = re.compile(r"(?:(?<=[аеоя]н)|(?<=лин)|(?<![кгхжшчщн])(?<!трет))ий\b", re.IGNORECASE)


def plain(text: str) -> str:
    """Replace typographic signs by those of the GSM alphabet; letters are left alone."""
    return text.translate(PLAIN_SIGNS)


@lru_cache(maxsize=4096)
def transliterate(text: str) -> str:
    """Write Russian `text` in Latin letters of the GSM alphabet. Remembered: give it words, never secrets."""
    # The schemas know a capital first letter only: ЯЗЫК would come out as YaZYK.
    shouted = _CAPITALS.sub(lambda word: _translate(word[0].lower()).upper(), text)
    return plain(_translate(shouted))


def _translate(text: str) -> str:
    translated: str = SCHEMA.translate(_NOUN_ENDINGS.sub("iy", text))
    return translated


def spelling(language: str, script: str) -> Callable[[str], str]:
    """How words of `language` are spelled in `script`; every pair but Russian in Cyrillic keeps to GSM 7-bit."""
    if language != "ru":
        return plain
    return transliterate if script == "latin" else str
