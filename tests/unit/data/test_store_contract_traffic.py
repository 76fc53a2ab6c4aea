"""What every implementation of the Store must do with parts of messages, the quarantine and receipts."""

import itertools

import pytest

from data.model import MessagePart, QuarantineRecord, SentMessage

pytestmark = pytest.mark.anyio

ANNA, BORIS = "79260000003", "79260000004"


@pytest.fixture
async def store(implementation):
    opened = implementation()
    yield opened
    await opened.close()


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


def record(octets: bytes = b"\0\0\0\x10", when: float = 1000.5, **changes) -> QuarantineRecord:
    plain = QuarantineRecord(
        id=0,
        link="ussdc",
        peer="127.0.0.1:40112",
        direction="in",
        reason="command_length 7 is less than a header",
        status=2,
        octets=octets,
        when=when,
        replay=False,
    )
    return plain._replace(**changes)


def sent(key: str, id: int, link: str = "smsc", when: float = 1000.5) -> SentMessage:
    return SentMessage(link, key, id, ANNA, when)


async def keep_all(store, parts, **limits) -> list:
    """What each of them came to."""
    return [await store.keep_part(one, **limits) for one in parts]


class TestParts:
    @pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))), ids=str)
    async def test_whole_in_any_order(self, store, order):
        parts = [part(number, data_coding=number) for number in order]
        *before, last = await keep_all(store, parts)
        assert before == [None, None]
        assert last == sorted(parts, key=lambda one: one.number)

    async def test_what_is_whole_is_forgotten(self, store):
        await keep_all(store, [part(1, 2), part(2, 2)])
        later = [part(number, 2, octets=b"another") for number in (1, 2)]
        assert await keep_all(store, later[::-1]) == [None, later]

    async def test_a_part_that_comes_again_does_not_begin_the_next_message(self, store):
        await keep_all(store, [part(1, 2), part(2, 2)])
        assert await store.keep_part(part(2, 2)) is None
        following = [part(number, 2, octets=b"the next") for number in (1, 2)]
        assert await keep_all(store, following) == [None, following], "nothing of the one before is in it"

    async def test_the_same_text_a_minute_later_is_a_message(self, store):
        await keep_all(store, [part(1, 2), part(2, 2)])
        later = [part(number, 2)._replace(received=1000.0 + 61) for number in (1, 2)]
        assert await keep_all(store, later) == [None, later]

    async def test_a_part_that_came_twice_counts_once_and_the_newer_holds(self, store):
        old, new = part(1, octets=b"old"), part(1, octets=b"new")
        assert await keep_all(store, [old, old, new, part(2), part(2)]) == [None] * 5
        assert await store.keep_part(part(3)) == [new, part(2), part(3)]

    async def test_a_message_of_one_part_is_whole(self, store):
        assert await store.keep_part(part(1, 1)) == [part(1, 1)]

    @pytest.mark.parametrize("reference", ["0", "", "udh16:65535", "ссылка"])
    async def test_any_reference(self, store, reference):
        first, second = part(1, 2, reference), part(2, 2, reference)
        assert await keep_all(store, [first, second]) == [None, [first, second]]

    @pytest.mark.parametrize(
        "other", [{"link": "ussdc"}, {"msisdn": BORIS}, {"to": "0501"}, {"reference": "udh8:8"}], ids=str
    )
    async def test_messages_are_told_apart(self, store, other):
        assert await keep_all(store, [part(1, 2), part(2, 2, **other)]) == [None, None]
        assert await store.keep_part(part(2, 2)) == [part(1, 2), part(2, 2)]

    async def test_another_total_begins_anew(self, store):
        assert await keep_all(store, [part(1, 3), part(2, 3), part(1, 2)]) == [None] * 3
        assert await store.keep_part(part(2, 2)) == [part(1, 2), part(2, 2)]
        assert await store.keep_part(part(3, 3)) is None, "nothing of the first message is left"

    async def test_another_total_of_one_part(self, store):
        assert await keep_all(store, [part(1, 2), part(1, 1), part(2, 2)]) == [None, [part(1, 1)], None]

    @pytest.mark.parametrize(("number", "total"), [(0, 2), (3, 2), (-1, 2), (0, 0), (1, 0)])
    async def test_a_number_that_cannot_be(self, store, number, total):
        with pytest.raises(ValueError, match=f"part {number} of {total}"):
            await store.keep_part(part(number, total))

    async def test_any_octets(self, store):
        parts = [part(1, 2, octets=b""), part(2, 2, octets=bytes(range(256)))]
        assert await keep_all(store, parts) == [None, parts]

    async def test_the_oldest_message_of_a_sender_makes_room(self, store):
        for n in range(3):
            for number in (1, 2):
                await store.keep_part(part(number, 3, str(n), received=1000.0 + n), limit=6)
        await store.keep_part(part(1, 3, "new", received=1010.0), limit=6)
        assert await store.keep_part(part(3, 3, "0"), limit=6) is None, "it was dropped"
        assert await store.keep_part(part(3, 3, "2", received=1011.0), limit=6)

    async def test_a_sender_takes_no_room_from_others(self, store):
        await store.keep_part(part(1, 2, msisdn=BORIS, received=1.0), limit=4)
        for n in range(50):
            await store.keep_part(part(1, 2, str(n), received=1000.0 + n), limit=4)
        assert await store.keep_part(part(2, 2, msisdn=BORIS), limit=4)
        completed = [await store.keep_part(part(2, 2, str(n)), limit=4) for n in range(46, 50)]
        assert all(completed), "the newest four were there"
        assert await store.keep_part(part(2, 2, "45"), limit=4) is None

    async def test_the_message_that_is_coming_in_stays_even_if_it_is_the_oldest(self, store):
        await store.keep_part(part(1, 3, "slow", received=1.0), limit=3)
        await store.keep_part(part(1, 2, "a", received=2.0), limit=3)
        await store.keep_part(part(1, 2, "b", received=3.0), limit=3)
        await store.keep_part(part(2, 3, "slow", received=1.0), limit=3)
        assert await store.keep_part(part(3, 3, "slow"), limit=3)

    async def test_a_message_of_more_parts_than_a_sender_may_have_is_not_kept(self, store):
        await store.keep_part(part(1, 2), limit=4)
        assert await keep_all(store, [part(n, 5, "long") for n in range(1, 6)], limit=4) == [None] * 5
        assert await store.keep_part(part(2, 2), limit=4), "and takes no room from others"

    async def test_the_oldest_of_all_make_room_for_any_number_of_senders(self, store):
        await store.begin()
        for n in range(1000):
            await store.keep_part(part(1, 2, msisdn=str(n), received=float(n)), total_limit=100)
        await store.commit()
        there = await store.expire_parts(before=9e9)
        assert 80 < there <= 100

    async def test_which_are_the_oldest(self, store):
        for n in (3, 0, 2, 1):
            await store.keep_part(part(1, 3, msisdn=str(n), received=float(n)), total_limit=7)
            await store.keep_part(part(2, 3, msisdn=str(n), received=float(n)), total_limit=7)
        whole = [await store.keep_part(part(3, 3, msisdn=str(n)), total_limit=7) for n in range(4)]
        assert [bool(message) for message in whole] == [False, True, True, True]

    async def test_the_limit_holds_after_a_restart(self, store, implementation):
        await keep_all(store, [part(1, 2, str(n), received=float(n)) for n in range(10)])
        await store.close()
        again = implementation()
        await again.keep_part(part(1, 2, "new", received=99.0), total_limit=10)
        assert 8 < await again.expire_parts(before=9e9) <= 10
        await again.close()

    async def test_a_message_expires_as_a_whole(self, store):
        await keep_all(store, [part(1, received=10.0), part(2, received=20.0)])
        await keep_all(store, [part(1, 2, "other", received=15.0)])
        assert await store.expire_parts(before=10.0) == 0
        assert await store.expire_parts(before=15.0) == 2
        assert await store.keep_part(part(3)) is None
        assert await store.keep_part(part(2, 2, "other"))

    async def test_a_unit_that_is_taken_back_takes_its_parts_along(self, store):
        await store.begin()
        await store.keep_part(part(1, 2))
        await store.rollback()
        assert await store.keep_part(part(2, 2)) is None
        await store.begin()
        assert await store.keep_part(part(1, 2))
        await store.rollback()
        assert await store.keep_part(part(1, 2)), "the other half is there again"

    async def test_a_turn_that_failed_takes_its_parts_along(self, store):
        await store.keep_part(part(1, 2))
        await store.begin()
        await store.savepoint()
        assert await store.keep_part(part(2, 2))
        await store.rollback_savepoint()
        await store.savepoint()
        await store.expire_parts(before=9e9)
        await store.rollback_savepoint()
        assert await store.keep_part(part(2, 2))
        await store.commit()

    async def test_they_survive_a_restart(self, store, implementation):
        await store.keep_part(part(1, 2))
        await store.close()
        again = implementation()
        assert await again.keep_part(part(2, 2)) == [part(1, 2), part(2, 2)]
        await again.close()


