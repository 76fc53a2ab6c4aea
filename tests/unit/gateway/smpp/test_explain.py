"""Explanations: as a reader sees them (the files in ``explained/``; ``--golden`` rewrites them), and piece by piece."""

from pathlib import Path

import pytest

from gateway.smpp.events import Quarantined
from gateway.smpp.explain import as_json, explain, explain_all, one_line, render
from gateway.smpp.pdu import (
    BindTransceiver,
    BindTransmitterResp,
    DataSm,
    DeliverSm,
    DistributionList,
    EnquireLink,
    GenericNack,
    Outbind,
    Pdu,
    QuerySmResp,
    SmeAddress,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    UnsuccessfulSme,
    encode,
)
from gateway.smpp.states import Role
from tests.protocol.vectors import VECTORS, octets

GOLDEN = Path(__file__).with_name("explained")

SUBMIT = encode(SubmitSm(destination_addr="79260000003", short_message=b"hello", sequence_number=6))


def with_right_length(frame: bytes) -> bytes:
    return len(frame).to_bytes(4, "big") + frame[4:]


EXPLAINED = {
    "bind_transceiver": encode(BindTransceiver("gw", "s3cretpw", "USSD", sequence_number=3)),
    # captured from a USSD centre, jasmin issue 842
    "deliver_sm-ussd": octets(
        "0000004400000005000000000000000250320001013636393737303931323035000101363639323330313131323100"
        "000000000000000f00062a34303036230501000101"
    ),
    "submit_sm-udh": encode(
        SubmitSm(
            source_addr="000110",
            destination_addr="79260000003",
            dest_addr_ton=1,
            dest_addr_npi=1,
            esm_class=0x40,
            validity_period="000001000000000R",
            registered_delivery=1,
            data_coding=8,
            short_message=bytes.fromhex("050003070201") + "Ваш баланс 125 рублей".encode("utf-16-be"),
            sequence_number=9,
        )
    ),
    "submit_sm-ussd": encode(
        SubmitSm(
            service_type="USSD",
            source_addr="*105#",
            destination_addr="79260000003",
            data_coding=0x48,
            short_message="Баланс: 120 р.\n1 Ещё".encode("utf-16-be"),
            tlvs={0x0501: b"\x02", 0x1383: b"\x5a\x02", 0x1501: b"\x01\x02\x03\x04"},
            sequence_number=7,
        )
    ),
    "deliver_sm-receipt": encode(
        DeliverSm(
            source_addr="79260000003",
            destination_addr="000110",
            esm_class=4,
            short_message=b"id:4F2A sub:001 dlvrd:001 submit date:2611221200 done date:2611221201 "
            b"stat:UNDELIV err:011 text:id: hello",
            tlvs={0x001E: b"4F2A\0", 0x0427: b"\x05", 0x0423: b"\x03\x00\x0b"},
            sequence_number=5,
        )
    ),
    "submit_sm-malformed": with_right_length(SUBMIT[:-2]),
    "submit_sm-cut-off": SUBMIT[:-20],
    "submit_sm_resp-throttled": encode(SubmitSmResp(command_status=0x58, sequence_number=8)),
    "http": b"GET /metrics HTTP/1.1\r\nAuthorization: Basic c2VjcmV0\r\n\r\n",
    "generic_nack": encode(GenericNack(command_status=3, sequence_number=8)),
    "unknown-command": bytes.fromhex("00000014000002000000000000000009cafebabe"),
    "out-of-step": bytes.fromhex("0000000500000004000000000000000700000000"),
}


@pytest.mark.parametrize("name", EXPLAINED)
def test_as_a_reader_sees_it(name, pytestconfig):
    shown = render(explain(EXPLAINED[name])) + "\n\nIn the log:\n" + one_line(EXPLAINED[name]) + "\n"
    path = GOLDEN / f"{name}.txt"
    if pytestconfig.getoption("--golden"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(shown, "utf-8")
    assert shown == path.read_text("utf-8")


def test_every_file_is_compared():
    assert {path.stem for path in GOLDEN.iterdir()} == set(EXPLAINED)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.id)
def test_vectors_have_no_problem(vector):
    explanation = explain(vector.frame)
    assert explanation.problem is None
    assert explanation.command == vector.pdu.name
    assert explanation.summary
    assert explanation.advice


