"""What every implementation of the Store must do with subscribers, money, options and passwords."""

import pytest

from data.model import ActiveOption, LedgerEntry, Package, Subscriber
from data.store import StoreError

pytestmark = pytest.mark.anyio

PRIVATE, EMPLOYEE, COLLEAGUE = "79260000003", "79260000010", "79260000020"
CONTRACT = "8000000000005001"


@pytest.fixture
async def facts(unit, people):
    await unit.facts.import_subscribers(people)
    return unit.facts


class TestSubscribers:
    async def test_a_private_number_comes_with_its_account(self, facts):
        assert await facts.subscriber(PRIVATE) == Subscriber(
            PRIVATE, "private", "ru", "cyrillic", False, "smart", PRIVATE, 50_000, None, 0, 4
        )

    async def test_numbers_of_a_contract_share_its_account(self, facts):
        employee, colleague = await facts.subscriber(EMPLOYEE), await facts.subscriber(COLLEAGUE)
        assert (employee.account_id, employee.balance_kopecks) == (CONTRACT, 200_000)
        assert (colleague.account_id, colleague.balance_kopecks) == (CONTRACT, 200_000)
        assert (employee.budget_limit_kopecks, employee.budget_spent_kopecks) == (100_000, 20_000)
        assert colleague.budget_limit_kopecks is None

    @pytest.mark.parametrize("address", ["79269999999", "", "Zvezda", "0500", "9" * 40, "'; --"])
    async def test_an_address_that_is_no_subscriber_of_ours(self, facts, address):
        assert await facts.subscriber(address) is None

    async def test_a_number_is_its_text(self, facts, new):
        """One with a zero before it, or a plus sign, or a blank, is another number, or none."""
        for other in ("0" + PRIVATE, "00" + PRIVATE, "+" + PRIVATE, PRIVATE + " ", PRIVATE + ".0"):
            assert await facts.subscriber(other) is None
            assert await facts.subscribers([other]) == {}
        await facts.import_subscribers([new("0" + PRIVATE, language="en")])
        both = await facts.subscribers(["0" + PRIVATE, PRIVATE])
        assert {msisdn: there.language for msisdn, there in both.items()} == {
            "0" + PRIVATE: "en",
            PRIVATE: "ru",
        }
        assert all(there.msisdn == there.account_id == msisdn for msisdn, there in both.items())

    async def test_many_at_once(self, facts):
        asked = [COLLEAGUE, "79269999999", PRIVATE, PRIVATE, "'; --"]
        there = await facts.subscribers(asked)
        assert there == {msisdn: await facts.subscriber(msisdn) for msisdn in (PRIVATE, COLLEAGUE)}
        assert await facts.subscribers([]) == {}

    async def test_they_are_counted(self, unit, people):
        assert await unit.facts.count_subscribers() == 0
        await unit.facts.import_subscribers(people)
        assert await unit.facts.count_subscribers() == len(people)

    async def test_language_and_script_are_kept(self, facts):
        await facts.set_language(PRIVATE, "en")
        await facts.set_script(PRIVATE, "latin")
        changed = await facts.subscriber(PRIVATE)
        assert (changed.language, changed.script) == ("en", "latin")
        assert (await facts.subscriber(EMPLOYEE)).language == "ru"


class TestImport:
    async def test_who_is_there_is_left_alone(self, facts, new):
        await facts.set_language(PRIVATE, "en")
        added = await facts.import_subscribers([new(PRIVATE, balance_kopecks=1), new("79260000004")])
        assert added == 1
        there = await facts.subscriber(PRIVATE)
        assert (there.language, there.balance_kopecks) == ("en", 50_000)

    async def test_numbers_of_any_length_and_form_side_by_side(self, facts, new):
        numbers = ["7", "70", "9", "079260000003", "792600000031"]
        assert await facts.import_subscribers(map(new, numbers)) == 5
        assert await facts.import_subscribers(map(new, [*numbers, PRIVATE, "8"])) == 1

    async def test_nothing_is_nobody(self, facts):
        assert await facts.import_subscribers([]) == 0

    async def test_a_tariff_that_is_not_in_the_catalogue(self, facts, new):
        with pytest.raises(StoreError, match="no-such-tariff"):
            await facts.import_subscribers([new("79260000004"), new("79260000005", tariff="no-such-tariff")])

    async def test_the_allowances_of_the_tariff_come_with_the_number(self, facts):
        assert sorted(await facts.packages(PRIVATE)) == [
            Package(None, "mb", 5120, 10240),
            Package(None, "minutes", 200, 400),
            Package(None, "sms", 50, 100),
        ]


