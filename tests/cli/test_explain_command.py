"""`starpound explain` as a person calls it."""

import asyncio
import gzip
import json
import time
from pathlib import Path

import dpkt
import pytest
from click.testing import CliRunner, Result

from data.model import QuarantineRecord
from data.opening import open_store
from gateway.commands.explain import explain_command
from gateway.dumps.capture import Captured, write_capture
from gateway.smpp.pdu import BindTransceiver, DeliverSm, encode

LINK = "00000010 00000015 00000000 00000007"
USSD = encode(
    DeliverSm(source_addr="79260000003", short_message=b"*105#", tlvs={0x0501: b"\x01"}, sequence_number=2)
)


def explain(*args: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(explain_command, args, input=stdin)


def refused(result: Result, *said: str) -> None:
    assert result.exit_code == 2, result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    for words in said:
        assert words in lines[0]


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "centre.pcap"
    ends = ("10.0.0.1:40000", "10.0.0.2:2775")
    bind = encode(BindTransceiver("gw", "s3cretpw", sequence_number=1))
    pdus = [
        Captured(1000.0, *ends, bind),
        Captured(1001.5, *reversed(ends), USSD),
        Captured(1002.0, *ends, bytes.fromhex(LINK)),
    ]
    write_capture(path, [*pdus, Captured(1003.0, "10.0.0.9:1", "10.0.0.2:2775", b"GET / HTTP/1.1\r\n\r\n")])
    return path


@pytest.mark.parametrize(
    "args",
    [
        [LINK],
        LINK.split(),
        [LINK.replace(" ", "")],
        ["00000000: 0000 0010 0000 0015 0000 0000 0000 0007  ................"],
    ],
)
def test_hexadecimal_as_arguments(args):
    result = explain(*args)
    assert result.exit_code == 0
    assert result.output.startswith("enquire_link, sequence_number 7, 16 octets\n")
    assert "enquire_link_resp" in result.output


def test_hexadecimal_is_tried_before_the_file_system(tmp_path, monkeypatch):
    """A file name has 255 octets at most: to ask for a longer one is an error of its own."""
    octets = LINK.replace(" ", "")
    monkeypatch.chdir(tmp_path)
    Path(octets).write_text("the name of this file is hexadecimal")
    assert explain(octets).output.startswith("enquire_link, sequence_number 7, 16 octets\n")
    assert "PDU 200" in explain(octets * 200).output


@pytest.mark.parametrize("args", [[], ["-"]])
def test_standard_input(args):
    assert "enquire_link, sequence_number 7" in explain(*args, stdin=f"{LINK}\n").output
    assert "enquire_link, sequence_number 7" in explain(*args, stdin=bytes.fromhex(LINK)).output


def test_a_capture_on_standard_input(capture):
    assert "deliver_sm 2" in explain("-", "--brief", stdin=capture.read_bytes()).output


@pytest.mark.parametrize(
    "octets", [LINK.encode(), bytes.fromhex(LINK), b"\\x00\\x00\\x00\\x10" + LINK[8:].encode()]
)
def test_a_file(tmp_path, octets):
    (tmp_path / "trace").write_bytes(octets)
    assert "enquire_link, sequence_number 7" in explain("--file", str(tmp_path / "trace")).output
    assert "enquire_link, sequence_number 7" in explain(str(tmp_path / "trace")).output


def test_several_pdus():
    result = explain(LINK, USSD.hex())
    assert "PDU 1" in result.output
    assert "PDU 2" in result.output
    assert 'USSD: 79260000003 dialled "*105#"' in result.output


def test_one_of_several():
    result = explain("--pdu", "2", LINK, USSD.hex())
    assert result.output.startswith("deliver_sm")
    assert "enquire_link" not in result.output
    refused(explain("--pdu", "3", LINK, USSD.hex()), "no PDU 3")


def test_a_capture(capture):
    result = explain(str(capture))
    assert result.exit_code == 0
    assert "1970-01-01 00:16:41.500000Z  10.0.0.2:2775 → 10.0.0.1:40000" in result.output
    assert "s3cretpw" not in result.output
    assert "CAPTURE: not SMPP: HTTP, 18 octets" in result.output


def test_a_capture_in_brief(capture):
    lines = explain("--brief", str(capture)).output.splitlines()
    assert lines[1] == (
        "2  00:16:41.500000Z  10.0.0.2:2775 → 10.0.0.1:40000  "
        "deliver_sm 2 source_addr=79260000003 short_message=5 octets ussd_service_op=0x01"
    )
    assert len(lines) == 4


def test_json(capture):
    bind, turn, *_ = json.loads(explain("--json", str(capture)).output)
    assert (turn["source"], turn["time"], turn["command"]) == ("10.0.0.2:2775", 1001.5, "deliver_sm")
    assert "".join(row["hex"].replace(" ", "") for row in turn["fields"]) == USSD.hex()
    (password,) = [row for row in bind["fields"] if row["name"] == "password"]
    assert (password["masked"], password["value"], password["hex"]) == (True, "***", " ".join(["**"] * 9))


def test_the_table_for_data_coding():
    frame = encode(DeliverSm(data_coding=0x48)).hex()
    assert "reserved (sms table)" in explain(frame).output
    assert "UCS-2 (cbs table)" in explain("--table", "cbs", frame).output


def test_the_quarantine(tmp_path):
    url = f"sqlite:///{tmp_path}/starpound.db"

    async def fill() -> None:
        store = open_store(url)
        record = QuarantineRecord(
            0, "ussdc", "10.0.0.2:2775", "in", "short_message too long", 1, USSD[:-2], time.time(), False
        )
        async with store.unit() as unit:
            await unit.inbox.quarantine([record], 10)
        await store.close()

    asyncio.run(fill())
    result = explain("--quarantine", "1", "--store", url)
    assert result.exit_code == 0, result.output
    assert "quarantine 1, link ussdc, peer 10.0.0.2:2775: short_message too long" in result.output
    assert "PROBLEM F1" in result.output
    refused(explain("--quarantine", "2", "--store", url), "no record 2")
    refused(explain("--quarantine", "2"), "--store")


PACKET = (
    "45000044 4d3a4000 40060000 7f000001 7f000001 0ad79c40 00000001 00000001 50180200 fe4c0000"  # 28 octets of data
    " 0000001c 00000005 00000000 00000001 00000000 00000000 00000000"
)


def dump(octets: bytes) -> str:
    rows = (octets[at : at + 16].hex(" ", -2) for at in range(0, len(octets), 16))
    return "".join(f"\t0x{16 * at:04x}:  {row}\n" for at, row in enumerate(rows))


def test_several_packets_in_one_paste():
    head = "12:34:56.789012 IP 127.0.0.1.2775 > 127.0.0.1.40000: Flags [P.], seq 1:29, ack 1, length 28\n"
    told = explain("-", "--brief", stdin=(head + dump(bytes.fromhex(PACKET))) * 3).output.splitlines()
    assert [line[:15] for line in told] == [f"{number}  deliver_sm 1" for number in (1, 2, 3)]


def test_packets_that_were_cut_off_are_not_joined():
    pasted = dump(bytes.fromhex(PACKET)[:60]) * 2
    told = explain("-", "--json", stdin=pasted)
    pdus = json.loads(told.output)
    assert [pdu["octets"] for pdu in pdus] == [20, 20]
    assert {pdu["capture_problem"] for pdu in pdus} == {"20 of 28 octets of this packet are here"}


def test_a_pdu_in_two_dumps_is_joined():
    first, second = dump(USSD[:20]), dump(USSD[20:])
    assert explain("-", "--brief", stdin=first + second).output.startswith(
        "1  deliver_sm 2 source_addr=79260000003"
    )


def test_lines_of_a_log():
    line = f"2014-10-12 14:46:11 DEBUG 2220 Sending data [{USSD.hex()}]"
    assert explain(line).output.startswith("deliver_sm, sequence_number 2")
    assert len(explain("--brief", "-", stdin=f"{line}\n" * 3).output.splitlines()) == 3


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1251"])
def test_text_in_the_encodings_of_other_systems(tmp_path, encoding):
    (tmp_path / "trace").write_bytes(f"Разговор с центром\n{LINK}\n".encode(encoding))
    assert "enquire_link, sequence_number 7" in explain(str(tmp_path / "trace")).output


@pytest.mark.parametrize("name", ["centre.pcap.gz", "centre"])
def test_a_compressed_capture(tmp_path, capture, name):
    packed = tmp_path / name
    packed.write_bytes(gzip.compress(capture.read_bytes()))
    assert explain(str(packed)).output == explain(str(capture)).output
    assert explain("-", stdin=packed.read_bytes()).output == explain(str(capture)).output


def test_a_capture_without_octets_says_what_is_in_it(tmp_path):
    with (tmp_path / "a.pcap").open("wb") as file:
        dpkt.pcap.Writer(file).writepkts([(1.0, bytes(60)), (2.0, bytes(60))])
    for args, stdin in ([str(tmp_path / "a.pcap")], None), (["-"], (tmp_path / "a.pcap").read_bytes()):
        refused(explain(*args, stdin=stdin), "no octets over TCP in it; its packets: 2 not IP")


def test_lines_are_no_longer_than_a_hundred_columns(capture):
    assert max(map(len, explain(str(capture)).output.splitlines())) <= 100


def test_no_colours_in_a_pipe(capture):
    assert "\x1b" not in explain(str(capture)).output


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["wat"], "'w"),
        (["000"], "3 digits"),
        (["wat" * 300], "not hexadecimal"),
        ([""], "no octets"),
        (["--file", "/nowhere/x"], "No such file"),
        (["/nowhere/x.pcap"], "No such file"),
        (["/nowhere/x.pcapng.gz"], "No such file"),
        (["--file", "x", "00"], "say one of"),
    ],
)
def test_wrong_calls(args, said):
    refused(explain(*args), said)
