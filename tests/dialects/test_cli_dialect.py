"""``starpound dialect``: what a person at a terminal sees."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.commands.dialect import dialect
from gateway.dialect import load_profile, profile_names

HERE = Path(__file__).parent
DIALLED = (
    "0000004400000005000000000000000250320001013636393737303931323035000101363639323330313131323100000000000000000f"
    "00062a34303036230501000101"
)


def starpound(*words: str, given: str | None = None) -> Result:
    return CliRunner().invoke(dialect, words, input=given)


def test_list_has_every_profile_and_how_it_is_known() -> None:
    shown = starpound("list").output
    for name in profile_names():
        assert name in shown
    assert "trust: specification" in shown
    assert "unverified" in shown


def test_list_as_json() -> None:
    told = json.loads(starpound("list", "--json").output)
    assert [one["name"] for one in told] == list(profile_names())
    assert told[0].keys() == {"name", "title", "key", "operation_in", "trust"}
    assert all(one["key"] and one["trust"] for one in told)


def test_show_prints_the_file_as_it_can_be_edited(tmp_path: Path) -> None:
    shown = starpound("show", "sixdee")
    assert shown.exit_code == 0
    copy = tmp_path / "mine.yaml"
    copy.write_text(shown.output, "utf-8")
    assert load_profile(str(copy)).name == "sixdee"
    assert starpound("show", str(copy)).output == shown.output


def test_show_of_what_is_not_there_names_the_nearest() -> None:
    shown = starpound("show", "sixdees")
    assert shown.exit_code == 2
    assert shown.output.strip() == "Error: no dialect 'sixdees'; did you mean sixdee?"


@pytest.mark.parametrize("way", ["argument", "file", "binary", "stdin"])
def test_detect_takes_hex_from_anywhere(way: str, tmp_path: Path) -> None:
    text, binary = tmp_path / "dump.txt", tmp_path / "dump.bin"
    text.write_text(DIALLED, "utf-8")
    binary.write_bytes(bytes.fromhex(DIALLED))
    words = {"argument": [DIALLED], "file": [str(text)], "binary": [str(binary)], "stdin": []}[way]
    shown = starpound("detect", *words, given=DIALLED if way == "stdin" else None)
    assert shown.exit_code == 0, shown.output
    assert "likeliest: bare" in shown.output
    assert "key      source_addr: 66977091205" in shown.output
    assert "against  service_type is P2, not USSD" in shown.output


def test_detect_reads_a_capture(tmp_path: Path) -> None:
    from gateway.dumps.capture import write_capture
    from gateway.dumps.hexdump import read_hexdump
    from gateway.dumps.streams import Captured

    pdus = read_hexdump((HERE / "sixdee.pdus").read_text("utf-8").split("== ")[1])
    ends = ("10.0.0.1:2775", "10.0.0.2:40000")
    path = tmp_path / "trace.pcap"
    write_capture(
        path, [Captured(at, *(ends if at % 2 == 0 else ends[::-1]), pdu) for at, pdu in enumerate(pdus)]
    )
    assert "likeliest: sixdee" in starpound("detect", str(path), "--port", "2775").output
    assert starpound("detect", str(path), "--port", "2776").exit_code == 1


def test_detect_writes_a_profile(tmp_path: Path) -> None:
    path = tmp_path / "centre.yaml"
    shown = starpound("detect", str(HERE / "captured.pdus"), "--write", str(path))
    assert f'dialect = "{path}"' in shown.output
    assert load_profile(str(path)).file.service_type == "P2"
    again = starpound("detect", DIALLED, "--write", str(path))
    assert again.exit_code == 2
    assert f"Error: {path}: File exists" in again.output


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["zz"], 2, "Error: zz: no file, and no PDU in hex"),
        (["00000010000000150000000000000001"], 1, "nothing in it is USSD"),
        (
            [DIALLED, "--write", "/nowhere/at/all.yaml"],
            2,
            "Error: /nowhere/at/all.yaml: No such file or directory",
        ),
    ],
)
def test_detect_says_in_a_line_what_is_wrong(words: list[str], status: int, said: str) -> None:
    shown = starpound("detect", *words)
    assert (shown.exit_code, said in shown.output) == (status, True), shown.output


def test_a_capture_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trace.pcap"
    path.write_bytes(b"not a capture")
    shown = starpound("detect", str(path))
    assert shown.exit_code == 2
    assert "neither a pcap nor a pcapng" in shown.output
