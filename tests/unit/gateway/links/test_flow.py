"""The pace of a link: its window and its rate. Time is a number."""

import pytest

from gateway.links.flow import Flow


def test_the_window_grows_by_one_for_every_window_taken_and_never_beyond_what_was_agreed():
    flow = Flow(4)
    flow.throttled()
    assert flow.window == 2
    flow.taken()
    flow.taken()
    assert flow.window == 2, "not quite: 2 + 1/2 + 1/2.5"
    flow.taken()
    assert flow.window == 3
    for _ in range(100):
        flow.taken()
    assert flow.window == 4


def test_the_window_never_closes():
    flow = Flow(3)
    for _ in range(10):
        flow.throttled()
    assert flow.window == 1


def test_without_a_rate_only_the_window_counts():
    flow = Flow(7)
    assert flow.allowance(0) == 7
    flow.spend(7)
    assert flow.allowance(0) == 7


@pytest.mark.parametrize(("rate", "burst"), [(1, 1), (50, 5), (1000, 100)])
def test_what_was_idle_may_send_a_tenth_of_a_second_at_once(rate, burst):
    flow = Flow(10_000, rate)
    assert flow.allowance(100) == burst
    flow.spend(burst)
    assert flow.allowance(100) == 0
    assert flow.due(100) == pytest.approx(100 + 1 / rate)


def test_the_rate_is_kept_over_a_second_of_asking_every_millisecond():
    flow, sent = Flow(1000, 100), 0
    for millisecond in range(1000):
        allowed = flow.allowance(millisecond / 1000)
        flow.spend(allowed)
        sent += allowed
    assert 100 <= sent <= 110, "the rate, and the burst it began with"


def test_a_clock_that_stands_still_or_is_asked_out_of_order_gives_nothing_away():
    flow = Flow(10, 10)
    flow.spend(flow.allowance(5))
    assert flow.allowance(5) == flow.allowance(4) == 0