async def fill(store, count: int, limit: int = 100) -> list[int]:
    """Quarantine records whose octets count up; their numbers, oldest first."""
    await store.quarantine([record(bytes([n])) for n in range(count)], limit)
    return [one.id for one in reversed(await store.quarantined(limit))]


class TestQuarantine:
    async def test_kept_as_it_was(self, store):
        unreadable = record(bytes(range(256)), status=0xFFFF_FFFF, direction="out")
        await store.quarantine([unreadable], limit=10)
        [there] = await store.quarantined(10)
        assert there == unreadable._replace(id=there.id)
        assert await store.quarantined_one(there.id) == there

    async def test_nothing_is_no_record(self, store):
        await store.quarantine([], limit=10)
        assert await store.quarantined(10) == []
        assert await store.quarantined_one(1) is None

    async def test_the_store_numbers_them(self, store):
        await store.quarantine([record(id=7, replay=True), record(id=7)], limit=10)
        newer, older = await store.quarantined(10)
        assert newer.id > older.id
        assert not older.replay

    async def test_newest_first_and_page_by_page(self, store):
        ids = await fill(store, 5)
        assert [one.id for one in await store.quarantined(2)] == ids[:2:-1]
        assert [one.id for one in await store.quarantined(2, before_id=ids[3])] == ids[2:0:-1]
        assert await store.quarantined(2, before_id=ids[0]) == []

    @pytest.mark.parametrize("at_once", [1, 3, 20])
    async def test_the_newest_stay(self, store, at_once):
        for first in range(0, 20, at_once):
            batch = range(first, min(20, first + at_once))
            await store.quarantine([record(bytes([n])) for n in batch], limit=7)
        assert [one.octets[0] for one in await store.quarantined(20)] == list(range(19, 12, -1))

    async def test_those_dropped_leave_room(self, store):
        ids = await fill(store, 6)
        await store.drop_quarantined(ids[3:])
        await store.quarantine([record(), record()], limit=6)
        there = [one.id for one in await store.quarantined(10)]
        assert len(there) == 5
        assert there[-3:] == ids[2::-1]

    async def test_a_number_never_means_another_record(self, store, implementation):
        ids = await fill(store, 3)
        await store.drop_quarantined()
        await store.close()
        again = implementation()
        await again.quarantine([record()], limit=10)
        assert (await again.quarantined(1))[0].id > ids[-1]
        await again.close()

    async def test_drop_some_or_all(self, store):
        ids = await fill(store, 5)
        assert await store.drop_quarantined([ids[0], ids[2], ids[2], 10**12]) == 2
        assert await store.drop_quarantined([]) == 0
        assert len(await store.quarantined(10)) == 3
        assert await store.drop_quarantined() == 3
        assert await store.quarantined(10) == []

    async def test_replay_is_asked_for_and_done_once(self, store, another):
        ids = await fill(store, 4)
        assert await another.ask_replay([ids[2], ids[0], 10**12]) == 2
        assert [one.id for one in await store.replays()] == [ids[0], ids[2]]
        assert all(one.replay for one in await store.replays())
        assert [one.id for one in await store.replays(limit=1)] == [ids[0]]
        await store.replayed([ids[0]])
        assert [one.id for one in await store.replays()] == [ids[2]]
        assert await store.quarantined_one(ids[0]) is None
        assert len(await store.quarantined(10)) == 3

    async def test_replay_of_all(self, store):
        ids = await fill(store, 3)
        assert await store.ask_replay() == 3
        assert [one.id for one in await store.replays()] == ids

    @pytest.fixture
    async def another(self, implementation):
        opened = implementation()
        yield opened
        await opened.close()


