"""`starpound dialect detect` as a person calls it."""

import gzip
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.commands.dialect import dialect
from gateway.dumps.capture import Captured, write_capture
from gateway.smpp.pdu import DeliverSm, encode

LINK = "00000010000000150000000000000001"
USSD = encode(
    DeliverSm("USSD", source_addr="79260000003", short_message=b"*105#", tlvs={0x0501: b"\x01"})
).hex()


def detect(*args: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(dialect, ["detect", *args], input=stdin)


def refused(result: Result, *said: str) -> None:
    assert result.exit_code == 2, result.output
    [line] = result.stderr.strip().splitlines()
    for words in said:
        assert words in line


@pytest.mark.parametrize("times", [1, 8, 200])
def test_hexadecimal_is_tried_before_the_file_system(times):
    """A file name has 255 octets at most: to ask for a longer one is an error of its own."""
    result = detect(LINK * times + USSD)
    assert result.output.startswith(f"1 message, {times} other PDU")


def test_a_file_and_hexadecimal_in_the_order_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("trace").write_text(USSD)
    Path(LINK).write_text("the name of this file is hexadecimal")
    assert detect("trace", LINK).output.startswith("1 message, 1 other PDU")


def test_text_octets_and_captures_from_a_file_or_a_pipe(tmp_path):
    write_capture(tmp_path / "a.pcap", [Captured(1.0, "10.0.0.1:1", "10.0.0.2:2", bytes.fromhex(USSD))])
    capture = (tmp_path / "a.pcap").read_bytes()
    log = f"центр {USSD}".encode("cp1251")
    for octets in (USSD.encode(), log, bytes.fromhex(USSD), capture, gzip.compress(capture)):
        (tmp_path / "trace").write_bytes(octets)
        assert detect(str(tmp_path / "trace")).output.startswith("1 message, 0 other PDUs"), octets[:4]
        assert detect("-", stdin=octets).output.startswith("1 message, 0 other PDUs"), octets[:4]


def test_a_profile_nested_too_deeply_is_one_line(tmp_path):
    (tmp_path / "mine.yaml").write_text("[" * 20_000)
    refused(
        CliRunner().invoke(dialect, ["show", str(tmp_path / "mine.yaml")]), "mine.yaml", "nested too deeply"
    )


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("/nowhere/x.pcap", "No such file"),
        ("/nowhere/x", "No such file"),
        ("wat", "no PDU in hex"),
        ("00" * 300, "no PDU in hex"),
        ("wat" * 300, "no PDU in hex"),
    ],
)
def test_wrong_calls(source, said):
    refused(detect(source), said)