class TestMoney:
    async def test_balance_and_ledger_move_together(self, facts):
        payer = await facts.subscriber(PRIVATE)
        assert await facts.charge(payer, "option:42", 25_000, 7.0) == 25_000
        assert (await facts.subscriber(PRIVATE)).balance_kopecks == 25_000
        assert await facts.ledger(payer.account_id) == [
            LedgerEntry(PRIVATE, PRIVATE, "option:42", 25_000, 7.0)
        ]

    async def test_what_is_not_there_cannot_be_taken(self, facts):
        payer = await facts.subscriber(PRIVATE)
        assert await facts.charge(payer, "option:42", 50_001, 7.0) is None
        assert await facts.subscriber(PRIVATE) == payer
        assert await facts.ledger(payer.account_id) == []

    async def test_the_last_kopeck_can(self, facts):
        assert await facts.charge(await facts.subscriber(PRIVATE), "option:42", 50_000, 7.0) == 0

    async def test_a_stale_subscriber_cannot_spend_twice(self, facts):
        payer = await facts.subscriber(PRIVATE)
        assert await facts.charge(payer, "first", 30_000, 7.0) == 20_000
        assert await facts.charge(payer, "second", 30_000, 8.0) is None
        assert [entry.what for entry in await facts.ledger(payer.account_id)] == ["first"]

    async def test_a_personal_budget_limits_what_the_contract_could_pay(self, facts):
        employee = await facts.subscriber(EMPLOYEE)
        assert employee.available_kopecks == 80_000
        assert await facts.charge(employee, "option:500", 100_000, 7.0) is None
        assert await facts.charge(employee, "option:300", 75_000, 7.0) == 125_000
        assert (await facts.subscriber(EMPLOYEE)).budget_spent_kopecks == 95_000

    async def test_colleagues_spend_from_one_balance_on_budgets_of_their_own(self, facts):
        colleague = await facts.subscriber(COLLEAGUE)
        assert await facts.charge(colleague, "option:500", 150_000, 7.0) == 50_000
        employee = await facts.subscriber(EMPLOYEE)
        assert (employee.budget_spent_kopecks, employee.available_kopecks) == (20_000, 50_000)
        assert await facts.charge(employee, "option:300", 75_000, 8.0) is None

    async def test_nothing_to_pay_leaves_no_line(self, facts):
        payer = await facts.subscriber(PRIVATE)
        assert await facts.charge(payer, "option:43", 0, 7.0) == 50_000
        assert await facts.ledger(payer.account_id) == []

    async def test_a_charge_never_gives(self, facts):
        with pytest.raises(ValueError, match="cannot charge -1"):
            await facts.charge(await facts.subscriber(PRIVATE), "gift", -1, 7.0)


class TestOptions:
    async def test_on_once(self, facts):
        assert await facts.switch_on(PRIVATE, 42, 100.0)
        assert not await facts.switch_on(PRIVATE, 42, 200.0)
        assert await facts.options_on(PRIVATE) == [ActiveOption(42, 100.0)]
        assert await facts.options_on(EMPLOYEE) == []

    async def test_off_once(self, facts):
        await facts.switch_on(PRIVATE, 42, 100.0)
        assert await facts.switch_off(PRIVATE, 42)
        assert not await facts.switch_off(PRIVATE, 42)
        assert await facts.options_on(PRIVATE) == []

    async def test_allowances_come_and_go_with_the_option(self, facts):
        before = await facts.packages(PRIVATE)
        await facts.switch_on(PRIVATE, 42, 100.0)
        assert [p for p in await facts.packages(PRIVATE) if p not in before] == [
            Package(42, "mb", 5120, 5120)
        ]
        await facts.switch_off(PRIVATE, 42)
        assert await facts.packages(PRIVATE) == before

    async def test_options_of_one_kind_replace_one_another(self, facts):
        for number in (100, 300, 500, 100):
            assert await facts.switch_on(EMPLOYEE, number, float(number))
            assert await facts.options_on(EMPLOYEE) == [ActiveOption(number, float(number))]
            minutes = [p for p in await facts.packages(EMPLOYEE) if p.kind == "minutes"]
            assert minutes == [Package(number, "minutes", number, number)]

    async def test_a_repeat_does_not_disturb_the_rest_of_the_group(self, facts):
        await facts.switch_on(EMPLOYEE, 300, 1.0)
        assert not await facts.switch_on(EMPLOYEE, 300, 2.0)
        assert await facts.options_on(EMPLOYEE) == [ActiveOption(300, 1.0)]

    async def test_an_option_that_is_not_in_the_catalogue(self, facts):
        with pytest.raises(KeyError):
            await facts.switch_on(PRIVATE, 999, 1.0)
        assert not await facts.switch_off(PRIVATE, 999)

    async def test_the_catalogue_is_at_hand(self, facts):
        assert facts.catalogue.options[300].name["ru"] == "География вызова: Город 300"


class TestPasswords:
    async def test_a_new_one_voids_the_old(self, facts):
        assert await facts.password_hash(PRIVATE) is None
        await facts.set_password_hash(PRIVATE, "first", 1.0)
        await facts.set_password_hash(PRIVATE, "second", 2.0)
        assert await facts.password_hash(PRIVATE) == "second"
        assert await facts.password_hash(EMPLOYEE) is None

    async def test_requests_are_counted_per_number_and_time(self, facts):
        for when in (30.0, 10.0, 20.0):
            await facts.record_password_issue(PRIVATE, when)
        await facts.record_password_issue(EMPLOYEE, 25.0)
        assert await facts.password_issues_since(PRIVATE, 20.0) == [20.0, 30.0]
        assert await facts.password_issues_since(PRIVATE, 31.0) == []

    async def test_requests_are_forgotten_by_age_whoever_asked(self, facts):
        for when in (10.0, 20.0, 30.0):
            await facts.record_password_issue(PRIVATE, when)
            await facts.record_password_issue(EMPLOYEE, when)
        assert await facts.forget_password_issues(before=20.0) == 2
        assert await facts.password_issues_since(PRIVATE, 0.0) == [20.0, 30.0]
        assert await facts.forget_password_issues(before=20.0) == 0

    async def test_a_little_at_a_time(self, facts):
        for when in range(5):
            await facts.record_password_issue(PRIVATE, float(when))
        assert [await facts.forget_password_issues(before=9.0, limit=2) for _ in range(4)] == [2, 2, 1, 0]
