import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.smpp.gsm7 import BASIC, EXTENSION
from gateway.smpp.text import (
    ALPHABET_BY_DCS,
    ALPHABETS,
    SENT_ALPHABETS,
    alphabet_for,
    data_coding_table,
    decode_text,
    encode_text,
    measure,
    sending_table,
)

GSM7_CHARACTERS = [char for char in BASIC if char != "\x1b"] + list(EXTENSION.values())
gsm7_text = st.text(st.sampled_from(GSM7_CHARACTERS), max_size=200)
any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@pytest.mark.parametrize(
    ("text", "alphabet", "length"),
    [
        ("", "gsm7", 0),
        ("Balance: 10.50", "gsm7", 14),
        ("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤§¿äöñüà", "gsm7", 39),
        ("^{}\\[~]|€\f", "gsm7", 20),
        ("100 € and a {list}", "gsm7", 21),
        ("Баланс", "ucs2", 6),
        ("Баланс {x} €", "ucs2", 12),
        ("latin with ` in it", "ucs2", 18),
        ("€ first, then ы", "ucs2", 15),
        ("😀", "ucs2", 2),
        ("a😀b👍🏽", "ucs2", 8),
        ("\x1b", "ucs2", 1),
        ("\x00", "ucs2", 1),
        ("\ud800", "ucs2", 1),
    ],
)
def test_measure(text: str, alphabet: str, length: int):
    assert measure(text) == (alphabet, length)


def test_a_screen_of_182_septets_and_one_cyrillic_letter():
    assert measure("x" * 182) == ("gsm7", 182)
    assert measure("x" * 181 + "ы") == ("ucs2", 182)


@given(any_text)
def test_measure_counts_what_encode_text_writes(text: str):
    alphabet, length = measure(text)
    octets = encode_text(text, alphabet)
    assert length == len(octets) // (2 if alphabet == "ucs2" else 1)
    assert decode_text(octets, alphabet) == text


@given(gsm7_text)
def test_gsm7_text_is_measured_in_septets(text: str):
    assert measure(text) == ("gsm7", len(encode_text(text, "gsm7")))


@given(any_text)
def test_ucs2_keeps_surrogate_pairs(text: str):
    text = text.lstrip("\ufeff\ufffe")
    assert decode_text(encode_text(text, "ucs2"), "ucs2") == text


@pytest.mark.parametrize("octets", ["FEFF 0031 0416", "FFFE 3100 1604"])
def test_a_byte_order_mark_is_obeyed_and_is_no_text(octets: str):
    """RFC 2781 §3.3; Java's "UTF-16" writes the first of them."""
    assert decode_text(bytes.fromhex(octets), "ucs2") == "1Ж"


def test_half_a_surrogate_pair_does_not_stop_anybody():
    assert encode_text("a\ud83d", "ucs2") == b"\x00a\x00?"
    assert decode_text(b"\xd8\x3d\x00a", "ucs2").endswith("a")


@given(st.binary(max_size=200), st.sampled_from(ALPHABETS))
def test_any_octets_can_be_read_in_any_alphabet(octets: bytes, alphabet: str):
    assert isinstance(decode_text(octets, alphabet), str)


@pytest.mark.parametrize(
    ("alphabet", "text", "octets"),
    [
        ("latin1", "Grüße", "4772fcdf65"),
        ("iso8859-5", "Баланс", "b1d0dbd0dde1"),
        ("ascii", "*100#", "2a31303023"),
        ("ucs2", "Ж😀", "0416d83dde00"),
        ("gsm7", "@€", "001b65"),
    ],
)
def test_octets_of_each_alphabet(alphabet: str, text: str, octets: str):
    assert encode_text(text, alphabet).hex() == octets
    assert decode_text(bytes.fromhex(octets), alphabet) == text


@pytest.mark.parametrize(
    ("alphabet", "text"), [("gsm7", "ы"), ("gsm7-packed", "`"), ("latin1", "ы"), ("ascii", "é")]
)
def test_a_character_that_the_alphabet_lacks(alphabet: str, text: str):
    with pytest.raises(UnicodeEncodeError):
        encode_text(text, alphabet)


def test_there_are_no_other_alphabets():
    with pytest.raises(KeyError):
        encode_text("x", "ebcdic")
    with pytest.raises(KeyError):
        decode_text(b"x", "ebcdic")


# ------------------------------------------------------------------------------------------- data_coding


@pytest.mark.parametrize(
    ("table", "data_coding", "alphabet"),
    [
        ("sms", 0x00, "gsm7"),
        ("sms", 0x01, "ascii"),
        ("sms", 0x02, None),
        ("sms", 0x03, "latin1"),
        ("sms", 0x04, None),
        ("sms", 0x06, "iso8859-5"),
        ("sms", 0x08, "ucs2"),
        ("sms", 0x10, "gsm7"),
        ("sms", 0x18, "ucs2"),
        ("sms", 0x28, None),
        ("sms", 0x48, "ucs2"),
        ("sms", 0x5C, None),
        ("sms", 0x68, None),
        ("sms", 0xC8, "gsm7"),
        ("sms", 0xE0, "ucs2"),
        ("sms", 0xF0, "gsm7"),
        ("sms", 0xF5, "latin1"),
        ("cbs", 0x00, "gsm7"),
        ("cbs", 0x08, "ucs2"),
        ("cbs", 0x0F, "gsm7"),
        ("cbs", 0x10, "gsm7-language"),
        ("cbs", 0x11, "ucs2-language"),
        ("cbs", 0x15, None),
        ("cbs", 0x44, "latin1"),
        ("cbs", 0x48, "ucs2"),
        ("cbs", 0x4C, None),
        ("cbs", 0x58, "ucs2"),
        ("cbs", 0xF0, "gsm7"),
        ("cbs", 0xF4, "latin1"),
    ],
)
def test_data_coding(table: str, data_coding: int, alphabet: str | None):
    assert ALPHABET_BY_DCS[table].get(data_coding) == alphabet


