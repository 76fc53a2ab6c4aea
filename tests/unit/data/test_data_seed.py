"""The subscribers to try things on are always the same, and the first ten are who the documentation says."""

from collections import Counter

import pytest

from data.model import Subscriber
from data.opening import open_store
from data.seed import seed, subscribers

pytestmark = pytest.mark.anyio


def number(i: int) -> str:
    return str(79260000000 + i)


@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="module")
async def seeded():
    """The facts of three hundred."""
    store = open_store("sqlite://")
    await seed(store, 300)
    async with store.view() as there:
        yield there.facts
    await store.close()


async def subscriber(store, msisdn: str) -> Subscriber:
    async with store.view() as there:
        return await there.facts.subscriber(msisdn)


def test_the_same_every_time():
    assert list(subscribers(500)) == list(subscribers(500))
    assert list(subscribers(500))[:100] == list(subscribers(100))


def test_every_tenth_is_corporate():
    assert [made.contract is not None for made in subscribers(200)] == [i % 10 == 0 for i in range(200)]


def test_from_another_first_number():
    assert [made.msisdn for made in subscribers(3, 79031234560)] == [
        "79031234560",
        "79031234561",
        "79031234562",
    ]


def test_a_contract_has_ten_numbers():
    contracts = Counter(made.contract for made in subscribers(300) if made.contract is not None)
    assert list(contracts.values()) == [10, 10, 10]


def test_the_mixture_has_everything_in_it():
    made = list(subscribers(1000))
    assert {(one.language, one.script) for one in made} == {
        ("ru", "cyrillic"),
        ("ru", "latin"),
        ("en", "latin"),
    }
    assert {one.tariff for one in made} == {"start", "smart", "max", "corporate-vip"}
    assert [i for i, one in enumerate(made) if one.blocked] == list(range(5, 1000, 100))
    assert {one.budget_limit_kopecks is None for one in made if one.contract} == {True, False}
    assert len({one.balance_kopecks for one in made}) > 500


class TestTheFirstTen:
    async def test_who_they_are(self, seeded):
        people = [await seeded.subscriber(number(i)) for i in range(10)]
        assert [one.kind for one in people] == ["corporate"] + ["private"] * 9
        assert [i for i, one in enumerate(people) if one.language == "en"] == [2, 8]
        assert [i for i, one in enumerate(people) if one.script == "latin"] == [2, 4, 8]
        assert [i for i, one in enumerate(people) if one.blocked] == [5]

    async def test_the_one_of_the_examples(self, seeded):
        hero = await seeded.subscriber("79260000003")
        assert (hero.kind, hero.language, hero.script, hero.blocked) == ("private", "ru", "cyrillic", False)
        assert hero.balance_kopecks == 52_340
        assert await seeded.packages(hero.msisdn)

    async def test_an_employee_with_a_budget_and_one_without(self, seeded):
        with_budget, without = await seeded.subscriber(number(0)), await seeded.subscriber(number(10))
        assert with_budget.available_kopecks == 108_000
        assert without.budget_limit_kopecks is None
        assert with_budget.account_id == without.account_id

    async def test_some_have_no_packages_and_some_have_used_them_up(self, seeded):
        assert await seeded.packages(number(7)) == []
        assert {package.left for package in await seeded.packages(number(9))} == {0}


async def test_seeding_again_adds_nothing_and_more_adds_the_rest(store):
    assert await seed(store, 50) == 50
    async with store.unit() as unit:
        await unit.facts.set_language(number(3), "en")
    assert await seed(store, 50) == 0
    assert await seed(store, 80) == 30
    assert (await subscriber(store, number(3))).language == "en"


async def test_overlapping_ranges_with_another_beginning(store):
    await seed(store, 20)
    assert await seed(store, 20, str(79260000015)) == 15
    assert (await subscriber(store, number(15))).kind == "private"


async def test_progress_is_told(store, monkeypatch):
    monkeypatch.setattr("data.seed.REPORT_EVERY", 20)
    told = []
    await seed(store, 50, progress=told.append)
    assert told == [20, 40, 50]
