"""The connection and its units of work."""
# ruff: noqa: D102 - the verbs are described where they are declared, in data.store

import fcntl
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from data.store import StoreBusy, StoreError

# A turn's savepoint: there is none, it will be set before the first change, it is set.
_NONE, _MARKED, _SET = "none", "marked", "set"

Parameters = Sequence[Any] | Mapping[str, Any]


class UnitOfWork:
    """One connection, in autocommit mode: transactions begin and end here and nowhere by themselves.

    Statements are constant strings, so that the connection finds each of them prepared.
    """

    def __init__(self, connection: sqlite3.Connection, name: str):
        self._connection = connection
        self._name = name
        self._execute = connection.execute
        self._executemany = connection.executemany
        self._savepoint = _NONE
        self._claim: TextIO | None = None

    async def begin(self) -> None:
        self._begin()

    async def commit(self) -> None:
        self._commit()

    async def rollback(self) -> None:
        self._rollback()

    async def savepoint(self) -> None:
        self._savepoint = _MARKED

    async def release(self) -> bool:
        marked, self._savepoint = self._savepoint, _NONE
        if marked is _SET:
            self._execute("RELEASE turn")
        return marked is _SET

    async def rollback_savepoint(self) -> None:
        marked, self._savepoint = self._savepoint, _NONE
        if marked is _SET:
            # an error such as a full disk can have ended the transaction, savepoint and all
            with self._told():
                self._execute("ROLLBACK TO turn")
                self._execute("RELEASE turn")

    def claim(self) -> None:
        path = f"{self._name}.lock"
        try:
            claim = open(path, "w", encoding="ascii")  # noqa: SIM115 - held until the store is closed
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror}") from None
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            claim.close()
            raise StoreError(f"{self._name}: another gateway is at work on this store") from None
        self._claim = claim

    async def close(self) -> None:
        self._connection.close()
        if self._claim:
            self._claim.close()

    async def erase_traces(self) -> bool:
        if self._connection.in_transaction:
            return False
        # a reader that stays must not hold up the loop: it is tried once, and again at the next call
        (wait_ms,) = self._execute("PRAGMA busy_timeout").fetchone()
        self._execute("PRAGMA busy_timeout = 0")
        try:
            with self._told():
                busy, _, _ = self._execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            self._execute(f"PRAGMA busy_timeout = {wait_ms}")
        return busy == 0

    def _write(self, statement: str, values: Parameters = ()) -> sqlite3.Cursor:
        """Execute a statement that changes something: by this or `_write_many`, or no savepoint protects it."""
        if self._savepoint is _MARKED:
            self._set_savepoint()
        return self._execute(statement, values)

    def _write_many(self, statement: str, rows: Iterable[Parameters]) -> None:
        with self._whole():
            if self._savepoint is _MARKED:
                self._set_savepoint()
            self._executemany(statement, rows)

    def _set_savepoint(self) -> None:
        """A turn that only reads, as most do, is spared the two statements of a savepoint."""
        self._execute("SAVEPOINT turn")
        self._savepoint = _SET

    def _begin(self) -> None:
        # IMMEDIATE: a transaction that began as a reader can be refused in the middle, when it first writes
        with self._told():
            self._execute("BEGIN IMMEDIATE")

    def _commit(self) -> None:
        try:
            with self._told():
                self._execute("COMMIT")
        except StoreBusy:
            self._rollback()
            raise

    def _rollback(self) -> None:
        self._savepoint = _NONE
        # an error may have ended the transaction already
        if self._connection.in_transaction:
            self._execute("ROLLBACK")

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Several statements as one: part of the open unit, or a unit of their own."""
        if self._connection.in_transaction:
            yield
            return
        self._begin()
        try:
            yield
        except BaseException:
            self._rollback()
            raise
        self._commit()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell of a lock, a full disk and the like in the words of the seam."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise StoreBusy(f"{self._name}: {error}") from error
