"""`starpound dial`, from a pipe and at a terminal."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from pytest_starpound.smsc import Smsc

from tests.cli.pseudo_terminal import PATIENCE_S, ROOT, terminal
from tests.unit.smpp_sim.answering import answering

PHONE = "79260000003"
NEVER_ANSWERED = "*106#"


@pytest.fixture(scope="module")
def centre() -> Iterator[Smsc]:
    with Smsc() as smsc, answering(smsc):
        yield smsc


def dial(centre: Smsc, code: str, *options: str) -> list[str]:
    return [
        sys.executable,
        str(ROOT / "cli.py"),
        "dial",
        code,
        "--from",
        PHONE,
        "--sim",
        centre.url,
        *options,
    ]


def piped(command: list[str], answers: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, input=answers, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def test_each_line_of_a_pipe_is_an_answer(centre: Smsc) -> None:
    done = piped(dial(centre, "*105#"), "2\n\n1\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Anything else?") == 2
    assert done.stdout.index("Menu") < done.stdout.index("Anything else?") < done.stdout.index("5.40 RUB on")
    assert done.stderr == ""


def test_a_pipe_that_ends_cancels(centre: Smsc) -> None:
    done = piped(dial(centre, "*105#"), "2\n")
    assert done.returncode == 0, done.stderr
    assert "the last question was not answered" in done.stderr
    assert centre.phone(PHONE).state == "idle"


def test_with_answers_of_its_own_a_pipe_is_left_alone(centre: Smsc) -> None:
    done = piped(dial(centre, "*105#", "--answer", "2"), "1\n")
    assert "Anything else?" in done.stdout
    assert "5.40 RUB" not in done.stdout


def test_ctrl_c_at_a_question_cancels(centre: Smsc) -> None:
    with terminal(dial(centre, "*105#")) as at:
        at.shows("2 Nothing")
        at.shows("> ")
        at.interrupt()
        assert at.ends() == 1, at.screen
    assert "Traceback" not in at.raw
    assert centre.phone(PHONE).state == "idle"


def test_ctrl_c_while_no_screen_comes_cancels(centre: Smsc) -> None:
    phone = f"/api/phones/{PHONE}"
    before = centre.control.ask(phone)["last"]
    with terminal(dial(centre, NEVER_ANSWERED)) as at:
        assert centre.control.events(f"{phone}/events", before, "running", PATIENCE_S)
        at.interrupt()
        assert at.ends() == 1, at.screen
    assert "Traceback" not in at.raw
    assert centre.phone(PHONE).state == "idle"
