"""Opening: whose file is it, how is it configured, what does the catalogue say."""

import sqlite3
from pathlib import Path

from data import catalogue, migrations
from data.sqlite.connection import Connection
from data.sqlite.store import SqliteStore
from data.store import StoreError

IN_MEMORY = "sqlite://"
SCHEME = "sqlite:///"
OPENING_WAIT_S = 5.0
# Nothing else happens in a gateway while the lock is waited for, so it is not waited for long.
LOCK_WAIT_MS = 500
# A million subscribers with their accounts are some 100 MB; the pages that are asked for again should stay.
SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
    "PRAGMA cache_size = -65536",
)


def open_sqlite(url: str, create: bool, patient: bool) -> SqliteStore:
    """Open the store of that URL; see `data.opening.open_store`."""
    if url == IN_MEMORY:
        return _open(":memory:", "the store in memory", None, patient)
    path = _path(url)
    if create:
        _make_folder(path)
    elif not path.exists():
        raise StoreError(f"{path}: there is no store here")
    try:
        return _open(f"{path.absolute().as_uri()}?mode=rwc", str(path), str(path), patient)
    except (StoreError, sqlite3.Error) as error:
        raise StoreError(f"{path}: {error}") from error


def _path(url: str) -> Path:
    name = url.removeprefix(SCHEME)
    if name == url or not name or "\0" in name:
        raise StoreError(f"{url}: a store is named {SCHEME}PATH")
    return Path(name)


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path.parent}: {error.strerror}") from error


def _open(database: str, name: str, path: str | None, patient: bool) -> SqliteStore:
    connection = sqlite3.connect(
        database,
        uri=True,
        timeout=OPENING_WAIT_S,
        isolation_level=None,
        cached_statements=256,
    )
    try:
        _prepare(connection, patient)
        return SqliteStore(Connection(connection, name), catalogue.read(connection), path)
    except BaseException:
        connection.close()
        raise


def _prepare(connection: sqlite3.Connection, patient: bool) -> None:
    migrations.check_ours(connection)  # before anything is written: turning on the log would be
    for setting in SETTINGS:
        connection.execute(setting)
    migrations.migrate(connection)
    catalogue.refresh(connection)
    if not patient:
        connection.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_MS}")
