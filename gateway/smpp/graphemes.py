"""Between which characters a text may be cut: Unicode's UAX #29 in as much as occurs in messages."""

import unicodedata

_ZERO_WIDTH_JOINER = "\u200d"
_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))


def belongs_to_previous(text: str, place: int) -> bool:
    """Whether a reader sees the character at ``place``, from 1, as a part of what stands before it.

    Accents, variation selectors, joined emoji, skin tones, tags, and the second letter of a flag.
    """
    sign = text[place]
    if _ZERO_WIDTH_JOINER in (sign, text[place - 1]) or unicodedata.category(sign)[0] == "M":
        return True
    if "\U0001f3fb" <= sign <= "\U0001f3ff" or "\U000e0020" <= sign <= "\U000e007f":
        return True
    return sign in _FLAG_LETTERS and _flag_letters_before(text, place) % 2 == 1


def _flag_letters_before(text: str, place: int) -> int:
    return place - len(text[:place].rstrip(_FLAG_LETTERS))
