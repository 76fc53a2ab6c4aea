"""The schema, as numbered steps: a new database takes all of them, an old one those it has not had.

``PRAGMA user_version`` holds the number of the last step and ``PRAGMA application_id`` says that the file is
ours, so that no other program's database is ever written to. A step that has been released is never edited:
what it made is in use somewhere. Words of the schema:

* a number of a subscriber is a text and its own primary key, so that the hot statements search the table itself;
* a private subscriber has his balance in his own row, for that row is read on every turn; numbers of a contract
  have none and share that of the contract;
* what is true of all money is a CHECK or a guarded UPDATE, not a trigger: it can be read where it happens;
* ``subscriber_options`` repeats the exclusive group of the option, so that a unique index can hold the
  promise that a number has one option of a group at most.
"""

import sqlite3
from collections.abc import Callable, Mapping

from sqlite_utils import Database

from data.store import StoreError

APPLICATION_ID = 0x53545044  # "STPD"

# The number of an account is that of its contract or, for a private subscriber, his own: no MSISDN has 16 digits.
_CONTRACTS = """
CREATE TABLE contracts (
    id INTEGER PRIMARY KEY CHECK (id >= 1000000000000000),
    balance_kopecks INTEGER NOT NULL
) STRICT
"""

_SUBSCRIBERS = """
CREATE TABLE subscribers (
    msisdn INTEGER PRIMARY KEY,
    contract INTEGER REFERENCES contracts,
    language TEXT NOT NULL CHECK (language IN ('ru', 'en')),
    script TEXT NOT NULL CHECK (script IN ('cyrillic', 'latin')),
    blocked INTEGER NOT NULL CHECK (blocked IN (0, 1)),
    tariff TEXT NOT NULL REFERENCES tariffs,
    balance_kopecks INTEGER CHECK ((balance_kopecks IS NULL) = (contract IS NOT NULL)),
    budget_limit_kopecks INTEGER CHECK (budget_limit_kopecks IS NULL OR contract IS NOT NULL),
    budget_spent_kopecks INTEGER NOT NULL,
    renew_day INTEGER NOT NULL CHECK (renew_day BETWEEN 1 AND 28)
) STRICT
"""

_LEDGER = """
CREATE TABLE ledger (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL,
    msisdn INTEGER NOT NULL REFERENCES subscribers,
    what TEXT NOT NULL,
    amount_kopecks INTEGER NOT NULL CHECK (amount_kopecks <> 0),
    occurred REAL NOT NULL
) STRICT
"""

_SUBSCRIBER_OPTIONS = """
CREATE TABLE subscriber_options (
    msisdn INTEGER NOT NULL REFERENCES subscribers,
    option INTEGER NOT NULL REFERENCES options,
    exclusive_group TEXT,
    since REAL NOT NULL,
    PRIMARY KEY (msisdn, option),
    UNIQUE (msisdn, exclusive_group)
) STRICT, WITHOUT ROWID
"""

# option 0: the allowance comes with the tariff
_PACKAGES = """
CREATE TABLE packages (
    msisdn INTEGER NOT NULL REFERENCES subscribers,
    option INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('minutes', 'sms', 'mb')),
    remaining INTEGER NOT NULL CHECK (remaining BETWEEN 0 AND total),
    total INTEGER NOT NULL,
    PRIMARY KEY (msisdn, option, kind)
) STRICT, WITHOUT ROWID
"""

_PASSWORDS = """
CREATE TABLE passwords (
    msisdn INTEGER PRIMARY KEY REFERENCES subscribers,
    hash TEXT NOT NULL,
    issued REAL NOT NULL
) STRICT
"""

_ISSUES = """
CREATE TABLE password_issues (
    msisdn INTEGER NOT NULL REFERENCES subscribers,
    requested REAL NOT NULL
) STRICT
"""

