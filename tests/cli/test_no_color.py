"""NO_COLOR at a terminal: no command writes an escape. Without it some do, or this would prove nothing."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_starpound.smsc import Smsc

from tests.cli.pseudo_terminal import ROOT, terminal
from tests.unit.smpp_sim.answering import answering

STARPOUND = [sys.executable, str(ROOT / "cli.py")]
FROM = ["--from", "79260000003"]
BIND_REQUEST = "00000010 00000015 00000000 00000007"


@pytest.fixture(scope="module")
def centre() -> Iterator[Smsc]:
    with Smsc() as smsc, answering(smsc):
        yield smsc


@pytest.fixture
def commands(centre: Smsc, tmp_path: Path) -> list[list[str]]:
    talk = tmp_path / "talk.ussd"
    talk.write_text("@ 79260000003\n> *100#\n< 5.40 RUB\n= - end gsm7 8/182\n", "utf-8")
    at = ["--sim", centre.url]
    return [
        ["dial", "*100#", *FROM, *at],
        ["sms", "000110", *FROM, *at],
        ["replay", str(talk), *at],
        ["dialect", "list"],
        ["explain", BIND_REQUEST],
        ["demo", "--once", "--smpp-port", "0", "--http-port", "0", "--admin-port", "0"],
    ]


def shown(command: list[str], no_color: str) -> str:
    with terminal([*STARPOUND, *command], NO_COLOR=no_color) as at:
        assert at.ends() == 0, at.screen
        return at.raw


def test_no_color_is_no_escapes(commands: list[list[str]]) -> None:
    for command in commands:
        seen = shown(command, "1")
        assert seen
        assert "\x1b" not in seen, command


def test_an_empty_no_color_means_nothing(commands: list[list[str]]) -> None:
    for command in commands:
        assert "\x1b" in shown(command, ""), command
