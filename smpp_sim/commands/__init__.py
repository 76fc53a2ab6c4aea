"""The commands of the simulator, a module each; what they import they import where they use it."""

from collections.abc import Callable
from typing import Any

import click

from gateway.terminal import explaining


def _expected() -> tuple[type[Exception], ...]:
    from gateway.dialect import DialectError
    from smpp_sim.settings import SimulatorError

    return SimulatorError, DialectError


explained = explaining(_expected)
"""Decorates a command: what may be expected to go wrong is one line."""

_SIM = click.option(
    "--sim",
    "url",
    default="http://127.0.0.1:8105",
    show_default=True,
    envvar="STARPOUND_SIM",
    help="The simulator.  [env: STARPOUND_SIM]",
)
_TOKEN = click.option(
    "--token",
    default="",
    envvar="STARPOUND_SIM_TOKEN",
    help="Its bearer token, if it wants one.  [env: STARPOUND_SIM_TOKEN]",
)


def simulator(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a command that uses a simulator: ``url`` and ``token``."""
    return _SIM(_TOKEN(command))
