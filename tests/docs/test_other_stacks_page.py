"""What docs/how-to/other-stacks.md shows is what the tests with these stacks use, or is run here."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pytest_starpound.smsc import Smsc

from tests.docs.pages import ROOT, Block, blocks
from tests.peers import node_peer

PAGE = ROOT / "docs/how-to/other-stacks.md"
PORTS = {
    "ADMIN": "admin-port = 13000",
    "BOX": "smsbox-port = 13001",
    "SMSC": "port = 2775",
    "SENDSMS": "sendsms-port = 13013",
    "SERVICE": "127.0.0.1:8000",
}
WAIT_S = 30


def shown(mark: str, begins: str = "") -> Block:
    return next(block for block in blocks(PAGE) if block.mark == mark and block.text.startswith(begins))


def test_the_settings_of_kannel_are_those_that_kannel_is_tested_with() -> None:
    tested = (ROOT / "tests/peers/kannel.conf").read_text("utf-8")
    for mark, line in PORTS.items():
        tested = tested.replace(f"@{mark}@", re.search(r"\d+$", line)[0])
    assert shown("ini").text == re.sub(r"^#.*\n", "", tested, flags=re.MULTILINE).lstrip("\n")


def test_the_lines_of_smpplib_are_those_of_the_example_project() -> None:
    shop = (ROOT / "examples/pytest-project/shop.py").read_text("utf-8")
    pieces = [block.text for block in blocks(PAGE) if block.mark == "python"]
    assert [piece for piece in pieces if piece not in shop] == []


@contextmanager
def node_esme(smsc: Smsc, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The script of the page, bound."""
    script = folder / "esme.js"
    script.write_text(shown("text", "const smpp").text, "utf-8")
    environment = os.environ | {"NODE_PATH": str(node_peer.NODE / "node_modules")}
    url = f"smpp://{smsc.host}:{smsc.port}"
    with subprocess.Popen(
        ["node", script, url], env=environment, text=True, stdout=subprocess.PIPE
    ) as process:
        try:
            smsc.wait_bound(timeout_s=WAIT_S)
            yield process
        finally:
            process.terminate()


def test_the_script_for_node_smpp_does_what_the_page_says(tmp_path: Path) -> None:
    if reason := node_peer.missing():
        pytest.skip(reason)
    with Smsc(timeout_s=WAIT_S) as smsc, node_esme(smsc, tmp_path) as process:
        phone = smsc.phone()
        phone.dial("*105#").expect("What is your name").answer("Ivan").ends("^Hello, Ivan!$")
        phone.dial("*105#").expect("What is your name").ok().ends("Hello, you!")
        phone.dial("*105#").expect("name").cancels()
        phone.sms("000105", "hi").receives("^You wrote: hi$", sender="000105")
        assert process.stdout.readline() == "bound\n"
        assert re.match(r"receipt id:\w+ .*stat:DELIVRD", process.stdout.readline())
        assert phone.dial("*105#").expect("name").answer("Eve").ends("Hello, Eve!")
