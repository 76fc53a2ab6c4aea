"""Step 1: catalogue, subscribers, money, and what must survive a restart."""

from sqlite_utils import Database

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


def first_schema(db: Database) -> None:
    """Make all of it in an empty database."""
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
