"""The connection, its transactions, and the base of the verbs that use it."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from data.store import StoreBusy

# Outside a unit; inside one; in a turn whose savepoint will be set before the first change; in one where it is set.
_READING, _WRITING, _MARKED, _SET = "reading", "writing", "marked", "set"

Parameters = Sequence[Any] | Mapping[str, Any]

GREATEST_ID = 2**63 - 1
"""Not below any id."""

# A list as one parameter, in JSON: SQLite's own way to say it, kept apart from what all databases understand.
LISTED = "(SELECT value FROM json_each(?))"
"""The values of the list."""
EACH_ASKED = "(SELECT value AS asked FROM json_each(?)) AS listed CROSS JOIN"
"""To join with: each ``asked`` leads, and finds its row. A fifth faster than ``IN`` for a batch of numbers."""


class SqliteConnection:
    """One connection, in autocommit mode: transactions begin and end here and nowhere by themselves.

    Statements are constant strings, so that the connection finds each of them prepared.
    """

    def __init__(self, sqlite: sqlite3.Connection, name: str):
        self._sqlite = sqlite
        self.name = name
        self.execute = sqlite.execute
        """For statements that only read."""
        self._state = _READING

    def begin(self) -> None:
        """Open a unit; when it raises nothing is open."""
        # IMMEDIATE: a transaction that began as a reader can be refused in the middle, when it first writes
        self.execute("BEGIN IMMEDIATE")
        self._state = _WRITING

    def commit(self) -> None:
        """Make the unit durable. What is raised leaves it open, to be rolled back."""
        self.execute("COMMIT")
        self._state = _READING

    def rollback(self) -> None:
        """Take back what is not committed. Harmless when there is nothing."""
        self._state = _READING
        # an error may have ended the transaction already, or the store was closed in the middle
        with suppress(sqlite3.ProgrammingError):
            if self._sqlite.in_transaction:
                self.execute("ROLLBACK")

    def savepoint(self) -> None:
        """A turn begins. One that only reads, as most do, is spared the two statements of a savepoint."""
        self._check_writing()
        self._state = _MARKED

    def release(self) -> bool:
        """Whether the turn wrote anything."""
        wrote = self._end_turn()
        if wrote:
            self.execute("RELEASE turn")
        return wrote

    def rollback_savepoint(self) -> None:
        """Raises StoreBusy: an error such as a full disk can have ended the transaction, savepoint and all."""
        if self._end_turn():
            with self.told():
                self.execute("ROLLBACK TO turn")
                self.execute("RELEASE turn")

    def write(self, statement: str, values: Parameters = ()) -> sqlite3.Cursor:
        """Execute a statement that changes something: by this or `write_many`, or no savepoint protects it."""
        if self._state is not _WRITING:
            self._prepare_to_write()
        return self.execute(statement, values)

    def write_many(self, statement: str, rows: Iterable[Parameters]) -> None:
        """The same for each of these rows."""
        if self._state is not _WRITING:
            self._prepare_to_write()
        self._sqlite.executemany(statement, rows)

    def _prepare_to_write(self) -> None:
        self._check_writing()
        if self._state is _MARKED:
            self.execute("SAVEPOINT turn")
            self._state = _SET

    def _end_turn(self) -> bool:
        self._check_writing()
        wrote, self._state = self._state is _SET, _WRITING
        return wrote

    def _check_writing(self) -> None:
        if self._state is _READING:
            raise RuntimeError("only a unit of work can write, and none is open")

    def truncate_log(self) -> bool:
        """Empty the write-ahead log; False when a reader is in the way."""
        # a reader that stays must not hold up the loop: it is tried once, and again at the next call
        (wait_ms,) = self.execute("PRAGMA busy_timeout").fetchone()
        self.execute("PRAGMA busy_timeout = 0")
        try:
            with self.told():
                busy, _, _ = self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            self.execute(f"PRAGMA busy_timeout = {wait_ms}")
        return bool(busy == 0)

    def close(self) -> None:
        """Close the file; an open unit is taken back by that."""
        self._sqlite.close()

    @contextmanager
    def told(self) -> Iterator[None]:
        """Tell of a lock, a full disk and the like in the words of the seam."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise StoreBusy(f"{self.name}: {error}") from error


class Verbs:
    """Some of the verbs of a part of the store, on its connection."""

    def __init__(self, connection: SqliteConnection):
        self._name = connection.name
        self._read = connection.execute
        self._write = connection.write
        self._write_many = connection.write_many


def upsert(table: str, columns: str, key: str) -> str:
    """The statement that inserts a row, or puts it in the place of the one with the same key."""
    names = [name.strip() for name in columns.split(",")]
    kept = [name.strip() for name in key.split(",")]
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in kept)
    marks = ", ".join("?" * len(names))
    return f"INSERT INTO {table} ({columns}) VALUES ({marks}) ON CONFLICT ({key}) DO UPDATE SET {changes}"
