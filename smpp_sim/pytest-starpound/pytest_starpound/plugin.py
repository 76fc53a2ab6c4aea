"""Fixtures for pytest: `smsc`, a running simulator, and `phone`, a phone on it.

A project has this plugin whether or not a test asks for a fixture, so that it imports nothing until one does.
"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, NoReturn, cast, get_args

import pytest

if TYPE_CHECKING:
    from pytest_starpound.phone import Phone
    from pytest_starpound.smsc import Smsc

_OPTIONS = {
    "command": ("starpound", "command that starts starpound: beside this Python, else on PATH"),
    "system_id": ("gw", "name that the application binds with"),
    "password": ("secret", "its password"),
    "dialect": ("spec", "USSD dialect towards the application: a name, or the path of a profile"),
    "smpp_port": ("0", "port for the application; 0: a free one"),
    "phone": ("79260000003", "number of the phone that the fixture `phone` is"),
    "timeout": ("5", "seconds to wait for a screen or an SMS"),
    "scope": ("function", "how long one simulator lives: function, class, module, package, session"),
}
_COMMAND = "STARPOUND_COMMAND"
"""Variable that wins over starpound_command: where starpound is differs from machine to machine."""
_Scope = Literal["function", "class", "module", "package", "session"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The settings in pytest.ini, each with ``starpound_`` before its name."""
    for name, (default, words) in _OPTIONS.items():
        parser.addini(f"starpound_{name}", f"starpound simulator: {words} ({default})", default=default)


def pytest_configure(config: pytest.Config) -> None:
    """The marker; and the one setting that pytest needs before any fixture runs."""
    if (scope := _option(config, "scope")) not in get_args(_Scope):
        raise pytest.UsageError(f"starpound_scope: no {scope!r}; there are {', '.join(get_args(_Scope))}")
    config.addinivalue_line(
        "markers", "starpound(**account): settings of the simulator's account, e.g. dialect='eyeline'"
    )


def _scope(fixture_name: str, config: pytest.Config) -> _Scope:
    return cast(_Scope, _option(config, "scope"))  # pytest_configure has looked at it


@pytest.fixture(scope=_scope)
def smsc_settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Settings of the simulator, as its file has them: from pytest.ini and the marker. Override it for all others."""
    marker = request.node.get_closest_marker("starpound")
    account = {name: _option(request.config, name) for name in ("system_id", "password", "dialect")}
    port = int(_number(request.config, "smpp_port"))
    return {"smpp_port": port, "accounts": [account | (marker.kwargs if marker else {})]}


@pytest.fixture(scope=_scope)
def smsc(request: pytest.FixtureRequest, smsc_settings: dict[str, Any]) -> "Iterator[Smsc]":
    """A running SMSC and USSD centre with phones; `smsc.host`, `smsc.port` say where to bind."""
    from pytest_starpound.process import StarpoundError
    from pytest_starpound.smsc import Smsc

    running = Smsc(
        smsc_settings,
        command=os.environ.get(_COMMAND) or _option(request.config, "command"),
        timeout_s=_number(request.config, "timeout"),
        default_phone=_option(request.config, "phone"),
    )
    try:
        running.start()
    except StarpoundError as problem:
        _refuse(f"starpound: {problem}")
    yield running
    running.stop()


@pytest.fixture
def phone(smsc: "Smsc") -> "Iterator[Phone]":
    """A phone; called with a number it is another one: ``phone("79260000004")``."""
    held = smsc.phone()
    yield held
    held.put_down()


def _option(config: pytest.Config, name: str) -> str:
    given: str = config.getini(f"starpound_{name}")
    return given.strip()


def _number(config: pytest.Config, name: str) -> float:
    given = _option(config, name)
    try:
        return float(given)
    except ValueError:
        _refuse(f"starpound_{name}: {given!r} is no number")


def _refuse(problem: str) -> NoReturn:
    """One line; a traceback through this file would help nobody."""
    pytest.fail(problem, pytrace=False)
