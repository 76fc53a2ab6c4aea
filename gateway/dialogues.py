"""The unit of work: one read of a socket, one transaction, one write.

All messages that a read brought are handled inside one transaction, each in a savepoint of its own, so that a
failure costs one turn and nobody else's. The transaction holds the effects of the operations, the dialogues' new
state, the answers and the jobs. Acknowledgements and answers leave after the commit: what a centre was told we
have, we have; what it was not told, it sends again.
"""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence

import structlog

from data.model import DialogueRecord, Outgoing, Subscriber
from data.store import Store
from gateway.dialect import DialectError, Inbound, Profile
from gateway.settings import Service
from gateway.smpp.pdu import DeliverSm, encode
from gateway.smpp.text import ALPHABET_BY_DCS, decode_text, measure, parse_udh
from gateway.smpp.vocabulary import (
    ESM_CLASS_RECEIPT,
    ESM_CLASS_TYPE_MASK,
    ESM_CLASS_UDHI,
    ESME_ROK,
    ESME_RX_R_APPN,
    MESSAGE_PAYLOAD,
    SAR_SEGMENT_SEQNUM,
    SAR_TOTAL_SEGMENTS,
)
from gateway.work import Station, Transaction, Work, is_number
from handlers.registry import Operation
from menus.engine import advance
from menus.model import Menu
from menus.turns import Abort, Answer, Begin, Call, Dialogue, Display, End, Notified, Returned, Show, Text

log = structlog.get_logger(__name__)

# A dialogue may chain calls (check, then switch on), but never without end.
_CALLS_AT_MOST = 8

# Answers of no node of the menu; they are counted under these names.
_UNKNOWN = ("unknown_code", "unknown_sms")
_WITHOUT_NODE = frozenset({*_UNKNOWN, "unknown_subscriber", "expired", "failure"})


class Dialogues:
    """Handles what the links receive.

    `clock` is the wall's, in Unix seconds: it is stored, and outlives the process.
    """

    def __init__(
        self,
        store: Store,
        transaction: Transaction,
        menu: Menu,
        operations: Mapping[str, Operation],
        limits: Service,
        clock: Callable[[], float],
    ):
        self._store = store
        self._transaction = transaction
        self._menu = menu
        self._operations = operations
        self._limits = limits
        self._clock = clock
        self._displays: dict[tuple[str, str, str, bool], Display] = {}
        self.watch: Callable[[Inbound, Show | End], None] | None = None
        """Told of every screen with its node; for those who look on, such as the tester of transcripts."""

    async def handle(
        self,
        station: Station,
        requests: Sequence[DeliverSm],
        taken: Sequence[int] = (),
        failed: Sequence[tuple[int, str]] = (),
    ) -> Work:
        """Do one unit of work: `requests` that arrived, ids of answers that were `taken` or have `failed` for good.

        Whatever the store raises passes through, with nothing done: the requests are not ours yet.
        """
        work = Work(self._store, self._clock(), self._limits, self._menu, station)
        async with self._transaction:
            if requests:
                await work.read([pdu.source_addr.removeprefix("+") for pdu in requests])
            for pdu in requests:
                work.acknowledgements.append((pdu, await self._receive(pdu, work)))
            await work.write()
            if taken:
                await self._store.taken(taken)
            for number, reason in failed:
                await self._store.fail(number, reason, work.now)
        return work

    async def unsent(self, station: Station, after_id: int, limit: int) -> list[Outgoing]:
        """What the store holds for the station's link beyond `after_id`, oldest first."""
        return await self._store.unsent(station.name, after_id, limit)

    async def _receive(self, pdu: DeliverSm, work: Work) -> int:
        """Handle one deliver_sm in a savepoint; the command_status of its response."""
        try:
            message = _understand(pdu, work.station.profile)
        except DialectError as error:
            log.warning(
                "message not understood", link=work.station.name, msisdn=pdu.source_addr, reason=str(error)
            )
            work.counted["not_understood"] += 1
            return ESME_RX_R_APPN
        if message is None:
            work.counted["no_turn"] += 1
            return ESME_ROK
        answers, jobs = len(work.answers), work.jobs
        await self._store.savepoint()
        try:
            await self._turn(message, work)
        except Exception:
            await self._store.rollback_savepoint()
            del work.answers[answers:]
            work.jobs = jobs
            self._apologise(message, work)
        else:
            if await self._store.release():
                work.subscribers = None
        return ESME_ROK

    async def _turn(self, message: Inbound, work: Work) -> None:
        kind = type(message.turn)
        work.counted[kind.__name__] += 1
        if kind is Notified:
            return
        record = None
        if kind is Answer or kind is Abort:
            record = _record(message, work)
        if kind is Abort:
            if record:  # one that comes late must not end a newer dialogue
                work.dialogues[message.msisdn] = None
            return
        work.subscriber = await self._subscriber(message.msisdn, work)
        if work.subscriber is None:
            self._say(self._end("unknown_subscriber", work), message, work)
        elif kind is Begin or kind is Text:
            await self._go_on(Dialogue(), message, work)
        elif record is None:
            self._say(self._end("expired", work), message, work)
        elif message.unit and message.unit == record.unit:
            work.counted["repeated"] += 1  # delivered twice: it is answered already
        else:
            await self._go_on(_reopen(record), message, work)

    async def _subscriber(self, msisdn: str, work: Work) -> Subscriber | None:
        if work.subscribers is None:
            return await self._store.subscriber(msisdn) if is_number(msisdn) else None
        return work.subscribers.get(msisdn)

    async def _go_on(self, dialogue: Dialogue, message: Inbound, work: Work) -> None:
        """Advance the menu, executing its calls, up to the next screen."""
        turn, paged = message.turn, message.reply is not None
        for _ in range(_CALLS_AT_MOST):
            step = advance(self._menu, dialogue, turn, self._display(work, paged))
            if type(step) is not Call:
                break
            outcome = await self._operations[step.operation](work, work.subscriber, step.args)
            turn = Returned(outcome.code, outcome.values)
        else:
            raise RuntimeError(f"node {step.node} calls without end")
        if message.reply is not None:
            work.dialogues[message.msisdn] = _record_of(step, dialogue, message, work)
        self._say(step, message, work)

    def _say(self, step: Show | End, message: Inbound, work: Work) -> None:
        """Answer with a screen or an SMS; an empty text says nothing."""
        if step.node in _WITHOUT_NODE:
            self._note(step.node, message, work)
        if self.watch:
            self.watch(message, step)
        if not step.text:
            return
        if message.reply is None:
            work.answer_by_sms(message.turn.to, message.msisdn, step.text)
        else:
            profile = work.station.profile
            pdu = profile.write(message.reply, step.text, "finish" if type(step) is End else "ask")
            work.answer(message.msisdn, "ussd", encode(pdu), profile.limits.idle_s)

    def _note(self, name: str, message: Inbound, work: Work) -> None:
        work.counted[name] += 1
        if name in _UNKNOWN:
            turn = message.turn  # never the text of an SMS
            what = turn.code if type(turn) is Begin else turn.to
            log.info("nothing in the menu", link=work.station.name, msisdn=message.msisdn, what=what)

    def _apologise(self, message: Inbound, work: Work) -> None:
        """Tell the subscriber a reference under which the log has what went wrong."""
        reference = secrets.token_hex(3)
        log.exception("turn failed", reference=reference, link=work.station.name, msisdn=message.msisdn)
        if message.reply is not None:
            work.dialogues[message.msisdn] = None
        self._say(self._end("failure", work, reference=reference), message, work)

    def _end(self, words: str, work: Work, **values: str) -> End:
        return End(self._menu.words(words, self._display(work, paged=False), values), words)

    def _display(self, work: Work, paged: bool) -> Display:
        subscriber, profile = work.subscriber, work.station.profile
        language, script = (subscriber.language, subscriber.script) if subscriber else ("ru", "cyrillic")
        key = (language, script, profile.name, paged)
        display = self._displays.get(key)
        if display is None:
            display = Display(language, script, measure, profile.septets, profile.ucs2, paged)
            self._displays[key] = display
        return display


