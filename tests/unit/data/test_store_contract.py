"""What every implementation of the Store must do: the facts. A new one joins by a line in STORES of conftest.py.

The other parts of a unit, units themselves, and what outlasts them are in the files beside this one.
"""

import inspect

import pytest

from data import store as seam
from data.model import ActiveOption, LedgerEntry, Package, Subscriber
from data.store import StoreError
from tests.unit.data.samples import ALIKE, COLLEAGUE, CONTRACT, EMPLOYEE, PEOPLE, PRIVATE, new, open_dialogue

pytestmark = pytest.mark.anyio

PARTS = {"facts": seam.Facts, "outbox": seam.Outbox, "inbox": seam.Inbox, "jobs": seam.Jobs}


@pytest.fixture
async def store(store):
    async with store.unit() as unit:
        await unit.facts.import_subscribers(PEOPLE)
    return store


class TestSeam:
    @pytest.mark.parametrize("part", PARTS)
    async def test_a_part_has_its_own_verbs_and_no_others(self, unit, part):
        """Operations are given the facts: they can neither commit nor reach a message."""
        given = getattr(unit, part)
        assert public(given) == public(PARTS[part])

    async def test_no_verb_is_in_two_parts(self):
        names = [name for protocol in (*PARTS.values(), seam.Unit) for name in public(protocol)]
        assert sorted(names) == sorted(set(names))

    async def test_whatever_reaches_for_the_facts_is_a_coroutine_and_called_as_it_is_declared(self, unit):
        pairs = [(unit, seam.Unit), *((getattr(unit, part), declared) for part, declared in PARTS.items())]
        verbs = [(given, name, verb) for given, protocol in pairs for name, verb in coroutines(protocol)]
        assert len(verbs) > 40
        for given, name, verb in verbs:
            built = getattr(type(given), name)
            assert inspect.iscoroutinefunction(built), f"{name} is not a coroutine"
            assert inspect.signature(built) == inspect.signature(verb), name


def public(part) -> set[str]:
    return {name for name in dir(part) if not name.startswith("_")}


def coroutines(protocol) -> list:
    return [(name, verb) for name, verb in vars(protocol).items() if inspect.iscoroutinefunction(verb)]


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
    async def test_an_address_that_is_no_subscriber_of_ours(self, facts, inbox, address):
        assert await facts.subscriber(address) is None
        assert await facts.subscribers([address]) == {}
        assert await inbox.dialogue(address) is None

    async def test_many_at_once_are_those_that_one_by_one_would_be(self, facts):
        asked = [COLLEAGUE, "79269999999", PRIVATE, EMPLOYEE, PRIVATE]
        assert await facts.subscribers(asked) == {
            msisdn: await facts.subscriber(msisdn) for msisdn in (PRIVATE, EMPLOYEE, COLLEAGUE)
        }
        assert await facts.subscribers([]) == {}

    async def test_language_and_script_are_kept(self, facts):
        await facts.set_language(PRIVATE, "en")
        await facts.set_script(PRIVATE, "latin")
        changed = await facts.subscriber(PRIVATE)
        assert (changed.language, changed.script) == ("en", "latin")
        assert (await facts.subscriber(EMPLOYEE)).language == "ru"


