"""A database of an older starpound: what was in it is there, and the new verbs work on it."""

import hashlib
import re
import sqlite3
from contextlib import closing

import pytest
from sqlite_utils import Database

from data import catalogue, migrations
from data.model import ActiveOption, JobRecord, LedgerEntry, Outgoing, Package, Subscriber
from data.opening import open_store
from data.store import StoreError
from tests.unit.data.samples import CONTRACT, EMPLOYEE, PRIVATE, open_dialogue, part, sent, sms, unusable

pytestmark = pytest.mark.anyio

# of the schema after each step that was released
RELEASED = {1: "fa808c1b", 2: "7efd297e"}

FACTS = (
    "INSERT INTO contracts VALUES (8000000000005001, 125000)",
    "INSERT INTO subscribers VALUES (79260000003, NULL, 'en', 'latin', 0, 'smart', 25000, NULL, 0, 4)",
    "INSERT INTO subscribers VALUES"
    " (79260000010, 8000000000005001, 'ru', 'cyrillic', 1, 'corporate-vip', NULL, 100000, 95000, 1)",
    "INSERT INTO ledger VALUES (40, 79260000003, 79260000003, 'option:42', 25000, 7.0)",
    "INSERT INTO ledger VALUES (41, 8000000000005001, 79260000010, 'option:300', 75000, 8.0)",
    "INSERT INTO ledger VALUES (42, 79260000003, 79260000003, 'option:41', 100, 6.0)",
    "INSERT INTO subscriber_options VALUES (79260000003, 42, NULL, 7.0)",
    "INSERT INTO subscriber_options VALUES (79260000010, 300, 'call-geography', 8.0)",
    "INSERT INTO packages VALUES (79260000003, 0, 'sms', 50, 100)",
    "INSERT INTO packages VALUES (79260000003, 42, 'mb', 5000, 5120)",
    "INSERT INTO packages VALUES (79260000010, 300, 'minutes', 0, 300)",
    "INSERT INTO passwords VALUES (79260000003, '$argon2id$', 9.0)",
    "INSERT INTO password_issues VALUES (79260000003, 9.0)",
    "INSERT INTO password_issues VALUES (79260000010, 10.0)",
    "INSERT INTO password_issues VALUES (79260000003, 11.0)",
)
UNDER_WAY = (
    "INSERT INTO outbox VALUES (6, 'ussdc', '79260000003', 'ussd', x'00ff', 1.0, 9e9)",
    "INSERT INTO outbox VALUES (7, 'smsc', '0Zvezda', 'sms', x'ff00', 1.0, 9e9)",
    "INSERT INTO undelivered VALUES (9, 'ussdc', '79260000003', 'sms', 1.0, 50.0, 'expired')",
    "INSERT INTO jobs (id, name, msisdn, link, args, due, attempts, created)"
    " VALUES (4, 'password.generate', '79260000003', 'ussdc', '{}', 2.0, 1, 1.0)",
    "INSERT INTO jobs (id, name, msisdn, link, args, due, created) VALUES (5, 'mail', '1', 'ussdc', '', 2.0, 1.0)",
    "DELETE FROM jobs WHERE id = 5",
)
OF_VERSION = {
    1: ("INSERT INTO dialogues VALUES (79260000003, 'ussdc', 'key', 'root', 1, 0, NULL, 2, 1000.5)",),
    2: (
        "INSERT INTO dialogues VALUES (79260000003, 'ussdc', 'key', 'root', 1, 0, NULL, 2, 1000.5, 940.25)",
        "INSERT INTO message_parts VALUES ('smsc', '79260000003', '0500', 'udh8:7', 1, 2, 8, x'706172742031', 1000.0)",
        "INSERT INTO finished_messages VALUES ('smsc', '79260000003', '0500', 'udh8:6', x'00', 1000.0)",
        "INSERT INTO quarantine VALUES (3, 'ussdc', '127.0.0.1:1', 'in', 'why', 3, x'00', 1.0, 0)",
        "INSERT INTO quarantine VALUES (4, 'ussdc', '127.0.0.1:1', 'in', 'why', 3, x'00', 1.0, 0)",
        "DELETE FROM quarantine WHERE id = 4",
        "INSERT INTO sent_messages VALUES (8, 'smsc', 'A1', '79260000003', 1000.5)",
    ),
}


