"""What every implementation of the Store must do with dialogues, receipts, and what nobody understood.

The parts of long messages are in test_store_contract_parts.py.
"""

import pytest

from data.model import Acknowledged, DialogueRecord, QuarantineRecord, SentMessage

pytestmark = pytest.mark.anyio

ANNA, BORIS, CLARA = "79260000003", "79260000004", "79260000005"


def open_dialogue(**changes) -> DialogueRecord:
    plain = DialogueRecord(
        msisdn=ANNA,
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


class TestDialogues:
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"values": None},
            {"page": 0, "misses": 0, "node": ""},
            {"meaning": 2**63 - 1, "begun": -(2**63), "last": -1, "screen": 2**40},
        ],
    )
    async def test_kept_as_it_was(self, inbox, changes):
        record = open_dialogue(**changes)
        await inbox.save_dialogues([record])
        assert await inbox.dialogue(ANNA) == record

    async def test_a_number_has_one(self, inbox):
        await inbox.save_dialogues([open_dialogue(node="root")])
        await inbox.save_dialogues([open_dialogue(node="options.mine")])
        assert (await inbox.dialogue(ANNA)).node == "options.mine"

    async def test_many_at_once(self, inbox):
        records = [open_dialogue(), open_dialogue(msisdn=BORIS), open_dialogue(msisdn=CLARA)]
        await inbox.save_dialogues(records)
        await inbox.close_dialogues([ANNA, CLARA])
        assert [await inbox.dialogue(record.msisdn) for record in records] == [None, records[1], None]

    async def test_many_are_read_at_once(self, inbox):
        records = [open_dialogue(), open_dialogue(msisdn=BORIS), open_dialogue(msisdn="0" + ANNA)]
        await inbox.save_dialogues(records)
        assert await inbox.dialogues([ANNA, "0" + ANNA, CLARA, ANNA]) == {
            ANNA: records[0],
            "0" + ANNA: records[2],
        }
        assert await inbox.dialogues([]) == {}

    @pytest.mark.parametrize("address", ["", "Zvezda", "0500", "9" * 40, "'; --", "0" + "79260000003"])
    async def test_an_address_that_has_none(self, inbox, address):
        await inbox.save_dialogues([open_dialogue()])
        assert await inbox.dialogue(address) is None

    async def test_none_at_all(self, inbox):
        await inbox.save_dialogues([])
        await inbox.close_dialogues([])

    async def test_closing_twice_is_harmless(self, inbox):
        await inbox.save_dialogues([open_dialogue()])
        await inbox.close_dialogues([ANNA])
        await inbox.close_dialogues([ANNA, ANNA])
        assert await inbox.dialogue(ANNA) is None

    async def test_what_expires_is_counted_without_what_was_over(self, inbox):
        await inbox.save_dialogues([open_dialogue(node=""), open_dialogue(msisdn=BORIS)])
        assert await inbox.expire_dialogues(idle_before=9e9) == 1
        assert await inbox.dialogues([ANNA, BORIS]) == {}

    async def test_only_the_idle_expire(self, inbox):
        await inbox.save_dialogues([open_dialogue(touched=99.0), open_dialogue(msisdn=BORIS, touched=100.0)])
        assert await inbox.expire_dialogues(idle_before=100.0) == 1
        assert await inbox.dialogue(ANNA) is None
        assert await inbox.dialogue(BORIS) is not None


