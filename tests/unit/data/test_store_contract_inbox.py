"""What every implementation of the Store must do with what came and must be remembered, parts of messages aside."""

import pytest

from data.model import Acknowledged, DialogueRecord
from tests.unit.data.samples import COLLEAGUE, EMPLOYEE, PRIVATE, acknowledged, open_dialogue, sent, unusable

pytestmark = pytest.mark.anyio


async def fill(inbox, count: int, limit: int = 100) -> list[int]:
    """Quarantine records whose octets count up; their numbers, oldest first."""
    await inbox.quarantine([unusable(bytes([n])) for n in range(count)], limit)
    return [one.id for one in reversed(await inbox.quarantined(limit))]


class TestQuarantine:
    async def test_kept_as_it_was(self, inbox):
        unreadable = unusable(bytes(range(256)), status=0xFFFF_FFFF, direction="out")
        await inbox.quarantine([unreadable], limit=10)
        [there] = await inbox.quarantined(10)
        assert there == unreadable._replace(id=there.id)
        assert await inbox.quarantined_one(there.id) == there

    async def test_nothing_is_no_record(self, inbox):
        await inbox.quarantine([], limit=10)
        assert await inbox.quarantined(10) == []
        assert await inbox.quarantined_one(1) is None

    async def test_the_store_numbers_them(self, inbox):
        await inbox.quarantine([unusable(id=7, replay=True), unusable(id=7)], limit=10)
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
            await inbox.quarantine([unusable(bytes([n])) for n in batch], limit=7)
        assert [one.octets[0] for one in await inbox.quarantined(20)] == list(range(19, 12, -1))

    async def test_those_dropped_leave_room(self, inbox):
        ids = await fill(inbox, 6)
        await inbox.drop_quarantined(ids[3:])
        await inbox.quarantine([unusable(), unusable()], limit=6)
        there = [one.id for one in await inbox.quarantined(10)]
        assert len(there) == 5
        assert there[-3:] == ids[2::-1]

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

    async def test_what_came_by_no_link_is_not_handled_again(self, inbox):
        await inbox.quarantine([unusable(link="")], limit=10)
        [there] = await inbox.quarantined(10)
        assert (await inbox.ask_replay(), await inbox.ask_replay([there.id])) == (0, 0)
        assert await inbox.replays() == []

    async def test_what_nobody_can_handle_stays_and_is_asked_for_no_longer(self, inbox):
        ids = await fill(inbox, 2)
        await inbox.ask_replay()
        await inbox.refuse_replay([ids[0]])
        assert [one.id for one in await inbox.replays()] == [ids[1]]
        assert [one.replay for one in await inbox.quarantined(10)] == [True, False]


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

    async def test_each_part_of_a_long_message_has_a_receipt_of_its_own(self, inbox):
        parts = [sent(key, 5) for key in ("A1", "A2", "A3")]
        await inbox.note_sent(parts)
        matched = [await inbox.match_receipt("smsc", [one.message_key], final=True) for one in parts]
        assert matched == parts
        assert [await inbox.match_receipt("smsc", [one.message_key], final=True) for one in parts] == [
            None
        ] * 3

    async def test_a_receipt_of_one_part_leaves_the_others_waiting(self, inbox):
        await inbox.note_sent([sent("A1", 5), sent("A2", 5)])
        await inbox.match_receipt("smsc", ["A1"], final=True)
        assert await inbox.match_receipt("smsc", ["A2"], final=False) == sent("A2", 5)

    async def test_the_parts_of_a_message_are_forgotten_a_little_at_a_time(self, inbox):
        await inbox.note_sent([sent(f"A{n}", 5, when=1.0) for n in range(3)])
        assert [await inbox.forget_sent(before=2.0, limit=2) for _ in range(3)] == [2, 1, 0]

    @pytest.mark.parametrize("number", ["", "79260000003", "9260000003", "260000003", "+79260000003"])
    async def test_a_receipt_that_names_the_number_in_any_form(self, inbox, number):
        await inbox.note_sent([sent("A1", 5)])
        assert await inbox.match_receipt("smsc", ["A1"], final=True, number=number) == sent("A1", 5)

    @pytest.mark.parametrize("number", ["79260000004", "3", "Zvezda"])
    async def test_a_receipt_about_another_number_is_of_another_message(self, inbox, number):
        await inbox.note_sent([sent("A1", 5), sent("0A1", 6)._replace(msisdn=number)])
        assert await inbox.match_receipt("smsc", ["A1"], final=True, number=number) is None
        assert (await inbox.match_receipt("smsc", ["A1", "0A1"], final=True, number=number)).id == 6
        assert await inbox.match_receipt("smsc", ["A1"], final=False)


