import pytest

from gateway.smpp import codec, pdu
from gateway.smpp.errors import CommandRejected, LocalProtocolError
from gateway.smpp.events import Bound
from gateway.smpp.pdu import PDU_CLASSES, decode, encode


def test_all_27_commands_of_the_specification():
    assert len(PDU_CLASSES) == 27


def test_a_password_is_never_shown():
    for command in (pdu.BindTransceiver, pdu.BindReceiver, pdu.BindTransmitter, pdu.Outbind):
        bind = command(system_id="gw", password="hunter2", sequence_number=1)
        for shown in (repr(bind), str(bind), f"{bind}", repr([bind]), repr(Bound(bind))):
            assert "hunter2" not in shown
            assert "gw" in shown


def test_nothing_of_a_message_is_shown_but_its_length():
    message = pdu.SubmitSm(
        short_message=b"password is hunter2", tlvs={0x0424: b"hunter2 again", 0x0501: b"\x11"}
    )
    assert (
        repr(message)
        == "<submit_sm 0 short_message=19 octets message_payload=13 octets ussd_service_op=0x11>"
    )


def test_a_status_is_shown_by_its_name():
    assert (
        repr(pdu.SubmitSmResp(command_status=0x58, sequence_number=3)) == "<submit_sm_resp 3 ESME_RTHROTTLED>"
    )
    assert "status 0x00000400" in repr(pdu.SubmitSmResp(command_status=0x400))


def test_respond():
    request = pdu.SubmitSm(sequence_number=9)
    assert request.respond(message_id="7F") == pdu.SubmitSmResp("7F", sequence_number=9)
    assert request.respond(0x58) == pdu.SubmitSmResp(command_status=0x58, sequence_number=9)


@pytest.mark.parametrize(
    "without", [pdu.Outbind(), pdu.AlertNotification(), pdu.SubmitSmResp(), pdu.GenericNack()]
)
def test_what_has_no_response(without: pdu.Pdu):
    with pytest.raises(LocalProtocolError, match="has no response"):
        without.respond()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (pdu.SubmitSm(service_type="1234567"), "service_type"),
        (pdu.SubmitSm(service_type="USSDXX"), "service_type"),
        (pdu.SubmitSm(source_addr="a\0b"), "source_addr"),
        (pdu.SubmitSm(destination_addr="ё"), "destination_addr"),
        (pdu.SubmitSm(destination_addr=79260000003), "destination_addr"),
        (pdu.SubmitSm(destination_addr=None), "destination_addr"),
        (pdu.SubmitSm(data_coding=256), "data_coding"),
        (pdu.SubmitSm(esm_class=-1), "esm_class"),
        (pdu.SubmitSm(esm_class=None), "esm_class"),
        (pdu.SubmitSm(short_message=bytes(255)), "short_message"),
        (pdu.SubmitSm(short_message="text"), "short_message"),
        (pdu.SubmitSm(tlvs={0x10000: b""}), "TLVs"),
        (pdu.SubmitSm(tlvs={0x0501: bytes(65536)}), "TLVs"),
        (pdu.SubmitSm(tlvs={0x0501: 17}), "TLVs"),
        (pdu.SubmitSm(sequence_number=-1), "header"),
        (pdu.SubmitSm(command_status=2**32), "header"),
        (pdu.SubmitMulti(), "dest_addresses"),
        (pdu.SubmitMulti(dest_addresses=["79260000003"]), "dest_addresses"),
        (pdu.SubmitMulti(dest_addresses=[pdu.SmeAddress(1, 1, "1" * 21)]), "dest_addresses"),
        (pdu.SubmitMulti(dest_addresses=[pdu.SmeAddress()] * 256), "dest_addresses"),
        (pdu.SubmitMultiResp(unsuccess_smes=[pdu.UnsuccessfulSme(1, 1, "1", -1)]), "unsuccess_smes"),
        (pdu.BindTransceiver(password="hunter2hunter2"), "password"),
    ],
)
def test_a_field_that_does_not_fit_is_named_and_its_value_is_not(wrong: pdu.Pdu, field: str):
    with pytest.raises(LocalProtocolError, match=f"{wrong.name}: .*{field}") as caught:
        encode(wrong)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("size", [0, 1, 254])
def test_short_message_of_any_legal_size(size: int):
    message = pdu.SubmitSm(short_message=bytes(size))
    assert decode(encode(message)) == message


def test_strings_as_long_as_the_tables_allow():
    message = pdu.SubmitSm(
        "12345", source_addr="1" * 20, destination_addr="\xff" * 20, validity_period="1" * 16
    )
    assert decode(encode(message)) == message


def test_tlvs_keep_their_order():
    tlvs = {0x1383: b"\x5a\x00", 0x0501: b"\x01", 0x0204: b"\x00\x01"}
    assert list(decode(encode(pdu.DeliverSm(tlvs=tlvs))).tlvs) == list(tlvs)


def test_the_source_of_a_codec_can_be_read():
    source = codec.decoder_source(pdu.SubmitSm)
    assert source.startswith("def decode(frame, command_status, sequence_number):")
    assert "'destination_addr'" in source
    assert codec.encoder_source(pdu.SubmitSm).startswith("def encode(pdu):")


def test_command_rejected_says_what_and_why():
    assert str(CommandRejected(0x14, "submit_sm")) == "submit_sm rejected with ESME_RMSGQFUL"
