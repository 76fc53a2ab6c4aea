from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.smpp import pdu
from gateway.smpp.errors import RemoteProtocolError
from gateway.smpp.receipts import (
    RECEIPT_STATES,
    STATES,
    Receipt,
    decode_receipt,
    encode_receipt,
    message_key,
    message_keys,
    message_type,
    read_receipt,
    receipt_date,
    receipt_in_spite_of,
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


@given(
    st.dictionaries(st.sampled_from([0x001E, 0x0427, 0x0423, 0x0424]), st.binary(max_size=9)),
    st.sampled_from([0, 4]),
)
def test_any_tlvs_can_be_read(tlvs: dict[int, bytes], esm_class: int):
    receipt = read_receipt(pdu.DeliverSm(esm_class=esm_class, tlvs=tlvs))
    assert receipt is None or receipt.message_id


@pytest.mark.parametrize("octets", [b"\x02" * 5000, b"\xff" * 65535])
def test_tlvs_far_too_long_for_a_number(octets: bytes):
    receipt = read_receipt(pdu.DeliverSm(tlvs={0x001E: b"7F\0", 0x0427: octets, 0x0423: octets}))
    assert receipt.message_id == "7F"
    assert len(receipt.state + receipt.error) < 40


def test_numbers_far_too_long_for_a_number():
    receipt = decode_receipt(b"id:7F sub:" + b"9" * 5000 + b" dlvrd:" + b"9" * 5000)
    assert (receipt.submitted, receipt.delivered) == (0, 0)
    assert message_keys("9" * 5000) == ["9" * 5000]


def test_tlv_round_trip():
    assert read_receipt(pdu.DeliverSm(tlvs=receipt_tlvs(FULL))) == Receipt(FULL.message_id, "DELIVRD")


@pytest.mark.parametrize("reserved", [b"\0", b"\x09", b"\x32", b"\xff", b"", b"\0\0"])
def test_a_reserved_message_state_says_nothing_beside_the_state_of_the_text(reserved: bytes):
    octets = b"id:7F done date:2402010000 stat:UNDELIV err:255"
    receipt = read_receipt(pdu.DeliverSm(esm_class=0x04, short_message=octets, tlvs={0x0427: reserved}))
    assert (receipt.state, receipt.error, receipt.final) == ("UNDELIV", "255", True)


@pytest.mark.parametrize(("number", "state", "final"), [(0, "SCHEDULED", False), (9, "SKIPPED", True)])
def test_the_states_of_smpp_5_where_nothing_else_is_told(number: int, state: str, final: bool):
    for octets in (b"", b"id:7F err:000", b"id:7F stat: err:000"):
        tlvs = {0x001E: b"7F", 0x0427: bytes([number])}
        receipt = read_receipt(pdu.DeliverSm(esm_class=0x04, short_message=octets, tlvs=tlvs))
        assert (receipt.state, receipt.final) == (state, final)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("03 30 30 30", "000"),
        ("03 32 35 35", "255"),
        ("03 30 32 37", "027"),
        ("03 31 32", "12"),
        ("03 32 35 35 00", "255"),
        ("33 30 32 37", "027"),
        ("32 35 35", "255"),
        ("03 00 1B", "27"),
        ("03 00 30", "48"),
        ("03 01 2C", "300"),
        ("03 00 00", "000"),
        ("03", "000"),
        ("", "000"),
    ],
)
def test_the_error_of_the_network_as_a_number_or_as_digits(value: str, error: str):
    tlvs = {0x0423: bytes.fromhex(value)}
    receipt = read_receipt(
        pdu.DeliverSm(esm_class=0x04, short_message=b"id:7F stat:UNDELIV err:000", tlvs=tlvs)
    )
    assert receipt.error == error


# ------------------------------------------------------------------------------------ keys, order, case


