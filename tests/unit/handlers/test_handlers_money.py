"""No option is charged twice, whatever is ordered in whatever order, by whomever, over and over."""

import asyncio
import sqlite3
from contextlib import closing, suppress
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.opening import open_store
from tests.unit.handlers.conftest import PEOPLE as CUSTOMERS
from tests.unit.handlers.conftest import Desk, Undone

PRIVATE, POOR, EMPLOYEE, COLLEAGUE = "79260000003", "79260000006", "79260000010", "79260000020"
PEOPLE = (PRIVATE, POOR, EMPLOYEE, COLLEAGUE)
NUMBERS = (12, 21, 41, 42, 43, 100, 300, 500, 999)

Order = st.tuples(
    st.sampled_from(PEOPLE), st.sampled_from(("options.on", "options.off")), st.sampled_from(NUMBERS)
)


def desk_at(url: str) -> Desk:
    """A desk that was opened without a loop: every example runs one of its own."""
    store = open_store(url)
    asyncio.run(admit(store))
    return Desk(store)


async def admit(store):
    async with store.unit() as unit:
        await unit.facts.import_subscribers(CUSTOMERS)


@pytest.fixture
def desk():
    opened = desk_at("sqlite://")
    yield opened
    asyncio.run(opened.store.close())


class Accounts:
    """What must be true, kept by hand: who has what on, and what was charged for it."""

    def __init__(self):
        self.on = {msisdn: set() for msisdn in PEOPLE}
        self.fees = {msisdn: [] for msisdn in PEOPLE}

    def note(self, msisdn, name, number, outcome):
        if outcome.code in ("on", "on_budget", "on_contract", "replaced") and name == "options.on":
            assert number not in self.on[msisdn], f"{number} was on and has been switched on again"
            if outcome.code == "replaced":
                self.on[msisdn] -= {100, 300, 500}
            self.on[msisdn].add(number)
            if outcome.values["fee_kopecks"]:
                self.fees[msisdn].append((f"option:{number}", outcome.values["fee_kopecks"]))
        elif outcome.code == "already":
            assert number in self.on[msisdn]
        elif name == "options.off":
            assert (outcome.code == "off") == (number in self.on[msisdn])
            self.on[msisdn].discard(number)


async def play(desk, orders):
    """Carry the orders out in one unit of work, which is taken back at the end."""
    with suppress(Undone):
        async with desk.store.unit() as unit:
            facts, accounts = unit.facts, Accounts()
            opening = {msisdn: await facts.subscriber(msisdn) for msisdn in PEOPLE}
            for msisdn, name, number in orders:
                accounts.note(msisdn, name, number, await desk.turn(unit, msisdn, name, {"number": number}))
                await check(facts, accounts, opening)
            raise Undone


async def check(facts, accounts, opening):
    for msisdn, before in opening.items():
        now = await facts.subscriber(msisdn)
        ledger = await facts.ledger(now.account_id)
        assert now.balance_kopecks == before.balance_kopecks - sum(entry.amount_kopecks for entry in ledger)
        assert now.balance_kopecks >= 0
        own = [(entry.what, entry.amount_kopecks) for entry in ledger if entry.msisdn == msisdn]
        assert own == accounts.fees[msisdn]
        if now.corporate:
            assert now.budget_spent_kopecks == before.budget_spent_kopecks + sum(fee for _, fee in own)
        assert now.budget_limit_kopecks is None or now.budget_spent_kopecks <= now.budget_limit_kopecks
        on = {option.number for option in await facts.options_on(msisdn)}
        assert on == accounts.on[msisdn]
        assert len(on & {100, 300, 500}) <= 1
        given = {package.option for package in await facts.packages(msisdn)} - {None}
        assert given == {number for number in on if facts.catalogue.options[number].allowances}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(orders=st.lists(Order, max_size=25))
def test_balance_is_what_was_there_less_what_the_ledger_says(desk, orders):
    asyncio.run(play(desk, orders))


@settings(max_examples=30, deadline=None)
@given(order=Order, repeats=st.integers(2, 5))
def test_a_repeat_changes_nothing(order, repeats):
    msisdn, name, number = order

    async def repeat(desk, file):
        await desk.ask(msisdn, name, number=number)
        once = dump(file)
        for _ in range(repeats):
            desk.now += 1
            await desk.ask(msisdn, name, number=number)
        assert dump(file) == once
        await desk.store.close()

    with TemporaryDirectory() as folder:
        asyncio.run(repeat(desk_at(f"sqlite:///{folder}/store.db"), f"{folder}/store.db"))


def dump(file):
    """All that is in the store, as a reader beside it finds it."""
    with closing(sqlite3.connect(file)) as reader:
        return list(reader.iterdump())
