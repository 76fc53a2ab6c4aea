"""When the dialogues of a load are due to begin, in nanoseconds from its start. Pure: the same seed, the same times.

An open rate does not wait for answers: subscribers know nothing of each other. So the times are fixed beforehand, and
a turn that leaves late, because the generator or the ESME was busy, is timed from when it was due. Otherwise a
stalled ESME would stop the load that measures it, and the stall would count as one slow turn instead of
the thousands that fell into it (Gil Tene called that coordinated omission).
"""

import itertools
import random
from collections.abc import Iterator


def due_ns(rate: float, ramp_s: float, *, seed: int | None) -> Iterator[int]:
    """Yield the times of dialogues that begin ``rate`` times a second, without end.

    ``seed`` None: evenly spaced; else the gaps are exponential (a Poisson process). During the first ``ramp_s``
    seconds the rate grows in a straight line from nothing, in which half as many begin as afterwards.
    """
    in_ramp = rate * ramp_s / 2
    for number in _counts(seed):
        if number < in_ramp:
            at_s = (2 * ramp_s * number / rate) ** 0.5
        else:
            at_s = number / rate + ramp_s / 2
        yield int(at_s * 1e9)


def _counts(seed: int | None) -> Iterator[float]:
    """How many have been expected when the next one comes."""
    if seed is None:
        return (float(number) for number in itertools.count())
    draw = random.Random(seed)
    return itertools.accumulate(draw.expovariate(1) for _ in itertools.count())


def opening_ns(window: int, ramp_s: float) -> Iterator[int]:
    """Yield when each place of a closed window opens: one at once, the last at the end of the ramp."""
    last = max(1, window - 1)
    return (int(place * ramp_s * 1e9 / last) for place in range(window))