_DIALOGUES = """
CREATE TABLE dialogues (
    msisdn INTEGER PRIMARY KEY,
    link TEXT NOT NULL,
    key TEXT NOT NULL,
    node TEXT NOT NULL,
    page INTEGER NOT NULL,
    misses INTEGER NOT NULL,
    captured TEXT,
    unit INTEGER NOT NULL,
    touched REAL NOT NULL
) STRICT
"""

# Who is answered need not be a subscriber, nor his address a number: it is kept as it came.
# The store draws the ids itself: a message's id is known before the batch that it is written with.
_OUTBOX = """
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    link TEXT NOT NULL,
    msisdn TEXT NOT NULL,
    kind TEXT NOT NULL,
    pdu BLOB NOT NULL,
    created REAL NOT NULL,
    expires REAL NOT NULL
) STRICT
"""

_UNDELIVERED = """
CREATE TABLE undelivered (
    id INTEGER PRIMARY KEY,
    link TEXT NOT NULL,
    msisdn TEXT NOT NULL,
    kind TEXT NOT NULL,
    created REAL NOT NULL,
    given_up REAL NOT NULL,
    reason TEXT NOT NULL
) STRICT
"""

_JOBS = """
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    msisdn TEXT NOT NULL,
    link TEXT NOT NULL,
    args TEXT NOT NULL,
    due REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    created REAL NOT NULL
) STRICT
"""

# Searched by whole key and by sender (link and number), hence their order.
_MESSAGE_PARTS = """
CREATE TABLE message_parts (
    link TEXT NOT NULL,
    msisdn TEXT NOT NULL,
    recipient TEXT NOT NULL,
    reference TEXT NOT NULL,
    number INTEGER NOT NULL CHECK (number BETWEEN 1 AND total),
    total INTEGER NOT NULL,
    data_coding INTEGER NOT NULL,
    octets BLOB NOT NULL,
    received REAL NOT NULL,
    PRIMARY KEY (link, msisdn, recipient, reference, number)
) STRICT, WITHOUT ROWID
"""

# What was put together a moment ago, so that a part which comes twice does not begin the next message.
_FINISHED_MESSAGES = """
CREATE TABLE finished_messages (
    link TEXT NOT NULL,
    msisdn TEXT NOT NULL,
    recipient TEXT NOT NULL,
    reference TEXT NOT NULL,
    digests BLOB NOT NULL,
    finished REAL NOT NULL,
    PRIMARY KEY (link, msisdn, recipient, reference)
) STRICT, WITHOUT ROWID
"""

# AUTOINCREMENT: people write the numbers down, so a number that was dropped must not come to mean another record.
_QUARANTINE = """
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    link TEXT NOT NULL,
    peer TEXT NOT NULL,
    direction TEXT NOT NULL,
    reason TEXT NOT NULL,
    status INTEGER NOT NULL,
    octets BLOB NOT NULL,
    occurred REAL NOT NULL,
    replay INTEGER NOT NULL CHECK (replay IN (0, 1))
) STRICT
"""

# The ids are the outbox's, which grow with time: what is old is found at the beginning, without an index.
_SENT_MESSAGES = """
CREATE TABLE sent_messages (
    id INTEGER PRIMARY KEY,
    link TEXT NOT NULL,
    message_key TEXT NOT NULL,
    msisdn TEXT NOT NULL,
    sent REAL NOT NULL,
    UNIQUE (link, message_key)
) STRICT
"""


# ---- numbers are texts

_CONTRACTS_BY_TEXT = """
CREATE TABLE contracts (
    id TEXT PRIMARY KEY CHECK (length(id) = 16),
    balance_kopecks INTEGER NOT NULL
) STRICT, WITHOUT ROWID
"""

