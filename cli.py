"""The command ``starpound``: parses, builds settings, calls one function.

Exit status: 0 done, 1 the answer is no (a wrong password, no answer, problems in a menu), 2 a wrong call or
something that must be put right first, said in one line.
"""

import asyncio
import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cli_demo import demo

# Everything else is imported where it is used: `starpound --help` need not load a gateway.


class Failure(click.ClickException):
    """One line for the person at the terminal, exit status 2."""

    exit_code = 2


def explained(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn the expected errors of every room into a `Failure`; anything else is a bug and shows its traceback."""

    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        from data.store import StoreError
        from gateway.daemon import StartError
        from gateway.settings import SettingsError
        from menus.problems import MenuError
        from smpp_sim.settings import SimulatorError

        try:
            return command(*args, **kwargs)
        except (StoreError, StartError, SettingsError, MenuError, SimulatorError) as error:
            raise Failure(str(error)) from error

    return wrapper


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="starpound")
def main() -> None:
    """A short-code gateway over SMPP, and a phone network to try it on.

    \b
    Try it:          starpound demo
    Run it:          starpound serve --config gateway.toml
    Without network: starpound sim, then starpound dial '*105#' --from 79260000003
    """


main.add_command(demo)


@main.command()
@click.option(
    "--config", "config", required=True, type=click.Path(dir_okay=False, path_type=Path), help="TOML file."
)
@explained
def serve(config: Path) -> None:
    """Run the gateway until SIGTERM or Ctrl-C.

    \b
    Example: starpound serve --config gateway.toml
    """
    from gateway.daemon import serve as run_gateway
    from gateway.logs import configure_logging
    from gateway.settings import read_settings

    settings = read_settings(config)
    configure_logging(settings.log)
    _run(run_gateway(settings))


@main.command()
@click.option("--smpp-port", default=2775, show_default=True, help="Port for ESMEs; 0 picks a free one.")
@click.option(
    "--http-port", default=8105, show_default=True, help="Port of the control API; 0 picks a free one."
)
@click.option("--system-id", default="gw", show_default=True, help="Who may bind.")
@click.option("--password", default="secret", show_default=True, help="The bind's password.")
@explained
def sim(smpp_port: int, http_port: int, system_id: str, password: str) -> None:
    """Run the simulator: an SMSC and USSD centre, and phones, until Ctrl-C.

    \b
    Example: starpound sim --smpp-port 2775
    """
    from smpp_sim.settings import Account, SimulatorSettings

    accounts = (Account(system_id, password),)
    _run(_simulate(SimulatorSettings(smpp_port=smpp_port, http_port=http_port, accounts=accounts)))


async def _simulate(settings: Any) -> None:
    from smpp_sim.simulator import Simulator

    simulator = Simulator(settings)
    await simulator.start()
    try:
        click.echo(
            f"SMPP on 127.0.0.1:{simulator.smpp_port}, control API on http://127.0.0.1:{simulator.http_port}"
        )
        await asyncio.Event().wait()
    finally:
        await simulator.stop()


@main.command()
@click.option("--store", "url", required=True, help="sqlite:///PATH")
@click.option("--subscribers", "count", required=True, type=click.IntRange(1), help="How many.")
@click.option("--first", default="79260000000", show_default=True, help="The first number.")
@explained
def seed(url: str, count: int, first: str) -> None:
    """Fill a store with subscribers: the same ones every time; every tenth is corporate.

    \b
    Example: starpound seed --store sqlite:///var/starpound.db --subscribers 1000
    """
    from data.seed import seed as seed_store
    from data.sqlite import open_store

    store = open_store(url)
    try:
        with click.progressbar(length=count, label="subscribers", file=sys.stderr) as bar:
            new = asyncio.run(
                seed_store(store, count, first, progress=lambda done: bar.update(done - bar.pos))
            )
    finally:
        asyncio.run(store.close())
    click.echo(f"{new} new subscribers, {first} to {int(first) + count - 1}, in {url}")


SIM = click.option("--sim", "url", default="http://127.0.0.1:8105", show_default=True, help="The simulator.")
FROM = click.option("--from", "msisdn", required=True, help="The phone's number.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@main.command()
@click.argument("code")
@FROM
@click.option("--answer", "answers", multiple=True, help="What the subscriber answers; '' is a bare OK. Repeatable.")
@SIM
@AS_JSON
@explained
def dial(code: str, msisdn: str, answers: tuple[str, ...], url: str, as_json: bool) -> None:
    """Dial CODE on a phone of the simulator. On a terminal and without --answer, answer as you go.

    \b
    Example: starpound dial '*105*00#' --from 79260000003 --answer ''
    """
    from smpp_sim.remote import dial as dial_on

    interactive = not answers and not as_json and sys.stdin.isatty() and sys.stdout.isatty()
    conversation = dial_on(url, msisdn, code)
    _show(next(conversation))
