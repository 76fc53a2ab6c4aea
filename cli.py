"""The command ``starpound``: parses, builds settings, calls one function.

Exit status: 0 done, 1 the answer is no (a wrong password, no answer, problems in a menu), 2 a wrong call or
something that must be put right first, said in one line.
"""

import asyncio
import dataclasses
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from cli_common import Amount, Failure, explained, printable, run, simulator
from cli_demo import demo
from cli_dialect import dialect
from cli_explain import explain_command
from cli_load import load
from cli_phone import phone
from cli_quarantine import quarantine
from cli_replay import replay
from cli_sim import sim

# Everything else is imported where it is used: `starpound --help` need not load a gateway.


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="starpound")
def main() -> None:
    """A short-code gateway over SMPP, and a phone network to try it on.

    \b
    Try it:          starpound demo
    Run it:          starpound serve --config gateway.toml
    Without network: starpound sim, then starpound dial '*105#' --from 79260000003
    """


for command in (demo, sim, phone, replay, load, dialect, explain_command, quarantine):
    main.add_command(command)


@main.command(short_help="Run the gateway.")
@click.option(
    "--config", "config", required=True, type=click.Path(dir_okay=False, path_type=Path), help="TOML file."
)
@explained
def serve(config: Path) -> None:
    """Run the gateway until SIGTERM or Ctrl-C.

    \b
    Example: starpound serve --config gateway.toml
    """
    from gateway.daemon import StartError
    from gateway.daemon import serve as run_gateway
    from gateway.logs import configure_logging
    from gateway.settings import read_settings

    settings = read_settings(config)
    configure_logging(settings.log)
    try:
        run(run_gateway(settings))
    except StartError as error:
        raise Failure(f"{config}: {error}") from error


@main.command(short_help="Fill a store with subscribers.")
@click.option("--store", "url", required=True, help="sqlite:///PATH")
@click.option("--subscribers", "count", required=True, type=click.IntRange(1), help="How many.")
@click.option(
    "--first",
    default=79_260_000_000,
    type=click.IntRange(100, 10**15 - 1),
    show_default=True,
    help="The first number.",
)
@explained
def seed(url: str, count: int, first: int) -> None:
    """Fill a store with subscribers: the same ones every time; every tenth is corporate.

    \b
    Example: starpound seed --store sqlite:///var/starpound.db --subscribers 1000
    """
    from data.seed import seed as seed_store
    from data.sqlite import open_store

    store = open_store(url)
    try:
        with click.progressbar(length=count, label="subscribers", file=sys.stderr) as bar:
            new = asyncio.run(seed_store(store, count, first, progress=partial(_advance, bar)))
    finally:
        asyncio.run(store.close())
    click.echo(f"{new} new subscribers, {first} to {first + count - 1}, in {url}")


def _advance(bar: Any, done: int) -> None:
    task = asyncio.current_task()
    if task and task.cancelling():  # Ctrl-C: all of it is one transaction, without an await to end it at
        raise asyncio.CancelledError
    bar.update(done - bar.pos)


