"""The unit of work: one read of a socket, one transaction, one write.

All messages that a read brought are handled inside one transaction, each in a savepoint of its own, so that a
failure costs one turn and nobody else's. The transaction holds the effects of the operations, the dialogues' new
state, the answers and the jobs. Acknowledgements and answers leave after the commit: what a centre was told we
have, we have; what it was not told, it sends again.
"""

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import structlog

from data.model import DialogueRecord, Outgoing, Subscriber
from data.store import Store
from gateway.dialect import DialectError, Inbound, Profile
from gateway.settings import Service
from gateway.smpp.pdu import DeliverSm, SubmitSm, encode
from gateway.smpp.text import ALPHABET_BY_DCS, decode_text, measure, parse_udh, segments
from gateway.smpp.vocabulary import (
    ESM_CLASS_RECEIPT,
    ESM_CLASS_TYPE_MASK,
    ESM_CLASS_UDHI,
    ESME_ROK,
    ESME_RX_R_APPN,
)
from handlers.registry import Operation
from menus.engine import advance
from menus.model import Menu
from menus.turns import (
    Abort,
    Answer,
    Begin,
    Call,
    Dialogue,
    Display,
    End,
    Notified,
    Returned,
    Show,
    Text,
    Turn,
)

log = structlog.get_logger(__name__)

# A dialogue may chain calls (check, then switch on), but never without end.
_CALLS_AT_MOST = 8

_SMS_DCS = {"gsm7": 0x00, "ucs2": 0x08}


@dataclass(frozen=True, slots=True)
class Station:
    """What a turn has to know of the link it came by."""

    name: str
    profile: Profile
    sms_validity_s: float


@dataclass(slots=True)
class Batch:
    """What a unit of work has come to: written at its end, in one go, and acted upon after the commit."""

    acknowledgements: list[tuple[DeliverSm, int]] = field(default_factory=list)
    answers: list[Outgoing] = field(default_factory=list)
    dialogues: dict[str, DialogueRecord | None] = field(default_factory=dict)
    """By MSISDN, those that this unit has changed; None is one that is closed."""
    subscribers: dict[str, Subscriber] | None = None
    """Those of the requests, read at once; None when a turn has written something and they may be stale."""
    jobs: int = 0
    counted: Counter = field(default_factory=Counter)

    def answer(
        self, work: "Work", msisdn: str, kind: Literal["ussd", "sms"], frame: bytes, validity_s: float
    ) -> None:
        """Have an encoded submit_sm leave by the link of the turn after the commit."""
        now = work.now
        self.answers.append(
            Outgoing(work.store.draw_id(), work.station.name, msisdn, kind, frame, now, now + validity_s)
        )


class UnitOfWork:
    """``async with unit:`` is a transaction on the store; only one is open at a time."""

    def __init__(self, store: Store):
        self._store = store
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> None:
        await self._lock.acquire()
        try:
            await self._store.begin()
        except BaseException:
            self._lock.release()
            raise

    async def __aexit__(self, failure: type[BaseException] | None, *_: object) -> None:
        try:
            if failure is None:
                await self._store.commit()
        finally:
            try:
                await self._store.rollback()  # of what is not committed
            finally:
                self._lock.release()


@dataclass(slots=True)
class Work:
    """What an operation or a job may touch, all of it in one transaction (see `handlers.registry.Work`)."""

    store: Store
    now: float
    limits: Service
    subscriber: Subscriber | None
    menu: Menu
    station: Station
    batch: Batch

    async def send_sms(self, message: str, values: Mapping[str, Any]) -> None:
        """Send the subscriber the message that the menu words under that name."""
        subscriber = self.subscriber
        display = Display(subscriber.language, subscriber.script, measure, paged=False)
        text = self.menu.message(message, values, display)
        for frame in sms_frames(self.menu.senders[message], subscriber.msisdn, text):
            self.batch.answer(self, subscriber.msisdn, "sms", frame, self.station.sms_validity_s)

    async def defer(self, job: str, args: Mapping[str, Any]) -> None:
        """Have a job run once the transaction is committed."""
        await self.store.add_job(
            job, self.subscriber.msisdn, self.station.name, json.dumps(args), self.now, self.now
        )
        self.batch.jobs += 1


class Message(NamedTuple):
    """A deliver_sm understood: whose, which turn, and `ussd` unless it is an SMS."""

    msisdn: str
    turn: Turn
    ussd: Inbound | None


