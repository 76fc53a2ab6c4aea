"""Dialects: the one place that knows both PDUs and turns.

Every vendor speaks USSD over SMPP in a way of its own: where the dialled code stands, which TLV names the
dialogue, which number means "asks for an answer". None of that is code here. A dialect is a profile, a YAML
file in ``gateway/dialects``, and both ends of the wire read the same one: the gateway through `Profile.read`
and `Profile.write`, the simulator's USSD centre through their mirror images `Profile.indicate` and
`Profile.interpret`.
"""

import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Literal, NamedTuple

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from gateway.smpp.pdu import DeliverSm, SubmitSm
from gateway.smpp.text import ALPHABET_BY_DCS, decode_text, encode_text, measure
from gateway.smpp.vocabulary import ITS_SESSION_INFO, MESSAGE_PAYLOAD, USSD_SERVICE_OP
from gateway.validation import explain
from menus.turns import Abort, Answer, Begin, Notified, Text

ReplyKind = Literal["ask", "finish", "notify", "push_ask", "push_notify"]
IndicationKind = Literal["new", "answer", "notified", "abort"]
Turn = Begin | Answer | Abort | Notified | Text

_STRICT = ConfigDict(extra="forbid", frozen=True)


class DialectError(Exception):
    """A profile that cannot be read (one line: file, key, what to do), or a PDU that it gives no meaning to."""


class Reply(NamedTuple):
    """What an answer needs of its question: the two addresses and the TLVs to be echoed."""

    msisdn: str
    service_addr: str
    ton: int
    npi: int
    echoed: tuple[tuple[int, bytes], ...]


class Inbound(NamedTuple):
    """One message of a subscriber: whose, of which dialogue, and the turn that it is.

    `unit` is the number of the dialogue unit that its_session_info carries, None without that TLV. `reply` is None
    for an SMS, which belongs to no dialogue.
    """

    msisdn: str
    key: str
    turn: Turn
    unit: int | None
    reply: Reply | None


class Outbound(NamedTuple):
    """What a centre reads in a submit_sm: a screen for a handset. `session` is octet 1 of its_session_info."""

    msisdn: str
    text: str
    kind: Literal["ask", "finish", "notify"]
    session: int | None
    ends: bool


@dataclass(config=_STRICT, kw_only=True)
class Inward:
    """ussd_service_op values towards the gateway."""

    new: list[int]
    answer: list[int]
    notified: list[int] = Field(default_factory=list)
    abort: list[int] = Field(default_factory=list)


@dataclass(config=_STRICT, kw_only=True)
class Outward:
    """ussd_service_op values from the gateway."""

    ask: int
    finish: int
    notify: int
    push_ask: int
    push_notify: int


@dataclass(config=_STRICT, kw_only=True)
class EndFlag:
    """The bit that marks the last message of a dialogue, in the last octet of a TLV."""

    tlv: int
    bit: int = 0


@dataclass(config=_STRICT, kw_only=True)
class DataCoding:
    """Which table explains data_coding, and the two values used towards the centre."""

    table: Literal["cbs", "sms"]
    gsm7: int
    ucs2: int


@dataclass(config=_STRICT, kw_only=True)
class Address:
    """Type of number and numbering plan of the subscriber's address in an answer."""

    ton: int = 0
    npi: int = 1


@dataclass(config=_STRICT, kw_only=True)
class Limits:
    """What the centre puts up with: octets of a screen, seconds of silence, seconds of a whole dialogue."""

    octets: int = 160
    idle_s: float = 60
    total_s: float = 600


@dataclass(config=_STRICT, kw_only=True)
class ProfileFile:
    """The shape of a profile file, one attribute a key (``in`` and ``out`` are Python's words, hence the aliases)."""

    name: str
    inward: Inward = Field(alias="in")
    outward: Outward = Field(alias="out")
    dcs: DataCoding
    key: list[list[str]]
    title: str = ""
    trust: str = "unverified"
    service_type: str = "USSD"
    code_from: Literal["short_message", "destination_addr"] = "short_message"
    echo: list[int] = Field(default_factory=list)
    end_flag: EndFlag | None = None
    addr: Address = Field(default_factory=Address)
    limits: Limits = Field(default_factory=Limits)


