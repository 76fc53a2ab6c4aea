"""A terminal for the examples of one page: runs the commands for real, on ports and in a folder of its own."""

import json
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from smpp_sim import remote
from tests.docs.pages import Block

STARPOUND = Path(sys.executable).with_name("starpound")
PATIENCE_S = 30
STAY = (("starpound", "sim"), ("starpound", "serve"))
# What differs from run to run, written the same on both sides before they are compared.
_CHANGES = (
    (r"(?<=127\.0\.0\.1:)\d+", "PORT"),
    (r"(?<=пароль )[a-z0-9]{10}|(?<=password )[a-z0-9]{10}", "PASSWORD"),
    (r"\d{1,2} (?:янв|фев|мар|апр|мая|июн|июл|авг|сен|окт|ноя|дек)[а-я]* \d{4}", "DATE"),
    (r"sqlite:///\S*/starpound-demo-[^/]*/", "sqlite:////tmp/starpound-demo/"),
)


class Terminal:
    """Runs `console` blocks. A command of a block marked `stays` runs until `close`,
    or until a block marked `stays again` starts the last one anew.

    Ports in the examples are the default ones; here free ones take their place.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._stays: list[subprocess.Popen[str]] = []
        self._simulator: list[str] = []
        self._smpp_port = self._admin_port = "1"

    def run(self, block: Block) -> None:
        """Run the commands of a block; fail with both texts if one prints, or ends, as it should not."""
        wanted_status = next((int(word[5:]) for word in block.words if word.startswith("exit=")), 0)
        for command, wanted in _commands(block.text):
            if "stays" in block.words:
                self._start(command, block)
                continue
            status, shown = self._do(command)
            assert status == wanted_status, f"{block}: $ {command}\nexit status {status}\n{shown}"
            if wanted:
                assert _agree(wanted, shown), (
                    f"{block}: $ {command}\n--- the page\n{wanted}\n--- shown\n{shown}"
                )

    def close(self) -> None:
        """End what stays up, as Ctrl-C would; it must end well."""
        while self._stays:
            self._end(self._stays.pop())

    def _end(self, process: subprocess.Popen[str]) -> None:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode in (0, -signal.SIGTERM), f"{process.args} ended with {process.returncode}"

    def _do(self, command: str) -> tuple[int, str]:
        program, *words = shlex.split(command)
        if program == "curl":
            url = words[-1].replace(":8106", f":{self._admin_port}")
            return 0, httpx.get(url, trust_env=False).text
        if program == "sed":
            return self._sed(*words)
        assert program == "starpound", f"nobody knows how to run {program!r} here"
        if words[0] == "demo":
            words += ["--smpp-port", "0", "--http-port", "0", "--admin-port", "0"]
        if words[0] in ("dial", "sms"):
            words += self._simulator
        done = subprocess.run(
            [STARPOUND, *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        return done.returncode, done.stdout + (done.stderr if done.returncode else "")

    def _sed(self, flag: str, script: str, file: str) -> tuple[int, str]:
        """``sed -i s/this/that/ FILE``, for texts without dots and slashes."""
        before, after = re.fullmatch(r"s/([^/]+)/([^/]*)/", script).groups()
        text = (self.folder / file).read_text("utf-8")
        assert flag == "-i", flag
        assert before in text, f"{file} has no {before}"
        (self.folder / file).write_text(text.replace(before, after), "utf-8")
        return 0, ""

    def _start(self, command: str, block: Block) -> None:
        program, what, *words = shlex.split(command)
        assert (program, what) in STAY, f"{block}: {command} does not stay up"
        if "again" in block.words:
            self._end(self._stays.pop())
        (self._start_simulator if what == "sim" else self._start_gateway)(words)

    def _spawn(self, words: list[str], stream: str) -> subprocess.Popen[str]:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: subprocess.PIPE}
        process = subprocess.Popen([STARPOUND, *words], cwd=self.folder, text=True, **quiet)
        self._stays.append(process)
        return process

    def _start_simulator(self, words: list[str]) -> None:
        process = self._spawn(["sim", *words, "--smpp-port", "0", "--http-port", "0"], "stdout")
        said = process.stdout.readline()
        self._smpp_port = re.search(r"SMPP on 127\.0\.0\.1:(\d+)", said)[1]
        self._simulator = ["--sim", re.search(r"http://\S+", said)[0]]

    def _start_gateway(self, words: list[str]) -> None:
        file = self.folder / words[words.index("--config") + 1]
        text = file.read_text("utf-8").replace(":2775", f":{self._smpp_port}").replace(":8106", ":0")
        file.write_text(text if "[admin]" in text else f'{text}\n[admin]\nlisten = "127.0.0.1:0"\n', "utf-8")
        process = self._spawn(["serve", *words], "stderr")
        for line in _until(process, "link is bound"):
            if line.get("event") == "gateway is up":
                self._admin_port = str(line["admin_port"])
        assert remote.links(self._simulator[1]), "the gateway is not bound"


def _until(process: subprocess.Popen[str], event: str) -> Iterator[dict]:
    """The lines of a gateway's log up to that event."""
    latest = time.monotonic() + PATIENCE_S
    for line in process.stderr:
        assert line.startswith("{"), line
        told = json.loads(line)
        yield told
        if told["event"] == event:
            return
        assert time.monotonic() < latest, f"no {event!r} in the log"
    raise AssertionError(f"the gateway ended before {event!r}")


def _commands(text: str) -> Iterator[tuple[str, str]]:
    """Each command behind a ``$`` and what stands under it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output.rstrip("\n")


def _agree(wanted: str, shown: str) -> bool:
    """Whether they are the same; ``…`` stands for anything in a line, and alone in a line for any lines."""
    pattern = re.escape(_settled(wanted)).replace("…\\\n", "(?:.*\n)*?").replace("…", ".*")
    return re.fullmatch(pattern, _settled(shown)) is not None


def _settled(text: str) -> str:
    for pattern, name in _CHANGES:
        text = re.sub(pattern, name, text)
    return "\n".join(line.rstrip() for line in text.rstrip("\n").split("\n"))
