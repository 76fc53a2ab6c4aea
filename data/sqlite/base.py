"""The connection and its units of work."""
# ruff: noqa: D102 - the verbs are described where they are declared, in data.store

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from data.store import StoreBusy

# Nothing else happens in the process while the lock is waited for, so it is not waited for long.
LOCK_WAIT_MS = 500


class UnitOfWork:
    """One connection, in autocommit mode: transactions begin and end here and nowhere by themselves.

    Statements are constant strings, so that the connection finds each of them prepared.
    """

    def __init__(self, connection: sqlite3.Connection, name: str):
        self._connection = connection
        self._name = name
        self._execute = connection.execute
        self._executemany = connection.executemany

    async def begin(self) -> None:
        # IMMEDIATE: a transaction that began as a reader can be refused in the middle, when it first writes
        try:
            self._execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise StoreBusy(f"{self._name}: {error}") from error

    async def commit(self) -> None:
        try:
            self._execute("COMMIT")
        except sqlite3.OperationalError as error:
            await self.rollback()
            raise StoreBusy(f"{self._name}: {error}") from error

    async def rollback(self) -> None:
        # an error such as a full disk may have ended the transaction already
        if self._connection.in_transaction:
            self._execute("ROLLBACK")

    async def savepoint(self) -> None:
        self._execute("SAVEPOINT turn")

    async def release(self) -> None:
        self._execute("RELEASE turn")

    async def rollback_savepoint(self) -> None:
        try:
            self._execute("ROLLBACK TO turn")
            self._execute("RELEASE turn")
        except sqlite3.OperationalError as error:  # a full disk has ended the transaction, savepoint and all
            raise StoreBusy(f"{self._name}: {error}") from error

    async def close(self) -> None:
        self._connection.close()

    async def erase_traces(self) -> bool:
        if self._connection.in_transaction:
            return False
        # a reader that stays must not hold up the loop: it is tried once, and again at the next call
        self._execute("PRAGMA busy_timeout = 0")
        busy, _, _ = self._execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        self._execute(f"PRAGMA busy_timeout = {LOCK_WAIT_MS}")
        return busy == 0

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Several statements as one: part of the open unit, or a unit of their own."""
        if self._connection.in_transaction:
            yield
            return
        self._execute("BEGIN IMMEDIATE")
        with self._connection:  # commits, or rolls back when there was an error
            yield
