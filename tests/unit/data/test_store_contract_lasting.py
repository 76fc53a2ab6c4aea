"""What every implementation of the Store that outlasts its closing must do for who opens it again, or beside."""

import asyncio

import pytest

from data.opening import open_store
from data.store import StoreError
from tests.unit.data.samples import PEOPLE, PRIVATE, open_dialogue, part, sent, sms, unusable

pytestmark = pytest.mark.anyio


@pytest.fixture
def url(lasting_url):
    return lasting_url


@pytest.fixture
async def another(store, url):
    """The same store, opened a second time."""
    opened = open_store(url, create=False)
    yield opened
    await opened.close()


@pytest.fixture
async def reopened(store, url):
    """Close the store and open it again; all that was opened is closed in the end."""
    opened = []

    async def reopen():
        await store.close()
        opened.append(open_store(url, create=False))
        return opened[-1]

    yield reopen
    for one in opened:
        await one.close()


async def send(unit, **changes) -> int:
    outgoing = sms(unit.draw_id(), **changes)
    await unit.outbox.enqueue([outgoing])
    return outgoing.id


class TestBeside:
    async def test_others_see_a_unit_after_the_commit_and_not_before(self, store, another):
        async with store.unit() as unit:
            await unit.inbox.save_dialogues([open_dialogue()])
            async with another.view() as view:
                assert await view.inbox.dialogue(PRIVATE) is None
        async with another.view() as view:
            assert await view.inbox.dialogue(PRIVATE) == open_dialogue()

    async def test_a_replay_that_is_asked_for_elsewhere_is_seen(self, store, another):
        async with store.unit() as unit:
            await unit.inbox.quarantine([unusable()], limit=10)
        async with another.unit() as unit:
            assert await unit.inbox.ask_replay() == 1
        async with store.view() as view:
            assert len(await view.inbox.replays()) == 1

    async def test_a_second_gateway_is_kept_out_until_the_first_has_closed(self, store, another):
        store.claim()
        with pytest.raises(StoreError, match="another gateway"):
            another.claim()
        await store.close()
        another.claim()

    async def test_the_catalogue_is_the_same_whoever_opened_it_first(self, store, another):
        assert another.catalogue == store.catalogue


class TestAgain:
    async def test_what_was_committed_is_there_and_nothing_else(self, store, reopened):
        async with store.unit() as unit:
            await unit.facts.import_subscribers(PEOPLE)
            await unit.inbox.save_dialogues([open_dialogue()])
            number = await send(unit)
        with pytest.raises(Exception, match="closed"):
            await self.close_in_the_middle_of_a_unit(store)
        async with (await reopened()).view() as view:
            assert await view.inbox.dialogue(PRIVATE) == open_dialogue()
            assert [message.id for message in await view.outbox.unsent("ussdc", 0, 10)] == [number]
            assert (await view.facts.subscriber(PRIVATE)).msisdn == PRIVATE

    async def close_in_the_middle_of_a_unit(self, store) -> None:
        async with store.unit() as unit:
            await unit.inbox.close_dialogues([PRIVATE])
            await store.close()

    async def test_an_id_is_not_drawn_again_while_anything_is_left_of_it(self, store, reopened):
        async with store.unit() as unit:
            waiting, given_up = await send(unit), await send(unit)
            await unit.outbox.fail(given_up, "ESME_RINVDSTADR", 60.0)
        async with (await reopened()).unit() as unit:
            assert unit.draw_id() > given_up > waiting

    async def test_nor_is_one_that_a_receipt_will_name(self, store, reopened):
        async with store.unit() as unit:
            number = await send(unit)
            await unit.inbox.note_sent([sent("A1", number)])
            await unit.outbox.taken([number])
        async with (await reopened()).unit() as unit:
            assert unit.draw_id() > number

    async def test_a_number_of_a_record_never_means_another(self, store, reopened):
        async with store.unit() as unit:
            await unit.inbox.quarantine([unusable()] * 3, limit=10)
            newest, *_ = await unit.inbox.quarantined(1)
            await unit.inbox.drop_quarantined()
        async with (await reopened()).unit() as unit:
            await unit.inbox.quarantine([unusable()], limit=10)
            assert (await unit.inbox.quarantined(1))[0].id > newest.id

    async def test_a_number_of_a_job_never_means_another(self, store, reopened):
        job = ("mail", PRIVATE, "ussdc", "", "{}", 1.0, 1.0)
        async with store.unit() as unit:
            number = await unit.jobs.add(*job)
            await unit.jobs.finish(number)
        async with (await reopened()).unit() as unit:
            assert await unit.jobs.add(*job) > number

    async def test_parts_of_a_message_go_on_waiting_for_the_rest(self, store, reopened):
        async with store.unit() as unit:
            await unit.inbox.keep_part(part(1, 2))
        async with (await reopened()).unit() as unit:
            assert await unit.inbox.keep_part(part(2, 2)) == [part(1, 2), part(2, 2)]

    async def test_the_limit_of_parts_holds(self, store, reopened):
        async with store.unit() as unit:
            for n in range(10):
                await unit.inbox.keep_part(part(1, 2, str(n), received=float(n)))
        async with (await reopened()).unit() as unit:
            await unit.inbox.keep_part(part(1, 2, "new", received=99.0), total_limit=10)
            assert 8 < await unit.inbox.expire_parts(before=9e9) <= 10


async def test_a_unit_that_begins_is_not_disturbed_by_one_who_looks(store, another):
    async def look() -> None:
        async with another.view() as view:
            await view.facts.subscribers([PRIVATE])
            await asyncio.sleep(0)

    async def work() -> None:
        async with store.unit() as unit:
            await unit.inbox.save_dialogues([open_dialogue()])
            await asyncio.sleep(0)

    await asyncio.wait_for(asyncio.gather(look(), work(), look(), work()), 10)
