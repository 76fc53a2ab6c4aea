"""The schema, as numbered steps: a new database takes all of them, an old one those it has not had.

``PRAGMA user_version`` holds the number of the last step and ``PRAGMA application_id`` says that the file is
ours, so that no other program's database is ever written to. A step that has been released is never edited:
what it made is in use somewhere. Words of the schema:

* a number of a subscriber is its own primary key, so that the hot statements search the table itself;
* a private subscriber has his balance in his own row, for that row is read on every turn; numbers of a contract
  have none and share that of the contract;
* what is true of all money is a CHECK or a guarded UPDATE, not a trigger: it can be read where it happens;
* ``subscriber_options`` repeats the exclusive group of the option, so that a unique index can hold the
  promise that a number has one option of a group at most.
"""

import sqlite3
from collections.abc import Callable

from sqlite_utils import Database

from data.sqlite.migrations.first import first_schema
from data.sqlite.migrations.numbers import numbers_as_text
from data.sqlite.migrations.traffic import traffic
from data.store import StoreError

APPLICATION_ID = 0x53545044  # "STPD"

MIGRATIONS: tuple[Callable[[Database], None], ...] = (first_schema, traffic, numbers_as_text)
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
