"""The keys of a profile that few dialects need, each in a profile of its own; and the bit pictures of sessions."""

import pytest

from gateway.dialect import DialectError, read_profile
from gateway.dialect.layout import compile_layout, session_number, session_value
from gateway.smpp.pdu import DataSm, DeliverSm, SubmitSm
from menus.turns import Abort, Answer, Begin

MSISDN = "79260000003"
LEAST = """
name: least
key: [source_addr]
in: {new: [1], answer: [18]}
out: {ask: 2, finish: 17}
dcs: {table: cbs, gsm7: 0x0F, ucs2: 0x48}
"""


def profile(more="", **replaced):
    text = LEAST
    for key, value in replaced.items():
        lines = [line for line in text.splitlines() if not line.startswith(f"{key.strip('_')}:")]
        text = "\n".join([*lines, f"{key.strip('_')}: {value}"])
    return read_profile(f"{text}\n{more}", "least.yaml")


def dialled(text=b"*105#", **fields):
    return DeliverSm(source_addr=MSISDN, destination_addr="105", short_message=text, **fields)


def op(number):
    return {0x0501: bytes([number])}


# --- pictures


@pytest.mark.parametrize(
    ("picture", "value", "number"),
    [
        ("SSSSSSSS NNNNNNNE", "5a05", 0x5A),  # SMPP 3.4 §5.3.2.43, session 0x5A
        ("SSSSSSSS SSSSSSSE", "0103", 0x81),
        ("ssssssss SSSSSSSE", "0103", 0x101),  # the high part is in octet 2
        ("SSSSSSSS SSSSSSSS", "002a", 42),
        ("0000SSSS", "fa", 10),
    ],
)
def test_where_the_number_of_a_session_stands(picture, value, number):
    assert session_number(compile_layout(0x1383, picture), bytes.fromhex(value)) == number


@pytest.mark.parametrize(
    "picture", ["SSSSSSSS NNNNNNNE", "ssssssss SSSSSSSE", "SSSSSSSS SSSSSSSS", "0000SSSS"]
)
@pytest.mark.parametrize("session", [0, 1, 9, 15])
def test_what_is_written_into_a_picture_is_read_out_of_it(picture, session):
    layout = compile_layout(0x1383, picture)
    assert session_number(layout, session_value(layout, session, unit=5, ended=True)) == session


@pytest.mark.parametrize("picture", ["SSSS", "SSSSSSSX", "", "EEEEEEEE", "NNNNNNNN SSSSSSSS"])
def test_a_picture_that_cannot_be(picture):
    with pytest.raises(ValueError, match="session bits"):
        compile_layout(0x1383, picture)


def test_the_number_of_the_message_wraps_and_spares_the_session():
    layout = compile_layout(0x1383, "SSSSSSSS NNNNNNNE")
    assert layout.goes_on[0xFE] == b"\x00"
    assert layout.ends[0xFE] == b"\x01"


# --- names of dialogues


def test_a_value_of_another_length_is_taken_as_a_whole_and_comes_back():
    one = profile('session: [{tlv: 0x0204, bits: "SSSSSSSS SSSSSSSS"}]\n')
    inbound = one.read(dialled(tlvs=op(1) | {0x0204: b"\x01\x02\x03"}))
    assert inbound.key == f"{MSISDN}/10203"
    assert one.write(inbound.reply, "?", "finish").tlvs[0x0204] == b"\x01\x02\x03"


def test_the_service_address_can_be_part_of_the_name():
    one = profile(key="[source_addr, destination_addr]")
    assert one.read(dialled(tlvs=op(1))).key == f"{MSISDN}/105"


def test_without_addresses_the_session_must_be_there():
    one = profile('session: [{tlv: 0x1501, bits: "SSSSSSSS SSSSSSSS"}]\n', key="[]")
    assert one.read(dialled(tlvs=op(1) | {0x1501: b"\x00\x07"})).key == "7"
    with pytest.raises(DialectError, match="nothing in the PDU names its dialogue"):
        one.read(dialled(tlvs=op(1)))


def test_further_tlvs_come_back_as_they_were():
    one = profile("echo: [0x1402]\n")
    reply = one.read(dialled(tlvs=op(1) | {0x1402: b"abc"})).reply
    assert one.write(reply, "?", "ask").tlvs[0x1402] == b"abc"


def test_a_message_without_a_reference_is_a_push_where_the_dialect_says_so():
    tlv = 'session: [{tlv: 0x0204, bits: "SSSSSSSS SSSSSSSS"}]\n'
    ask = SubmitSm(destination_addr=MSISDN, tlvs=op(2))
    assert profile(tlv + "unnamed: push\n").interpret(ask).push is True
    assert profile(tlv).interpret(ask).push is False, "nothing here is a push"
    pushing = profile(tlv, out="{ask: 2, finish: 17, push_ask: 2}")
    assert pushing.interpret(ask).push is None, "only the centre can tell"


# --- operations


def test_operations_can_be_words_in_service_type():
    one = profile(
        op_from="service_type",
        in_="{new: [BR], answer: [CA], abort: [AF]}",
        out="{ask: CR, finish: EF, release: AF}",
    )
    assert one.is_ussd(dialled(service_type="BR"))
    assert not one.is_ussd(dialled(service_type="CMT", tlvs=op(1)))
    begun = one.read(dialled(service_type="BR"))
    assert begun.turn == Begin("*105#")
    assert isinstance(one.read(dialled(service_type="AF")).turn, Abort)
    answer = one.write(begun.reply, "?", "ask")
    assert (answer.service_type, answer.tlvs) == ("CR", {})
    with pytest.raises(DialectError, match="service_type 'EF' means nothing in dialect 'least'"):
        one.read(dialled(service_type="EF"))


