"""What every implementation of the Store must do with messages to be sent."""

import contextlib

import pytest

from data.model import Outgoing, SentMessage

pytestmark = pytest.mark.anyio

ANNA, BORIS = "79260000003", "79260000004"


def message(unit, text: str = "text", **changes) -> Outgoing:
    plain = Outgoing(unit.draw_id(), "smsc", ANNA, "sms", 1.5, 61.5, None, "000110", text)
    return plain._replace(**changes)


def screen(unit, frame: bytes, **changes) -> Outgoing:
    return message(unit, "", kind="ussd", frame=frame, sender="", **changes)


async def send(unit, *args, **kwargs) -> int:
    """Put one message in the outbox; its id."""
    outgoing = message(unit, *args, **kwargs)
    await unit.outbox.enqueue([outgoing])
    return outgoing.id


async def texts(unit, link: str = "smsc") -> list[str]:
    return [there.text for there in await unit.outbox.unsent(link, 0, 100)]


class TestOutbox:
    async def test_unsent_in_order_by_link(self, unit, outbox):
        messages = [message(unit, text) for text in ("a", "b", "c")]
        await outbox.enqueue([*messages, message(unit, "elsewhere", link="ussdc")])
        assert await outbox.unsent("smsc", 0, 10) == messages
        assert await outbox.unsent("smsc", messages[0].id, 1) == [messages[1]]
        assert await outbox.unsent("smsc", messages[2].id, 10) == []

    async def test_unsent_of_one_kind(self, unit, outbox):
        messages = [screen(unit, b"0"), message(unit), screen(unit, b"2")]
        await outbox.enqueue(messages)
        assert await outbox.unsent("smsc", 0, 10, "ussd") == [messages[0], messages[2]]
        assert await outbox.unsent("smsc", messages[0].id, 1, "ussd") == [messages[2]]
        assert await outbox.unsent("smsc", 0, 10, "mailing") == []

    async def test_a_screen_of_any_octets_to_any_address(self, unit, outbox):
        """Who is answered may have an address that is no number."""
        outgoing = screen(unit, bytes(range(256)), msisdn="0Zvezda")
        await outbox.enqueue([outgoing])
        assert await outbox.unsent("smsc", 0, 1) == [outgoing]

    @pytest.mark.parametrize(
        "changes",
        [
            {"text": "Пароль ☎ 𝄞", "sender": "000110"},
            {"kind": "mailing", "topic": "offers"},
            {"kind": "reply", "address": "2/1/9260000003"},
            {"frame": b"as an older store has it", "sender": "", "text": ""},
        ],
        ids=lambda changes: ", ".join(changes),
    )
    async def test_a_message_is_kept_as_it_was(self, unit, outbox, changes):
        outgoing = message(unit)._replace(**changes)
        await outbox.enqueue([outgoing])
        assert await outbox.unsent("smsc", 0, 1) == [outgoing]

    async def test_taken_are_gone(self, unit, outbox):
        ids = [await send(unit) for _ in range(5)]
        await outbox.taken(ids[:4])
        await outbox.taken(ids[:4])
        await outbox.taken([])
        assert [m.id for m in await outbox.unsent("smsc", 0, 10)] == ids[4:]

    async def test_held_until_it_leaves_whichever_way(self, unit, outbox):
        ids = [await send(unit, topic="password") for _ in range(4)]
        assert [await outbox.holds(id) for id in ids] == [True] * 4
        await outbox.taken(ids[:1])
        await outbox.fail(ids[1], "ESME_RINVDSTADR", 2.0)
        await outbox.withdraw(ANNA, "password", ids[3])
        assert [await outbox.holds(id) for id in ids] == [False, False, False, True]
        assert not await outbox.holds(unit.draw_id())

    async def test_what_is_given_up_leaves(self, unit, outbox):
        number = await send(unit)
        await outbox.fail(number, "ESME_RINVDSTADR", 60.0)
        await outbox.fail(number, "again", 61.0)
        assert await outbox.unsent("smsc", 0, 10) == []

    async def test_what_is_of_no_use_any_more_is_given_up_whatever_its_link(self, unit, outbox):
        await send(unit, "old", link="gone", expires=50.0)
        await send(unit, "good", expires=150.0)
        assert await outbox.fail_expired(100.0) == 1
        assert (await texts(unit, "gone"), await texts(unit)) == ([], ["good"])

    async def test_messages_can_leave_by_another_link(self, unit, outbox):
        ids = [await send(unit, str(n)) for n in range(4)]
        await outbox.move([ids[1], ids[3], 10**6], "ussdc")
        assert (await texts(unit), await texts(unit, "ussdc")) == (["0", "2"], ["1", "3"])
        assert await outbox.waiting() == {"smsc": 2, "ussdc": 2}

    async def test_messages_given_up_are_forgotten_by_age_a_little_at_a_time(self, unit, outbox):
        for when in (10.0, 20.0, 30.0, 40.0):
            await outbox.fail(await send(unit), "ESME_RINVDSTADR", when)
        await send(unit, "waiting")
        assert await outbox.prune_undelivered(before=20.0) == 1
        assert [await outbox.prune_undelivered(before=50.0, limit=2) for _ in range(3)] == [2, 1, 0]
        assert await texts(unit) == ["waiting"]


class TestTopics:
    """A newer password makes the older SMS worthless."""

    async def test_older_ones_of_the_topic_are_withdrawn(self, unit, outbox):
        ids = [await send(unit, text, topic="password") for text in ("first", "second", "third")]
        assert await outbox.withdraw(ANNA, "password", ids[2]) == ids[:2]
        assert await texts(unit) == ["third"]
        assert await outbox.withdraw(ANNA, "password", ids[2]) == []

    async def test_whatever_their_link(self, unit, outbox):
        first = await send(unit, topic="password", link="ussdc")
        assert await outbox.withdraw(ANNA, "password", first + 1) == [first]

    async def test_nobody_elses_and_nothing_else(self, unit, outbox):
        await send(unit, "his", topic="password", msisdn=BORIS)
        await send(unit, "an offer", topic="offers")
        await send(unit, "of no topic")
        assert await outbox.withdraw(ANNA, "password", unit.draw_id()) == []
        assert await outbox.withdraw(ANNA, "", unit.draw_id()) == [], "of no topic is no topic"
        assert len(await texts(unit)) == 3


class TestIds:
    async def test_an_id_is_never_drawn_again(self, store):
        async with store.unit() as unit:
            first = await send(unit)
        with contextlib.suppress(ZeroDivisionError):
            async with store.unit() as unit:
                await unit.outbox.taken([first])
                second = await send(unit)
                raise ZeroDivisionError
        async with store.unit() as unit:
            drawn = [unit.draw_id() for _ in range(3)]
        assert first < second < drawn[0]
        assert drawn == sorted(set(drawn))

    @pytest.mark.parametrize("left", ["waiting", "given up", "its receipt is awaited"])
    async def test_nor_after_a_restart_while_anything_is_left_of_it(self, reopen, left):
        store = reopen()
        async with store.unit() as unit:
            last = [await send(unit) for _ in range(3)][-1]
            if left == "given up":
                await unit.outbox.fail(last, "ESME_RINVDSTADR", 60.0)
            if left == "its receipt is awaited":
                await unit.inbox.note_sent([SentMessage("smsc", "A1", last, ANNA, 5.0)])
                await unit.outbox.taken([last])
        await store.close()
        again = reopen()
        async with again.unit() as unit:
            assert unit.draw_id() > last
        await again.close()
