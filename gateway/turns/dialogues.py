"""The unit of work: one read of a socket, one transaction, one write.

All messages that a read brought are handled inside one transaction, each in a savepoint of its own, so that a
failure costs one turn and nobody else's. The transaction holds the effects of the operations, the dialogues' new
state, the answers and the jobs. Acknowledgements and answers leave after the commit: what a centre was told we
have, we have; what it was not told, it sends again.
"""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple

import structlog

from data.model import DialogueRecord, MessagePart, Outgoing, OutgoingKind, Subscriber
from data.store import Store
from gateway.dialect import DialectError, Inbound
from gateway.settings import Service
from gateway.smpp.pdu import encode
from gateway.smpp.receipts import read_receipt
from gateway.smpp.text import measure
from gateway.smpp.vocabulary import (
    ESM_CLASS_TYPE_MASK,
    ESME_RINVSRCADR,
    ESME_ROK,
    ESME_RX_R_APPN,
    RECEIPTED_MESSAGE_ID,
    USSD_SERVICE_OP,
)
from gateway.turns.sms import Piece
from gateway.turns.work import Message, Outcomes, Station, Transaction, Work, is_number
from handlers.registry import Operation
from menus.engine import advance
from menus.model import Menu
from menus.turns import Abort, Answer, Begin, Call, Dialogue, Display, End, Notified, Returned, Show, Text

log = structlog.get_logger(__name__)

# A dialogue may chain calls (check, then switch on), but never without end.
_CALLS_AT_MOST = 8
# Of one sender's long SMS that are not whole yet.
_PARTS_AT_MOST = 64

# Dialogue units are counted in seven bits (its_session_info, SMPP 3.4 §5.3.2.43).
_UNITS = 128
# A dial that comes again within this after an answer of its dialogue is the one that began it.
_LATE_S = 10.0

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
        route: Callable[[str], Station | None] = lambda msisdn: None,
    ):
        self._store = store
        self._transaction = transaction
        self._menu = menu
        self._operations = operations
        self._limits = limits
        self._clock = clock
        self._route = route
        self._displays: dict[tuple[str, str, str, bool], Display] = {}
        self.watch: Callable[[Inbound, Show | End], None] | None = None
        """Told of every screen with its node; for those who look on, such as the tester of transcripts."""

    async def handle(
        self,
        station: Station,
        requests: Sequence[Message],
        outcomes: Outcomes | None = None,
        replayed: Sequence[int] = (),
    ) -> Work:
        """Do one unit of work: `requests` that arrived, `outcomes` of answers, records of the quarantine `replayed`.

        Whatever the store raises passes through, with nothing done: the requests are not ours yet.
        """
        work = Work(self._store, self._clock(), self._limits, self._menu, station, self._route)
        async with self._transaction:
            if outcomes and outcomes.sent:
                await self._store.note_sent(outcomes.sent)
            if requests:
                await work.read([pdu.source_addr.removeprefix("+") for pdu in requests])
            for pdu in requests:
                work.acknowledgements.append((pdu, await self._receive(pdu, work)))
            await work.write()
            if outcomes:
                await self._store.taken(outcomes.taken)
                for number, reason in outcomes.failed:
                    await self._store.fail(number, reason, work.now)
            if replayed:
                await self._store.replayed(replayed)
        return work

    async def unsent(self, station: Station, kind: OutgoingKind, after_id: int, limit: int) -> list[Outgoing]:
        """What the store holds of a kind for the station's link beyond `after_id`, oldest first."""
        return await self._store.unsent(station.name, after_id, limit, kind)

    async def _receive(self, pdu: Message, work: Work) -> int:
        """Handle one message in a savepoint; the command_status of its response."""
        try:
            message = await self._understand(pdu, work)
        except DialectError as error:
            return self._put_aside(pdu, str(error), ESME_RX_R_APPN, work)
        if message is None or (message.reply is None and message.msisdn in self._menu.numbers):
            # An SMS from a short number of ours: the answer would come back to be answered, for ever.
            work.counted["no_turn"] += 1
            return ESME_ROK
        if not message.msisdn:
            reason = "source_addr is empty: nobody to be answered"
            return self._put_aside(pdu, reason, ESME_RINVSRCADR, work)
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

    def _put_aside(self, pdu: Message, reason: str, status: int, work: Work) -> int:
        work.misunderstood.append((pdu, reason, status))
        work.counted["not_understood"] += 1
        return status

    async def _understand(self, pdu: Message, work: Work) -> Inbound | None:
        """None for what is nobody's turn: a receipt, a part of a long SMS. Raises `DialectError`."""
        if pdu.esm_class & ESM_CLASS_TYPE_MASK or RECEIPTED_MESSAGE_ID in pdu.tlvs:
            await self._note_receipt(pdu, work)
            return None
        profile = work.station.profile
        if profile.is_ussd(pdu):
            return profile.read(pdu)
        if USSD_SERVICE_OP in pdu.tlvs:
            op = pdu.tlvs[USSD_SERVICE_OP].hex()
            raise DialectError(f"USSD (ussd_service_op {op}), but not in dialect {profile.name!r}")
        text = work.station.sms.read(pdu)
        if isinstance(text, Piece):
            text = await self._put_together(pdu, text, work)
        if text is None:
            return None
        return Inbound(pdu.source_addr.removeprefix("+"), "", Text(pdu.destination_addr, text), None, None)

    async def _put_together(self, pdu: Message, piece: Piece, work: Work) -> str | None:
        """The text of a long SMS with its last part, None before that. The others are in the store, acknowledged."""
        if piece.part.total > _PARTS_AT_MOST:
            raise DialectError(f"an SMS of {piece.part.total} parts; {_PARTS_AT_MOST} are possible")
        (reference, total, number), name = astuple(piece.part), work.station.name
        parts = await self._store.keep_part(
            MessagePart(
                name,
                pdu.source_addr,
                pdu.destination_addr,
                str(reference),
                number,
                total,
                piece.data_coding,
                piece.octets,
                work.now,
            ),
            _PARTS_AT_MOST,
        )
        if parts is None:
            return None
        return (
            work.station.sms.join(parts).strip() or "…"
        )  # a long SMS of blanks is no empty one, which is a command

    async def _note_receipt(self, pdu: Message, work: Work) -> None:
        receipt = read_receipt(pdu)
        if receipt:
            ids, name = work.station.receipt_ids, work.station.name
            keys = ids.keys(receipt.message_id)
            sent = await self._store.match_receipt(name, keys, receipt.final, pdu.source_addr)
            if sent:
                ids.matched(receipt, sent)
            work.receipts.append((receipt, pdu.source_addr, sent))

    async def _turn(self, message: Inbound, work: Work) -> None:
        kind = type(message.turn)
        work.counted[kind.__name__] += 1
        if kind is Notified:
            return
        record = None
        if kind is Answer or kind is Abort:
            record = _record(message, work)
        if kind is Abort:
            if record and record.node:  # one that comes late must not end a newer dialogue
                work.dialogues[message.msisdn] = None
            return
        work.subscriber = await self._subscriber(message.msisdn, work)
        if work.subscriber is None:
            self._say(self._end("unknown_subscriber", work), message, work)
        elif kind is Begin and _is_late(message, work):
            work.counted["repeated"] += 1
        elif kind is Begin or kind is Text:
            await self._go_on(Dialogue(), message, work, work.now)
        elif record and message.unit and (record.unit - message.unit) % _UNITS < _UNITS // 2:
            work.counted["repeated"] += 1  # delivered twice: it is answered already
        elif record is None or not record.node:
            self._say(self._end("expired", work), message, work)
        else:
            await self._go_on(_reopen(record), message, work, record.opened)

    async def _subscriber(self, msisdn: str, work: Work) -> Subscriber | None:
        if work.subscribers is None:
            return await self._store.subscriber(msisdn) if is_number(msisdn) else None
        return work.subscribers.get(msisdn)

    async def _go_on(self, dialogue: Dialogue, message: Inbound, work: Work, opened: float) -> None:
        """Advance the menu, executing its calls, up to the next screen; it is not shown if nobody looks any more."""
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
            over = type(step) is End or message.last
            work.dialogues[message.msisdn] = _record_of(dialogue, message, work, opened, over)
        if not message.last:
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
            kind = "finish" if type(step) is End else "ask"
            pdu = profile.write(message.reply, step.text, kind, work.station.carrier)
            work.answer(message.msisdn, encode(pdu), profile.limits.idle_s)

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


