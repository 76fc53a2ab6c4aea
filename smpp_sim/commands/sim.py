"""The command ``starpound sim``: the simulator until Ctrl-C, from a file, from options, or both; or a scenario."""

import asyncio
import json
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from gateway.terminal import PORT, Amount, Failure, about_ports, run
from smpp_sim.commands import explained

FILE = click.Path(dir_okay=False, path_type=Path)
_PROGRESS_S = 5.0


@click.command(short_help="Run the simulator.")
@click.option("--config", "config", type=FILE, help="TOML file; the other options win over it.")
@click.option("--smpp-port", type=PORT, help="Port for ESMEs; 0 picks a free one.  [default: 2775]")
@click.option("--http-port", type=PORT, help="Port of the control API; 0 picks a free one.  [default: 8105]")
@click.option(
    "--mailbox-port", type=PORT, help="Port of an SMTP server that keeps what it gets; 0: a free one."
)
@click.option("--system-id", help="Who may bind.  [default: gw]")
@click.option("--password", help="The bind's password.  [default: secret]")
@click.option("--dialect", help="USSD dialect: a name, or the path of a profile.  [default: spec]")
@click.option("--token", help="Bearer token of the control API.")
@click.option("--tls-cert", type=FILE, help="TLS on the SMPP port: certificate, PEM.")
@click.option("--tls-key", type=FILE, help="Its private key, PEM, unless it stands in the same file.")
@click.option("--scenario", "scenario", type=FILE, help="YAML file: who dials what, and what goes wrong.")
@click.option("--seed", type=int, help="Where its chance begins, instead of its own seed.")
@click.option("--speed", type=Amount(min=0, min_open=True), help="Play it so many times as fast.")
@click.option("--once", is_flag=True, help="End with the scenario: 0 if all is as it expects, else 1.")
@click.option("--json", "as_json", is_flag=True, help="The scenario's summary as JSON.")
@click.option(
    "--child",
    is_flag=True,
    help="For a program that starts it: print where it listens as a line of JSON, end with standard input.",
)
@click.option(
    "--wait",
    "wait_s",
    default=60.0,
    type=Amount(0),
    help="Seconds that ESMEs have for their bind.",
    show_default=True,
)
@explained
def sim(
    config: Path | None,
    scenario: Path | None,
    seed: int | None,
    speed: float | None,
    once: bool,
    as_json: bool,
    child: bool,
    wait_s: float,
    **options: Any,
) -> None:
    """Run the simulator: an SMSC and USSD centre, and phones, until Ctrl-C.

    \b
    Example: starpound sim --smpp-port 2775
    Example: starpound sim --scenario examples/scenarios/lost-responses.yaml --once
    """
    from smpp_sim.config import read_config
    from smpp_sim.settings import SimulatorSettings

    settings = read_config(config) if config else SimulatorSettings()
    given = {name: value for name, value in options.items() if value is not None}
    settings = replace(settings, **_account(settings, given), **_tls(given), **_addresses(given))
    if scenario is None:
        if once or as_json or speed or seed is not None:
            raise Failure(
                "--seed, --speed, --once and --json are for a scenario; name one with --scenario FILE"
            )
        _run(_until_eof(_simulate(settings, _where_as_json)) if child else _simulate(settings, _where))
        return
    if child:
        raise Failure("--child is for a simulator without a scenario")
    play = _Play(scenario, seed, speed or 1.0, once, as_json, wait_s)
    _run(play.run(settings))
    if once and not play.good:
        raise click.exceptions.Exit(1)


def _run(work: Coroutine[Any, Any, None]) -> None:
    from smpp_sim.settings import SimulatorError

    try:
        run(work)
    except SimulatorError as error:
        raise Failure(about_ports(error, "--smpp-port", "--http-port", "--mailbox-port")) from error