class Dialogues:
    """Handles what the links receive.

    `clock` is the wall's, in Unix seconds: it is stored, and outlives the process.
    """

    def __init__(
        self,
        store: Store,
        unit: UnitOfWork,
        menu: Menu,
        operations: Mapping[str, Operation],
        limits: Service,
        clock: Callable[[], float],
    ):
        self._store = store
        self._unit = unit
        self._menu = menu
        self._operations = operations
        self._limits = limits
        self._clock = clock
        self.watch: Callable[[Message, Show | End], None] | None = None
        """Told of every screen with its node; for those who look on, such as the tester of transcripts."""
        self._displays: dict[tuple[str, str, str, bool], Display] = {}

    async def handle(
        self,
        station: Station,
        requests: Sequence[DeliverSm],
        taken: Sequence[int] = (),
        failed: Sequence[tuple[int, str]] = (),
    ) -> Batch:
        """Do one unit of work: `requests` that arrived, ids of answers that were `taken` or have `failed` for good.

        Whatever the store raises passes through, with nothing done: the requests are not ours yet.
        """
        batch = Batch()
        now = self._clock()
        async with self._unit:
            if requests:
                batch.subscribers = await self._store.subscribers([pdu.source_addr for pdu in requests])
            for pdu in requests:
                batch.acknowledgements.append((pdu, await self._receive(pdu, station, batch, now)))
            await self._write(batch)
            if taken:
                await self._store.taken(taken)
            for number, reason in failed:
                await self._store.fail(number, reason, now)
        return batch

    async def _write(self, batch: Batch) -> None:
        """What the turns left to be written: many rows of a kind cost a third of as many single ones."""
        if batch.answers:
            await self._store.enqueue(batch.answers)
        if batch.dialogues:
            opened = [record for record in batch.dialogues.values() if record]
            closed = [msisdn for msisdn, record in batch.dialogues.items() if not record]
            await self._store.save_dialogues(opened)
            await self._store.close_dialogues(closed)

    async def unsent(self, station: Station, after_id: int, limit: int) -> list[Outgoing]:
        """What the store holds for the station's link beyond `after_id`, oldest first."""
        return await self._store.unsent(station.name, after_id, limit)

    async def _receive(self, pdu: DeliverSm, station: Station, batch: Batch, now: float) -> int:
        """Handle one deliver_sm in a savepoint; the command_status of its response."""
        try:
            message = _understand(pdu, station.profile)
        except DialectError as error:
            log.warning(
                "message not understood", link=station.name, msisdn=pdu.source_addr, reason=str(error)
            )
            batch.counted["not_understood"] += 1
            return ESME_RX_R_APPN
        if message is None:
            batch.counted["receipt"] += 1
            return ESME_ROK
        work = Work(self._store, now, self._limits, None, self._menu, station, batch)
        answers, jobs = len(batch.answers), batch.jobs
        await self._store.savepoint()
        try:
            await self._turn(message, work)
        except Exception:
            await self._store.rollback_savepoint()
            del batch.answers[answers:]
            batch.jobs = jobs
            self._apologise(message, work)
        else:
            if await self._store.release():
                batch.subscribers = None
        return ESME_ROK

    async def _turn(self, message: Message, work: Work) -> None:
        turn, batch = message.turn, work.batch
        kind = type(turn)
        batch.counted[kind.__name__.lower()] += 1
        if kind is Notified:
            return
        if kind is Abort:
            if await self._record(message, work):  # one that comes late must not end a newer dialogue
                batch.dialogues[message.msisdn] = None
            return
        work.subscriber = await self._subscriber(message.msisdn, batch)
        if work.subscriber is None:
            self._turn_away(message, work)
            return
        if kind is Answer:
            record = await self._record(message, work)
            if record is None:
                self._say(self._words("expired", work), True, message, work)
                return
            if message.ussd.unit and message.ussd.unit == record.unit:
                batch.counted["repeated"] += 1
                return  # delivered twice: it is answered already
            dialogue = _reopen(record)
        else:
            dialogue = Dialogue()
        step = await self._walk(dialogue, message, work)
        if step.node in ("unknown_code", "unknown_sms"):
            batch.counted[step.node] += 1
            log.info(
                "nothing in the menu", link=work.station.name, msisdn=message.msisdn, what=_opening(turn)
            )
        if self.watch:
            self.watch(message, step)
        self._keep(step, dialogue, message, work)
        if step.text:
            self._say(step.text, type(step) is End, message, work)

    async def _subscriber(self, msisdn: str, batch: Batch) -> Subscriber | None:
        if batch.subscribers is None:
            return await self._store.subscriber(msisdn)
        return batch.subscribers.get(msisdn)

    async def _record(self, message: Message, work: Work) -> DialogueRecord | None:
        """The open dialogue that an answer belongs to; None when it is another one, or too old."""
        opened = work.batch.dialogues
        msisdn = message.msisdn
        record = opened[msisdn] if msisdn in opened else await self._store.dialogue(msisdn)
        if record is None or record.key != message.ussd.key:
            return None
        return record if work.now - record.touched <= work.station.profile.limits.idle_s else None

    async def _walk(self, dialogue: Dialogue, message: Message, work: Work) -> Show | End:
        """Advance the menu, executing its calls, up to the next screen."""
        turn = message.turn
        for _ in range(_CALLS_AT_MOST):
            step = advance(self._menu, dialogue, turn, self._display(message, work))
            if type(step) is not Call:
                return step
            turn = await self._call(step, work)
        raise RuntimeError(f"node {step.node} calls without end")

    async def _call(self, call: Call, work: Work) -> Returned:
        outcome = await self._operations[call.operation](work, work.subscriber, call.args)
        return Returned(outcome.code, outcome.values)

    def _keep(self, step: Show | End, dialogue: Dialogue, message: Message, work: Work) -> None:
        """A dialogue is stored while it is open. One MSISDN has one: a new dial replaces a stale one."""
        ussd = message.ussd
        if ussd is None:
            return
        if type(step) is End:
            work.batch.dialogues[message.msisdn] = None
            return
        work.batch.dialogues[message.msisdn] = DialogueRecord(
            message.msisdn,
            work.station.name,
            ussd.key,
            dialogue.node,
            dialogue.page,
            dialogue.misses,
            json.dumps(dialogue.values, ensure_ascii=False) if dialogue.values else None,
            ussd.unit or 0,
            work.now,
        )

    def _say(self, text: str, last: bool, message: Message, work: Work) -> None:
        station, batch = work.station, work.batch
        if message.ussd is None:
            for frame in sms_frames(message.turn.to, message.msisdn, text):
                batch.answer(work, message.msisdn, "sms", frame, station.sms_validity_s)
        else:
            profile = station.profile
            frame = encode(profile.write(message.ussd.reply, text, "finish" if last else "ask"))
            batch.answer(work, message.msisdn, "ussd", frame, profile.limits.idle_s)

    def _turn_away(self, message: Message, work: Work) -> None:
        """A number that the store does not know is answered politely, and nothing is done for it."""
        log.info("unknown subscriber", link=work.station.name, msisdn=message.msisdn)
        work.batch.counted["unknown_subscriber"] += 1
        self._say(self._words("unknown_subscriber", work), True, message, work)

    def _apologise(self, message: Message, work: Work) -> None:
        """Tell the subscriber a reference under which the log has what went wrong."""
        reference = secrets.token_hex(3)
        log.exception("turn failed", reference=reference, link=work.station.name, msisdn=message.msisdn)
        work.batch.counted["failed"] += 1
        work.batch.dialogues[message.msisdn] = None
        self._say(self._words("failure", work, reference=reference), True, message, work)

    def _words(self, name: str, work: Work, **values: str) -> str:
        return self._menu.words(name, self._display_of(work, paged=False), values)

    def _display(self, message: Message, work: Work) -> Display:
        return self._display_of(work, paged=message.ussd is not None)

    def _display_of(self, work: Work, paged: bool) -> Display:
        subscriber, profile = work.subscriber, work.station.profile
        language, script = (subscriber.language, subscriber.script) if subscriber else ("ru", "cyrillic")
        key = (language, script, profile.name, paged)
        display = self._displays.get(key)
        if display is None:
            display = Display(language, script, measure, profile.septets, profile.ucs2, paged)
            self._displays[key] = display
        return display


