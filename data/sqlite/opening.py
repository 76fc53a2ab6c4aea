"""Opening: whose file is it, how is it configured, what does the catalogue say."""

import sqlite3
from pathlib import Path

from data.sqlite import catalogue, migrations
from data.sqlite.store import SqliteStore
from data.store import StoreError

IN_MEMORY = "sqlite://"
IN_FILE = "sqlite:///"
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


def open_store(url: str, create: bool = True, patient: bool = False, folders: bool = True) -> SqliteStore:
    """Open the store at ``sqlite:///relative/path`` or ``sqlite:////absolute/path``, migrating it if it is old.

    ``sqlite://`` is a new one in memory, gone when it is closed. See :func:`data.opening.open_store`.
    """
    if url == IN_MEMORY:
        return SqliteStore(connect(":memory:"), url, None)
    path = _path(url)
    if create and folders:
        _make_folder(path)
    elif create:
        _require_folder(path)
    elif not path.exists():
        raise StoreError(f"{path}: there is no store here")
    try:
        return SqliteStore(
            connect(f"{path.absolute().as_uri()}?mode=rwc", patient), str(path), f"{path}.lock"
        )
    except (StoreError, sqlite3.Error) as error:
        raise StoreError(f"{path}: {error}") from error


def _path(url: str) -> Path:
    name = url.removeprefix(IN_FILE)
    if name == url or not name or "\0" in name:
        raise StoreError(f"{url}: a store is named {IN_FILE}PATH")
    return Path(name)


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path.parent}: {error.strerror}") from error


def _require_folder(path: Path) -> None:
    if not path.parent.is_dir():
        raise StoreError(f"{path}: there is no folder {path.parent}; make it, or correct the path")


def connect(database: str, patient: bool = False) -> sqlite3.Connection:
    """A connection that is configured, its schema and its catalogue up to date. Raises StoreError, sqlite3.Error."""
    sqlite = sqlite3.connect(
        database, uri=True, timeout=OPENING_WAIT_S, isolation_level=None, cached_statements=256
    )
    try:
        _prepare(sqlite, patient)
    except BaseException:
        sqlite.close()
        raise
    return sqlite


def _prepare(sqlite: sqlite3.Connection, patient: bool) -> None:
    migrations.check_ours(sqlite)  # before anything is written: turning on the log would be
    for setting in SETTINGS:
        sqlite.execute(setting)
    migrations.migrate(sqlite)
    catalogue.refresh(sqlite)
    if not patient:
        sqlite.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_MS}")
