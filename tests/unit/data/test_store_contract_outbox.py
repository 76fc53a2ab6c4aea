"""What every implementation of the Store must do with what is to be sent."""

import pytest

from data.model import Outgoing
from tests.unit.data.samples import ALIKE, EMPLOYEE, PRIVATE, screen, sms, taken_back

pytestmark = pytest.mark.anyio

PASSWORD = "password.issued"


async def send(unit, text: str = "text", **changes) -> int:
    """Put one message in the outbox; its id."""
    outgoing = sms(unit.draw_id(), text, **changes)
    await unit.outbox.enqueue([outgoing])
    return outgoing.id


async def left(outbox, link: str = "ussdc") -> list[int]:
    return [message.id for message in await outbox.unsent(link, 0, 100)]


class TestUnsent:
    async def test_in_order_by_link(self, unit, outbox):
        messages = [sms(unit.draw_id(), text) for text in "abc"]
        await outbox.enqueue([*messages, sms(unit.draw_id(), "elsewhere", link="smsc")])
        assert await outbox.unsent("ussdc", 0, 10) == messages
        assert await outbox.unsent("ussdc", messages[0].id, 1) == [messages[1]]
        assert await outbox.unsent("ussdc", messages[2].id, 10) == []

    async def test_of_one_kind(self, unit, outbox):
        messages = [sms(unit.draw_id(), kind=kind) for kind in ("ussd", "sms", "ussd")]
        await outbox.enqueue(messages)
        assert await outbox.unsent("ussdc", 0, 10, "ussd") == [messages[0], messages[2]]
        assert await outbox.unsent("ussdc", messages[0].id, 1, "ussd") == [messages[2]]
        assert await outbox.unsent("ussdc", 0, 10, "mailing") == []

    async def test_any_octets_to_any_address(self, unit, outbox):
        """Who is answered may have an address that is no number."""
        outgoing = screen(unit.draw_id(), bytes(range(256)), msisdn="0Zvezda")
        await outbox.enqueue([outgoing])
        assert await outbox.unsent("ussdc", 0, 1) == [outgoing]

    async def test_a_message_comes_back_with_all_that_it_says(self, unit, outbox):
        outgoing = Outgoing(
            unit.draw_id(), "smsc", "079260000003", "mailing", 1.25, 61.75, None,
            sender="000110", text="Пароль: {h7kq}\n€\0\U0001f600", address="2/1/9260000003", topic=PASSWORD,
        )  # fmt: skip
        await outbox.enqueue([outgoing])
        assert await outbox.unsent("smsc", 0, 1) == [outgoing]

    async def test_nothing_to_enqueue(self, outbox):
        await outbox.enqueue([])
        assert await outbox.waiting() == {}


class TestLeaving:
    async def test_taken_are_gone(self, unit, outbox):
        ids = [await send(unit) for _ in range(5)]
        await outbox.taken(ids[:4])
        await outbox.taken(ids[:4])
        await outbox.taken([])
        assert await left(outbox) == ids[4:]

    async def test_it_is_told_whether_one_is_still_there(self, unit, outbox):
        waiting, taken, given_up = [await send(unit) for _ in range(3)]
        await outbox.taken([taken])
        await outbox.fail(given_up, "ESME_RINVDSTADR", 60.0)
        ids = (waiting, taken, given_up, unit.draw_id())
        assert [await outbox.holds(id) for id in ids] == [True, False, False, False]

    async def test_what_is_given_up_leaves(self, unit, outbox):
        number = await send(unit)
        await outbox.fail(number, "ESME_RINVDSTADR", 60.0)
        await outbox.fail(number, "again", 61.0)
        assert await left(outbox) == []

    async def test_what_is_of_no_use_any_more_is_given_up_whatever_its_link(self, unit, outbox):
        await send(unit, link="gone", expires=50.0)
        good = await send(unit, expires=150.0)
        assert await outbox.fail_expired(100.0) == 1
        assert await left(outbox, "gone") == []
        assert await left(outbox) == [good]

    async def test_messages_can_leave_by_another_link(self, unit, outbox):
        ids = [await send(unit, str(n)) for n in range(4)]
        await outbox.move([ids[1], ids[3], 10**6], "smsc")
        assert await left(outbox) == [ids[0], ids[2]]
        assert await left(outbox, "smsc") == [ids[1], ids[3]]
        assert await outbox.waiting() == {"ussdc": 2, "smsc": 2}

    async def test_what_was_given_up_goes_by_age(self, unit, outbox):
        for when in (10.0, 20.0, 30.0):
            await outbox.fail(await send(unit), "ESME_RINVDSTADR", when)
        waiting = await send(unit)
        assert await outbox.prune_undelivered(before=30.0) == 2
        assert await outbox.prune_undelivered(before=31.0) == 1
        assert await left(outbox) == [waiting]

    async def test_what_was_given_up_goes_a_little_at_a_time(self, unit, outbox):
        for when in range(5):
            await outbox.fail(await send(unit), "ESME_RINVDSTADR", float(when))
        assert [await outbox.prune_undelivered(before=9.0, limit=2) for _ in range(4)] == [2, 2, 1, 0]


