"""What every implementation of the Store must do with units of work, views and savepoints.

A new one joins by a line in STORES of conftest.py. The verbs are in test_store_contract_*.py, a file for each part.
"""

import asyncio
import contextlib
import inspect
from types import SimpleNamespace

import pytest

from data import store as seam
from data.model import Acknowledged, DialogueRecord, MessagePart, Outgoing, QuarantineRecord, SentMessage
from data.store import StoreError

pytestmark = pytest.mark.anyio

PRIVATE, EMPLOYEE = "79260000003", "79260000010"
CONTRACT = "8000000000005001"

UNREADABLE = QuarantineRecord(
    0, "ussdc", "127.0.0.1:40112", "in", "unknown operation", 3, b"\0\0", 5.0, False
)
GIVEN = Acknowledged("ussdc", "c1", 4, 2, b"8 octets", 0.5)
PART = MessagePart("ussdc", EMPLOYEE, "0500", "7", 1, 2, 0, b"first", 1.0)


@pytest.fixture
async def store(store, people):
    async with store.unit() as unit:
        await unit.facts.import_subscribers(people)
    return store


def open_dialogue(**changes) -> DialogueRecord:
    plain = DialogueRecord(EMPLOYEE, "ussdc", "key", "root", 0, 0, None, 1, 1000.5, 940.25)
    return plain._replace(**changes)


def message(unit, text: str = "text", **changes) -> Outgoing:
    plain = Outgoing(unit.draw_id(), "ussdc", PRIVATE, "sms", 1.5, 61.5, None, "000110", text, "", "password")
    return plain._replace(**changes)


async def send(unit, *args, **kwargs) -> int:
    outgoing = message(unit, *args, **kwargs)
    await unit.outbox.enqueue([outgoing])
    return outgoing.id


async def furnish(unit) -> SimpleNamespace:
    """Put something of everything there, for verbs to change."""
    await unit.facts.switch_on(EMPLOYEE, 41, 0.5)
    await unit.facts.set_password_hash(EMPLOYEE, "old", 0.5)
    await unit.facts.record_password_issue(EMPLOYEE, 0.5)
    await unit.inbox.save_dialogues([open_dialogue()])
    await unit.inbox.note_sent([SentMessage("ussdc", "A1", 1, EMPLOYEE, 0.5)])
    await unit.inbox.note_acknowledged(GIVEN)
    await unit.inbox.keep_part(PART)
    await unit.inbox.quarantine([UNREADABLE, UNREADABLE], limit=2)
    held = await unit.jobs.add("mail", EMPLOYEE, "ussdc", "", "{}", 1.0, 1.0)
    await unit.jobs.set_aside(held, 5.0, "ValueError", 8)
    given_up = await send(unit, "given up")
    await unit.outbox.fail(given_up, "ESME_RINVDSTADR", 5.0)
    newer, older = (record.id for record in await unit.inbox.quarantined(2))
    await unit.inbox.ask_replay([newer])
    return SimpleNamespace(
        employee=await unit.facts.subscriber(EMPLOYEE),
        message_id=await send(unit),
        record_id=older,
        replayed_id=newer,
        job_id=await unit.jobs.add("password.generate", EMPLOYEE, "ussdc", "", "{}", 1.0, 1.0),
    )


async def all_of_it(unit) -> list:
    """All that the verbs can change of what is furnished; nothing is changed by looking, in a turn or in none."""
    return [
        await unit.facts.subscriber(EMPLOYEE),
        await unit.facts.subscriber("79260000030"),
        await unit.facts.ledger(CONTRACT),
        await unit.facts.options_on(EMPLOYEE),
        await unit.facts.packages(EMPLOYEE),
        await unit.facts.password_issues_since(EMPLOYEE, 0.0),
        await unit.facts.password_hash(EMPLOYEE),
        await unit.inbox.dialogue(EMPLOYEE),
        await unit.inbox.acknowledged("ussdc"),
        await unit.inbox.match_receipt("ussdc", ["A1"], final=False),
        await unit.inbox.match_receipt("ussdc", ["A2"], final=False),
        await unit.inbox.quarantined(10),
        await unit.outbox.unsent("ussdc", 0, 10),
        await unit.outbox.unsent("smsc", 0, 10),
        await unit.jobs.due(9e9, 10),
        await unit.jobs.held(10),
    ]


