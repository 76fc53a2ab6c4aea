"""The tables of docs/reference/text.md are those of the code."""

import re

import pytest

from gateway.smpp.long_messages import MAX_PAYLOAD_OCTETS, sms_parts
from gateway.smpp.national import LOCKING_SHIFT, SINGLE_SHIFT
from gateway.smpp.receipts import MESSAGE_TYPES, RECEIPT_STATES
from gateway.smpp.text import ALPHABET_BY_DCS, ALPHABETS, SENT_ALPHABETS
from tests.docs.pages import ROOT, prose

PAGE = prose(ROOT / "docs/reference/text.md")
PART = {"gsm7": "x", "ucs2": "я", "others": "x"}
OCTETS = {"gsm7": 1, "ucs2": 2, "others": 1}


def rows(head: str) -> list[list[str]]:
    """The cells of the first table behind the line that begins with `head`, without marks of code."""
    table = re.search(r"\n\|[- |]+\|\n((?:\|.*\n)+)", PAGE[PAGE.index(f"\n{head}") :])[1]
    return [
        [cell.strip().replace("`", "") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in table.splitlines()
    ]


def test_alphabets():
    assert {row[0]: row[1] for row in rows("## Alphabets")} == {
        name: "yes" if name in SENT_ALPHABETS else "no" for name in ALPHABETS
    }


@pytest.mark.parametrize("base", ALPHABET_BY_DCS)
def test_data_coding(base: str):
    listed = {}
    for codings, alphabet in rows(f"**{base}**"):
        first, _, last = codings.partition("–")
        listed |= dict.fromkeys(range(int(first, 16), int(last or first, 16) + 1), alphabet)
    assert listed == ALPHABET_BY_DCS[base]


def test_what_a_part_holds():
    for form, *sizes, _ in rows("## Lengths"):
        for (name, character), size in zip(PART.items(), map(int, sizes), strict=True):
            alphabet = "latin1" if name == "others" else name
            if form == "payload":
                assert size == MAX_PAYLOAD_OCTETS // OCTETS[name]
                continue
            first = sms_parts(character * 200, alphabet, 1, form)[0]
            header = first.short_message[0] + 1 if first.esm_class else 0
            assert (len(first.short_message) - header) // OCTETS[name] == size, f"{form}, {name}"


def test_national_languages():
    for language, number, single, locking in rows("## National"):
        assert (single == "yes") == (int(number) in SINGLE_SHIFT), language
        assert (locking == "yes") == (int(number) in LOCKING_SHIFT), language
    assert len(rows("## National")) == len(SINGLE_SHIFT)


def test_what_a_message_is():
    assert {int(row[0], 16): row[1] for row in rows("What a message is")} == MESSAGE_TYPES


def test_states_of_receipts():
    assert {row[0]: row[1] == "yes" for row in rows("A receipt is read")} == RECEIPT_STATES
