"""Hexadecimal in the forms in which people have it."""

import pytest

from gateway.dumps.hex_text import HexError, read_dumps, read_hex

NACK = bytes.fromhex("00000010800000000000000300000008")
TEXT = b"0000 1111 2222  3333 abcd"


@pytest.mark.parametrize(
    "text",
    [
        "00000010800000000000000300000008",
        "00000010 80000000 00000003 00000008",
        "00:00:00:10:80:00:00:00:00:00:00:03:00:00:00:08",
        "0x00000010 0x80000000 0x00000003 0x00000008",
        r"b'\x00\x00\x00\x10\x80\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x08'",
        "{0x00,0x00,0x00,0x10,0x80,0x00,0x00,0x00,\n 0x00,0x00,0x00,0x03,0x00,0x00,0x00,0x08};",
        "00-00-00-10-80-00-00-00-00-00-00-03-00-00-00-08",
        "0000 0010 8000 0000\n0000 0003 0000 0008\n",
        "00000000: 0000 0010 8000 0000 0000 0003 0000 0008  ................",
        "00000000: 0000 0010 8000 0000  ........\n00000008: 0000 0003 0000 0008  ........",
        "00000000  00 00 00 10 80 00 00 00  00 00 00 03 00 00 00 08  |................|\n00000010",
        "\t0x0000:  0000 0010 8000 0000 0000 0003 0000 0008  ................",
        "000000 00 00 00 10 80 00 00 00 00 00 00 03 00 00 00 08\n000010",
        "Reassembled TCP (16 bytes):\n0000  00 00 00 10 80 00 00 00 00 00 00 03 00 00 00 08   ................",
        "0000   00 00 00 10 80 00 00 00 00 00 00 03 00 00 00 08   ................",
        # od -tx1, od -tx1z, od -Ax -tx1, od -Ad -tx1, od -An -tx1
        "0000000 00 00 00 10 80 00 00 00 00 00 00 03 00 00 00 08\n0000020",
        "0000000 00 00 00 10 80 00 00 00 00 00 00 03 00 00 00 08  >................<\n0000020",
        "000000 00 00 00 10 80 00 00 00\n000008 00 00 00 03 00 00 00 08\n000010",
        "0000000 00 00 00 10 80 00 00 00 00 00 00 03\n0000012 00 00 00 08\n0000016",
        " 00 00 00 10 80 00 00 00 00 00 00 03 00 00 00 08",
        # tcpdump -X with its head line, without and with dates, and what it says at the end
        "12:34:56.789012 IP 127.0.0.1.2775 > 127.0.0.1.40000: Flags [P.], seq 1:17, ack 1, win 512, options "
        "[nop,nop,TS val 1234567890 ecr 1234567891], length 16\n"
        "\t0x0000:  0000 0010 8000 0000 0000 0003 0000 0008  ................\n1 packet captured",
        "2024-01-31 12:34:56.789012 IP6 ::1.2775 > ::1.40000: Flags [P.], length 16\n"
        "\t0x0000:  0000 0010 8000 0000 0000 0003 0000 0008  ................",
        # tshark and Wireshark
        "No.     Time           Source                Destination           Protocol Length Info\n"
        "      1 0.000000000    127.0.0.1             127.0.0.1             SMPP     82     SMPP Generic_nack\n\n"
        "Frame (16 bytes):\n0000  00 00 00 10 80 00 00 00 00 00 00 03 00 00 00 08   ................\n",
        "char peer0_0[] = { /* Packet 4 */\n0x00, 0x00, 0x00, 0x10, 0x80, 0x00, 0x00, 0x00, \n"
        "0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x08 };",
        '"\\x00\\x00\\x00\\x10\\x80\\x00\\x00\\x00" \\\n"\\x00\\x00\\x00\\x03\\x00\\x00\\x00\\x08"',
        # smpplib
        "DEBUG:smpplib.client.140:>>b'00000010800000000000000300000008' (16 bytes)",
        r">>b'\x00\x00\x00\x10\x80\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\b' (16 bytes)",
        # Node
        "<Buffer 00 00 00 10 80 00 00 00 00 00 00 03 00 00 00 08>",
        "pdu <Buffer 00 00 00 10 80 00 00 00 00 00 00 03 00 00 00 08> from 127.0.0.1",
        # jasmin
        "2014-10-12 14:46:11 DEBUG    2220 Sending data [00000010800000000000000300000008]",
        "2014-10-12 14:46:11 DEBUG    2220 Sending data [b'00000010800000000000000300000008']\n"
        "2014-10-12 14:46:11 INFO     2220 SMS-MT [msgid:247c20b2-e05f-4914-a498-3187f3e7aede] [prio:1]",
        # Kannel
        "2012-09-20 13:34:03 [16789] [6] DEBUG: Octet string at 0x7f1b7c000a10:\n"
        "2012-09-20 13:34:03 [16789] [6] DEBUG:   len:  16\n"
        "2012-09-20 13:34:03 [16789] [6] DEBUG:   size: 17\n"
        "2012-09-20 13:34:03 [16789] [6] DEBUG:   immutable: 0\n"
        "2012-09-20 13:34:03 [16789] [6] DEBUG:   data: 00 00 00 10 80 00 00 00 00 00 00 03   ............\n"
        "2012-09-20 13:34:03 [16789] [6] DEBUG:   data: 00 00 00 08                           ....\n"
        "2012-09-20 13:34:03 [16789] [6] DEBUG: Octet string dump ends.",
        "data: 00 00 00 10 80 00 00 00 00 00 00 03 00 00 00 08   ................",
        # php-smpp
        "Send PDU         : 16 bytes\n 00 00 00 10 80 00 00 00 00 00 00 03 00 00 00 08 \n"
        " command_id      : 0x80000000\n sequence number : 8",
        "[20-Sep-2012 13:34:03 UTC] Read PDU         : 16 bytes\n"
        "[20-Sep-2012 13:34:03 UTC]  00 00 00 10 80 00 00 00 00 00 00 03 00 00 00 08 \n"
        "[20-Sep-2012 13:34:03 UTC]  command id      : 0x80000000\n"
        "[20-Sep-2012 13:34:03 UTC]  command status  : 0x3 Invalid Command ID",
        # cloudhopper, netty
        "INFO write bytes: [00000010800000000000000300000008]",
        "         +-------------------------------------------------+\n"
        "         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |\n"
        "+--------+-------------------------------------------------+----------------+\n"
        "|00000000| 00 00 00 10 80 00 00 00 00 00 00 03 00 00 00 08 |................|\n"
        "+--------+-------------------------------------------------+----------------+",
    ],
)
def test_the_same_octets(text):
    assert read_hex(text) == NACK