# Every verb that writes, so that something which `all_of_it` looks at is changed by it.
WRITING = {
    "set_language": lambda unit, to: unit.facts.set_language(EMPLOYEE, "en"),
    "set_script": lambda unit, to: unit.facts.set_script(EMPLOYEE, "latin"),
    "charge": lambda unit, to: unit.facts.charge(to.employee, "option:100", 30_000, 1.0),
    "import_subscribers": lambda unit, to: unit.facts.import_subscribers([to.newcomer]),
    "switch_on": lambda unit, to: unit.facts.switch_on(EMPLOYEE, 100, 1.0),
    "switch_off": lambda unit, to: unit.facts.switch_off(EMPLOYEE, 41),
    "record_password_issue": lambda unit, to: unit.facts.record_password_issue(EMPLOYEE, 5.0),
    "forget_password_issues": lambda unit, to: unit.facts.forget_password_issues(9e9),
    "set_password_hash": lambda unit, to: unit.facts.set_password_hash(EMPLOYEE, "new", 5.0),
    "enqueue": lambda unit, to: unit.outbox.enqueue([message(unit, "another")]),
    "taken": lambda unit, to: unit.outbox.taken([to.message_id]),
    "withdraw": lambda unit, to: unit.outbox.withdraw(PRIVATE, "password", to.message_id + 1),
    "move": lambda unit, to: unit.outbox.move([to.message_id], "smsc"),
    "fail": lambda unit, to: unit.outbox.fail(to.message_id, "ESME_RINVDSTADR", 5.0),
    "fail_expired": lambda unit, to: unit.outbox.fail_expired(9e9),
    "save_dialogues": lambda unit, to: unit.inbox.save_dialogues([open_dialogue(node="elsewhere")]),
    "close_dialogues": lambda unit, to: unit.inbox.close_dialogues([EMPLOYEE]),
    "expire_dialogues": lambda unit, to: unit.inbox.expire_dialogues(9e9),
    "note_acknowledged": lambda unit, to: unit.inbox.note_acknowledged(GIVEN),
    "forget_acknowledged": lambda unit, to: unit.inbox.forget_acknowledged("ussdc", 9e9),
    "note_sent": lambda unit, to: unit.inbox.note_sent([SentMessage("ussdc", "A2", 9, EMPLOYEE, 5.0)]),
    "match_receipt": lambda unit, to: unit.inbox.match_receipt("ussdc", ["A1"], final=True),
    "forget_sent": lambda unit, to: unit.inbox.forget_sent(9e9),
    "quarantine": lambda unit, to: unit.inbox.quarantine([UNREADABLE], limit=2),
    "ask_replay": lambda unit, to: unit.inbox.ask_replay(),
    "refuse_replay": lambda unit, to: unit.inbox.refuse_replay([to.replayed_id]),
    "drop_quarantined": lambda unit, to: unit.inbox.drop_quarantined([to.record_id]),
    "replayed": lambda unit, to: unit.inbox.replayed([to.replayed_id]),
    "add": lambda unit, to: unit.jobs.add("mail", EMPLOYEE, "ussdc", "", "{}", 1.0, 1.0),
    "finish": lambda unit, to: unit.jobs.finish(to.job_id),
    "retry": lambda unit, to: unit.jobs.retry(to.job_id, 99.0, 1),
    "set_aside": lambda unit, to: unit.jobs.set_aside(to.job_id, 99.0, "ValueError", 8),
    "try_again": lambda unit, to: unit.jobs.try_again(None, 99.0),
    "drop": lambda unit, to: unit.jobs.drop(None),
}
# These have tests of their own in the parts: what they write is seen by no other verb.
UNSEEN = {"keep_part", "expire_parts", "prune_undelivered"}
READING = {
    "subscriber", "subscribers", "count_subscribers", "ledger", "options_on", "packages",
    "password_issues_since", "password_hash", "unsent", "holds", "waiting", "dialogue", "dialogues",
    "acknowledged", "quarantined", "quarantined_one", "replays", "due", "held", "count_held",
}  # fmt: skip

