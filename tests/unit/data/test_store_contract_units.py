"""What every implementation of the Store must do with units of work, views, and the savepoint of a turn."""

import asyncio

import pytest

from data.model import ActiveOption
from tests.unit.data.samples import PEOPLE, PRIVATE, open_dialogue, part, sent, sms, taken_back, unusable
from tests.unit.data.verbs import FAILING, READING, WRITING, WRITING_UNSEEN, all_there_is, furnish

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(store):
    async with store.unit() as unit:
        await unit.facts.import_subscribers(PEOPLE)
    return store


async def test_every_verb_that_writes_is_tried_here(unit):
    parts = (unit.facts, unit.outbox, unit.inbox, unit.jobs)
    verbs = {name for part in parts for name in dir(part) if not name.startswith("_")} - {"catalogue"}
    assert verbs == READING | WRITING.keys() | WRITING_UNSEEN.keys()


class TestUnit:
    """All or nothing."""

    async def test_what_it_wrote_is_there_when_the_block_is_left(self, store):
        async with store.unit() as unit:
            await unit.facts.switch_on(PRIVATE, 42, 1.0)
            await unit.inbox.save_dialogues([open_dialogue()])
        async with store.view() as view:
            assert await view.facts.options_on(PRIVATE) == [ActiveOption(42, 1.0)]
            assert await view.inbox.dialogue(PRIVATE) == open_dialogue()

    @pytest.mark.parametrize("verb", WRITING)
    async def test_an_exception_takes_everything_back(self, store, verb):
        async with store.unit() as unit:
            to = await furnish(unit)
            before = await all_there_is(unit)
        async with taken_back(store) as unit:
            await WRITING[verb](unit, to)
            assert await all_there_is(unit) != before, "the verb does nothing here"
        async with store.view() as view:
            assert await all_there_is(view) == before

    async def test_an_exception_is_not_swallowed(self, store):
        with pytest.raises(ZeroDivisionError):
            async with store.unit():
                raise ZeroDivisionError

    async def test_a_verb_that_fails_costs_the_unit(self, store):
        async def enqueue(*ids: int) -> None:
            async with store.unit() as unit:
                for id in ids:
                    await unit.outbox.enqueue([sms(id)])

        with pytest.raises(Exception, match="UNIQUE"):
            await enqueue(6, 7, 7)
        async with store.view() as view:
            assert await view.outbox.waiting() == {}

    async def test_one_that_writes_nothing_is_none_the_less_one(self, store):
        async with store.unit() as unit:
            assert await unit.facts.subscriber(PRIVATE)
        async with store.unit():
            pass

    async def test_nothing_is_left_open_by_one_that_failed(self, store):
        async with taken_back(store) as unit:
            await unit.savepoint()
            await unit.facts.set_language(PRIVATE, "en")
        async with store.unit() as unit:
            await unit.facts.set_script(PRIVATE, "latin")
            await unit.savepoint()
            assert not await unit.release()
        async with store.view() as view:
            there = await view.facts.subscriber(PRIVATE)
        assert (there.language, there.script) == ("ru", "latin")

    async def test_traces_are_not_erased_under_an_open_unit(self, store):
        async with store.unit() as unit:
            await unit.facts.set_language(PRIVATE, "en")
            assert not await store.erase_traces()
        assert await store.erase_traces()

    async def test_closing_takes_an_open_one_back_and_does_no_harm_twice(self, store):
        async def close() -> None:
            async with store.unit() as unit:
                await unit.facts.set_language(PRIVATE, "en")
                await store.close()

        with pytest.raises(Exception, match="closed"):
            await close()
        await store.close()


