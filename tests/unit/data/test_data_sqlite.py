"""What is particular to SQLite: that the hot statements search, and that what is deleted is gone."""

import random
import re
import resource
import sqlite3
from contextlib import closing, contextmanager

import pytest

from data.opening import open_store
from data.seed import seed
from data.sqlite import dialogues, jobs, options, outbox, parts, quarantine, receipts, subscribers
from data.store import StoreBusy
from tests.unit.data.samples import PRIVATE, new, part, screen, sms, taken_back, unusable

pytestmark = pytest.mark.anyio

HOT = {
    "subscriber": (subscribers.SUBSCRIBER, 1),
    "dialogue": (dialogues.DIALOGUE, 1),
    "save_dialogues": (dialogues.SAVE_DIALOGUE, 14),
    "close_dialogues": (dialogues.CLOSE_DIALOGUE, 1),
    "enqueue": (outbox.ENQUEUE, 11),
    "taken": (outbox.TAKEN, 1),
    "holds": (outbox.HOLDS, 1),
    "options_on": (options.OPTIONS_ON, 1),
    "packages": (options.PACKAGES, 1),
    "parts": (parts.PARTS, 4),
    "keep_part": (parts.KEEP_PART, 9),
    "drop_message": (parts.DROP_MESSAGE, 4),
    "sent": (receipts.SENT, 3),
    "drop_sent": (receipts.DROP_SENT, 2),
    "quarantined": (quarantine.QUARANTINED, 2),
    "note_acknowledged": (dialogues.NOTE_ACKNOWLEDGED, 6),
}
# Those that are asked for lead, and each finds its row.
MANY = {"subscribers": (subscribers.SUBSCRIBERS, 1), "dialogues": (dialogues.DIALOGUES, 1)}
WARM = {
    "unsent": (outbox.UNSENT, 4),
    "withdraw": (outbox.WITHDRAW, 3),
    "due": (jobs.DUE, 2),
    "issues_since": (subscribers.ISSUES_SINCE, 2),
    "ledger": (subscribers.LEDGER, 1),
    "charge": (subscribers.TAKE_OWN, {"amount": 1, "msisdn": "1"}),
    "charge_contract": (subscribers.TAKE_FROM_CONTRACT, {"amount": 1, "msisdn": "1"}),
    "in_group": (options.IN_GROUP, 3),
    "replays": (quarantine.REPLAYS, 1),
}
# Done now and then, by housekeeping: nothing is looked at but what goes, in the order of time.
SWEEPING = {
    "expire_parts": (parts.EXPIRE_PARTS, 1, "idx_message_parts_received"),
    "prune_undelivered": (outbox.PRUNE_UNDELIVERED, 2, "idx_undelivered_given_up"),
    "prune_password_issues": (
        subscribers.PRUNE_ISSUES, 2, "password_issues USING INTEGER PRIMARY KEY (rowid<?)",
    ),
    "forget_sent": (receipts.FORGET_SENT, 2, "idx_sent_messages_id (id<?)"),
    "forget_acknowledged": (
        dialogues.FORGET_ACKNOWLEDGED, 2, "acknowledged USING INTEGER PRIMARY KEY (rowid<?)",
    ),
}  # fmt: skip


@pytest.fixture
def url(file_url):
    return file_url


@pytest.fixture
def beside(store, tmp_path):
    """A connection of SQLite's own to the file of the store."""
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as connection:
        yield connection


async def send(store, octets: bytes) -> int:
    """A unit of work with one message; its id."""
    async with store.unit() as unit:
        message = screen(unit.draw_id(), octets)
        await unit.outbox.enqueue([message])
    return message.id


def plan(connection, statement, arguments) -> list[str]:
    values = arguments if isinstance(arguments, dict) else ("[]",) * arguments
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]


@pytest.mark.parametrize("name", HOT)
async def test_a_hot_statement_searches_by_primary_key(beside, name):
    for step in plan(beside, *HOT[name]):
        assert re.search(r"^SEARCH \w+ USING (INTEGER )?PRIMARY KEY", step), step


@pytest.mark.parametrize("name", MANY)
async def test_many_at_once_are_each_searched_by_primary_key(beside, name):
    first, *others = plan(beside, *MANY[name])
    assert first.startswith("SCAN asked VIRTUAL TABLE")
    for step in others:
        assert re.search(r"^SEARCH \w+ USING PRIMARY KEY", step), step


@pytest.mark.parametrize("name", WARM)
async def test_no_other_statement_of_a_turn_scans(beside, name):
    steps = plan(beside, *WARM[name])
    assert not [step for step in steps if "SCAN" in step or "TEMP B-TREE" in step], steps


@pytest.mark.parametrize("name", SWEEPING)
async def test_what_sweeps_finds_the_old_without_a_sort(beside, name):
    statement, arguments, way = SWEEPING[name]
    steps = plan(beside, statement, arguments)
    assert not [step for step in steps if "TEMP B-TREE" in step], steps
    assert [step for step in steps if step.startswith("SEARCH") and way in step], steps


async def test_records_are_counted_without_their_octets(beside):
    assert "COVERING INDEX" in plan(beside, quarantine.COUNT_QUARANTINED, 0)[0]
    assert "COVERING INDEX" in plan(beside, parts.COUNT_PARTS, 0)[0]