FROM = click.option("--from", "msisdn", required=True, help="The phone's number.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@main.command()
@click.argument("code")
@FROM
@click.option(
    "--answer", "answers", multiple=True, help="What the subscriber answers; '' is a bare OK. Repeatable."
)
@simulator
@AS_JSON
@explained
def dial(code: str, msisdn: str, answers: tuple[str, ...], url: str, token: str, as_json: bool) -> None:
    """Dial CODE on a phone of the simulator. On a terminal and without --answer, answer as you go.

    \b
    Example: starpound dial '*105*00#' --from 79260000003 --answer ''
    """
    from smpp_sim.api import remote

    interactive = not answers and not as_json and sys.stdin.isatty() and sys.stdout.isatty()
    conversation = remote.dial(
        url,
        msisdn,
        code,
        answers,
        ask=_ask if interactive else None,
        shown=None if as_json else _show,
        token=token,
    )
    if not interactive and conversation.screens and conversation.screens[-1].kind == "ask":
        click.echo("the last question was not answered: the dialogue was cancelled; see --answer", err=True)
    _finish(conversation, as_json)


@main.command(short_help="Send an SMS from a phone of the simulator.")
@click.argument("to")
@click.argument("text", default="")
@FROM
@click.option(
    "--wait",
    "wait_s",
    default=5.0,
    type=Amount(0, 60),
    show_default=True,
    help="Seconds to wait for the SMS that comes back.",
)
@simulator
@AS_JSON
@explained
def sms(to: str, text: str, msisdn: str, wait_s: float, url: str, token: str, as_json: bool) -> None:
    """Send an SMS from a phone of the simulator to the short number TO; no TEXT is an empty SMS.

    \b
    Example: starpound sms 000110 --from 79260000003
    """
    from smpp_sim.api import remote

    texting = remote.send_sms(url, msisdn, to, text, wait_s=wait_s, token=token)
    if not as_json:
        for message in texting.messages:
            sender = click.style(f"SMS {printable(message.sender)}", bold=True)
            text = "\n".join(map(printable, message.text.splitlines()))
            click.echo(f"{sender}  {text}")
    _finish(texting, as_json)


def _show(screen: Any) -> None:
    """A screen as a phone has it, and how full it is."""
    length = click.style(f"{screen.used}/{screen.allowed} {screen.alphabet}", dim=True)
    for line in screen.text.splitlines() or [""]:
        click.echo(f"│ {printable(line)}")
    click.echo(f"╰─ {screen.kind} {length}")


def _ask(_: Any) -> str | None:
    """What the person at the terminal answers; None (Ctrl-D) cancels the dialogue."""
    try:
        return input("> ")
    except EOFError:
        click.echo()
        return None


def _finish(seen: Any, as_json: bool) -> None:
    """Print what was seen as JSON if asked to; exit status 1 when no answer came."""
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(seen), ensure_ascii=False, indent=2))
    elif seen.problem:
        click.echo(seen.problem, err=True)
    if seen.problem:
        raise SystemExit(1)


@main.group()
def menu() -> None:
    """Look at a menu file."""


MENU_FILE = click.argument("file", required=False, type=click.Path(dir_okay=False))


@menu.command(short_help="Find the faults of a menu file.")
@MENU_FILE
@explained
def check(file: str | None) -> None:
    """Check FILE (left out: the self-care menu) against the operations; exit status 1 when it has problems.

    \b
    Example: starpound menu check my-menu.yaml
    """
    from gateway.daemon import SELFCARE
    from handlers import registry
    from menus.loader import examine

    registry.load_all()
    path = file or SELFCARE
    problems = examine(path, registry.OPERATIONS, registry.JOBS)
    for problem in problems:
        click.echo(str(problem), err=True)
    click.echo(
        f"{path}: {len(problems) or 'no'} problem{'' if len(problems) == 1 else 's'}", err=bool(problems)
    )
    raise SystemExit(1 if problems else 0)


@menu.command(short_help="Draw a menu file as a Mermaid flowchart.")
@MENU_FILE
@explained
def graph(file: str | None) -> None:
    """Print the graph of FILE (left out: the self-care menu) as a Mermaid flowchart.

    \b
    Example: starpound menu graph > menu.mmd
    """
    from gateway.daemon import load_menu
    from menus.diagram import diagram

    click.echo(diagram(load_menu(file)))


@main.group()
def password() -> None:
    """Passwords of the web account."""


@password.command(short_help="Say whether a password is the right one.")
@click.option("--store", "url", required=True, help="sqlite:///PATH")
@click.argument("msisdn")
@explained
def verify(url: str, msisdn: str) -> None:
    """Read a password from standard input; exit status 0 when it is the right one for MSISDN, 1 when not.

    \b
    Example: starpound password verify --store sqlite:///var/starpound.db 79260000003 < password.txt
    """
    from data.sqlite import open_store
    from handlers.password import verify as is_right

    given = sys.stdin.readline().rstrip("\n")

    async def ask() -> bool:
        store = open_store(url, create=False)
        try:
            return await is_right(store, msisdn, given)
        finally:
            await store.close()

    right = asyncio.run(ask())
    click.echo("right" if right else "wrong")
    raise SystemExit(0 if right else 1)


if __name__ == "__main__":
    main()
