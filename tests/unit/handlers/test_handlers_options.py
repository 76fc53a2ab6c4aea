"""Each operation on options, each way it can end."""

from operator import itemgetter

import pytest

from handlers.registry import Outcome

pytestmark = pytest.mark.anyio

PRIVATE, POOR, BLOCKED = "79260000003", "79260000006", "79260000005"
EMPLOYEE, COLLEAGUE = "79260000010", "79260000020"
NOON = 1_767_258_000.0  # when the desk opens

MUSIC, FILMS = {"ru": "Музыка", "en": "Music"}, {"ru": "Кино", "en": "Films"}
CALLS_ONLY = {"ru": "Только звонки", "en": "Calls only"}
FAVOURITE = {"ru": "Любимый город", "en": "Favourite city"}
SMS_300 = {"ru": "SMS 300", "en": "SMS 300"}
NUMBER = itemgetter("number")


def city(number: int) -> dict[str, str]:
    return {"ru": f"География вызова: Город {number}", "en": f"Call geography: City {number}"}


class TestLists:
    async def test_none_are_on(self, desk):
        assert await desk.ask(PRIVATE, "options.mine") == Outcome("none")

    async def test_those_that_are_on(self, desk):
        for number in (43, 12):
            await desk.ask(PRIVATE, "options.on", number=number)
        assert (await desk.ask(PRIVATE, "options.mine")).values["items"] == [
            {
                "number": 12,
                "name": {"ru": "Детский интернет", "en": "Internet for children"},
                "fee_kopecks": 6_000,
            },
            {"number": 43, "name": CALLS_ONLY, "fee_kopecks": 0},
        ]

    async def test_categories(self, desk):
        items = (await desk.ask(PRIVATE, "options.categories")).values["items"]
        assert items[0] == {"category": "family", "name": {"ru": "Семья", "en": "Family"}}
        assert [item["category"] for item in items] == ["family", "fun", "long-distance", "talk", "payments"]

    async def test_a_category_with_nothing_for_this_customer_is_not_shown(self, desk):
        customer = await desk.admit(PRIVATE, tariff="corporate-vip")
        items = (await desk.ask(customer, "options.categories")).values["items"]
        assert [item["category"] for item in items] == ["family", "fun", "talk", "payments"]

    @pytest.mark.parametrize(
        ("msisdn", "category", "numbers"),
        [
            (PRIVATE, "long-distance", [31]),
            (EMPLOYEE, "long-distance", [100, 300, 500]),
            (PRIVATE, "fun", [21, 22]),
            (POOR, "fun", [21]),  # films are not for his tariff
            (EMPLOYEE, "fun", [21]),
        ],
    )
    async def test_a_category_shows_what_this_customer_can_have(self, desk, msisdn, category, numbers):
        outcome = await desk.ask(msisdn, "options.catalogue", category=category)
        assert [item["number"] for item in outcome.values["items"]] == numbers

    @pytest.mark.parametrize("msisdn", [PRIVATE, POOR, EMPLOYEE, BLOCKED])
    async def test_all_that_is_offered_is_what_the_categories_show(self, desk, msisdn):
        shelves = (await desk.ask(msisdn, "options.categories")).values["items"]
        shown = [
            item
            for shelf in shelves
            for item in (await desk.ask(msisdn, "options.catalogue", category=shelf["category"])).values[
                "items"
            ]
        ]
        offered = (await desk.ask(msisdn, "options.offered")).values["items"]
        assert sorted(offered, key=NUMBER) == sorted(shown, key=NUMBER)

    @pytest.mark.parametrize("msisdn", [PRIVATE, POOR, EMPLOYEE])
    async def test_nothing_is_offered_that_kind_or_tariff_forbid(self, desk, msisdn):
        for item in (await desk.ask(msisdn, "options.offered")).values["items"]:
            code = await desk.code(msisdn, "options.check", number=item["number"])
            assert code in ("possible", "no_money"), item

    async def test_an_entry_of_a_category(self, desk):
        outcome = await desk.ask(PRIVATE, "options.catalogue", category="fun")
        assert outcome.values["items"][0] == {"number": 21, "name": MUSIC, "fee_kopecks": 9_900}

    async def test_a_category_that_is_not_there(self, desk):
        assert await desk.ask(PRIVATE, "options.catalogue", category="games") == Outcome("none")


# before: numbers that are on already
REFUSED = {
    "unknown": (PRIVATE, [], 999, {"number": 999}),
    "already": (PRIVATE, [21], 21, {"name": MUSIC}),
    "blocked": (BLOCKED, [], 21, {}),
    "corporate_only": (PRIVATE, [], 300, {"name": city(300)}),
    "wrong_tariff": (POOR, [], 22, {"name": FILMS}),
    "conflict": (PRIVATE, [21], 43, {"name": CALLS_ONLY, "other": MUSIC}),
    "no_money": (POOR, [], 21, {"name": MUSIC, "fee_kopecks": 9_900, "balance_kopecks": 1_250}),
}