def _understand(pdu: DeliverSm, profile: Profile) -> Message | None:
    """None for a delivery receipt, which is nobody's turn. Raises `DialectError`."""
    if pdu.esm_class & ESM_CLASS_TYPE_MASK == ESM_CLASS_RECEIPT:
        return None
    if profile.is_ussd(pdu):
        inbound = profile.read(pdu)
        return Message(inbound.msisdn, inbound.turn, inbound)
    octets = parse_udh(pdu.short_message)[1] if pdu.esm_class & ESM_CLASS_UDHI else pdu.short_message
    text = decode_text(octets, ALPHABET_BY_DCS["sms"].get(pdu.data_coding, "gsm7"))
    return Message(pdu.source_addr, Text(pdu.destination_addr, text), None)


def _opening(turn: Turn) -> str:
    """What was dialled, or the number that was texted: never the text of an SMS."""
    return turn.code if type(turn) is Begin else turn.to


def _reopen(record: DialogueRecord) -> Dialogue:
    values = json.loads(record.values) if record.values else {}
    return Dialogue(record.node, record.page, record.misses, values)


def sms_frames(sender: str, msisdn: str, text: str) -> list[bytes]:
    """The encoded submit_sm PDUs (sequence number 0) of an SMS, one a part; the parts carry a UDH."""
    alphabet, _ = measure(text)
    parts = segments(text, alphabet, reference=secrets.randbelow(256))
    return [
        encode(
            SubmitSm(
                source_addr=sender,
                dest_addr_ton=1,
                dest_addr_npi=1,
                destination_addr=msisdn,
                esm_class=ESM_CLASS_UDHI if len(parts) > 1 else 0,
                data_coding=_SMS_DCS[alphabet],
                short_message=part,
            )
        )
        for part in parts
    ]
