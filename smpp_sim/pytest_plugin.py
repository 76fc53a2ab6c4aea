"""Fixtures for pytest: `smsc`, a running simulator, and `phone`, a phone on it. See docs/how-to/test-with-pytest.md.

Everybody who has starpound installed has this plugin, so that it imports nothing until a test asks for a fixture.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from smpp_sim.settings import SimulatorSettings
    from smpp_sim.testing.held_phone import HeldPhone
    from smpp_sim.testing.smsc import Smsc

_OPTIONS = {
    "system_id": ("gw", "name that the application binds with"),
    "password": ("secret", "its password"),
    "dialect": ("spec", "USSD dialect towards the application: a name, or the path of a profile"),
    "smpp_port": ("0", "port for the application; 0: a free one"),
    "phone": ("79260000003", "number of the phone that the fixture `phone` is"),
    "timeout": ("5", "seconds to wait for a screen or an SMS"),
    "scope": ("function", "how long one simulator lives: function, module, session"),
}
_SCOPES = ("function", "class", "module", "package", "session")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The settings in pytest.ini, each with ``starpound_`` before its name."""
    for name, (default, words) in _OPTIONS.items():
        parser.addini(f"starpound_{name}", f"starpound simulator: {words} ({default})", default=default)


def pytest_configure(config: pytest.Config) -> None:
    """The marker."""
    config.addinivalue_line(
        "markers", "starpound(**account): settings of the simulator's account, e.g. dialect='eyeline'"
    )


def _scope(fixture_name: str, config: pytest.Config) -> str:
    scope = _option(config, "scope")
    if scope not in _SCOPES:
        raise pytest.UsageError(f"starpound_scope: no {scope!r}; there are {', '.join(_SCOPES)}")
    return scope


@pytest.fixture(scope=_scope)
def smsc_settings(request: pytest.FixtureRequest) -> "SimulatorSettings":
    """Settings of the simulator: from pytest.ini and the marker `starpound`. Override it for all others."""
    from smpp_sim.settings import Account, SimulatorError, SimulatorSettings

    account: dict[str, Any] = {
        name: _option(request.config, name) for name in ("system_id", "password", "dialect")
    }
    marker = request.node.get_closest_marker("starpound")
    try:
        accounts = (Account(**account | (marker.kwargs if marker else {})),)
    except (SimulatorError, TypeError) as problem:
        raise pytest.UsageError(f"starpound: {problem}") from None
    port = int(_number(request.config, "smpp_port"))
    return SimulatorSettings(smpp_port=port, http_port=0, smtp_port=0, accounts=accounts)


@pytest.fixture(scope=_scope)
def smsc(request: pytest.FixtureRequest, smsc_settings: "SimulatorSettings") -> "Iterator[Smsc]":
    """A running SMSC and USSD centre with phones; `smsc.host`, `smsc.port` say where to bind."""
    from smpp_sim.testing.smsc import Smsc

    timeout_s = _number(request.config, "timeout")
    with Smsc(smsc_settings, timeout_s=timeout_s, default_phone=_option(request.config, "phone")) as running:
        yield running


@pytest.fixture
def phone(smsc: "Smsc") -> "Iterator[HeldPhone]":
    """A phone; called with a number it is another one: ``phone("79260000004")``."""
    held = smsc.phone()
    yield held
    held.put_down()


def _option(config: pytest.Config, name: str) -> str:
    return config.getini(f"starpound_{name}").strip()


def _number(config: pytest.Config, name: str) -> float:
    given = _option(config, name)
    try:
        return float(given)
    except ValueError:
        raise pytest.UsageError(f"starpound_{name}: {given!r} is no number") from None
