"""What every implementation of the Store must do. A new one joins by a line in IMPLEMENTATIONS of conftest.py.

The verbs about parts of messages, quarantine and receipts are in test_store_contract_traffic.py.
"""

import inspect
from types import SimpleNamespace

import pytest

from data.model import (
    ActiveOption,
    DialogueRecord,
    LedgerEntry,
    Outgoing,
    Package,
    QuarantineRecord,
    SentMessage,
    Subscriber,
)
from data.store import Store, StoreBusy, StoreError

pytestmark = pytest.mark.anyio

PRIVATE, EMPLOYEE, COLLEAGUE = "79260000003", "79260000010", "79260000020"
CONTRACT = 8_000_000_000_005_001


@pytest.fixture
async def store(implementation, new):
    opened = implementation()
    employee = new(int(EMPLOYEE), tariff="corporate-vip", contract=CONTRACT)
    await opened.import_subscribers(
        [
            new(int(PRIVATE)),
            employee._replace(
                balance_kopecks=200_000, budget_limit_kopecks=100_000, budget_spent_kopecks=20_000
            ),
            employee._replace(msisdn=int(COLLEAGUE)),
        ]
    )
    yield opened
    await opened.close()


@pytest.fixture
async def another(implementation):
    """The same store, opened a second time."""
    opened = implementation()
    yield opened
    await opened.close()


async def test_all_verbs_of_the_seam_are_there(store):
    verbs = {name: verb for name, verb in vars(Store).items() if inspect.iscoroutinefunction(verb)}
    assert len(verbs) > 30
    for name, verb in verbs.items():
        built = inspect.unwrap(getattr(type(store), name))
        assert inspect.iscoroutinefunction(built), f"{name} is not a coroutine"
        assert inspect.signature(built) == inspect.signature(verb), name


def open_dialogue(**changes) -> DialogueRecord:
    plain = DialogueRecord(
        msisdn=PRIVATE,
        link="ussdc",
        key="79260000003:5A",
        node="options.category",
        page=1,
        misses=2,
        values='{"category": "fun"}',
        unit=3,
        touched=1000.5,
        opened=940.25,
    )
    return plain._replace(**changes)


def message(store, pdu: bytes = b"pdu", link: str = "ussdc", msisdn: str = PRIVATE) -> Outgoing:
    return Outgoing(store.draw_id(), link, msisdn, "sms", pdu, 1.5, 61.5)


async def send(store, *args, **kwargs) -> int:
    """Put one message in the outbox; its id."""
    outgoing = message(store, *args, **kwargs)
    await store.enqueue([outgoing])
    return outgoing.id


class TestSubscribers:
    async def test_a_private_number_comes_with_its_account(self, store):
        assert await store.subscriber(PRIVATE) == Subscriber(
            PRIVATE, "private", "ru", "cyrillic", False, "smart", int(PRIVATE), 50_000, None, 0, 4
        )

    async def test_numbers_of_a_contract_share_its_account(self, store):
        employee, colleague = await store.subscriber(EMPLOYEE), await store.subscriber(COLLEAGUE)
        assert (employee.account_id, employee.balance_kopecks) == (CONTRACT, 200_000)
        assert (colleague.account_id, colleague.balance_kopecks) == (CONTRACT, 200_000)
        assert (employee.budget_limit_kopecks, employee.budget_spent_kopecks) == (100_000, 20_000)
        assert colleague.budget_limit_kopecks is None

    @pytest.mark.parametrize("address", ["79269999999", "", "Zvezda", "0500", "9" * 40, "'; --"])
    async def test_an_address_that_is_no_subscriber_of_ours(self, store, address):
        assert await store.subscriber(address) is None
        assert await store.dialogue(address) is None

    async def test_language_and_script_are_kept(self, store):
        await store.set_language(PRIVATE, "en")
        await store.set_script(PRIVATE, "latin")
        changed = await store.subscriber(PRIVATE)
        assert (changed.language, changed.script) == ("en", "latin")
        assert (await store.subscriber(EMPLOYEE)).language == "ru"


