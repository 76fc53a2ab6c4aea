"""Opening: whose file is it, how is it configured, what does the catalogue say."""

import sqlite3
from pathlib import Path

from data import catalogue, migrations
from data.sqlite.options import Options
from data.sqlite.pending import Pending
from data.sqlite.subscribers import Subscribers
from data.sqlite.traffic import Traffic
from data.store import StoreError

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


class SqliteStore(Subscribers, Options, Pending, Traffic):
    """All verbs of :class:`data.store.Store` on one connection, for one thread."""

    def __init__(self, connection: sqlite3.Connection, name: str):
        super().__init__(connection, name)
        self.catalogue = catalogue.read(connection)


def open_store(url: str, create: bool = True, patient: bool = False) -> SqliteStore:
    """Open the store at ``sqlite:///relative/path`` or ``sqlite:////absolute/path``, migrating it if it is
    old.

    The file and its folder are made when they are missing and ``create`` allows it. ``patient`` is for a command
    that writes while a gateway is at work: it waits seconds for its turn instead of half a one. Raises StoreError with
    one line that names the file: it is not a database, is not ours, is of a newer schema, cannot be written.
    """
    path = _path(url)
    if create:
        _make_folder(path)
    elif not path.exists():
        raise StoreError(f"{path}: there is no store here")
    try:
        return _open(path, patient)
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


def _open(path: Path, patient: bool) -> SqliteStore:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rwc",
        uri=True,
        timeout=OPENING_WAIT_S,
        isolation_level=None,
        cached_statements=256,
    )
    try:
        return _prepare(connection, path, patient)
    except BaseException:
        connection.close()
        raise


def _prepare(connection: sqlite3.Connection, path: Path, patient: bool) -> SqliteStore:
    migrations.check_ours(connection)  # before anything is written: turning on the log would be
    for setting in SETTINGS:
        connection.execute(setting)
    migrations.migrate(connection)
    catalogue.refresh(connection)
    if not patient:
        connection.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_MS}")
    return SqliteStore(connection, str(path))
