"""Hexadecimal in the forms in which people have it."""

import pytest

from gateway.dumps.hex_text import HexError, read_dumps, read_hex

NACK = bytes.fromhex("00000010800000000000000300000008")
TEXT = b"0000 1111 2222  3333 abcd"


@pytest.mark.parametrize(
    "text",
    [
        "00000010800000000000000300000008",
        "00000010 80000000 00000003 00000008",
        "00:00:00:10:80:00:00:00:00:00:00:03:00:00:00:08",
        "0x00000010 0x80000000 0x00000003 0x00000008",
        r"b'\x00\x00\x00\x10\x80\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x08'",
        "{0x00,0x00,0x00,0x10,0x80,0x00,0x00,0x00,\n 0x00,0x00,0x00,0x03,0x00,0x00,0x00,0x08};",
        "00-00-00-10-80-00-00-00-00-00-00-03-00-00-00-08",
        "0000 0010 8000 0000\n0000 0003 0000 0008\n",
        "00000000: 0000 0010 8000 0000 0000 0003 0000 0008  ................",
        "00000000: 0000 0010 8000 0000  ........\n00000008: 0000 0003 0000 0008  ........",
        "00000000  00 00 00 10 80 00 00 00  00 00 00 03 00 00 00 08  |................|\n00000010",
        "\t0x0000:  0000 0010 8000 0000 0000 0003 0000 0008  ................",
        "000000 00 00 00 10 80 00 00 00 00 00 00 03 00 00 00 08\n000010",
        "Reassembled TCP (16 bytes):\n0000  00 00 00 10 80 00 00 00 00 00 00 03 00 00 00 08   ................",
        "0000   00 00 00 10 80 00 00 00 00 00 00 03 00 00 00 08   ................",
    ],
)
def test_the_same_octets(text):
    assert read_hex(text) == NACK


def test_characters_beside_the_octets_are_no_octets():
    assert (
        read_hex(
            "00000000: 3030 3030 2031 3131 3120 3232 3232 2020  0000 1111 2222  \n"
            "00000010: 3333 3333 2061 6263 64                   3333 abcd\n"
        )
        == TEXT
    )


def test_an_offset_of_zero_begins_another_dump():
    dump = "0000   00 00 00 10 80 00 00 00 00 00 00 03 00 00 00 08   ................\n"
    assert read_dumps(dump + "\n" + dump) == [NACK, NACK]


def test_octets_that_look_like_an_offset_are_octets():
    enquire_link = "00000010 00000015 00000000 00000001\n"
    assert read_dumps(enquire_link * 2) == [bytes.fromhex(enquire_link) * 2]


def test_nothing_is_no_octets():
    assert read_hex("") == read_hex(" \n\n") == b""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("00 zz", "line 1: 'zz' is not hexadecimal"),
        ("00\n0", "line 2: 1 digits: an octet has two"),
        ("what is this?", "line 1: 'wh' is not hexadecimal"),
    ],
)
def test_what_is_no_hexadecimal(text, said):
    with pytest.raises(HexError) as refused:
        read_hex(text)
    assert str(refused.value) == said
