"""``starpound load`` as a person or a pipeline calls it, against the daemon and against its own answerer."""

import contextlib
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from smpp_sim.commands.load import load
from tests.cli.test_commands import refused

STARPOUND = Path(sys.executable).with_name("starpound")
LOAD = (sys.executable, "-c", "from smpp_sim.commands.load import load; load()")
SHORT = ("--warmup", "0", "--seconds", "1", "--window", "4", "--phones", "50")
GATEWAY = """
store = "sqlite:///{folder}/starpound.db"
[admin]
listen = "127.0.0.1:0"
[[links]]
name = "ussdc"
role = "{role}"
{address}
system_id = "gw"
password = "secret"
"""


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextlib.contextmanager
def gateway(folder, role, address):
    """The daemon, with fifty subscribers."""
    store = f"sqlite:///{folder}/starpound.db"
    seed = [STARPOUND, "seed", "--store", store, "--subscribers", "50"]
    subprocess.run(seed, check=True, capture_output=True, timeout=60)
    config = folder / "gateway.toml"
    config.write_text(GATEWAY.format(folder=folder, role=role, address=address), "utf-8")
    process = subprocess.Popen(
        [STARPOUND, "serve", "--config", config], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    try:
        for line in process.stderr:
            if json.loads(line)["event"] == "gateway is up":
                break
        yield
    finally:
        process.terminate()
        process.communicate(timeout=30)


def loaded(*arguments):
    result = CliRunner().invoke(load, arguments)
    assert not isinstance(result.exception, Exception), result.exc_info
    return result


# --- against a gateway


def test_a_gateway_is_loaded_with_whole_dialogues(tmp_path):
    port, page, figures = free_port(), tmp_path / "load.html", tmp_path / "load.json"
    with gateway(tmp_path, "esme", f'connect = "127.0.0.1:{port}"'):
        result = loaded(
            *("--listen", f"127.0.0.1:{port}", "--script", "five", *SHORT, "--seconds", "2", "--text"),
            *("--json", str(figures), "--html", str(page), "--system-id", "gw", "--password", "secret"),
        )
    assert result.exit_code == 0, result.output
    told = json.loads(figures.read_text("utf-8"))
    assert (told["passed"], told["errors"], told["peer"]) == (True, {}, "gw")
    assert told["turns"] >= 5
    assert 0 < told["latency_ms"]["p50"] <= told["latency_ms"]["p99"] <= told["latency_ms"]["max"]
    assert sum(turns for *_, turns in told["distribution"]) == told["turns"]
    assert [line for line in told["sample"] if line.startswith(">")] == [
        "> *105#",
        "> 3",
        "> 2",
        "> 1",
        "> 1",
    ]
    assert "secret" not in figures.read_text("utf-8") + page.read_text("utf-8")


def test_a_gateway_that_is_the_smsc_is_loaded_at_an_open_rate(tmp_path):
    port = free_port()
    transcript = tmp_path / "two.ussd"
    transcript.write_text("> *105#\n> 3\n! cancel\n> *100#\n> 000100: ?\n", "utf-8")
    with gateway(tmp_path, "smsc", f'listen = "127.0.0.1:{port}"'):
        result = loaded(
            *("--connect", f"127.0.0.1:{port}", "--rate", "100", "--script", str(transcript)),
            *("--phones", "50", "--warmup", "0", "--seconds", "1", "--json", "-"),
        )
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["passed"], told["errors"]) == (True, {})
    assert told["left_open"] > 0, "the dialogue that the transcript cancels"
    assert "passed" in result.stderr, "the text goes to standard error when the JSON is on standard output"


# --- against itself


@pytest.mark.parametrize("said", [(), ("--script", "five"), ("--sms", "000100", "--password", "other")])
def test_the_ceiling_needs_nobody(said):
    result = loaded("--ceiling", *SHORT, *said)
    assert result.exit_code == 0, result.output
    assert re.search(r"^rate +[0-9 ]+ turns/s$", result.stdout, re.MULTILINE)
    assert result.stdout.endswith("passed\n")


def test_files_of_the_folder_it_is_called_in_are_no_modules(tmp_path):
    (tmp_path / "asyncio.py").write_text("raise SystemExit('not this one')", "utf-8")
    done = subprocess.run(
        [STARPOUND, "load", "--ceiling", *SHORT, "--seconds", "0.1", "--wait", "20"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "passed"), done.stderr


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        (("--max-p99", "0.0001"), "ms, more than 0.0001 ms"),
        (("--min-rate", "1e9"), "a second, fewer than 1e+09"),
    ],
)
def test_a_limit_that_is_not_met_fails(limit, reason):
    result = loaded("--ceiling", *SHORT, *limit)
    assert result.exit_code == 1
    assert re.search(rf"^FAILED .*{re.escape(reason)}$", result.stdout, re.MULTILINE), result.stdout
    assert result.stdout.endswith("failed\n")