class TestImport:
    async def test_who_is_there_is_left_alone(self, store, new):
        await store.set_language(PRIVATE, "en")
        added = await store.import_subscribers([new(int(PRIVATE), balance_kopecks=1), new(79260000004)])
        assert added == 1
        there = await store.subscriber(PRIVATE)
        assert (there.language, there.balance_kopecks) == ("en", 50_000)

    async def test_nothing_is_nobody(self, store):
        assert await store.import_subscribers([]) == 0

    async def test_an_error_leaves_nothing_behind(self, store, new):
        with pytest.raises(StoreError, match="no-such-tariff"):
            await store.import_subscribers([new(79260000004), new(79260000005, tariff="no-such-tariff")])
        assert await store.subscriber("79260000004") is None
        await store.begin()  # and nothing is left open
        await store.rollback()

    async def test_the_allowances_of_the_tariff_come_with_the_number(self, store):
        assert sorted(await store.packages(PRIVATE)) == [
            Package(None, "mb", 5120, 10240),
            Package(None, "minutes", 200, 400),
            Package(None, "sms", 50, 100),
        ]


class TestMoney:
    async def test_balance_and_ledger_move_together(self, store):
        payer = await store.subscriber(PRIVATE)
        assert await store.charge(payer, "option:42", 25_000, 7.0) == 25_000
        assert (await store.subscriber(PRIVATE)).balance_kopecks == 25_000
        assert await store.ledger(payer.account_id) == [
            LedgerEntry(int(PRIVATE), PRIVATE, "option:42", 25_000, 7.0)
        ]

    async def test_what_is_not_there_cannot_be_taken(self, store):
        payer = await store.subscriber(PRIVATE)
        assert await store.charge(payer, "option:42", 50_001, 7.0) is None
        assert await store.subscriber(PRIVATE) == payer
        assert await store.ledger(payer.account_id) == []

    async def test_the_last_kopeck_can(self, store):
        assert await store.charge(await store.subscriber(PRIVATE), "option:42", 50_000, 7.0) == 0

    async def test_a_stale_subscriber_cannot_spend_twice(self, store):
        payer = await store.subscriber(PRIVATE)
        assert await store.charge(payer, "first", 30_000, 7.0) == 20_000
        assert await store.charge(payer, "second", 30_000, 8.0) is None
        assert [entry.what for entry in await store.ledger(payer.account_id)] == ["first"]

    async def test_a_personal_budget_limits_what_the_contract_could_pay(self, store):
        employee = await store.subscriber(EMPLOYEE)
        assert employee.available_kopecks == 80_000
        assert await store.charge(employee, "option:500", 100_000, 7.0) is None
        assert await store.charge(employee, "option:300", 75_000, 7.0) == 125_000
        assert (await store.subscriber(EMPLOYEE)).budget_spent_kopecks == 95_000

    async def test_colleagues_spend_from_one_balance_on_budgets_of_their_own(self, store):
        colleague = await store.subscriber(COLLEAGUE)
        assert await store.charge(colleague, "option:500", 150_000, 7.0) == 50_000
        employee = await store.subscriber(EMPLOYEE)
        assert (employee.budget_spent_kopecks, employee.available_kopecks) == (20_000, 50_000)
        assert await store.charge(employee, "option:300", 75_000, 8.0) is None

    async def test_nothing_to_pay_leaves_no_line(self, store):
        payer = await store.subscriber(PRIVATE)
        assert await store.charge(payer, "option:43", 0, 7.0) == 50_000
        assert await store.ledger(payer.account_id) == []

    async def test_a_charge_never_gives(self, store):
        with pytest.raises(ValueError, match="cannot charge -1"):
            await store.charge(await store.subscriber(PRIVATE), "gift", -1, 7.0)


