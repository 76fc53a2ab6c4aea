"""The command ``starpound``: gathers what ``gateway/commands`` and ``smpp_sim/commands`` hold, and the demo of both.

Exit status: 0 done, 1 the answer is no (a wrong password, no answer, problems in a menu), 2 a wrong call or
something that must be put right first, said in one line.
"""

import platform
import sqlite3

import click

from cli_demo import demo
from gateway.commands.dialect import dialect
from gateway.commands.explain import explain_command
from gateway.commands.jobs import jobs
from gateway.commands.menu import menu
from gateway.commands.password import password
from gateway.commands.quarantine import quarantine
from gateway.commands.seed import seed
from gateway.commands.serve import serve
from gateway.terminal import plain
from smpp_sim.commands.dial import dial, sms
from smpp_sim.commands.load import load
from smpp_sim.commands.phone import phone
from smpp_sim.commands.replay import replay
from smpp_sim.commands.sim import sim


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(
    package_name="starpound",
    message=f"%(prog)s, version %(version)s (Python {platform.python_version()}, SQLite {sqlite3.sqlite_version})",
)
@click.pass_context
def main(context: click.Context) -> None:
    """A short-code gateway over SMPP, and a phone network to try it on.

    \b
    Try it:          starpound demo
    Run it:          starpound serve --config gateway.toml
    Without network: starpound sim, then starpound dial '*105#' --from 79260000003

    NO_COLOR in the environment: no colours.
    """
    if plain():
        context.color = False


for command in (
    demo,
    serve,
    seed,
    sim,
    dial,
    sms,
    phone,
    replay,
    load,
    menu,
    password,
    dialect,
    explain_command,
    quarantine,
    jobs,
):
    main.add_command(command)


if __name__ == "__main__":
    main()
