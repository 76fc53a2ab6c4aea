"""``starpound quarantine`` on a real store, with a gateway at work beside it."""

import asyncio
import json
import os
import pty
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from data.model import QuarantineRecord
from data.opening import open_store
from data.store import Inbox, Store
from gateway.commands.quarantine import HEADINGS, quarantine

ROOT = Path(__file__).parents[2]
# a submit_sm of which only the header came, and a browser at the wrong door
HEADER = bytes.fromhex("0000002000000004000000000000000a")
FOREIGN = b"GET / HTTP/1.1\r\nHost: smsc\r\n\r\n"


def call(*words: str) -> Result:
    return CliRunner().invoke(quarantine, words)


def refused(result: Result, *said: str) -> None:
    """One line on standard error, exit status 2, no traceback."""
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    for words in said:
        assert words in lines[0]


def keep(store: Store, *records: QuarantineRecord, limit: int = 5000) -> None:
    async def write() -> None:
        async with store.unit() as unit:
            await unit.inbox.quarantine(records, limit)

    asyncio.run(write())


def look(
    store: Store, question: Callable[[Inbox], Awaitable[list[QuarantineRecord]]]
) -> list[QuarantineRecord]:
    async def read() -> list[QuarantineRecord]:
        async with store.view() as view:
            return await question(view.inbox)

    return asyncio.run(read())


def record(octets: bytes = HEADER, **changes) -> QuarantineRecord:
    plain = QuarantineRecord(
        id=0,
        link="ussdc",
        peer="10.0.0.7:2775",
        direction="in",
        reason="short_message is cut off",
        status=2,
        octets=octets,
        when=1_793_707_200.5,
        replay=False,
    )
    return plain._replace(**changes)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/starpound.db"


@pytest.fixture
def gateway(url: str) -> Iterator[Store]:
    """The store as a running gateway has it: claimed, with a read under way."""
    store = open_store(url)
    store.claim()
    yield store
    asyncio.run(store.close())


@pytest.fixture
def furnished(gateway: Store, url: str) -> str:
    """Three records: 1 and 3 of the link ussdc, 2 of smsc."""
    records = [
        record(),
        record(FOREIGN, link="smsc", reason="this is HTTP", status=0),
        record(HEADER + b"\0"),
    ]
    keep(gateway, *records)
    return url


def there(store: Store) -> list[int]:
    return [one.id for one in look(store, lambda inbox: inbox.quarantined(100))]


def asked_for(store: Store) -> list[int]:
    return [one.id for one in look(store, lambda inbox: inbox.replays())]


def while_it_writes(store: Store, *words: str) -> Result:
    async def write() -> Result:
        async with store.unit():
            return await asyncio.to_thread(call, *words)

    return asyncio.run(write())


@pytest.mark.parametrize("command", ["list", "show", "replay", "drop"])
def test_every_command_has_help_with_an_example(command):
    result = call(command, "--help")
    assert result.exit_code == 0
    assert f"Example: starpound quarantine {command}" in result.output


class TestList:
    def test_newest_first_in_columns(self, furnished):
        result = call("list", "--store", furnished)
        assert result.exit_code == 0, result.output
        heading, *lines = result.output.splitlines()
        assert heading.split() == list(HEADINGS)
        assert [line.split()[0] for line in lines] == ["3", "2", "1"]
        assert lines[2].split() == [
            *("1", "2026-11-03T12:00:00.500Z", "ussdc", "10.0.0.7:2775", str(len(HEADER)), "ESME_RINVCMDLEN"),
            *("short_message", "is", "cut", "off"),
        ]
        assert {line.index("10.0.0.7") for line in lines} == {heading.index("peer")}

    def test_behind_the_header_may_be_secrets_and_the_table_does_not_have_them(self, gateway, url):
        keep(gateway, record(HEADER + b"gw\0secret08\0"))
        output = call("list", "--store", url).output
        assert b"secret".hex() not in output
        assert "secret" not in output

    def test_limit_and_link(self, furnished):
        assert len(call("list", "--store", furnished, "--limit", "2").output.splitlines()) == 3
        of_link = call("list", "--store", furnished, "--link", "ussdc", "--limit", "1").output.splitlines()
        assert [line.split()[0] for line in of_link[1:]] == ["3"]
        assert "nothing of link moon" in call("list", "--store", furnished, "--link", "moon").output

    def test_a_link_whose_records_are_far_behind_others(self, gateway, url):
        keep(gateway, record(link="rare"), *[record()] * 1200)
        result = call("list", "--store", url, "--link", "rare", "--json")
        assert [one["number"] for one in json.loads(result.output)] == [1]

    def test_json_has_everything(self, furnished):
        result = call("list", "--store", furnished, "--json", "--limit", "2")
        assert json.loads(result.output)[1] == {
            "number": 2,
            "time": "2026-11-03T12:00:00.500Z",
            "link": "smsc",
            "peer": "10.0.0.7:2775",
            "direction": "in",
            "status": "ESME_ROK",
            "reason": "this is HTTP",
            "octets": FOREIGN.hex(),
            "replay": False,
        }

    def test_an_empty_one(self, gateway, url):
        assert call("list", "--store", url).output == "the quarantine is empty\n"
        assert json.loads(call("list", "--store", url, "--json").output) == []

    def test_a_peer_cannot_steer_the_terminal(self, gateway, url):
        hostile = record(peer="\x1b[2J", reason="system_id 'a\nb\x07'")
        keep(gateway, hostile)
        output = call("list", "--store", url).output
        assert len(output.splitlines()) == 2
        assert "\\x1b[2J" in output
        assert "\x1b" not in output