class TestOptions:
    async def test_on_once(self, store):
        assert await store.switch_on(PRIVATE, 42, 100.0)
        assert not await store.switch_on(PRIVATE, 42, 200.0)
        assert await store.options_on(PRIVATE) == [ActiveOption(42, 100.0)]
        assert await store.options_on(EMPLOYEE) == []

    async def test_off_once(self, store):
        await store.switch_on(PRIVATE, 42, 100.0)
        assert await store.switch_off(PRIVATE, 42)
        assert not await store.switch_off(PRIVATE, 42)
        assert await store.options_on(PRIVATE) == []

    async def test_allowances_come_and_go_with_the_option(self, store):
        before = await store.packages(PRIVATE)
        await store.switch_on(PRIVATE, 42, 100.0)
        assert [p for p in await store.packages(PRIVATE) if p not in before] == [
            Package(42, "mb", 5120, 5120)
        ]
        await store.switch_off(PRIVATE, 42)
        assert await store.packages(PRIVATE) == before

    async def test_options_of_one_kind_replace_one_another(self, store):
        for number in (100, 300, 500, 100):
            assert await store.switch_on(EMPLOYEE, number, float(number))
            assert await store.options_on(EMPLOYEE) == [ActiveOption(number, float(number))]
            minutes = [p for p in await store.packages(EMPLOYEE) if p.kind == "minutes"]
            assert minutes == [Package(number, "minutes", number, number)]

    async def test_a_repeat_does_not_disturb_the_rest_of_the_group(self, store):
        await store.switch_on(EMPLOYEE, 300, 1.0)
        assert not await store.switch_on(EMPLOYEE, 300, 2.0)
        assert await store.options_on(EMPLOYEE) == [ActiveOption(300, 1.0)]

    async def test_an_option_that_is_not_in_the_catalogue(self, store):
        with pytest.raises(KeyError):
            await store.switch_on(PRIVATE, 999, 1.0)
        assert not await store.switch_off(PRIVATE, 999)

    async def test_the_catalogue_is_at_hand(self, store):
        assert store.catalogue.options[300].name["ru"] == "География вызова: Город 300"


class TestPasswords:
    async def test_a_new_one_voids_the_old(self, store):
        assert await store.password_hash(PRIVATE) is None
        await store.set_password_hash(PRIVATE, "first", 1.0)
        await store.set_password_hash(PRIVATE, "second", 2.0)
        assert await store.password_hash(PRIVATE) == "second"
        assert await store.password_hash(EMPLOYEE) is None

    async def test_requests_are_counted_per_number_and_time(self, store):
        for when in (30.0, 10.0, 20.0):
            await store.record_password_issue(PRIVATE, when)
        await store.record_password_issue(EMPLOYEE, 25.0)
        assert await store.password_issues_since(PRIVATE, 20.0) == [20.0, 30.0]
        assert await store.password_issues_since(PRIVATE, 31.0) == []


class TestDialogues:
    @pytest.mark.parametrize("changes", [{}, {"values": None}, {"page": 0, "misses": 0, "node": ""}])
    async def test_kept_as_it_was(self, store, changes):
        record = open_dialogue(**changes)
        await store.save_dialogues([record])
        assert await store.dialogue(PRIVATE) == record

    async def test_a_number_has_one(self, store):
        await store.save_dialogues([open_dialogue(node="root")])
        await store.save_dialogues([open_dialogue(node="options.mine")])
        assert (await store.dialogue(PRIVATE)).node == "options.mine"

    async def test_many_at_once(self, store):
        records = [open_dialogue(), open_dialogue(msisdn=EMPLOYEE), open_dialogue(msisdn=COLLEAGUE)]
        await store.save_dialogues(records)
        await store.close_dialogues([PRIVATE, COLLEAGUE])
        assert [await store.dialogue(record.msisdn) for record in records] == [None, records[1], None]

    async def test_none_at_all(self, store):
        await store.save_dialogues([])
        await store.close_dialogues([])

    async def test_closing_twice_is_harmless(self, store):
        await store.save_dialogues([open_dialogue()])
        await store.close_dialogues([PRIVATE])
        await store.close_dialogues([PRIVATE, PRIVATE])
        assert await store.dialogue(PRIVATE) is None

    async def test_only_the_idle_expire(self, store):
        await store.save_dialogues(
            [open_dialogue(touched=99.0), open_dialogue(msisdn=EMPLOYEE, touched=100.0)]
        )
        assert await store.expire_dialogues(idle_before=100.0) == 1
        assert await store.dialogue(PRIVATE) is None
        assert await store.dialogue(EMPLOYEE) is not None


