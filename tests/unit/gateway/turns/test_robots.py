"""How often a number hears that its SMS meant nothing. Time is a number."""

import pytest
import structlog

from gateway.turns import robots as module
from gateway.turns.robots import Patience

ROBOT, PERSON = "900", "79260000003"


@pytest.fixture
def lines(monkeypatch):
    """What is logged."""
    logger = structlog.testing.CapturingLogger()
    monkeypatch.setattr(module, "log", logger)
    return logger.calls


def told(patience, msisdn, *moments):
    return [patience.spend(msisdn, "smsc", now) for now in moments]


def test_so_many_an_hour_and_then_no_more(lines):
    assert told(Patience(3), ROBOT, *range(6)) == [True, True, True, False, False, False]


def test_one_number_costs_no_other_its_answer(lines):
    patience = Patience(1)
    assert told(patience, ROBOT, 0, 1) == [True, False]
    assert told(patience, PERSON, 2) == [True]


def test_an_hour_later_it_is_answered_again(lines):
    patience = Patience(2)
    assert told(patience, ROBOT, 0, 1000, 2000) == [True, True, False]
    assert told(patience, ROBOT, 3600, 3601) == [True, False]


def test_the_log_says_it_once_an_hour_however_many_come(lines):
    patience = Patience(1)
    told(patience, ROBOT, *range(1000))
    (line,) = lines
    assert line.method_name == "warning"
    assert line.kwargs["msisdn"] == ROBOT
    told(patience, ROBOT, *range(3600, 5000))
    assert len(lines) == 2


def test_a_million_numbers_are_not_remembered(lines):
    patience = Patience(1)
    for number in range(20_000):
        patience.spend(str(number), "smsc", 0)
    assert told(patience, "19999", 1) == [False], "the newest are known"
    assert told(patience, "0", 1) == [True], "the oldest have been forgotten"
