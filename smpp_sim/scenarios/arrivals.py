"""Who begins with which script, and when. Pure: times are seconds from the beginning, chance comes from the seed."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from smpp_sim.scenarios.scenario import Arrivals, Chance, Scenario, VisitScript


@dataclass(frozen=True, slots=True)
class Visit:
    """A subscriber goes through a script. `number` counts the visits from 0; `at_s` is when it begins."""

    number: int
    at_s: float
    msisdn: str
    script: VisitScript


def visits(scenario: Scenario, chance: Chance) -> Iterator[Visit]:
    """All visits in the order of their times."""
    who, what = chance.of("who"), chance.of("what")
    weights = [script.weight for script in scenario.scripts]
    times = arrival_times(scenario.arrivals, scenario.duration_s, chance.of("arrivals"))
    for number, at_s in enumerate(times):
        msisdn = scenario.subscribers.number(who.randrange(scenario.subscribers.count))
        yield Visit(number, at_s, msisdn, what.choices(scenario.scripts, weights)[0])


def arrival_times(arrivals: Arrivals, duration_s: float, chance: Random) -> Iterator[float]:
    """Seconds, rising, below `duration_s`; at most `arrivals.most` of them."""
    times = itertools.takewhile(
        lambda at_s: at_s < duration_s, (_when(arrivals, due) for due in _GAPS[arrivals.pattern](chance))
    )
    return itertools.islice(times, arrivals.most)


def _poisson(chance: Random) -> Iterator[float]:
    due = 0.0
    while True:
        due += chance.expovariate(1.0)
        yield due


def _constant(_: Random) -> Iterator[float]:
    return (number + 0.5 for number in itertools.count())


_GAPS = {"poisson": _poisson, "constant": _constant}
"""Arrivals at a rate of one; what follows stretches them to the rate that is wanted at each time."""


def _when(arrivals: Arrivals, due: float) -> float:
    """The time by which `due` arrivals are to be expected.

    While the rate grows, rate·t²/(2·ramp) are; from then on, rate·(t - ramp/2).
    """
    rate, ramp_s = arrivals.rate_per_s, arrivals.ramp_s
    if due <= rate * ramp_s / 2:
        return math.sqrt(2 * due * ramp_s / rate)
    return due / rate + ramp_s / 2
