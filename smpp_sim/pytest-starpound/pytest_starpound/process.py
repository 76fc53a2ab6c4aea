"""A process of ``starpound sim``, on free ports."""

import json
import os
import select
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

START_S = 30.0
"""Seconds that the start may take; far more than it does."""
STOP_S = 30.0
"""Seconds that the end may take; then it is killed."""
LOG_LINES = 10
"""Lines of the simulator's log in the message of a failure."""

_FREE_PORTS = {"smpp_port": 0, "http_port": 0, "smtp_port": 0}
_OF_THIS_PYTHON = ("PYTHONPATH", "PYTHONHOME")
"""Variables by which a starpound that lives elsewhere would import modules of the project that is tested."""


class StarpoundError(Exception):
    """There is no simulator, or it does not do what it is told; one clear sentence."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a simulator listens: SMPP, its control API, and its mailbox, if it has one."""

    smpp_host: str
    smpp_port: int
    url: str
    smtp_port: int | None


class Process:
    """`start` it, then `place` says where it listens; `stop` it. It also ends with the process that started it.

    `settings` are those of the simulator's file; `command` starts starpound, and may have several words.
    """

    def __init__(self, command: str, settings: Mapping[str, Any]):
        self._command, self._settings = command, settings
        self._held = ExitStack()
        self._process: subprocess.Popen[str] | None = None
        self._log: Path | None = None
        self.place = Listening("", 0, "", None)

    @property
    def running(self) -> bool:
        """Whether it is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait until it listens. Raises `StarpoundError`, and then nothing is left."""
        words = found(self._command)
        folder = Path(self._held.enter_context(TemporaryDirectory(prefix="starpound-")))
        file, self._log = folder / "sim.toml", folder / "sim.log"
        file.write_text(as_toml(_FREE_PORTS | dict(self._settings)), "utf-8")
        command = [*words, "sim", "--config", str(file), "--child"]
        self._process = self._held.enter_context(_started(command, self._log))
        self._held.callback(_end, self._process)
        try:
            self.place = Listening(**json.loads(_first_line(self._process)))
        except (ValueError, TypeError):
            raise StarpoundError(f"{self._command} sim: {self._why_not()}") from None

    def stop(self) -> None:
        """Let it unbind everybody and end; harmless when it has ended already."""
        self._held.close()

    def log(self) -> list[str]:
        """The last lines of its log."""
        if self._log is None or not self._log.exists():
            return []
        return self._log.read_text("utf-8", "replace").splitlines()[-LOG_LINES:]

    def output(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """What another command of starpound says, once it is over."""
        command = [*found(self._command), *words]
        return subprocess.run(  # noqa: S603 - the author of the tests says what starpound is
            command, env=_environment(), capture_output=True, text=True, check=False
        )

    def _why_not(self) -> str:
        assert self._process, "it was started"
        self._process.kill()
        self._process.wait()
        log = self.log()
        self.stop()
        return (
            log[-1].removeprefix("Error: ")
            if log
            else f"it did not say within {START_S:g} s where it listens"
        )


def _started(command: list[str], log: Path) -> "subprocess.Popen[str]":
    """Its standard input is what it hangs by: it ends when nobody holds the other end of that pipe any more."""
    with log.open("w", encoding="utf-8") as said:
        return subprocess.Popen(  # noqa: S603 - the author of the tests says what starpound is
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            env=_environment(),
        )


def _end(process: "subprocess.Popen[str]") -> None:
    assert process.stdin, "it is a pipe"
    process.stdin.close()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()


def found(command: str) -> list[str]:
    """The words of a command, the first as a path: beside this Python, else on PATH. Raises `StarpoundError`."""
    name, *rest = shlex.split(command) or [""]
    beside = os.path.dirname(sys.executable)
    path = shutil.which(name, path=os.pathsep.join([beside, os.environ.get("PATH", os.defpath)]))
    if path is None:
        raise StarpoundError(
            f"there is no command {name!r} beside {sys.executable} or on PATH: install starpound (an environment of "
            "its own will do), or say where it is: starpound_command in pytest.ini, or the variable STARPOUND_COMMAND"
        )
    return [path, *rest]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _OF_THIS_PYTHON}


def as_toml(settings: Mapping[str, Any]) -> str:
    """Settings as a TOML file. Raises `StarpoundError` for a value that it has no word for."""
    try:
        return "".join(f"{_toml(name)} = {_toml(value)}\n" for name, value in settings.items())
    except TypeError as problem:
        raise StarpoundError(f"settings: {problem}") from None


def _toml(value: object) -> str:
    """A table or a list in one line; what is left, JSON writes as TOML does."""
    match value:
        case Mapping():
            return "{" + ", ".join(f"{_toml(name)} = {_toml(one)}" for name, one in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _first_line(process: "subprocess.Popen[str]") -> str:
    """The first thing that it prints; empty when it ends without, or takes too long."""
    assert process.stdout, "it is a pipe"
    ready, _, _ = select.select([process.stdout], [], [], START_S)
    return process.stdout.readline() if ready else ""
