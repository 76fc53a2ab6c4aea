"""Receipts of real centres, as users of other programs have shown them in public; each says where it is from."""

import pytest

from gateway.smpp import pdu
from gateway.smpp.receipts import Receipt, decode_receipt, message_key, message_keys, read_receipt

IN_THE_FIELD = {
    # As users of other programs have shown them in public; the name says where. None of them is our own writing.
    "jasmin#70": (
        "id:a29f6845555647139e5c8f3b817f2c9a sub:001 dlvrd:001 submit date:141023215253 done date:141023215259"
        " stat:DELIVRD err:000 text:",
        ("a29f6845555647139e5c8f3b817f2c9a", "DELIVRD", "000", 1, 1, "141023215253", "141023215259", ""),
    ),
    "jasmin#447": (
        "id:1216080510463401720 sub:001 dlvrd:001 submit date:1608051046 done date:0000000000 stat:FAILED err:002"
        " Text:",
        ("1216080510463401720", "FAILED", "002", 1, 1, "1608051046", "0000000000", ""),
    ),
    "jsmpp#62": (
        "id:1526758174 submit date:1701240904 done date:1701240904 stat:DELIVRD err:000 text:hellow",
        ("1526758174", "DELIVRD", "000", 0, 0, "1701240904", "1701240904", "hellow"),
    ),
    "uudashr/jsmpp#67": (
        "id:0654354026 submit date:2302101454 done date:2302101454 stat:DELIVRD err:000",
        ("0654354026", "DELIVRD", "000", 0, 0, "2302101454", "2302101454", ""),
    ),
    "php-smpp#70": (
        "id:117062714244798261 sub:001 dlvrd:001 submit date:1706271624 done date:1706271624 stat:DELIVRD err:0000"
        " text:H\x1bllo world",
        ("117062714244798261", "DELIVRD", "0000", 1, 1, "1706271624", "1706271624", "H\x1bllo world"),
    ),
    "smppex#46": (
        "id:rdwjwxns18krxr9936ey96ymcw sub:000 dlvrd:000 submit date:180711070003912+ done date:180711070000012+"
        " stat:UNDELIV err:000",
        ("rdwjwxns18krxr9936ey96ymcw", "UNDELIV", "000", 0, 0, "180711070003912+", "180711070000012+", ""),
    ),
    "gosmpp#124": (
        "id:123A456B sub:1 dlvrd:1 submit date:1702281424 done date:1702281424 stat:DELIVRD err:0 text: hello how",
        ("123A456B", "DELIVRD", "0", 1, 1, "1702281424", "1702281424", " hello how"),
    ),
    "ksmppd#108": (  # no "stat:"
        "id:ce5bc5a9-4f7d-4282-9244-2e1022a9335c sub:000 dlvrd:000 submit date:180903120815"
        " done date:180903120816 DELIVRD err:000 Text:",
        ("ce5bc5a9-4f7d-4282-9244-2e1022a9335c", "DELIVRD", "000", 0, 0, "180903120815", "180903120816", ""),
    ),
    "node-smpp#77": (  # for a USSD request
        "id:45013692 sub:0 dlvrd:28 submit date:1908121157 done date:1908121158 stat:UNDELIV err:21 Text:*100#",
        ("45013692", "UNDELIV", "21", 0, 28, "1908121157", "1908121158", "*100#"),
    ),
    "naz#82": (  # the specification's own example, broken where its page breaks the line
        "id:1234567890 sub:001 dlvrd:001 submit date:1901240904 done\ndate:1901240905 stat:EXPIRED err:8 Text: . . .",
        ("1234567890", "EXPIRED", "8", 1, 1, "1901240904", "1901240905", " . . ."),
    ),
}  # fmt: skip


@pytest.mark.parametrize("origin", IN_THE_FIELD)
def test_receipts_of_real_centres(origin: str):
    text, expected = IN_THE_FIELD[origin]
    state, error = expected[1:3]
    receipt = decode_receipt(text.encode("latin-1"))
    assert receipt == Receipt(expected[0], state, error, *expected[3:])