class Profile:
    """A dialect, ready for use. `load_profile` makes one.

    `septets` and `ucs2` say how much one screen holds: 160 octets are 182 septets or 80 UCS-2 characters
    (3GPP TS 23.038 §6.1.2.3).
    """

    def __init__(self, file: ProfileFile):
        self.file = file
        self.name = file.name
        self.limits = file.limits
        self.septets = file.limits.octets * 8 // 7
        self.ucs2 = file.limits.octets // 2
        self._kind_by_op: dict[int, IndicationKind] = {
            **dict.fromkeys(file.inward.abort, "abort"),
            **dict.fromkeys(file.inward.notified, "notified"),
            **dict.fromkeys(file.inward.answer, "answer"),
            **dict.fromkeys(file.inward.new, "new"),
        }
        self._op_by_indication: dict[IndicationKind, bytes] = {
            "new": bytes(file.inward.new[:1]),
            "answer": bytes(file.inward.answer[:1]),
            "notified": bytes(file.inward.notified[:1]),
            # A dialect without a value for it tells of a cancel by the end flag of an answer.
            "abort": bytes((file.inward.abort or file.inward.answer)[:1]),
        }
        out = file.outward
        self._op_by_kind: dict[ReplyKind, bytes] = {
            "ask": bytes([out.ask]),
            "finish": bytes([out.finish]),
            "notify": bytes([out.notify]),
            "push_ask": bytes([out.push_ask]),
            "push_notify": bytes([out.push_notify]),
        }
        self._reply_kind_by_op = {out.notify: "notify", out.ask: "ask", out.finish: "finish"}
        self._alphabet_by_dcs = ALPHABET_BY_DCS[file.dcs.table]
        self._dcs_by_alphabet = {"gsm7": file.dcs.gsm7, "ucs2": file.dcs.ucs2}
        self._key = _compile_key(file.key)
        self._end_tlv = file.end_flag.tlv if file.end_flag else None
        self._end_mask = 1 << file.end_flag.bit if file.end_flag else 0

    # --- the gateway's side -------------------------------------------------------------------------------

    def is_ussd(self, pdu: DeliverSm) -> bool:
        """Whether the PDU belongs to a dialogue; otherwise it is an SMS."""
        return USSD_SERVICE_OP in pdu.tlvs or pdu.service_type == self.file.service_type

    def read(self, pdu: DeliverSm) -> Inbound:
        """Understand a deliver_sm for which `is_ussd` holds.

        Raises `DialectError` when its ussd_service_op has no meaning in this dialect.
        """
        tlvs = pdu.tlvs
        kind = self._kind(pdu)
        session = tlvs.get(ITS_SESSION_INFO)
        echoed = tuple([(tag, tlvs[tag]) for tag in self.file.echo if tag in tlvs])
        return Inbound(
            pdu.source_addr.removeprefix("+"),
            self._key(pdu),
            self._turn(kind, pdu),
            session[1] >> 1 if session and len(session) == 2 else None,
            Reply(pdu.source_addr, pdu.destination_addr, pdu.source_addr_ton, pdu.source_addr_npi, echoed),
        )

    def write(self, reply: Reply, text: str, kind: ReplyKind) -> SubmitSm:
        """The submit_sm that puts `text` on the handset; it is the caller who saw to it that it fits."""
        alphabet, _ = measure(text)
        tlvs = {USSD_SERVICE_OP: self._op_by_kind[kind]}
        for tag, value in reply.echoed:
            tlvs[tag] = _count_up(value) if tag == ITS_SESSION_INFO else value
        if kind == "finish":
            self._mark_end(tlvs)
        return SubmitSm(
            service_type=self.file.service_type,
            source_addr=reply.service_addr,
            dest_addr_ton=reply.ton,
            dest_addr_npi=reply.npi,
            destination_addr=reply.msisdn,
            data_coding=self._dcs_by_alphabet[alphabet],
            short_message=encode_text(text, alphabet),
            tlvs=tlvs,
        )

    def _kind(self, pdu: DeliverSm) -> IndicationKind:
        flagged = pdu.tlvs.get(self._end_tlv)
        if flagged and flagged[-1] & self._end_mask:
            return "abort"
        op = pdu.tlvs.get(USSD_SERVICE_OP)
        if op is None:
            return "new"
        try:
            return self._kind_by_op[op[0]]
        except LookupError:
            raise DialectError(
                f"ussd_service_op {op.hex() or '(empty)'} means nothing in dialect {self.name!r}"
            ) from None

    def _turn(self, kind: IndicationKind, pdu: DeliverSm) -> Turn:
        if kind == "abort":
            return Abort("ended by the centre")
        if kind == "notified":
            return Notified()
        octets = pdu.short_message or pdu.tlvs.get(MESSAGE_PAYLOAD, b"")
        text = decode_text(octets, self._alphabet_by_dcs.get(pdu.data_coding, "gsm7"))
        if kind == "answer":
            return Answer(text)
        candidates = (text, pdu.destination_addr)
        if self.file.code_from == "destination_addr":
            candidates = candidates[::-1]
        return Begin(_dialled(*candidates))

    def _mark_end(self, tlvs: dict[int, bytes]) -> None:
        value = tlvs.get(self._end_tlv)
        if value:
            tlvs[self._end_tlv] = value[:-1] + bytes((value[-1] | self._end_mask,))

    # --- the centre's side --------------------------------------------------------------------------------

    def indicate(
        self, msisdn: str, service_addr: str, text: str, kind: IndicationKind, session: int, unit: int
    ) -> DeliverSm:
        """The deliver_sm of a centre whose subscriber dialled, answered, saw or gave up.

        `session` is 0–255, `unit` the number of the dialogue unit, 0–127 (it wraps).
        """
        info = bytearray((session & 0xFF, (unit << 1) & 0xFE))
        if kind == "abort":
            info[1] |= self._end_mask
        alphabet, _ = measure(text)
        return DeliverSm(
            service_type=self.file.service_type,
            source_addr_ton=self.file.addr.ton,
            source_addr_npi=self.file.addr.npi,
            source_addr=msisdn,
            dest_addr_npi=1,
            destination_addr=service_addr,
            data_coding=self._dcs_by_alphabet[alphabet],
            short_message=encode_text(text, alphabet),
            tlvs={USSD_SERVICE_OP: self._op_by_indication[kind], ITS_SESSION_INFO: bytes(info)},
        )

    def interpret(self, pdu: SubmitSm) -> Outbound | None:
        """What a submit_sm shows on the handset; None when it is an SMS.

        Raises `DialectError` when its ussd_service_op has no meaning in this dialect.
        """
        op = pdu.tlvs.get(USSD_SERVICE_OP)
        if op is None:
            return None
        kind = self._reply_kind_by_op.get(op[0] if op else -1)
        if kind is None:
            raise DialectError(f"ussd_service_op {op.hex()} means nothing from a gateway in {self.name!r}")
        info = pdu.tlvs.get(ITS_SESSION_INFO)
        ends = kind == "finish" or bool(info and info[-1] & self._end_mask)
        text = decode_text(pdu.short_message, self._alphabet_by_dcs.get(pdu.data_coding, "gsm7"))
        return Outbound(pdu.destination_addr, text, kind, info[0] if info else None, ends)