def test_every_alphabet_in_the_tables_can_be_read():
    for table in ALPHABET_BY_DCS.values():
        assert set(table.values()) <= set(ALPHABETS)


@pytest.mark.parametrize(
    ("octets", "alphabet", "text"),
    [
        (b"ru\r*100#", "gsm7-language", "*100#"),
        (b"*100#", "gsm7-language", "*100#"),
        (b"\xf2\x3a" + "Да".encode("utf-16-be"), "ucs2-language", "Да"),
        ("Да".encode("utf-16-be"), "ucs2-language", "Да"),
        (b"\x00*\x001\x00#", "ucs2-language", "*1#"),
        (b"", "ucs2-language", ""),
    ],
)
def test_the_language_in_front_is_no_text(octets: bytes, alphabet: str, text: str):
    assert decode_text(octets, alphabet) == text


# -------------------------------------------------------------------------------------- tables of a link


def test_a_link_without_wishes_has_the_built_in_table():
    for base in ("sms", "cbs"):
        assert data_coding_table(base) == ALPHABET_BY_DCS[base]


def test_a_link_says_what_differs():
    table = data_coding_table("sms", {0x00: "latin1", "0x04": "ucs2", "15": "gsm7-packed", "0xF5": "binary"})
    assert (table[0x00], table[0x04], table[15]) == ("latin1", "ucs2", "gsm7-packed")
    assert 0xF5 not in table
    assert table[0x08] == "ucs2"
    assert ALPHABET_BY_DCS["sms"][0x00] == "gsm7"


@pytest.mark.parametrize(
    ("base", "overrides", "problem"),
    [
        ("sms", {0: "latin-1"}, "unknown alphabet latin-1; did you mean latin1?"),
        ("sms", {0: "gsm"}, "unknown alphabet gsm; did you mean gsm7?"),
        ("sms", {0: "klingon"}, "unknown alphabet klingon; there are gsm7, gsm7-packed, gsm7-language, ucs2"),
        ("sns", {}, "unknown data_coding table sns; did you mean sms?"),
        ("ussd", {}, "unknown data_coding table ussd; there are sms, cbs"),
        ("sms", {256: "gsm7"}, "256 is no data_coding; it is a number from 0x00 to 0xFF"),
        ("sms", {"0x1g": "gsm7"}, "0x1g is no data_coding"),
        ("sms", {-1: "gsm7"}, "-1 is no data_coding"),
        ("sms", {True: "gsm7"}, "True is no data_coding"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(base: str, overrides: dict, problem: str):
    with pytest.raises(ValueError, match=re.escape(problem)):
        data_coding_table(base, overrides)


def test_a_link_sends_gsm7_and_ucs2_if_nothing_else_is_said():
    assert sending_table() == {"gsm7": 0x00, "ucs2": 0x08}


@pytest.mark.parametrize(
    ("codings", "text", "alphabet"),
    [
        ({"gsm7": 0, "ucs2": 8}, "Grüße", "gsm7"),
        ({"gsm7": 0, "ucs2": 8}, "Баланс", "ucs2"),
        ({"latin1": 3, "ucs2": 8}, "Grüße", "latin1"),
        ({"latin1": 3, "ucs2": 8}, "Grüße €", "ucs2"),
        ({"ascii": 1, "latin1": 3, "iso8859-5": 6, "ucs2": 8}, "*100#", "ascii"),
        ({"ascii": 1, "latin1": 3, "iso8859-5": 6, "ucs2": 8}, "Баланс", "iso8859-5"),
        ({"ascii": 1, "latin1": 3, "iso8859-5": 6, "ucs2": 8}, "Баланс é", "ucs2"),
        ({"ucs2": 8}, "plain", "ucs2"),
    ],
)
def test_the_first_alphabet_that_has_every_character(codings: dict[str, int], text: str, alphabet: str):
    assert alphabet_for(text, sending_table(codings)) == alphabet


@given(any_text)
def test_by_default_it_is_the_alphabet_that_measure_tells(text: str):
    assert alphabet_for(text) == measure(text)[0]


def test_a_link_that_cannot_say_it():
    with pytest.raises(UnicodeEncodeError):
        alphabet_for("Баланс", {"gsm7": 0, "latin1": 3})


@pytest.mark.parametrize(
    ("codings", "problem"),
    [
        ({"ucs-2": 8}, "unknown alphabet ucs-2; did you mean ucs2?"),
        (
            {"ucs2-language": 0x11},
            "unknown alphabet ucs2-language; there are gsm7, gsm7-packed, ucs2, latin1",
        ),
        ({"gsm7": 300}, "300 is no data_coding"),
        ({}, "a link needs an alphabet to send in"),
    ],
)
def test_what_is_wrong_with_a_sending_table_is_said(codings: dict, problem: str):
    with pytest.raises(ValueError, match=re.escape(problem)):
        sending_table(codings)


@pytest.mark.parametrize("alphabet", SENT_ALPHABETS)
@given(data=st.data())
def test_round_trip_in_every_alphabet(alphabet: str, data: st.DataObject):
    if alphabet == "ucs2":
        text = data.draw(any_text)
    elif alphabet.startswith("gsm7"):
        text = data.draw(gsm7_text).replace("\r", "")  # which packing doubles or takes for filling
    else:
        text = data.draw(
            st.text(st.characters(codec={"latin1": "latin-1"}.get(alphabet, alphabet)), max_size=100)
        )
    assert decode_text(encode_text(text, alphabet), alphabet) == text
