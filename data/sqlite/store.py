"""The store and its units of work, on one connection, for one thread."""
# ruff: noqa: D102 - the verbs are described where they are declared, in data.store

import asyncio
import fcntl
import itertools
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TextIO

from data.model import Catalogue
from data.sqlite import catalogue
from data.sqlite.acknowledged import AcknowledgementVerbs
from data.sqlite.connection import SqliteConnection
from data.sqlite.dialogues import DialogueVerbs
from data.sqlite.jobs import SqliteJobs
from data.sqlite.options import OptionVerbs
from data.sqlite.outbox import LAST_ID, SqliteOutbox
from data.sqlite.parts import PartVerbs
from data.sqlite.passwords import PasswordVerbs
from data.sqlite.quarantine import QuarantineVerbs
from data.sqlite.receipts import ReceiptVerbs
from data.sqlite.subscribers import SubscriberVerbs
from data.store import Facts, Inbox, Jobs, Outbox, StoreError, Unit


class SqliteFacts(SubscriberVerbs, OptionVerbs, PasswordVerbs):
    """All that operations see."""

    def __init__(self, connection: SqliteConnection, catalogue: Catalogue):
        super().__init__(connection)
        self.catalogue = catalogue


class SqliteInbox(DialogueVerbs, AcknowledgementVerbs, ReceiptVerbs, PartVerbs, QuarantineVerbs):
    """What came, as far as it must be known later."""


class SqliteUnit:
    """The unit of work that is open on the connection. One at a time is, so that all can be the same object."""

    def __init__(self, connection: SqliteConnection, catalogue: Catalogue):
        self.facts: Facts = SqliteFacts(connection, catalogue)
        self.outbox: Outbox = SqliteOutbox(connection)
        self.inbox: Inbox = SqliteInbox(connection)
        self.jobs: Jobs = SqliteJobs(connection)
        self._connection = connection
        (last,) = connection.execute(LAST_ID).fetchone()
        self._ids: Iterator[int] = itertools.count(last + 1)

    def draw_id(self) -> int:
        return next(self._ids)

    async def savepoint(self) -> None:
        self._connection.savepoint()

    async def release(self) -> bool:
        return self._connection.release()

    async def rollback_savepoint(self) -> None:
        self._connection.rollback_savepoint()


class SqliteStore:
    """:class:`data.store.Store` on one connection. Who asks for a unit or a view waits for those before him."""

    def __init__(self, sqlite: sqlite3.Connection, name: str, lock_file: str | None):
        self.catalogue = catalogue.read(sqlite)
        self._connection = SqliteConnection(sqlite, name)
        self._unit = SqliteUnit(self._connection, self.catalogue)
        self._lock = asyncio.Lock()
        self._lock_file = lock_file
        self._claim: TextIO | None = None

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[Unit]:
        async with self._lock:
            with self._connection.told():
                self._connection.begin()
                try:
                    yield self._unit
                    self._connection.commit()
                finally:
                    self._connection.rollback()  # of what is not committed

    @asynccontextmanager
    async def view(self) -> AsyncIterator[Unit]:
        async with self._lock:  # a unit that is open on this connection would be seen half done
            yield self._unit

    def claim(self) -> None:
        if self._lock_file is None:  # nobody else can reach what is in memory
            return
        try:
            claim = open(self._lock_file, "w", encoding="ascii")  # noqa: SIM115 - held until the store is closed
        except OSError as error:
            raise StoreError(f"{self._lock_file}: {error.strerror}") from None
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            claim.close()
            raise StoreError(f"{self._connection.name}: another gateway is at work on this store") from None
        self._claim = claim

    async def close(self) -> None:
        self._connection.close()
        if self._claim:
            self._claim.close()

    async def erase_traces(self) -> bool:
        return not self._lock.locked() and self._connection.truncate_log()
