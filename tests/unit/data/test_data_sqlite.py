"""What is particular to SQLite: that the hot statements search, and that what is deleted is gone."""

import random
import re
import resource
import sqlite3
from contextlib import contextmanager

import pytest

from data.model import MessagePart, Outgoing, QuarantineRecord
from data.opening import open_store
from data.seed import seed
from data.sqlite import (
    acknowledged,
    dialogues,
    jobs,
    options,
    outbox,
    parts,
    passwords,
    quarantine,
    receipts,
    subscribers,
)
from data.sqlite.connection import SqliteConnection
from data.sqlite.opening import connect
from data.store import StoreBusy

pytestmark = pytest.mark.anyio

HOT = {
    "subscriber": (subscribers.SUBSCRIBER, 1),
    "dialogue": (dialogues.DIALOGUE, 1),
    "save_dialogues": (dialogues.SAVE, 14),
    "close_dialogues": (dialogues.CLOSE, 1),
    "enqueue": (outbox.ENQUEUE, 11),
    "taken": (outbox.TAKEN, 1),
    "holds": (outbox.HOLDS, 1),
    "options_on": (options.OPTIONS_ON, 1),
    "packages": (options.PACKAGES, 1),
    "parts": (parts.PARTS, 4),
    "keep_part": (parts.KEEP_PART, 9),
    "drop_message": (parts.DROP_MESSAGE, 4),
    "sent": (receipts.SENT, 3),
    "drop_sent": (receipts.DROP, 2),
    "quarantined": (quarantine.QUARANTINED, 2),
}
WARM = {
    "unsent": (outbox.UNSENT, 4),
    "withdraw": (outbox.WITHDRAW, 3),
    "due_jobs": (jobs.DUE, 2),
    "issues_since": (passwords.ISSUES_SINCE, 2),
    "ledger": (subscribers.LEDGER, 1),
    "charge": (subscribers.TAKE_OWN, {"amount": 1, "msisdn": "1"}),
    "charge_contract": (subscribers.TAKE_FROM_CONTRACT, {"amount": 1, "msisdn": "1"}),
    "in_group": (options.IN_GROUP, 3),
    "acknowledged": (acknowledged.ACKNOWLEDGED, 1),
    "replays": (quarantine.REPLAYS, 1),
}
# Of many numbers at once each finds its row.
BATCHES = {"subscribers": subscribers.SUBSCRIBERS, "dialogues": dialogues.DIALOGUES}
# Done now and then, by housekeeping: nothing is looked at but what goes, in the order of time.
SWEEPING = {
    "expire_parts": (parts.EXPIRE_PARTS, 1, "idx_message_parts_received"),
    "prune_undelivered": (outbox.PRUNE_UNDELIVERED, 2, "idx_undelivered_given_up"),
    "forget_issues": (passwords.FORGET_ISSUES, 2, "password_issues USING INTEGER PRIMARY KEY"),
    "forget_sent": (receipts.FORGET, 2, "idx_sent_messages_id"),
    "forget_acknowledged": (acknowledged.FORGET, 2, "idx_acknowledged_link"),
}


@pytest.fixture
async def store(url):
    opened = open_store(url)
    yield opened
    await opened.close()


@pytest.fixture
def sqlite():
    opened = connect(":memory:")
    yield opened
    opened.close()


async def send(unit, octets: bytes = b"", text: str = "", topic: str = "") -> int:
    number = unit.draw_id()
    await unit.outbox.enqueue(
        [Outgoing(number, "ussdc", "79260000003", "sms", 1.0, 2.0, octets or None, "000110", text, "", topic)]
    )
    return number


def plan(sqlite: sqlite3.Connection, statement: str, arguments) -> list[str]:
    values = arguments if isinstance(arguments, dict) else (1,) * arguments
    return [row[3] for row in sqlite.execute(f"EXPLAIN QUERY PLAN {statement}", values)]


