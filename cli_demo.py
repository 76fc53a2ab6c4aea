"""``starpound demo``: simulator, gateway and store in one process, and a conversation between them on the terminal.

The conversation goes through the simulator's control API, as everybody's does: what works here works by hand.
"""

import asyncio
import contextlib
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from gateway.terminal import PORT, Failure, about_ports

PHONE = "79260000003"
SUBSCRIBERS = 1000
LOGIN_SMS = r"Логин 9260000003, пароль \S{8,}"


@dataclass(frozen=True)
class Dialled:
    """A code, the answers to its screens, what the last screen must match, and the SMS that must follow, if any."""

    title: str
    code: str
    answers: tuple[str, ...]
    last: str
    sms: str = ""


@dataclass(frozen=True)
class Texted:
    """An SMS, and what the one that comes back must match."""

    title: str
    to: str
    text: str
    sms: str


CONVERSATION = (
    Dialled("A password for the web account", "*105*00#", ("",), "Пароль отправлен", LOGIN_SMS),
    Dialled("The balance", "*100#", (), r"На счёте [\d\s]+,\d\d руб"),
    Dialled(
        "An option: menu, catalogue, category, option, yes",
        "*105#",
        ("3", "2", "1", "1", "1"),
        "[Пп]одключен",
    ),
    Dialled("The same option by its number: is it on?", "*105*503*11*2#", (), "[Пп]одключен"),
    Texted("A new password by an empty SMS", "000110", "", LOGIN_SMS),
)

NEXT = """
It stays up. Open {url} in a browser, or try from another terminal:
  {me} dial '*105#' --from {phone}{sim}          walk the menu, answer as you go
  {me} sms 000105 ОСТАТОК --from {phone}{sim}    what is left in the packages
  {me} phone --from {phone}{sim}                 a phone in the terminal
  curl {admin}/healthz
Ctrl-C ends it.
"""


@click.command(short_help="Try it: simulator, gateway and a conversation.")
@click.option(
    "--once", is_flag=True, help="Play the conversation and end; exit status 0 when all went as it should."
)
@click.option(
    "--data",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the store in this folder.",
)
@click.option(
    "--smpp-port",
    default=2775,
    type=PORT,
    show_default=True,
    help="Simulator's port for ESMEs; 0 picks a free one.",
)
@click.option(
    "--http-port",
    default=8105,
    type=PORT,
    show_default=True,
    help="Simulator's control API; 0 picks a free one.",
)
@click.option(
    "--admin-port",
    default=8106,
    type=PORT,
    show_default=True,
    help="Gateway's admin page; 0 picks a free one.",
)
def demo(once: bool, folder: Path | None, smpp_port: int, http_port: int, admin_port: int) -> None:
    """Run simulator, gateway and store together on 127.0.0.1 and play a conversation.

    \b
    Example: starpound demo --once
    """
    from data.store import StoreError
    from gateway.daemon import StartError
    from smpp_sim.settings import SimulatorError

    try:
        right = asyncio.run(_demo(once, folder, smpp_port, http_port, admin_port))
    except (StartError, StoreError, SimulatorError) as error:
        raise Failure(about_ports(error, "--smpp-port", "--http-port", "--admin-port")) from error
    raise SystemExit(0 if right else 1)


@contextlib.contextmanager
def _store_folder(folder: Path | None) -> Iterator[Path]:
    if folder:
        yield folder
    else:
        with tempfile.TemporaryDirectory(prefix="starpound-demo-") as temporary:
            yield Path(temporary)


async def _demo(once: bool, folder: Path | None, smpp_port: int, http_port: int, admin_port: int) -> bool:
    from gateway.settings import Log
    from gateway.watch.logs import configure_logging

    configure_logging(Log(level="warning"))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with _store_folder(folder) as place:
        return await _run(once, f"sqlite:///{place / 'starpound.db'}", smpp_port, http_port, admin_port, stop)


