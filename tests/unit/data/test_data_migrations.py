"""A database of an older starpound: what was in it is there, and the new verbs work on it."""

import hashlib
import re
import sqlite3
from contextlib import closing

import pytest
from sqlite_utils import Database

from data.model import (
    ActiveOption,
    DialogueRecord,
    JobRecord,
    LedgerEntry,
    MessagePart,
    Outgoing,
    Package,
    QuarantineRecord,
    SentMessage,
    Subscriber,
)
from data.opening import open_store
from data.sqlite import catalogue, migrations
from data.store import StoreError

pytestmark = pytest.mark.anyio

PRIVATE, EMPLOYEE = "79260000003", "79260000010"
CONTRACT = "8000000000005001"
# of the schema after each step that was released
RELEASED = {1: "fa808c1b", 2: "7efd297e"}
ROWS = {
    1: (
        f"INSERT INTO contracts VALUES ({CONTRACT}, 470000)",
        f"INSERT INTO subscribers VALUES ({PRIVATE}, NULL, 'en', 'latin', 1, 'smart', -5, NULL, 0, 4)",
        f"INSERT INTO subscribers VALUES ({EMPLOYEE}, {CONTRACT}, 'ru', 'cyrillic', 0, 'corporate-vip', NULL,"
        " 100000, 50000, 1)",
        f"INSERT INTO ledger VALUES (4, {PRIVATE}, {PRIVATE}, 'option:21', 9900, 1.5)",
        f"INSERT INTO ledger VALUES (7, {CONTRACT}, {EMPLOYEE}, 'option:100', 30000, 2.5)",
        f"INSERT INTO subscriber_options VALUES ({PRIVATE}, 21, NULL, 1.5)",
        f"INSERT INTO subscriber_options VALUES ({EMPLOYEE}, 100, 'call-geography', 2.5)",
        f"INSERT INTO packages VALUES ({PRIVATE}, 0, 'sms', 50, 100)",
        f"INSERT INTO packages VALUES ({EMPLOYEE}, 100, 'minutes', 99, 100)",
        f"INSERT INTO passwords VALUES ({PRIVATE}, '$argon2id$…', 3.5)",
        f"INSERT INTO password_issues VALUES ({PRIVATE}, 3.5), ({EMPLOYEE}, 4.5), ({PRIVATE}, 5.5)",
        f"INSERT INTO outbox VALUES (7, 'ussdc', '{PRIVATE}', 'sms', x'00ff', 1.0, 9e9)",
        f"INSERT INTO undelivered VALUES (9, 'ussdc', '{PRIVATE}', 'sms', 1.0, 50.0, 'expired')",
        "INSERT INTO jobs (name, msisdn, link, args, due, created)"
        f" VALUES ('password.generate', '{PRIVATE}', 'ussdc', '{{}}', 2.0, 1.0)",
        "UPDATE sqlite_sequence SET seq = 40 WHERE name = 'jobs'",
        "INSERT INTO dialogues (msisdn, link, key, node, page, misses, captured, unit, touched)"
        f" VALUES ({PRIVATE}, 'ussdc', 'key', 'root', 1, 0, NULL, 2, 1000.5)",
    ),
    2: (
        f"INSERT INTO message_parts VALUES ('smsc', '{PRIVATE}', '0500', '7', 1, 2, 0, x'6f6e65', 1.0)",
        f"INSERT INTO finished_messages VALUES ('smsc', '{EMPLOYEE}', '0500', '7', x'00', 1.0)",
        "INSERT INTO quarantine VALUES (5, 'smsc', '127.0.0.1:1', 'in', 'why', 3, x'00', 1.0, 1)",
        f"INSERT INTO sent_messages VALUES (6, 'smsc', 'A1', '{PRIVATE}', 1.0)",
    ),
}