class TestWithdrawing:
    """Of the messages of a topic only the newest is worth anything."""

    async def test_the_older_ones_of_that_topic_to_that_number(self, unit, outbox):
        old = [await send(unit, topic=PASSWORD), await send(unit, topic=PASSWORD, link="smsc")]
        newest = await send(unit, topic=PASSWORD)
        assert sorted(await outbox.withdraw(PRIVATE, PASSWORD, newest)) == old
        assert (await left(outbox), await left(outbox, "smsc")) == ([newest], [])

    @pytest.mark.parametrize("other", [{"topic": "news"}, {"topic": ""}, {"msisdn": EMPLOYEE}], ids=str)
    async def test_nothing_else(self, unit, outbox, other):
        kept = await send(unit, **{"topic": PASSWORD, **other})
        assert await outbox.withdraw(PRIVATE, PASSWORD, unit.draw_id()) == []
        assert await left(outbox) == [kept]

    async def test_no_topic_is_a_topic_of_its_own(self, unit, outbox):
        kept = [await send(unit), await send(unit)]
        assert await outbox.withdraw(PRIVATE, "", unit.draw_id()) == []
        assert await left(outbox) == kept

    async def test_numbers_that_look_alike_are_others(self, unit, outbox):
        sent = {msisdn: await send(unit, msisdn=msisdn, topic=PASSWORD) for msisdn in ALIKE}
        assert await outbox.withdraw(PRIVATE, PASSWORD, unit.draw_id()) == [sent.pop(PRIVATE)]
        assert await left(outbox) == list(sent.values())

    async def test_what_has_been_sent_is_not_withdrawn(self, unit, outbox):
        taken, given_up = await send(unit, topic=PASSWORD), await send(unit, topic=PASSWORD)
        await outbox.taken([taken])
        await outbox.fail(given_up, "ESME_RINVDSTADR", 60.0)
        assert await outbox.withdraw(PRIVATE, PASSWORD, unit.draw_id()) == []

    async def test_what_is_withdrawn_was_not_given_up(self, unit, outbox):
        await send(unit, topic=PASSWORD)
        await outbox.withdraw(PRIVATE, PASSWORD, unit.draw_id())
        assert await outbox.prune_undelivered(before=9e9) == 0


class TestIds:
    async def test_each_is_greater_than_those_before(self, unit):
        drawn = [unit.draw_id() for _ in range(3)]
        assert drawn == sorted(set(drawn))

    async def test_one_is_never_drawn_again(self, store):
        async with store.unit() as unit:
            first = await send(unit)
            await unit.outbox.taken([first])
        async with taken_back(store) as unit:
            second = await send(unit)
        async with store.unit() as unit:
            assert unit.draw_id() > second > first
