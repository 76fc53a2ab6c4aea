"""Settings: one frozen tree, read from TOML.

Each default is written once, here; the string under a field is its documentation, with its unit.
docs/reference/settings.md is generated from this file.
"""

import os
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from gateway.validation import explain
from handlers.registry import Limits

_LIMITS = Limits()
_STRICT = ConfigDict(extra="forbid", frozen=True)

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Wait = Annotated[float, Field(gt=0, allow_inf_nan=False)]
# What SMPP calls a C-octet string, without its NUL.
Ascii = Annotated[str, Field(pattern=r"^[ -~]*$")]
Positive = Annotated[int, Field(gt=0, strict=True)]


class SettingsError(Exception):
    """One line: the file, the key, what is wrong with it, and the nearest right one."""


def split_address(address: str) -> tuple[str, int]:
    """``"127.0.0.1:2775"`` → ``("127.0.0.1", 2775)``; an IPv6 host stands in brackets. Raises ValueError."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{address!r} is no HOST:PORT")
    return host.strip("[]"), int(port)


def _address(value: str) -> str:
    split_address(value)
    return value


Address = Annotated[str, AfterValidator(_address)]


@dataclass(config=_STRICT, kw_only=True)
class Admin:
    """Where the daemon tells how it is."""

    listen: Address = "127.0.0.1:8106"
    """HOST:PORT of GET /healthz and GET /metrics; port 0 picks a free one."""


@dataclass(config=_STRICT, kw_only=True)
class Link:
    """One bind to an SMSC or USSD centre."""

    name: str
    """Name of the link in logs, metrics and the store; answers wait under it while it is down."""
    connect: Address
    """HOST:PORT of the centre."""
    system_id: Ascii = Field(max_length=15)
    """Name the gateway binds with (SMPP 3.4 §5.2.1, at most 15 characters)."""
    role: Literal["esme"] = "esme"
    """The gateway's role on this link."""
    password: str | None = Field(default=None, max_length=8, repr=False)
    """The bind's password (SMPP 3.4 §5.2.2, at most 8 characters); or one of the two below."""
    password_file: str | None = None
    """File that holds the password."""
    password_env: str | None = None
    """Environment variable that holds the password."""
    system_type: Ascii = Field(default="", max_length=12)
    """system_type of the bind."""
    bind: Literal["transceiver"] = "transceiver"
    """Kind of bind: what is asked on a link is answered on it."""
    dialect: str = "spec"
    """Name of a USSD dialect, or the path of a profile file."""
    window: Annotated[int, Field(ge=1, le=65535, strict=True)] = 10
    """Requests that may wait for their response, in each direction."""
    backlog: Positive = 10_000
    """Answers kept in memory while the window is full; beyond that new messages are answered ESME_RTHROTTLED."""
    enquire_link_s: Seconds = 30
    """Seconds of silence after which enquire_link is sent; 0 = never."""
    response_s: Wait = 10
    """Seconds to wait for a response before the request counts as not processed."""
    inactivity_s: Seconds = 0
    """Seconds without any traffic but enquire_link after which the link is closed; 0 = never."""
    connect_s: Wait = 10
    """Seconds to wait for the TCP connection and the bind's response."""
    reconnect_first_s: Wait = 0.5
    """Seconds before the first new attempt; each further one waits up to twice as long, with jitter."""
    reconnect_max_s: Wait = 30
    """The longest wait between attempts, in seconds."""
    sms_validity_s: Seconds = 86_400
    """Seconds for which an SMS is offered to the centre before it is given up."""

    def __post_init__(self) -> None:
        given = [key for key in ("password", "password_file", "password_env") if vars(self)[key] is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of password, password_file, password_env")

    @cached_property
    def secret(self) -> str:
        """The bind's password, wherever it was said to be. Raises `SettingsError`."""
        if self.password_file:
            try:
                secret = Path(self.password_file).read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(f"links.{self.name}.password_file: {error}") from None
        elif self.password_env:
            if self.password_env not in os.environ:
                raise SettingsError(f"links.{self.name}.password_env: {self.password_env} is not set")
            secret = os.environ[self.password_env]
        else:
            secret = self.password
        if len(secret) > 8 or not (secret.isascii() and secret.isprintable()):
            raise SettingsError(f"links.{self.name}: a password has at most 8 characters, of printable ASCII")
        return secret


@dataclass(config=_STRICT, kw_only=True)
class Service:
    """Limits that the operations of the service keep to."""

    password_issues_per_hour: Positive = _LIMITS.password_issues_per_hour
    """Passwords that one number may be issued within an hour."""
    password_length: Annotated[int, Field(ge=8, le=32, strict=True)] = _LIMITS.password_length
    """Characters of an issued password."""


@dataclass(config=_STRICT, kw_only=True)
class Jobs:
    """Slow work off the loop."""

    workers: Positive = 2
    """Threads that prepare jobs (hashing a password takes one of them for some 50 ms)."""
    retry_first_s: Seconds = 1
    """Seconds before a failed job is tried again; doubled each time."""
    retry_max_s: Seconds = 300
    """The longest wait before a job is tried again, in seconds."""


@dataclass(config=_STRICT, kw_only=True)
class Log:
    """What the log looks like. It goes to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important level that is written."""
    format: Literal["auto", "text", "json"] = "auto"
    """auto: text on a terminal, otherwise JSON lines."""


@dataclass(config=_STRICT, kw_only=True)
class Settings:
    """The whole file."""

    store: str
    """Where the facts are: sqlite:///relative/path or sqlite:////absolute/path."""
    links: tuple[Link, ...]
    """The binds, each a [[links]] table."""
    menu: str | None = None
    """Path of a menu file; left out, the self-care menu that comes with the gateway."""
    admin: Admin = Field(default_factory=Admin)
    service: Service = Field(default_factory=Service)
    jobs: Jobs = Field(default_factory=Jobs)
    log: Log = Field(default_factory=Log)

    def __post_init__(self) -> None:
        if not self.links:
            raise ValueError("there are no [[links]]: a gateway without a centre has nothing to do")
        names = [link.name for link in self.links]
        if len(set(names)) < len(names):
            raise ValueError("two links have the same name")


def read_settings(path: str | Path) -> Settings:
    """The settings in the TOML file at `path`. Raises `SettingsError`."""
    try:
        with open(path, "rb") as file:
            return parse_settings(tomllib.load(file), str(path))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not TOML: {error}") from None


def parse_settings(tables: dict[str, Any], origin: str = "settings") -> Settings:
    """The settings in the tables of a parsed TOML file; `origin` names it in errors. Raises `SettingsError`."""
    try:
        return TypeAdapter(Settings).validate_python(tables)
    except ValidationError as error:
        raise SettingsError(f"{origin}: {explain(error, Settings)}") from None