class TestReceipts:
    async def test_found_until_it_is_final(self, store):
        await store.note_sent([sent("0A1B", 5), sent("0A1C", 6)])
        assert await store.match_receipt("smsc", ["0A1B"], final=False) == sent("0A1B", 5)
        assert await store.match_receipt("smsc", ["0A1B"], final=True) == sent("0A1B", 5)
        assert await store.match_receipt("smsc", ["0A1B"], final=True) is None
        assert await store.match_receipt("smsc", ["0A1C"], final=True) == sent("0A1C", 6)

    async def test_the_keys_are_tried_in_order(self, store):
        await store.note_sent([sent("2587", 5), sent("A1B", 6)])
        assert (await store.match_receipt("smsc", ["none", "A1B", "2587"], final=True)).id == 6
        assert (await store.match_receipt("smsc", ["none", "A1B", "2587"], final=True)).id == 5
        assert await store.match_receipt("smsc", [], final=True) is None

    async def test_each_link_has_ids_of_its_own(self, store):
        await store.note_sent([sent("1", 5, "smsc"), sent("1", 6, "ussdc")])
        assert await store.match_receipt("third", ["1"], final=True) is None
        assert (await store.match_receipt("ussdc", ["1"], final=True)).id == 6
        assert (await store.match_receipt("smsc", ["1"], final=True)).id == 5

    async def test_an_id_that_the_centre_uses_again_means_the_newer(self, store):
        await store.note_sent([sent("1", 5)])
        await store.note_sent([sent("1", 6)])
        assert (await store.match_receipt("smsc", ["1"], final=True)).id == 6
        assert await store.match_receipt("smsc", ["1"], final=True) is None

    async def test_those_that_never_come_are_forgotten(self, store):
        await store.note_sent([sent(str(n), n, when=float(n)) for n in range(1, 6)])
        assert await store.forget_sent(before=1.0) == 0
        assert [await store.forget_sent(before=4.0, limit=2) for _ in range(3)] == [2, 1, 0]
        assert await store.match_receipt("smsc", ["3"], final=False) is None
        assert await store.match_receipt("smsc", ["4"], final=False) == sent("4", 4, when=4.0)
        assert await store.forget_sent(before=9e9) == 2

    async def test_none_at_all(self, store):
        await store.note_sent([])
        assert await store.forget_sent(before=9e9) == 0


