import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.smpp.gsm7 import ESCAPE, EXTENSION, decode_gsm7, encode_gsm7, unpack_septets
from gateway.smpp.national import (
    LOCKING_SHIFT,
    PORTUGUESE,
    SINGLE_SHIFT,
    SPANISH,
    TURKISH,
    decode_national,
    encode_national,
)
from gateway.smpp.text import decode_text
from gateway.smpp.user_data_header import National, read_header

# User data of oFono's unit/test-sms.c, "… National Language … Shift Table Decode": number of septets, packed octets,
# tables, text. For each single shift table they are all of its characters; for a locking one, all 128 septets.
# Annex A as Android's GsmAlphabet.java and Firefox OS' gsm tables have it agrees.
ALL_SEPTETS = (
    "80806040 28180E88 8462C168 381E9088 6442A958 2E988C06 C4E9783E A0906844 2A994EA8 946AC56A B95EB098 6C46ABD9"
    "6EB89C6E C7EBF97E C0A07048 2C1A8FC8 A472C96C 3A9FD0A8 744AAD5A AFD8AC76 CBED7ABF E0B0784C 2E9BCFE8 B47ACD6E"
    "BBDFF0B8 7C4EAFDB EFF8BC7E CFEFFBFF"
)
OFONO = {
    "default": (21, "1BC58602DAA036A9CD6BC3DBF436BE0D705306", National(), "\f^ {}\\[~]|€"),
    "turkish locking": (
        128,
        ALL_SEPTETS,
        National(locking_shift=TURKISH),
        "@£$¥€éùıòÇ\nĞğ\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ŞşßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
        "İABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§çabcdefghijklmnopqrstuvwxyzäöñüà",
    ),
    "turkish single": (
        26,
        "1BC586B2416D529BD786B7E96D7C1BE002C8011318870E",
        National(TURKISH, TURKISH),
        "\f^{}\\[~]|ĞİŞç€ğış",
    ),
    "portuguese locking": (
        128,
        ALL_SEPTETS,
        National(locking_shift=PORTUGUESE),
        "@£$¥êéúíóç\nÔô\rÁáΔ_ªÇÀ∞^\\€Ó| ÂâÊÉ !\"#º%&'()*+,-./0123456789:;<=>?"
        "ÍABCDEFGHIJKLMNOPQRSTUVWXYZÃÕÚÜ§~abcdefghijklmnopqrstuvwxyzãõ`üà",
    ),
    "portuguese single": (
        49,
        "84C446B160381E1BC96662D9543696CD6583D9643C1BD42675D9F0C01B9F8602CC74B75C0EE68030ECF91D",
        National(PORTUGUESE, PORTUGUESE),
        "êç\fÔôÁáΦΓ^ΩΠΨΣΘÊ{}\\[~]|ÀÍÓÚÃÕÂ€íóúãõâ",
    ),
    "spanish single": (
        38,
        "9BC446B1A16C509BD4E6B5E16D7A1BDF06B8096E929BE7A6BA096FCA9BF4E6BDA903",
        National(SPANISH, SPANISH),
        "ç\f^{}\\[~]|ÁÍÓÚá€íóú",
    ),
}


@pytest.mark.parametrize("name", OFONO)
def test_tables_as_ofono_has_them(name: str):
    count, packed, national, text = OFONO[name]
    septets = unpack_septets(bytes.fromhex(packed))[:count]
    assert decode_national(septets, national) == text


def test_the_vectors_of_locking_shift_tables_are_complete():
    septets = unpack_septets(bytes.fromhex(ALL_SEPTETS))
    assert septets == bytes(range(128)).replace(b"\x1b", b" ")  # with a space where the escape is