# What no store can keep: each of these verbs fails, some of them in the middle.
FAILING = {
    "enqueue": lambda unit: unit.outbox.enqueue([message(unit, id=10**6)] * 2),
    "enqueue, a screen without a frame": lambda unit: unit.outbox.enqueue([message(unit, kind="ussd")]),
    "move": lambda unit: unit.outbox.move([object()], "smsc"),
    "prune_undelivered": lambda unit: unit.outbox.prune_undelivered(object()),
    "switch_on": lambda unit: unit.facts.switch_on("79269999999", 42, 1.0),
    "import_subscribers": lambda unit: unit.facts.import_subscribers([None]),
    "save_dialogues": lambda unit: unit.inbox.save_dialogues(
        [open_dialogue(node="x"), open_dialogue(key=None)]
    ),
    "keep_part": lambda unit: unit.inbox.keep_part(PART._replace(reference="8", octets="text")),
    "keep_part, anew": lambda unit: unit.inbox.keep_part(PART._replace(total=3, octets="text")),
    "expire_parts": lambda unit: unit.inbox.expire_parts(object()),
    "quarantine": lambda unit: unit.inbox.quarantine([UNREADABLE, UNREADABLE._replace(octets="text")], 10),
    "drop_quarantined": lambda unit: unit.inbox.drop_quarantined([object()]),
    "ask_replay": lambda unit: unit.inbox.ask_replay([object()]),
    "replayed": lambda unit: unit.inbox.replayed([object()]),
    "note_sent": lambda unit: unit.inbox.note_sent(
        [SentMessage("ussdc", "A2", 5, PRIVATE, 1.0), SentMessage("ussdc", None, 6, PRIVATE, 1.0)]
    ),
    "match_receipt": lambda unit: unit.inbox.match_receipt("ussdc", [object(), "A1"], final=True),
    "forget_sent": lambda unit: unit.inbox.forget_sent(object()),
    "note_acknowledged": lambda unit: unit.inbox.note_acknowledged(GIVEN._replace(digests=None)),
    "try_again": lambda unit: unit.jobs.try_again(None, None),
    "drop": lambda unit: unit.jobs.drop([object()]),
}


PARTS = {"facts": seam.Facts, "outbox": seam.Outbox, "inbox": seam.Inbox, "jobs": seam.Jobs}


def verbs(part: type) -> dict:
    return {name: verb for name, verb in vars(part).items() if inspect.iscoroutinefunction(verb)}


def test_every_verb_is_known_to_these_tests():
    declared = [name for part in PARTS.values() for name in verbs(part)]
    assert sorted(declared) == sorted([*WRITING, *UNSEEN, *READING])


@pytest.mark.parametrize("part", PARTS)
async def test_all_verbs_of_the_seam_are_there(unit, part):
    built = getattr(unit, part)
    for name, verb in verbs(PARTS[part]).items():
        there = getattr(type(built), name)
        assert inspect.iscoroutinefunction(there), f"{name} is not a coroutine"
        assert inspect.signature(there) == inspect.signature(verb), name


@pytest.fixture
async def furnished(store, new):
    """The store with something of everything, and what it is."""
    async with store.unit() as unit:
        to = await furnish(unit)
    to.newcomer = new("79260000030")
    return to


async def look(store) -> list:
    async with store.view() as there:
        return await all_of_it(there)


async def fail_in_a_unit(store, work) -> None:
    """Do something in a unit that fails after it."""
    with contextlib.suppress(ZeroDivisionError):
        async with store.unit() as unit:
            await work(unit)
            raise ZeroDivisionError


