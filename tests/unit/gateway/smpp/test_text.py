import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.smpp.gsm7 import BASIC, EXTENSION
from gateway.smpp.text import ALPHABET_BY_DCS, ALPHABETS, decode_text, encode_text, measure

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
    assert decode_text(encode_text(text, "ucs2"), "ucs2") == text


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