class TestOutbox:
    async def test_unsent_in_order_by_link(self, store):
        messages = [message(store, pdu) for pdu in (b"a", b"b", b"c")]
        await store.enqueue([*messages, message(store, b"elsewhere", link="smsc")])
        assert await store.unsent("ussdc", 0, 10) == messages
        assert await store.unsent("ussdc", messages[0].id, 1) == [messages[1]]
        assert await store.unsent("ussdc", messages[2].id, 10) == []

    async def test_unsent_of_one_kind(self, store):
        kinds = ("ussd", "sms", "ussd")
        messages = [message(store, str(n).encode())._replace(kind=kind) for n, kind in enumerate(kinds)]
        await store.enqueue(messages)
        assert await store.unsent("ussdc", 0, 10, "ussd") == [messages[0], messages[2]]
        assert await store.unsent("ussdc", messages[0].id, 1, "ussd") == [messages[2]]
        assert await store.unsent("ussdc", 0, 10, "mailing") == []

    async def test_any_octets_to_any_address(self, store):
        """Who is answered may have an address that is no number."""
        outgoing = message(store, bytes(range(256)), msisdn="0Zvezda")
        await store.enqueue([outgoing])
        assert await store.unsent("ussdc", 0, 1) == [outgoing]

    async def test_taken_are_gone(self, store):
        ids = [await send(store) for _ in range(5)]
        await store.taken(ids[:4])
        await store.taken(ids[:4])
        await store.taken([])
        assert [m.id for m in await store.unsent("ussdc", 0, 10)] == ids[4:]

    async def test_an_id_is_never_drawn_again(self, store):
        first = await send(store)
        await store.taken([first])
        await store.begin()
        await send(store)
        await store.rollback()
        drawn = [store.draw_id() for _ in range(3)]
        assert drawn == sorted(set(drawn))
        assert drawn[0] > first

    async def test_nor_after_a_restart_while_anything_is_left_of_it(self, store, implementation):
        waiting, given_up = await send(store), await send(store)
        await store.fail(given_up, "ESME_RINVDSTADR", 60.0)
        await store.close()
        again = implementation()
        assert again.draw_id() > given_up > waiting
        await again.close()

    async def test_what_is_given_up_leaves(self, store):
        number = await send(store)
        await store.fail(number, "ESME_RINVDSTADR", 60.0)
        await store.fail(number, "again", 61.0)
        assert await store.unsent("ussdc", 0, 10) == []

    async def test_messages_can_leave_by_another_link(self, store):
        ids = [await send(store, str(n).encode()) for n in range(4)]
        await store.move([ids[1], ids[3], 10**6], "smsc")
        assert [m.pdu for m in await store.unsent("ussdc", 0, 10)] == [b"0", b"2"]
        assert [m.pdu for m in await store.unsent("smsc", 0, 10)] == [b"1", b"3"]
        assert await store.waiting() == {"ussdc": 2, "smsc": 2}


class TestPruning:
    async def test_requests_for_a_password_go_by_age(self, store):
        for when in (10.0, 20.0, 30.0):
            await store.record_password_issue(PRIVATE, when)
            await store.record_password_issue(EMPLOYEE, when)
        assert await store.prune(before=20.0) == 2
        assert await store.password_issues_since(PRIVATE, 0.0) == [20.0, 30.0]
        assert await store.prune(before=20.0) == 0

    async def test_messages_given_up_go_by_age(self, store):
        for when in (10.0, 20.0, 30.0):
            await store.fail(await send(store), "ESME_RINVDSTADR", when)
        waiting = await send(store)
        assert await store.prune(before=30.0) == 2
        assert await store.prune(before=31.0) == 1
        assert [m.id for m in await store.unsent("ussdc", 0, 10)] == [waiting]

    async def test_a_little_at_a_time(self, store):
        for when in range(5):
            await store.record_password_issue(PRIVATE, float(when))
        assert [await store.prune(before=9.0, limit=2) for _ in range(4)] == [2, 2, 1, 0]

    async def test_an_id_that_a_receipt_will_name_is_not_drawn_again(self, store, implementation):
        number = await send(store)
        await store.note_sent([SentMessage("ussdc", "A1", number, PRIVATE, 5.0)])
        await store.taken([number])
        await store.close()
        again = implementation()
        assert again.draw_id() > number
        await again.close()


class TestJobs:
    async def test_due_in_order_of_time(self, store):
        late = await store.add_job("password.generate", PRIVATE, "ussdc", '{"length": 10}', 20.0, 5.0)
        early = await store.add_job("password.generate", PRIVATE, "ussdc", "{}", 10.0, 5.0)
        assert [job.id for job in await store.due_jobs(9.9, 10)] == []
        assert [job.id for job in await store.due_jobs(20.0, 10)] == [early, late]
        assert [job.id for job in await store.due_jobs(20.0, 1)] == [early]
        assert (await store.due_jobs(20.0, 2))[1] == (
            late, "password.generate", PRIVATE, "ussdc", '{"length": 10}', 20.0, 0, 5.0,
        )  # fmt: skip

    async def test_finished_once(self, store):
        number = await store.add_job("password.generate", PRIVATE, "ussdc", "{}", 1.0, 1.0)
        assert await store.finish_job(number)
        assert not await store.finish_job(number)
        assert await store.due_jobs(9.0, 10) == []

    async def test_put_off(self, store):
        number = await store.add_job("password.generate", PRIVATE, "ussdc", "{}", 1.0, 1.0)
        await store.retry_job(number, 50.0, 3)
        assert await store.due_jobs(49.0, 10) == []
        assert [job.attempts for job in await store.due_jobs(50.0, 10)] == [3]