_SUBSCRIBERS_BY_TEXT = """
CREATE TABLE subscribers (
    msisdn TEXT PRIMARY KEY,
    contract TEXT REFERENCES contracts,
    language TEXT NOT NULL CHECK (language IN ('ru', 'en')),
    script TEXT NOT NULL CHECK (script IN ('cyrillic', 'latin')),
    blocked INTEGER NOT NULL CHECK (blocked IN (0, 1)),
    tariff TEXT NOT NULL REFERENCES tariffs,
    balance_kopecks INTEGER CHECK ((balance_kopecks IS NULL) = (contract IS NOT NULL)),
    budget_limit_kopecks INTEGER CHECK (budget_limit_kopecks IS NULL OR contract IS NOT NULL),
    budget_spent_kopecks INTEGER NOT NULL,
    renew_day INTEGER NOT NULL CHECK (renew_day BETWEEN 1 AND 28)
) STRICT, WITHOUT ROWID
"""

_LEDGER_BY_TEXT = """
CREATE TABLE ledger (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id TEXT NOT NULL,
    msisdn TEXT NOT NULL REFERENCES subscribers,
    what TEXT NOT NULL,
    amount_kopecks INTEGER NOT NULL CHECK (amount_kopecks <> 0),
    occurred REAL NOT NULL
) STRICT
"""

_SUBSCRIBER_OPTIONS_BY_TEXT = """
CREATE TABLE subscriber_options (
    msisdn TEXT NOT NULL REFERENCES subscribers,
    option INTEGER NOT NULL REFERENCES options,
    exclusive_group TEXT,
    since REAL NOT NULL,
    PRIMARY KEY (msisdn, option),
    UNIQUE (msisdn, exclusive_group)
) STRICT, WITHOUT ROWID
"""

_PACKAGES_BY_TEXT = """
CREATE TABLE packages (
    msisdn TEXT NOT NULL REFERENCES subscribers,
    option INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('minutes', 'sms', 'mb')),
    remaining INTEGER NOT NULL CHECK (remaining BETWEEN 0 AND total),
    total INTEGER NOT NULL,
    PRIMARY KEY (msisdn, option, kind)
) STRICT, WITHOUT ROWID
"""

_PASSWORDS_BY_TEXT = """
CREATE TABLE passwords (
    msisdn TEXT PRIMARY KEY REFERENCES subscribers,
    hash TEXT NOT NULL,
    issued REAL NOT NULL
) STRICT, WITHOUT ROWID
"""

_ISSUES_BY_TEXT = """
CREATE TABLE password_issues (
    id INTEGER PRIMARY KEY,
    msisdn TEXT NOT NULL REFERENCES subscribers,
    requested REAL NOT NULL
) STRICT
"""

_DIALOGUES_BY_TEXT = """
CREATE TABLE dialogues (
    msisdn TEXT PRIMARY KEY,
    link TEXT NOT NULL,
    key TEXT NOT NULL,
    node TEXT NOT NULL,
    page INTEGER NOT NULL,
    misses INTEGER NOT NULL,
    captured TEXT,
    unit INTEGER NOT NULL,
    touched REAL NOT NULL,
    opened REAL NOT NULL,
    meaning INTEGER NOT NULL,
    begun INTEGER NOT NULL,
    last INTEGER NOT NULL,
    screen INTEGER NOT NULL
) STRICT, WITHOUT ROWID
"""

# A screen is a frame, any other message what it says; what an older starpound has left is a frame, too.
_OUTBOX_OF_MESSAGES = """
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    link TEXT NOT NULL,
    msisdn TEXT NOT NULL,
    kind TEXT NOT NULL,
    created REAL NOT NULL,
    expires REAL NOT NULL,
    frame BLOB,
    sender TEXT NOT NULL,
    text TEXT NOT NULL,
    address TEXT NOT NULL,
    topic TEXT NOT NULL
) STRICT
"""

# The ids are the outbox's; the parts of a long message share one.
_SENT_PARTS = """
CREATE TABLE sent_messages (
    link TEXT NOT NULL,
    message_key TEXT NOT NULL,
    id INTEGER NOT NULL,
    msisdn TEXT NOT NULL,
    sent REAL NOT NULL,
    PRIMARY KEY (link, message_key)
) STRICT, WITHOUT ROWID
"""

