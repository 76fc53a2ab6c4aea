"""The tester itself: it must not let a changed screen pass, and must say what changed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from data.model import Subscriber
from handlers.registry import OPERATIONS, Outcome, Work, load_all
from smpp_sim.transcripts.transcript import TextReceived
from tests.dialogues.test_transcripts import compare
from tests.dialogues.tester import Played, owner, play

GOOD = """\
@ 79260000003 private en latin balance=12.50
> *100#
< Your balance is 12.50 rub.
= balance.private end gsm7 26/182
"""


@pytest.fixture
def play_text(new_folder: Callable[[str], Path]) -> Callable[..., Played]:
    return lambda text, **changed: play(text, "made-up.en.ussd", new_folder("made-up"), **changed)


def difference(played: Played) -> list[str]:
    return [line for line in played.difference("made-up.en.ussd").splitlines() if line[0] in "+-"]


def test_what_is_as_written_passes(play_text) -> None:
    assert difference(play_text(GOOD)) == []


def test_another_screen_is_shown_beside_the_expected_one(play_text) -> None:
    assert difference(play_text(GOOD.replace("12.50 rub.", "13.50 rub."))) == [
        "--- made-up.en.ussd (expected)",
        "+++ what was shown",
        "-< Your balance is 13.50 rub.",
        "+< Your balance is 12.50 rub.",
    ]


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (GOOD.replace("balance.private", "balance.corporate"), "+= balance.private end gsm7 26/182"),
        (GOOD.replace(" end ", " ask "), "+= balance.private end gsm7 26/182"),
        (GOOD.replace("26/182", "25/182"), "+= balance.private end gsm7 26/182"),
        (GOOD.partition("<")[0], "+< Your balance is 12.50 rub."),
        (GOOD + "~ 000100: And an SMS\n", "-~ 000100: And an SMS"),
        (GOOD + "> 000110:\n", "+~ 000110: Login 9260000003, password {password}"),
    ],
    ids=["node", "kind", "length", "not expected", "SMS that does not come", "SMS not expected"],
)
def test_any_difference_is_found(play_text, wrong: str, line: str) -> None:
    assert line in difference(play_text(wrong))


def test_the_runner_fails_with_the_difference(play_text) -> None:
    played = play_text(GOOD.replace("Your balance", "My balance"))
    with pytest.raises(
        pytest.fail.Exception, match=r"(?s)made-up\.en\.ussd.*-< My balance.*\+< Your balance"
    ):
        compare(played, "made-up.en.ussd")


def test_a_turn_that_fails_is_no_screen_to_be_proud_of(play_text) -> None:
    async def breaks(work: Work, subscriber: Subscriber, args: dict) -> Outcome:
        raise ZeroDivisionError

    load_all()
    broken = OPERATIONS | {"balance.show": replace(OPERATIONS["balance.show"], run=breaks)}
    with capture_logs(), pytest.raises(AssertionError, match="the turn failed"):
        play_text(GOOD, operations=broken)


def test_passwords_are_masked_and_nothing_else_is(play_text) -> None:
    played = play_text("@ 79260000003 private ru cyrillic\n> 000110:\n> 000110: пароль\n")
    issued, hint = (step.text for step in played.happened if isinstance(step, TextReceived))
    assert issued == "Логин 9260000003, пароль {password}"
    assert hint == "Чтобы получить пароль, отправьте сюда пустое SMS или наберите *105*00#"


def test_two_phones_are_told_apart(play_text) -> None:
    played = play_text(
        "@ 79260000003 private en latin balance=1\n@ 79260000002 private en latin balance=2\n> *100#\n"
        "@ 79260000003\n> *100#\n"
    )
    shown = [line for line in difference(played) if "rub" in line]
    assert shown == ["+< Your balance is 2.00 rub.", "+< Your balance is 1.00 rub."]


# ----------------------------------------------------------------------------------------- owners


CHANGED = "corporate en latin blocked balance=12.5 limit=none spent=420 tariff=max packages=62%"


def test_words_change_the_seeded_owner() -> None:
    seeded = owner("79260000000", ["corporate", "ru", "latin"])
    assert (seeded.script, seeded.budget_limit_kopecks, seeded.blocked) == ("latin", 150_000, False)
    changed = owner("79260000000", CHANGED.split())
    assert changed == seeded._replace(
        language="en",
        blocked=True,
        balance_kopecks=1250,
        budget_limit_kopecks=None,
        budget_spent_kopecks=42_000,
        tariff="max",
        packages_left_percent=62,
    )


@pytest.mark.parametrize(
    ("msisdn", "words", "says"),
    [
        ("79260000003", "corporate ru cyrillic", "seeded as no corporate one"),
        ("79260000003", "private ru gothic", "no script 'gothic'"),
        ("79260000003", "private fr latin", "no language 'fr'"),
        ("79260000003", "private ru latin age=7", "no fact 'age'; there are blocked, balance, limit"),
        ("79269999999", "private ru latin", "say `unknown` for a stranger"),
    ],
)
def test_words_that_are_not_understood(msisdn: str, words: str, says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        owner(msisdn, words.split())


def test_a_phone_must_be_told_of_before_it_is_picked_up_again(play_text) -> None:
    with pytest.raises(AssertionError, match="line 1: nothing was told of 79260000003"):
        play_text("@ 79260000003\n> *100#\n")