class TestRefusals:
    """The check gives the reason; the order gives the same one, and nothing has happened."""

    @pytest.mark.parametrize("reason", REFUSED)
    @pytest.mark.parametrize("operation", ["options.check", "options.on"])
    async def test_the_reason(self, desk, operation, reason):
        msisdn, before, number, values = REFUSED[reason]
        for other in before:
            assert await desk.code(msisdn, "options.on", number=other) == "on"
        balance, charged = await desk.balance(msisdn), await desk.charged(msisdn)
        assert await desk.ask(msisdn, operation, number=number) == Outcome(reason, values)
        assert (await desk.balance(msisdn), await desk.charged(msisdn)) == (balance, charged)
        assert await desk.on(msisdn) == before

    async def test_what_only_private_tariffs_have(self, desk):
        assert await desk.ask(EMPLOYEE, "options.check", number=31) == Outcome(
            "wrong_tariff", {"name": FAVOURITE}
        )

    async def test_a_conflict_holds_the_other_way_round(self, desk):
        await desk.ask(PRIVATE, "options.on", number=43)
        assert await desk.ask(PRIVATE, "options.on", number=21) == Outcome(
            "conflict", {"name": MUSIC, "other": CALLS_ONLY}
        )

    async def test_a_conflict_ends_when_the_other_goes_off(self, desk):
        await desk.ask(PRIVATE, "options.on", number=43)
        await desk.ask(PRIVATE, "options.off", number=43)
        assert await desk.code(PRIVATE, "options.on", number=21) == "on"

    async def test_the_personal_budget_counts_where_it_is_less_than_the_balance(self, desk):
        await desk.ask(EMPLOYEE, "options.on", number=500)
        refused = Outcome("no_budget", {"name": city(300), "fee_kopecks": 75_000, "left_kopecks": 50_000})
        assert await desk.ask(EMPLOYEE, "options.check", number=300) == refused
        assert await desk.ask(EMPLOYEE, "options.on", number=300) == refused
        assert await desk.code(COLLEAGUE, "options.check", number=300) == "possible"

    @pytest.mark.parametrize(("limit", "left"), [(50_000, 0), (10_000, 0), (59_900, 9_900)])
    async def test_a_budget_that_is_spent_holds_nothing(self, desk, limit, left):
        employee = await desk.admit(EMPLOYEE, budget_limit_kopecks=limit)
        outcome = await desk.ask(employee, "options.check", number=41)
        assert outcome.values == {"name": SMS_300, "fee_kopecks": 12_000, "left_kopecks": left}

    async def test_the_contract_may_be_what_has_too_little(self, desk):
        poor = {"contract": "8000000000006001", "balance_kopecks": 700}
        for place, employee in enumerate((EMPLOYEE, COLLEAGUE)):
            one = await desk.admit(employee, f"7926000009{place}", **poor)
            assert await desk.ask(one, "options.check", number=21) == Outcome(
                "no_money", {"name": MUSIC, "fee_kopecks": 9_900, "balance_kopecks": 700}
            )

    async def test_a_debt_does_not_forbid_what_is_free(self, desk):
        debtor = await desk.admit(POOR, balance_kopecks=-500)
        assert await desk.ask(debtor, "options.on", number=43) == Outcome(
            "on", {"name": CALLS_ONLY, "fee_kopecks": 0, "balance_kopecks": -500}
        )


