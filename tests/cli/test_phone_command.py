"""`starpound phone`, from a pipe and at a real terminal (a pseudo one, but the program cannot tell)."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_starpound.smsc import Smsc

from smpp_sim.commands.phone import WIDTH, box
from tests.cli.pseudo_terminal import PATIENCE_S, ROOT, terminal
from tests.unit.smpp_sim.answering import Application, answering

PHONE = "79260000003"


@pytest.fixture(scope="module")
def stage() -> Iterator[tuple[Smsc, Application]]:
    with Smsc() as smsc, answering(smsc) as application:
        yield smsc, application


@pytest.fixture
def centre(stage: tuple[Smsc, Application]) -> Smsc:
    return stage[0]


def command(centre: Smsc) -> list[str]:
    words = ["--from", PHONE, "--sim", centre.url]
    return [
        sys.executable,
        "-c",
        "from smpp_sim.commands.phone import phone; phone(prog_name='starpound phone')",
        *words,
    ]


def piped(centre: Smsc, *lines: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(centre),
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        cwd=ROOT,
        timeout=PATIENCE_S,
        check=False,
    )


def test_a_dialogue_from_a_pipe(centre: Smsc) -> None:
    done = piped(centre, "*105#", "", "1", "wait", "sms 000110")
    assert done.returncode == 0, done.stderr
    assert "╭─ *105# ───" in done.stdout
    assert "│ 1 Balance" in done.stdout
    assert "╰─ ask 24/182 gsm7 ─╯" in done.stdout
    assert done.stdout.index("Anything else?") < done.stdout.index("5.40 RUB")
    assert done.stdout.count("╭─ ✉ 000110 ─") == 2


def test_what_a_pipe_leaves_open_is_cancelled(centre: Smsc) -> None:
    assert piped(centre, "*105#").stdout.endswith("cancelled\n")
    assert centre.phone(PHONE).state == "idle"


def test_commands_while_a_question_is_on_the_display(centre: Smsc) -> None:
    done = piped(centre, "*105#", "/sms 000110", "/cancel", "*100#")
    assert "SMS sent to 000110" in done.stdout
    assert "5.40 RUB" in done.stdout


def test_what_cannot_be_done_is_said_and_the_rest_is_done(centre: Smsc) -> None:
    done = piped(centre, "dance", "", "*100#", "sms Bank x", "save /nowhere/x.ussd", "save")
    assert done.returncode == 1
    assert "5.40 RUB" in done.stdout
    assert done.stderr.splitlines() == [
        "a code is made of digits, * and # (help: what can be typed)",
        "'Bank' is no number to send an SMS to: write 1 to 20 digits (help: what can be typed)",
        "/nowhere/x.ussd: No such file or directory (help: what can be typed)",
        "save needs the name of a file, as in save talk.ussd (help: what can be typed)",
    ]


def test_a_line_that_is_no_text_is_refused_alone(centre: Smsc) -> None:
    done = piped(centre, "\udcff\udcfe", "*100#")
    assert done.returncode == 1
    assert "5.40 RUB" in done.stdout
    assert done.stderr == "a code is made of digits, * and # (help: what can be typed)\n"


def test_a_transcript_is_saved(centre: Smsc, tmp_path: Path) -> None:
    file = tmp_path / "talk.ussd"
    piped(centre, "*100#", f"save {file}", "inbox", "help", "off", "on")
    assert file.read_text("utf-8") == f"@ {PHONE}\n> *100#\n< 5.40 RUB\n= - end gsm7 8/182\n"


def test_no_simulator_is_one_line() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from smpp_sim.commands.phone import phone; phone()",
            "--from",
            PHONE,
            "--sim",
            "http://127.0.0.1:1",
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=PATIENCE_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: no simulator at http://127.0.0.1:1 ")
    assert len(done.stderr.splitlines()) == 1


def test_at_a_terminal(centre: Smsc) -> None:
    with terminal(command(centre)) as phone:
        phone.shows(f"{PHONE} >")
        phone.type("*105#\r")
        phone.shows("2 Nothing")
        phone.shows("answer >")
        phone.type("1\r")
        phone.shows("5.40 RUB on 22.11.2026")
        phone.shows(f"{PHONE} >")
        phone.type("quit\r")
        assert phone.ends() == 0, phone.screen


def test_an_sms_leaves_the_line_that_is_typed(stage: tuple[Smsc, Application]) -> None:
    centre, application = stage
    with terminal(command(centre)) as phone:
        phone.shows(f"{PHONE} >")
        phone.type("*10")
        phone.shows("*10")
        application.sms(PHONE, "In between")
        phone.shows("✉ 000110")
        phone.shows("In between")
        phone.shows(f"{PHONE} > *10")
        phone.type("0#\r")
        phone.shows("5.40 RUB")


def test_ctrl_c_cancels_and_twice_leaves(centre: Smsc) -> None:
    with terminal(command(centre)) as phone:
        phone.shows(f"{PHONE} >")
        phone.type("*105#\r")
        phone.shows("answer >")
        phone.type("\x03")
        phone.shows("cancelled")
        phone.shows(f"{PHONE} >")
        assert centre.phone(PHONE).state == "idle"
        phone.type("\x03")
        assert phone.ends() == 0, phone.screen


def test_ctrl_d_gives_up_what_is_open(centre: Smsc) -> None:
    with terminal(command(centre)) as phone:
        phone.shows(f"{PHONE} >")
        phone.type("*105#\r")
        phone.shows("answer >")
        phone.type("\x04")
        assert phone.ends() == 0, phone.screen
    assert centre.phone(PHONE).state == "idle"


def test_a_box_is_no_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "34")
    drawn = box("one two three four five six seven", f"*{'1' * 180}#", "ask 160/182 gsm7").split("\n")
    assert {len(line) for line in drawn} == {34}
    assert drawn[1] == "│ one two three four five six    │"


def test_what_would_move_the_cursor_is_shown_instead() -> None:
    drawn = box("\x1b[31mred\x07\x9b2J\ttab\u202eabc\x00", "\x1b]0;title\x07")
    assert "│ ␛[31mred␇�2J tab�abc␀ │" in drawn
    assert drawn.startswith("╭─ ␛]0;title␇ ─")


@pytest.mark.parametrize("text", ["", "短信" * 40, "a" * 200, "one two " * 30, "Привет\n\nмир"])
def test_boxes_have_straight_edges(text: str) -> None:
    from prompt_toolkit.utils import get_cwidth

    widths = {get_cwidth(line) for line in box(text, "*105#", "ask 1/182 gsm7").split("\n")}
    assert len(widths) == 1
    assert widths.pop() <= WIDTH
