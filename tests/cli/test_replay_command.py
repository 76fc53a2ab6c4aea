"""`starpound replay`: against an application that always says the same, and exit statuses that a script can use."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pytest_starpound.smsc import Smsc

from smpp_sim.commands.replay import replay
from tests.unit.smpp_sim.answering import answering

GOOD = """\
# The balance, by the menu
@ 79260000003 private
> *105#
< Menu
< 1 Balance
< 2 Nothing
= menu.root ask gsm7 24/182
> 1
< 5.40 RUB on {date}
= - end gsm7 19/182
~ 000110: Login 9, password {password}

# A change of mind, and a code in the middle of a dialogue
> *105#
< Menu
< 1 Balance
< 2 Nothing
> *105#
< Menu
< 1 Balance
< 2 Nothing
! cancel
> *105#
< Menu
< 1 Balance
< 2 Nothing
! timeout

# Somebody else, by SMS
@ 79260000004
> 000110:
~ 000110: Login 9, password {password}
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Smsc() as smsc, answering(smsc):
        yield smsc.url


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write(tmp_path / "good.ussd", GOOD)


def write(file: Path, text: str) -> Path:
    file.write_text(text, "utf-8")
    return file


def run(url: str, *words: str | Path) -> Result:
    return CliRunner().invoke(replay, ["--sim", url, "--timeout", "5", *map(str, words)])


def test_silence_is_not_written_down(good: Path) -> None:
    with Smsc() as smsc:
        done = CliRunner().invoke(replay, [str(good), "--update", "--sim", smsc.url])
    assert done.exit_code == 2
    assert f"nobody is bound to the simulator at {smsc.url}" in done.output
    assert good.read_text("utf-8") == GOOD


def test_it_goes_as_written(url: str, good: Path) -> None:
    done = run(url, good, good)
    assert done.exit_code == 0, done.output
    assert done.output.count(f"✓ {good}  8 exchanges") == 2
    assert done.output.endswith("2 of 2 went as written\n")
    assert "\x1b" not in done.output


def test_a_difference_is_shown_and_ends_the_play(url: str, tmp_path: Path) -> None:
    file = write(tmp_path / "other.ussd", GOOD.replace("5.40 RUB", "5.50 RUB"))
    done = run(url, file)
    assert done.exit_code == 1
    lines = done.output.splitlines()
    assert lines[0].startswith(f"✗ {file}  1 exchange, ")
    assert lines[1] == "  line 8: it went otherwise"
    assert [line for line in lines if line.startswith(("  -<", "  +<"))] == [
        "  -< 5.50 RUB on {date}",
        "  +< 5.40 RUB on 22.11.2026",
    ]


def test_what_does_not_come_is_counted(url: str, tmp_path: Path) -> None:
    file = write(tmp_path / "more.ussd", "@ 79260000003\n> *999#\n< Hello\n")
    done = CliRunner().invoke(replay, ["--sim", url, "--timeout", "0.1", str(file)])
    assert done.exit_code == 1
    assert "line 2: 1 screens and SMS were expected, 0 came within 0.1 s" in done.output


def test_what_a_phone_cannot_do_is_a_difference(url: str, tmp_path: Path) -> None:
    file = write(tmp_path / "odd.ussd", "@ 79260000003\n> hello\n< Hello\n")
    done = run(url, file)
    assert done.exit_code == 1
    assert "line 2: the phone cannot do that: a code is made of digits, * and #" in done.output


def test_json(url: str, good: Path, tmp_path: Path) -> None:
    wrong = write(tmp_path / "wrong.ussd", "@ 79260000003\n> *100#\n< 1 RUB\n")
    done = run(url, good, wrong, "--json")
    assert done.exit_code == 1
    told = json.loads(done.output)
    assert told["wrong"] == 1
    assert [(one["file"], one["right"], one["line"]) for one in told["files"]] == [
        (str(good), True, 0),
        (str(wrong), False, 2),
    ]
    assert "+< 5.40 RUB" in told["files"][1]["difference"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@ 79260000003\n>*105#\n", ":2: no line begins with '>*105#' (put a space after '>')"),
        ("@ 79260000003\n> *1#\n< {dat}\n", ":3: no pattern 'dat' (did you mean 'date'?)"),
        ("# nobody\n\n> *105#\n", ":3: no phone yet (begin with a line like @ 79260000003)"),
        ("", ":1: no phone yet (begin with a line like @ 79260000003)"),
    ],
)
def test_a_file_that_does_not_parse_is_one_line_and_nothing_is_played(
    url: str, good: Path, tmp_path: Path, text: str, said: str
) -> None:
    file = write(tmp_path / "bad.ussd", text)
    done = run(url, good, file)
    assert done.exit_code == 2
    assert done.stderr == f"Error: {file}{said}\n"
    assert done.stdout == ""


def test_no_simulator_and_no_file_are_one_line(good: Path, tmp_path: Path) -> None:
    done = run("http://127.0.0.1:1", good)
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1
    assert run("http://127.0.0.1:1", tmp_path / "none.ussd").exit_code == 2


def test_update_fills_in_what_was_shown_and_keeps_the_rest(url: str, tmp_path: Path) -> None:
    file = write(
        tmp_path / "new.ussd", "# Mine\n@ 79260000003 private\n> *105#\n> 1\n\n# By SMS\n> 000110:\n"
    )
    done = run(url, file, "--update")
    assert done.exit_code == 0, done.output
    assert file.read_text("utf-8") == (
        "# Mine\n@ 79260000003 private\n> *105#\n< Menu\n< 1 Balance\n< 2 Nothing\n= - ask gsm7 24/182\n"
        "> 1\n~ 000110: Login 9, password {password}\n< 5.40 RUB on 22.11.2026\n= - end gsm7 22/182\n\n"
        "# By SMS\n> 000110:\n~ 000110: Login 9, password {password}\n"
    )
    assert run(url, file).exit_code == 0


def test_a_password_that_was_not_expected_is_not_printed(url: str, tmp_path: Path) -> None:
    file = write(tmp_path / "secret.ussd", "@ 79260000003\n> 000110:\n~ 000110: Hello\n")
    done = run(url, file)
    assert "+~ 000110: Login 9, password {password}" in done.output
    assert "s3cret-word" not in done.output


def test_the_file_of_an_update_is_left_alone_when_nothing_differs(url: str, good: Path) -> None:
    assert run(url, good, "--update").exit_code == 0
    assert good.read_text("utf-8") == GOOD
