"""Whoever answers every SMS of ours is no person, and neither must we be: two robots never stop by themselves."""

from collections import OrderedDict, deque

import structlog

log = structlog.get_logger(__name__)

_HOUR_S = 3600.0
_REMEMBERED = 10_000  # numbers; whoever is forgotten is answered again


class Patience:
    """How often a number is still told that its SMS meant nothing: `limit` times in any hour.

    Time is a number, in seconds.
    """

    def __init__(self, limit: int):
        self._limit = limit
        self._told: OrderedDict[str, deque[float]] = OrderedDict()
        self._silenced: set[str] = set()

    def spend(self, msisdn: str, link: str, now: float) -> bool:
        """Whether to tell it once more. The first time that it is not, the log says so."""
        told = self._told.setdefault(msisdn, deque())
        self._told.move_to_end(msisdn)
        if len(self._told) > _REMEMBERED:
            forgotten, _ = self._told.popitem(last=False)
            self._silenced.discard(forgotten)
        while told and told[0] <= now - _HOUR_S:
            told.popleft()
        if len(told) < self._limit:
            told.append(now)
            self._silenced.discard(msisdn)
            return True
        if msisdn not in self._silenced:
            self._silenced.add(msisdn)
            log.warning("not answered any more", link=link, msisdn=msisdn, answers_an_hour=self._limit)
        return False
