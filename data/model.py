"""The facts as the rest of the house sees them.

Units, everywhere in this package: a number of a subscriber (MSISDN) is a ``str`` of digits without a plus
sign and is the same only as the same text, money is an ``int`` of kopecks, a moment is a ``float`` of Unix
seconds. A name of anything is a :data:`Names`: the store holds both languages and the menu picks one.

Records that are read on every turn are named tuples or plain slotted dataclasses: a frozen dataclass takes a
microsecond to make, as long as the search in the index.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["private", "corporate"]
Language = Literal["ru", "en"]
Script = Literal["cyrillic", "latin"]
Allowance = Literal["minutes", "sms", "mb"]
OutgoingKind = Literal["ussd", "reply", "sms", "mailing"]
"""A screen of a dialogue, a message to one subscriber, one of many that may wait: the order of urgency."""
Names = Mapping[str, str]

LANGUAGES: tuple[Language, ...] = ("ru", "en")
SCRIPTS: tuple[Script, ...] = ("cyrillic", "latin")
ALLOWANCES: tuple[Allowance, ...] = ("minutes", "sms", "mb")


class Subscriber(NamedTuple):
    """One number together with the account that pays for it. ``_replace(...)`` makes a changed copy.

    A private number has an account of its own, numbered as it is; many corporate numbers share the account of
    their contract, and each may have a personal budget: a limit of what it may spend in a period (None: no limit).
    """

    msisdn: str
    kind: Kind
    language: Language
    script: Script
    blocked: bool
    tariff: str
    account_id: str
    balance_kopecks: int
    budget_limit_kopecks: int | None
    budget_spent_kopecks: int
    renew_day: int
    """Day of the month, 1 to 28, on which the packages are filled again."""

    @property
    def corporate(self) -> bool:
        """Whether a contract pays for this number."""
        return self.kind == "corporate"

    @property
    def available_kopecks(self) -> int:
        """What this number may still spend: the balance, or the rest of its budget if that is less."""
        if self.budget_limit_kopecks is None:
            return self.balance_kopecks
        return min(self.balance_kopecks, self.budget_limit_kopecks - self.budget_spent_kopecks)


@dataclass(frozen=True, slots=True)
class Category:
    """A shelf of the catalogue of options."""

    code: str
    name: Names


@dataclass(frozen=True, slots=True)
class Tariff:
    """A tariff and the allowances that it includes every month."""

    code: str
    name: Names
    corporate: bool
    fee_kopecks: int
    allowances: Mapping[Allowance, int]
    sms_kopecks: tuple[int, int]
    """Price of an SMS above the allowance: from, to."""
    minute_kopecks: tuple[int, int]
    """Price of a minute above the allowance: from, to."""


@dataclass(frozen=True, slots=True)
class Option:
    """An option as the catalogue offers it.

    ``tariffs`` empty: for every tariff. Of the options that share an ``exclusive_group`` a number has one at
    most, and a new one takes the place of the old. ``conflicts`` are numbers of options that cannot be on
    together with it; the relation holds both ways.
    """

    number: int
    category: str
    name: Names
    fee_kopecks: int
    corporate_only: bool
    exclusive_group: str | None
    tariffs: frozenset[str]
    conflicts: frozenset[int]
    allowances: Mapping[Allowance, int]
    minute_above_kopecks: int | None
    """Price of a minute when the allowance is used up; None: as the tariff says."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that can be ordered. Read from the tables once, when the store is opened."""

    categories: Mapping[str, Category]
    tariffs: Mapping[str, Tariff]
    options: Mapping[int, Option]


class ActiveOption(NamedTuple):
    """An option that is on: its number and the moment at which it was switched on."""

    number: int
    since: float


class Package(NamedTuple):
    """What is left of one allowance. ``option`` is None when the tariff gives it."""

    option: int | None
    kind: Allowance
    left: int
    total: int


class LedgerEntry(NamedTuple):
    """One movement of money, never changed or deleted. A positive amount was taken from the account."""

    account_id: str
    msisdn: str
    what: str
    amount_kopecks: int
    when: float


