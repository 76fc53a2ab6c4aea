"""What is particular to SQLite: that the hot statements search, and that what is deleted is gone."""

import random
import re
import resource
import sqlite3
from contextlib import contextmanager

import pytest

from data.model import MessagePart, Outgoing, QuarantineRecord
from data.seed import seed
from data.sqlite import open_store, options, pending, subscribers, traffic
from data.store import StoreBusy

pytestmark = pytest.mark.anyio

HOT = {
    "subscriber": (subscribers.SUBSCRIBER, 1),
    "dialogue": (pending.DIALOGUE, 1),
    "save_dialogues": (pending.SAVE_DIALOGUE, 10),
    "close_dialogues": (pending.CLOSE_DIALOGUE, 1),
    "enqueue": (pending.ENQUEUE, 7),
    "taken": (pending.TAKEN, 1),
    "options_on": (options.OPTIONS_ON, 1),
    "packages": (options.PACKAGES, 1),
    "parts": (traffic.PARTS, 4),
    "keep_part": (traffic.KEEP_PART, 9),
    "drop_message": (traffic.DROP_MESSAGE, 4),
    "drop_sent": (traffic.DROP_SENT, 1),
    "quarantined": (traffic.QUARANTINED, 2),
}
WARM = {
    "unsent": (pending.UNSENT, 4),
    "due_jobs": (pending.DUE_JOBS, 2),
    "issues_since": (subscribers.ISSUES_SINCE, 2),
    "ledger": (subscribers.LEDGER, 1),
    "charge": (subscribers.TAKE_OWN, {"amount": 1, "msisdn": 1}),
    "charge_contract": (subscribers.TAKE_FROM_CONTRACT, {"amount": 1, "msisdn": 1}),
    "in_group": (options.IN_GROUP, 3),
    "sent": (traffic.SENT, 3),
    "replays": (traffic.REPLAYS, 1),
}
# Done now and then, by housekeeping: nothing is looked at but what goes, in the order of time.
SWEEPING = {
    "expire_parts": (traffic.EXPIRE_PARTS, 1, "idx_message_parts_received"),
    "prune_undelivered": (pending.PRUNE_UNDELIVERED, 2, "idx_undelivered_given_up"),
    "prune_issues": (pending.PRUNE_ISSUES, 2, "password_issues USING INTEGER PRIMARY KEY"),
    "forget_sent": (traffic.FORGET_SENT, 2, "sent_messages USING INTEGER PRIMARY KEY"),
}


async def send(store, octets: bytes) -> int:
    number = store.draw_id()
    await store.enqueue([Outgoing(number, "ussdc", "79260000003", "sms", octets, 1.0, 2.0)])
    return number


def plan(store, statement, arguments) -> list[str]:
    values = arguments if isinstance(arguments, dict) else (1,) * arguments
    return [row[3] for row in store._connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]


@pytest.mark.parametrize("name", HOT)
async def test_a_hot_statement_searches_by_primary_key(store, name):
    for step in plan(store, *HOT[name]):
        assert re.search(r"^SEARCH \w+ USING (INTEGER )?PRIMARY KEY", step), step


@pytest.mark.parametrize("name", WARM)
async def test_no_other_statement_of_a_turn_scans(store, name):
    steps = plan(store, *WARM[name])
    assert not [step for step in steps if "SCAN" in step or "TEMP B-TREE" in step], steps


@pytest.mark.parametrize("name", SWEEPING)
async def test_what_sweeps_finds_the_old_without_a_sort(store, name):
    statement, arguments, way = SWEEPING[name]
    steps = plan(store, statement, arguments)
    assert not [step for step in steps if "TEMP B-TREE" in step], steps
    assert [step for step in steps if step.startswith("SEARCH") and way in step], steps


async def test_records_are_counted_without_their_octets(store):
    assert "COVERING INDEX" in plan(store, traffic.COUNT_QUARANTINED, 0)[0]
    assert "COVERING INDEX" in plan(store, traffic.COUNT_PARTS, 0)[0]


async def test_the_database_itself_forbids_two_of_an_exclusive_group(store, new):
    await store.import_subscribers([new(79260000010)])
    row = "INSERT INTO subscriber_options VALUES (79260000010, ?, 'call-geography', 1.0)"
    store._connection.execute(row, (100,))
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        store._connection.execute(row, (300,))


