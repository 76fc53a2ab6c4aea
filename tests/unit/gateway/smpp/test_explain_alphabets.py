"""Text whose data_coding is wrong: what it may be besides, and that sound text is left in peace."""

import pytest

from gateway.smpp.explain import explain
from gateway.smpp.pdu import DeliverSm, encode
from gateway.smpp.text import encode_text

PACKED = encode_text("Your balance is 12.50 rub now", "gsm7-packed")


@pytest.mark.parametrize(
    ("octets", "data_coding", "alphabet", "text"),
    [
        (PACKED, 0x00, "gsm7-packed", "Your balance is 12.50 rub now"),
        (PACKED, 0xF1, "gsm7-packed", "Your balance is 12.50 rub now"),
        (PACKED, 0x08, "gsm7-packed", "Your balance is 12.50 rub now"),
        (b"Balance 5 rub", 0x08, "latin1", "Balance 5 rub"),
        ("Crédit épuisé à 5h".encode("latin-1"), 0x08, "latin1", "Crédit épuisé à 5h"),
        ("Ваш баланс".encode("utf-16-be"), 0x00, "ucs2", "Ваш баланс"),
        ("Ваш баланс".encode(), 0x00, "utf-8", "Ваш баланс"),
        ("Ваш баланс".encode(), 0x08, "utf-8", "Ваш баланс"),
    ],
)
def test_text_in_another_alphabet_than_data_coding_says(octets, data_coding, alphabet, text):
    assert f'; by its octets it may be {alphabet}: "{text}"' in note_of(octets, data_coding)


@pytest.mark.parametrize(
    ("octets", "data_coding"),
    [
        (b"Hello world", 0x00),
        (b"*105*1#", 0x00),
        (b"\x1b\x65 5 \x1b\x28x\x1b\x29 \x1b\x3c~\x1b\x3e", 0x00),
        (encode_text("Ünlü Ärger für Ça", "gsm7"), 0x00),
        ("Ваш баланс 5 руб.".encode("utf-16-be"), 0x08),
        ("你好，今天天气很好".encode("utf-16-be"), 0x08),
        ("日本語のテキスト".encode("utf-16-be"), 0x08),
        ("नमस्ते दुनिया".encode("utf-16-be"), 0x08),
        ("Crédit épuisé".encode("latin-1"), 0x03),
        (bytes(20), 0x00),
        (bytes(20), 0x08),
    ],
)
def test_text_that_makes_sense_is_not_doubted(octets, data_coding):
    assert "by its octets" not in note_of(octets, data_coding)


def note_of(octets: bytes, data_coding: int) -> str:
    frame = encode(DeliverSm(data_coding=data_coding, short_message=octets))
    [note] = [row.note for row in explain(frame).fields if row.name == "short_message"]
    return note