class TestShow:
    def test_the_record_and_its_explanation(self, furnished):
        result = call("show", "--store", furnished, "1")
        assert result.exit_code == 0, result.output
        for words in ("ussdc", "10.0.0.7:2775", "ESME_RINVCMDLEN", "short_message is cut off", "submit_sm"):
            assert words in result.output

    def test_octets_that_are_no_pdu(self, furnished):
        result = call("show", "--store", furnished, "2")
        assert result.exit_code == 0, result.output
        assert "this is HTTP" in result.output

    def test_one_that_is_not_there(self, furnished):
        refused(call("show", "--store", furnished, "7"), "no record 7")


class TestReplay:
    def test_it_is_marked_for_the_gateway(self, furnished, gateway):
        result = call("replay", "--store", furnished, "3", "1", "3")
        assert result.exit_code == 0, result.output
        assert result.output.startswith("2 records marked")
        assert "next start" in result.output
        assert asked_for(gateway) == [1, 3]
        assert call("list", "--store", furnished).output.count("replay asked:") == 2

    def test_all(self, furnished, gateway):
        assert call("replay", "--store", furnished, "--all").exit_code == 0
        assert asked_for(gateway) == [1, 2, 3]

    def test_one_that_is_not_there_stops_all(self, furnished, gateway):
        refused(call("replay", "--store", furnished, "1", "7", "9"), "no record 7, 9", "nothing was done")
        assert asked_for(gateway) == []

    def test_of_an_empty_one(self, gateway, url):
        output = call("replay", "--store", url, "--all").output
        assert output == "there is nothing in the quarantine that came by a link\n"

    def test_what_came_from_nobody_cannot_be_handled(self, gateway, url):
        keep(gateway, record(link=""), record())
        result = call("replay", "--store", url, "1", "2")
        assert "1 record came from somebody who had not bound" in result.output
        assert "1 record marked" in result.output
        assert asked_for(gateway) == [2]


class TestDrop:
    def test_some(self, furnished, gateway):
        result = call("drop", "--store", furnished, "1", "2", "--yes")
        assert result.output == "2 records dropped\n"
        assert there(gateway) == [3]

    def test_all(self, furnished, gateway, tmp_path):
        assert call("drop", "--store", furnished, "--all", "--yes").output == "3 records dropped\n"
        assert there(gateway) == []
        left = [file.name for file in tmp_path.iterdir() if b"Host: smsc" in file.read_bytes()]
        assert left == [], "the octets can still be found on the disk"

    def test_a_script_has_to_mean_it(self, furnished, gateway):
        refused(call("drop", "--store", furnished, "--all"), "--yes", "every record")
        assert len(there(gateway)) == 3

    def test_one_that_is_not_there_stops_all(self, furnished, gateway):
        refused(call("drop", "--store", furnished, "1", "7", "--yes"), "no record 7")
        assert len(there(gateway)) == 3

    @pytest.mark.parametrize(("answer", "left"), [(b"y\n", [3, 2]), (b"n\n", [3, 2, 1]), (b"\n", [3, 2, 1])])
    def test_on_a_terminal_it_asks(self, furnished, gateway, answer, left):
        keyboard, terminal = pty.openpty()
        program = "from gateway.commands.quarantine import quarantine; quarantine()"
        try:
            os.write(keyboard, answer)
            done = subprocess.run(
                [sys.executable, "-c", program, "drop", "--store", furnished, "1"],
                stdin=terminal,
                capture_output=True,
                text=True,
                cwd=ROOT,
                timeout=30,
                check=False,
            )
        finally:
            os.close(keyboard)
            os.close(terminal)
        assert "Drop 1 record, for good?" in done.stdout
        assert there(gateway) == left, done.stderr


@pytest.mark.parametrize("command", ["replay", "drop"])
class TestWhich:
    def test_it_must_be_said(self, furnished, command):
        refused(call(command, "--store", furnished), "--all")

    def test_numbers_or_all_and_not_both(self, furnished, command):
        refused(call(command, "--store", furnished, "1", "--all"), "--all")


@pytest.mark.parametrize("words", [("list",), ("replay", "--all"), ("drop", "--all", "--yes")], ids=str)
class TestStore:
    def test_none_is_made(self, tmp_path, words):
        command, *rest = words
        refused(call(command, "--store", f"sqlite:///{tmp_path}/none.db", *rest), "none.db", "no store")
        assert not list(tmp_path.iterdir())

    def test_no_url(self, words):
        command, *rest = words
        refused(call(command, "--store", "starpound.db", *rest), "sqlite:///")


@pytest.mark.parametrize("words", [("replay", "--all"), ("drop", "1", "--yes")], ids=str)
def test_a_gateway_that_does_not_let_go_is_one_line(furnished, gateway, monkeypatch, words):
    monkeypatch.setattr("data.sqlite.opening.OPENING_WAIT_S", 0.01)
    command, *rest = words
    refused(while_it_writes(gateway, command, "--store", furnished, *rest), "starpound.db", "locked")
    assert call(command, "--store", furnished, *rest).exit_code == 0


def test_a_list_does_not_wait_for_a_gateway_that_writes(furnished, gateway):
    assert while_it_writes(gateway, "list", "--store", furnished).exit_code == 0