class TestOrders:
    async def test_possible_and_then_on(self, desk):
        assert await desk.ask(PRIVATE, "options.check", number=21) == Outcome(
            "possible", {"number": 21, "name": MUSIC, "fee_kopecks": 9_900}
        )
        assert await desk.ask(PRIVATE, "options.on", number=21) == Outcome(
            "on", {"name": MUSIC, "fee_kopecks": 9_900, "balance_kopecks": 42_440}
        )
        assert await desk.on(PRIVATE) == [21]
        assert await desk.balance(PRIVATE) == 42_440
        assert await desk.charged(PRIVATE) == [("option:21", 9_900)]

    async def test_an_employee_is_told_his_budget_and_not_the_contract(self, desk):
        assert await desk.ask(EMPLOYEE, "options.on", number=21) == Outcome(
            "on_budget", {"name": MUSIC, "fee_kopecks": 9_900, "left_kopecks": 140_100}
        )
        assert await desk.ask(COLLEAGUE, "options.on", number=21) == Outcome(
            "on_contract", {"name": MUSIC, "fee_kopecks": 9_900}
        )

    async def test_a_number_as_it_was_dialled(self, desk):
        assert await desk.code(PRIVATE, "options.on", number="21") == "on"

    async def test_a_check_changes_nothing(self, desk):
        await desk.ask(PRIVATE, "options.check", number=21)
        assert (await desk.on(PRIVATE), await desk.charged(PRIVATE)) == ([], [])

    async def test_a_repeat_changes_and_charges_nothing(self, desk):
        await desk.ask(PRIVATE, "options.on", number=21)
        desk.now += 60
        assert await desk.code(PRIVATE, "options.on", number=21) == "already"
        async with desk.store.view() as view:
            assert await view.facts.options_on(PRIVATE) == [(21, NOON)]
        assert await desk.charged(PRIVATE) == [("option:21", 9_900)]

    async def test_on_again_after_off_is_a_new_order(self, desk):
        for name in ("options.on", "options.off", "options.on"):
            await desk.ask(PRIVATE, name, number=21)
        assert await desk.charged(PRIVATE) == [("option:21", 9_900)] * 2

    async def test_a_change_within_a_kind_is_no_second_fee(self, desk):
        """The old one is gone and is not charged again; the new one is paid once and in full."""
        await desk.ask(COLLEAGUE, "options.on", number=100)
        assert await desk.ask(COLLEAGUE, "options.check", number=300) == Outcome(
            "replaces", {"number": 300, "name": city(300), "fee_kopecks": 75_000, "other": city(100)}
        )
        assert await desk.ask(COLLEAGUE, "options.on", number=300) == Outcome(
            "replaced", {"name": city(300), "other": city(100), "other_number": 100, "fee_kopecks": 75_000}
        )
        assert await desk.on(COLLEAGUE) == [300]
        assert await desk.charged(COLLEAGUE) == [("option:100", 30_000), ("option:300", 75_000)]
        async with desk.store.view() as view:
            minutes = [p for p in await view.facts.packages(COLLEAGUE) if p.kind == "minutes"]
        assert minutes == [(300, "minutes", 300, 300)]

    async def test_a_turn_that_fails_half_way_costs_nothing(self, desk):
        """The check was made on a balance that is not there: the charge finds out, and the option goes with it."""
        rich = (await desk.subscriber(POOR))._replace(balance_kopecks=100_000)
        with pytest.raises(RuntimeError, match="cannot be paid"):
            await desk.ask(POOR, "options.on", seen_as=rich, number=21)
        assert (await desk.on(POOR), await desk.balance(POOR)) == ([], 1_250)


class TestOff:
    async def test_off_gives_nothing_back(self, desk):
        await desk.ask(PRIVATE, "options.on", number=21)
        assert await desk.ask(PRIVATE, "options.off", number=21) == Outcome("off", {"name": MUSIC})
        assert (await desk.on(PRIVATE), await desk.balance(PRIVATE)) == ([], 42_440)

    async def test_a_repeat_does_not_undo(self, desk):
        await desk.ask(PRIVATE, "options.on", number=21)
        await desk.ask(PRIVATE, "options.off", number=21)
        assert await desk.ask(PRIVATE, "options.off", number=21) == Outcome("already_off", {"name": MUSIC})
        assert await desk.on(PRIVATE) == []

    async def test_a_blocked_number_may(self, desk):
        assert await desk.code(BLOCKED, "options.off", number=21) == "already_off"

    async def test_what_there_is_not(self, desk):
        assert await desk.ask(PRIVATE, "options.off", number=999) == Outcome("unknown", {"number": 999})


class TestStatus:
    async def test_on_since_a_day_in_the_operators_time(self, desk):
        desk.now += 12 * 3600  # midnight in Moscow, 21:00 UTC
        await desk.ask(PRIVATE, "options.on", number=21)
        assert await desk.ask(PRIVATE, "options.status", number=21) == Outcome(
            "on", {"number": 21, "name": MUSIC, "since": "2026-01-02"}
        )

    async def test_off(self, desk):
        await desk.ask(PRIVATE, "options.on", number=21)
        off = Outcome("off", {"number": 22, "name": FILMS})
        assert await desk.ask(PRIVATE, "options.status", number=22) == off
        assert await desk.ask(PRIVATE, "options.status", number="0022") == off

    @pytest.mark.parametrize("reason", ["blocked", "corporate_only", "wrong_tariff", "conflict"])
    async def test_off_and_not_to_be_had(self, desk, reason):
        msisdn, before, number, _ = REFUSED[reason]
        for other in before:
            await desk.ask(msisdn, "options.on", number=other)
        assert await desk.code(msisdn, "options.status", number=number) == "unavailable"

    async def test_money_may_come(self, desk):
        assert await desk.code(POOR, "options.status", number=21) == "off"

    async def test_what_is_on_is_on_also_when_it_could_not_be_had_any_more(self, desk):
        customer = await desk.admit(PRIVATE, tariff="start", blocked=True)
        async with desk.store.unit() as unit:
            await unit.facts.switch_on(customer, 22, desk.now)
        assert await desk.code(customer, "options.status", number=22) == "on"

    async def test_what_there_is_not(self, desk):
        assert await desk.ask(PRIVATE, "options.status", number=999) == Outcome("unknown", {"number": 999})
