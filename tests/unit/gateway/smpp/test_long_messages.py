import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.smpp import pdu
from gateway.smpp.gsm7 import unpack_septets
from gateway.smpp.long_messages import (
    MAX_PAYLOAD_OCTETS,
    LongForm,
    SmsPart,
    read_part,
    sms_parts,
    split_octets,
)
from gateway.smpp.text import decode_text, encode_text
from gateway.smpp.user_data_header import National, Part
from tests.unit.gateway.smpp.long_texts import FORMS, IN_PARTS, joined, messages, texts

# --------------------------------------------------------------------------------------------------- out


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("text", "alphabet"), [("x" * 160, "gsm7"), ("x" * 160, "gsm7-packed"), ("я" * 70, "ucs2")]
)
def test_what_fits_goes_out_as_it_is(form: LongForm, text: str, alphabet: str):
    assert sms_parts(text, alphabet, 7, form) == [SmsPart(encode_text(text, alphabet), 0, {})]


@pytest.mark.parametrize(
    ("form", "alphabet", "text", "octets"),
    [
        ("udh8", "gsm7", "x" * 161, [6 + 153, 6 + 8]),
        ("udh16", "gsm7", "x" * 161, [7 + 152, 7 + 9]),
        ("sar", "gsm7", "x" * 161, [153, 8]),
        ("udh8", "gsm7-packed", "x" * 161, [140, 6 + 8]),  # 7 octets of packed text, and the fill bit
        ("udh16", "gsm7-packed", "x" * 161, [140, 7 + 8]),
        ("udh8", "ucs2", "я" * 71, [140, 6 + 8]),
        ("udh16", "ucs2", "я" * 71, [7 + 132, 7 + 10]),
        ("sar", "ucs2", "я" * 71, [134, 8]),
        ("udh8", "latin1", "é" * 141, [140, 6 + 7]),
        ("sar", "latin1", "é" * 141, [134, 7]),
    ],
)
def test_sizes_of_parts(form: LongForm, alphabet: str, text: str, octets: list[int]):
    assert [len(part.short_message) for part in sms_parts(text, alphabet, 1, form)] == octets


def test_parts_with_a_header_say_so():
    first, second = sms_parts("x" * 200, "gsm7", 0x1234, "udh8")
    assert (first.esm_class, first.tlvs) == (0x40, {})
    assert (first.short_message[:6].hex(), second.short_message[:6].hex()) == ("050003340201", "050003340202")
    first, second = sms_parts("x" * 200, "gsm7", 0x1234, "udh16")
    assert (first.short_message[:7].hex(), second.short_message[:7].hex()) == (
        "06080412340201",
        "06080412340202",
    )


def test_parts_with_TLVs():
    """Sizes of the values: sar_msg_ref_num two octets, the others one (SMPP 3.4 §5.3.2.22 to .24)."""
    first, second = sms_parts("x" * 200, "gsm7", 0x51234, "sar")
    assert first == SmsPart(b"x" * 153, 0, {0x020C: b"\x12\x34", 0x020E: b"\x02", 0x020F: b"\x01"})
    assert second == SmsPart(b"x" * 47, 0, {0x020C: b"\x12\x34", 0x020E: b"\x02", 0x020F: b"\x02"})


def test_everything_in_message_payload():
    assert sms_parts("я" * 71, "ucs2", 7, "payload") == [
        SmsPart(b"", 0, {0x0424: "я".encode("utf-16-be") * 71})
    ]
    longest = sms_parts("x" * MAX_PAYLOAD_OCTETS, "gsm7", 7, "payload")[0]
    whole = pdu.SubmitSm(tlvs=longest.tlvs, source_addr="7" * 20, destination_addr="7" * 20)
    assert len(pdu.encode(whole)) < 65536
    with pytest.raises(ValueError, match="64001 octets"):
        sms_parts("x" * (MAX_PAYLOAD_OCTETS + 1), "gsm7", 7, "payload")


@pytest.mark.parametrize("form", IN_PARTS)
def test_255_parts_are_the_most_in_every_form(form: LongForm):
    size = 152 if form == "udh16" else 153
    assert len(sms_parts("x" * size * 255, "gsm7", 0, form)) == 255
    with pytest.raises(ValueError, match="256 parts"):
        sms_parts("x" * (size * 255 + 1), "gsm7", 0, form)


def test_neither_form_nor_alphabet_are_guessed():
    with pytest.raises(KeyError):
        sms_parts("x" * 161, "gsm7", 0, "udh")
    with pytest.raises(KeyError):
        sms_parts("x", "ebcdic", 0, "udh8")
    with pytest.raises(UnicodeEncodeError):
        sms_parts("ы", "gsm7", 0, "udh8")


