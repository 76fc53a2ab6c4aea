"""A dialect at work: PDUs to turns and screens to PDUs, on both sides. All tables are made once, in `__init__`."""

import re
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from gateway.dialect.layout import compile_layout, session_number, session_value
from gateway.dialect.shape import ProfileFile, check, inward_words, outward_words
from gateway.dialect.words import (
    DialectError,
    Inbound,
    IndicationKind,
    Message,
    Outbound,
    PushKind,
    Reply,
    ReplyKind,
    ScreenKind,
    Word,
)
from gateway.smpp.pdu import DataSm, DeliverSm, SubmitSm
from gateway.smpp.text import ALPHABET_BY_DCS, decode_text, encode_text, measure
from gateway.smpp.vocabulary import MESSAGE_PAYLOAD, USSD_SERVICE_OP
from menus.turns import Abort, Answer, Begin, Notified, Turn

# What is sent instead of an operation that a dialect has no word for.
_INSTEAD: dict[ReplyKind, ReplyKind] = {"ask_last": "ask", "notify_last": "finish", "notify": "finish"}
_LAST: tuple[ReplyKind, ...] = ("finish", "notify_last")
_PUSHES: tuple[PushKind, ...] = ("push_ask", "push_notify")
_READ_AS: dict[ReplyKind, ScreenKind] = {
    "ask": "ask",
    "finish": "finish",
    "notify": "notify",
    "ask_last": "ask",
    "notify_last": "notify",
    "push_ask": "ask",
    "push_notify": "notify",
    "release": "release",
}
_MAX_ADDR = 20  # SMPP 3.4 §4.6.1
_VERBATIM = (-1, ())
_PACKED = {"gsm7": "gsm7-packed"}


