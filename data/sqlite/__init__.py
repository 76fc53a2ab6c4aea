"""The store in one SQLite file, embedded: the default.

Write-ahead log with ``synchronous=FULL``: a commit is on the disk when it returns, and one writer never waits
for readers. ``secure_delete`` overwrites what is deleted, because the outbox holds passwords until they are
taken.
"""

from data.sqlite.opening import open_sqlite

__all__ = ["open_sqlite"]