class TestTogether:
    """Units that several tasks ask for at once."""

    async def test_both_come_to_their_end_and_neither_sees_half_of_the_other(self, store):
        async def order(number: int) -> list:
            async with store.unit() as unit:
                payer = await unit.facts.subscriber(PRIVATE)
                on = await unit.facts.options_on(PRIVATE)
                await asyncio.sleep(0)
                await unit.facts.charge(payer, f"option:{number}", 10_000, 1.0)
                await asyncio.sleep(0)
                await unit.facts.switch_on(PRIVATE, number, 1.0)
                await asyncio.sleep(0)
            return [payer.balance_kopecks, [option.number for option in on]]

        seen = await asyncio.wait_for(asyncio.gather(order(41), order(42)), 10)
        assert sorted(seen) in ([[40_000, [41]], [50_000, []]], [[40_000, [42]], [50_000, []]])
        async with store.view() as view:
            assert (await view.facts.subscriber(PRIVATE)).balance_kopecks == 30_000
            assert len(await view.facts.options_on(PRIVATE)) == 2

    async def test_their_messages_have_different_ids(self, store):
        async def send() -> None:
            async with store.unit() as unit:
                for _ in range(5):
                    await unit.outbox.enqueue([sms(unit.draw_id())])
                    await asyncio.sleep(0)

        await asyncio.wait_for(asyncio.gather(*(send() for _ in range(5))), 10)
        async with store.view() as view:
            assert await view.outbox.waiting() == {"ussdc": 25}

    async def test_one_that_failed_costs_the_other_nothing(self, store):
        async def fail() -> None:
            async with taken_back(store) as unit:
                await unit.facts.switch_on(PRIVATE, 41, 1.0)
                await asyncio.sleep(0)

        async def succeed() -> None:
            async with store.unit() as unit:
                await asyncio.sleep(0)
                await unit.facts.switch_on(PRIVATE, 42, 1.0)

        await asyncio.wait_for(asyncio.gather(fail(), succeed(), fail()), 10)
        async with store.view() as view:
            assert await view.facts.options_on(PRIVATE) == [ActiveOption(42, 1.0)]

    async def test_one_that_is_cancelled_lets_the_next_go_on(self, store):
        begun = asyncio.Event()

        async def never_end() -> None:
            async with store.unit() as unit:
                await unit.facts.switch_on(PRIVATE, 41, 1.0)
                begun.set()
                await asyncio.Event().wait()

        async def follow() -> list:
            async with store.unit() as unit:
                return await unit.facts.options_on(PRIVATE)

        first = asyncio.create_task(never_end())
        await begun.wait()
        second = asyncio.create_task(follow())
        await asyncio.sleep(0)
        first.cancel()
        assert await asyncio.wait_for(second, 10) == []
        assert first.cancelled()

    async def test_one_that_is_cancelled_before_it_begins_is_none(self, store):
        async def work() -> None:
            async with store.unit() as unit:
                await unit.facts.switch_on(PRIVATE, 41, 1.0)

        async with store.unit():
            waiting = asyncio.create_task(work())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.sleep(0)
        async with store.unit() as unit:
            assert await unit.facts.options_on(PRIVATE) == []


class TestView:
    async def test_it_sees_only_what_is_committed(self, store):
        """It may wait for a unit that is open or read past it; what the unit takes back it never sees."""

        async def look() -> list:
            async with store.view() as view:
                return await view.facts.options_on(PRIVATE)

        async with taken_back(store) as unit:
            await unit.facts.switch_on(PRIVATE, 42, 1.0)
            looking = asyncio.create_task(look())
            for _ in range(3):
                await asyncio.sleep(0)
        assert await asyncio.wait_for(looking, 10) == []

    async def test_of_a_unit_it_sees_all_or_nothing(self, store):
        async def look() -> tuple[int, int]:
            async with store.view() as view:
                payer = await view.facts.subscriber(PRIVATE)
                return payer.balance_kopecks, len(await view.facts.options_on(PRIVATE))

        async with store.unit() as unit:
            await unit.facts.charge(await unit.facts.subscriber(PRIVATE), "option:42", 10_000, 1.0)
            looking = asyncio.create_task(look())
            await asyncio.sleep(0)
            await unit.facts.switch_on(PRIVATE, 42, 1.0)
        assert await asyncio.wait_for(looking, 10) in ((50_000, 0), (40_000, 1))
        assert await look() == (40_000, 1)

    @pytest.mark.parametrize("verb", WRITING | WRITING_UNSEEN)
    async def test_to_write_in_it_is_an_error_of_the_program(self, store, verb):
        async with store.unit() as unit:
            to = await furnish(unit)
            before = await all_there_is(unit)
        with pytest.raises(RuntimeError, match="no unit of work"):
            async with store.view() as view:
                await (WRITING | WRITING_UNSEEN)[verb](view, to)
        async with store.view() as view:
            assert await all_there_is(view) == before

    async def test_many_can_look_at_once(self, store):
        async def look() -> str:
            async with store.view() as view:
                await asyncio.sleep(0)
                return (await view.facts.subscriber(PRIVATE)).msisdn

        assert await asyncio.wait_for(asyncio.gather(*(look() for _ in range(5))), 10) == [PRIVATE] * 5


