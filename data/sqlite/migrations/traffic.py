"""Step 2: parts of long messages, the quarantine, receipts to come."""

from sqlite_utils import Database

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


def traffic(db: Database) -> None:
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
