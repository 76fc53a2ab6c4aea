"""No option is charged twice, whatever is ordered in whatever order, by whomever, over and over."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.sqlite import open_store

PRIVATE, POOR, EMPLOYEE, COLLEAGUE = "79260000003", "79260000006", "79260000010", "79260000020"
PEOPLE = (PRIVATE, POOR, EMPLOYEE, COLLEAGUE)
NUMBERS = (12, 21, 41, 42, 43, 100, 300, 500, 999)

Order = st.tuples(
    st.sampled_from(PEOPLE), st.sampled_from(("options.on", "options.off")), st.sampled_from(NUMBERS)
)


@pytest.fixture
def desk(tmp_path, request):
    """The desk again, opened without a loop: every example runs one of its own."""
    conftest = request.config.pluginmanager.getplugin(f"{request.path.parent}/conftest.py")
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    asyncio.run(store.import_subscribers(conftest.PEOPLE))
    yield conftest.Desk(store)
    asyncio.run(store.close())


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
    store, accounts = desk.store, Accounts()
    opening = {msisdn: (await store.subscriber(msisdn)) for msisdn in PEOPLE}
    await store.begin()
    try:
        for msisdn, name, number in orders:
            accounts.note(msisdn, name, number, await desk.turn(msisdn, name, {"number": number}))
            await check(store, accounts, opening)
    finally:
        await store.rollback()


async def check(store, accounts, opening):
    for msisdn, before in opening.items():
        now = await store.subscriber(msisdn)
        ledger = await store.ledger(now.account_id)
        assert now.balance_kopecks == before.balance_kopecks - sum(entry.amount_kopecks for entry in ledger)
        assert now.balance_kopecks >= 0
        own = [(entry.what, entry.amount_kopecks) for entry in ledger if entry.msisdn == msisdn]
        assert own == accounts.fees[msisdn]
        if now.corporate:
            assert now.budget_spent_kopecks == before.budget_spent_kopecks + sum(fee for _, fee in own)
        assert now.budget_limit_kopecks is None or now.budget_spent_kopecks <= now.budget_limit_kopecks
        on = {option.number for option in await store.options_on(msisdn)}
        assert on == accounts.on[msisdn]
        assert len(on & {100, 300, 500}) <= 1
        given = {package.option for package in await store.packages(msisdn)} - {None}
        assert given == {number for number in on if store.catalogue.options[number].allowances}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(orders=st.lists(Order, max_size=25))
def test_balance_is_what_was_there_less_what_the_ledger_says(desk, orders):
    asyncio.run(play(desk, orders))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=Order, repeats=st.integers(2, 5))
def test_a_repeat_changes_nothing(desk, order, repeats):
    msisdn, name, number = order

    async def repeat():
        await desk.store.begin()
        await desk.turn(msisdn, name, {"number": number})
        once = list(desk.store._connection.iterdump())
        for _ in range(repeats):
            desk.now += 1
            await desk.turn(msisdn, name, {"number": number})
        assert list(desk.store._connection.iterdump()) == once
        await desk.store.rollback()

    asyncio.run(repeat())