class TestUnit:
    @pytest.mark.parametrize("verb", WRITING)
    async def test_what_was_written_is_there_after_the_block(self, store, furnished, verb):
        before = await look(store)
        async with store.unit() as unit:
            await WRITING[verb](unit, furnished)
        assert await look(store) != before

    @pytest.mark.parametrize("verb", WRITING)
    async def test_a_unit_that_raises_is_taken_back(self, store, furnished, verb):
        before = await look(store)
        await fail_in_a_unit(store, lambda unit: WRITING[verb](unit, furnished))
        assert await look(store) == before

    @pytest.mark.parametrize("verb", FAILING)
    async def test_a_verb_that_raises_leaves_nothing_behind_and_nothing_open(self, store, furnished, verb):
        before = await look(store)
        with pytest.raises(Exception, match=r"\w"):
            async with store.unit() as unit:
                await FAILING[verb](unit)
        assert await look(store) == before
        async with store.unit() as unit:
            assert await unit.inbox.keep_part(PART._replace(number=2)), "the first part is there"

    async def test_a_unit_that_is_cancelled_is_taken_back_and_lets_the_next_one_in(self, store):
        written = asyncio.Event()

        async def work() -> None:
            async with store.unit() as unit:
                await unit.facts.set_language(PRIVATE, "en")
                written.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(work())
        await written.wait()
        task.cancel()
        async with store.unit() as unit:
            assert (await unit.facts.subscriber(PRIVATE)).language == "ru"
        with pytest.raises(asyncio.CancelledError):
            await task

    async def test_one_that_is_cancelled_while_it_waits_its_turn_takes_no_ones_place(self, store):
        async with store.unit() as unit:
            waiting = asyncio.create_task(look(store))
            await asyncio.sleep(0)
            waiting.cancel()
            await unit.facts.set_language(PRIVATE, "en")
        with pytest.raises(asyncio.CancelledError):
            await waiting
        async with store.view() as there:
            assert (await there.facts.subscriber(PRIVATE)).language == "en"

    async def test_what_was_committed_is_there_when_opened_again(self, reopen):
        store = reopen()
        async with store.unit() as unit:
            await unit.inbox.save_dialogues([open_dialogue()])
            number = await send(unit)
        async with contextlib.AsyncExitStack() as stack:
            unit = await stack.enter_async_context(store.unit())
            await unit.inbox.close_dialogues([EMPLOYEE])
            await store.close()  # in the middle of a unit
            stack.pop_all()
        again = reopen()
        async with again.view() as there:
            assert await there.inbox.dialogue(EMPLOYEE) == open_dialogue()
            assert [message.id for message in await there.outbox.unsent("ussdc", 0, 10)] == [number]
        await again.close()

    async def test_traces_are_not_erased_under_an_open_unit(self, store):
        async with store.unit():
            assert not await store.erase_traces()
        assert await store.erase_traces()


class TestView:
    @pytest.mark.parametrize("verb", [*WRITING, "savepoint"])
    async def test_nothing_can_be_written(self, store, furnished, verb):
        before = await look(store)
        with pytest.raises(RuntimeError, match="unit of work"):
            async with store.view() as there:
                await (WRITING[verb](there, furnished) if verb in WRITING else there.savepoint())
        assert await look(store) == before

    async def test_another_process_sees_it_after_the_commit_and_not_before(self, reopen):
        one, other = reopen(), reopen()
        async with one.unit() as unit:
            await unit.inbox.save_dialogues([open_dialogue()])
            async with other.view() as there:
                assert await there.inbox.dialogue(EMPLOYEE) is None
        async with other.view() as there:
            assert await there.inbox.dialogue(EMPLOYEE) == open_dialogue()
        await one.close()
        await other.close()


