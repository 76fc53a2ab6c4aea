"""Whose database is it? Every "no" is one line that names the file."""

import sqlite3

import pytest
from sqlite_utils import Database

from data.opening import SCHEMES, open_store
from data.sqlite import migrations
from data.sqlite.opening import connect
from data.store import StoreError

pytestmark = pytest.mark.anyio


def refusal(url: str, **options) -> str:
    with pytest.raises(StoreError) as caught:
        open_store(url, **options)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_another_programs_database_is_refused_and_not_touched(tmp_path, url):
    theirs = sqlite3.connect(tmp_path / "store.db")
    theirs.execute("CREATE TABLE moz_places (url TEXT)")
    theirs.commit()
    theirs.close()
    before = (tmp_path / "store.db").read_bytes()
    assert "another program" in refusal(url)
    assert str(tmp_path / "store.db") in refusal(url)
    assert (tmp_path / "store.db").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["store.db"]


def test_an_application_id_that_is_not_ours_is_refused_even_without_tables(tmp_path, url):
    theirs = sqlite3.connect(tmp_path / "store.db")
    theirs.execute("PRAGMA application_id = 252006674")
    theirs.close()
    assert "0x0f055112" in refusal(url)


async def test_a_newer_schema_is_refused(tmp_path, url):
    await open_store(url).close()
    future = sqlite3.connect(tmp_path / "store.db")
    future.execute("PRAGMA user_version = 99")
    future.close()
    assert "schema 99, newer than" in refusal(url)


def test_a_file_that_is_no_database(tmp_path, url):
    (tmp_path / "store.db").write_text("store = 'sqlite:///…'\n" * 100)
    assert "not a database" in refusal(url)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    assert f"{tmp_path}/file/var" in refusal(f"sqlite:///{tmp_path}/file/var/store.db")


def test_a_folder_in_the_place_of_the_file(tmp_path):
    assert "unable to open" in refusal(f"sqlite:///{tmp_path}")


@pytest.mark.parametrize("url", ["store.db", "", "sqlite:///", "sqlite://var/store.db", "sqlite:///a\0b"])
def test_what_is_no_address_of_a_store(url):
    assert "sqlite:///PATH" in refusal(url)


def test_a_scheme_that_is_not_known_is_told_those_that_are(monkeypatch):
    monkeypatch.setitem(SCHEMES, "paper", SCHEMES["sqlite"])
    line = refusal("mongodb://gateway:s3cret9@localhost/stars")
    assert line == "mongodb: no such kind of store; there is paper:///PATH, sqlite:///PATH"


async def test_one_in_memory_is_a_new_one_each_time():
    one, other = open_store("sqlite://"), open_store("sqlite://")
    async with one.unit() as unit:
        await unit.jobs.add("mail", "79260000003", "ussdc", "", "{}", 1.0, 1.0)
    async with other.view() as there:
        assert await there.jobs.due(9e9, 1) == []
    one.claim()
    other.claim()
    await one.close()
    await other.close()


def test_a_store_that_must_exist(tmp_path, url):
    assert "no store" in refusal(url, create=False)
    assert not list(tmp_path.iterdir())


def test_a_store_that_someone_is_writing_to_when_it_must_be_migrated(tmp_path, url, monkeypatch):
    monkeypatch.setattr("data.sqlite.opening.OPENING_WAIT_S", 0.01)
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("BEGIN IMMEDIATE")
    assert "locked" in refusal(url)
    other.close()


async def test_the_folder_is_made(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/var/lib/store.db")
    await store.close()
    assert (tmp_path / "var/lib/store.db").exists()


def test_no_folder_is_made_for_whoever_wants_none(tmp_path):
    path = tmp_path / "vra/starpound.db"
    assert f"{path}: there is no folder {tmp_path}/vra" in refusal(f"sqlite:///{path}", folders=False)
    assert not list(tmp_path.iterdir())


async def test_a_relative_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    await open_store("sqlite:///var/odd name?#%.db").close()
    assert (tmp_path / "var/odd name?#%.db").exists()


async def test_opening_again_changes_nothing(tmp_path, url):
    await open_store(url).close()
    with sqlite3.connect(tmp_path / "store.db") as connection:
        before = list(connection.iterdump())
    connection.close()
    await open_store(url, create=False).close()
    with sqlite3.connect(tmp_path / "store.db") as connection:
        assert list(connection.iterdump()) == before
    connection.close()


def test_the_connection_is_as_durable_as_promised(tmp_path):
    connection = connect(f"{tmp_path}/store.db")

    def setting(name):
        return connection.execute(f"PRAGMA {name}").fetchone()[0]

    assert setting("journal_mode") == "wal"
    assert setting("synchronous") == 2  # FULL
    assert setting("foreign_keys") == 1
    assert setting("secure_delete") == 1
    assert setting("application_id") == migrations.APPLICATION_ID
    assert setting("user_version") == len(migrations.MIGRATIONS)
    assert setting("integrity_check") == "ok"
    connection.close()


class TestMigrations:
    """The steps, on a bare connection."""

    @pytest.fixture
    def connection(self):
        opened = sqlite3.connect(":memory:", isolation_level=None)
        yield opened
        opened.close()

    def version(self, connection):
        return connection.execute("PRAGMA user_version").fetchone()[0]

    def test_from_scratch_all_of_them(self, connection):
        assert migrations.migrate(connection) == list(range(1, len(migrations.MIGRATIONS) + 1))
        assert migrations.migrate(connection) == []

    def test_an_old_one_takes_what_it_has_not_had(self, connection, monkeypatch):
        migrations.migrate(connection)
        steps = (*migrations.MIGRATIONS, lambda db: db["jobs"].add_column("note", str))
        monkeypatch.setattr(migrations, "MIGRATIONS", steps)
        assert migrations.migrate(connection) == [len(steps)]
        assert "note" in Database(connection)["jobs"].columns_dict
        assert self.version(connection) == len(steps)

    def test_a_step_that_fails_leaves_the_old_schema(self, connection, monkeypatch):
        def half_done(db):
            db["jobs"].add_column("note", str)
            raise RuntimeError("power cut")

        migrations.migrate(connection)
        before = list(connection.iterdump())
        version = self.version(connection)
        monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, half_done))
        with pytest.raises(RuntimeError, match="power cut"):
            migrations.migrate(connection)
        assert list(connection.iterdump()) == before
        assert self.version(connection) == version