def test_a_receipt_behind_the_header_of_the_part_it_is_for():
    # ksmppd#63: bearerbox shows this text, and a user data header of six octets
    text = (
        b"id:171026125222636445993424531920 sub:001 dlvrd:001 submit date:171026130350 done date:171026130355"
        b" stat:DELIVRD err:000 text:"
    )
    octets = bytes.fromhex("050003840101") + text
    receipt = read_receipt(pdu.DeliverSm(esm_class=0x44, short_message=octets))
    assert receipt == decode_receipt(text)
    assert receipt.message_id == "171026125222636445993424531920"


def test_the_tlvs_that_a_public_test_centre_sends():
    # gosmpp#124, from Melrose Labs' SMSC: id with its NUL, state 2, error of a GSM network 0
    tlvs = {0x001E: b"3534bce5cd49a0e96e149217386900d98646\0", 0x0427: b"\x02", 0x0423: b"\x03\x00\x00"}
    receipt = read_receipt(pdu.DeliverSm(esm_class=0x04, tlvs=tlvs))
    assert (receipt.message_id, receipt.state) == ("3534bce5cd49a0e96e149217386900d98646", "DELIVRD")
    assert receipt.final


@pytest.mark.parametrize(
    ("octets", "receipt"),
    [
        (  # smpp.pdu (jasmin's codec), tests of its encoding, "handset ack": the id in decimal and in hexadecimal
            "000000b900000005000000000000000a434d540001003635313535353536373800010031323300040000000000"
            "0000007669643a31383931323733333231207375623a30303120646c7672643a303031207375626d6974206461"
            "74653a3133303530353038323620646f6e6520646174653a3133303530353038323620737461743a44454c4956"
            "5244206572723a30303020546578743a444c56524420544f204d4f42494c45000427000102001e000937304241"
            "3841363900",
            Receipt("70BA8A69", "DELIVRD", "000", 1, 1, "1305050826", "1305050826", "DLVRD TO MOBILE"),
        ),
        (  # the same tests, "network error code" (jasmin#117): esm_class 0, all three TLVs
            "000000f30000000500000000000000010001013439313532353637393438383700010130343035313330363939"
            "390000000000000000f2008569643a62633539623861612d326664322d343033352d383131332d313933303165"
            "303530303739207375623a30303120646c7672643a303031207375626d697420646174653a3135303530383134"
            "3430353820646f6e6520646174653a31353035303831343430353820737461743a44454c49565244206572723a"
            "30303020746578743a2d042300030300000427000102001e002562633539623861612d326664322d343033352d"
            "383131332d31393330316530353030373900",
            Receipt(
                "bc59b8aa-2fd2-4035-8113-19301e050079",
                "DELIVRD",
                "000",
                1,
                1,
                "150508144058",
                "150508144058",
                "-",
            ),
        ),
        (  # hujm2023/go-sms-protocol, smpp34 deliver_sm test: esm_class 1, the TLV without a NUL, no message_state
            "000000df0000000500000000000062640001013931393830303030303238350001015348414144490001010100"
            "00010101018469643a37613434616162612d333336662d346139322d393530322d646431303661613733363966"
            "207375623a30303120646c7672643a303031207375626d697420646174653a3233313132333139333735382064"
            "6f6e6520646174653a32333131323331393338303020737461743a44454c49565244206572723a303030207465"
            "78743a001e002437613434616162612d333336662d346139322d393530322d646431303661613733363966",
            Receipt(
                "7a44aaba-336f-4a92-9502-dd106aa7369f", "DELIVRD", "000", 1, 1, "231123193758", "231123193800"
            ),
        ),
    ],
)
def test_whole_PDUs_of_other_programs(octets: str, receipt: Receipt):
    message = pdu.decode(bytes.fromhex(octets))
    assert read_receipt(message) == receipt
    in_text = decode_receipt(message.short_message)
    assert message_key(receipt.message_id) in message_keys(in_text.message_id)