@pytest.mark.parametrize("name", HOT)
def test_a_hot_statement_searches_by_primary_key(sqlite, name):
    for step in plan(sqlite, *HOT[name]):
        assert re.search(r"^SEARCH \w+ USING (INTEGER )?PRIMARY KEY", step), step


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_is_led_by_the_numbers_asked_for(sqlite, name):
    first, *others = plan(sqlite, BATCHES[name], 1)
    assert first.startswith("SCAN json_each"), first
    for step in others:
        assert re.search(r"^SEARCH \w+ USING PRIMARY KEY", step), step


@pytest.mark.parametrize("name", WARM)
def test_no_other_statement_of_a_turn_scans(sqlite, name):
    steps = plan(sqlite, *WARM[name])
    assert not [step for step in steps if "SCAN" in step or "TEMP B-TREE" in step], steps


@pytest.mark.parametrize("name", SWEEPING)
def test_what_sweeps_finds_the_old_without_a_sort(sqlite, name):
    statement, arguments, way = SWEEPING[name]
    steps = plan(sqlite, statement, arguments)
    assert not [step for step in steps if "TEMP B-TREE" in step], steps
    assert [step for step in steps if step.startswith("SEARCH") and way in step], steps


@pytest.mark.parametrize("count", [quarantine.COUNT_QUARANTINED, parts.COUNT_PARTS, jobs.COUNT_HELD])
def test_what_is_counted_is_counted_without_its_octets(sqlite, count):
    assert "COVERING INDEX" in plan(sqlite, count, 0)[0]


def test_the_jobs_set_aside_are_found_without_those_that_are_due(sqlite):
    assert "idx_jobs_held" in plan(sqlite, jobs.HELD, 2)[0]


async def test_the_database_itself_forbids_two_of_an_exclusive_group(store, tmp_path, new):
    async with store.unit() as unit:
        await unit.facts.import_subscribers([new("79260000010")])
    beside = connect(f"{tmp_path}/store.db")
    row = "INSERT INTO subscriber_options VALUES ('79260000010', ?, 'call-geography', 1.0)"
    beside.execute(row, (100,))
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        beside.execute(row, (300,))
    beside.close()