def _is_late(message: Inbound, work: Work) -> bool:
    """Whether it is the dial of a dialogue that has gone on meanwhile, delivered twice.

    A centre that names every dialogue anew means another one when its owner dials again; only one that never does
    makes him wait so long.
    """
    record = _latest(message.msisdn, work)
    if record is None or record.key != message.key or not record.node or not record.unit:
        return False
    return work.now - record.touched < _LATE_S


def _latest(msisdn: str, work: Work) -> DialogueRecord | None:
    """The dialogue of a number as the turns of this unit have left it."""
    return work.dialogues[msisdn] if msisdn in work.dialogues else work.opened.get(msisdn)


def _record(message: Inbound, work: Work) -> DialogueRecord | None:
    """The open dialogue that an answer belongs to; None when it is another one, or too old."""
    record = _latest(message.msisdn, work)
    if record is None or record.key != message.key:
        return None
    limits = work.station.profile.limits
    too_old = work.now - record.touched > limits.idle_s or work.now - record.opened > limits.total_s
    return None if too_old else record


def _reopen(record: DialogueRecord) -> Dialogue:
    values = json.loads(record.values) if record.values else {}
    return Dialogue(record.node, record.page, record.misses, values)


def _record_of(
    dialogue: Dialogue, message: Inbound, work: Work, opened: float, over: bool
) -> DialogueRecord | None:
    """A dialogue is stored while it is open. One MSISDN has one: a new dial replaces a stale one.

    One that is over with an answer stays for a while, at no node, so that the answer is known if it comes again.
    """
    if over and not message.unit:
        return None
    return DialogueRecord(
        message.msisdn,
        work.station.name,
        message.key,
        "" if over else dialogue.node,
        dialogue.page,
        dialogue.misses,
        json.dumps(dialogue.values, ensure_ascii=False) if dialogue.values else None,
        message.unit or 0,
        work.now,
        opened,
    )
