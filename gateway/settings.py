"""Settings: one frozen tree, read from TOML.

Each default is written once, here; the string under a field is its documentation, with its unit.
docs/reference/settings.md is generated from this file.
"""

import ipaddress
import os
import tomllib
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from pydantic.networks import IPvAnyNetwork

from gateway.numbers import Numbers
from gateway.smpp.text import DATA_CODINGS, data_coding_table, sending_table
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


HostPort = Annotated[str, AfterValidator(_address)]


@dataclass(config=_STRICT, kw_only=True)
class Admin:
    """Where the daemon tells how it is."""

    listen: HostPort = "127.0.0.1:8106"
    """HOST:PORT of GET /healthz and GET /metrics; port 0 picks a free one."""


def _several(value: Any) -> Any:
    if not isinstance(value, str | list | tuple):
        raise ValueError(f"HOST:PORT, or a list of them, not {value!r}")
    return (value,) if isinstance(value, str) else value


HostPorts = Annotated[tuple[HostPort, ...], BeforeValidator(_several)]


@dataclass(config=_STRICT, kw_only=True)
class Tls:
    """TLS on a link. Files are PEM; a changed file counts from the next connection on, without a restart."""

    ca_file: str | None = None
    """Certificates that the peer's own must lead to; left out: those of the system."""
    cert_file: str | None = None
    """Our certificate and what leads to its root; needed where the peer asks for it, and always with `listen`."""
    key_file: str | None = None
    """Its private key; left out: it stands in cert_file."""
    server_name: str | None = None
    """Name sent as SNI, which the centre's certificate must carry; left out: the host of `connect`."""
    require_certificate: bool = False
    """With `listen`: the peer must show a certificate that leads to ca_file."""

    def __post_init__(self) -> None:
        if self.key_file and not self.cert_file:
            raise ValueError("key_file without cert_file")
        if self.require_certificate and not self.ca_file:
            raise ValueError("require_certificate needs ca_file: whose certificates are good?")


@dataclass(config=_STRICT, kw_only=True)
class OutbindSettings:
    """Where a centre asks us to bind as receiver (SMPP 3.4 §2.2.1); it needs bind = "pair"."""

    listen: HostPort
    """HOST:PORT at which the centre connects; with the `tls` of the link, if it has one."""
    password: Ascii = Field(min_length=1, max_length=8, repr=False)
    """Password the centre gives in its outbind: nobody else is sent ours."""
    system_id: Ascii = Field(default="", max_length=15)
    """Name the centre gives in its outbind; left out: any."""


def _usual_codings() -> dict[str, int | str]:
    return {**DATA_CODINGS}


@dataclass(config=_STRICT, kw_only=True)
class TextSettings:
    """What data_coding means on a link, and how long messages travel."""

    data_coding: Literal["sms", "cbs"] = "sms"
    """Table that explains the data_coding of SMS; a dialect says it for USSD."""
    data_codings: dict[int | str, str] = Field(default_factory=dict)
    """What this centre means otherwise: {"0x00" = "latin1"}; "binary" is no text."""
    send_as: dict[str, int | str] = Field(default_factory=_usual_codings)
    """Alphabets of our messages with their data_coding; the first that has every character of a text is taken."""
    long_messages: Literal["udh8", "udh16", "sar", "payload"] = "udh8"
    """How a long SMS leaves: user data header with references of 8 or 16 bits, SAR TLVs, or message_payload."""
    reassembly_s: Seconds = 600
    """Seconds that the parts of an incoming long SMS wait for each other."""

    def __post_init__(self) -> None:
        data_coding_table(self.data_coding, self.data_codings)
        sending_table(self.send_as)


BindKind = Literal["transceiver", "receiver", "transmitter"]