def said(pdu: Pdu | bytes, name: str, **options) -> str:
    """Value and note of the row of that name."""
    frame = encode(pdu) if isinstance(pdu, Pdu) else pdu
    rows = [row for row in explain(frame, **options).fields if row.name == name]
    assert rows, f"no row {name} in {[row.name for row in explain(frame).fields]}"
    return "; ".join(f"{row.value} {row.note}".strip() for row in rows)


# --- fields


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("esm_class", 0x03, "store and forward"),
        ("esm_class", 0x43, "user data header (UDHI)"),
        ("esm_class", 0x80, "reply path"),
        ("esm_class", 0x08, "delivery acknowledgement of the ESME"),
        ("registered_delivery", 0x11, "receipt, whatever the outcome, intermediate notifications"),
        ("registered_delivery", 0x0E, "receipt on failure, delivery and manual acknowledgement"),
        ("source_addr_ton", 5, "alphanumeric"),
        ("source_addr_npi", 7, "reserved"),
        ("data_coding", 0x00, "default alphabet"),
        ("data_coding", 0x08, "UCS-2 (sms table)"),
        ("data_coding", 0xF5, "8-bit data, class 1"),
        ("validity_period", "261122120000012+", "2026-11-22 12:00:00 +03:00"),
        ("validity_period", "000002030000000R", "in 2d 3h"),
        ("validity_period", "tomorrow", "not of the form"),
        ("schedule_delivery_time", "", "at once"),
    ],
)
def test_numbers_are_said_in_words(field, value, words):
    assert words in said(SubmitSm(**{field: value}), field)


@pytest.mark.parametrize(
    ("data_coding", "words"),
    [
        (0x0F, "GSM 03.38, language unspecified"),
        (0x11, "UCS-2, language in front"),
        (0x48, "UCS-2 (cbs"),
        (0x23, "Russian"),
    ],
)
def test_data_coding_of_ussd_is_that_of_cell_broadcast(data_coding, words):
    assert words in said(SubmitSm(service_type="USSD", data_coding=data_coding), "data_coding")


def test_the_table_can_be_said():
    assert "reserved (sms table)" in said(
        SubmitSm(service_type="USSD", data_coding=0x0F), "data_coding", table="sms"
    )


def test_esm_class_depends_on_the_sender():
    assert "SMSC delivery receipt" in said(DeliverSm(esm_class=4), "esm_class")
    assert "SMSC delivery receipt" in said(DataSm(esm_class=4), "esm_class", role_of_sender=Role.SMSC)
    assert "reserved" in said(DataSm(esm_class=4), "esm_class", role_of_sender=Role.ESME)


def test_F5_a_sequence_number_that_is_none():
    assert "F5" in said(EnquireLink(sequence_number=0), "sequence_number")


def test_F9_a_vendor_s_status():
    assert "vendor" in said(SubmitSmResp(command_status=0x401), "command_status")


def test_S11_a_version_in_decimal():
    assert "S11" in said(BindTransceiver(interface_version=34), "interface_version")


def test_destinations_are_numbered():
    pdu = SubmitMulti(dest_addresses=[SmeAddress(1, 1, "79260000003"), DistributionList("all")])
    assert said(pdu, "1: destination_addr") == '"79260000003"'
    assert said(pdu, "2: dl_name") == '"all"'
    failed = SubmitMultiResp(unsuccess_smes=[UnsuccessfulSme(1, 1, "1", 0x0B)])
    assert "ESME_RINVDSTADR" in said(failed, "1: error_status_code")


def test_fields_of_submit_multi_are_found_in_the_specification():
    """As the comments of other implementations have the numbers."""
    multi = SubmitMulti(dest_addresses=[SmeAddress(1, 1, "79260000003"), DistributionList("all")])
    failed = SubmitMultiResp(unsuccess_smes=[UnsuccessfulSme(1, 1, "1", 0x0B)])
    rows = [row for pdu in (multi, failed) for row in explain(encode(pdu)).fields]
    sections = {row.name.split(": ")[-1]: row.section for row in rows}
    assert [sections[name] for name in ("number_of_dests", "dest_flag", "no_unsuccess", "dl_name")] == [
        "§5.2.24",
        "§5.2.25",
        "§5.2.26",
        "§5.2.27",
    ]
    assert sections["error_status_code"] == "§4.5.2.1"


def test_message_state():
    assert said(QuerySmResp(message_id="1", message_state=2), "message_state") == "2 DELIVERED"


# --- TLVs