def test_ctrl_c_ends_it_with_a_report():
    process = subprocess.Popen(
        [*LOAD, "--ceiling", "--warmup", "0", "--seconds", "600", "--window", "1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        for line in process.stderr:
            if "turns/s" in line:
                break
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0
    assert out.endswith("passed\n")


def test_ctrl_c_before_the_bind_ends_it():
    process = subprocess.Popen(
        [*LOAD, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr.readline().startswith("waiting for an ESME on 127.0.0.1:")
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, out, error) == (130, "", "")


# --- what is refused


def test_a_port_in_use():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        refused(
            loaded("--listen", address),
            f"cannot listen on {address}: the port is in use; choose another: --listen",
        )


def test_a_gateway_that_refuses_us_is_not_waited_for(tmp_path):
    port = free_port()
    with gateway(tmp_path, "smsc", f'listen = "127.0.0.1:{port}"'):
        result = loaded("--connect", f"127.0.0.1:{port}", "--password", "other")
    refused(result, f"127.0.0.1:{port} does not let us bind", "ESME_RINVPASWD")


def test_nobody_binds():
    result = loaded("--listen", "127.0.0.1:0", "--wait", "0.05")
    assert result.exit_code == 2
    assert "nobody is bound on 127.0.0.1:" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rate", "5", "--window", "5"), "--rate or --window, not both"),
        (("--ceiling", "--dialect", "mica"), "no dialect but spec"),
        (("--listen", "2775"), "--listen 2775: write HOST:PORT"),
        (("--connect", "127.0.0.1:1"), "cannot connect to 127.0.0.1:1"),
        (("--dialect", "klingon"), "klingon"),
        (("--script", "/nowhere/x.ussd"), "--script /nowhere/x.ussd: No such file"),
        (("--dial", f"*{1:0170}#"), "octets do not fit one message"),
        (("--phones", "5"), "64 dialogues at once need as many subscribers, not 5"),
        (("--first", "99999", "--phones", "100"), "the same number of digits"),
        (("--dial", "hello"), "--dial hello: a code is made of digits, * and #"),
        (("--sms", "Bank:x"), "--sms Bank:x: write NUMBER or NUMBER:TEXT"),
        (("--sms", ":x"), "--sms :x: write NUMBER or NUMBER:TEXT"),
        (("--html", "/nowhere/x.html"), "cannot write /nowhere/x.html: there is no folder /nowhere"),
        (("--html", "-", "--json", "-"), "--json and --html both to -"),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments, said):
    refused(loaded(*arguments), said)


@pytest.mark.parametrize("option", ["--seconds", "--rate", "--wait", "--timeout", "--ramp", "--max-p99"])
@pytest.mark.parametrize("number", ["nan", "inf", "-1"])
def test_numbers_that_are_none(option, number):
    result = loaded("--ceiling", option, number)
    assert result.exit_code == 2
    assert f"Invalid value for '{option}'" in result.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [(">*100#\n", "x.ussd:1: no line begins with"), ("# nothing\n", "nothing is dialled in it")],
)
def test_a_transcript_that_is_none(tmp_path, text, said):
    (tmp_path / "x.ussd").write_text(text, "utf-8")
    refused(loaded("--script", str(tmp_path / "x.ussd")), said)


def test_help_has_an_example():
    assert re.search(r"Example: starpound load ", loaded("--help").stdout)


# --- on a terminal


def test_on_a_terminal_there_is_a_panel():
    terminal, ours = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"}
    child = subprocess.Popen(
        [*LOAD, "--ceiling", *SHORT, "--seconds", "1.5"],
        stdin=ours, stdout=ours, stderr=ours, env=environment,
    )  # fmt: skip
    os.close(ours)
    said = b""
    with contextlib.suppress(OSError):  # Linux ends a terminal whose other end is gone with EIO
        while octets := os.read(terminal, 65536):
            said += octets
    os.close(terminal)
    status = child.wait(30)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.decode("utf-8", "replace"))
    assert status == 0, text
    assert "load on ceiling" in text
    assert re.search(r"│ turns/s +[0-9 ]+ +mean [0-9 ]+│", text), text
    assert text.replace("\r", "").rstrip().endswith("passed")
