"""PDUs out of every form of hex that people paste."""

import pytest

from gateway.dumps.hexdump import find_pdus, read_hexdump

PDU = bytes.fromhex(
    "0000004400000005000000000000000250320001013636393737303931323035000101363639323330313131323100000000000000000f"
    "00062a34303036230501000101"
)
OTHER = bytes.fromhex("00000010000000150000000000000007")


def columns(octets, form):
    """A dump as the named program prints it."""
    lines = []
    for at in range(0, len(octets), 16):
        row = octets[at : at + 16]
        pairs = [f"{one:02x}" for one in row]
        shown = "".join(chr(one) if 32 <= one < 127 else "." for one in row)
        fours = " ".join(row[two : two + 2].hex() for two in range(0, len(row), 2))
        lines.append(
            {
                "hexdump -C": f"{at:08x}  {' '.join(pairs[:8])}  {' '.join(pairs[8:]):<24} |{shown}|",
                "xxd": f"{at:08x}: {fours:<39}  {shown}",
                "tcpdump -X": f"\t0x{at:04x}:  {fours:<39}  {shown}",
                "Wireshark": f"{at:04x}   {' '.join(pairs):<47}   {shown}",
            }[form]
        )
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        PDU.hex(),
        PDU.hex().upper(),
        PDU.hex(" "),
        PDU.hex(":"),
        PDU.hex("-", 4),
        ", ".join(f"0x{octet:02x}" for octet in PDU),
        "".join(f"\\x{octet:02x}" for octet in PDU),
        f"2014-10-12 14:46:11 DEBUG PDU [{PDU.hex()}]",
        f"-> {PDU.hex()}\n   deliver_sm 2: 66977091205 to 66923011121",
        "\n".join(PDU.hex()[at : at + 40] for at in range(0, 136, 40)),
    ],
)
def test_plain_hex(text):
    assert read_hexdump(text) == [PDU]


@pytest.mark.parametrize("form", ["hexdump -C", "xxd", "tcpdump -X", "Wireshark"])
def test_columns(form):
    assert read_hexdump(columns(PDU, form)) == [PDU]
    assert read_hexdump(columns(PDU, form) + "\n" + columns(OTHER, form)) == [PDU, OTHER]


def test_the_headers_of_a_packet_are_skipped():
    packet = bytes.fromhex(
        "450000584d3a400040060000 7f000001 7f000001 0ad7c350 00000001 00000001 50180200 fe4c0000"
    )
    assert read_hexdump(columns(packet + PDU + OTHER, "tcpdump -X")) == [PDU, OTHER]


def test_several_pdus_in_one_run():
    assert list(find_pdus(b"GARBAGE" + PDU + OTHER + b"\x00\x00\x00")) == [PDU, OTHER]


@pytest.mark.parametrize(
    "text", ["", "no hex here", "deadbeef", PDU.hex()[:-2], "00000010000099990000000000000001"]
)
def test_nothing_that_is_a_pdu(text):
    assert read_hexdump(text) == []