class TestErasure:
    """A password must not be found on the disk once the SMSC has taken the SMS."""

    ENCODINGS = (
        "utf-16-be",
        "latin-1",
    )  # latin-1: in unpacked GSM 03.38, letters and digits have the same values

    def found(self, folder, texts) -> dict[str, list[str]]:
        return {
            file.name: left
            for file in folder.iterdir()
            if (left := [text for text in texts if self._holds(file.read_bytes(), text)])
        }

    def _holds(self, octets: bytes, text: str) -> bool:
        return any(text.encode(encoding) in octets for encoding in self.ENCODINGS)

    @pytest.mark.parametrize("encoding", ENCODINGS)
    async def test_taken_and_erased(self, store, tmp_path, encoding):
        secret = "h7kq2mzv9x"
        await store.begin()
        number = await send(store, b"head" + secret.encode(encoding))
        await store.commit()
        assert self.found(tmp_path, [secret]), "the test looks in the wrong place"
        await store.begin()
        await store.taken([number])
        await store.commit()
        assert self.found(tmp_path, [secret]).keys() <= {"store.db-wal"}
        assert await store.erase_traces()
        assert not self.found(tmp_path, [secret])

    async def test_given_up_and_erased(self, store, tmp_path):
        number = await send(store, b"h7kq2mzv9x")
        await store.fail(number, "ESME_RINVDSTADR", 3.0)
        await store.erase_traces()
        assert not self.found(tmp_path, ["h7kq2mzv9x"])

    async def test_quarantined_and_dropped(self, store, tmp_path):
        texts = [f"secret{n:06d}" for n in range(40)]
        for text in texts:
            octets = bytes(700) + text.encode()
            record = QuarantineRecord(0, "ussdc", "127.0.0.1:40112", "in", "why", 3, octets, 1.0, False)
            await store.quarantine([record], limit=30)
        await store.erase_traces()
        assert self.found(tmp_path, texts) == {"store.db": texts[10:]}
        await store.drop_quarantined()
        await store.erase_traces()
        assert not self.found(tmp_path, texts)

    async def test_parts_of_a_message_that_is_whole(self, store, tmp_path):
        first = MessagePart("ussdc", "79260000003", "0500", "7", 1, 2, 0, b"h7kq2mzv9x", 1.0)
        await store.keep_part(first)
        assert self.found(tmp_path, ["h7kq2mzv9x"]), "the test looks in the wrong place"
        assert await store.keep_part(first._replace(number=2, octets=b"and the rest"))
        await store.erase_traces()
        assert not self.found(tmp_path, ["h7kq2mzv9x"])

    async def test_closing_erases(self, url, tmp_path):
        store = open_store(url)
        await store.taken([await send(store, b"h7kq2mzv9x")])
        await store.close()
        assert not self.found(tmp_path, ["h7kq2mzv9x"])

    async def test_nothing_lingers_when_pages_split_and_merge(self, store, tmp_path):
        """Rows of very different sizes come, fail and go in any order; only what is still there may be found."""
        dice, waiting, texts = random.Random(7), {}, []
        for _ in range(60):
            await store.begin()
            for _ in range(dice.randrange(40)):
                texts.append(f"secret{len(texts):06d}")
                octets = b"." * dice.choice((9, 150, 5000)) + texts[-1].encode(dice.choice(self.ENCODINGS))
                await store.savepoint()
                number = await send(store, octets)
                if dice.random() < 0.1:
                    await store.rollback_savepoint()
                else:
                    await store.release()
                    waiting[number] = texts[-1]
            gone = dice.sample(sorted(waiting), dice.randrange(len(waiting) + 1))
            await store.taken(gone)
            for number in gone:
                del waiting[number]
            await store.commit()
        assert await store.erase_traces()
        assert self.found(tmp_path, texts) == {
            "store.db": [text for text in texts if text in waiting.values()]
        }

    async def test_a_reader_puts_it_off_without_holding_anyone_up(self, store, url):
        reader = open_store(url)
        await send(store, b"first")
        reader._connection.execute("BEGIN")
        await reader.unsent("ussdc", 0, 1)
        await send(store, b"second")
        assert not await store.erase_traces()
        await reader.rollback()
        assert await store.erase_traces()
        await reader.close()


class TestFullDisk:
    """A file that may not grow stands for a disk that is full."""

    @pytest.fixture
    def full_disk(self, tmp_path):
        """Within the block no file of this process may outgrow the store's log as it is now."""

        @contextmanager
        def full():
            soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "store.db-wal").stat().st_size, hard))
            try:
                yield
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

        return full

    async def write(self, store):
        await store.set_language("79260000003", "en")
        for _ in range(100):
            await send(store, bytes(4000))

    async def test_a_commit_that_fails_takes_the_unit_back(self, store, full_disk):
        await seed(store, 10)
        await store.begin()
        await self.write(store)
        with full_disk(), pytest.raises(StoreBusy, match=r"store\.db: "):
            await store.commit()
        assert (await store.subscriber("79260000003")).language == "ru"
        assert await store.unsent("ussdc", 0, 1) == []
        await store.begin()  # there is room again
        await self.write(store)
        await store.commit()
        assert (await store.subscriber("79260000003")).language == "en"

    async def test_a_turn_that_lost_the_whole_unit_says_so(self, store):
        await store.begin()
        await store.savepoint()
        await store.set_language("79260000003", "en")
        store._connection.execute("ROLLBACK")  # what SQLite does by itself when it cannot go on
        with pytest.raises(StoreBusy, match="savepoint"):
            await store.rollback_savepoint()
        await store.rollback()
        await store.begin()
        await store.commit()
