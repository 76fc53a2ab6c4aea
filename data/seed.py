"""Subscribers to try things on: always the same ones for the same numbers, and as many as are wanted.

Number *i* is corporate where ``i % 10 == 0``; each run of a hundred numbers holds one contract with ten of them,
which share an account. The first ten are meant for demonstrations:

=== ========= ======== ======== ======= ==================================================================
 i  kind      language script   tariff  what for
=== ========= ======== ======== ======= ==================================================================
 0  corporate ru       cyrillic VIP     a personal budget of 1500 roubles, 420 of them spent
 1  private   ru       cyrillic smart   has some of everything
 2  private   en       latin    smart   English
 3  private   ru       cyrillic smart   the one of the examples: 523.40 on the account
 4  private   ru       latin    max     Russian in Latin letters
 5  private   ru       cyrillic smart   **blocked**
 6  private   ru       cyrillic smart   12.50 on the account: too little for most options
 7  private   ru       cyrillic start   no packages, the wrong tariff for some options
 8  private   en       latin    start   English, no packages
 9  private   ru       cyrillic max     the packages are used up
=== ========= ======== ======== ======= ==================================================================

From 10 on the same mixture is spread by rule; number 10 is corporate and without a limit, every hundredth number
(5, 105, 205 …) is blocked.
"""

from collections.abc import Callable, Iterator
from typing import Any

from data.model import NewSubscriber
from data.store import Store

FIRST = 79260000000
CORPORATE_EVERY = 10
CONTRACT_EVERY = 100
BLOCKED_OF_HUNDRED = 5
REPORT_EVERY = 10_000
CONTRACTS_FROM = 8_000_000_000_000_000

PRIVATE_TARIFFS = ("smart", "smart", "start", "max")

_DEMO: dict[int, dict[str, Any]] = {
    0: {"budget_limit_kopecks": 150_000, "budget_spent_kopecks": 42_000},
    1: {"tariff": "smart", "balance_kopecks": 100_000},
    2: {"tariff": "smart", "balance_kopecks": 74_105, "language": "en", "script": "latin"},
    3: {"tariff": "smart", "balance_kopecks": 52_340, "packages_left_percent": 62},
    4: {"tariff": "max", "balance_kopecks": 31_090, "script": "latin"},
    5: {"tariff": "smart", "balance_kopecks": 20_000},
    6: {"tariff": "smart", "balance_kopecks": 1_250},
    7: {"tariff": "start", "balance_kopecks": 45_075},
    8: {"tariff": "start", "balance_kopecks": 60_000, "language": "en", "script": "latin"},
    9: {"tariff": "max", "balance_kopecks": 9_900, "packages_left_percent": 0},
}


async def seed(
    store: Store, count: int, first: int | str = FIRST, progress: Callable[[int], None] | None = None
) -> int:
    """Add ``count`` subscribers with the numbers from ``first`` on, all or none; answers how many were new.

    ``progress`` is told now and then how many have been made, and at the end. Seeding the same numbers again
    changes nothing.
    """
    async with store.unit() as unit:
        return await unit.facts.import_subscribers(_reported(subscribers(count, int(first)), progress))


def subscribers(count: int, first: int = FIRST) -> Iterator[NewSubscriber]:
    """The subscribers 0 to ``count`` - 1, made one by one."""
    for i in range(count):
        made = _corporate(i, first) if i % CORPORATE_EVERY == 0 else _private(i, first)
        yield made._replace(**_DEMO[i]) if i in _DEMO else made


def _private(i: int, first: int) -> NewSubscriber:
    english = i > 9 and i % 7 == 2
    return NewSubscriber(
        msisdn=str(first + i),
        contract=None,
        language="en" if english else "ru",
        script="latin" if english or i % 11 == 4 else "cyrillic",
        blocked=i % 100 == BLOCKED_OF_HUNDRED,
        tariff=PRIVATE_TARIFFS[i // 10 % 4],
        balance_kopecks=_scatter(i, 200_000),
        budget_limit_kopecks=None,
        budget_spent_kopecks=0,
        renew_day=i % 28 + 1,
        packages_left_percent=_scatter(i, 101),
    )


def _corporate(i: int, first: int) -> NewSubscriber:
    """Every third number of a contract, after the first, has no personal budget."""
    place = i // CORPORATE_EVERY
    spent = _scatter(i, 100_000)
    return NewSubscriber(
        msisdn=str(first + i),
        contract=str(CONTRACTS_FROM + first + i - i % CONTRACT_EVERY),
        language="en" if place % 5 == 2 else "ru",
        script="latin" if place % 5 == 2 else "cyrillic",
        blocked=False,
        tariff="corporate-vip",
        balance_kopecks=25_000_000,
        budget_limit_kopecks=None if place % 3 == 1 else 200_000,
        budget_spent_kopecks=spent,
        renew_day=1,
        packages_left_percent=_scatter(i, 101),
    )


def _scatter(i: int, below: int) -> int:
    """Look random, be the same every time: Knuth's multiplicative hash, reduced to a range."""
    return i * 2654435761 % 4294967296 * below >> 32


def _reported(
    made: Iterator[NewSubscriber], progress: Callable[[int], None] | None
) -> Iterator[NewSubscriber]:
    if progress is None:
        yield from made
        return
    done = 0
    for done, subscriber in enumerate(made, 1):
        yield subscriber
        if done % REPORT_EVERY == 0:
            progress(done)
    progress(done)