def make(path, version: int, filled: bool = True) -> sqlite3.Connection:
    """A database as a starpound of that version left it, with something in every table."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    for step in range(1, version + 1):
        migrations.MIGRATIONS[step - 1](Database(connection))
        if step == 1:
            catalogue.refresh(connection)
        for row in ROWS.get(step, ()) if filled else ():
            connection.execute(row)
    connection.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {version}")
    return connection


@pytest.fixture(params=RELEASED)
def old(request, tmp_path, url) -> str:
    """The URL of a store of each version in turn."""
    make(tmp_path / "store.db", request.param).close()
    return url


@pytest.fixture
async def store(tmp_path, url):
    """What was a store of the second version, opened."""
    make(tmp_path / "store.db", 2).close()
    opened = open_store(url)
    yield opened
    await opened.close()


def schema(connection: sqlite3.Connection) -> str:
    """A short digest of all that the steps have made, however it is spaced and names are quoted."""
    made = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").fetchall()
    words = " ".join(" ".join(re.sub(r'["\[\]`]', "", sql).split()) for (sql,) in made)
    return hashlib.sha256(words.encode()).hexdigest()[:8]


@pytest.mark.parametrize("version", RELEASED)
def test_a_released_step_is_as_it_was_released(version):
    with closing(make(":memory:", version, filled=False)) as connection:
        made = schema(connection)
    assert made == RELEASED[version], "databases in use are not made anew: add a step instead"


@pytest.mark.parametrize("version", RELEASED)
def test_the_rows_of_these_tests_leave_no_table_empty(version, tmp_path):
    with closing(make(tmp_path / "store.db", version)) as connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        counts = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}
    assert not [name for name, count in counts.items() if not count and not name.startswith("option_")]


async def test_each_version_can_be_opened_and_what_was_under_way_goes_on(old):
    store = open_store(old)
    async with store.view() as there:
        assert await there.outbox.unsent("ussdc", 0, 10) == [
            Outgoing(7, "ussdc", PRIVATE, "sms", 1.0, 9e9, frame=b"\x00\xff")
        ]
        assert await there.jobs.due(2.0, 10) == [
            JobRecord(1, "password.generate", PRIVATE, "ussdc", "", "{}", 2.0, 0, 1.0, None, "")
        ]
        assert await there.inbox.dialogue(PRIVATE) == DialogueRecord(
            PRIVATE, "ussdc", "key", "root", 1, 0, None, 2, 1000.5, 1000.5
        )
        assert there.draw_id() == 10
    await store.close()


class TestNumbersAsText:
    """Step 3 makes most tables anew: nothing of what they held is lost, and what referred to what still does."""

    async def test_subscribers_and_their_accounts(self, store):
        async with store.view() as there:
            both = await there.facts.subscribers([PRIVATE, EMPLOYEE])
        assert both == {
            PRIVATE: Subscriber(PRIVATE, "private", "en", "latin", True, "smart", PRIVATE, -5, None, 0, 4),
            EMPLOYEE: Subscriber(
                EMPLOYEE, "corporate", "ru", "cyrillic", False, "corporate-vip", CONTRACT,
                470_000, 100_000, 50_000, 1,
            ),
        }  # fmt: skip

    async def test_the_ledger_of_a_private_number_and_of_a_contract(self, store):
        async with store.view() as there:
            own, shared = await there.facts.ledger(PRIVATE), await there.facts.ledger(CONTRACT)
        assert own == [LedgerEntry(PRIVATE, PRIVATE, "option:21", 9_900, 1.5)]
        assert shared == [LedgerEntry(CONTRACT, EMPLOYEE, "option:100", 30_000, 2.5)]

    async def test_options_and_packages(self, store):
        async with store.view() as there:
            assert await there.facts.options_on(PRIVATE) == [ActiveOption(21, 1.5)]
            assert await there.facts.options_on(EMPLOYEE) == [ActiveOption(100, 2.5)]
            assert await there.facts.packages(PRIVATE) == [Package(None, "sms", 50, 100)]
            assert await there.facts.packages(EMPLOYEE) == [Package(100, "minutes", 99, 100)]

    async def test_passwords(self, store):
        async with store.view() as there:
            assert await there.facts.password_hash(PRIVATE) == "$argon2id$…"
            assert await there.facts.password_issues_since(PRIVATE, 0.0) == [3.5, 5.5]
            assert await there.facts.password_issues_since(EMPLOYEE, 0.0) == [4.5]

    async def test_what_came(self, store):
        async with store.unit() as unit:
            assert await unit.inbox.match_receipt("smsc", ["A1"], False) == SentMessage(
                "smsc", "A1", 6, PRIVATE, 1.0
            )
            assert [record.id for record in await unit.inbox.replays()] == [5]
            part = MessagePart("smsc", PRIVATE, "0500", "7", 2, 2, 0, b"two", 2.0)
            assert [one.octets for one in await unit.inbox.keep_part(part)] == [b"one", b"two"]

    async def test_a_number_that_only_counts_the_same_is_another(self, store):
        async with store.view() as there:
            assert await there.facts.subscriber("0" + PRIVATE) is None
            assert await there.inbox.dialogue("0" + PRIVATE) is None

    async def test_the_new_verbs_work_on_it(self, store):
        async with store.unit() as unit:
            payer = await unit.facts.subscriber(EMPLOYEE)
            assert await unit.facts.charge(payer, "option:100", 30_000, 9.0) == 440_000
            assert await unit.facts.switch_on(EMPLOYEE, 300, 9.0)
            assert await unit.facts.options_on(EMPLOYEE) == [ActiveOption(300, 9.0)]
            await unit.outbox.enqueue(
                [
                    Outgoing(
                        unit.draw_id(), "smsc", PRIVATE, "sms", 1.0, 9e9, None, "000110", "text", "", "topic"
                    )
                ]
            )
            assert await unit.outbox.withdraw(PRIVATE, "topic", unit.draw_id()) == [10]
            await unit.inbox.quarantine([QuarantineRecord(0, "smsc", "", "in", "", 3, b"\0", 1.0, False)], 5)
            assert [record.id for record in await unit.inbox.quarantined(5)] == [6, 5]

    async def test_ids_that_people_may_have_written_down_are_not_used_again(self, store):
        async with store.unit() as unit:
            assert await unit.jobs.add("mail", PRIVATE, "ussdc", "", "{}", 1.0, 1.0) == 41

    @pytest.mark.parametrize(
        "row",
        [
            "INSERT INTO contracts VALUES ('79260000003', 1)",
            "INSERT INTO subscribers VALUES ('7', NULL, 'de', 'latin', 1, 'smart', 5, NULL, 0, 4)",
            "INSERT INTO subscribers VALUES ('7', NULL, 'en', 'latin', 1, 'smart', NULL, NULL, 0, 4)",
            "INSERT INTO subscribers VALUES ('7', NULL, 'en', 'latin', 1, 'none', 5, NULL, 0, 4)",
            "INSERT INTO subscribers VALUES ('7', '8000000000000000', 'en', 'latin', 1, 'smart', NULL, 5, 0, 4)",
            "INSERT INTO ledger VALUES (NULL, '7', '7', 'option:21', 1, 1.0)",
            f"INSERT INTO ledger VALUES (NULL, '{PRIVATE}', '{PRIVATE}', 'option:21', 0, 1.0)",
            "INSERT INTO packages VALUES ('7', 0, 'sms', 1, 2)",
            f"INSERT INTO packages VALUES ('{PRIVATE}', 21, 'sms', 3, 2)",
            f"INSERT INTO outbox VALUES (99, 'ussdc', '{PRIVATE}', 'ussd', 1.0, 2.0, NULL, '', '', '', '')",
            f"DELETE FROM subscribers WHERE msisdn = '{PRIVATE}'",
            "DELETE FROM contracts",
            "DELETE FROM options",
        ],
    )
    async def test_the_database_itself_still_forbids(self, store, tmp_path, row):
        with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as beside:
            beside.execute("PRAGMA foreign_keys = ON")
            with pytest.raises(sqlite3.IntegrityError):
                beside.execute(row)


async def test_a_migrated_database_and_a_new_one_are_the_same(old, tmp_path):
    await open_store(old).close()
    await open_store(f"sqlite:///{tmp_path}/new.db").close()
    digests = []
    for name in ("store.db", "new.db"):
        with closing(sqlite3.connect(tmp_path / name)) as connection:
            digests.append(schema(connection))
            assert connection.execute("PRAGMA user_version").fetchone()[0] == len(migrations.MIGRATIONS)
            assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert digests[0] == digests[1]


async def test_one_that_cannot_be_migrated_stays_as_it_was(tmp_path, url):
    """A table of somebody else's is in the way."""
    with closing(make(tmp_path / "store.db", 1)) as theirs:
        theirs.execute("CREATE TABLE quarantine (note TEXT)")
        before = list(theirs.iterdump())
        with pytest.raises(StoreError, match=r"store\.db: .*quarantine already exists"):
            open_store(url)
        assert list(theirs.iterdump()) == before
        assert theirs.execute("PRAGMA user_version").fetchone()[0] == 1
