"""The ESMEs that are loaded: how each is started, what it can answer, why it may be missing.

Each binds to the load generator's port. Those of others answer a fixed text and keep nothing, with every
setting of theirs that makes them faster; starpound does its whole work on its store.
"""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TypeAlias

from processes import finished, running

PEERS = Path(__file__).resolve().parent / "peers"
NODE_MODULES = PEERS.parent.parent / "tests/peers/node/node_modules"
FIRST_MSISDN = 79260000000
# More than the largest window of the load, so that nobody is throttled by a setting.
STARPOUND_WINDOW = 1024
# What bearerbox receives before smsbox is there waits for a second: that is its start, not its speed.
SMSBOX_S = 1.0

Groups: TypeAlias = list[int]
Start: TypeAlias = Callable[[Path, int], contextlib.AbstractAsyncContextManager[Groups]]


@dataclass(frozen=True)
class Answerer:
    """One ESME of the benchmark.

    ``missing`` returns why it cannot run here, or None; ``start(work, port)`` binds it to the load on
    ``port`` for the time of the block and gives its process groups; ``scripts`` are those it can answer.
    """

    name: str
    title: str
    scripts: tuple[str, ...]
    missing: Callable[[], str | None]
    start: Start


def _needs(*tools: str, hint: str) -> Callable[[], str | None]:
    def missing() -> str | None:
        lacking = [tool for tool in tools if _which(tool) is None]
        return f"{', '.join(lacking)} not found ({hint})" if lacking else None

    return missing