@pytest.fixture
def url(file_url):
    return file_url


@pytest.fixture
def file(tmp_path):
    """The database in the place of the store."""
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as connection:
        yield connection


def build(connection, version: int) -> None:
    """A database as that step leaves it."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN")
    for step in migrations.MIGRATIONS[:version]:
        step(Database(connection))
    connection.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute("COMMIT")


@pytest.fixture(params=RELEASED)
def version(request) -> int:
    return request.param


@pytest.fixture
def old(version, file, url) -> str:
    """A store of that version with something in every table."""
    build(file, version)
    catalogue.refresh(file)
    file.execute("BEGIN")
    for row in (*FACTS, *UNDER_WAY, *OF_VERSION[version]):
        file.execute(row)
    file.execute("COMMIT")
    empty = [name for name in tables(file) if not file.execute(f"SELECT count(*) FROM {name}").fetchone()[0]]
    assert not empty, "the test has forgotten these"
    return url


def tables(connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]


def schema(connection) -> str:
    """A short digest of all that the steps have made, however it is spaced and names are quoted."""
    made = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").fetchall()
    words = " ".join(" ".join(re.sub(r'["\[\]`]', "", sql).split()) for (sql,) in made)
    return hashlib.sha256(words.encode()).hexdigest()[:8]


@pytest.mark.parametrize("version", RELEASED)
def test_a_released_step_is_as_it_was_released(version):
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        build(connection, version)
        made = schema(connection)
    assert made == RELEASED[version], "databases in use are not made anew: add a step instead"


class TestWhatWasThere:
    @pytest.fixture
    async def store(self, old):
        opened = open_store(old, create=False)
        yield opened
        await opened.close()

    async def test_subscribers_and_their_accounts(self, facts):
        assert await facts.subscribers([PRIVATE, EMPLOYEE]) == {
            PRIVATE: Subscriber(
                PRIVATE, "private", "en", "latin", False, "smart", PRIVATE, 25_000, None, 0, 4
            ),
            EMPLOYEE: Subscriber(
                EMPLOYEE, "corporate", "ru", "cyrillic", True, "corporate-vip", CONTRACT, 125_000, 100_000, 95_000, 1,
            ),
        }  # fmt: skip

    async def test_the_ledger_in_its_order(self, facts):
        assert await facts.ledger(PRIVATE) == [
            LedgerEntry(PRIVATE, PRIVATE, "option:42", 25_000, 7.0),
            LedgerEntry(PRIVATE, PRIVATE, "option:41", 100, 6.0),
        ]
        assert await facts.ledger(CONTRACT) == [LedgerEntry(CONTRACT, EMPLOYEE, "option:300", 75_000, 8.0)]

    async def test_options_and_what_is_left_of_them(self, facts):
        assert await facts.options_on(PRIVATE) == [ActiveOption(42, 7.0)]
        assert await facts.options_on(EMPLOYEE) == [ActiveOption(300, 8.0)]
        assert await facts.packages(PRIVATE) == [
            Package(None, "sms", 50, 100), Package(42, "mb", 5000, 5120),
        ]  # fmt: skip
        assert await facts.packages(EMPLOYEE) == [Package(300, "minutes", 0, 300)]

    async def test_passwords_and_the_requests_for_them(self, facts):
        assert await facts.password_hash(PRIVATE) == "$argon2id$"
        assert await facts.password_issues_since(PRIVATE, 0.0) == [9.0, 11.0]
        assert await facts.password_issues_since(EMPLOYEE, 0.0) == [10.0]

    async def test_the_dialogue_of_which_nobody_knows_what_its_screen_meant(self, inbox, version):
        opened = {1: 1000.5, 2: 940.25}[version]  # the first did not know: when it was touched
        assert await inbox.dialogue(PRIVATE) == open_dialogue(
            key="key", node="root", misses=0, values=None, unit=2, opened=opened, meaning=0
        )

    async def test_messages_are_the_frames_that_they_were(self, outbox):
        assert await outbox.unsent("ussdc", 0, 10) == [
            Outgoing(6, "ussdc", PRIVATE, "ussd", 1.0, 9e9, b"\x00\xff")
        ]
        assert await outbox.unsent("smsc", 0, 10) == [
            Outgoing(7, "smsc", "0Zvezda", "sms", 1.0, 9e9, b"\xff\x00")
        ]
        assert await outbox.prune_undelivered(before=60.0) == 1

    async def test_jobs(self, jobs):
        assert await jobs.due(2.0, 10) == [
            JobRecord(4, "password.generate", PRIVATE, "ussdc", "", "{}", 2.0, 1, 1.0, None, "")
        ]
        assert await jobs.count_held() == 0

    async def test_no_id_is_used_again(self, store, file):
        async with store.unit() as unit:
            assert unit.draw_id() == 10
            assert await unit.jobs.add("mail", PRIVATE, "ussdc", "", "{}", 2.0, 1.0) == 6
            await unit.facts.charge(await unit.facts.subscriber(PRIVATE), "option:43", 1, 9.0)
        assert file.execute("SELECT id FROM ledger WHERE what = 'option:43'").fetchall() == [(43,)]

    async def test_everything_belongs_to_somebody(self, store, file):
        assert file.execute("PRAGMA foreign_key_check").fetchall() == []
        assert file.execute("PRAGMA integrity_check").fetchone()[0] == "ok"

    async def test_a_number_is_a_text_wherever_one_is_kept(self, store, file):
        columns = [
            (table, column[1], column[2])
            for table in tables(file)
            for column in file.execute(f"PRAGMA table_info({table})")
            if column[1] in ("msisdn", "contract", "account_id") or (table, column[1]) == ("contracts", "id")
        ]
        assert len(columns) > 14
        assert {kind for _, _, kind in columns} == {"TEXT"}, columns

    async def test_the_new_verbs_work_on_it(self, unit, inbox):
        assert await inbox.keep_part(part(1, 2, "new")) is None
        assert len(await inbox.keep_part(part(2, 2, "new"))) == 2
        await inbox.note_sent([sent("B1", 7), sent("B2", 7)])
        assert await inbox.match_receipt("smsc", ["B1"], final=True)
        await inbox.quarantine([unusable()], limit=5)
        assert (await inbox.quarantined(1))[0].octets == unusable().octets
        await unit.outbox.enqueue([sms(unit.draw_id(), topic="password.issued")])
        assert len(await unit.outbox.withdraw(PRIVATE, "password.issued", unit.draw_id())) == 1


class TestTraffic:
    """What the second step brought, and the third keeps."""

    @pytest.fixture
    async def store(self, file, url):
        build(file, 2)
        catalogue.refresh(file)
        for row in OF_VERSION[2]:
            file.execute(row)
        opened = open_store(url, create=False)
        yield opened
        await opened.close()

    async def test_parts(self, inbox):
        whole = await inbox.keep_part(part(2, 2))
        assert whole == [part(1, 2, octets=b"part 1"), part(2, 2)]

    async def test_receipts(self, unit, inbox):
        assert await inbox.match_receipt("smsc", ["A1"], final=True) == sent("A1", 8)
        assert unit.draw_id() > 8

    async def test_quarantine(self, inbox):
        assert [one.id for one in await inbox.quarantined(10)] == [3]
        await inbox.quarantine([unusable()], limit=5)
        assert [one.id for one in await inbox.quarantined(10)] == [5, 3]


async def test_a_migrated_database_and_a_new_one_are_the_same(old, file, tmp_path):
    await open_store(old).close()
    await open_store(f"sqlite:///{tmp_path}/new.db").close()
    with closing(sqlite3.connect(tmp_path / "new.db")) as new:
        assert schema(file) == schema(new)
    assert file.execute("PRAGMA user_version").fetchone()[0] == len(migrations.MIGRATIONS)


async def test_one_that_cannot_be_migrated_stays_as_it_was(file, url):
    """A table of somebody else's is in the way."""
    build(file, 1)
    file.execute("CREATE TABLE quarantine (note TEXT)")
    before = list(file.iterdump())
    with pytest.raises(StoreError, match=r"store\.db: .*quarantine already exists"):
        open_store(url)
    assert list(file.iterdump()) == before
    assert file.execute("PRAGMA user_version").fetchone()[0] == 1