@pytest.mark.parametrize(
    ("octets", "message_id", "state"),
    [
        (b'id:"7F" stat:DELIVRD', "7F", "DELIVRD"),
        (b"id:'7F', stat:DELIVERED;", "7F", "DELIVRD"),
        (b"stat:UNDELIVERABLE err:1 id:7F", "7F", "UNDELIV"),
        (b"stat:BUFFRED,id:7F", "7F", "BUFFERED"),
        (b"SUBMIT_DATE:2401312359 DONE_DATE:2402010000 STAT:EXPIRED ID:7F", "7F", "EXPIRED"),
        (b"id :7F stat :rejectd\0", "7F", "REJECTD"),
        ("id:7F stat:DELIVRD".encode("utf-16-be"), "7F", "DELIVRD"),
    ],
)
def test_text_forms_in_any_order_case_and_alphabet(octets: bytes, message_id: str, state: str):
    receipt = decode_receipt(octets)
    assert (receipt.message_id, receipt.state) == (message_id, state)


@pytest.mark.parametrize(
    ("octets", "error", "text"),
    [
        (b"id:7F stat:UNDELIV err:027 Password s3cret9", "027", "Password s3cret9"),
        (b"id:7F stat:UNDELIV err:0x1B,Password s3cret9", "0x1B", "Password s3cret9"),
        (b"id:7F stat:UNDELIV err:027\nPassword s3cret9", "027", "Password s3cret9"),
        (b"id:7F stat:UNDELIV err: 027 Password s3cret9", "027", "Password s3cret9"),
        (b"id:7F stat:UNDELIV err: Password s3cret9", "000", "Password s3cret9"),
        (b"id:7F stat:UNDELIV err: 4711 is the code", "000", "4711 is the code"),
        (b"id:7F stat:UNDELIV err: 0A1", "0A1", ""),
        (b"id:7F err:027 s3cret9 stat:UNDELIV", "027", "s3cret9"),
        (b"id:7F stat:UNDELIV err:027 s3cret9 text:Hello", "027", "Hello"),
    ],
)
def test_an_error_ends_at_the_blank(octets: bytes, error: str, text: str):
    """What follows is the message's text, which some centres put there without its key."""
    receipt = decode_receipt(octets)
    assert (receipt.state, receipt.error, receipt.text) == ("UNDELIV", error, text)


@pytest.mark.parametrize(
    "octets",
    [
        b"id:7F stat:UNDELIV Password s3cret9",
        b"id:7F done date:2402010000 UNDELIV s3cret9 err:000",
        b"id:7F stat:UNDELIV sub:001 s3cret9 dlvrd:001 s3cret9",
        b"id:7F stat:UNDELIV submit date:2401312359 s3cret9",
    ],
)
def test_no_value_takes_up_a_text_behind_it(octets: bytes):
    receipt = decode_receipt(octets)
    assert receipt.state == "UNDELIV"
    assert "s3cret9" not in f"{receipt.error} {receipt.submit_date} {receipt.done_date}"


@pytest.mark.parametrize(
    ("octets", "state", "text"),
    [
        (b"sub:001 id:7F err:000 dlvrd:001 text: stat:DELIVRD", "DELIVRD", ""),
        (b"id:7F text: stat:UNDELIV err:027", "UNDELIV", ""),
        (b"id:7F text:stat:DELIVRD", "DELIVRD", ""),
        (b"id:7F text:, done date:2402010000, stat:DELIVRD", "DELIVRD", ""),
        (b"id:7F stat: text: stat:DELIVRD", "DELIVRD", ""),
        (b"id:7F text: stat:DELIVRD text:Hello", "DELIVRD", "Hello"),
        (b"id:7F stat:UNDELIV text: stat:DELIVRD", "UNDELIV", " stat:DELIVRD"),
        (b"id:7F done date:2402010000 UNDELIV text: stat:DELIVRD", "UNDELIV", " stat:DELIVRD"),
        (b"id:7F text:Hello stat:DELIVRD", "UNKNOWN", "Hello stat:DELIVRD"),
        (b"id:7F text: err:027", "UNKNOWN", " err:027"),
    ],
)
def test_a_state_behind_an_empty_text_counts_where_there_was_none(octets: bytes, state: str, text: str):
    receipt = decode_receipt(octets)
    assert (receipt.message_id, receipt.state, receipt.text) == ("7F", state, text)


