"""The connection: statements, and where transactions and savepoints begin and end."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from data.store import StoreBusy

# A turn's savepoint: there is none, it will be set before the first change, it is set.
_NONE, _MARKED, _SET = "none", "marked", "set"

Parameters = Sequence[Any] | Mapping[str, Any]


class Connection:
    """One connection, in autocommit mode: transactions begin and end here and nowhere by themselves.

    Statements are constant strings, so that the connection finds each of them prepared. ``execute`` is for those that
    only read.
    """

    def __init__(self, connection: sqlite3.Connection, name: str):
        self.raw = connection
        self.name = name
        self.execute = connection.execute
        self._executemany = connection.executemany
        self._savepoint = _NONE

    def write(self, statement: str, values: Parameters = ()) -> sqlite3.Cursor:
        """Execute a statement that changes something: by this or `write_many`, or no savepoint protects it."""
        self._check_unit()
        if self._savepoint is _MARKED:
            self._set_savepoint()
        return self.execute(statement, values)

    def write_many(self, statement: str, rows: Iterable[Parameters]) -> None:
        """The same for many rows."""
        self._check_unit()
        if self._savepoint is _MARKED:
            self._set_savepoint()
        self._executemany(statement, rows)

    def _check_unit(self) -> None:
        if not self.raw.in_transaction:
            raise RuntimeError("there is no unit of work to write in")

    def begin(self) -> None:
        """Begin a transaction. IMMEDIATE: one that began as a reader can be refused when it first writes."""
        with self.told():
            self.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """End it, with all that was written on the disk."""
        with self.told():
            self.execute("COMMIT")

    def rollback(self) -> None:
        """Take back what is not committed, if there is anything: an error may have ended the transaction already."""
        self._savepoint = _NONE
        if self.raw.in_transaction:
            self.execute("ROLLBACK")

    def mark(self) -> None:
        """Have a savepoint set before the next change: a turn that only reads, as most do, is spared the statements."""
        self._savepoint = _MARKED

    def release(self) -> bool:
        """Keep what was written since `mark`; whether anything was."""
        marked, self._savepoint = self._savepoint, _NONE
        if marked is _SET:
            self.execute("RELEASE turn")
        return marked is _SET

    def rollback_to_mark(self) -> None:
        """Take back what was written since `mark`."""
        marked, self._savepoint = self._savepoint, _NONE
        if marked is _SET:
            # an error such as a full disk can have ended the transaction, savepoint and all
            with self.told():
                self.execute("ROLLBACK TO turn")
                self.execute("RELEASE turn")

    def _set_savepoint(self) -> None:
        self.execute("SAVEPOINT turn")
        self._savepoint = _SET

    @contextmanager
    def told(self) -> Iterator[None]:
        """Tell of a lock, a full disk and the like in the words of the seam."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise StoreBusy(f"{self.name}: {error}") from error


class Part:
    """A part of the store's verbs on a connection."""

    def __init__(self, connection: Connection):
        self._connection = connection
        self._execute = connection.execute
        self._write = connection.write
        self._write_many = connection.write_many


def upsert(table: str, columns: str, key: str) -> str:
    """INSERT a row of those columns; one with the same ``key`` is replaced."""
    names = [column.strip() for column in columns.split(",")]
    keys = {column.strip() for column in key.split(",")}
    marks = ", ".join("?" * len(names))
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys)
    return f"INSERT INTO {table} ({columns}) VALUES ({marks}) ON CONFLICT ({key}) DO UPDATE SET {changes}"
