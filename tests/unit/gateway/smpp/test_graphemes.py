"""Which characters a reader sees as one."""

import pytest

from gateway.smpp.graphemes import belongs_to_previous
from gateway.smpp.long_messages import split_octets

ENGLAND = "🏴" + "".join(chr(0xE0000 + ord(sign)) for sign in "gbeng") + "\U000e007f"
WHOLES = ["ы", "e\u0301", "и\u0306", "☺\ufe0f", "👍🏽", "👨‍👩‍👧", "🇷🇺", "𝄞", ENGLAND]


@pytest.mark.parametrize("one", WHOLES, ids=ascii)
@pytest.mark.parametrize("other", WHOLES, ids=ascii)
def test_what_is_seen_as_one_is_parted_only_from_others(one: str, other: str):
    text = one + other
    parted = [place for place in range(1, len(text)) if not belongs_to_previous(text, place)]
    assert parted == [len(one)]


def test_flags_in_a_row_are_pairs_of_letters():
    text = "🇷🇺" * 20
    assert [belongs_to_previous(text, place) for place in range(1, len(text))] == [True, False] * 19 + [True]


@pytest.mark.parametrize("whole", WHOLES, ids=ascii)
@pytest.mark.parametrize("before", range(2))
def test_no_part_of_a_message_ends_within_one(whole: str, before: int):
    octets = ("я" * before + whole * 80).encode("utf-16-be")
    pieces = [piece.decode("utf-16-be") for piece in split_octets(octets, "ucs2", 134)]
    assert "".join(pieces) == "я" * before + whole * 80
    assert all(piece.endswith(whole) for piece in pieces), pieces
