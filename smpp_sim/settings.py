"""Settings of the simulator: who may bind, where it listens, how patient the network is. Defaults stand here."""

import errno
import hashlib
import hmac
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

_STRICT = {"extra": "forbid"}
"""For pydantic, which reads these classes from a file (`config`): a key that is none is an error."""

BindKind = Literal["transceiver", "receiver", "transmitter"]
BIND_KINDS: tuple[BindKind, ...] = ("transceiver", "receiver", "transmitter")


class SimulatorError(Exception):
    """The simulator cannot start or cannot be reached; one clear line for a terminal."""


def cannot_listen(what: str, host: str, port: int, problem: OSError) -> SimulatorError:
    """The line for a listener that does not open; asyncio's own words for it name the address once more."""
    reason = "the port is in use" if problem.errno == errno.EADDRINUSE else problem.strerror or problem
    return SimulatorError(f"{what}: cannot listen on {host}:{port}: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTls:
    """TLS on the SMPP port. Paths of PEM files."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    certificate: str
    """The centre's certificate, with its chain."""
    key: str = ""
    """Its private key; empty: it stands in the certificate's file."""
    client_ca: str = ""
    """Certificates that an ESME's own one may be signed with."""
    require_client_certificate: bool = False
    """Let nobody in who does not show one."""

    def __post_init__(self) -> None:
        if self.require_client_certificate and not self.client_ca:
            raise SimulatorError("tls: to require a client certificate, name the client_ca that signs it")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTls:
    """TLS on a connection that the centre opens. Paths of PEM files."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    ca: str = ""
    """Certificates that the other end's may be signed with; empty: those of the system."""
    certificate: str = ""
    """The centre's own certificate, shown when it is asked for."""
    key: str = ""
    """Its private key; empty: it stands in the certificate's file."""
    server_name: str = ""
    """Name in the other end's certificate; empty: the host of the address."""


@dataclass(frozen=True, slots=True)
class Account:
    """An ESME that may bind, or a gateway that the centre binds to."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    system_id: str
    """Name in the bind, at most 15 characters (SMPP 3.4 §5.2.1)."""
    password: str = field(repr=False)
    """Password in the bind, at most 8 characters (SMPP 3.4 §5.2.2)."""
    dialect: str = "spec"
    """USSD dialect towards this ESME: a profile's name, or the path of one."""
    serves: tuple[str, ...] = ()
    """Beginnings of the codes and short numbers that go to this ESME; none: all that no other one serves."""
    deliver_by: Literal["deliver_sm", "data_sm"] = "deliver_sm"
    """The command that brings phones' SMS, USSD and receipts to this ESME."""
    long_form: Literal["udh8", "udh16", "sar", "payload"] = "udh8"
    """How long SMS of phones are cut: user data header with 8 or 16 bits, SAR TLVs, or whole in message_payload."""
    binds: tuple[BindKind, ...] = BIND_KINDS
    """Kinds of bind that are granted; another one is answered ESME_RBINDFAIL."""
    networks: tuple[str, ...] = ()
    """Networks (10.0.0.0/8) that this ESME may bind from, else ESME_RBINDFAIL; none: from anywhere."""
    max_sessions: int = 0
    """Binds at one time; a further one is answered ESME_RALYBND. 0: as many as there are connections."""
    outbind: str = ""
    """HOST:PORT where this ESME listens for outbind: the centre asks for a bind there when messages wait."""
    connect: str = ""
    """HOST:PORT of a gateway in the role of the SMSC: the centre binds there as an ESME, as this account."""
    tls: ClientTls | None = None
    """TLS for outbind and connect."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.system_id) <= 15 or len(self.password) > 8:
            raise SimulatorError(
                f"account {self.system_id!r}: a system_id has 1 to 15 characters, a password at most 8"
            )
        if self.outbind and self.connect:
            raise SimulatorError(f"account {self.system_id!r}: outbind or connect, not both")
        for address in filter(None, (self.outbind, self.connect)):
            split_address(address)
        self._check_networks()

    @property
    def address(self) -> str:
        """Where the centre connects to, empty when it waits for the ESME."""
        return self.outbind or self.connect

    def allows(self, host: str) -> bool:
        """Whether this ESME may bind from that IP address."""
        if not self.networks:
            return True
        if not host:
            return False
        address = ipaddress.ip_address(host.partition("%")[0])
        return any(address in ipaddress.ip_network(network) for network in self.networks)

    def _check_networks(self) -> None:
        try:
            for network in self.networks:
                ipaddress.ip_network(network)
        except ValueError as problem:
            raise SimulatorError(f"account {self.system_id!r}: networks: {problem}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """How patient the network is, and how much it keeps."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    answer_s: float = 30.0
    """Seconds that an application has for its answer; then the phone shows an error."""
    user_s: float = 120.0
    """Seconds that a subscriber has for his."""
    total_s: float = 600.0
    """Seconds of a whole dialogue."""
    sms_validity_s: float = 86_400.0
    """Seconds that an SMS waits for an ESME that takes it, or for its phone unless validity_period says otherwise."""
    retry_first_s: float = 0.1
    """Pause after an ESME answered that it is busy; doubled each time."""
    retry_most_s: float = 5.0
    """The longest such pause."""
    max_phones: int = 10_000
    """Phones remembered; a further one makes the network forget the idle one that was used longest ago."""
    max_waiting: int = 100_000
    """Messages that wait for one ESME, and SMS of ESMEs that wait for their phones."""
    unknown_numbers: tuple[str, ...] = ()
    """Beginnings of numbers that nobody has: an SMS to one is accepted and then undeliverable."""
    distribution_lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Phone numbers by the name of their list, for submit_multi."""


@dataclass(frozen=True, slots=True)
class BookEntry:
    """A subscriber in the phone book of the pages: who he is, and what a gateway should find out about him."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    msisdn: str
    """The number, 3 to 15 digits."""
    name: str
    """Whose it is."""
    tariff: str = ""
    """His tariff, in words."""
    language: str = ""
    """Language and script of his screens, as in HTML: ru, en, ru-Latn (IETF BCP 47)."""
    note: str = ""
    """What he is good for; corporate, blocked, little-money, no-packages and packages-used-up are translated."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9]{3,15}", self.msisdn):
            raise SimulatorError(f"book: {self.msisdn[:30]!r} is no phone number: write 3 to 15 digits")


BOOK = (
    BookEntry("79260000000", "Вера Котова", "Корпоративный Стандарт VIP", "ru", "corporate"),
    BookEntry("79260000001", "Анна Орлова", "Звезда Смарт", "ru"),
    BookEntry("79260000002", "Emma Brown", "Zvezda Smart", "en"),
    BookEntry("79260000003", "Иван Петров", "Звезда Смарт", "ru"),
    BookEntry("79260000004", "Oleg Sizov", "Zvezda Max", "ru-Latn"),
    BookEntry("79260000005", "Пётр Зимин", "Звезда Смарт", "ru", "blocked"),
    BookEntry("79260000006", "Лев Дроздов", "Звезда Смарт", "ru", "little-money"),
    BookEntry("79260000007", "Ника Белова", "Звезда Старт", "ru", "no-packages"),
    BookEntry("79260000008", "Jack Wilson", "Zvezda Start", "en", "no-packages"),
    BookEntry("79260000009", "Зоя Лисина", "Звезда Макс", "ru", "packages-used-up"),
)
"""The first ten of `starpound seed`, which a test compares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorSettings:
    """Everything that `Simulator.start` needs. Port 0 picks a free one."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    smpp_host: str = "127.0.0.1"
    """Address of the SMSC and USSD centre."""
    smpp_port: int = 2775
    """Its port."""
    tls: ServerTls | None = None
    """TLS on that port; None: plain TCP."""
    system_id: str = "starpound"
    """What the centre calls itself in bind_resp and outbind."""
    outbind_password: str = field(default="", repr=False)
    """Password in outbind, at most 8 characters."""
    http_host: str = "127.0.0.1"
    """Address of the control API."""
    http_port: int = 8105
    """Its port."""
    http_token: str = field(default="", repr=False)
    """Bearer token of the control API; required when http_host is not a loopback address."""
    smtp_host: str = "127.0.0.1"
    """Address of the mailbox."""
    smtp_port: int | None = None
    """Its port; None: no mailbox."""
    accounts: tuple[Account, ...] = (Account("gw", "secret"),)
    """Who may bind."""
    receipt_first: bool = False
    """Send a receipt before the submit_sm_resp of its message, as some centres do."""
    one_bind_error: bool = False
    """Answer a wrong system_id and a wrong password alike."""
    window: int = 10
    """deliver_sm that may wait for their response on one link."""
    peer_window: int = 1000
    """Requests of an ESME that may wait for theirs; more are throttled."""
    enquire_link_s: float = 30.0
    """Silence after which an ESME is asked whether it is there; 0: never."""
    response_s: float = 10.0
    """Seconds after which a request without a response is sent again."""
    session_init_s: float = 10.0
    """Seconds that a connection has for its bind."""
    max_connections: int = 256
    """Connections at one time; a further one is closed."""
    stop_s: float = 3.0
    """Seconds that a graceful stop waits for the ESMEs to unbind."""
    trace_pdus: int = 10_000
    """PDUs that the trace keeps, the newest; 0: no trace."""
    trace_octets: int = 8 * 1024 * 1024
    """Octets of PDUs that it keeps."""
    gateway_admin: str | None = None
    """Admin page of the starpound gateway at the other end, http://HOST:PORT: the menu's graph comes from it."""
    network: NetworkSettings = NetworkSettings()
    """The network behind the centre."""
    book: tuple[BookEntry, ...] = BOOK
    """The phone book of the pages; without one in the file, the first ten subscribers of `starpound seed`."""

    def __post_init__(self) -> None:
        if not is_loopback(self.http_host) and not self.http_token:
            raise SimulatorError(
                f"the control API on {self.http_host} would be open to everybody: set a token, or use 127.0.0.1"
            )
        if self.gateway_admin and not re.fullmatch(r"https?://[^/?#@\s]+/?", self.gateway_admin):
            raise SimulatorError(f"gateway_admin: {self.gateway_admin[:60]!r} is no http://HOST:PORT")
        names = [account.system_id for account in self.accounts]
        if len(set(names)) != len(names):
            raise SimulatorError(f"two accounts have the same system_id: {', '.join(sorted(names))}")


def split_address(address: str) -> tuple[str, int]:
    """``"127.0.0.1:2775"`` → ``("127.0.0.1", 2775)``; an IPv6 host stands in brackets. Raises `SimulatorError`."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise SimulatorError(f"{address!r} is no HOST:PORT")
    return host.strip("[]"), int(port)


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def same_secret(given: str, right: str) -> bool:
    """Whether two secrets are the same, in a time that tells nothing about either, their lengths included."""
    digests = [hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest() for secret in (given, right)]
    return hmac.compare_digest(*digests)