async def _run(
    once: bool, url: str, smpp_port: int, http_port: int, admin_port: int, stop: asyncio.Event
) -> bool:
    from gateway.daemon import Gateway
    from smpp_sim.simulator import Simulator, SimulatorSettings

    await _seed(url)
    async with (
        Simulator(SimulatorSettings(smpp_port=smpp_port, http_port=http_port, smtp_port=0)) as simulator,
        Gateway(_settings(url, simulator.smpp_port, admin_port)) as gateway,
    ):
        await simulator.wait_bound("gw")
        admin = simulator.centre.gateway_admin = f"http://127.0.0.1:{gateway.admin_port}"
        click.echo(f"store      {url}, {SUBSCRIBERS} subscribers")
        click.echo(f"simulator  SMPP 127.0.0.1:{simulator.smpp_port}, phones {simulator.url}")
        click.echo(f"gateway    bound as gw, admin {admin}\n")
        # in the context of the command, which knows whether there are to be colours
        right = await asyncio.to_thread(click.get_current_context().invoke, _converse, simulator.url, stop)
        if not once and not stop.is_set():
            sim = "" if http_port == 8105 else f" --sim {simulator.url}"
            click.echo(NEXT.format(me=own_name(), url=simulator.url, phone=PHONE, sim=sim, admin=admin))
            await stop.wait()
    return right


def own_name() -> str:
    """What to type for this command: the folder of a virtual environment need not be on the PATH."""
    called = sys.argv[0]
    known = shutil.which("starpound") == str(Path(called).absolute())
    return "starpound" if known or Path(called).name != "starpound" else called


async def _seed(url: str) -> None:
    from data.opening import open_store
    from data.seed import seed

    store = open_store(url)
    try:
        await seed(store, SUBSCRIBERS)
    finally:
        await store.close()


def _settings(store: str, smpp_port: int, admin_port: int) -> Any:
    from gateway.settings import parse_settings

    link = {"name": "ussdc", "connect": f"127.0.0.1:{smpp_port}", "system_id": "gw", "password": "secret"}
    return parse_settings(
        {
            "store": store,
            "admin": {"listen": f"127.0.0.1:{admin_port}"},
            "links": [link | {"window": 64}],
            # whoever plays with it asks for more passwords than a subscriber may
            "service": {"password_issues_per_hour": 1000},
        }
    )


def _converse(url: str, stop: asyncio.Event) -> bool:
    """Play every step; whether all went as they should."""
    wrong = 0
    for step in CONVERSATION:
        if stop.is_set():
            return False
        click.secho(f"# {step.title}", bold=True)
        problem = _dial(url, step) if isinstance(step, Dialled) else _text(url, step)
        if problem:
            wrong += 1
            click.secho(f"  ✗ {problem}", fg="red")
        click.echo()
    total = len(CONVERSATION)
    click.secho(
        f"{total - wrong} of {total} steps as they should be", fg="red" if wrong else "green", bold=True
    )
    return not wrong


def _dial(url: str, step: Dialled) -> str:
    """What is wrong with what came, or nothing."""
    from smpp_sim import remote

    click.echo(f"> {step.code}")
    answers = iter(step.answers)

    def show(screen: Any) -> None:
        for line in screen.text.split("\n"):
            click.echo(f"  │ {line}")
        click.echo(
            click.style(f"  ╰─ {screen.kind} {screen.used}/{screen.allowed} {screen.alphabet}", dim=True)
        )

    def answer(_: Any) -> str | None:
        text = next(answers, None)
        if text is not None:
            click.echo(f"> {text or '(OK)'}")
        return text

    seen = remote.dial(url, PHONE, step.code, ask=answer, shown=show, wait_sms_s=5 if step.sms else 0)
    if seen.problem:
        return seen.problem
    if not re.search(step.last, seen.screens[-1].text):
        return f"the last screen should have said «{step.last}»"
    return _check_sms(seen.messages, step.sms) if step.sms else ""


def _text(url: str, step: Texted) -> str:
    from smpp_sim import remote

    click.echo(f"> SMS to {step.to}: {step.text or '(empty)'}")
    seen = remote.send_sms(url, PHONE, step.to, step.text)
    return seen.problem or _check_sms(seen.messages, step.sms)


def _check_sms(messages: Any, pattern: str) -> str:
    for message in messages:
        click.echo(f"  ✉ {message.sender}: {message.text}")
    if not any(re.search(pattern, message.text) for message in messages):
        return f"an SMS should have said «{pattern}»"
    return ""
