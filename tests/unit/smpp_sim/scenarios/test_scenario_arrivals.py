"""Who begins when: rates, ramps, weights, and that it is the seed alone that decides."""

import itertools
from dataclasses import replace

import pytest

from smpp_sim.scenarios.arrivals import arrival_times, visits
from smpp_sim.scenarios.scenario import (
    Arrivals,
    Chance,
    Scenario,
    Spread,
    SubscriberRange,
    VisitScript,
    VisitStep,
)

ONE = VisitScript(name="one", steps=(VisitStep(dial="*1#"),))
SCENARIO = Scenario(
    duration_s=1000,
    subscribers=SubscriberRange(first="0099", count=5),
    scripts=(ONE, replace(ONE, name="three", weight=3)),
)


def times(seed: int = 1, duration_s: float = 1000, **arrivals) -> list[float]:
    return list(arrival_times(Arrivals(**arrivals), duration_s, Chance(seed).of("arrivals")))


@pytest.mark.parametrize("pattern", ["poisson", "constant"])
def test_as_many_come_as_the_rate_says(pattern: str) -> None:
    found = times(rate_per_s=5, pattern=pattern)

    assert found == sorted(found)
    assert len(found) == pytest.approx(5000, rel=0.05)


def test_constant_is_in_step() -> None:
    assert times(duration_s=2, rate_per_s=2, pattern="constant") == [0.25, 0.75, 1.25, 1.75]


@pytest.mark.parametrize("pattern", ["poisson", "constant"])
def test_on_a_ramp_they_come_slowly_at_first(pattern: str) -> None:
    found = times(rate_per_s=10, ramp_s=500, pattern=pattern)

    quarters = [sum(a <= at < a + 250 for at in found) for a in (0, 250, 500, 750)]
    assert quarters == [pytest.approx(n, rel=0.15) for n in (625, 1875, 2500, 2500)]


def test_no_more_than_the_most() -> None:
    assert len(times(rate_per_s=10, most=7)) == 7


def test_the_seed_decides() -> None:
    first, again = list(visits(SCENARIO, Chance(1))), list(visits(SCENARIO, Chance(1)))

    assert first == again
    assert first != list(visits(SCENARIO, Chance(2)))
    assert {visit.msisdn for visit in first} == {"0099", "0100", "0101", "0102", "0103"}
    threes = sum(visit.script.name == "three" for visit in first)
    assert threes / len(first) == pytest.approx(0.75, abs=0.05)


def test_purposes_do_not_disturb_each_other() -> None:
    slower = replace(SCENARIO, arrivals=Arrivals(rate_per_s=0.5))

    who = [visit.msisdn for visit in itertools.islice(visits(SCENARIO, Chance(1)), 100)]
    assert who == [visit.msisdn for visit in itertools.islice(visits(slower, Chance(1)), 100)]


def test_a_spread_has_its_median_and_percentile() -> None:
    chance = Chance(1).of("spread")
    drawn = sorted(Spread(median_s=0.2, p99_s=2).draw(chance) for _ in range(10_000))

    assert drawn[5000] == pytest.approx(0.2, rel=0.05)
    assert drawn[9900] == pytest.approx(2, rel=0.2)