class Profile:
    """A dialect, ready for use. `load_profile` makes one.

    `septets` and `ucs2` say how much one screen holds: 160 octets are 182 septets or 80 UCS-2 characters
    (3GPP TS 23.038 §6.1.2.3). `pushes` are the kinds that `push` can write. `sessions` is how many dialogues a centre
    can tell apart by their number, 1 where it gives them none.
    """

    def __init__(self, file: ProfileFile):
        check(file)
        self.file = file
        self.name = file.name
        self.limits = file.limits
        self.septets = file.limits.octets * 8 // 7
        self.ucs2 = file.limits.octets // 2
        self.carrier: type[DataSm] | None = DataSm if file.carrier == "data_sm" else None
        self._prepare_session(file)
        self._prepare_words(file)
        self._prepare_text(file)

    def _prepare_words(self, file: ProfileFile) -> None:
        self._by_service_type = file.op_from == "service_type"
        self._extra = {tag: bytes.fromhex(value) for tag, value in file.extra_tlvs.items()}
        inward, outward = inward_words(file), outward_words(file)
        self._kind_by_word: dict[str | bytes | None, IndicationKind] = {
            self._as_sent(word): kind for kind, words in reversed(inward.items()) for word in words
        }
        self._says = {kind: words[0] for kind, words in inward.items() if words}
        pushes = {kind: outward[kind] for kind in _PUSHES if kind in outward}
        self.pushes: frozenset[str] = frozenset(pushes)
        self._push_words = frozenset(self._as_sent(word) for word in pushes.values())
        own = {kind: word for kind, word in outward.items() if kind not in pushes}
        self._outward_by_word = {self._as_sent(word): kind for kind, word in reversed(own.items())}
        for kind, word in pushes.items():
            self._outward_by_word.setdefault(self._as_sent(word), kind)
        self._release = outward.get("release")
        heads = {kind: (*self._head(word), self._steps(kind in _LAST)) for kind, word in outward.items()}
        self._head_by_kind = {kind: heads[other] for kind, other in _INSTEAD.items()} | heads

    def _prepare_session(self, file: ProfileFile) -> None:
        self._layouts = tuple(compile_layout(one.tlv, one.bits) for one in file.session)
        self._names = tuple(layout[:5] for layout in self._layouts)
        self._end_masks = tuple((one.tag, one.end_mask) for one in self._layouts if one.end_mask)
        self._echo = tuple(dict.fromkeys([*(layout.tag for layout in self._layouts), *file.echo]))
        self._addresses = _ADDRESSES[tuple(file.key)]
        self.sessions = 1 << len(self._layouts[0].high) if self._layouts else 1
        self._unnamed_is_push = file.unnamed == "push"

    def _prepare_text(self, file: ProfileFile) -> None:
        names = _PACKED if file.packing == "packed" else {}
        table = {**ALPHABET_BY_DCS[file.dcs.table], **file.dcs.alphabets}
        taken = file.dcs.accept or range(256)
        self._alphabet_by_dcs = {
            value: names.get(table.get(value, "gsm7"), table.get(value, "gsm7")) for value in taken
        }
        self._coding_by_alphabet = {
            "gsm7": (file.dcs.gsm7, names.get("gsm7", "gsm7")),
            "ucs2": (file.dcs.ucs2, "ucs2"),
        }
        self._code_in_address = file.code_from == "destination_addr"

    def _as_sent(self, word: Word) -> str | bytes:
        """A word as it stands in a PDU: a service_type, or the one octet of ussd_service_op."""
        return word if isinstance(word, str) else bytes((word,))

    def _steps(self, last: bool) -> dict[int, tuple[int, tuple[bytes, ...]]]:
        """For each session TLV its length, and the last octet of an answer by that of its question."""
        return {one.tag: (one.octets, one.ends if last else one.goes_on) for one in self._layouts}

    def _head(self, word: Word) -> tuple[str, dict[int, bytes]]:
        """The service_type and the TLVs of every message with this operation."""
        if isinstance(word, str):
            return word, self._extra
        return self.file.service_type, {USSD_SERVICE_OP: bytes((word,)), **self._extra}

    # --- the gateway's side -------------------------------------------------------------------------------

    def is_ussd(self, pdu: Message) -> bool:
        """Whether the PDU belongs to a dialogue; otherwise it is an SMS."""
        if self._by_service_type:
            return pdu.service_type in self._kind_by_word or pdu.service_type in self._outward_by_word
        if USSD_SERVICE_OP in pdu.tlvs:
            return True
        return pdu.service_type == self.file.service_type != ""

    @property
    def service_types(self) -> frozenset[str]:
        """All that stands in service_type of its messages."""
        if not self._by_service_type:
            return frozenset({self.file.service_type})
        return frozenset(map(str, (*self._kind_by_word, *self._outward_by_word)))

    def means_inward(self, pdu: Message) -> bool | None:
        """Whether a message's operation is one towards the gateway; None: it is used both ways."""
        word = pdu.service_type if self._by_service_type else pdu.tlvs.get(USSD_SERVICE_OP)
        inward = word is None or word in self._kind_by_word
        return None if inward and word in self._outward_by_word else inward

    def read(self, pdu: Message, msisdn: str | None = None) -> Inbound:
        """Understand a subscriber's message for which `is_ussd` holds; `msisdn` is his, if the caller knows better.

        An address is a number by the rules of a link, and a dialect has none: left out, it is what stands in the PDU.
        Raises `DialectError` when its operation, its data_coding, or the lack of a name has no meaning here.
        """
        tlvs = pdu.tlvs
        kind = self._kind(pdu)
        source, unit = pdu.source_addr, None
        key = self._addresses(pdu)
        for tag, octets, key_mask, unit_mask, unit_shift in self._names:
            value = tlvs.get(tag)
            if value:
                number = int.from_bytes(value)
                key = f"{key}/{number & key_mask:x}" if key else f"{number & key_mask:x}"
                if unit_mask and len(value) == octets:
                    unit = (number & unit_mask) >> unit_shift
                break
        if not key:
            raise DialectError(f"nothing in the PDU names its dialogue, as dialect {self.name!r} does")
        return Inbound(
            source.removeprefix("+") if msisdn is None else msisdn,
            key,
            self._turn(kind, pdu),
            unit,
            Reply(
                source,
                pdu.destination_addr,
                pdu.source_addr_ton,
                pdu.source_addr_npi,
                tuple([(tag, tlvs[tag]) for tag in self._echo if tag in tlvs]),
                type(pdu) is DataSm,
            ),
            kind == "answer_last",
        )

    def write(
        self, reply: Reply, text: str, kind: ReplyKind, carrier: type[SubmitSm] | type[DeliverSm] = SubmitSm
    ) -> Message:
        """The message that puts `text` on the handset; it is the caller who saw to it that it fits.

        `carrier` is what such messages travel in on this link: submit_sm towards an SMSC, deliver_sm towards an ESME.
        """
        service_type, head, steps = self._head_by_kind[kind]
        tlvs = head.copy()
        for tag, value in reply.echoed:
            octets, last_octet = steps.get(tag, _VERBATIM)
            tlvs[tag] = value[:-1] + last_octet[value[-1]] if len(value) == octets else value
        alphabet, _ = measure(text)
        data_coding, encoding = self._coding_by_alphabet[alphabet]
        put = _in_data_sm if reply.in_data_sm else carrier
        return put(
            service_type=service_type,
            source_addr=reply.service_addr,
            dest_addr_ton=reply.ton,
            dest_addr_npi=reply.npi,
            destination_addr=reply.msisdn,
            data_coding=data_coding,
            short_message=encode_text(text, encoding),
            tlvs=tlvs,
        )

    def push(
        self,
        msisdn: str,
        service_addr: str,
        text: str,
        kind: PushKind,
        carrier: type[SubmitSm] | type[DeliverSm] = SubmitSm,
    ) -> Message:
        """A dialogue or a notice that nobody has dialled for; it names no session, the centre gives it one.

        Raises `DialectError` when the dialect has no word for it (it is not among `pushes`).
        """
        if kind not in self.pushes:
            raise DialectError(
                f"dialect {self.name!r} has no {kind}: nothing can be sent that nobody dialled for"
            )
        service_type, head, _ = self._head_by_kind[kind]
        addr = self.file.addr
        data_coding, octets = self._encoded(text)
        put = _in_data_sm if DataSm in (self.carrier, carrier) else carrier
        return put(
            service_type=service_type,
            source_addr=service_addr,
            dest_addr_ton=addr.ton,
            dest_addr_npi=addr.npi,
            destination_addr=msisdn,
            data_coding=data_coding,
            short_message=octets,
            tlvs=head.copy(),
        )

    def release(self, reply: Reply, carrier: type[SubmitSm] | type[DeliverSm] = SubmitSm) -> Message | None:
        """The message that ends a dialogue and shows nothing; None when the dialect has no word for it."""
        return None if self._release is None else self.write(reply, "", "release", carrier)

    def _kind(self, pdu: Message) -> IndicationKind:
        tlvs = pdu.tlvs
        for tag, mask in self._end_masks:
            flagged = tlvs.get(tag)
            if flagged and flagged[-1] & mask:
                return "abort"
        word = pdu.service_type if self._by_service_type else tlvs.get(USSD_SERVICE_OP)
        if word is None:
            return "new"
        kind = self._kind_by_word.get(word)
        if kind is None:
            raise self._unknown(word)
        return kind

    def _unknown(self, word: str | bytes) -> DialectError:
        what = f"service_type {word!r}" if isinstance(word, str) else f"ussd_service_op {_shown(word)}"
        return DialectError(f"{what} means nothing in dialect {self.name!r}")

    def _turn(self, kind: IndicationKind, pdu: Message) -> Turn:
        if kind == "answer" or kind == "answer_last":
            return Answer(self._text(pdu))
        if kind == "new":
            candidates = (self._text(pdu), pdu.destination_addr)
            return Begin(_dialled(*candidates[::-1] if self._code_in_address else candidates))
        if kind == "notified":
            return Notified()
        return Abort("timed out at the centre" if kind == "timeout" else "ended by the centre")

    # --- the centre's side --------------------------------------------------------------------------------

    def says(self, kind: IndicationKind) -> bool:
        """Whether the dialect has a word for this, so that `indicate` can write it."""
        return self._word_for(kind) is not None

    def service_addr(self, code: str) -> str:
        """What a centre puts into destination_addr when its subscriber dials this code; at most 20 characters."""
        wanted = self.file.destination or ("code" if self._code_in_address else "digits")
        if wanted == "code" and len(code) <= _MAX_ADDR:
            return code
        digits = None if wanted == "empty" else re.search(r"[0-9]+", code)
        return digits[0][:_MAX_ADDR] if digits else ""

    def indicate(
        self,
        msisdn: str,
        service_addr: str,
        text: str,
        kind: IndicationKind,
        session: int,
        unit: int,
        carrier: type[Message] = DeliverSm,
    ) -> Message:
        """The message of a centre whose subscriber dialled, answered, saw or gave up, or ran out of time.

        `session` names the dialogue, `unit` numbers its messages; both wrap where the dialect has no more room. A
        centre without a word for a cancel tells it by the end flag of an answer. Raises `DialectError` when it cannot
        be told at all.
        """
        word = self._word_for(kind)
        if word is None:
            raise DialectError(f"a centre of dialect {self.name!r} cannot say {kind}")
        service_type, head = self._head(word)
        tlvs = dict(head)
        if self._layouts:
            ended = kind in ("abort", "timeout")
            tlvs[self._layouts[0].tag] = session_value(self._layouts[0], session, unit, ended)
        data_coding, octets = self._encoded(text)
        put: Callable[..., Message] = _in_data_sm if DataSm in (self.carrier, carrier) else carrier
        return put(
            service_type=service_type,
            source_addr_ton=self.file.addr.ton,
            source_addr_npi=self.file.addr.npi,
            source_addr=msisdn,
            dest_addr_npi=1,
            destination_addr=service_addr,
            data_coding=data_coding,
            short_message=octets,
            tlvs=tlvs,
        )

    def interpret(self, pdu: Message) -> Outbound | None:
        """What a gateway's message shows on the handset; None when it is an SMS.

        Raises `DialectError` when its operation has no meaning in this dialect.
        """
        word = pdu.service_type if self._by_service_type else pdu.tlvs.get(USSD_SERVICE_OP)
        if word is None or (self._by_service_type and not self.is_ussd(pdu)):
            return None
        said = self._outward_by_word.get(word)
        if said is None:
            raise DialectError(f"{self._unknown(word)} from a gateway")
        session, flagged = self.session_of(pdu)
        kind = _READ_AS[said]
        if flagged and kind == "ask":
            kind = "finish"
        ends = flagged or kind in ("finish", "release") or said == "notify_last"
        push: bool | None = said in _PUSHES or (self._unnamed_is_push and session is None)
        if not push and session is None and word in self._push_words:
            push = None
        last = said == "ask_last" and not ends
        return Outbound(pdu.destination_addr, self._text(pdu), kind, session, ends, last, push)

    def session_of(self, pdu: Message) -> tuple[int | None, bool]:
        """The number that a message names its session by, None without one, and whether it says that it ends."""
        for layout in self._layouts:
            value = pdu.tlvs.get(layout.tag)
            if value:
                return session_number(layout, value), bool(value[-1] & layout.end_mask)
        return None, False

    def _word_for(self, kind: IndicationKind) -> Word | None:
        if kind in self._says:
            return self._says[kind]
        if kind == "timeout":
            return self._word_for("abort")
        if kind == "abort" and self._layouts and self._layouts[0].end_mask:
            return self._says["answer"]
        return None

    # --- text ---------------------------------------------------------------------------------------------

    def _encoded(self, text: str) -> tuple[int, bytes]:
        """data_coding and octets of a text, in the narrower of the two alphabets that has all of it."""
        alphabet, _ = measure(text)
        data_coding, encoding = self._coding_by_alphabet[alphabet]
        return data_coding, encode_text(text, encoding)

    def _text(self, pdu: Message) -> str:
        """Raises `DialectError` for a data_coding that the profile does not take."""
        octets = b"" if isinstance(pdu, DataSm) else pdu.short_message
        if not octets:
            octets = pdu.tlvs.get(MESSAGE_PAYLOAD, b"")
        alphabet = self._alphabet_by_dcs.get(pdu.data_coding)
        if alphabet is None:
            raise DialectError(f"data_coding 0x{pdu.data_coding:02X} is not taken in dialect {self.name!r}")
        return decode_text(octets, alphabet)


_ADDRESSES: dict[tuple[str, ...], Callable[[Message], str]] = {
    (): lambda pdu: "",
    ("source_addr",): attrgetter("source_addr"),
    ("destination_addr",): attrgetter("destination_addr"),
    ("source_addr", "destination_addr"): lambda pdu: f"{pdu.source_addr}/{pdu.destination_addr}",
    ("destination_addr", "source_addr"): lambda pdu: f"{pdu.destination_addr}/{pdu.source_addr}",
}


def _in_data_sm(*, short_message: bytes, tlvs: dict[int, bytes], **fields: Any) -> DataSm:
    """A data_sm, whose text stands in a TLV (SMPP 3.4 §4.7.1)."""
    if short_message:
        tlvs[MESSAGE_PAYLOAD] = short_message
    return DataSm(tlvs=tlvs, **fields)


def _shown(word: bytes) -> str:
    return str(word[0]) if len(word) == 1 else word.hex() or "(empty)"


def _dialled(first: str, second: str) -> str:
    """The code among two candidates: what looks like one wins, and bare digits are given their star and pound."""
    for candidate in (first, second):
        if candidate.endswith("#") or candidate.startswith(("*", "#")):
            return candidate
    digits = first or second
    return f"*{digits}#"