class DialogueRecord(NamedTuple):
    """A dialogue that is open: all that is needed to go on with it after a restart.

    A number has one dialogue at most, as a handset has; without a ``node`` it is over, and only remembered.
    ``values`` is JSON or None; ``unit`` is the number of the dialogue unit that was answered last.
    The last four are 0 where they are not known.
    """

    msisdn: str
    link: str
    key: str
    node: str
    page: int
    misses: int
    values: str | None
    unit: int
    touched: float
    opened: float
    meaning: int = 0
    """What ``node`` meant when it was shown, as a number that the menu computes."""
    begun: int = 0
    """Digest of the PDU that began the dialogue: 64 bits, signed."""
    last: int = 0
    """Digest of the PDU that was answered last."""
    screen: int = 0
    """Id of the answer to it when it was :class:`Outgoing`."""


class Outgoing(NamedTuple):
    """What waits until its SMSC has taken it: a screen as a frame, anything else as a message.

    A screen (``ussd``) is encoded, with sequence number 0, for its dialogue is tied to its link. Of a message the
    link that sends it makes its PDUs, out of ``sender`` and ``text``; one that has a ``frame`` is sent as it stands.
    """

    id: int
    link: str
    msisdn: str
    kind: OutgoingKind
    created: float
    expires: float
    frame: bytes | None = None
    sender: str = ""
    """The short code that it comes from."""
    text: str = ""
    address: str = ""
    """How the question wrote the number, "TON/NPI/digits"; empty: international, ISDN (E.164)."""
    topic: str = ""
    """A message of a topic makes the older ones of that topic to the same number worthless; empty: of none."""


class MessagePart(NamedTuple):
    """One part of a long message from a subscriber, as it came.

    Parts belong together when link, sender, recipient, ``reference`` and ``total`` are the same. A part has a
    ``data_coding`` of its own: not every handset uses one alphabet for a whole message.
    """

    link: str
    msisdn: str
    to: str
    reference: str
    """The sender's number of the message, with what tells forms of numbering apart; any text, ``0`` is one."""
    number: int
    """From 1 to ``total``."""
    total: int
    data_coding: int
    octets: bytes
    """Of the text, without the user data header."""
    received: float


class SentMessage(NamedTuple):
    """A message, or one part of it, that its SMSC has taken and of which a receipt is expected."""

    link: str
    message_key: str
    """The SMSC's id of the message, in the form in which receipts are looked up."""
    id: int
    """Its id when it was :class:`Outgoing`; the parts of a long message have the same."""
    msisdn: str
    sent: float


class Acknowledged(NamedTuple):
    """The requests that one unit of work acknowledged on a connection.

    A connection that is lost takes responses along; by this it is known which requests may then come again.
    """

    link: str
    connection: str
    """Any text that tells the connections of a link apart."""
    responses: int
    """How many had been given on the connection, these among them."""
    read: int
    """How many of them the peer was known to have read."""
    digests: bytes
    """Of the requests, 8 octets each, in their order."""
    when: float


class QuarantineRecord(NamedTuple):
    """What came from a peer and could not be used, kept for a person to look at.

    The octets may hold the text of a subscriber and the password of a peer: they are never logged.
    """

    id: int
    """The store's number of the record, never used again."""
    link: str
    peer: str
    direction: Literal["in", "out"]
    """``in``: the peer sent it; ``out``: we sent it, and the peer refused it as malformed."""
    reason: str
    status: int
    """The command_status of the answer, ours or the peer's; 0 when there was none."""
    octets: bytes
    when: float
    replay: bool
    """Whether somebody has asked for it to be handled again."""


class JobRecord(NamedTuple):
    """Slow work that was promised. ``args`` is JSON; ``attempts`` counts the tries that failed.

    One that has failed for good is set aside for a person to look at: ``held`` since when, ``reason`` why.
    """

    id: int
    name: str
    msisdn: str
    link: str
    address: str
    """As in :class:`Outgoing`, of the request that promised it."""
    args: str
    due: float
    attempts: int
    created: float
    held: float | None
    reason: str


class NewSubscriber(NamedTuple):
    """A subscriber to be imported.

    ``contract`` is the number of a corporate subscriber's contract, 16 digits; None: a private one. The balance is
    the contract's, which is made with the first number that names it, or his own. Of the allowances of the tariff
    ``packages_left_percent`` are left.
    """

    msisdn: str
    contract: str | None
    language: Language
    script: Script
    blocked: bool
    tariff: str
    balance_kopecks: int
    budget_limit_kopecks: int | None
    budget_spent_kopecks: int
    renew_day: int
    packages_left_percent: int