def _understand(pdu: DeliverSm, profile: Profile) -> Inbound | None:
    """None for what is nobody's turn: a delivery receipt, a further part of a long SMS. Raises `DialectError`."""
    if pdu.esm_class & ESM_CLASS_TYPE_MASK == ESM_CLASS_RECEIPT:
        return None
    if profile.is_ussd(pdu):
        return profile.read(pdu)
    number, total, octets = _part(pdu)
    if number > 1:
        return None
    text = decode_text(octets, ALPHABET_BY_DCS["sms"].get(pdu.data_coding, "gsm7"))
    if total > 1:
        text = text.strip() or "…"  # no long SMS is a command, nor is it an empty one
    return Inbound(pdu.source_addr.removeprefix("+"), "", Text(pdu.destination_addr, text), None, None)


def _part(pdu: DeliverSm) -> tuple[int, int, bytes]:
    """Which part of an SMS this is, of how many, and its text, by UDH or SAR TLVs (SMPP 3.4 §5.3.2.22–24)."""
    octets = pdu.short_message or pdu.tlvs.get(MESSAGE_PAYLOAD, b"")
    if pdu.esm_class & ESM_CLASS_UDHI:
        part, octets = parse_udh(octets)
        return (part.number, part.total, octets) if part else (1, 1, octets)
    number = int.from_bytes(pdu.tlvs.get(SAR_SEGMENT_SEQNUM, b"\1"))
    return number, int.from_bytes(pdu.tlvs.get(SAR_TOTAL_SEGMENTS, b"\1")), octets


def _record(message: Inbound, work: Work) -> DialogueRecord | None:
    """The open dialogue that an answer belongs to; None when it is another one, or too old."""
    msisdn = message.msisdn
    record = work.dialogues[msisdn] if msisdn in work.dialogues else work.opened.get(msisdn)
    if record is None or record.key != message.key:
        return None
    return record if work.now - record.touched <= work.station.profile.limits.idle_s else None


def _reopen(record: DialogueRecord) -> Dialogue:
    values = json.loads(record.values) if record.values else {}
    return Dialogue(record.node, record.page, record.misses, values)


def _record_of(step: Show | End, dialogue: Dialogue, message: Inbound, work: Work) -> DialogueRecord | None:
    """A dialogue is stored while it is open. One MSISDN has one: a new dial replaces a stale one."""
    if type(step) is End:
        return None
    return DialogueRecord(
        message.msisdn,
        work.station.name,
        message.key,
        dialogue.node,
        dialogue.page,
        dialogue.misses,
        json.dumps(dialogue.values, ensure_ascii=False) if dialogue.values else None,
        message.unit or 0,
        work.now,
    )
