"""A database of an older starpound: what was in it is there, and the new verbs work on it."""

import hashlib
import re
import sqlite3
from collections.abc import Iterator

import pytest
from sqlite_utils import Database

from data import migrations
from data.model import DialogueRecord, MessagePart, Outgoing, QuarantineRecord, SentMessage
from data.sqlite import open_store
from data.store import StoreError

pytestmark = pytest.mark.anyio

PRIVATE = "79260000003"
# of the schema after each step that was released
RELEASED = {1: "fa808c1b"}
ROWS = (
    "INSERT INTO outbox VALUES (7, 'ussdc', '79260000003', 'sms', x'00ff', 1.0, 9e9)",
    "INSERT INTO undelivered VALUES (9, 'ussdc', '79260000003', 'sms', 1.0, 50.0, 'expired')",
    "INSERT INTO dialogues VALUES (79260000003, 'ussdc', 'key', 'root', 1, 0, NULL, 2, 1000.5)",
    "INSERT INTO jobs (name, msisdn, link, args, due, created)"
    " VALUES ('password.generate', '79260000003', 'ussdc', '{}', 2.0, 1.0)",
)


@pytest.fixture
def first_version(tmp_path) -> Iterator[sqlite3.Connection]:
    """A database as the first step leaves it, in the place of the store."""
    connection = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    migrations.MIGRATIONS[0](Database(connection))
    connection.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 1")
    yield connection
    connection.close()


@pytest.fixture
async def old(first_version, url) -> str:
    """The same with something in every table of what is under way, and closed."""
    for row in ROWS:
        first_version.execute(row)
    first_version.close()
    return url


def schema(connection: sqlite3.Connection) -> str:
    """A short digest of all that the steps have made, however it is spaced and names are quoted."""
    made = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").fetchall()
    words = " ".join(" ".join(re.sub(r'["\[\]`]', "", sql).split()) for (sql,) in made)
    return hashlib.sha256(words.encode()).hexdigest()[:8]


@pytest.mark.parametrize("version", RELEASED)
def test_a_released_step_is_as_it_was_released(version):
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for step in migrations.MIGRATIONS[:version]:
        step(Database(connection))
    made = schema(connection)
    connection.close()
    assert made == RELEASED[version], "databases in use are not made anew: add a step instead"


async def test_what_was_there_is_there(old):
    store = open_store(old)
    assert await store.unsent("ussdc", 0, 10) == [Outgoing(7, "ussdc", PRIVATE, "sms", b"\x00\xff", 1.0, 9e9)]
    assert await store.dialogue(PRIVATE) == DialogueRecord(
        PRIVATE, "ussdc", "key", "root", 1, 0, None, 2, 1000.5, 1000.5
    )
    assert [job.name for job in await store.due_jobs(2.0, 10)] == ["password.generate"]
    assert store.draw_id() == 10
    assert await store.prune(before=60.0) == 1
    await store.close()


async def test_the_new_verbs_work_on_it(old):
    store = open_store(old)
    first = MessagePart("smsc", PRIVATE, "0500", "0", 1, 2, 0, b"one", 1.0)
    assert await store.keep_part(first) is None
    assert len(await store.keep_part(first._replace(number=2))) == 2
    await store.note_sent([SentMessage("smsc", "A1", 7, PRIVATE, 1.0)])
    assert await store.match_receipt("smsc", ["A1"], final=True)
    await store.quarantine(
        [QuarantineRecord(0, "smsc", "127.0.0.1:1", "in", "why", 3, b"\0", 1.0, False)], limit=5
    )
    assert len(await store.quarantined(5)) == 1
    await store.close()


async def test_a_migrated_database_and_a_new_one_are_the_same(old, tmp_path):
    await open_store(old).close()
    await open_store(f"sqlite:///{tmp_path}/new.db").close()
    digests = []
    for name in ("store.db", "new.db"):
        connection = sqlite3.connect(tmp_path / name)
        digests.append(schema(connection))
        assert connection.execute("PRAGMA user_version").fetchone()[0] == len(migrations.MIGRATIONS)
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        connection.close()
    assert digests[0] == digests[1]


async def test_one_that_cannot_be_migrated_stays_as_it_was(first_version, url):
    """A table of somebody else's is in the way."""
    first_version.execute("CREATE TABLE quarantine (note TEXT)")
    before = list(first_version.iterdump())
    with pytest.raises(StoreError, match=r"store\.db: .*quarantine already exists"):
        open_store(url)
    assert list(first_version.iterdump()) == before
    assert first_version.execute("PRAGMA user_version").fetchone()[0] == 1
