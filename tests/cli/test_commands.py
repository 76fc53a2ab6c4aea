"""The commands as a person or a script calls them: exit status, one clear line, nothing else."""

import asyncio
import json
import os
import platform
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner, Result

from cli import main
from cli_demo import own_name
from gateway.terminal import run
from smpp_sim.simulator import Simulator, SimulatorSettings

ROOT = Path(__file__).parents[2]

CONFIG = """
store = "{store}"
[admin]
listen = "127.0.0.1:{admin}"
[[links]]
name = "ussdc"
connect = "127.0.0.1:{smpp}"
system_id = "gw"
password = "secret"
"""


def starpound(*args: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, args, input=stdin)


def refused(result: Result, *said: str) -> None:
    """One line on standard error, exit status 2, no traceback."""
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    for words in said:
        assert words in lines[0]


def write_config(folder: Path, text: str = CONFIG, store: str = "", admin: int = 0, smpp: int = 1) -> str:
    path = folder / "gateway.toml"
    path.write_text(text.format(store=store or f"sqlite:///{folder}/x.db", admin=admin, smpp=smpp), "utf-8")
    return str(path)


@pytest.fixture
def store(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/starpound.db"
    assert starpound("seed", "--store", url, "--subscribers", "20").exit_code == 0
    return url


# --- help


@pytest.mark.parametrize(
    "command",
    [
        ["demo"],
        ["serve"],
        ["sim"],
        ["seed"],
        ["dial"],
        ["sms"],
        ["menu", "check"],
        ["menu", "graph"],
        ["password", "verify"],
    ],
    ids=" ".join,
)
def test_every_command_has_help_with_an_example(command):
    result = starpound(*command, "--help")
    assert result.exit_code == 0
    assert f"Example: starpound {' '.join(command)}" in result.output


def test_an_unknown_command_is_a_wrong_call():
    assert starpound("server").exit_code == 2


def test_the_version_says_what_it_runs_on():
    said = starpound("--version").stdout
    assert f"Python {platform.python_version()}" in said
    assert f"SQLite {sqlite3.sqlite_version}" in said


# --- serve: what must be put right first


def test_serve_unknown_key(tmp_path):
    config = write_config(tmp_path, CONFIG + "windw = 3\n")
    refused(
        starpound("serve", "--config", config), config, "unknown key links.0.windw", "did you mean window?"
    )


def test_serve_makes_no_folders(tmp_path):
    config = write_config(tmp_path, store=f"sqlite:///{tmp_path}/vra/starpound.db")
    refused(starpound("serve", "--config", config), config, f"there is no folder {tmp_path}/vra")
    assert not (tmp_path / "vra").exists()


def test_serve_says_at_the_start_what_it_serves(tmp_path, store):
    words = [sys.executable, str(ROOT / "cli.py"), "serve", "--config", write_config(tmp_path, store=store)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as serving:
        try:
            up = json.loads(serving.stderr.readline())
        finally:
            serving.kill()
    assert (up["event"], up["store"], up["subscribers"]) == ("gateway is up", store, 20)
    assert up["menu"].endswith("selfcare.yaml")
    assert "*100#" in up["codes"]
    assert up["version"] == metadata.version("starpound")


def test_serve_bad_value(tmp_path):
    config = write_config(tmp_path, CONFIG + "window = 0\n")
    refused(starpound("serve", "--config", config), config, "links.0.window", "greater than or equal to 1")


def test_serve_without_a_file(tmp_path):
    refused(starpound("serve", "--config", str(tmp_path / "none.toml")), "none.toml", "No such file")


def test_serve_port_in_use(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused(
            starpound("serve", "--config", write_config(tmp_path, admin=port)),
            f"admin.listen: 127.0.0.1:{port}",
            "in use",
        )


def test_serve_a_database_that_is_not_ours(tmp_path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE notes (text)")
    refused(starpound("serve", "--config", write_config(tmp_path, store=f"sqlite:///{path}")), str(path))


def test_serve_a_database_of_a_newer_schema(tmp_path, store):
    path = store.removeprefix("sqlite:///")
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 9999")
    refused(starpound("serve", "--config", write_config(tmp_path, store=store)), path, "newer")


def test_serve_a_file_that_is_no_database(tmp_path):
    path = tmp_path / "text.db"
    path.write_text("these are the notes of a meeting" * 100)
    refused(starpound("serve", "--config", write_config(tmp_path, store=f"sqlite:///{path}")), str(path))


def test_serve_unknown_dialect(tmp_path):
    config = write_config(tmp_path, CONFIG + 'dialect = "klingon"\n')
    refused(
        starpound("serve", "--config", config), config, "links.ussdc.dialect", "no dialect 'klingon'", "spec"
    )


def test_serve_a_menu_with_faults(tmp_path):
    (tmp_path / "menu.yaml").write_text("home: nowhere\ncodes: {}\nwords: {}\nnodes: {}\n")
    config = write_config(tmp_path, f'menu = "{tmp_path}/menu.yaml"\n' + CONFIG)
    refused(starpound("serve", "--config", config), "menu.yaml:")


# --- seed and password


def test_seed_twice_changes_nothing(store):
    result = starpound("seed", "--store", store, "--subscribers", "20")
    assert result.exit_code == 0
    assert "0 new subscribers" in result.output


def test_seed_a_url_that_is_none():
    refused(starpound("seed", "--store", "postgres://x", "--subscribers", "1"), "sqlite:///")


def test_password_verify(store):
    from data.opening import open_store
    from handlers.password import generate

    prepared = generate({"length": 10})

    async def keep() -> None:
        opened = open_store(store)
        async with opened.unit() as unit:
            await unit.facts.set_password_hash("79260000003", prepared.hash, 1.0)
        await opened.close()

    asyncio.run(keep())
    call = ("password", "verify", "--store", store, "79260000003")
    assert starpound(*call, stdin=prepared.password + "\n").exit_code == 0
    assert starpound(*call, stdin="wrong\n").exit_code == 1
    assert starpound(*call[:-1], "79260000004", stdin="any\n").exit_code == 1, "none was ever issued"


def test_password_verify_makes_no_store(tmp_path):
    url = f"sqlite:///{tmp_path}/none.db"
    refused(starpound("password", "verify", "--store", url, "79260000003", stdin="x\n"), "none.db")
    assert not (tmp_path / "none.db").exists()


# --- menu


def test_menu_check_of_the_menu_that_comes_along():
    result = starpound("menu", "check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "no problems" in result.output


def test_menu_check_shows_every_problem_with_its_line(tmp_path):
    path = tmp_path / "menu.yaml"
    path.write_text(
        "home: root\ncodes:\n  '*1#': rot\nwords: {}\nnodes:\n  root:\n    end: {ru: Да}\n", "utf-8"
    )
    result = starpound("menu", "check", str(path))
    assert result.exit_code == 1
    assert f"{path}:3: " in result.stderr
    assert f"{path}:7: " in result.stderr or f"{path}:6: " in result.stderr


def test_menu_check_as_json(tmp_path):
    path = tmp_path / "menu.yaml"
    path.write_text("home: root\nnodes:\n  root:\n    end: {ru: Да}\n", "utf-8")
    right, wrong = starpound("menu", "check", "--json"), starpound("menu", "check", str(path), "--json")
    assert (right.exit_code, wrong.exit_code) == (0, 1)
    assert json.loads(right.stdout)["problems"] == []
    problems = json.loads(wrong.stdout)["problems"]
    assert problems
    assert all(problem.keys() == {"file", "line", "what", "hint"} for problem in problems)
    assert {problem["file"] for problem in problems} == {str(path)}


def test_menu_graph_is_a_flowchart():
    result = starpound("menu", "graph")
    assert result.exit_code == 0
    assert result.output.startswith("flowchart")


# --- dial and sms, on a simulator without a gateway


@contextmanager
def simulator(token: str = "") -> Iterator[Simulator]:
    """One that runs in a thread of its own, as it would in another process."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()

    def do(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(10)

    running = Simulator(SimulatorSettings(smpp_port=0, http_port=0, http_token=token))
    do(running.start())
    try:
        yield running
    finally:
        do(running.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_dial_without_a_simulator():
    refused(
        starpound("dial", "*100#", "--from", "79260000003", "--sim", "http://127.0.0.1:1"),
        "no simulator at http://127.0.0.1:1",
        "starpound sim",
    )


def test_dial_says_once_what_never_leaves_the_phone():
    with simulator() as running:
        result = starpound("dial", "*#06#", "--from", "79260000003", "--sim", running.url)
    assert result.exit_code == 1
    assert result.output.count("IMEI") == 1


def test_dial_says_at_once_that_nobody_is_bound():
    with simulator() as running:
        result = starpound("dial", "*100#", "--from", "79260000003", "--sim", running.url)
    assert result.exit_code == 1
    assert result.stdout == ""
    said = f"no application is bound to the simulator at {running.url}; start one: starpound serve\n"
    assert result.stderr == said


def test_a_simulator_that_wants_a_token(tmp_path, monkeypatch):
    talk = tmp_path / "talk.ussd"
    talk.write_text("@ 79260000003\n", "utf-8")
    words = ["--from", "79260000003"]
    calls = (
        ["dial", "*#06#", *words],
        ["sms", "0", *words, "--wait", "0"],
        ["phone", *words],
        ["replay", str(talk)],
    )
    with simulator("a long secret") as running:
        for call in calls:
            refused(starpound(*call, "--sim", running.url, stdin=""), "a token is needed", "--token")
            right = starpound(*call, "--sim", running.url, "--token", "a long secret", stdin="")
            assert right.exit_code in (0, 1), right.output
        monkeypatch.setenv("STARPOUND_SIM_TOKEN", "a long secret")
        assert starpound("replay", str(talk), "--sim", running.url).exit_code == 0


def test_the_simulator_may_be_named_in_the_environment(monkeypatch):
    with simulator() as running:
        monkeypatch.setenv("STARPOUND_SIM", running.url)
        result = starpound("dial", "*#06#", "--from", "79260000003")
    assert result.exit_code in (0, 1), result.output
    assert "STARPOUND_SIM]" in starpound("dial", "--help").stdout


def test_sms_that_nobody_answers_is_no_success():
    with simulator() as running:
        call = ("sms", "000110", "--from", "79260000003", "--wait", "0.05", "--sim", running.url)
        result, as_json = starpound(*call), starpound(*call, "--json")
    assert result.exit_code == as_json.exit_code == 1
    assert "no SMS came" in result.stderr
    assert json.loads(as_json.stdout)["problem"] == "no SMS came within 0.05 s"


def test_sim_port_in_use():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused(starpound("sim", "--smpp-port", port, "--http-port", "0"), port)


def test_ctrl_c_ends_seeding_and_leaves_nothing(tmp_path):
    """Ten million would take minutes; the first word on stderr comes when the work begins."""
    url = f"sqlite:///{tmp_path}/many.db"
    words = [sys.executable, str(ROOT / "cli.py"), "seed", "--store", url, "--subscribers", "10000000"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as seeding:
        try:
            assert seeding.stderr.readline() == "subscribers\n"
            seeding.send_signal(signal.SIGINT)
            assert seeding.wait(20) == 1
        finally:
            seeding.kill()
    assert starpound("seed", "--store", url, "--subscribers", "5").stdout.startswith("5 new subscribers")


class Terminates(asyncio.Protocol):
    """SIGTERM comes while the program is busy with what a peer has sent."""

    def data_received(self, data: bytes) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        sum(range(1000))


def test_sigterm_ends_it_whatever_is_going_on():
    ended = []

    async def work() -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            await asyncio.get_running_loop().create_connection(Terminates, sock=ours)
            theirs.send(b"octets")
            try:
                await asyncio.wait_for(asyncio.Event().wait(), 5)
            except asyncio.CancelledError:
                ended.append("in good order")
                raise

    run(work())
    assert ended == ["in good order"]


@pytest.mark.parametrize("command", [("demo",), ("sim", "--http-port", "0")], ids=" ".join)
def test_a_port_in_use_is_said_once_and_with_what_to_do(command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused(
            starpound(*command, "--smpp-port", str(port)),
            f"SMPP: cannot listen on 127.0.0.1:{port}: the port is in use; choose another: --smpp-port, --http-port",
        )


def test_the_demo_names_itself_as_it_was_called(monkeypatch, tmp_path):
    """From make the folder of the virtual environment is not on the PATH; a line that is copied has to work."""
    command = tmp_path / "bin/starpound"
    command.parent.mkdir()
    command.touch(0o755)
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["bin/starpound", "demo"])
    assert own_name() == "bin/starpound"
    monkeypatch.setenv("PATH", str(command.parent))
    assert own_name() == "starpound"


@pytest.mark.parametrize("group", [(), ("menu",), ("dialect",), ("password",), ("quarantine",)], ids=" ".join)
def test_no_line_of_a_list_of_commands_is_cut_off(group):
    assert "..." not in starpound(*group, "--help").output.partition("Commands:")[2]