def _which(tool: str) -> str | None:
    """Find a program, also where Debian keeps its daemons, which is not on everybody's PATH."""
    return shutil.which(tool, path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin")))


@contextlib.asynccontextmanager
async def _one(work: Path, *command: str) -> AsyncIterator[Groups]:
    async with running(command, work / "answerer.log") as process:
        yield [process.pid]


# --- the ceiling of the load generator


async def _compiled(work: Path, source: str, *options: str) -> Path:
    target = work / source.replace(".c", "")
    if not target.exists():
        cc = _which("cc") or "cc"
        await finished([cc, "-O2", *options, "-o", str(target), str(PEERS / source)], work / "cc.log")
    return target


@contextlib.asynccontextmanager
async def _ceiling(work: Path, port: int) -> AsyncIterator[Groups]:
    program = await _compiled(work, "answerer.c")
    async with _one(work, str(program), str(port)) as groups:
        yield groups


# --- node-smpp, smpplib


def _node_missing() -> str | None:
    absent = _needs("node", hint="install nodejs")()
    if absent is None and not (NODE_MODULES / "smpp").is_dir():
        absent = "the npm package smpp is not installed (tests/provide node)"
    return absent


def _node(*arguments: str) -> Start:
    @contextlib.asynccontextmanager
    async def start(work: Path, port: int) -> AsyncIterator[Groups]:
        command = (_which("node") or "node", str(PEERS / "node_answerer.js"), str(port), *arguments)
        async with running(command, work / "answerer.log", {"NODE_PATH": str(NODE_MODULES)}) as process:
            yield [process.pid]

    return start


@contextlib.asynccontextmanager
async def _smpplib(work: Path, port: int) -> AsyncIterator[Groups]:
    async with _one(work, sys.executable, str(PEERS / "smpplib_answerer.py"), str(port)) as groups:
        yield groups


# --- Kannel


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _kannel_settings(work: Path, port: int, box: int) -> Path:
    admin, sendsms = _free_ports(2)
    values = {"@SMSC@": port, "@ADMIN@": admin, "@BOX@": box, "@SENDSMS@": sendsms}
    text = (PEERS / "kannel.conf").read_text()
    for mark, value in values.items():
        text = text.replace(mark, str(value))
    target = work / "kannel.conf"
    target.write_text(text)
    return target


def _kannel(*, nodelay: bool) -> Start:
    @contextlib.asynccontextmanager
    async def start(work: Path, port: int) -> AsyncIterator[Groups]:
        [box_port] = _free_ports(1)
        settings = str(_kannel_settings(work, port, box_port))
        environment = {}
        if nodelay:
            library = await _compiled(work, "nodelay.c", "-shared", "-fPIC")
            environment["LD_PRELOAD"] = str(library)
        bearerbox, smsbox = (_which(box) or box for box in ("bearerbox", "smsbox"))
        async with contextlib.AsyncExitStack() as boxes:
            groups = []
            for box in (bearerbox, smsbox):
                log = work / f"{Path(box).name}.log"
                # -v 4: nothing on standard error below a panic, which costs more than the work otherwise.
                process = await boxes.enter_async_context(
                    running([box, "-v", "4", settings], log, environment)
                )
                groups.append(process.pid)
                if box == bearerbox:
                    await _listening(box_port)
            await asyncio.sleep(SMSBOX_S)
            yield groups

    return start


async def _listening(port: int) -> None:
    """Wait until bearerbox takes smsbox's connection: smsbox does not try twice."""
    for _ in range(100):
        with contextlib.suppress(ConnectionRefusedError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.05)


# --- starpound


def starpound_command() -> str:
    """Return the installed command that belongs to this interpreter."""
    return str(Path(sys.executable).with_name("starpound"))


def _starpound_missing() -> str | None:
    return None if Path(starpound_command()).exists() else "the command starpound is not installed (make)"


def versions() -> str:
    """Return what the others are, as far as they say so: "node-smpp 0.5.1, smpplib 2.2.4, …"."""
    found = {name: metadata.version(name) for name in ("smpplib", "smpp34")}
    with contextlib.suppress(OSError, ValueError):
        found["node-smpp"] = json.loads((NODE_MODULES / "smpp/package.json").read_text())["version"]
    with contextlib.suppress(OSError):
        found["Node.js"] = _said("node", "--version")
        found["Kannel"] = _said("bearerbox", "--version").rpartition("version `")[2].partition("'")[0]
    return ", ".join(f"{name} {version}" for name, version in found.items() if version)


def _said(tool: str, option: str) -> str:
    told = subprocess.run(
        [_which(tool) or tool, option], capture_output=True, text=True, timeout=10, check=False
    )
    return (told.stdout or told.stderr).strip()


async def seed(store: Path, subscribers: int, log: Path) -> None:
    """Fill a new store; ChildFailed when it cannot be."""
    numbers = ("--subscribers", str(subscribers), "--first", str(FIRST_MSISDN))
    await finished([starpound_command(), "seed", "--store", f"sqlite:///{store}", *numbers], log)


def _starpound_settings(store: Path, port: int) -> str:
    return f"""\
store = "sqlite:///{store}"
[admin]
listen = "127.0.0.1:0"
[[links]]
name = "load"
role = "esme"
connect = "127.0.0.1:{port}"
system_id = "gw"
password = "secret"
bind = "transceiver"
dialect = "spec"
window = {STARPOUND_WINDOW}
"""


@contextlib.asynccontextmanager
async def _starpound(work: Path, port: int) -> AsyncIterator[Groups]:
    settings = work / "starpound.toml"
    settings.write_text(_starpound_settings(work / "starpound.db", port))
    async with _one(work, starpound_command(), "serve", "--config", str(settings)) as groups:
        yield groups


_CC = _needs("cc", hint="install gcc")
_KANNEL = _needs("bearerbox", "smsbox", hint="install Debian's kannel")


def _preloaded_kannel_missing() -> str | None:
    return _KANNEL() or _CC()


_USSD = ("single", "five")
_NODELAY = "Kannel, TCP_NODELAY forced"

STARPOUND = Answerer("starpound", "**starpound**", (*_USSD, "sms"), _starpound_missing, _starpound)
EVERYONE = (
    Answerer("ceiling", "the load's own ceiling", _USSD, _CC, _ceiling),
    STARPOUND,
    Answerer("node", "node-smpp", (*_USSD, "sms"), _node_missing, _node()),
    Answerer("node-corked", "node-smpp, socket corked", (*_USSD, "sms"), _node_missing, _node("corked")),
    Answerer("smpplib", "smpplib", ("sms",), lambda: None, _smpplib),
    Answerer("kannel", "Kannel", ("sms",), _KANNEL, _kannel(nodelay=False)),
    Answerer("kannel-nodelay", _NODELAY, ("sms",), _preloaded_kannel_missing, _kannel(nodelay=True)),
)