_ACKNOWLEDGED = """
CREATE TABLE acknowledged (
    id INTEGER PRIMARY KEY,
    link TEXT NOT NULL,
    connection TEXT NOT NULL,
    responses INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    digests BLOB NOT NULL,
    occurred REAL NOT NULL
) STRICT
"""

_REBUILT: Mapping[str, tuple[str, str]] = {
    "contracts": (_CONTRACTS_BY_TEXT, "id, balance_kopecks"),
    "subscribers": (
        _SUBSCRIBERS_BY_TEXT,
        "msisdn, contract, language, script, blocked, tariff, balance_kopecks, budget_limit_kopecks,"
        " budget_spent_kopecks, renew_day",
    ),
    "ledger": (_LEDGER_BY_TEXT, "id, account_id, msisdn, what, amount_kopecks, occurred"),
    "subscriber_options": (_SUBSCRIBER_OPTIONS_BY_TEXT, "msisdn, option, exclusive_group, since"),
    "packages": (_PACKAGES_BY_TEXT, "msisdn, option, kind, remaining, total"),
    "passwords": (_PASSWORDS_BY_TEXT, "msisdn, hash, issued"),
    "password_issues": (_ISSUES_BY_TEXT, "rowid, msisdn, requested"),
    "dialogues": (
        _DIALOGUES_BY_TEXT,
        "msisdn, link, key, node, page, misses, captured, unit, touched, opened, 0, 0, 0, 0",
    ),
    "outbox": (_OUTBOX_OF_MESSAGES, "id, link, msisdn, kind, created, expires, pdu, '', '', '', ''"),
    "sent_messages": (_SENT_PARTS, "link, message_key, id, msisdn, sent"),
}
"""Table -> how it is made now, and where its columns come from; those that are referred to stand first."""


def _first_schema(db: Database) -> None:
    """Catalogue, subscribers, money, and what must survive a restart."""
    _create_catalogue(db)
    for statement in (_CONTRACTS, _SUBSCRIBERS, _LEDGER, _SUBSCRIBER_OPTIONS, _PACKAGES):
        db.execute(statement)
    for statement in (_PASSWORDS, _ISSUES, _DIALOGUES, _OUTBOX, _UNDELIVERED, _JOBS):
        db.execute(statement)
    db.table("ledger").create_index(["account_id", "id"])
    db.table("password_issues").create_index(["msisdn", "requested"])
    db.table("jobs").create_index(["due"])


def _create_catalogue(db: Database) -> None:
    named = {"code": str, "position": int, "name_ru": str, "name_en": str}
    allowances = {"minutes": int, "sms": int, "mb": int}
    db.table("meta").create({"name": str, "value": str}, pk="name", not_null=["value"], strict=True)
    db.table("categories").create(named, pk="code", not_null=set(named), strict=True)
    tariff = {**named, "corporate": int, "fee_kopecks": int, **allowances}
    prices = {
        "sms_from_kopecks": int,
        "sms_to_kopecks": int,
        "minute_from_kopecks": int,
        "minute_to_kopecks": int,
    }
    db.table("tariffs").create({**tariff, **prices}, pk="code", not_null=set(tariff), strict=True)
    option = {"number": int, "category": str, "name_ru": str, "name_en": str, "fee_kopecks": int}
    option |= {"corporate_only": int, **allowances}
    db.table("options").create(
        {**option, "exclusive_group": str, "minute_above_kopecks": int},
        pk="number",
        not_null=set(option),
        foreign_keys=[("category", "categories", "code")],
        strict=True,
    )
    for table, column, other, key, kind in (
        ("option_tariffs", "tariff", "tariffs", "code", str),
        ("option_conflicts", "other", "options", "number", int),
    ):
        db.table(table).create(
            {"option": int, column: kind},
            pk=("option", column),
            foreign_keys=[("option", "options", "number"), (column, other, key)],
            strict=True,
        )