@pytest.mark.parametrize(
    ("tag", "value", "name", "words"),
    [
        (0x0501, "12", "ussd_service_op", "18 USSR confirm the subscriber answered"),
        (0x0501, "81", "ussd_service_op", "129 vendor's: the subscriber or the centre ended"),
        (0x0501, "c8", "ussd_service_op", "200 of the centre's vendor"),
        (0x1383, "5a05", "its_session_info", "session 0x5A, N=2 E=1, the session ends"),
        (0x1383, "5a", "its_session_info", "0x5A length 1, 2 expected"),
        (0x0204, "00ff", "user_message_reference", "255 (0x00FF)"),
        (0x020C, "0000", "sar_msg_ref_num", "0 (0x0000)"),
        (0x020E, "03", "sar_total_segments", "3"),
        (0x0427, "08", "message_state", "8 REJECTED"),
        (0x0423, "030015", "network_error_code", "21 error of the network, GSM"),
        (0x0210, "34", "sc_interface_version", "0x34 SMPP 3.4"),
        (0x001E, "346100", "receipted_message_id", '"4a"'),
        (0x0007, "04", "dest_bearer_type", "4 USSD"),
        (0x0381, "010101373932", "callback_num", '"792" digit mode 1, TON international'),
        (0x1501, "01020304", "vendor TLV 0x1501", "0x01020304 of a vendor: accepted and kept (F7)"),
        (0x4001, "3235303031", "TLV 0x4001", '0x3235303031 "25001" not in the specification'),
        (0x130C, "", "alert_on_message_delivery", "(empty)"),
    ],
)
def test_tlvs(tag, value, name, words):
    assert words in said(DeliverSm(tlvs={tag: bytes.fromhex(value)}), name)


def test_F8_a_tlv_that_comes_twice():
    frame = with_right_length(encode(EnquireLink(tlvs={0x0501: b"\x01"})) + bytes.fromhex("0501000112"))
    assert said(frame, "ussd_service_op") == (
        "1 PSSR indication the subscriber dialled; comes again below: the last one counts (F8); "
        "18 USSR confirm the subscriber answered"
    )


# --- text


@pytest.mark.parametrize(
    ("data_coding", "octets", "words"),
    [
        (0x00, b"hi", '"hi" as gsm7'),
        (0x00, b"\x00 ", '"@ " as gsm7; to some centres data_coding 0 is Latin-1'),
        (0x03, b"caf\xe9", '"café" as latin1'),
        (0x08, "Ж".encode("utf-16-be"), '"Ж" as ucs2'),
        (0x04, b"\x01\x02", "2 octets this data_coding is not text"),
        (0x00, b"a\nb\x1b\x65", r'"a\nb€" as gsm7'),
    ],
)
def test_text_of_an_sms(data_coding, octets, words):
    assert words in said(DeliverSm(data_coding=data_coding, short_message=octets), "short_message")


def test_packed_text_of_a_ussd_centre():
    pdu = DeliverSm(data_coding=0x0F, short_message=bytes.fromhex("aa180da682dd6c"), tlvs={0x0501: b"\x01"})
    assert '"*1' in said(pdu, "short_message")
    assert "as gsm7-packed" in said(pdu, "short_message")


def test_text_in_message_payload():
    pdu = DataSm(data_coding=8, tlvs={0x0424: "Ж".encode("utf-16-be")})
    assert said(pdu, "message_payload") == '2 octets tag and length; "Ж" as ucs2'


@pytest.mark.parametrize(
    ("header", "name", "words"),
    [
        ("0500037b0302", "UDH concatenated, 8-bit", "part 2 of 3, reference 123"),
        ("060804007b0302", "UDH concatenated, 16-bit", "part 2 of 3, reference 123"),
        ("0500037b0203", "UDH concatenated, 8-bit", "part 3 of 2, reference 123 cannot be"),
        ("0605040b8423f0", "UDH ports, 16-bit", "to 2948, from 9200"),
        ("03240101", "UDH national single shift", "Turkish"),
        ("03250102", "UDH national locking shift", "Spanish"),
        ("03700100", "UDH element 0x70", "0x00"),
        ("020001", "UDH rest", "no whole element"),
    ],
)
def test_user_data_headers(header, name, words):
    octets = bytes.fromhex(header) + b"hi"
    assert words in said(DeliverSm(esm_class=0x40, short_message=octets), name)
    assert '"hi"' in said(DeliverSm(esm_class=0x40, short_message=octets), "short_message")


