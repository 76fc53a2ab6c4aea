"""The load's templates and its reading by offset, against bytes by hand and against smpplib."""

import struct

import pytest
import smpplib.client
import smpplib.smpp

from smpp_sim.load import pdu as wire
from smpp_sim.load.pdu import LoadScript

MSISDN = b"79260000003"


def smpplib_client():
    return smpplib.client.Client("127.0.0.1", 0, allow_unknown_opt_params=True)


def test_ussd_turn_octet_by_octet():
    script = LoadScript(("*100#",), service="100")
    [template] = wire.templates(script, len(MSISDN))
    body = (
        b"USSD\0"  # service_type
        + b"\0\x01"  # source_addr_ton, source_addr_npi
        + MSISDN
        + b"\0"  # source_addr
        + b"\0\x01"  # dest_addr_ton, dest_addr_npi
        + b"100\0"  # destination_addr
        + b"\0\0\0"  # esm_class, protocol_id, priority_flag
        + b"\0\0"  # schedule_delivery_time, validity_period
        + b"\0\0\x0f\0"  # registered_delivery, replace_if_present_flag, data_coding, sm_default_msg_id
        + b"\x05*100#"  # sm_length, short_message
        + bytes.fromhex("0501 0001 01")  # ussd_service_op: PSSR indication
        + bytes.fromhex("1383 0002 5a00")  # its_session_info: session 0x5A, unit 0
    )
    assert template.frame(7, MSISDN, 0x5A) == struct.pack(">IIII", 16 + len(body), 5, 0, 7) + body


def test_later_turns_answer_and_count_units_of_both_directions():
    _, _, third = wire.templates(LoadScript(("*105#", "3", "1")), len(MSISDN))
    message_and_tlvs = "01 310501 0001 121383 0002 5a08"
    assert third.frame(1, MSISDN, 0x5A).endswith(bytes.fromhex(message_and_tlvs))


def test_smpplib_reads_the_sms_turn():
    script = LoadScript(("?",), kind="sms", service="000100")
    [template] = wire.templates(script, len(MSISDN))
    pdu = smpplib.smpp.parse_pdu(template.frame(9, MSISDN), client=smpplib_client())
    assert (pdu.command, pdu.sequence) == ("deliver_sm", 9)
    assert (pdu.source_addr, pdu.destination_addr, pdu.short_message) == (MSISDN, b"000100", b"?")


@pytest.mark.parametrize(
    ("text", "ussd", "coding", "octets"),
    [
        ("*105*503*1*1#", True, 0x0F, b"*105*503*1*1#"),
        ("503 ON", False, 0x00, b"503 ON"),
        ("ВКЛ", False, 0x08, bytes.fromhex("0412041a041b")),
        ("@", True, 0x48, b"\0@"),  # 0x00 in GSM 03.38, so not sent as ASCII
        ("", False, 0x00, b""),
    ],
)
def test_text(text, ussd, coding, octets):
    assert wire.encode_turn(text, ussd) == (coding, octets)


def test_too_long_a_text_is_refused():
    with pytest.raises(ValueError, match="162 octets"):
        wire.encode_turn("я" * 81, ussd=True)


@pytest.mark.parametrize(
    "make",
    [
        lambda: LoadScript(()),
        lambda: LoadScript(("a", "b"), kind="sms"),
        lambda: LoadScript(("a",), kind="mms"),
    ],
)
def test_impossible_scripts_are_refused(make):
    with pytest.raises(ValueError):
        make()


def smpplib_submit(**fields):
    pdu = smpplib.smpp.make_pdu(
        "submit_sm",
        client=smpplib_client(),
        service_type="USSD",
        source_addr="105",
        destination_addr=MSISDN.decode(),
        **fields,
    )
    return pdu.generate()


def test_submit_sm_by_smpplib_is_read():
    octets = smpplib_submit(short_message=b"Balance", ussd_service_op=17, its_session_info=0x5A05)
    assert wire.read_submit_sm(octets, 0, len(octets)) == (MSISDN, 17, 0x5A, 2, False)
    assert wire.read_screen(octets, 0, len(octets)) == "Balance"


def test_submit_sm_without_tlvs_in_the_midst_of_other_octets():
    octets = smpplib_submit(short_message=b"Balance")
    framed = b"\xff" * 5 + octets + b"\xff" * 5
    read = wire.read_submit_sm(framed, 5, 5 + len(octets))
    assert read == (MSISDN, wire.NO_OP, wire.NO_SESSION, wire.NO_UNIT, False)


def test_ucs2_screen():
    octets = smpplib_submit(short_message="Баланс".encode("utf-16-be"), data_coding=8)
    assert wire.read_screen(octets, 0, len(octets)) == "Баланс"


@pytest.mark.parametrize(("part", "more"), [(1, True), (2, False)])
def test_parts_of_a_long_message(part, more):
    octets = smpplib_submit(short_message=bytes((5, 0, 3, 77, 2, part)) + b"text", esm_class=0x40)
    assert wire.read_submit_sm(octets, 0, len(octets))[4] is more
    assert wire.read_screen(octets, 0, len(octets)) == "text"


def test_a_cut_submit_sm_raises_only_what_it_says():
    octets = smpplib_submit(short_message=b"Balance", ussd_service_op=17, its_session_info=0x5A05)
    for length in range(16, len(octets)):
        try:
            wire.read_submit_sm(octets[:length], 0, length)
        except (ValueError, IndexError, struct.error):
            continue
        # A PDU cut between its TLVs is whole, only shorter.
        assert len(octets) - length in (5, 6, 11), f"{length} octets were read as a whole"


def test_bind_request_by_smpplib_is_read():
    pdu = smpplib.smpp.make_pdu(
        "bind_transceiver", client=smpplib_client(), system_id="gw", password="secret", system_type=""
    )
    octets = pdu.generate()
    assert wire.read_bind(octets, 0, len(octets)) == ("gw", "secret")