# what no store can keep: each of these verbs fails in the middle
FAILING = {
    "keep_part": lambda store: store.keep_part(part(1, 3, octets="text")),
    "keep_part, anew": lambda store: store.keep_part(part(1, 2, "there", octets="text")),
    "expire_parts": lambda store: store.expire_parts(object()),
    "quarantine": lambda store: store.quarantine([record(), record(octets="text")], 10),
    "drop_quarantined": lambda store: store.drop_quarantined([object()]),
    "ask_replay": lambda store: store.ask_replay([object()]),
    "replayed": lambda store: store.replayed([object()]),
    "note_sent": lambda store: store.note_sent([sent("1", 5), sent(None, 6)]),
    "match_receipt": lambda store: store.match_receipt("smsc", ["there", object()][::-1], final=True),
    "forget_sent": lambda store: store.forget_sent(object()),
    "move": lambda store: store.move([object()], "smsc"),
    "prune": lambda store: store.prune(object()),
}


class TestFailure:
    @pytest.fixture
    async def furnished(self, store):
        await store.keep_part(part(1, 3, "there"))
        await store.keep_part(part(2, 3, "there"))
        await store.quarantine([record()], 10)
        await store.note_sent([sent("there", 1)])
        return store

    async def all_is_as_it_was(self, store) -> None:
        assert len(await store.quarantined(10)) == 1
        assert await store.replays() == []
        assert await store.match_receipt("smsc", ["1"], final=False) is None
        assert await store.match_receipt("smsc", ["there"], final=False)
        assert await store.keep_part(part(3, 3, "there")), "the first two are there"

    @pytest.mark.parametrize("verb", FAILING)
    async def test_a_verb_that_raises_leaves_nothing_behind_and_nothing_open(self, furnished, verb):
        with pytest.raises(Exception, match=r"\w"):
            await FAILING[verb](furnished)
        await furnished.begin()  # would raise if a unit were open
        await furnished.commit()
        await self.all_is_as_it_was(furnished)

    @pytest.mark.parametrize("verb", FAILING)
    async def test_within_a_turn_it_costs_that_turn(self, furnished, verb):
        await furnished.begin()
        await furnished.savepoint()
        with pytest.raises(Exception, match=r"\w"):
            await FAILING[verb](furnished)
        await furnished.rollback_savepoint()
        await furnished.commit()
        await self.all_is_as_it_was(furnished)