class TestDialogues:
    FULL = open_dialogue(meaning=2**63 - 1, begun=-(2**63), last=-1, screen=2**63 - 1)

    @pytest.mark.parametrize(
        "record",
        [open_dialogue(), open_dialogue(values=None), open_dialogue(page=0, misses=0, node=""), FULL],
        ids=["plain", "nothing captured", "over", "digests"],
    )
    async def test_kept_as_it_was(self, inbox, record):
        await inbox.save_dialogues([record])
        assert await inbox.dialogue(PRIVATE) == record
        assert await inbox.dialogues([PRIVATE]) == {PRIVATE: record}

    async def test_every_field_can_change(self, inbox):
        before = open_dialogue()
        after = DialogueRecord(
            PRIVATE, "smsc", "another key", "root", 4, 3, "[]", 9, 2000.5, 1990.25,
            meaning=-(2**63), begun=2**63 - 1, last=2**63 - 1, screen=-7,
        )  # fmt: skip
        assert not [field for field in before._fields[1:] if getattr(before, field) == getattr(after, field)]
        await inbox.save_dialogues([before])
        await inbox.save_dialogues([after])
        assert await inbox.dialogue(PRIVATE) == after

    async def test_a_number_has_one(self, inbox):
        await inbox.save_dialogues([open_dialogue(node="root")])
        await inbox.save_dialogues([open_dialogue(node="options.mine")])
        assert (await inbox.dialogue(PRIVATE)).node == "options.mine"

    async def test_many_at_once(self, inbox):
        records = {msisdn: open_dialogue(msisdn) for msisdn in (PRIVATE, EMPLOYEE, COLLEAGUE)}
        await inbox.save_dialogues(list(records.values()))
        assert await inbox.dialogues([*records, "79269999999", PRIVATE]) == records
        await inbox.close_dialogues([PRIVATE, COLLEAGUE])
        assert await inbox.dialogues(list(records)) == {EMPLOYEE: records[EMPLOYEE]}

    async def test_none_at_all(self, inbox):
        await inbox.save_dialogues([])
        await inbox.close_dialogues([])
        assert await inbox.dialogues([]) == {}

    async def test_closing_twice_is_harmless(self, inbox):
        await inbox.save_dialogues([open_dialogue()])
        await inbox.close_dialogues([PRIVATE])
        await inbox.close_dialogues([PRIVATE, PRIVATE])
        assert await inbox.dialogue(PRIVATE) is None

    async def test_only_the_idle_expire(self, inbox):
        await inbox.save_dialogues([open_dialogue(touched=99.0), open_dialogue(EMPLOYEE, touched=100.0)])
        assert await inbox.expire_dialogues(idle_before=100.0) == 1
        assert await inbox.dialogue(PRIVATE) is None
        assert await inbox.dialogue(EMPLOYEE) is not None

    async def test_those_that_were_over_go_uncounted(self, inbox):
        await inbox.save_dialogues(
            [open_dialogue(touched=99.0), open_dialogue(EMPLOYEE, touched=99.0, node="")]
        )
        assert await inbox.expire_dialogues(idle_before=100.0) == 1
        assert await inbox.dialogues([PRIVATE, EMPLOYEE]) == {}


class TestAcknowledged:
    """What was acknowledged may come again, while the peer has not certainly read that it was."""

    async def test_oldest_first_by_link(self, inbox):
        units = [
            acknowledged(when=10.0),
            acknowledged(when=20.0, digests=b""),
            acknowledged(when=20.0, read=12),
        ]
        for one in (units[0], acknowledged("smsc", 15.0), *units[1:]):
            await inbox.note_acknowledged(one)
        assert await inbox.acknowledged("ussdc") == units
        assert await inbox.acknowledged("smsc") == [acknowledged("smsc", 15.0)]
        assert await inbox.acknowledged("third") == []

    async def test_it_is_kept_as_it_was(self, inbox):
        one = Acknowledged("ussdc", "ussdc/7", 2**40, 0, bytes(range(256)), 1000.25)
        await inbox.note_acknowledged(one)
        assert await inbox.acknowledged("ussdc") == [one]

    async def test_the_old_ones_of_a_link_are_forgotten(self, inbox):
        for when in (10.0, 20.0, 30.0):
            await inbox.note_acknowledged(acknowledged(when=when))
            await inbox.note_acknowledged(acknowledged("smsc", when))
        assert await inbox.forget_acknowledged("ussdc", before=10.0) == 0
        assert await inbox.forget_acknowledged("ussdc", before=30.0) == 2
        assert await inbox.acknowledged("ussdc") == [acknowledged(when=30.0)]
        assert len(await inbox.acknowledged("smsc")) == 3
        assert await inbox.forget_acknowledged("ussdc", before=9e9) == 1
        assert await inbox.acknowledged("ussdc") == []

    async def test_what_comes_after_all_was_forgotten_is_in_order(self, inbox):
        await inbox.note_acknowledged(acknowledged(when=10.0))
        await inbox.forget_acknowledged("ussdc", before=9e9)
        later = [acknowledged(when=20.0), acknowledged(when=30.0)]
        for one in later:
            await inbox.note_acknowledged(one)
        assert await inbox.acknowledged("ussdc") == later