def _compile_key(rows: list[list[str]]) -> Callable[[DeliverSm], str]:
    """A function that joins the parts of the first row that the PDU has all of; the parts are read once, here."""
    readers = [tuple(_compile_part(part) for part in row) for row in rows]

    def key(pdu: DeliverSm) -> str:
        for row in readers:
            parts = []
            for read in row:
                part = read(pdu)
                if part is None:
                    break
                parts.append(part)
            else:
                return "/".join(parts)
        raise DialectError("nothing in the PDU names its dialogue")

    return key


_PART = re.compile(r"tlv:(0x[0-9A-Fa-f]+)(?:&(0x[0-9A-Fa-f]+))?")


def _compile_part(part: str) -> Callable[[DeliverSm], str | None]:
    if part == "source_addr":
        return lambda pdu: pdu.source_addr or None
    if part == "destination_addr":
        return lambda pdu: pdu.destination_addr or None
    match = _PART.fullmatch(part)
    if not match:
        raise ValueError(
            f"key part {part!r}: write source_addr, destination_addr, tlv:0xTAG or tlv:0xTAG&0xMASK"
        )
    tag = int(match[1], 16)
    mask = int(match[2], 16) if match[2] else -1

    def masked(pdu: DeliverSm) -> str | None:
        value = pdu.tlvs.get(tag)
        return f"{int.from_bytes(value) & mask:x}" if value else None

    return masked


def _dialled(first: str, second: str) -> str:
    """The code among two candidates: what looks like one wins, and bare digits are given their star and pound."""
    for candidate in (first, second):
        if candidate.endswith("#") or candidate.startswith(("*", "#")):
            return candidate
    digits = first or second
    return f"*{digits}#"


def _count_up(info: bytes) -> bytes:
    """its_session_info of the next dialogue unit: octet 1 kept, N of NNNNNNNE one more, E clear (SMPP §5.3.2.43)."""
    return bytes((info[0], (info[1] + 2) & 0xFE)) if len(info) == 2 else info


def load_profile(name_or_path: str) -> Profile:
    """The profile of that name in ``gateway/dialects``, or the one in the file of that path.

    Raises `DialectError` with one line that says what is wrong and where.
    """
    return _load(str(name_or_path))


def profile_names() -> list[str]:
    """Names of the profiles that come with the gateway."""
    folder = resources.files("gateway") / "dialects"
    return sorted(
        entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")
    )


@lru_cache
def _load(name_or_path: str) -> Profile:
    if name_or_path in profile_names():
        source = resources.files("gateway") / "dialects" / f"{name_or_path}.yaml"
    elif name_or_path.endswith((".yaml", ".yml")):
        source = Path(name_or_path)
    else:
        near = get_close_matches(name_or_path, profile_names(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(profile_names())}"
        raise DialectError(f"no dialect {name_or_path!r}; {hint}")
    try:
        return Profile(TypeAdapter(ProfileFile).validate_python(yaml.safe_load(source.read_text("utf-8"))))
    except ValidationError as error:
        raise DialectError(f"{source}: {explain(error, ProfileFile)}") from None
    except (OSError, yaml.YAMLError, ValueError) as error:
        raise DialectError(f"{source}: {error}") from None
