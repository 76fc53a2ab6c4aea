"""Settings of the simulator: who may bind, where it listens, how patient the network is. Defaults stand here."""

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass, field


class SimulatorError(Exception):
    """The simulator cannot start or cannot be reached; one clear line for a terminal."""


@dataclass(frozen=True, slots=True)
class Account:
    """An ESME that may bind."""

    system_id: str
    """Name in the bind, at most 15 characters (SMPP 3.4 §5.2.1)."""
    password: str = field(repr=False)
    """Password in the bind, at most 8 characters (SMPP 3.4 §5.2.2)."""
    dialect: str = "spec"
    """USSD dialect towards this ESME: a profile's name, or the path of one."""
    serves: tuple[str, ...] = ()
    """Beginnings of the codes and short numbers that go to this ESME; none: all that no other one serves."""

    def __post_init__(self):
        if not 1 <= len(self.system_id) <= 15 or len(self.password) > 8:
            raise SimulatorError(
                f"account {self.system_id!r}: a system_id has 1 to 15 characters, a password at most 8"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """How patient the network is, and how much it keeps."""

    answer_s: float = 30.0
    """Seconds that an application has for its answer; then the phone shows an error."""
    user_s: float = 120.0
    """Seconds that a subscriber has for his."""
    total_s: float = 600.0
    """Seconds of a whole dialogue."""
    sms_validity_s: float = 86_400.0
    """Seconds that an SMS waits for an ESME that takes it."""
    retry_first_s: float = 0.1
    """Pause after an ESME answered that it is busy; doubled each time."""
    retry_most_s: float = 5.0
    """The longest such pause."""
    max_phones: int = 10_000
    """Phones remembered; a further one makes the network forget the idle one that was used longest ago."""
    max_waiting: int = 100_000
    """Messages that wait for one ESME."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorSettings:
    """Everything that `Simulator.start` needs. Port 0 picks a free one."""

    smpp_host: str = "127.0.0.1"
    """Address of the SMSC and USSD centre."""
    smpp_port: int = 2775
    """Its port."""
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
    network: NetworkSettings = NetworkSettings()
    """The network behind the centre."""

    def __post_init__(self):
        if not is_loopback(self.http_host) and not self.http_token:
            raise SimulatorError(
                f"the control API on {self.http_host} would be open to everybody: set a token, or use 127.0.0.1"
            )
        names = [account.system_id for account in self.accounts]
        if len(set(names)) != len(names):
            raise SimulatorError(f"two accounts have the same system_id: {', '.join(sorted(names))}")


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