UNREADABLE = QuarantineRecord(
    0, "ussdc", "127.0.0.1:40112", "in", "unknown operation", 3, b"\0\0", 5.0, False
)

# every verb that writes in a turn; `to` holds something of each to be changed
WRITING = {
    "set_language": lambda store, to: store.set_language(EMPLOYEE, "en"),
    "set_script": lambda store, to: store.set_script(EMPLOYEE, "latin"),
    "charge": lambda store, to: store.charge(to.employee, "option:100", 30_000, 1.0),
    "switch_on": lambda store, to: store.switch_on(EMPLOYEE, 100, 1.0),
    "switch_off": lambda store, to: store.switch_off(EMPLOYEE, 41),
    "record_password_issue": lambda store, to: store.record_password_issue(EMPLOYEE, 5.0),
    "set_password_hash": lambda store, to: store.set_password_hash(EMPLOYEE, "new", 5.0),
    "save_dialogues": lambda store, to: store.save_dialogues(
        [open_dialogue(msisdn=EMPLOYEE, node="elsewhere")]
    ),
    "close_dialogues": lambda store, to: store.close_dialogues([EMPLOYEE]),
    "expire_dialogues": lambda store, to: store.expire_dialogues(9e9),
    "enqueue": lambda store, to: store.enqueue([message(store, b"another")]),
    "taken": lambda store, to: store.taken([to.message_id]),
    "fail": lambda store, to: store.fail(to.message_id, "ESME_RINVDSTADR", 5.0),
    "move": lambda store, to: store.move([to.message_id], "smsc"),
    "prune": lambda store, to: store.prune(9e9),
    "note_sent": lambda store, to: store.note_sent([SentMessage("ussdc", "A1", 9, EMPLOYEE, 5.0)]),
    "match_receipt": lambda store, to: store.match_receipt("ussdc", ["A1"], final=True),
    "forget_sent": lambda store, to: store.forget_sent(9e9),
    "quarantine": lambda store, to: store.quarantine([UNREADABLE, UNREADABLE], limit=2),
    "ask_replay": lambda store, to: store.ask_replay(),
    "drop_quarantined": lambda store, to: store.drop_quarantined([to.record_id]),
    "replayed": lambda store, to: store.replayed([to.record_id]),
    "add_job": lambda store, to: store.add_job("mail", EMPLOYEE, "ussdc", "{}", 1.0, 1.0),
    "finish_job": lambda store, to: store.finish_job(to.job_id),
    "retry_job": lambda store, to: store.retry_job(to.job_id, 99.0, 1),
}


async def furnish(store) -> SimpleNamespace:
    """Put something of everything there."""
    await store.switch_on(EMPLOYEE, 41, 0.5)
    await store.set_password_hash(EMPLOYEE, "old", 0.5)
    await store.record_password_issue(EMPLOYEE, 0.5)
    await store.save_dialogues([open_dialogue(msisdn=EMPLOYEE)])
    await store.note_sent([SentMessage("ussdc", "A1", 1, EMPLOYEE, 0.5)])
    await store.quarantine([UNREADABLE], limit=2)
    return SimpleNamespace(
        employee=await store.subscriber(EMPLOYEE),
        message_id=await send(store),
        record_id=(await store.quarantined(1))[0].id,
        job_id=await store.add_job("password.generate", EMPLOYEE, "ussdc", "{}", 1.0, 1.0),
    )


async def facts(store) -> list:
    """All that a turn can change of the employee."""
    return [
        await store.subscriber(EMPLOYEE),
        await store.ledger(CONTRACT),
        await store.options_on(EMPLOYEE),
        await store.packages(EMPLOYEE),
        await store.password_issues_since(EMPLOYEE, 0.0),
        await store.password_hash(EMPLOYEE),
        await store.dialogue(EMPLOYEE),
        await store.unsent("ussdc", 0, 10),
        await store.due_jobs(9e9, 10),
        await store.match_receipt("ussdc", ["A1"], final=False),
        await store.quarantined(10),
    ]


