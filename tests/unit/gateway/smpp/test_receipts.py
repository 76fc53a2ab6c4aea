import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.smpp import pdu
from gateway.smpp.receipts import (
    Receipt,
    decode_receipt,
    encode_receipt,
    message_key,
    message_keys,
    read_receipt,
    receipt_tlvs,
)

FULL = Receipt("0123456789", "DELIVRD", "000", 1, 1, "2401312359", "2402010000", "Your balance")
APPENDIX_B = (
    b"id:0123456789 sub:001 dlvrd:001 submit date:2401312359 done date:2402010000 stat:DELIVRD err:000 "
    b"text:Your balance"
)


def test_text_form_of_appendix_b():
    assert encode_receipt(FULL) == APPENDIX_B
    assert decode_receipt(APPENDIX_B) == FULL


@pytest.mark.parametrize(
    ("octets", "receipt"),
    [
        (b"id:7F stat:UNDELIV err:12", Receipt("7F", "UNDELIV", "12", 0, 0)),
        (b"ID:7F Stat:delivrd Err:0A1 Text:", Receipt("7F", "DELIVRD", "0A1", 0, 0)),
        (b"id: 7F  sub:1 dlvrd:x", Receipt("7F", "UNKNOWN", "000", 1, 0)),
        (b"id:1 stat:EXPIRED text:id:2 stat:DELIVRD", Receipt("1", "EXPIRED", text="id:2 stat:DELIVRD", submitted=0)),
        (b"id:795920026 sub:001 dlvrd:001 submit date:200319131913 done date:200319131914 stat:DELIVRD err:000 text:",
         Receipt("795920026", "DELIVRD", "000", 1, 1, "200319131913", "200319131914")),
    ],
)  # fmt: skip
def test_text_forms_seen_in_the_field(octets: bytes, receipt: Receipt):
    assert decode_receipt(octets) == receipt


@pytest.mark.parametrize("octets", [b"", b"hello", b"id:", b"bid:7F", b"stat:DELIVRD", b"\xff\x00id"])
def test_no_receipt(octets: bytes):
    assert decode_receipt(octets) is None


@given(st.binary(max_size=200))
def test_any_octets_can_be_read(octets: bytes):
    decode_receipt(octets)
    read_receipt(pdu.DeliverSm(esm_class=0x04, short_message=octets))


def test_esm_class_says_that_it_is_a_receipt():
    assert read_receipt(pdu.DeliverSm(esm_class=0x04, short_message=APPENDIX_B)) == FULL
    assert read_receipt(pdu.DeliverSm(esm_class=0x00, short_message=APPENDIX_B)) is None
    assert read_receipt(pdu.DeliverSm(esm_class=0x44, short_message=APPENDIX_B)) == FULL
    assert read_receipt(pdu.DeliverSm(esm_class=0x08, short_message=APPENDIX_B)) is None


def test_text_in_message_payload():
    assert read_receipt(pdu.DeliverSm(esm_class=0x04, tlvs={0x0424: APPENDIX_B})) == FULL
    assert read_receipt(pdu.DataSm(esm_class=0x04, tlvs={0x0424: APPENDIX_B})) == FULL


def test_tlv_form_alone():
    receipt = read_receipt(pdu.DataSm(tlvs={0x001E: b"7F\0", 0x0427: b"\x05", 0x0423: b"\x03\x00\x0c"}))
    assert receipt == Receipt("7F", "UNDELIV", "12")


def test_tlvs_win_over_the_text():
    tlvs = {0x001E: b"AB\0", 0x0427: b"\x03"}
    receipt = read_receipt(pdu.DeliverSm(esm_class=0x04, short_message=APPENDIX_B, tlvs=tlvs))
    assert (receipt.message_id, receipt.state, receipt.text) == ("AB", "EXPIRED", "Your balance")


def test_tlv_values_that_nobody_should_send():
    assert read_receipt(pdu.DeliverSm(tlvs={0x001E: b""})) is None
    assert read_receipt(pdu.DeliverSm(tlvs={0x001E: b"1", 0x0427: b"\x63"})).state == "STATE99"
    assert read_receipt(pdu.DeliverSm(tlvs={0x001E: b"1", 0x0427: b"", 0x0423: b""})).state == "STATE0"


def test_tlv_round_trip():
    assert read_receipt(pdu.DeliverSm(tlvs=receipt_tlvs(FULL))) == Receipt(FULL.message_id, "DELIVRD")


# ---------------------------------------------------------------------------------------- message ids


@pytest.mark.parametrize(
    ("in_response", "in_receipt"),
    [
        ("1D305B4C", "1d305b4c"),
        ("1d305b4c", "489708364"),  # hexadecimal, then decimal
        ("489708364", "1D305B4C"),  # decimal, then hexadecimal
        ("00012", "12"),
        ("12", "0000000012"),
        ("0000001F", "31"),
        ("31", "000000001f"),
        ("0", "0000"),
        ("abc-DEF/9", "ABC-def/9"),
    ],
)
def test_W9_message_ids_in_different_forms_match(in_response: str, in_receipt: str):
    filed = {message_key(in_response): "the message"}
    assert [filed[key] for key in message_keys(in_receipt) if key in filed] == ["the message"]


def test_W9_the_same_form_is_tried_first():
    assert message_keys("0031") == ["31", "1f", "49"]
    assert message_keys("not-a-number") == ["not-a-number"]


@given(st.text(max_size=80))
def test_W9_any_message_id_has_keys(message_id: str):
    assert message_keys(message_id)[0] == message_key(message_id)


@given(st.integers(0, 2**64), st.sampled_from(["{:x}", "{:X}", "{:020x}"]))
def test_W9_a_hexadecimal_id_is_found_by_any_form(number: int, form: str):
    filed = message_key(form.format(number))
    for in_receipt in (f"{number}", f"{number:x}", f"{number:X}", f"{number:025}", f"{number:025x}"):
        assert filed in message_keys(in_receipt)


@given(st.integers(0, 2**64), st.sampled_from(["{}", "{:025}"]))
def test_W9_a_decimal_id_is_found_by_any_form(number: int, form: str):
    filed = message_key(form.format(number))
    for in_receipt in (f"{number}", f"{number:x}", f"{number:X}", f"{number:025}", f"{number:025x}"):
        assert filed in message_keys(in_receipt)