class TestSavepoint:
    """A turn."""

    async def test_one_that_failed_costs_that_turn_only(self, store):
        async with store.unit() as unit:
            for number, fails in ((41, False), (42, True), (43, False)):
                await unit.savepoint()
                await unit.facts.switch_on(PRIVATE, number, 1.0)
                await unit.outbox.enqueue([sms(unit.draw_id(), str(number))])
                await (unit.rollback_savepoint() if fails else unit.release())
        async with store.view() as view:
            assert [option.number for option in await view.facts.options_on(PRIVATE)] == [41, 43]
            assert [message.text for message in await view.outbox.unsent("ussdc", 0, 10)] == ["41", "43"]

    @pytest.mark.parametrize("verb", WRITING)
    async def test_whatever_a_failed_turn_wrote_first_is_taken_back(self, store, verb):
        async with store.unit() as unit:
            to = await furnish(unit)
            before = await all_there_is(unit)
        async with store.unit() as unit:
            await unit.savepoint()
            await WRITING[verb](unit, to)
            assert await all_there_is(unit) != before, "the verb does nothing here"
            await unit.rollback_savepoint()
        async with store.view() as view:
            assert await all_there_is(view) == before

    async def test_it_is_told_whether_the_turn_wrote_anything(self, unit):
        await unit.savepoint()
        await unit.facts.subscriber(PRIVATE)
        assert not await unit.release()
        await unit.savepoint()
        await unit.facts.set_language(PRIVATE, "en")
        assert await unit.release()

    async def test_a_turn_that_only_read_can_fail(self, unit):
        await unit.savepoint()
        await unit.facts.subscriber(PRIVATE)
        await unit.rollback_savepoint()
        await unit.facts.set_language(PRIVATE, "en")
        assert (await unit.facts.subscriber(PRIVATE)).language == "en"


class TestFailure:
    @pytest.fixture
    async def furnished(self, store):
        async with store.unit() as unit:
            await unit.inbox.keep_part(part(1, 3, "there"))
            await unit.inbox.keep_part(part(2, 3, "there"))
            await unit.inbox.quarantine([unusable()], 10)
            await unit.inbox.note_sent([sent("there", 1)])
            job = await unit.jobs.add("mail", PRIVATE, "ussdc", "", "{}", 1.0, 1.0)
            await unit.jobs.set_aside(job, 2.0, "why", 5)
        return store

    async def all_is_as_it_was(self, store) -> None:
        async with store.unit() as unit:
            inbox = unit.inbox
            assert await unit.facts.subscriber("79260000030") is None
            assert await unit.outbox.waiting() == {}
            assert len(await inbox.quarantined(10)) == 1
            assert await inbox.replays() == []
            assert await inbox.match_receipt("smsc", ["1"], final=False) is None
            assert await inbox.match_receipt("smsc", ["there"], final=False)
            assert await inbox.acknowledged("ussdc") == []
            assert await inbox.keep_part(part(3, 3, "there")), "the first two are there"
            assert await unit.jobs.count_held() == 1

    @pytest.mark.parametrize("verb", FAILING)
    async def test_a_verb_that_raises_leaves_nothing_behind_and_nothing_open(self, furnished, verb):
        with pytest.raises(Exception, match=r"\w"):
            async with furnished.unit() as unit:
                await FAILING[verb](unit)
        await self.all_is_as_it_was(furnished)

    @pytest.mark.parametrize("verb", FAILING)
    async def test_within_a_turn_it_costs_that_turn(self, furnished, verb):
        async with furnished.unit() as unit:
            await unit.savepoint()
            with pytest.raises(Exception, match=r"\w"):
                await FAILING[verb](unit)
            await unit.rollback_savepoint()
        await self.all_is_as_it_was(furnished)
