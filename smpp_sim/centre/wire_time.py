"""Times as SMPP writes them: ``YYMMDDhhmmsstnnp`` (SMPP 3.4 §7.1.1). No clock: Unix time comes in.

An absolute time ends in ``+`` or ``-`` and is a local one, `nn` quarter hours ahead of or behind UTC. A relative one
ends in ``R``; the specification does not say how long its years and months are, here they have 365 and 30 days.
"""

import re
from calendar import timegm
from datetime import datetime
from time import gmtime, strftime

QUARTER_S = 900
_FORM = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d)(\d\d)([-+R])", re.ASCII)
_RELATIVE_S = (365 * 86_400, 30 * 86_400, 86_400, 3600, 60, 1)
_MOST_QUARTERS = 48


class TimeError(ValueError):
    """Characters that are no time of SMPP."""


def read_time(text: str, wall: float) -> float | None:
    """The Unix time that `text` says when it is `wall` now; None for an empty one. Raises `TimeError`."""
    if not text:
        return None
    found = _FORM.fullmatch(text)
    if not found:
        raise TimeError(f"{text[:20]!r} is no YYMMDDhhmmsstnnp")
    *digits, how = found.groups()
    numbers = [int(number) for number in digits]
    return wall + _span_s(numbers) if how == "R" else _moment(numbers, how)


def write_time(wall: float) -> str:
    """Unix time in the absolute form, in UTC; the tenths are cut off."""
    tenths = int(wall * 10) % 10
    return strftime("%y%m%d%H%M%S", gmtime(wall)) + f"{tenths}00+"


def _span_s(numbers: list[int]) -> float:
    *fields, tenths, quarters = numbers
    if tenths or quarters:
        raise TimeError("a relative time ends in 000R")
    return sum(number * seconds for number, seconds in zip(fields, _RELATIVE_S, strict=True))


def _moment(numbers: list[int], direction: str) -> float:
    year, month, day, hour, minute, second, tenths, quarters = numbers
    if quarters > _MOST_QUARTERS:
        raise TimeError(f"{quarters} quarter hours from UTC; there are at most {_MOST_QUARTERS}")
    try:
        local = datetime(2000 + year, month, day, hour, minute, second)
    except ValueError as problem:
        raise TimeError(str(problem)) from None
    ahead_s = quarters * QUARTER_S * (1 if direction == "+" else -1)
    return timegm(local.timetuple()) + tenths / 10 - ahead_s