def _traffic(db: Database) -> None:
    """Parts of long messages, the quarantine, receipts to come; undelivered messages are found by their age.

    A dialogue has a beginning, so that it can have an end however busy it is.
    """
    db.execute("ALTER TABLE dialogues ADD COLUMN opened REAL NOT NULL DEFAULT 0")
    db.execute("UPDATE dialogues SET opened = touched")
    for statement in (_MESSAGE_PARTS, _FINISHED_MESSAGES, _QUARANTINE, _SENT_MESSAGES):
        db.execute(statement)
    db.table("message_parts").create_index(["received"])
    db.table("finished_messages").create_index(["finished"])
    # also the shortest way to count the records, whose octets fill many pages
    db.table("quarantine").create_index(["replay"])
    db.table("undelivered").create_index(["given_up"])


def _numbers_as_texts(db: Database) -> None:
    """A number is its text: 079260000003 is another one than 79260000003, and neither is an integer.

    And what that opens the door to: messages as they are to be said, what may come again, jobs that are set aside.
    A number kept as an integer has lost nothing: until now no other could be a subscriber's.
    """
    for table, (_, columns) in reversed(tuple(_REBUILT.items())):
        names = ", ".join(f"{column} AS c{n}" for n, column in enumerate(columns.split(", ")))
        db.execute(f"CREATE TEMP TABLE old_{table} AS SELECT {names} FROM {table}")
        db.execute(f"DROP TABLE {table}")
    for table, (statement, columns) in _REBUILT.items():
        db.execute(statement)
        names = ", ".join(f"c{n}" for n in range(len(columns.split(", "))))
        db.execute(f"INSERT INTO {table} SELECT {names} FROM old_{table} ORDER BY c0")
        db.execute(f"DROP TABLE old_{table}")
    db.execute(_ACKNOWLEDGED)
    db.table("ledger").create_index(["account_id", "id"])
    db.table("password_issues").create_index(["msisdn", "requested"])
    db.table("sent_messages").create_index(["id"])
    db.execute("CREATE INDEX idx_outbox_topic ON outbox (msisdn, topic) WHERE topic <> ''")
    db.execute("ALTER TABLE jobs ADD COLUMN address TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE jobs ADD COLUMN held REAL")
    db.execute("ALTER TABLE jobs ADD COLUMN reason TEXT NOT NULL DEFAULT ''")


MIGRATIONS: tuple[Callable[[Database], None], ...] = (_first_schema, _traffic, _numbers_as_texts)
"""Step *n* (counted from 1) brings a database of version *n* - 1 to version *n*."""


def check_ours(connection: sqlite3.Connection) -> int:
    """The version of the schema; 0 for an empty database. Only reads.

    Raises StoreError when the database belongs to another program, or was made by a newer starpound.
    """
    application_id = _pragma(connection, "application_id")
    version = _pragma(connection, "user_version")
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application_id != APPLICATION_ID and (application_id or tables):
        raise StoreError(f"is a database of another program (application_id {application_id:#010x})")
    if version > len(MIGRATIONS):
        raise StoreError(f"has schema {version}, newer than the {len(MIGRATIONS)} that this starpound knows")
    return version


def migrate(connection: sqlite3.Connection) -> list[int]:
    """Bring the schema up to date, all steps in one transaction; answers the numbers of the steps taken.

    The version is read again inside the transaction: two processes may open a new database at once.
    """
    if check_ours(connection) == len(MIGRATIONS):
        return []
    db = Database(connection)
    connection.execute("BEGIN IMMEDIATE")
    try:
        first = check_ours(connection) + 1
        for step in MIGRATIONS[first - 1 :]:
            step(db)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
    return list(range(first, len(MIGRATIONS) + 1))


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
