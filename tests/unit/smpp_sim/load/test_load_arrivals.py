"""When dialogues are due: as often as was asked for, the same for the same seed."""

import itertools

import pytest

from smpp_sim.load.arrivals import due_ns, opening_ns

SECOND_NS = 1_000_000_000


def due_within(seconds, *arguments, **named):
    return list(itertools.takewhile(lambda at_ns: at_ns < seconds * SECOND_NS, due_ns(*arguments, **named)))


def test_a_constant_rate_is_evenly_spaced():
    times = due_within(1, 1000, 0, seed=None)
    assert times == [number * 1_000_000 for number in range(1000)]


def test_poisson_has_the_rate_and_the_spread_of_its_kind():
    times = due_within(100, 1000, 0, seed=7)
    assert 98_500 < len(times) < 101_500
    gaps = [(after - before) / 1e6 for before, after in itertools.pairwise(times)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert deviation == pytest.approx(mean, rel=0.03), "gaps of a Poisson process deviate by their mean"


def test_the_same_seed_gives_the_same_times():
    assert due_within(1, 500, 0, seed=3) == due_within(1, 500, 0, seed=3) != due_within(1, 500, 0, seed=4)


@pytest.mark.parametrize("seed", [None, 5])
def test_a_ramp_grows_in_a_straight_line(seed):
    times = due_within(20, 1000, 10, seed=seed)
    seconds = [sum(1 for at in times if at // SECOND_NS == second) for second in range(20)]
    for second, count in enumerate(seconds):
        expected = 1000 * (second + 0.5) / 10 if second < 10 else 1000
        assert count == pytest.approx(expected, rel=0.15, abs=25), f"second {second}: {seconds}"
    assert times == sorted(times)


def test_a_window_opens_from_the_first_place_to_the_last():
    assert list(opening_ns(3, 2)) == [0, SECOND_NS, 2 * SECOND_NS]
    assert list(opening_ns(1, 2)) == [0]
    assert list(opening_ns(2, 0)) == [0, 0]