@dataclass(config=_STRICT, kw_only=True)
class LinkSettings:
    """One SMSC or USSD centre, and how it is reached."""

    name: Annotated[str, Field(pattern=r"^[^\pC]+$")]
    """Name of the link in logs, metrics and the store; answers wait under it while it is down."""
    role: Literal["esme", "smsc"] = "esme"
    """esme: the gateway binds to the centre. smsc: the centre binds to the gateway."""
    connect: HostPorts = ()
    """HOST:PORT of the centre, or several by preference; role esme."""
    listen: HostPort | None = None
    """HOST:PORT at which the centre connects; role smsc. Links may share it: system_id tells them apart."""
    system_id: Ascii = Field(max_length=15)
    """Name in the bind (SMPP 3.4 §5.2.1, at most 15 characters): ours, or with role smsc the centre's."""
    password: str | None = Field(default=None, max_length=8, repr=False)
    """The bind's password (SMPP 3.4 §5.2.2, at most 8 characters); or one of the two below."""
    password_file: str | None = None
    """File that holds the password."""
    password_env: str | None = None
    """Environment variable that holds the password."""
    system_type: Ascii = Field(default="", max_length=12)
    """system_type of the bind."""
    bind: Literal["transceiver", "pair", "transmitter"] = "transceiver"
    """What the gateway binds; pair: a receiver and a transmitter that work as one. Role esme."""
    outbind: OutbindSettings | None = None
    """The receiver of the pair waits for the centre's outbind."""
    networks: tuple[IPvAnyNetwork, ...] = ()
    """Networks from which the centre may come; left out: any. For role smsc and outbind."""
    binds: Annotated[tuple[BindKind, ...], Field(min_length=1)] = ("transceiver", "receiver", "transmitter")
    """Kinds of bind that the centre may make. Role smsc."""
    sessions: Positive = 4
    """Binds that the centre may hold at a time. Role smsc."""
    one_bind_error: bool = False
    """Answer a wrong system_id and a wrong password alike, so that nobody learns which names exist. Role smsc."""
    tls: Tls | None = None
    """TLS; left out: none."""
    dialect: str = "spec"
    """Name of a USSD dialect, or the path of a profile file."""
    text: TextSettings = Field(default_factory=TextSettings)
    """SMS on this link."""
    numbers: Numbers = Field(default_factory=Numbers)
    """How the centre writes numbers of subscribers; left out: as they are, country code first."""
    window: Annotated[int, Field(ge=1, le=65535, strict=True)] = 10
    """Requests that may wait for their response on one bind, in each direction."""
    max_pdu_octets: Annotated[int, Field(ge=1024, le=1 << 20, strict=True)] = 65_536
    """The longest PDU that is accepted; a longer one ends the connection."""
    rate: Seconds = 0
    """Messages a second that the gateway sends at most; 0 = as fast as the window lets it."""
    peer_rate: Seconds = 0
    """Messages a second that the centre may send, those above are answered ESME_RTHROTTLED; 0 = any number."""
    backlog: Positive = 10_000
    """Answers kept in memory while the window is full; beyond that new messages are answered ESME_RTHROTTLED."""
    receipts: bool = False
    """Ask for a delivery receipt for each SMS."""
    enquire_link_s: Seconds = 30
    """Seconds of silence after which enquire_link is sent; 0 = never."""
    response_s: Wait = 10
    """Seconds to wait for a response before the request counts as not processed."""
    inactivity_s: Seconds = 0
    """Seconds without any traffic but enquire_link after which the link is closed; 0 = never."""
    connect_s: Wait = 10
    """Seconds to wait for the TCP connection, and for the bind that follows it."""
    reconnect_first_s: Wait = 0.5
    """Seconds before the first new attempt; each further one waits up to twice as long, with jitter."""
    reconnect_max_s: Wait = 30
    """The longest wait between attempts, in seconds."""
    sms_validity_s: Seconds = 86_400
    """Seconds for which an SMS is offered to the centre, and kept by it, before it is given up."""

    def __post_init__(self) -> None:
        given = [key for key in ("password", "password_file", "password_env") if vars(self)[key] is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of password, password_file, password_env")
        if self.role == "esme" and (not self.connect or self.listen):
            raise ValueError("role esme needs connect, and no listen")
        if self.role == "smsc" and (not self.listen or self.connect):
            raise ValueError("role smsc needs listen, and no connect")
        if self.role == "smsc" and (self.bind != "transceiver" or self.outbind):
            raise ValueError("bind and outbind are for role esme: here the centre binds")
        if self.outbind and self.bind != "pair":
            raise ValueError('outbind needs bind = "pair": the centre asks for a receiver')
        if (self.listen or self.outbind) and self.tls and not self.tls.cert_file:
            raise ValueError("tls needs cert_file where the centre connects")
        if self.role == "smsc" and self.receipts:
            raise ValueError("receipts: an ESME gives none, they are for role esme")
        if self.reconnect_first_s > self.reconnect_max_s:
            raise ValueError("reconnect_first_s is more than reconnect_max_s")

    def lets_in(self, address: str) -> bool:
        """Whether the centre may come from this IP address."""
        here = ipaddress.ip_address(address)
        return not self.networks or any(here in network for network in self.networks)

    @cached_property
    def secret(self) -> str:
        """The bind's password, wherever it was said to be. Raises `SettingsError`."""
        if self.password_file is not None:
            try:
                secret = Path(self.password_file).read_text("utf-8").strip()
            except (OSError, ValueError) as error:
                why = getattr(error, "strerror", None) or error
                raise SettingsError(f"links.{self.name}.password_file: {self.password_file}: {why}") from None
        elif self.password_env is not None:
            if self.password_env not in os.environ:
                raise SettingsError(f"links.{self.name}.password_env: {self.password_env} is not set")
            secret = os.environ[self.password_env]
        else:
            secret = self.password or ""
        if len(secret) > 8 or not (secret.isascii() and secret.isprintable()):
            raise SettingsError(f"links.{self.name}: a password has at most 8 characters, of printable ASCII")
        return secret


@dataclass(config=_STRICT, kw_only=True)
class Route:
    """Which links take messages that are no answer to a question of the subscriber, by priority."""

    links: tuple[str, ...] = Field(min_length=1)
    """Names of links: the first that is bound takes the message; none bound: it waits for the first."""
    to: Annotated[str, Field(pattern=r"^[0-9]*$")] = ""
    """Beginning of the subscriber's number; the longest that fits counts. Left out: every number."""


@dataclass(config=_STRICT, kw_only=True)
class QuarantineSettings:
    """What is kept of PDUs that could not be understood."""

    limit: Annotated[int, Field(ge=0, strict=True)] = 10_000
    """How many, the newest; 0 keeps none."""


@dataclass(config=ConfigDict(extra="forbid"), kw_only=True, frozen=True)
class Service(Limits):
    """Limits that the operations of the service keep to."""

    password_issues_per_hour: Positive = _LIMITS.password_issues_per_hour
    """Passwords that one number may be issued within an hour."""
    password_length: Annotated[int, Field(ge=8, le=32, strict=True)] = _LIMITS.password_length
    """Characters of an issued password."""
    hints_per_hour: Positive = 10
    """How often in an hour a number is told that its SMS meant nothing; after that it is not answered: a robot."""


@dataclass(config=_STRICT, kw_only=True)
class JobSettings:
    """Slow work off the loop."""

    workers: Positive = 2
    """Threads that prepare jobs (hashing a password takes one of them for some 50 ms)."""
    retry_first_s: Seconds = 1
    """Seconds before a failed job is tried again; doubled each time."""
    retry_max_s: Seconds = 300
    """The longest wait before a job is tried again, in seconds."""
    attempts: Positive = 20
    """Tries after which a job is set aside, for `starpound jobs` to look at; with these waits after about an hour."""


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
    links: tuple[LinkSettings, ...]
    """The binds, each a [[links]] table."""
    routes: tuple[Route, ...] = ()
    """Where messages leave that answer no question; without a route they leave by the link of the subscriber's turn."""
    menu: str | None = None
    """Path of a menu file; left out, the self-care menu that comes with the gateway."""
    quarantine: QuarantineSettings = Field(default_factory=QuarantineSettings)
    admin: Admin = Field(default_factory=Admin)
    service: Service = Field(default_factory=Service)
    jobs: JobSettings = Field(default_factory=JobSettings)
    log: Log = Field(default_factory=Log)

    def __post_init__(self) -> None:
        if not self.links:
            raise ValueError("there are no [[links]]: a gateway without a centre has nothing to do")
        names = [link.name for link in self.links]
        if len(set(names)) < len(names):
            raise ValueError("two links have the same name")
        _check_routes(self.routes, names)
        _check_listening(self.links)


def _check_routes(routes: tuple[Route, ...], names: list[str]) -> None:
    for route in routes:
        for name in route.links:
            if name not in names:
                near = get_close_matches(name, names, n=1)
                raise ValueError(f"routes: no link {name!r}" + (f"; did you mean {near[0]}?" if near else ""))
    beginnings = [route.to for route in routes]
    if len(set(beginnings)) < len(beginnings):
        raise ValueError("routes: two are for the same numbers")


def _check_listening(links: tuple[LinkSettings, ...]) -> None:
    """Links that share an address share its TLS, and are told apart by system_id."""
    shared: dict[str, list[LinkSettings]] = {}
    for link in links:
        if link.listen:
            shared.setdefault(link.listen, []).append(link)
    for address, those in shared.items():
        if len({link.system_id for link in those}) < len(those):
            raise ValueError(f"two links at {address} have the same system_id")
        if any(link.tls != those[0].tls for link in those):
            raise ValueError(f"links at {address} differ in tls")
    taken = [link.outbind.listen for link in links if link.outbind]
    if len({*taken, *shared}) < len(taken) + len(shared):
        raise ValueError("an outbind address is for one link only")


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