@pytest.mark.parametrize(
    ("language", "own"),
    [(TURKISH, "ĞİŞçğış"), (SPANISH, "çÁÍÓÚáíóú"), (PORTUGUESE, "êçÔôÁáΦΓΩΠΨΣΘÊÀÍÓÚÃÕÂíóúãõâ")],
)
def test_a_single_shift_table_has_the_usual_extension_too(language: int, own: str):
    table = SINGLE_SHIFT[language]
    assert sorted(table.values()) == sorted([*EXTENSION.values(), *own])
    assert {code: table[code] for code in EXTENSION} == EXTENSION


@pytest.mark.parametrize("language", LOCKING_SHIFT)
def test_a_locking_shift_table_has_127_characters_and_the_escape(language: int):
    table = LOCKING_SHIFT[language]
    assert len(set(table)) == len(table) == 128
    assert table.index("\x1b") == ESCAPE


@pytest.mark.parametrize(
    ("single", "locking", "septets", "text"),
    [
        (TURKISH, 0, "1b47 1b69 47", "ĞıG"),
        (SPANISH, 0, "1b09 1b41 1b65", "çÁ€"),
        (TURKISH, TURKISH, "0c 1b67 40 1b65", "ğğİ€"),
        (0, TURKISH, "04 07 1b65", "€ı€"),
        (SPANISH, SPANISH, "00 1b61", "@á"),  # there is no Spanish locking table: the usual one
        (4, 9, "41 1b65", "A€"),  # tables that are not here: the usual ones
        (0xFF, 0xFF, "41", "A"),
        (TURKISH, 0, "1b42", "B"),  # nothing there: the septet itself
        (TURKISH, TURKISH, "1b60", "ç"),  # … in the locking table
        (TURKISH, 0, "1b1b 1b", "  "),
        (TURKISH, TURKISH, "80 ff", "\ufffd\ufffd"),
    ],
)
def test_texts_in_national_tables(single: int, locking: int, septets: str, text: str):
    assert decode_text(bytes.fromhex(septets), "gsm7", National(single, locking)) == text


def test_the_header_names_the_tables():
    """25 01 01 24 01 01 is the header that a Turkish phone sends (TS 23.040 §9.2.3.24.15, .16)."""
    octets = bytes.fromhex("06250101240101") + bytes.fromhex("1b49 40 0b")
    header = read_header(octets)
    assert header.national == National(TURKISH, TURKISH)
    assert decode_text(octets[header.octets :], "gsm7", header.national) == "İİĞ"


def test_other_alphabets_have_no_national_tables():
    assert decode_text(b"\x00A", "ucs2", National(TURKISH, TURKISH)) == "A"
    assert decode_text(b"\x07", "latin1", National(TURKISH, TURKISH)) == "\x07"


def test_packed_text_has_them():
    assert decode_text(bytes.fromhex("07"), "gsm7-packed", National(0, TURKISH)) == "ı"


TABLES = [National(single, locking) for single in range(4) for locking in range(4)]


@given(st.sampled_from(TABLES), st.data())
def test_round_trip_in_every_pair_of_tables(national: National, data: st.DataObject):
    characters = [*SINGLE_SHIFT.get(national.single_shift, EXTENSION).values()]
    characters += list(LOCKING_SHIFT.get(national.locking_shift, "abcXYZ@Δ_ 0").replace("\x1b", ""))
    text = data.draw(st.text(st.sampled_from(characters), max_size=60))
    septets = encode_national(text, national)
    assert all(septet < 0x80 for septet in septets)
    assert decode_national(septets, national) == text


@given(st.binary(max_size=60), st.sampled_from(TABLES))
def test_any_octets_can_be_read_in_any_tables(octets: bytes, national: National):
    assert isinstance(decode_text(octets, "gsm7", national), str)


@given(st.text("abc €{}ÄöñΔ@\n", max_size=60))
def test_the_usual_tables_are_number_0(text: str):
    assert encode_national(text, National()) == encode_gsm7(text)
    assert decode_national(encode_gsm7(text), National()) == decode_gsm7(encode_gsm7(text)) == text


def test_a_character_that_the_tables_lack():
    with pytest.raises(UnicodeEncodeError):
        encode_national("Ğ", National(SPANISH, 0))
