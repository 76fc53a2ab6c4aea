"""The store: one connection, one unit of work at a time."""

import asyncio
import fcntl
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TextIO

from data.model import Catalogue
from data.sqlite.connection import Connection
from data.sqlite.facts import SqliteFacts
from data.sqlite.inbox import SqliteInbox
from data.sqlite.jobs import SqliteJobs
from data.sqlite.outbox import SqliteOutbox
from data.store import StoreError

LAST_ID = """
SELECT max((SELECT coalesce(max(id), 0) FROM outbox), (SELECT coalesce(max(id), 0) FROM undelivered),
           (SELECT coalesce(max(id), 0) FROM sent_messages))
"""


class SqliteUnit:
    """The verbs. There is one object for all units of a store, since no two of them are open at a time."""

    def __init__(self, connection: Connection, catalogue: Catalogue):
        self.facts = SqliteFacts(connection, catalogue)
        self.outbox = SqliteOutbox(connection)
        self.inbox = SqliteInbox(connection)
        self.jobs = SqliteJobs(connection)
        self._connection = connection
        last: int = connection.execute(LAST_ID).fetchone()[0]
        self._ids = itertools.count(last + 1)

    def draw_id(self) -> int:
        """See `data.store.Unit`."""
        return next(self._ids)

    async def savepoint(self) -> None:
        """See `data.store.Unit`."""
        self._connection.mark()

    async def release(self) -> bool:
        """See `data.store.Unit`."""
        return self._connection.release()

    async def rollback_savepoint(self) -> None:
        """See `data.store.Unit`."""
        self._connection.rollback_to_mark()


class SqliteStore:
    """All of :class:`data.store.Store` on one connection, for one thread. ``path`` is None in memory."""

    def __init__(self, connection: Connection, catalogue: Catalogue, path: str | None):
        self.catalogue = catalogue
        self._connection = connection
        self._path = path
        self._unit = SqliteUnit(connection, catalogue)
        self._lock = asyncio.Lock()
        self._claim: TextIO | None = None

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[SqliteUnit]:
        """See `data.store.Store`."""
        async with self._lock:
            self._connection.begin()
            try:
                yield self._unit
                self._connection.commit()
            finally:
                self._connection.rollback()

    @asynccontextmanager
    async def view(self) -> AsyncIterator[SqliteUnit]:
        """See `data.store.Store`. The lock keeps it from what a unit has not committed yet."""
        async with self._lock:
            yield self._unit

    def claim(self) -> None:
        """See `data.store.Store`."""
        if self._path is None:
            return
        path = f"{self._path}.lock"
        try:
            claim = open(path, "w", encoding="ascii")  # noqa: SIM115 - held until the store is closed
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror}") from None
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            claim.close()
            raise StoreError(f"{self._path}: another gateway is at work on this store") from None
        self._claim = claim

    async def close(self) -> None:
        """See `data.store.Store`."""
        self._connection.raw.close()
        if self._claim:
            self._claim.close()

    async def erase_traces(self) -> bool:
        """See `data.store.Store`."""
        connection = self._connection
        if connection.raw.in_transaction:
            return False
        # a reader that stays must not hold up the loop: it is tried once, and again at the next call
        (wait_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            with connection.told():
                busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            connection.execute(f"PRAGMA busy_timeout = {wait_ms}")
        return bool(busy == 0)