@given(texts, st.integers(0, 0xFFFF), st.sampled_from(IN_PARTS))
def test_each_part_can_be_read_alone(sample: tuple[str, str], reference: int, form: LongForm):
    """No escape pair, no surrogate pair, no letter and its accent are in two parts; no part is longer than an SMS."""
    alphabet, text = sample
    carried = messages(text, alphabet, reference, form)
    pieces = [read_part(message, alphabet)[1] for message in carried]
    read = [decode_text(piece, joined(alphabet)) for piece in pieces]
    assert "".join(read) == text
    assert not any(piece.startswith("\u0301") for piece in read[1:])
    limit = 160 if alphabet == "gsm7" else 140
    assert all(len(message.short_message) <= limit for message in carried)


def test_marks_stay_with_their_letter():
    family = "👨‍👩‍👧"  # three faces and two joiners: 8 units of UTF-16
    for text in (
        "я" * 66 + "e\u0301" + "я" * 9,
        "я" * 64 + family + "я" * 9,
        "я" * 66 + "👍🏽" + "я" * 9,
        "я" * 66 + "❤️",
    ):
        text = text.ljust(90)
        first = sms_parts(text, "ucs2", 1, "sar")[0].short_message.decode("utf-16-be")
        assert text.startswith(first)
        assert not any(lone in text[len(first)] for lone in "\u0301\u200d\ufe0f🏽")
        assert not first.endswith("\u200d")
        assert first == "я" * text.count("я", 0, 67)


def test_a_letter_with_more_marks_than_fit_is_cut():
    octets = ("e" + "\u0301" * 300).encode("utf-16-be")
    pieces = split_octets(octets, "ucs2", 134)
    assert b"".join(pieces) == octets
    assert [len(piece) for piece in pieces] == [134, 134, 134, 134, 66]


@given(st.text("a\u0301\u200d😀🏽", max_size=300), st.integers(4, 40))
def test_any_text_is_cut_into_pieces_that_get_on(text: str, limit: int):
    octets = text.encode("utf-16-be")
    pieces = split_octets(octets, "ucs2", limit)
    assert b"".join(pieces) == octets
    assert all(0 < len(piece) <= limit for piece in pieces[:-1])
    assert (
        "".join(piece.decode("utf-16-be") for piece in pieces) == text
    )  # no pair is cut, or this would not decode


# ------------------------------------------------------------------------------------------------ packed


def test_packed_text_begins_on_a_septet():
    """The EMS message of oFono's unit/test-sms.c: a header of 27 octets, six fill bits, 68 septets."""
    user_data = bytes.fromhex(
        "1A0A031906200A032104100A032705040A032E05080A043807002B"
        "8ACD29A85D9ECFC3E7F21C340EBB41E3B79B1E4EBB41697A989D1EB340E2379BCC02B1C3F27399059AB7C36C3628EC26"
        "83C66FF65B5E2683E8653C1D"
    )
    part, septets, national = read_part(pdu.DeliverSm(esm_class=0x40, short_message=user_data), "gsm7-packed")
    assert (part, national) == (None, None)
    assert decode_text(septets, "gsm7") == (
        "EMS messages can contain italic, bold, large, small and colored text"
    )


def test_packed_parts_have_fill_bits():
    first, second = sms_parts("x" * 161, "gsm7-packed", 0x42, "udh8")
    # TS 23.040 §9.2.3.24: 48 bits of header, one fill bit, then "x" (0x78) from bit 1 on
    assert first.short_message[6] == (0x78 << 1) & 0xFF
    assert unpack_septets(first.short_message[6:], 1) == b"x" * 153
    assert unpack_septets(second.short_message[6:], 1) == b"x" * 8
    wide, _ = sms_parts("x" * 161, "gsm7-packed", 0x42, "udh16")
    assert unpack_septets(wide.short_message[7:]) == b"x" * 152  # 56 bits are eight septets


@pytest.mark.parametrize("form", IN_PARTS)
@pytest.mark.parametrize("tail", ["", "\r", "\r\r", "€", "\r€", "€\r"])
def test_a_CR_at_the_end_of_a_packed_part_is_not_lost(form: LongForm, tail: str):
    for length in range(150, 155):
        text = "x" * length + tail + "\r" * 3 + "y" * 10
        carried = messages(text, "gsm7-packed", 1, form)
        pieces = [read_part(message, "gsm7-packed")[1] for message in carried]
        assert decode_text(b"".join(pieces), "gsm7") == text
        assert all(len(message.short_message) <= 140 for message in carried)


# ---------------------------------------------------------------------------------------------------- in

