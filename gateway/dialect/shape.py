"""The shape of a profile file, one attribute a key. docs/reference/dialect-profiles.md says what each means."""

from typing import Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from gateway.dialect.words import IndicationKind, ReplyKind, Word
from gateway.smpp.text import ALPHABETS

_STRICT = ConfigDict(extra="forbid", frozen=True)
_MAX_SERVICE_TYPE = 5


@dataclass(config=_STRICT, kw_only=True)
class InwardWords:
    """Operations towards the gateway; a centre sends the first of each list."""

    new: list[Word]
    answer: list[Word]
    answer_last: list[Word] = Field(default_factory=list)
    notified: list[Word] = Field(default_factory=list)
    abort: list[Word] = Field(default_factory=list)
    timeout: list[Word] = Field(default_factory=list)


@dataclass(config=_STRICT, kw_only=True)
class OutwardWords:
    """Operations from the gateway; None: the dialect has no word for it."""

    ask: Word
    finish: Word
    notify: Word | None = None
    ask_last: Word | None = None
    notify_last: Word | None = None
    push_ask: Word | None = None
    push_notify: Word | None = None
    release: Word | None = None


@dataclass(config=_STRICT, kw_only=True)
class SessionTlv:
    """A TLV that names the dialogue, and where in it; `gateway.dialect.layout` explains the picture."""

    tlv: int
    bits: str


@dataclass(config=_STRICT, kw_only=True)
class DataCoding:
    """Which table explains data_coding, what of it is taken, and the two values used in answers."""

    table: Literal["cbs", "sms"]
    gsm7: int
    ucs2: int
    accept: list[int] = Field(default_factory=list)
    alphabets: dict[int, str] = Field(default_factory=dict)


@dataclass(config=_STRICT, kw_only=True)
class AddressForm:
    """Type of number and numbering plan of the subscriber's address, where no question has told them."""

    ton: int = 0
    npi: int = 1


@dataclass(config=_STRICT, kw_only=True)
class CentreLimits:
    """What the centre puts up with: octets of a screen, seconds of silence, seconds of a whole dialogue."""

    octets: int = 160
    idle_s: float = 60
    total_s: float = 600


@dataclass(config=_STRICT, kw_only=True)
class ProfileFile:
    """The whole file (``in`` and ``out`` are Python's words, hence the aliases)."""

    name: str
    inward: InwardWords = Field(alias="in")
    outward: OutwardWords = Field(alias="out")
    dcs: DataCoding
    key: list[Literal["source_addr", "destination_addr"]]
    title: str = ""
    trust: str = "unverified"
    op_from: Literal["ussd_service_op", "service_type"] = "ussd_service_op"
    service_type: str = "USSD"
    code_from: Literal["short_message", "destination_addr"] = "short_message"
    destination: Literal["digits", "code", "empty"] | None = None
    session: list[SessionTlv] = Field(default_factory=list)
    unnamed: Literal["current", "push"] = "current"
    echo: list[int] = Field(default_factory=list)
    extra_tlvs: dict[int, str] = Field(default_factory=dict)
    carrier: Literal["message", "data_sm"] = "message"
    packing: Literal["unpacked", "packed"] = "unpacked"
    addr: AddressForm = Field(default_factory=AddressForm)
    limits: CentreLimits = Field(default_factory=CentreLimits)


def check(file: ProfileFile) -> None:
    """Raises ValueError for what the single keys do not show: the first contradiction, in one line."""
    _check_words(file)
    flagged = any("E" in tlv.bits for tlv in file.session)
    if file.outward.ask == file.outward.finish and not flagged:
        raise ValueError("out.finish: the same as out.ask, and no session TLV has a bit E to tell them apart")
    if len(set(file.key)) < len(file.key):
        raise ValueError("key: the same address twice")
    if not file.key and not file.session:
        raise ValueError("key: names no address and there is no session TLV: what names a dialogue?")
    for data_coding, alphabet in file.dcs.alphabets.items():
        if alphabet not in ALPHABETS:
            raise ValueError(
                f"dcs.alphabets.0x{data_coding:02X}: no alphabet {alphabet!r}; known: {', '.join(ALPHABETS)}"
            )
    for tag, value in file.extra_tlvs.items():
        try:
            bytes.fromhex(value)
        except ValueError:
            raise ValueError(f"extra_tlvs.0x{tag:04X}: {value!r} is not hexadecimal, as in '04'") from None


def inward_words(file: ProfileFile) -> dict[IndicationKind, list[Word]]:
    """The operations towards the gateway, by kind; later kinds give way where a word stands in two lists."""
    inward = file.inward
    return {
        "new": inward.new,
        "answer": inward.answer,
        "answer_last": inward.answer_last,
        "notified": inward.notified,
        "abort": inward.abort,
        "timeout": inward.timeout,
    }


def outward_words(file: ProfileFile) -> dict[ReplyKind, Word]:
    """The operations from the gateway, by kind, without those that the dialect has no word for."""
    out = file.outward
    words: dict[ReplyKind, Word | None] = {
        "ask": out.ask,
        "finish": out.finish,
        "notify": out.notify,
        "ask_last": out.ask_last,
        "notify_last": out.notify_last,
        "push_ask": out.push_ask,
        "push_notify": out.push_notify,
        "release": out.release,
    }
    return {kind: word for kind, word in words.items() if word is not None}


def _check_words(file: ProfileFile) -> None:
    places = [(f"in.{kind}", word) for kind, words in inward_words(file).items() for word in words]
    places += [(f"out.{kind}", word) for kind, word in outward_words(file).items()]
    right = _is_service_type if file.op_from == "service_type" else _is_octet
    wanted = "a service_type of 1 to 5 characters" if file.op_from == "service_type" else "a number, 0 to 255"
    for place, word in places:
        if not right(word):
            raise ValueError(f"{place}: write {wanted} (it is {word!r})")


def _is_octet(word: Word) -> bool:
    return isinstance(word, int) and 0 <= word <= 255


def _is_service_type(word: Word) -> bool:
    return isinstance(word, str) and 1 <= len(word) <= _MAX_SERVICE_TYPE and word.isascii()