KEYS = [
    "id:7F",
    "sub:001",
    "dlvrd:001",
    "submit date:2401312359",
    "done date:2402010000",
    "stat:UNDELIV",
    "err:0A1",
]


@given(st.permutations(KEYS), st.booleans(), st.sampled_from([str.lower, str.upper, str.title]))
def test_the_order_and_the_case_of_keys_do_not_matter(
    keys: list[str], text: bool, case: Callable[[str], str]
):
    written = " ".join(case(name) + ":" + value for name, value in (key.split(":") for key in keys))
    receipt = decode_receipt((written + (" text:id:9" if text else "")).encode())
    dates = ("2401312359", "2402010000")
    assert receipt == Receipt("7F", "UNDELIV", "0A1", 1, 1, *dates, "id:9" if text else "")


@given(st.sets(st.sampled_from(KEYS[1:])))
def test_whatever_is_missing_the_message_is_known(missing: set[str]):
    receipt = decode_receipt(" ".join(key for key in KEYS if key not in missing).encode())
    assert receipt.message_id == "7F"
    assert receipt.state == ("UNKNOWN" if "stat:UNDELIV" in missing else "UNDELIV")


# ------------------------------------------------------------------------- what is final, and what is none


@pytest.mark.parametrize(
    ("state", "final"),
    [("DELIVRD", True), ("EXPIRED", True), ("UNDELIV", True), ("REJECTD", True), ("DELETED", True), ("FAILED", True),
     ("ENROUTE", False), ("ACCEPTD", False), ("UNKNOWN", False), ("GONE FISHING", False)],
)  # fmt: skip
def test_final_states(state: str, final: bool):
    assert decode_receipt(f"id:1 stat:{state}".encode()).final is final


def test_ACCEPTD_is_not_final_for_DELIVRD_follows():
    """As in jasmin#885, where both come for each message."""
    assert not read_receipt(pdu.DeliverSm(esm_class=0x04, tlvs={0x001E: b"7F\0", 0x0427: b"\x06"})).final
    assert read_receipt(pdu.DeliverSm(esm_class=0x04, tlvs={0x001E: b"7F\0", 0x0427: b"\x02"})).final


def test_every_state_of_the_specification_is_final_or_not():
    assert set(STATES.values()) <= set(RECEIPT_STATES)


def test_an_intermediate_notification_is_never_final():
    receipt = read_receipt(pdu.DeliverSm(esm_class=0x20, short_message=APPENDIX_B))
    assert receipt.intermediate
    assert not receipt.final
    assert receipt.message_id == FULL.message_id


@pytest.mark.parametrize("esm_class", [0x08, 0x10, 0x18, 0x48, 0x0C, 0x24])
def test_acknowledgements_of_the_recipient_are_no_receipts(esm_class: int):
    with_everything = pdu.DeliverSm(esm_class=esm_class, short_message=APPENDIX_B, tlvs={0x001E: b"7F\0"})
    assert read_receipt(with_everything) is None


@pytest.mark.parametrize(
    ("esm_class", "kind"),
    [(0x00, "message"), (0x03, "message"), (0x40, "message"), (0xC0, "message"), (0x04, "receipt"), (0x44, "receipt"),
     (0x08, "delivery_acknowledgement"), (0x10, "user_acknowledgement"), (0x18, "abort"), (0x20, "intermediate"),
     (0x3C, "reserved")],
)  # fmt: skip
def test_the_type_of_a_message(esm_class: int, kind: str):
    assert message_type(pdu.DeliverSm(esm_class=esm_class)) == kind


def test_a_receipt_from_a_centre_that_binds_to_us():
    assert read_receipt(pdu.SubmitSm(esm_class=0x04, short_message=APPENDIX_B)) == FULL


# ------------------------------------------------------------------------------ with a broken optional part