class TestNumbersAreTexts:
    """Numbers that are equal as integers, or look alike, are different people everywhere."""

    @pytest.mark.parametrize("other", ALIKE[1:])
    async def test_what_looks_like_a_subscriber_is_nobody(self, facts, other):
        assert await facts.subscriber(other) is None
        assert await facts.subscribers([other]) == {}
        assert (await facts.subscribers(ALIKE)).keys() == {PRIVATE}

    @pytest.mark.parametrize("other", ALIKE[1:])
    async def test_nothing_that_is_done_to_it_touches_the_subscriber(self, facts, other):
        before = await facts.subscriber(PRIVATE)
        await facts.switch_on(PRIVATE, 42, 1.0)
        await facts.set_password_hash(PRIVATE, "hash", 1.0)
        await facts.set_language(other, "en")
        await facts.set_script(other, "latin")
        assert await facts.charge(before._replace(msisdn=other), "option:42", 100, 1.0) is None
        assert not await facts.switch_off(other, 42)
        assert await facts.subscriber(PRIVATE) == before
        assert await facts.options_on(PRIVATE) == [ActiveOption(42, 1.0)]
        assert await facts.password_hash(other) is None

    async def test_each_can_be_a_subscriber_of_its_own(self, facts):
        assert await facts.import_subscribers([new(msisdn) for msisdn in ALIKE]) == len(ALIKE) - 1
        for place, msisdn in enumerate(ALIKE):
            await facts.charge(await facts.subscriber(msisdn), msisdn, 100 + place, 1.0)
            await facts.switch_on(msisdn, (41, 42, 43)[place % 3], float(place))
            await facts.set_password_hash(msisdn, f"hash of {msisdn}", 1.0)
            await facts.record_password_issue(msisdn, float(place))
        for place, msisdn in enumerate(ALIKE):
            account = (await facts.subscriber(msisdn)).account_id
            assert account == msisdn
            assert [entry.what for entry in await facts.ledger(account)] == [msisdn]
            assert (await facts.subscriber(msisdn)).balance_kopecks == 50_000 - 100 - place
            assert await facts.options_on(msisdn) == [ActiveOption((41, 42, 43)[place % 3], float(place))]
            assert await facts.password_hash(msisdn) == f"hash of {msisdn}"
            assert await facts.password_issues_since(msisdn, 0.0) == [float(place)]

    async def test_each_has_a_dialogue_of_its_own(self, inbox):
        records = {msisdn: open_dialogue(msisdn, key=msisdn) for msisdn in ALIKE}
        await inbox.save_dialogues(list(records.values()))
        assert await inbox.dialogues(ALIKE) == records
        await inbox.close_dialogues([PRIVATE])
        assert await inbox.dialogue(PRIVATE) is None
        assert (await inbox.dialogues(ALIKE)).keys() == set(ALIKE) - {PRIVATE}


class TestImport:
    async def test_who_is_there_is_left_alone(self, facts):
        await facts.set_language(PRIVATE, "en")
        added = await facts.import_subscribers([new(PRIVATE, balance_kopecks=1), new("79260000004")])
        assert added == 1
        there = await facts.subscriber(PRIVATE)
        assert (there.language, there.balance_kopecks) == ("en", 50_000)

    async def test_a_contract_that_is_there_is_joined(self, facts):
        await facts.import_subscribers([new("79260000030", contract=CONTRACT, balance_kopecks=1)])
        joined = await facts.subscriber("79260000030")
        assert (joined.kind, joined.account_id, joined.balance_kopecks) == ("corporate", CONTRACT, 200_000)

    async def test_nothing_is_nobody(self, facts):
        assert await facts.import_subscribers([]) == 0

    async def test_an_error_leaves_nothing_behind(self, store):
        with pytest.raises(StoreError, match="no-such-tariff"):
            async with store.unit() as unit:
                await unit.facts.import_subscribers(
                    [new("79260000004"), new("79260000005", tariff="no-such-tariff")]
                )
        async with store.unit() as unit:  # and nothing is left open
            assert await unit.facts.subscriber("79260000004") is None

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
        assert await facts.ledger(CONTRACT) == [LedgerEntry(CONTRACT, EMPLOYEE, "option:300", 75_000, 7.0)]

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

    async def test_the_catalogue_is_at_hand(self, store, facts):
        assert store.catalogue.options[300].name["ru"] == "География вызова: Город 300"
        assert facts.catalogue == store.catalogue


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

    async def test_requests_go_by_age(self, facts):
        for when in (10.0, 20.0, 30.0):
            await facts.record_password_issue(PRIVATE, when)
            await facts.record_password_issue(EMPLOYEE, when)
        assert await facts.prune_password_issues(before=20.0) == 2
        assert await facts.password_issues_since(PRIVATE, 0.0) == [20.0, 30.0]
        assert await facts.prune_password_issues(before=20.0) == 0

    async def test_requests_go_a_little_at_a_time(self, facts):
        for when in range(5):
            await facts.record_password_issue(PRIVATE, float(when))
        assert [await facts.prune_password_issues(before=9.0, limit=2) for _ in range(4)] == [2, 2, 1, 0]