def test_the_last_answer_says_that_it_is_the_last():
    one = profile(in_="{new: [1], answer: [18], answer_last: [146]}")
    inbound = one.read(dialled(b"5", tlvs=op(146)))
    assert (inbound.turn, inbound.last) == (Answer("5"), True)


def test_an_end_by_slowness_is_told_from_a_cancel():
    one = profile(in_="{new: [1], answer: [18], abort: [129], timeout: [65, 66]}")
    assert one.read(dialled(b"", tlvs=op(66))).turn == Abort("timed out at the centre")
    assert one.read(dialled(b"", tlvs=op(129))).turn == Abort("ended by the centre")


def test_an_empty_service_type_is_no_sign_of_ussd():
    one = profile('service_type: ""\n')
    assert not one.is_ussd(dialled())
    assert one.is_ussd(dialled(tlvs=op(1)))


def test_without_words_for_it_a_notice_is_the_last_screen():
    one = profile('session: [{tlv: 0x1383, bits: "SSSSSSSS NNNNNNNE"}]\n')
    reply = one.read(dialled(tlvs=op(1) | {0x1383: b"\x5a\x00"})).reply
    assert one.write(reply, "Bye", "notify").tlvs == op(17) | {0x1383: b"\x5a\x03"}
    assert one.write(reply, "?", "ask_last").tlvs == op(2) | {0x1383: b"\x5a\x02"}


# --- text and the rest


def test_what_is_not_accepted_is_refused():
    one = profile(dcs="{table: cbs, gsm7: 0x0F, ucs2: 0x48, accept: [0x0F, 0x48]}")
    assert one.read(dialled(tlvs=op(1), data_coding=0x0F))
    with pytest.raises(DialectError, match="data_coding 0x04 is not taken"):
        one.read(dialled(tlvs=op(1), data_coding=0x04))


def test_a_value_can_mean_another_alphabet():
    one = profile(dcs="{table: cbs, gsm7: 0x0F, ucs2: 0x48, alphabets: {0x15: ucs2}}")
    assert one.read(dialled("5".encode("utf-16-be"), tlvs=op(18), data_coding=0x15)).turn == Answer("5")


def test_packed_septets_both_ways():
    one = profile("packing: packed\n")
    reply = one.read(dialled(bytes.fromhex("aa180d5603"), tlvs=op(1), data_coding=0x0F)).reply
    pdu = one.write(reply, "hellohello", "finish")
    assert pdu.short_message.hex() == "e8329bfd4697d9ec37", "the example of 3GPP TS 23.038 for packed septets"
    assert one.interpret(pdu).text == "hellohello"
    assert one.interpret(one.write(reply, "Привет", "finish")).text == "Привет"


def test_tlvs_of_every_message():
    one = profile('extra_tlvs: {0x0007: "04"}\n')
    assert one.indicate(MSISDN, "105", "*105#", "new", 1, 0).tlvs[0x0007] == b"\x04"
    assert one.write(one.read(dialled(tlvs=op(1))).reply, "?", "ask").tlvs[0x0007] == b"\x04"


def test_a_centre_that_speaks_data_sm_only():
    one = profile("carrier: data_sm\n", out="{ask: 2, finish: 17, push_ask: 2}")
    pdu = one.indicate(MSISDN, "105", "*105#", "new", 1, 0)
    assert isinstance(pdu, DataSm)
    assert one.read(pdu).turn == Begin("*105#")
    assert isinstance(one.push(MSISDN, "105", "?", "push_ask"), DataSm)


@pytest.mark.parametrize(
    ("more", "code", "address"),
    [
        ("", "*105*00#", "105"),
        ("destination: code\n", "*105*00#", "*105*00#"),
        ("code_from: destination_addr\n", "*105*00#", "*105*00#"),
        ("destination: empty\n", "*105*00#", ""),
        ("destination: code\n", "*105*9220000000*1234567#", "105"),  # longer than destination_addr
    ],
)
def test_what_a_centre_puts_into_the_address(more, code, address):
    one = profile(more)
    assert one.service_addr(code) == address
    assert one.read(one.indicate(MSISDN, address, code, "new", 1, 0)).turn == Begin(code)


@pytest.mark.parametrize(
    ("replaced", "said"),
    [
        ({"out": "{ask: 2, finish: 2}"}, "out.finish: the same as out.ask"),
        ({"key": "[]"}, "what names a dialogue"),
        ({"key": "[source_addr, source_addr]"}, "the same address twice"),
        ({"in_": "{new: [BR], answer: [18]}"}, r"in\.new: write a number, 0 to 255 \(it is 'BR'\)"),
        ({"out": "{ask: 2, finish: 300}"}, r"out\.finish: write a number"),
        ({"op_from": "service_type"}, r"in\.new: write a service_type"),
        ({"extra_tlvs": '{0x0007: "4"}'}, "extra_tlvs.0x0007: '4' is not hexadecimal"),
        ({"dcs": "{table: cbs, gsm7: 0, ucs2: 8, alphabets: {1: latin2}}"}, "no alphabet 'latin2'"),
        ({"session": '[{tlv: 0x1383, bits: "SSSX"}]'}, "write 8 letters an octet"),
    ],
)
def test_a_profile_that_contradicts_itself(replaced, said):
    with pytest.raises(DialectError, match=said):
        profile(**replaced)