def test_characters_beside_the_octets_are_no_octets():
    assert (
        read_hex(
            "00000000: 3030 3030 2031 3131 3120 3232 3232 2020  0000 1111 2222  \n"
            "00000010: 3333 3333 2061 6263 64                   3333 abcd\n"
        )
        == TEXT
    )


def test_an_offset_of_zero_begins_another_dump():
    dump = "0000   00 00 00 10 80 00 00 00 00 00 00 03 00 00 00 08   ................\n"
    assert read_dumps(dump + "\n" + dump) == [NACK, NACK]


def test_each_pdu_of_a_log_is_a_dump():
    line = "2014-10-12 14:46:11 DEBUG 2220 Sending data [00000010800000000000000300000008]\n"
    assert read_dumps(line * 2) == [NACK, NACK]
    block = "Send PDU         : 16 bytes\n 00 00 00 10 80 00 00 00 00 00 00 03 00 00 00 08 \n"
    assert read_dumps(block * 2) == [NACK, NACK]


def test_characters_in_a_string_are_octets():
    bind = r"b'\x00\x00\x00\x1d\x00\x00\x00\t\x00\x00\x00\x00\x00\x00\x00\x01gw\x00face\x00\x004\x00\x00\x00'"
    assert read_hex(f"<<{bind} (29 bytes)") == bytes.fromhex(
        "0000001d 00000009 00000000 00000001 6777 00 66616365 00 00 34 00 00 00"
    )


@pytest.mark.parametrize(
    ("first", "star", "last"),
    [
        ("00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00", "*", "00000030"),
        ("0000000 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", "*", "0000060"),
    ],
)
def test_a_star_stands_for_lines_like_the_last(first, star, last):
    assert read_hex(f"{first}\n{star}\n{last}") == bytes(48)


def test_octets_that_look_like_an_offset_are_octets():
    enquire_link = "00000010 00000015 00000000 00000001\n"
    assert read_dumps(enquire_link * 2) == [bytes.fromhex(enquire_link) * 2]


def test_nothing_is_no_octets():
    assert read_hex("") == read_hex(" \n\n") == b""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("00 zz", "line 1: 'zz' is not hexadecimal"),
        ("00\n0", "line 2: 1 digits: an octet has two"),
        ("what is this?", "line 1: 'wh' is not hexadecimal"),
        ("00000010 00000015\n00000000 oops 00000001", "line 2: 'oops' is not hexadecimal"),
        ("00000010 000000what15\n00", "line 1: 'wh' is not hexadecimal"),
        (
            "0000000 0000 1000 0080 0000",
            "line 1: octets two by two in the order of this machine: use od -tx1 or hexdump -C",
        ),
        (
            "\t0x0000:  0000 0010 8000 0000  ........\n\t0x0020:  0000 0003 0000 0008  ........",
            "line 2: offset 0x0020, and 0x0008 octets before it: a line is missing",
        ),
    ],
)
def test_what_is_no_hexadecimal(text, said):
    with pytest.raises(HexError) as refused:
        read_hex(text)
    assert str(refused.value) == said