async def test_one_writer_at_a_time(store, url):
    """Another process is told so within half a second."""
    another = open_store(url)
    async with store.unit():
        with pytest.raises(StoreBusy, match=r"store\.db: .*locked"):
            await another.unit().__aenter__()
    async with another.unit() as unit:
        await unit.outbox.fail_expired(9e9)
    await another.close()


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
    async def test_a_frame_that_was_taken(self, store, tmp_path, encoding):
        secret = "h7kq2mzv9x"
        async with store.unit() as unit:
            number = await send(unit, b"head" + secret.encode(encoding))
        assert self.found(tmp_path, [secret]), "the test looks in the wrong place"
        async with store.unit() as unit:
            await unit.outbox.taken([number])
        assert self.found(tmp_path, [secret]).keys() <= {"store.db-wal"}
        assert await store.erase_traces()
        assert not self.found(tmp_path, [secret])

    @pytest.mark.parametrize("way", ["taken", "withdrawn", "given up", "expired"])
    async def test_a_message_that_left_whichever_way(self, store, tmp_path, way):
        secret = "h7kq2mzv9x"
        async with store.unit() as unit:
            number = await send(unit, text=f"Пароль {secret}", topic="password.issued")
        assert self.found(tmp_path, [secret]), "the test looks in the wrong place"
        async with store.unit() as unit:
            await {
                "taken": lambda: unit.outbox.taken([number]),
                "withdrawn": lambda: unit.outbox.withdraw("79260000003", "password.issued", number + 1),
                "given up": lambda: unit.outbox.fail(number, "ESME_RINVDSTADR", 3.0),
                "expired": lambda: unit.outbox.fail_expired(9e9),
            }[way]()
        assert await store.erase_traces()
        assert not self.found(tmp_path, [secret])

    async def test_quarantined_and_dropped(self, store, tmp_path):
        texts = [f"secret{n:06d}" for n in range(40)]
        for text in texts:
            octets = bytes(700) + text.encode()
            record = QuarantineRecord(0, "ussdc", "127.0.0.1:40112", "in", "why", 3, octets, 1.0, False)
            async with store.unit() as unit:
                await unit.inbox.quarantine([record], limit=30)
        await store.erase_traces()
        assert self.found(tmp_path, texts) == {"store.db": texts[10:]}
        async with store.unit() as unit:
            await unit.inbox.drop_quarantined()
        await store.erase_traces()
        assert not self.found(tmp_path, texts)

    async def test_parts_of_a_message_that_is_whole(self, store, tmp_path):
        first = MessagePart("ussdc", "79260000003", "0500", "7", 1, 2, 0, b"h7kq2mzv9x", 1.0)
        async with store.unit() as unit:
            await unit.inbox.keep_part(first)
        assert self.found(tmp_path, ["h7kq2mzv9x"]), "the test looks in the wrong place"
        async with store.unit() as unit:
            assert await unit.inbox.keep_part(first._replace(number=2, octets=b"and the rest"))
        await store.erase_traces()
        assert not self.found(tmp_path, ["h7kq2mzv9x"])

    async def test_closing_erases(self, store, tmp_path):
        async with store.unit() as unit:
            number = await send(unit, b"h7kq2mzv9x")
        async with store.unit() as unit:
            await unit.outbox.taken([number])
        await store.close()
        assert not self.found(tmp_path, ["h7kq2mzv9x"])

    async def test_nothing_lingers_when_pages_split_and_merge(self, store, tmp_path):
        """Rows of very different sizes come, fail and go in any order; only what is still there may be found."""
        dice, waiting, texts = random.Random(7), {}, []
        for _ in range(60):
            async with store.unit() as unit:
                for _ in range(dice.randrange(40)):
                    texts.append(f"secret{len(texts):06d}")
                    await unit.savepoint()
                    number = await self.send_somehow(unit, texts[-1], dice)
                    if dice.random() < 0.1:
                        await unit.rollback_savepoint()
                    else:
                        await unit.release()
                        waiting[number] = texts[-1]
                gone = dice.sample(sorted(waiting), dice.randrange(len(waiting) + 1))
                await unit.outbox.taken(gone)
                for number in gone:
                    del waiting[number]
        assert await store.erase_traces()
        assert self.found(tmp_path, texts) == {
            "store.db": [text for text in texts if text in waiting.values()]
        }

    async def send_somehow(self, unit, text: str, dice: random.Random) -> int:
        padding, encoding = dice.choice((9, 150, 5000)), dice.choice((None, *self.ENCODINGS))
        if encoding is None:
            return await send(unit, text="." * padding + text, topic="password.issued")
        return await send(unit, b"." * padding + text.encode(encoding))

    async def test_a_reader_puts_it_off_without_holding_anyone_up(self, store, tmp_path):
        reader = connect(f"{tmp_path}/store.db")
        async with store.unit() as unit:
            await send(unit, b"first")
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM outbox").fetchall()
        async with store.unit() as unit:
            await send(unit, b"second")
        assert not await store.erase_traces()
        reader.execute("ROLLBACK")
        assert await store.erase_traces()
        reader.close()


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

    async def write(self, unit):
        await unit.facts.set_language("79260000003", "en")
        for _ in range(100):
            await send(unit, bytes(4000))

    async def language(self, store) -> str:
        async with store.view() as there:
            return (await there.facts.subscriber("79260000003")).language

    async def test_a_commit_that_fails_takes_the_unit_back(self, store, full_disk):
        await seed(store, 10)
        with full_disk(), pytest.raises(StoreBusy, match=r"store\.db: "):
            async with store.unit() as unit:
                await self.write(unit)
        assert await self.language(store) == "ru"
        async with store.view() as there:
            assert await there.outbox.unsent("ussdc", 0, 1) == []
        async with store.unit() as unit:  # there is room again
            await self.write(unit)
        assert await self.language(store) == "en"

    def test_a_turn_that_lost_the_whole_unit_says_so(self, sqlite):
        connection = SqliteConnection(sqlite, "store.db")
        connection.begin()
        connection.savepoint()
        connection.write(outbox.DROP_EXPIRED, (1.0,))
        sqlite.execute("ROLLBACK")  # what SQLite does by itself when it cannot go on
        with pytest.raises(StoreBusy, match=r"store\.db: .*savepoint"):
            connection.rollback_savepoint()
        connection.rollback()
        connection.begin()
        connection.commit()