class TestSideBySide:
    """Several coroutines at once, each of which lets the others go on after every verb."""

    ORDERS = (("a", 30_000), ("b", 15_000), ("c", 10_000), ("d", 40_000))

    async def order(self, store, what: str, amount_kopecks: int) -> bool:
        """Read, think, write: as wrong as can be for whom units do not keep apart."""
        async with store.unit() as unit:
            await unit.savepoint()
            payer = await unit.facts.subscriber(PRIVATE)
            await asyncio.sleep(0)
            possible = payer.balance_kopecks >= amount_kopecks
            if possible:
                assert await unit.facts.charge(payer, what, amount_kopecks, 1.0) is not None
                await asyncio.sleep(0)
                await send(unit, what)
            await asyncio.sleep(0)
            await (unit.release() if possible else unit.rollback_savepoint())
            await asyncio.sleep(0)
        return possible

    async def outcome(self, store) -> tuple:
        async with store.view() as there:
            return (
                (await there.facts.subscriber(PRIVATE)).balance_kopecks,
                [(entry.what, entry.amount_kopecks) for entry in await there.facts.ledger(PRIVATE)],
                [message.text for message in await there.outbox.unsent("ussdc", 0, 10)],
            )

    async def test_units_come_to_the_same_as_one_after_the_other(self, store):
        paid = await asyncio.gather(*(self.order(store, *order) for order in self.ORDERS))
        done = [order for order, possible in zip(self.ORDERS, paid, strict=True) if possible]
        balance, ledger, texts = await self.outcome(store)
        assert balance == 50_000 - sum(amount for _, amount in done) >= 0
        assert sorted(ledger) == sorted(done)
        assert texts == [what for what, _ in ledger]
        refused = [amount for (_, amount), possible in zip(self.ORDERS, paid, strict=True) if not possible]
        assert all(amount > balance for amount in refused), "refused for money that was there"

    async def test_a_view_that_is_asked_for_meanwhile_sees_only_what_is_committed(self, store):
        before = await self.outcome(store)
        orders = [asyncio.create_task(self.order(store, *order)) for order in self.ORDERS[:2]]
        seen = [before]
        while not all(order.done() for order in orders):
            await asyncio.sleep(0)
            seen.append(await self.outcome(store))
        for balance, ledger, texts in seen:
            assert balance == 50_000 - sum(amount for _, amount in ledger), "half a unit was seen"
            assert texts == [what for what, _ in ledger], "half a unit was seen"

    async def test_one_that_fails_takes_nothing_of_the_others_along(self, store):
        async def fail(unit) -> None:
            await unit.facts.set_language(PRIVATE, "en")
            await asyncio.sleep(0)

        await asyncio.gather(
            fail_in_a_unit(store, fail), self.order(store, "a", 30_000), fail_in_a_unit(store, fail)
        )
        async with store.view() as there:
            payer = await there.facts.subscriber(PRIVATE)
        assert (payer.language, payer.balance_kopecks) == ("ru", 20_000)


class TestSavepoint:
    async def test_a_failed_turn_costs_that_turn_only(self, store):
        async with store.unit() as unit:
            for number, fails in ((41, False), (42, True), (43, False)):
                await unit.savepoint()
                await unit.facts.switch_on(PRIVATE, number, 1.0)
                await send(unit, str(number))
                await (unit.rollback_savepoint() if fails else unit.release())
        async with store.view() as there:
            assert [option.number for option in await there.facts.options_on(PRIVATE)] == [41, 43]
            assert [message.text for message in await there.outbox.unsent("ussdc", 0, 10)] == ["41", "43"]

    @pytest.mark.parametrize("verb", WRITING)
    async def test_whatever_a_failed_turn_wrote_first_is_taken_back(self, store, furnished, verb):
        async with store.unit() as unit:
            before = await all_of_it(unit)
            await unit.savepoint()
            await WRITING[verb](unit, furnished)
            assert await all_of_it(unit) != before, "the verb does nothing here"
            await unit.rollback_savepoint()
        assert await look(store) == before

    @pytest.mark.parametrize("verb", FAILING)
    async def test_a_verb_that_raises_costs_the_turn(self, store, furnished, verb):
        before = await look(store)
        async with store.unit() as unit:
            await unit.savepoint()
            with pytest.raises(Exception, match=r"\w"):
                await FAILING[verb](unit)
            await unit.rollback_savepoint()
        assert await look(store) == before

    async def test_a_turn_says_whether_it_wrote(self, unit):
        await unit.savepoint()
        await unit.facts.subscriber(PRIVATE)
        assert not await unit.release()
        await unit.savepoint()
        await unit.facts.set_language(PRIVATE, "en")
        assert await unit.release()

    async def test_a_turn_after_a_unit_that_was_taken_back_is_a_new_one(self, store):
        async def half_a_turn(unit) -> None:
            await unit.savepoint()
            await unit.facts.set_language(PRIVATE, "en")

        await fail_in_a_unit(store, half_a_turn)
        async with store.unit() as unit:
            await unit.facts.set_script(PRIVATE, "latin")
            await unit.savepoint()
            assert not await unit.release()
        async with store.view() as there:
            subscriber = await there.facts.subscriber(PRIVATE)
        assert (subscriber.language, subscriber.script) == ("ru", "latin")


class TestClaim:
    async def test_a_second_gateway_is_kept_out_until_the_first_has_closed(self, reopen):
        first, second = reopen(), reopen()
        first.claim()
        with pytest.raises(StoreError, match="another gateway"):
            second.claim()
        await first.close()
        second.claim()
        await second.close()

    async def test_closing_twice_is_harmless(self, store):
        store.claim()
        await store.close()
        await store.close()
