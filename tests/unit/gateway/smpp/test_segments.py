import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.smpp.gsm7 import BASIC, EXTENSION
from gateway.smpp.long_messages import split_octets
from gateway.smpp.text import decode_text, encode_text, measure, segments
from gateway.smpp.user_data_header import Part, encode_udh, parse_udh

GSM7_CHARACTERS = [char for char in BASIC if char != "\x1b"] + list(EXTENSION.values()) * 4
gsm7_text = st.text(st.sampled_from(GSM7_CHARACTERS), max_size=900)
ucs2_text = st.text(st.sampled_from("абвгд 😀👍x"), max_size=500)


@pytest.mark.parametrize(
    ("text", "alphabet", "sizes"),
    [
        ("", "gsm7", [0]),
        ("x" * 160, "gsm7", [160]),
        ("x" * 161, "gsm7", [6 + 153, 6 + 8]),
        ("x" * 152 + "€" + "x" * 20, "gsm7", [6 + 152, 6 + 22]),
        ("я" * 70, "ucs2", [140]),
        ("я" * 71, "ucs2", [6 + 134, 6 + 8]),
        ("я" * 66 + "😀" + "я" * 10, "ucs2", [6 + 132, 6 + 24]),
        ("é" * 140, "latin1", [140]),
        ("é" * 141, "latin1", [6 + 134, 6 + 7]),
    ],
)
def test_sizes(text: str, alphabet: str, sizes: list[int]):
    assert [len(part) for part in segments(text, alphabet, reference=1)] == sizes


def test_headers_of_8_and_of_16_bits():
    first, second = segments("x" * 200, "gsm7", reference=0x1234)
    assert (first[:6].hex(), second[:6].hex()) == ("050003340201", "050003340202")
    first, second = segments("x" * 200, "gsm7", reference=0x1234, wide=True)
    assert (first[:7].hex(), second[:7].hex()) == ("06080412340201", "06080412340202")
    assert len(first) == 7 + 152


def test_255_parts_are_the_most():
    assert len(segments("x" * 153 * 255, "gsm7", reference=0)) == 255
    with pytest.raises(ValueError, match="256 parts"):
        segments("x" * (153 * 255 + 1), "gsm7", reference=0)


@given(gsm7_text | ucs2_text, st.integers(0, 0xFFFF), st.booleans())
def test_parts_read_one_by_one_give_the_text(text: str, reference: int, wide: bool):
    alphabet, _ = measure(text)
    parts = segments(text, alphabet, reference, wide=wide)
    assert all(len(part) <= (160 if alphabet == "gsm7" else 140) for part in parts)
    if len(parts) == 1:
        assert decode_text(parts[0], alphabet) == text
        return
    read = [parse_udh(part) for part in parts]
    number = reference if wide else reference & 0xFF
    assert [part for part, _ in read] == [Part(number, len(parts), at) for at in range(1, len(parts) + 1)]
    # Decoded each on its own: no escape and no surrogate pair is cut in half.
    assert "".join(decode_text(body, alphabet) for _, body in read) == text


@given(gsm7_text, st.integers(2, 200))
def test_pieces_are_full_except_for_a_pair(text: str, limit: int):
    pieces = split_octets(encode_text(text, "gsm7"), "gsm7", limit)
    assert all(len(piece) >= limit - 1 for piece in pieces[:-1])


@pytest.mark.parametrize(
    ("octets", "part", "body"),
    [
        ("", None, ""),
        ("05", None, "05"),
        ("0500034201", None, "0500034201"),  # says five, has four
        ("050003420201 2a", Part(0x42, 2, 1), "2a"),
        ("050003000101", Part(0, 1, 1), ""),  # reference 0 is one like any other
        ("060804123403032a", Part(0x1234, 3, 3), "2a"),
        ("050003420203 2a", None, "2a"),  # part 3 of 2
        ("050003420200 2a", None, "2a"),  # part 0
        ("050003420000 2a", None, "2a"),
        ("0605040b8423f0 2a", None, "2a"),  # ports only
        ("0b0504158a0000 0003420201 2a", Part(0x42, 2, 1), "2a"),  # ports, then a part
        ("0400034202 2a", None, "2a"),  # element cut off by the header's end
        ("00 2a", None, "2a"),
    ],
)
def test_headers_read(octets: str, part: Part | None, body: str):
    assert parse_udh(bytes.fromhex(octets)) == (part, bytes.fromhex(body))


@given(st.binary(max_size=40))
def test_any_octets_can_be_read_as_a_header(octets: bytes):
    _, body = parse_udh(octets)
    assert octets.endswith(body)


@given(st.integers(0, 0xFFFF), st.integers(1, 255), st.data(), st.booleans())
def test_header_round_trip(reference: int, total: int, data: st.DataObject, wide: bool):
    part = Part(reference if wide else reference & 0xFF, total, data.draw(st.integers(1, total)))
    assert parse_udh(encode_udh(part, wide=wide) + b"body") == (part, b"body")