def given(n: int, link: str = "ussdc", when: float | None = None) -> Acknowledged:
    return Acknowledged(link, "c1", n, n // 2, bytes([n]) * 16, 1000.0 + n if when is None else when)


class TestAcknowledged:
    async def test_kept_as_it_was_oldest_first(self, inbox):
        records = [given(n) for n in (3, 1, 2)]
        for record in records:
            await inbox.note_acknowledged(record)
        await inbox.note_acknowledged(given(1, link="smsc"))
        assert await inbox.acknowledged("ussdc") == records
        assert await inbox.acknowledged("smsc") == [given(1, link="smsc")]
        assert await inbox.acknowledged("third") == []

    async def test_what_is_old_is_forgotten_and_only_of_that_link(self, inbox):
        for n in range(1, 6):
            await inbox.note_acknowledged(given(n))
            await inbox.note_acknowledged(given(n, link="smsc"))
        assert await inbox.forget_acknowledged("ussdc", before=1001.0) == 0
        assert await inbox.forget_acknowledged("ussdc", before=1003.0) == 2
        assert await inbox.acknowledged("ussdc") == [given(3), given(4), given(5)]
        assert await inbox.forget_acknowledged("ussdc", before=9e9) == 3
        assert len(await inbox.acknowledged("smsc")) == 5
        assert await inbox.forget_acknowledged("third", before=9e9) == 0

    async def test_order_goes_on_when_all_that_was_before_is_forgotten(self, inbox):
        for n in (1, 2):
            await inbox.note_acknowledged(given(n))
            await inbox.forget_acknowledged("ussdc", before=9e9)
        for n in (3, 4):
            await inbox.note_acknowledged(given(n))
        assert await inbox.acknowledged("ussdc") == [given(3), given(4)]


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


async def fill(inbox, count: int, limit: int = 100) -> list[int]:
    """Quarantine records whose octets count up; their numbers, oldest first."""
    await inbox.quarantine([record(bytes([n])) for n in range(count)], limit)
    return [one.id for one in reversed(await inbox.quarantined(limit))]


class TestQuarantine:
    async def test_kept_as_it_was(self, inbox):
        unreadable = record(bytes(range(256)), status=0xFFFF_FFFF, direction="out")
        await inbox.quarantine([unreadable], limit=10)
        [there] = await inbox.quarantined(10)
        assert there == unreadable._replace(id=there.id)
        assert await inbox.quarantined_one(there.id) == there

    async def test_nothing_is_no_record(self, inbox):
        await inbox.quarantine([], limit=10)
        assert await inbox.quarantined(10) == []
        assert await inbox.quarantined_one(1) is None

    async def test_the_store_numbers_them(self, inbox):
        await inbox.quarantine([record(id=7, replay=True), record(id=7)], limit=10)
        newer, older = await inbox.quarantined(10)
        assert newer.id > older.id
        assert not older.replay

    async def test_newest_first_and_page_by_page(self, inbox):
        ids = await fill(inbox, 5)
        assert [one.id for one in await inbox.quarantined(2)] == ids[:2:-1]
        assert [one.id for one in await inbox.quarantined(2, before_id=ids[3])] == ids[2:0:-1]
        assert await inbox.quarantined(2, before_id=ids[0]) == []

    @pytest.mark.parametrize("at_once", [1, 3, 20])
    async def test_the_newest_stay(self, inbox, at_once):
        for first in range(0, 20, at_once):
            batch = range(first, min(20, first + at_once))
            await inbox.quarantine([record(bytes([n])) for n in batch], limit=7)
        assert [one.octets[0] for one in await inbox.quarantined(20)] == list(range(19, 12, -1))

    async def test_those_dropped_leave_room(self, inbox):
        ids = await fill(inbox, 6)
        await inbox.drop_quarantined(ids[3:])
        await inbox.quarantine([record(), record()], limit=6)
        there = [one.id for one in await inbox.quarantined(10)]
        assert len(there) == 5
        assert there[-3:] == ids[2::-1]

    async def test_a_number_never_means_another_record(self, inbox):
        ids = await fill(inbox, 3)
        await inbox.drop_quarantined()
        await inbox.quarantine([record()], limit=10)
        assert (await inbox.quarantined(1))[0].id > ids[-1]

    async def test_drop_some_or_all(self, inbox):
        ids = await fill(inbox, 5)
        assert await inbox.drop_quarantined([ids[0], ids[2], ids[2], 10**12]) == 2
        assert await inbox.drop_quarantined([]) == 0
        assert len(await inbox.quarantined(10)) == 3
        assert await inbox.drop_quarantined() == 3
        assert await inbox.quarantined(10) == []

    async def test_replay_is_asked_for_and_done_once(self, inbox):
        ids = await fill(inbox, 4)
        assert await inbox.ask_replay([ids[2], ids[0], 10**12]) == 2
        assert [one.id for one in await inbox.replays()] == [ids[0], ids[2]]
        assert all(one.replay for one in await inbox.replays())
        assert [one.id for one in await inbox.replays(limit=1)] == [ids[0]]
        await inbox.replayed([ids[0]])
        assert [one.id for one in await inbox.replays()] == [ids[2]]
        assert await inbox.quarantined_one(ids[0]) is None
        assert len(await inbox.quarantined(10)) == 3

    async def test_replay_of_all(self, inbox):
        ids = await fill(inbox, 3)
        assert await inbox.ask_replay() == 3
        assert [one.id for one in await inbox.replays()] == ids

    async def test_replay_that_nobody_can_handle_is_asked_for_no_longer(self, inbox):
        ids = await fill(inbox, 2)
        await inbox.ask_replay()
        await inbox.refuse_replay(ids[:1])
        assert [one.id for one in await inbox.replays()] == ids[1:]
        assert len(await inbox.quarantined(10)) == 2

    async def test_what_came_by_no_link_cannot_be_handled_again(self, inbox):
        await inbox.quarantine([record(link="")], limit=10)
        assert await inbox.ask_replay() == 0
        assert await inbox.replays() == []


def sent(key: str, id: int, link: str = "smsc", when: float = 1000.5) -> SentMessage:
    return SentMessage(link, key, id, ANNA, when)


class TestReceipts:
    async def test_found_until_it_is_final(self, inbox):
        await inbox.note_sent([sent("0A1B", 5), sent("0A1C", 6)])
        assert await inbox.match_receipt("smsc", ["0A1B"], final=False) == sent("0A1B", 5)
        assert await inbox.match_receipt("smsc", ["0A1B"], final=True) == sent("0A1B", 5)
        assert await inbox.match_receipt("smsc", ["0A1B"], final=True) is None
        assert await inbox.match_receipt("smsc", ["0A1C"], final=True) == sent("0A1C", 6)

    async def test_the_keys_are_tried_in_order(self, inbox):
        await inbox.note_sent([sent("2587", 5), sent("A1B", 6)])
        assert (await inbox.match_receipt("smsc", ["none", "A1B", "2587"], final=True)).id == 6
        assert (await inbox.match_receipt("smsc", ["none", "A1B", "2587"], final=True)).id == 5
        assert await inbox.match_receipt("smsc", [], final=True) is None

    async def test_each_link_has_ids_of_its_own(self, inbox):
        await inbox.note_sent([sent("1", 5, "smsc"), sent("1", 6, "ussdc")])
        assert await inbox.match_receipt("third", ["1"], final=True) is None
        assert (await inbox.match_receipt("ussdc", ["1"], final=True)).id == 6
        assert (await inbox.match_receipt("smsc", ["1"], final=True)).id == 5

    async def test_an_id_that_the_centre_uses_again_means_the_newer(self, inbox):
        await inbox.note_sent([sent("1", 5)])
        await inbox.note_sent([sent("1", 6)])
        assert (await inbox.match_receipt("smsc", ["1"], final=True)).id == 6
        assert await inbox.match_receipt("smsc", ["1"], final=True) is None

    async def test_those_that_never_come_are_forgotten(self, inbox):
        await inbox.note_sent([sent(str(n), n, when=float(n)) for n in range(1, 6)])
        assert await inbox.forget_sent(before=1.0) == 0
        assert [await inbox.forget_sent(before=4.0, limit=2) for _ in range(3)] == [2, 1, 0]
        assert await inbox.match_receipt("smsc", ["3"], final=False) is None
        assert await inbox.match_receipt("smsc", ["4"], final=False) == sent("4", 4, when=4.0)
        assert await inbox.forget_sent(before=9e9) == 2

    async def test_none_at_all(self, inbox):
        await inbox.note_sent([])
        assert await inbox.forget_sent(before=9e9) == 0

    async def test_parts_of_a_long_message_are_awaited_one_by_one(self, inbox):
        await inbox.note_sent([sent("A1", 5), sent("A2", 5)])
        assert await inbox.match_receipt("smsc", ["A1"], final=True) == sent("A1", 5)
        assert await inbox.match_receipt("smsc", ["A1"], final=True) is None
        assert await inbox.match_receipt("smsc", ["A2"], final=True) == sent("A2", 5)

    @pytest.mark.parametrize("number", [ANNA, "260000003", "89260000003", "0079260000003"])
    async def test_the_last_nine_digits_tell_whose_it_is(self, inbox, number):
        await inbox.note_sent([sent("1", 5)])
        assert await inbox.match_receipt("smsc", ["1"], False, BORIS) is None
        assert await inbox.match_receipt("smsc", ["1"], True, number) == sent("1", 5)