BROKEN = {
    "a length beyond the PDU": "001E 0041 3132333435",
    "a head cut off": "001E 00",
    "an octet too many": "00",
    "sound TLVs before the fault": "0427 0001 05 001E 0041 3132333435",
}


def with_broken_part(message: pdu.Pdu, tlvs: str) -> RemoteProtocolError:
    frame = pdu.encode(message) + bytes.fromhex(tlvs)
    with pytest.raises(RemoteProtocolError) as problem:
        pdu.decode(len(frame).to_bytes(4, "big") + frame[4:])
    return problem.value


@pytest.mark.parametrize("tlvs", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("esm_class", [0x04, 0x00])
def test_the_id_in_the_text_counts_in_spite_of_a_broken_TLV(tlvs: str, esm_class: int):
    receipt = pdu.DeliverSm(esm_class=esm_class, short_message=APPENDIX_B, sequence_number=7)
    found = receipt_in_spite_of(with_broken_part(receipt, tlvs))
    assert found.sequence_number == 7
    state = "UNDELIV" if tlvs.startswith("0427") else "DELIVRD"
    assert read_receipt(found) == replace(FULL, state=state)


@pytest.mark.parametrize(
    "message",
    [
        pdu.DeliverSm(short_message=b"BALANCE"),
        pdu.DeliverSm(esm_class=0x04, short_message=b"stat:DELIVRD err:000"),
        pdu.DeliverSm(esm_class=0x08, short_message=b"id:7F stat:DELIVRD"),
        pdu.EnquireLink(),
    ],
)
def test_anything_else_with_a_broken_TLV_is_malformed(message: pdu.Pdu):
    assert receipt_in_spite_of(with_broken_part(message, BROKEN["a length beyond the PDU"])) is None


def test_a_receipt_whose_body_is_broken_is_malformed():
    frame = pdu.encode(pdu.DeliverSm(esm_class=0x04, short_message=APPENDIX_B))[:-1]
    with pytest.raises(RemoteProtocolError) as problem:
        pdu.decode(len(frame).to_bytes(4, "big") + frame[4:])
    assert receipt_in_spite_of(problem.value) is None


# -------------------------------------------------------------------------------------------------- dates


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2401312359", datetime(2024, 1, 31, 23, 59)),
        ("240131235958", datetime(2024, 1, 31, 23, 59, 58)),
        ("202401312359", datetime(2024, 1, 31, 23, 59)),
        ("20240131235958", datetime(2024, 1, 31, 23, 59, 58)),
        (
            "180711070003912+",
            datetime(2018, 7, 11, 7, 0, 3, tzinfo=timezone(timedelta(hours=3))),
        ),  # smppex#46
        ("180711070003020-", datetime(2018, 7, 11, 7, 0, 3, tzinfo=timezone(timedelta(hours=-5)))),
        ("0000000000", None),  # jasmin#447
        ("", None),
        ("24013123", None),
        ("2401312459", None),
        ("24013123 5", None),
        ("-240131235", None),
        ("٢٤٠١٣١٢٣٥٩", None),
    ],
)
def test_dates(date: str, expected: datetime | None):
    assert receipt_date(date) == expected


@given(st.text(max_size=20) | st.text("0123456789+-", max_size=17))
def test_any_date_can_be_read(date: str):
    assert isinstance(receipt_date(date), datetime | None)


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
        ('"7F"', "7f"),
        ("0x1D305B4C", "489708364"),
        # Pairs from logs in public threads: jasmin#1034, #535, #586, #643, #916, #1129
        ("39f99dd5", "0972660181"),
        ("10C8F40D", "281605133"),
        ("812FC7470000001B", "9308878062554710043"),
        ("0e999f21-81ef-4974-a414-3de98174e3c7", "E999F21-81EF-4974-A414-3DE98174E3C7"),
        ("1101C1-C9D03D-F000", "1101c1-c9d03d-f000"),
        ("00B8BE19", "B8BE19"),
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
