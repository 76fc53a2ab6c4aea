"""What every implementation of the Store must do with the parts of long messages."""

import contextlib
import itertools

import pytest

from data.model import MessagePart

pytestmark = pytest.mark.anyio

ANNA, BORIS = "79260000003", "79260000004"


def part(number: int, total: int = 3, reference: str = "udh8:7", **changes) -> MessagePart:
    plain = MessagePart(
        link="smsc",
        msisdn=ANNA,
        to="0500",
        reference=reference,
        number=number,
        total=total,
        data_coding=8,
        octets=f"part {number} of {total}".encode(),
        received=1000.0,
    )
    return plain._replace(**changes)


async def keep_all(inbox, parts, **limits) -> list:
    """What each of them came to."""
    return [await inbox.keep_part(one, **limits) for one in parts]


class TestParts:
    @pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))), ids=str)
    async def test_whole_in_any_order(self, inbox, order):
        parts = [part(number, data_coding=number) for number in order]
        *before, last = await keep_all(inbox, parts)
        assert before == [None, None]
        assert last == sorted(parts, key=lambda one: one.number)

    async def test_what_is_whole_is_forgotten(self, inbox):
        await keep_all(inbox, [part(1, 2), part(2, 2)])
        later = [part(number, 2, octets=b"another") for number in (1, 2)]
        assert await keep_all(inbox, later[::-1]) == [None, later]

    async def test_a_part_that_comes_again_does_not_begin_the_next_message(self, inbox):
        await keep_all(inbox, [part(1, 2), part(2, 2)])
        assert await inbox.keep_part(part(2, 2)) is None
        following = [part(number, 2, octets=b"the next") for number in (1, 2)]
        assert await keep_all(inbox, following) == [None, following], "nothing of the one before is in it"

    async def test_the_same_text_a_minute_later_is_a_message(self, inbox):
        await keep_all(inbox, [part(1, 2), part(2, 2)])
        later = [part(number, 2)._replace(received=1000.0 + 61) for number in (1, 2)]
        assert await keep_all(inbox, later) == [None, later]

    async def test_a_part_that_came_twice_counts_once_and_the_newer_holds(self, inbox):
        old, new = part(1, octets=b"old"), part(1, octets=b"new")
        assert await keep_all(inbox, [old, old, new, part(2), part(2)]) == [None] * 5
        assert await inbox.keep_part(part(3)) == [new, part(2), part(3)]

    async def test_a_message_of_one_part_is_whole(self, inbox):
        assert await inbox.keep_part(part(1, 1)) == [part(1, 1)]

    @pytest.mark.parametrize("reference", ["0", "", "udh16:65535", "ссылка"])
    async def test_any_reference(self, inbox, reference):
        first, second = part(1, 2, reference), part(2, 2, reference)
        assert await keep_all(inbox, [first, second]) == [None, [first, second]]

    @pytest.mark.parametrize(
        "other", [{"link": "ussdc"}, {"msisdn": BORIS}, {"to": "0501"}, {"reference": "udh8:8"}], ids=str
    )
    async def test_messages_are_told_apart(self, inbox, other):
        assert await keep_all(inbox, [part(1, 2), part(2, 2, **other)]) == [None, None]
        assert await inbox.keep_part(part(2, 2)) == [part(1, 2), part(2, 2)]

    async def test_another_total_begins_anew(self, inbox):
        assert await keep_all(inbox, [part(1, 3), part(2, 3), part(1, 2)]) == [None] * 3
        assert await inbox.keep_part(part(2, 2)) == [part(1, 2), part(2, 2)]
        assert await inbox.keep_part(part(3, 3)) is None, "nothing of the first message is left"

    async def test_another_total_of_one_part(self, inbox):
        assert await keep_all(inbox, [part(1, 2), part(1, 1), part(2, 2)]) == [None, [part(1, 1)], None]

    @pytest.mark.parametrize(("number", "total"), [(0, 2), (3, 2), (-1, 2), (0, 0), (1, 0)])
    async def test_a_number_that_cannot_be(self, inbox, number, total):
        with pytest.raises(ValueError, match=f"part {number} of {total}"):
            await inbox.keep_part(part(number, total))

    async def test_any_octets(self, inbox):
        parts = [part(1, 2, octets=b""), part(2, 2, octets=bytes(range(256)))]
        assert await keep_all(inbox, parts) == [None, parts]

    async def test_the_oldest_message_of_a_sender_makes_room(self, inbox):
        for n in range(3):
            for number in (1, 2):
                await inbox.keep_part(part(number, 3, str(n), received=1000.0 + n), limit=6)
        await inbox.keep_part(part(1, 3, "new", received=1010.0), limit=6)
        assert await inbox.keep_part(part(3, 3, "0"), limit=6) is None, "it was dropped"
        assert await inbox.keep_part(part(3, 3, "2", received=1011.0), limit=6)

    async def test_a_sender_takes_no_room_from_others(self, inbox):
        await inbox.keep_part(part(1, 2, msisdn=BORIS, received=1.0), limit=4)
        for n in range(50):
            await inbox.keep_part(part(1, 2, str(n), received=1000.0 + n), limit=4)
        assert await inbox.keep_part(part(2, 2, msisdn=BORIS), limit=4)
        completed = [await inbox.keep_part(part(2, 2, str(n)), limit=4) for n in range(46, 50)]
        assert all(completed), "the newest four were there"
        assert await inbox.keep_part(part(2, 2, "45"), limit=4) is None

    async def test_the_message_that_is_coming_in_stays_even_if_it_is_the_oldest(self, inbox):
        await inbox.keep_part(part(1, 3, "slow", received=1.0), limit=3)
        await inbox.keep_part(part(1, 2, "a", received=2.0), limit=3)
        await inbox.keep_part(part(1, 2, "b", received=3.0), limit=3)
        await inbox.keep_part(part(2, 3, "slow", received=1.0), limit=3)
        assert await inbox.keep_part(part(3, 3, "slow"), limit=3)

    async def test_a_message_of_more_parts_than_a_sender_may_have_is_not_kept(self, inbox):
        await inbox.keep_part(part(1, 2), limit=4)
        assert await keep_all(inbox, [part(n, 5, "long") for n in range(1, 6)], limit=4) == [None] * 5
        assert await inbox.keep_part(part(2, 2), limit=4), "and takes no room from others"

    async def test_the_oldest_of_all_make_room_for_any_number_of_senders(self, inbox):
        for n in range(1000):
            await inbox.keep_part(part(1, 2, msisdn=str(n), received=float(n)), total_limit=100)
        there = await inbox.expire_parts(before=9e9)
        assert 80 < there <= 100

    async def test_which_are_the_oldest(self, inbox):
        for n in (3, 0, 2, 1):
            await inbox.keep_part(part(1, 3, msisdn=str(n), received=float(n)), total_limit=7)
            await inbox.keep_part(part(2, 3, msisdn=str(n), received=float(n)), total_limit=7)
        whole = [await inbox.keep_part(part(3, 3, msisdn=str(n)), total_limit=7) for n in range(4)]
        assert [bool(message) for message in whole] == [False, True, True, True]

    async def test_the_limit_holds_after_a_restart(self, reopen):
        store = reopen()
        async with store.unit() as unit:
            await keep_all(unit.inbox, [part(1, 2, str(n), received=float(n)) for n in range(10)])
        await store.close()
        again = reopen()
        async with again.unit() as unit:
            await unit.inbox.keep_part(part(1, 2, "new", received=99.0), total_limit=10)
            assert 8 < await unit.inbox.expire_parts(before=9e9) <= 10
        await again.close()

    async def test_a_message_expires_as_a_whole(self, inbox):
        await keep_all(inbox, [part(1, received=10.0), part(2, received=20.0)])
        await keep_all(inbox, [part(1, 2, "other", received=15.0)])
        assert await inbox.expire_parts(before=10.0) == 0
        assert await inbox.expire_parts(before=15.0) == 2
        assert await inbox.keep_part(part(3)) is None
        assert await inbox.keep_part(part(2, 2, "other"))

    async def test_a_unit_that_is_taken_back_takes_its_parts_along(self, store):
        async def keep(one: MessagePart, fails: bool = False) -> list[MessagePart] | None:
            with contextlib.suppress(ZeroDivisionError):
                async with store.unit() as unit:
                    whole = await unit.inbox.keep_part(one)
                    if fails:
                        raise ZeroDivisionError
            return whole

        await keep(part(1, 2), fails=True)
        assert await keep(part(2, 2)) is None
        assert await keep(part(1, 2), fails=True)
        assert await keep(part(1, 2)), "the other half is there again"

    async def test_a_turn_that_failed_takes_its_parts_along(self, unit, inbox):
        await inbox.keep_part(part(1, 2))
        await unit.savepoint()
        assert await inbox.keep_part(part(2, 2))
        await unit.rollback_savepoint()
        await unit.savepoint()
        await inbox.expire_parts(before=9e9)
        await unit.rollback_savepoint()
        assert await inbox.keep_part(part(2, 2))

    async def test_they_survive_a_restart(self, reopen):
        store = reopen()
        async with store.unit() as unit:
            await unit.inbox.keep_part(part(1, 2))
        await store.close()
        again = reopen()
        async with again.unit() as unit:
            assert await unit.inbox.keep_part(part(2, 2)) == [part(1, 2), part(2, 2)]
        await again.close()
