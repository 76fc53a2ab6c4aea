"""The command ``starpound sim``: the simulator until Ctrl-C, from a file, from options, or both."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from cli_common import PORT, Failure, explained, run

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
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
@explained
def sim(config: Path | None, **options: Any) -> None:
    """Run the simulator: an SMSC and USSD centre, and phones, until Ctrl-C.

    \b
    Example: starpound sim --smpp-port 2775
    """
    from smpp_sim.config import read_config
    from smpp_sim.settings import SimulatorSettings

    settings = read_config(config) if config else SimulatorSettings()
    given = {name: value for name, value in options.items() if value is not None}
    settings = replace(settings, **_account(settings, given), **_tls(given), **_addresses(given))
    run(_simulate(settings))


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


async def _simulate(settings: Any) -> None:
    from smpp_sim.simulator import Simulator

    simulator = Simulator(settings)
    await simulator.start()
    try:
        click.echo(_where(simulator))
        await asyncio.Event().wait()
    finally:
        await simulator.stop()


def _where(simulator: Any) -> str:
    secure = " with TLS" if simulator.settings.tls else ""
    mailbox = f", mailbox on port {simulator.smtp_port}" if simulator.smtp_port else ""
    host = simulator.settings.smpp_host
    return f"SMPP{secure} on {host}:{simulator.smpp_port}, control API on {simulator.url}{mailbox}"