class TestUnitOfWork:
    async def test_others_see_it_after_the_commit_and_not_before(self, store, another):
        await store.begin()
        await store.save_dialogues([open_dialogue()])
        assert await another.dialogue(PRIVATE) is None
        await store.commit()
        assert await another.dialogue(PRIVATE) == open_dialogue()

    async def test_rollback_takes_everything_back(self, store):
        await store.begin()
        await store.charge(await store.subscriber(PRIVATE), "option:42", 25_000, 1.0)
        await store.switch_on(PRIVATE, 42, 1.0)
        await store.rollback()
        assert (await store.subscriber(PRIVATE)).balance_kopecks == 50_000
        assert await store.options_on(PRIVATE) == []

    async def test_rollback_without_a_unit_is_harmless(self, store):
        await store.rollback()
        await store.begin()
        await store.commit()
        await store.rollback()

    async def test_a_failed_turn_costs_that_turn_only(self, store):
        await store.begin()
        for number, fails in ((41, False), (42, True), (43, False)):
            await store.savepoint()
            await store.switch_on(PRIVATE, number, 1.0)
            await send(store, str(number).encode())
            await (store.rollback_savepoint() if fails else store.release())
        await store.commit()
        assert [option.number for option in await store.options_on(PRIVATE)] == [41, 43]
        assert [message.pdu for message in await store.unsent("ussdc", 0, 10)] == [b"41", b"43"]

    @pytest.mark.parametrize("verb", WRITING)
    async def test_whatever_a_failed_turn_wrote_first_is_taken_back(self, store, verb):
        to = await furnish(store)
        before = await facts(store)
        await store.begin()
        await store.savepoint()
        await WRITING[verb](store, to)
        assert await facts(store) != before, "the verb does nothing here"
        await store.rollback_savepoint()
        await store.commit()
        assert await facts(store) == before

    async def test_a_verb_that_writes_many_is_a_unit_by_itself(self, store):
        outgoing = message(store)
        with pytest.raises(Exception, match="UNIQUE"):
            await store.enqueue([outgoing, outgoing])
        assert await store.unsent("ussdc", 0, 10) == []

    async def test_a_turn_after_a_unit_that_was_rolled_back_is_a_new_one(self, store):
        await store.begin()
        await store.savepoint()
        await store.set_language(PRIVATE, "en")
        await store.rollback()
        await store.begin()
        await store.set_script(PRIVATE, "latin")
        await store.savepoint()
        await store.release()
        await store.commit()
        there = await store.subscriber(PRIVATE)
        assert (there.language, there.script) == ("ru", "latin")

    async def test_one_writer_at_a_time(self, store, another):
        await store.begin()
        with pytest.raises(StoreBusy, match="locked"):
            await another.begin()
        with pytest.raises(StoreBusy, match="locked"):  # housekeeping outside a unit meets the same
            await another.expire_dialogues(9e9)
        await another.rollback()
        await store.commit()
        await another.begin()
        await another.commit()

    async def test_what_was_committed_is_there_when_opened_again(self, store, implementation):
        await store.begin()
        await store.save_dialogues([open_dialogue()])
        number = await send(store)
        await store.commit()
        await store.begin()
        await store.close_dialogues([PRIVATE])
        await store.close()  # in the middle of a unit
        again = implementation()
        assert await again.dialogue(PRIVATE) == open_dialogue()
        assert [message.id for message in await again.unsent("ussdc", 0, 10)] == [number]
        await again.close()

    async def test_traces_are_not_erased_under_an_open_unit(self, store):
        await store.begin()
        assert not await store.erase_traces()
        await store.commit()
        assert await store.erase_traces()


class TestClaim:
    async def test_a_second_gateway_is_kept_out_until_the_first_has_closed(self, implementation):
        first, second = implementation(), implementation()
        first.claim()
        with pytest.raises(StoreError, match="another gateway"):
            second.claim()
        await first.close()
        second.claim()
        await second.close()


async def test_what_is_of_no_use_any_more_is_given_up_whatever_its_link(store):
    old, good = (
        Outgoing(store.draw_id(), link, PRIVATE, "sms", b"text", 1.0, expires)
        for link, expires in (("gone", 50.0), ("ussdc", 150.0))
    )
    await store.enqueue([old, good])
    assert await store.fail_expired(100.0) == 1
    assert await store.unsent("gone", 0, 10) == []
    assert await store.unsent("ussdc", 0, 10) == [good]
