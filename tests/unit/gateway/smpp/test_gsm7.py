import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.smpp.gsm7 import BASIC, EXTENSION, decode_gsm7, encode_gsm7, pack_septets, unpack_septets

CHARACTERS = [char for char in BASIC if char != "\x1b"] + list(EXTENSION.values())
texts = st.text(st.sampled_from(CHARACTERS), max_size=200)
septets = st.binary(max_size=200).map(lambda octets: bytes(octet & 0x7F for octet in octets))


def test_the_alphabet_has_127_characters_and_an_escape():
    assert len(BASIC) == 128
    assert len(set(BASIC)) == 128
    assert BASIC[0x1B] == "\x1b"


# Rows of the two tables of TS 23.038 (§6.2.1, §6.2.1.1), picked by hand.
CODES = {
    "@": 0x00, "$": 0x02, "Ç": 0x09, "Δ": 0x10, "_": 0x11, "Ξ": 0x1A, "É": 0x1F, "#": 0x23, "¤": 0x24, "*": 0x2A,
    "0": 0x30, "¡": 0x40, "A": 0x41, "Ü": 0x5E, "§": 0x5F, "¿": 0x60, "z": 0x7A, "à": 0x7F,
}  # fmt: skip
CODES_BEHIND_ESCAPE = {
    "\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65,
}  # fmt: skip


@pytest.mark.parametrize("char", CODES)
def test_characters_where_the_table_has_them(char: str):
    assert encode_gsm7(char) == bytes([CODES[char]])
    assert decode_gsm7(bytes([CODES[char]])) == char


@pytest.mark.parametrize("char", CODES_BEHIND_ESCAPE)
def test_extension_characters(char: str):
    assert encode_gsm7(char) == bytes([0x1B, CODES_BEHIND_ESCAPE[char]])
    assert decode_gsm7(bytes([0x1B, CODES_BEHIND_ESCAPE[char]])) == char


@given(texts)
def test_round_trip(text: str):
    assert decode_gsm7(encode_gsm7(text)) == text


@given(texts)
def test_no_octet_is_above_0x7F(text: str):
    assert all(octet < 0x80 for octet in encode_gsm7(text))


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"a\x1bAb", "aAb"),  # not in the extension table: the basic one
        (b"a\x1b\x1bb", "a b"),  # an escape behind an escape is a space
        (b"a\x1b", "a "),
        (b"\x1b", " "),
        (b"\x1b\x1b\x1b", "  "),
        (b"\x1b\x00", "@"),
        (b"a\x80b\xff", "a\ufffdb\ufffd"),
        (b"\x1b\x80", "\ufffd"),
        (b"\x1be\x1be", "€€"),
    ],
)
def test_what_no_encoder_writes_can_be_read(octets: bytes, text: str):
    assert decode_gsm7(octets) == text


# --------------------------------------------------------------------------------------------- packed


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        ("", ""),
        ("hello", "e8329bfd06"),
        ("hellohello", "e8329bfd4697d9ec37"),  # a well-known example: ten septets, nine octets
        ("*100#", "aa180c3602"),
        ("12345678", "31d98c56b3dd70"),
        ("1234567", "31d98c56b3dd1a"),  # seven spare bits: a CR in them (TS 23.038 §6.1.2.3.1)
        ("1234567\r", "31d98c56b3dd1a0d"),  # a CR that is meant, on the boundary: a second one
        ("123456\r", "31d98c56b3351a"),
        ("@", "00"),
        ("@@@@@@@@", "00000000000000"),
    ],
)
def test_packed_octets(text: str, packed: str):
    assert pack_septets(encode_gsm7(text)).hex() == packed
    read = decode_gsm7(unpack_septets(bytes.fromhex(packed)))
    # The doubled CR is read as two, which a phone performs with the same result (§6.1.2.3.1).
    assert read == (text + "\r" if text == "1234567\r" else text)


@given(septets)
def test_packed_round_trip(octets: bytes):
    read = unpack_septets(pack_septets(octets))
    if len(octets) % 8 == 0 and octets.endswith(b"\r"):
        octets += b"\r"
    assert read == octets


@given(septets)
def test_packing_saves_one_octet_in_eight(octets: bytes):
    assert len(pack_septets(octets)) <= len(octets) * 7 // 8 + 1


def test_a_full_screen_is_160_octets():
    assert len(pack_septets(b"x" * 182)) == 160
    assert len(pack_septets(b"x" * 183)) == 161