BODY = b"text"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (pdu.DeliverSm(short_message=BODY), (None, BODY, None)),
        (pdu.SubmitSm(short_message=BODY), (None, BODY, None)),
        (pdu.SubmitMulti(short_message=BODY), (None, BODY, None)),
        (pdu.DeliverSm(tlvs={0x0424: BODY}), (None, BODY, None)),
        (pdu.DataSm(tlvs={0x0424: BODY}), (None, BODY, None)),
        (pdu.DataSm(), (None, b"", None)),
        (pdu.DeliverSm(esm_class=0x40, short_message=b"\5\0\3\0\2\1" + BODY), (Part(0, 2, 1), BODY, None)),
        (pdu.DeliverSm(esm_class=0x40, short_message=b"\6\x08\4\0\0\2\1" + BODY), (Part(0, 2, 1), BODY, None)),
        (pdu.DataSm(esm_class=0x40, tlvs={0x0424: b"\5\0\3\7\2\2" + BODY}), (Part(7, 2, 2), BODY, None)),
        (pdu.DeliverSm(short_message=b"\5\0\3\0\2\1" + BODY), (None, b"\5\0\3\0\2\1" + BODY, None)),  # no UDHI
        (pdu.DeliverSm(esm_class=0x40, short_message=b"\3\x24\1\1" + BODY), (None, BODY, National(1, 0))),
        (pdu.DeliverSm(esm_class=0x40, short_message=b"\3\x25\1\3" + BODY), (None, BODY, National(0, 3))),
        (
            pdu.DeliverSm(esm_class=0x40, short_message=b"\x0b\x25\1\1\0\3\x42\3\2\x24\1\2" + BODY),
            (Part(0x42, 3, 2), BODY, National(2, 1)),
        ),
        (pdu.DeliverSm(esm_class=0x40, short_message=b"\4\x24\2\1\1" + BODY), (None, BODY, None)),  # two octets
        (pdu.DeliverSm(esm_class=0x40, short_message=b"\3\x24\2\1" + BODY), (None, BODY, None)),  # cut off
        (pdu.DeliverSm(esm_class=0x40, short_message=b"\6\x24\1\1\x24\1\2" + BODY), (None, BODY, National(2, 0))),
    ],
)  # fmt: skip
def test_what_a_message_carries(message: pdu.Pdu, expected: tuple):
    assert read_part(message) == expected


@pytest.mark.parametrize(
    ("reference", "total", "number", "part"),
    [
        (b"\0\0", b"\2", b"\1", Part(0, 2, 1)),
        (b"\x12\x34", b"\2", b"\2", Part(0x1234, 2, 2)),
        (b"\x34", b"\2", b"\2", Part(0x34, 2, 2)),
        (b"\0\7", b"\1", b"\1", Part(7, 1, 1)),
        (b"\0\7", b"\2", b"\3", None),
        (b"\0\7", b"\2", b"\0", None),
        (b"\0\7", b"\0", b"\0", None),
        (b"", b"\2", b"\1", None),
        (None, b"\2", b"\1", None),
        (b"\0\7", None, b"\1", None),
        (b"\0\7", b"\2", None, None),
        (b"\0" * 9, b"\2", b"\1", None),
        (b"\0\7", b"\0\2", b"\1", None),
    ],
)
def test_SAR_TLVs(reference: bytes | None, total: bytes | None, number: bytes | None, part: Part | None):
    values = {0x020C: reference, 0x020E: total, 0x020F: number}
    tlvs = {tag: value for tag, value in values.items() if value is not None}
    assert read_part(pdu.DeliverSm(short_message=BODY, tlvs=tlvs)) == (part, BODY, None)


def test_the_header_wins_over_the_TLVs():
    tlvs = {0x020C: b"\0\1", 0x020E: b"\2", 0x020F: b"\2"}
    message = pdu.DeliverSm(esm_class=0x40, short_message=b"\5\0\3\x42\3\1" + BODY, tlvs=tlvs)
    assert read_part(message)[0] == Part(0x42, 3, 1)
    ports = pdu.DeliverSm(esm_class=0x40, short_message=b"\6\5\4\x0b\x84\x23\xf0" + BODY, tlvs=tlvs)
    assert read_part(ports) == (Part(1, 2, 2), BODY, None)


@given(
    st.binary(max_size=60),
    st.dictionaries(st.sampled_from([0x020C, 0x020E, 0x020F, 0x0424]), st.binary(max_size=4)),
)
def test_any_octets_can_be_read_as_a_part(octets: bytes, tlvs: dict[int, bytes]):
    message = pdu.DeliverSm(esm_class=0x40, short_message=octets, tlvs=tlvs)
    part, body, _ = read_part(message)
    assert (octets or tlvs.get(0x0424, b"")).endswith(body)
    assert part is None or 1 <= part.number <= part.total <= 255
    read_part(message, "gsm7-packed")
