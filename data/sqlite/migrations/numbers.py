"""Step 3: a number is its text; messages wait as messages; jobs can be set aside; what was acknowledged is known.

A table whose columns change their type is made anew: the old one is put aside under another name, which takes the
references to it along, the new one is filled from it, and the old ones go when nothing refers to them any more.
"""

from sqlite_utils import Database

# The number of an account is that of its contract or, for a private subscriber, his own: no MSISDN has 16 digits.
_CONTRACTS = """
CREATE TABLE contracts (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) >= 16),
    balance_kopecks INTEGER NOT NULL
) STRICT, WITHOUT ROWID
"""

_SUBSCRIBERS = """
CREATE TABLE subscribers (
    msisdn TEXT NOT NULL PRIMARY KEY,
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

_LEDGER = """
CREATE TABLE ledger (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id TEXT NOT NULL,
    msisdn TEXT NOT NULL REFERENCES subscribers,
    what TEXT NOT NULL,
    amount_kopecks INTEGER NOT NULL CHECK (amount_kopecks <> 0),
    occurred REAL NOT NULL
) STRICT
"""

_SUBSCRIBER_OPTIONS = """
CREATE TABLE subscriber_options (
    msisdn TEXT NOT NULL REFERENCES subscribers,
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
    msisdn TEXT NOT NULL REFERENCES subscribers,
    option INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('minutes', 'sms', 'mb')),
    remaining INTEGER NOT NULL CHECK (remaining BETWEEN 0 AND total),
    total INTEGER NOT NULL,
    PRIMARY KEY (msisdn, option, kind)
) STRICT, WITHOUT ROWID
"""

_PASSWORDS = """
CREATE TABLE passwords (
    msisdn TEXT NOT NULL PRIMARY KEY REFERENCES subscribers,
    hash TEXT NOT NULL,
    issued REAL NOT NULL
) STRICT, WITHOUT ROWID
"""

_ISSUES = """
CREATE TABLE password_issues (
    id INTEGER PRIMARY KEY,
    msisdn TEXT NOT NULL REFERENCES subscribers,
    requested REAL NOT NULL
) STRICT
"""

_DIALOGUES = """
CREATE TABLE dialogues (
    msisdn TEXT NOT NULL PRIMARY KEY,
    link TEXT NOT NULL,
    key TEXT NOT NULL,
    node TEXT NOT NULL,
    page INTEGER NOT NULL,
    misses INTEGER NOT NULL,
    captured TEXT,
    unit INTEGER NOT NULL,
    touched REAL NOT NULL,
    opened REAL NOT NULL,
    meaning INTEGER NOT NULL DEFAULT 0,
    begun INTEGER NOT NULL DEFAULT 0,
    last INTEGER NOT NULL DEFAULT 0,
    screen INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID
"""

# The store draws the ids itself: a message's id is known before the batch that it is written with.
_OUTBOX = """
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    link TEXT NOT NULL,
    msisdn TEXT NOT NULL,
    kind TEXT NOT NULL,
    created REAL NOT NULL,
    expires REAL NOT NULL,
    frame BLOB CHECK (frame IS NOT NULL OR kind <> 'ussd'),
    sender TEXT NOT NULL DEFAULT '',
    text TEXT NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT '',
    topic TEXT NOT NULL DEFAULT ''
) STRICT
"""

# The parts of a long message have one id. Ids grow with time: what is old is found at the beginning of the index.
_SENT_MESSAGES = """
CREATE TABLE sent_messages (
    link TEXT NOT NULL,
    message_key TEXT NOT NULL,
    id INTEGER NOT NULL,
    msisdn TEXT NOT NULL,
    sent REAL NOT NULL,
    PRIMARY KEY (link, message_key)
) STRICT, WITHOUT ROWID
"""

# Parents before children, each with what its rows are made of.
_MADE_ANEW = {
    "contracts": (_CONTRACTS, "CAST(id AS TEXT), balance_kopecks"),
    "subscribers": (
        _SUBSCRIBERS,
        "CAST(msisdn AS TEXT), CAST(contract AS TEXT), language, script, blocked, tariff, balance_kopecks,"
        " budget_limit_kopecks, budget_spent_kopecks, renew_day",
    ),
    "ledger": (
        _LEDGER,
        "id, CAST(account_id AS TEXT), CAST(msisdn AS TEXT), what, amount_kopecks, occurred",
    ),
    "subscriber_options": (_SUBSCRIBER_OPTIONS, "CAST(msisdn AS TEXT), option, exclusive_group, since"),
    "packages": (_PACKAGES, "CAST(msisdn AS TEXT), option, kind, remaining, total"),
    "passwords": (_PASSWORDS, "CAST(msisdn AS TEXT), hash, issued"),
    "password_issues": (_ISSUES, "rowid, CAST(msisdn AS TEXT), requested"),
    "dialogues": (
        _DIALOGUES,
        "CAST(msisdn AS TEXT), link, key, node, page, misses, captured, unit, touched, opened, 0, 0, 0, 0",
    ),
    "outbox": (_OUTBOX, "id, link, msisdn, kind, created, expires, pdu, '', '', '', ''"),
    "sent_messages": (_SENT_MESSAGES, "link, message_key, id, msisdn, sent"),
}

_JOB_COLUMNS = ("address TEXT NOT NULL DEFAULT ''", "held REAL", "reason TEXT NOT NULL DEFAULT ''")

_ACKNOWLEDGED = """
CREATE TABLE acknowledged (
    id INTEGER PRIMARY KEY,
    link TEXT NOT NULL,
    connection TEXT NOT NULL,
    responses INTEGER NOT NULL,
    read INTEGER NOT NULL,
    digests BLOB NOT NULL,
    occurred REAL NOT NULL
) STRICT
"""

_INDEXES = (
    "CREATE INDEX idx_ledger_account_id_id ON ledger (account_id, id)",
    "CREATE INDEX idx_password_issues_msisdn_requested ON password_issues (msisdn, requested)",
    "CREATE INDEX idx_sent_messages_id ON sent_messages (id)",
    "CREATE INDEX idx_acknowledged_link ON acknowledged (link)",
    "CREATE INDEX idx_outbox_topic ON outbox (msisdn, topic, id) WHERE topic <> ''",
    "CREATE INDEX idx_jobs_due ON jobs (due) WHERE held IS NULL",
    "CREATE INDEX idx_jobs_held ON jobs (id, held) WHERE held IS NOT NULL",
)


def numbers_as_text(db: Database) -> None:
    """Every number of a subscriber, account or contract becomes text; further columns come with it."""
    for table, (statement, columns) in _MADE_ANEW.items():
        db.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
        db.execute(statement)
        db.execute(f"INSERT INTO {table} SELECT {columns} FROM old_{table}")
    for table in reversed(_MADE_ANEW):
        db.execute(f"DROP TABLE old_{table}")
    for column in _JOB_COLUMNS:
        db.execute(f"ALTER TABLE jobs ADD COLUMN {column}")
    db.execute("DROP INDEX idx_jobs_due")
    db.execute(_ACKNOWLEDGED)
    for index in _INDEXES:
        db.execute(index)