async def test_the_database_itself_forbids_two_of_an_exclusive_group(store, beside):
    async with store.unit() as unit:
        await unit.facts.import_subscribers([new("79260000010")])
    row = "INSERT INTO subscriber_options VALUES ('79260000010', ?, 'call-geography', 1.0)"
    beside.execute(row, (100,))
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        beside.execute(row, (300,))


async def test_one_writer_at_a_time(store, url):
    async def housekeeping() -> None:
        async with another.unit() as unit:
            await unit.inbox.expire_dialogues(9e9)

    another = open_store(url)
    async with store.unit():
        with pytest.raises(StoreBusy, match=r"store\.db: database is locked"):
            await housekeeping()
    await housekeeping()
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
    async def test_taken_and_erased(self, store, tmp_path, encoding):
        secret = "h7kq2mzv9x"
        number = await send(store, b"head" + secret.encode(encoding))
        assert self.found(tmp_path, [secret]), "the test looks in the wrong place"
        async with store.unit() as unit:
            await unit.outbox.taken([number])
        assert self.found(tmp_path, [secret]).keys() <= {"store.db-wal"}
        assert await store.erase_traces()
        assert not self.found(tmp_path, [secret])

    async def test_the_text_of_an_sms(self, store, tmp_path):
        async with store.unit() as unit:
            message = sms(unit.draw_id(), "Пароль h7kq2mzv9x", topic="password.issued")
            await unit.outbox.enqueue([message])
        assert self.found(tmp_path, ["h7kq2mzv9x"]), "the test looks in the wrong place"
        async with store.unit() as unit:
            await unit.outbox.withdraw(PRIVATE, "password.issued", unit.draw_id())
        await store.erase_traces()
        assert not self.found(tmp_path, ["h7kq2mzv9x"])

    async def test_given_up_and_erased(self, store, tmp_path):
        number = await send(store, b"h7kq2mzv9x")
        async with store.unit() as unit:
            await unit.outbox.fail(number, "ESME_RINVDSTADR", 3.0)
        await store.erase_traces()
        assert not self.found(tmp_path, ["h7kq2mzv9x"])

    async def test_quarantined_and_dropped(self, store, tmp_path):
        texts = [f"secret{n:06d}" for n in range(40)]
        for text in texts:
            async with store.unit() as unit:
                await unit.inbox.quarantine([unusable(bytes(700) + text.encode())], limit=30)
        await store.erase_traces()
        assert self.found(tmp_path, texts) == {"store.db": texts[10:]}
        async with store.unit() as unit:
            await unit.inbox.drop_quarantined()
        await store.erase_traces()
        assert not self.found(tmp_path, texts)

    async def test_parts_of_a_message_that_is_whole(self, store, tmp_path):
        async with store.unit() as unit:
            await unit.inbox.keep_part(part(1, 2, octets=b"h7kq2mzv9x"))
        assert self.found(tmp_path, ["h7kq2mzv9x"]), "the test looks in the wrong place"
        async with store.unit() as unit:
            assert await unit.inbox.keep_part(part(2, 2, octets=b"and the rest"))
        await store.erase_traces()
        assert not self.found(tmp_path, ["h7kq2mzv9x"])

    async def test_closing_erases(self, url, tmp_path):
        store = open_store(url)
        number = await send(store, b"h7kq2mzv9x")
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
                    octets = b"." * dice.choice((9, 150, 5000)) + texts[-1].encode(
                        dice.choice(self.ENCODINGS)
                    )
                    await unit.savepoint()
                    number = unit.draw_id()
                    await unit.outbox.enqueue([screen(number, octets)])
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

    async def test_a_reader_puts_it_off_without_holding_anyone_up(self, store, beside):
        await send(store, b"first")
        beside.execute("BEGIN")
        beside.execute("SELECT * FROM outbox").fetchall()
        await send(store, b"second")
        assert not await store.erase_traces()
        beside.execute("ROLLBACK")
        assert await store.erase_traces()


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

    async def write(self, store) -> None:
        async with store.unit() as unit:
            await unit.facts.set_language(PRIVATE, "en")
            await unit.outbox.enqueue([screen(unit.draw_id(), bytes(4000)) for _ in range(100)])

    async def test_a_commit_that_fails_takes_the_unit_back(self, store, full_disk):
        await seed(store, 10)
        with full_disk(), pytest.raises(StoreBusy, match=r"store\.db: "):
            await self.write(store)
        async with store.view() as view:
            assert (await view.facts.subscriber(PRIVATE)).language == "ru"
            assert await view.outbox.unsent("ussdc", 0, 1) == []
        await self.write(store)  # there is room again
        async with store.view() as view:
            assert (await view.facts.subscriber(PRIVATE)).language == "en"

    async def test_a_turn_that_lost_the_whole_unit_says_so(self, store, full_disk):
        """What outgrows the memory is written before the commit, and SQLite ends the transaction when it cannot be."""
        await seed(store, 10)
        async with taken_back(store) as unit:
            await unit.facts.set_language(PRIVATE, "en")
            await unit.savepoint()
            with full_disk(), pytest.raises(sqlite3.OperationalError):
                await unit.outbox.enqueue([screen(unit.draw_id(), bytes(1 << 20)) for _ in range(100)])
            with pytest.raises(StoreBusy, match="savepoint"):
                await unit.rollback_savepoint()
        await self.write(store)
