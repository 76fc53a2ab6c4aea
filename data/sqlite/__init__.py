"""The store in one SQLite file, embedded: the default.

Write-ahead log with ``synchronous=FULL``: a commit is on the disk when it returns, and one writer never waits
for readers. ``secure_delete`` overwrites what is deleted, because the outbox holds passwords until they are
taken. The same in memory is a store for tests, and for trying a menu.
"""

from data.sqlite.opening import open_store
from data.sqlite.store import SqliteStore

__all__ = ["SqliteStore", "open_store"]
