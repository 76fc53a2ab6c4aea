"""Fixtures for pytest: `smsc`, a running simulator, and `phone`, a phone on it. See docs/how-to/test-with-pytest.md.

Everybody who has starpound installed has this plugin, so that it imports nothing until a test asks for a fixture.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

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
    "scope": ("function", "how long one simulator lives: function, class, module, package, session"),
}
_SCOPES = ("function", "class", "module", "package", "session")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The settings in pytest.ini, each with ``starpound_`` before its name."""
    for name, (default, words) in _OPTIONS.items():
        parser.addini(f"starpound_{name}", f"starpound simulator: {words} ({default})", default=default)


def pytest_configure(config: pytest.Config) -> None:
    """The marker; and the one setting that pytest needs before any fixture runs."""
    if (scope := _option(config, "scope")) not in _SCOPES:
        raise pytest.UsageError(f"starpound_scope: no {scope!r}; there are {', '.join(_SCOPES)}")
    config.addinivalue_line(
        "markers", "starpound(**account): settings of the simulator's account, e.g. dialect='eyeline'"
    )


def _scope(fixture_name: str, config: pytest.Config) -> str:
    return _option(config, "scope")


@pytest.fixture(scope=_scope)
def smsc_settings(request: pytest.FixtureRequest) -> "SimulatorSettings":
    """Settings of the simulator: from pytest.ini and the marker `starpound`. Override it for all others."""
    from pydantic import TypeAdapter, ValidationError

    from gateway.validation import explain
    from smpp_sim.settings import Account, SimulatorError, SimulatorSettings

    marker = request.node.get_closest_marker("starpound")
    account = {name: _option(request.config, name) for name in ("system_id", "password", "dialect")}
    try:
        accepted = TypeAdapter(Account).validate_python(account | (marker.kwargs if marker else {}))
    except ValidationError as problem:
        _refuse(f"starpound: {explain(problem, Account)}")
    except SimulatorError as problem:
        _refuse(f"starpound: {problem}")
    port = int(_number(request.config, "smpp_port"))
    return SimulatorSettings(smpp_port=port, http_port=0, smtp_port=0, accounts=(accepted,))


@pytest.fixture(scope=_scope)
def smsc(request: pytest.FixtureRequest, smsc_settings: "SimulatorSettings") -> "Iterator[Smsc]":
    """A running SMSC and USSD centre with phones; `smsc.host`, `smsc.port` say where to bind."""
    from gateway.dialect import DialectError
    from smpp_sim.settings import SimulatorError
    from smpp_sim.testing.smsc import Smsc

    timeout_s = _number(request.config, "timeout")
    running = Smsc(smsc_settings, timeout_s=timeout_s, default_phone=_option(request.config, "phone"))
    try:
        running.start()
    except (SimulatorError, DialectError) as problem:
        _refuse(f"starpound: {problem}")
    yield running
    running.stop()


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
        _refuse(f"starpound_{name}: {given!r} is no number")


def _refuse(problem: str) -> NoReturn:
    """One line; a traceback through this file would help nobody."""
    pytest.fail(problem, pytrace=False)
