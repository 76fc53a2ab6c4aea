import pytest

from handlers.registry import Outcome

pytestmark = pytest.mark.anyio

PRIVATE, EMPLOYEE, COLLEAGUE = "79260000003", "79260000010", "79260000020"


async def test_a_private_balance(desk):
    assert await desk.ask(PRIVATE, "balance.show") == Outcome("private", {"balance_kopecks": 52_340})


async def test_an_employee_is_sent_to_the_budget(desk):
    assert await desk.ask(EMPLOYEE, "balance.show") == Outcome("corporate")


async def test_a_personal_budget(desk):
    assert await desk.ask(EMPLOYEE, "balance.budget") == Outcome(
        "budget", {"balance_kopecks": 500_000, "limit_kopecks": 200_000, "left_kopecks": 150_000}
    )


async def test_a_budget_shrinks_with_what_is_ordered(desk):
    await desk.ask(EMPLOYEE, "options.on", number=100)
    assert (await desk.ask(EMPLOYEE, "balance.budget")).values == {
        "balance_kopecks": 470_000, "limit_kopecks": 200_000, "left_kopecks": 120_000,
    }  # fmt: skip


async def test_a_budget_that_was_cut_below_what_is_spent_has_nothing_left(desk):
    cut = await desk.admit(EMPLOYEE, budget_limit_kopecks=10_000)
    assert (await desk.ask(cut, "balance.budget")).values["left_kopecks"] == 0


async def test_an_employee_without_a_limit(desk):
    assert await desk.ask(COLLEAGUE, "balance.budget") == Outcome("no_limit", {"balance_kopecks": 500_000})


async def test_a_private_number_has_a_balance_and_no_budget(desk):
    assert await desk.ask(PRIVATE, "balance.budget") == Outcome("private", {"balance_kopecks": 52_340})
