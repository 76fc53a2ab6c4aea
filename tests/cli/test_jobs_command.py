"""``starpound jobs`` on a real store, with a gateway at work beside it."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from data.model import JobRecord
from data.opening import open_store
from data.store import Store
from gateway.commands.jobs import HEADINGS, jobs

SET_ASIDE = 1_793_707_200.5
SECRET = "the text of an SMS"


def call(*words: str) -> Result:
    return CliRunner().invoke(jobs, words)


def refused(result: Result, *said: str) -> None:
    """One line on standard error, exit status 2, no traceback."""
    assert result.exit_code == 2, result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    for words in said:
        assert words in lines[0]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/starpound.db"


@pytest.fixture
def gateway(url: str) -> Iterator[Store]:
    """The store as a running gateway has it."""
    store = open_store(url)
    store.claim()
    yield store
    asyncio.run(store.close())


async def promise(
    store: Store, name: str, *, reason: str | None = "Orphan", number: str = "79260000003"
) -> None:
    """A job that was set aside or, without a reason, one that is due."""
    async with store.unit() as unit:
        args = json.dumps({"text": SECRET})
        job = await unit.jobs.add(name, number, "ussdc", "2/1/9260000003", args, due=0.0, created=1.0)
        if reason is not None:
            await unit.jobs.set_aside(job, SET_ASIDE, reason, 10)


@pytest.fixture
def furnished(gateway: Store, url: str) -> str:
    """Jobs 1 and 3 are for a password and 2 is a mailing, all set aside; 4 is due."""
    for name in ("password.generate", "mailing", "password.generate"):
        asyncio.run(promise(gateway, name))
    asyncio.run(promise(gateway, "password.generate", reason=None))
    return url


def set_aside(store: Store) -> list[int]:
    async def look() -> list[JobRecord]:
        async with store.view() as view:
            return await view.jobs.held(100)

    return [job.id for job in asyncio.run(look())]


def due(store: Store) -> list[tuple[int, int]]:
    """Each with the tries that failed."""

    async def look() -> list[JobRecord]:
        async with store.view() as view:
            return await view.jobs.due(time.time(), 100)

    return sorted((job.id, job.attempts) for job in asyncio.run(look()))


@pytest.mark.parametrize("command", ["list", "retry", "drop"])
def test_every_command_has_help_with_an_example(command: str):
    result = call(command, "--help")
    assert result.exit_code == 0
    assert f"Example: starpound jobs {command}" in result.output


class TestList:
    def test_newest_first_in_columns(self, furnished: str):
        result = call("list", "--store", furnished)
        assert result.exit_code == 0, result.output
        heading, *lines = result.output.splitlines()
        assert heading.split() == " ".join(HEADINGS).split()
        assert [line.split()[0] for line in lines] == ["3", "2", "1"]
        assert lines[1].split() == [
            *("2", "2026-11-03T12:00:00.500Z", "mailing", "79260000003", "ussdc", "10", "Orphan")
        ]

    def test_limit_and_name(self, furnished: str):
        assert len(call("list", "--store", furnished, "--limit", "2").output.splitlines()) == 3
        one = call("list", "--store", furnished, "--job", "mailing", "--limit", "1").output.splitlines()
        assert [line.split()[0] for line in one[1:]] == ["2"]
        assert call("list", "--store", furnished, "--job", "moon").output == "no job moon is set aside\n"

    def test_json_has_everything(self, furnished: str):
        result = call("list", "--store", furnished, "--json", "--limit", "2")
        assert json.loads(result.output)[1] == {
            "number": 2,
            "job": "mailing",
            "subscriber": "79260000003",
            "link": "ussdc",
            "address": "2/1/9260000003",
            "given": {"text": SECRET},
            "promised": "1970-01-01T00:00:01.000Z",
            "set_aside": "2026-11-03T12:00:00.500Z",
            "tries": 10,
            "reason": "Orphan",
        }

    def test_the_table_is_without_what_a_job_was_given(self, furnished: str):
        assert SECRET not in call("list", "--store", furnished).output

    def test_none(self, gateway: Store, url: str):
        asyncio.run(promise(gateway, "password.generate", reason=None))
        assert call("list", "--store", url).output == "no job is set aside\n"
        assert json.loads(call("list", "--store", url, "--json").output) == []

    def test_nobody_can_steer_the_terminal(self, gateway: Store, url: str):
        asyncio.run(promise(gateway, "mailing", number="\x1b[2J", reason="a\nb"))
        output = call("list", "--store", url).output
        assert len(output.splitlines()) == 2
        assert "\\x1b[2J" in output


class TestRetry:
    def test_it_is_due_with_all_its_tries_before_it(self, furnished: str, gateway: Store):
        result = call("retry", "--store", furnished, "3", "1", "3")
        assert result.exit_code == 0, result.output
        assert result.output.startswith("2 jobs due")
        assert "next start" in result.output
        assert due(gateway) == [(1, 0), (3, 0), (4, 0)]
        assert set_aside(gateway) == [2]

    def test_all(self, furnished: str, gateway: Store):
        assert call("retry", "--store", furnished, "--all").output.startswith("3 jobs due")
        assert set_aside(gateway) == []

    def test_none(self, gateway: Store, url: str):
        assert call("retry", "--store", url, "--all").output == "no job is set aside\n"

    def test_one_that_is_not_there_stops_all(self, furnished: str, gateway: Store):
        refused(call("retry", "--store", furnished, "1", "7", "9"), "no job 7, 9", "nothing was done")
        assert set_aside(gateway) == [3, 2, 1]

    def test_what_is_due_is_none_of_them(self, furnished: str, gateway: Store):
        refused(call("retry", "--store", furnished, "4"), "no job 4 among those set aside")

    def test_the_greatest_number(self, furnished: str):
        refused(call("retry", "--store", furnished, str(2**63 - 2)), f"no job {2**63 - 2}")


class TestDrop:
    def test_some(self, furnished: str, gateway: Store):
        assert call("drop", "--store", furnished, "1", "2", "--yes").output == "2 jobs dropped\n"
        assert set_aside(gateway) == [3]

    def test_all_that_were_set_aside_and_no_other(self, furnished: str, gateway: Store):
        assert call("drop", "--store", furnished, "--all", "--yes").output == "3 jobs dropped\n"
        assert set_aside(gateway) == []
        assert due(gateway) == [(4, 0)]

    def test_nothing_of_it_is_left_on_the_disk(self, gateway: Store, url: str, tmp_path: Path):
        asyncio.run(promise(gateway, "mailing"))
        assert call("drop", "--store", url, "1", "--yes").exit_code == 0
        assert [file.name for file in tmp_path.iterdir() if SECRET.encode() in file.read_bytes()] == []

    def test_a_script_has_to_mean_it(self, furnished: str, gateway: Store):
        refused(call("drop", "--store", furnished, "--all"), "--yes", "every job that was set aside")
        assert len(set_aside(gateway)) == 3

    def test_one_that_is_not_there_stops_all(self, furnished: str, gateway: Store):
        refused(call("drop", "--store", furnished, "1", "7", "--yes"), "no job 7")
        assert len(set_aside(gateway)) == 3


@pytest.mark.parametrize("command", ["retry", "drop"])
class TestWhich:
    def test_it_must_be_said(self, furnished: str, command: str):
        refused(call(command, "--store", furnished), "jobs list", "--all")

    def test_numbers_or_all_and_not_both(self, furnished: str, command: str):
        refused(call(command, "--store", furnished, "1", "--all"), "--all")


@pytest.mark.parametrize("words", [("list",), ("retry", "--all"), ("drop", "--all", "--yes")], ids=str)
def test_no_store_is_made(tmp_path: Path, words: tuple[str, ...]):
    command, *rest = words
    refused(call(command, "--store", f"sqlite:///{tmp_path}/none.db", *rest), "none.db", "no store")
    assert not list(tmp_path.iterdir())