async def _until_eof(work: Coroutine[Any, Any, None]) -> None:
    """Do it until standard input ends, then end it as Ctrl-C does."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task
    end = partial(loop.call_soon_threadsafe, task.cancel)
    threading.Thread(target=_read_to_eof, args=(end,), name="standard input", daemon=True).start()
    await work


def _read_to_eof(end: Callable[[], object]) -> None:
    """A thread can wait for the end of whatever standard input is; not every loop can. A pipe ends with its writer."""
    with suppress(OSError):
        while sys.stdin and os.read(sys.stdin.fileno(), 4096):
            pass
    end()


def _addresses(given: dict[str, Any]) -> dict[str, Any]:
    names = {
        "smpp_port": "smpp_port",
        "http_port": "http_port",
        "mailbox_port": "smtp_port",
        "token": "http_token",
    }
    return {names[name]: value for name, value in given.items() if name in names}


def _account(settings: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The one account, changed by options; with several, the file has to say which is which."""
    changes = {name: given[name] for name in ("system_id", "password", "dialect") if name in given}
    if not changes:
        return {}
    if len(settings.accounts) != 1:
        raise Failure("--system-id, --password and --dialect are for one account; this file has several")
    return {"accounts": (replace(settings.accounts[0], **changes),)}


def _tls(given: dict[str, Any]) -> dict[str, Any]:
    from smpp_sim.settings import ServerTls

    if "tls_cert" not in given:
        if "tls_key" in given:
            raise Failure("--tls-key without --tls-cert")
        return {}
    return {"tls": ServerTls(certificate=str(given["tls_cert"]), key=str(given.get("tls_key", "")))}


async def _simulate(settings: Any, where: Callable[[Any], str]) -> None:
    from smpp_sim.simulator import Simulator

    simulator = Simulator(settings)
    await simulator.start()
    try:
        click.echo(where(simulator))
        await asyncio.Event().wait()
    finally:
        await simulator.stop()


class _Play:
    """A scenario at the terminal. `good` says whether it came out as it should."""

    def __init__(self, path: Path, seed: int | None, speed: float, once: bool, as_json: bool, wait_s: float):
        from smpp_sim.scenarios.file import read_scenario
        from smpp_sim.scenarios.scenario import quickened

        self.scenario = quickened(read_scenario(path), speed)
        self.good = False
        self._seed, self._once, self._as_json, self._wait_s = seed, once, as_json, wait_s

    async def run(self, settings: Any) -> None:
        """Wait for a bind, play, tell, also when it is interrupted, and stay unless it is to be once."""
        from smpp_sim.scenarios.run import ScenarioRun, settings_for
        from smpp_sim.simulator import Simulator

        async with Simulator(settings_for(self.scenario, settings)) as simulator:
            self._say(_where(simulator))
            await self._bound(simulator)
            scene = ScenarioRun(simulator.centre, self.scenario, self._seed)
            summary = scene.summary
            self._say(f"bound; {summary.title or 'the scenario'} begins, {self.scenario.duration_s:g} s")
            telling = asyncio.create_task(self._tell(summary))
            try:
                await scene.run()
            finally:
                telling.cancel()
                self.good = summary.good
                told = json.dumps(summary.as_dict(), ensure_ascii=False) if self._as_json else str(summary)
                click.echo(told)
            if not self._once:
                await asyncio.Event().wait()

    async def _bound(self, simulator: Any) -> None:
        from smpp_sim.centre.held_phone import NothingCame

        waiting = [account.system_id for account in simulator.settings.accounts if not account.outbind]
        self._say(f"waiting for {', '.join(waiting)} to bind")
        try:
            for system_id in waiting:
                await simulator.wait_bound(system_id, self._wait_s)
        except NothingCame as problem:
            raise Failure(f"{problem}; start the gateway, or give it longer with --wait") from None

    async def _tell(self, summary: Any) -> None:
        while True:
            await asyncio.sleep(_PROGRESS_S)
            done = ", ".join(f"{count} {name}" for name, count in sorted(summary.outcomes.items()))
            self._say(
                f"  {summary.begun} visits begun: {done or 'none over'}; {summary.faults.total()} faults"
            )

    def _say(self, line: str) -> None:
        """Beside the summary, which alone goes to standard output as JSON."""
        click.echo(line, err=self._as_json)


def _where(simulator: Any) -> str:
    secure = " with TLS" if simulator.settings.tls else ""
    mailbox = f", mailbox on port {simulator.smtp_port}" if simulator.smtp_port else ""
    host = simulator.settings.smpp_host
    return f"SMPP{secure} on {host}:{simulator.smpp_port}, phones on {simulator.url}{mailbox}"


def _where_as_json(simulator: Any) -> str:
    """For the program that has started it, in one line."""
    where = {
        "smpp_host": simulator.settings.smpp_host,
        "smpp_port": simulator.smpp_port,
        "url": simulator.url,
        "smtp_port": simulator.smtp_port,
    }
    return json.dumps(where)