def test_a_user_data_header_that_does_not_fit_is_text():
    assert "none fits" in said(DeliverSm(esm_class=0x40, short_message=b"\x30hi"), "short_message")


def test_a_receipt_without_text_form_is_shown_as_text():
    assert '"thanks"' in said(DeliverSm(esm_class=4, short_message=b"thanks"), "short_message")


def test_an_intermediate_notification():
    pdu = DeliverSm(esm_class=0x20, short_message=b"id:1 stat:ENROUTE")
    assert said(pdu, "receipt stat") == '"ENROUTE" on its way, not final'
    assert explain(encode(pdu)).summary.startswith("Intermediate notification: message 1")


# --- what is wrong, and what next


def test_F10_a_response_without_its_body():
    assert explain(encode(BindTransmitterResp(command_status=0x0E, sequence_number=1))).problem is None


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0x58, "Throttle"),
        (0x14, "Throttle"),
        (0x08, "Try again"),
        (0x64, "Try again"),
        (0x0B, "Give up"),
        (0x04, "Bind first"),
        (0x0E, "operator"),
        (0x4FF, "Give up"),
    ],
)
def test_what_to_do_about_a_status(status, words):
    (advice,) = explain(encode(SubmitSmResp(command_status=status))).advice
    assert advice.startswith(words) or words in advice


def test_an_answer_of_ussd_has_its_own_pdu():
    advice = " ".join(explain(EXPLAINED["deliver_sm-ussd"]).advice)
    assert "deliver_sm_resp with the same sequence_number 2" in advice
    assert "a submit_sm of its own to 66977091205" in advice


def test_a_centre_that_binds_to_us_is_told():
    centre = SubmitSm(source_addr="79260000003", short_message=b"*105#", tlvs={0x0501: b"\x01"})
    advice = " ".join(explain(encode(centre)).advice)
    assert "a deliver_sm of its own to 79260000003" in advice
    assert "the other direction" in advice


def test_several_pdus_are_explained_one_by_one():
    stream = SUBMIT + encode(EnquireLink(sequence_number=1)) + b"\0\0\0\1"
    assert [each.command for each in explain_all(stream)] == ["submit_sm", "enquire_link", "out of step"]
    first = explain(stream)
    assert (first.command, first.fields[-1].name) == ("submit_sm", "further octets")


# --- secrets


def test_passwords_are_masked_in_every_form():
    for pdu in (BindTransceiver("gw", "s3cretpw"), Outbind("smsc", "s3cretpw")):
        frame = encode(pdu)
        cut = frame[:-3]
        for sent in (frame, cut, with_right_length(cut), b"\xff" + frame[1:], bytes(16) + frame):
            found = explain(sent)
            shown = render(found) + str(as_json(found)) + repr(found) + one_line(sent)
            assert "s3cretpw" not in shown
            assert b"s3cr".hex(" ") not in shown


def test_what_the_quarantine_keeps_of_a_bind_is_not_called_cut_off():
    kept = Quarantined.of(encode(BindTransceiver("gw", "s3cretpw", sequence_number=1)), "", 0).octets
    found = explain(kept)
    assert found.problem == "16 of 33 octets are here: of a bind the quarantine keeps the header only"
    assert "waits" not in str(found.advice)
    assert "cut off" not in one_line(kept)


def test_an_empty_password_is_told():
    assert said(BindTransceiver("gw"), "password") == "(empty) masked"


def test_a_line_for_the_log_has_no_text():
    secret = "6291"
    for pdu in (
        DeliverSm(short_message=secret.encode()),
        DataSm(tlvs={0x0424: secret.encode()}),
        DeliverSm(destination_addr=f"*105*{secret}#"),
        SubmitSm(short_message=secret.encode(), tlvs={0x1501: secret.encode(), 0x001D: secret.encode()}),
    ):
        line = one_line(encode(pdu))
        assert secret not in line
        assert secret.encode().hex() not in line


def test_a_line_for_the_log_stays_a_line_whatever_is_in_the_pdu():
    line = one_line(encode(DeliverSm(tlvs=dict.fromkeys(range(5000), b""))))
    assert len(line) < 400
    assert line.endswith("and 4992 other TLVs")


def test_a_line_for_the_log_cannot_be_broken():
    assert (
        one_line(encode(DeliverSm(source_addr="1\n2\x1b[31m")))
        == r"deliver_sm 0 source_addr=1\n2\x1b[31m short_message=0 octets"
    )
