"""The unit of work: one read of a socket, one transaction, one write.

All messages that a read brought are handled inside one transaction, each in a savepoint of its own, so that a
failure costs one turn and nobody else's. The transaction holds the effects of the operations, the dialogues' new
state, the answers and the jobs. Acknowledgements and answers leave after the commit: what a centre was told we
have, we have; what it was not told, it sends again, and `gateway.turns.repeats` knows it again.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence

import structlog

from data.model import Acknowledged, DialogueRecord, Outgoing, OutgoingKind, Subscriber
from data.store import Store
from gateway.dialect import DialectError, Inbound
from gateway.dialect.words import Message, ReplyKind
from gateway.numbers import TON_ALPHANUMERIC
from gateway.settings import Service
from gateway.smpp.pdu import encode
from gateway.smpp.text import measure
from gateway.smpp.vocabulary import ESME_RINVSRCADR, ESME_ROK, ESME_RX_R_APPN
from gateway.turns.post import Post
from gateway.turns.reading import Arrival, understand
from gateway.turns.records import is_answered, is_late, is_unread, record_for, record_of, reopen
from gateway.turns.repeats import ReadMark, pack
from gateway.turns.robots import Patience
from gateway.turns.station import Station
from gateway.turns.work import Outcomes, Work
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
        post: Post,
        menu: Menu,
        operations: Mapping[str, Operation],
        limits: Service,
        clock: Callable[[], float],
    ):
        self._store = store
        self._post = post
        self._menu = menu
        self._operations = operations
        self._limits = limits
        self._clock = clock
        self._patience = Patience(limits.hints_per_hour)
        self._displays: dict[tuple[str, str, str, bool], Display] = {}
        self.watch: Callable[[Inbound, Show | End], None] | None = None
        """Told of every screen with its node; for those who look on, such as the tester of transcripts."""

    async def handle(
        self,
        station: Station,
        arrivals: Sequence[Arrival],
        outcomes: Outcomes | None = None,
        replayed: Sequence[int] = (),
        told: ReadMark | None = None,
    ) -> Work:
        """Do one unit of work: `arrivals` of one read, `outcomes` of answers, records of the quarantine `replayed`.

        `told` is what the connection that brought them has heard from us before; None: nobody hears anything.
        Whatever the store raises passes through, with nothing done: the requests are not ours yet.
        """
        claimed: list[int] = []
        try:
            async with self._store.unit() as unit:
                work = Work(unit, self._clock(), self._limits, self._menu, station, self._post)
                if outcomes:
                    await _settle(outcomes, work)
                if arrivals:
                    await self._take_in(arrivals, work, claimed)
                    await work.write()
                if told:
                    await unit.inbox.note_acknowledged(_row(told, work))
                if replayed:
                    await unit.inbox.replayed(replayed)
        except BaseException:
            station.repeats.give_back(claimed)
            raise
        return work

    async def unsent(self, station: Station, kind: OutgoingKind, after_id: int, limit: int) -> list[Outgoing]:
        """What the store holds of a kind for the station's link beyond `after_id`, oldest first."""
        async with self._store.view() as view:
            return await view.outbox.unsent(station.name, after_id, limit, kind)

    async def _take_in(self, arrivals: Sequence[Arrival], work: Work, claimed: list[int]) -> None:
        """Handle the requests in order, but for those that have been handled before."""
        repeats = work.station.repeats
        await work.read([arrival.msisdn for arrival in arrivals])
        for arrival in arrivals:
            if repeats.claim(arrival.digest):
                claimed.append(arrival.digest)
                work.counted["repeated"] += 1
                status = ESME_ROK
            else:
                status = await self._receive(arrival, work)
            work.acknowledgements.append((arrival.pdu, status))
            if status == ESME_ROK:
                work.digests.append(arrival.digest)

    async def _receive(self, arrival: Arrival, work: Work) -> int:
        """Handle one message in a savepoint; the command_status of its response."""
        pdu = arrival.pdu
        try:
            message = await understand(arrival, work)
        except DialectError as error:
            return self._put_aside(pdu, str(error), ESME_RX_R_APPN, work)
        if message is None or pdu.source_addr_ton == TON_ALPHANUMERIC:
            return _no_turn(work)
        if type(message.turn) is Text and await self._is_robot(message, message.turn, work):
            return _no_turn(work)
        if not message.msisdn:
            reason = "source_addr is empty: nobody to be answered"
            return self._put_aside(pdu, reason, ESME_RINVSRCADR, work)
        answers, withdrawn, jobs = len(work.answers), len(work.withdrawn), work.jobs
        await work.unit.savepoint()
        try:
            await self._turn(message, arrival, work)
        except Exception:
            await work.unit.rollback_savepoint()
            del work.answers[answers:], work.withdrawn[withdrawn:]
            work.jobs = jobs
            self._apologise(message, arrival, work)
        else:
            if await work.unit.release():
                work.subscribers = None
        return ESME_ROK

    async def _is_robot(self, message: Inbound, turn: Text, work: Work) -> bool:
        """Whether an SMS was meant by nobody: one from a short number of ours, whose answer would come back to be
        answered, for ever, or one that means nothing, of somebody who has been told so often enough.
        """
        msisdn = message.msisdn
        if msisdn in self._menu.numbers:
            return True
        number = self._menu.numbers.get(turn.to)
        if number and number.understands(turn.text) and await self._subscriber(msisdn, work):
            return False
        return not self._patience.spend(msisdn, work.station.name, work.now)

    def _put_aside(self, pdu: Message, reason: str, status: int, work: Work) -> int:
        work.misunderstood.append((pdu, reason, status))
        work.counted["not_understood"] += 1
        return status

    async def _turn(self, message: Inbound, arrival: Arrival, work: Work) -> None:
        kind = type(message.turn)
        work.counted[kind.__name__] += 1
        if kind is Notified:
            return
        record = None
        if kind is Answer or kind is Abort:
            record = record_for(message, work)
        if kind is Abort:
            if record and record.node:  # one that comes late must not end a newer dialogue
                work.dialogues[message.msisdn] = None
            return
        work.subscriber = await self._subscriber(message.msisdn, work)
        work.question = arrival.pdu
        if work.subscriber is None:
            self._say(self._end("unknown_subscriber", work), message, work)
        elif kind is Begin and is_late(message, arrival, work):
            work.counted["repeated"] += 1
        elif kind is Begin or kind is Text:
            await self._go_on(Dialogue(), message, arrival, work)
        elif record and (is_answered(record, message) or await is_unread(record, arrival, work)):
            work.counted["repeated"] += 1
        elif record is None or not record.node:
            self._say(self._end("expired", work), message, work)
        else:
            await self._go_on(reopen(record), message, arrival, work, record)

    async def _subscriber(self, msisdn: str, work: Work) -> Subscriber | None:
        if work.subscribers is None:
            return await work.facts.subscriber(msisdn)
        return work.subscribers.get(msisdn)

    async def _go_on(
        self,
        dialogue: Dialogue,
        message: Inbound,
        arrival: Arrival,
        work: Work,
        before: DialogueRecord | None = None,
    ) -> None:
        """Advance the menu, executing its calls, up to the next screen; it is not shown if nobody looks any more."""
        turn: Turn | Returned = message.turn
        paged, subscriber = message.reply is not None, work.subscriber
        assert subscriber, "strangers have been answered"
        display, seen_as = self._display(work, paged), work.subscriber
        for _ in range(_CALLS_AT_MOST):
            if work.subscriber is not seen_as:  # he has changed how he is spoken to
                display, seen_as = self._display(work, paged), work.subscriber
            step = advance(self._menu, dialogue, turn, display)
            if not isinstance(step, Call):
                break
            outcome = await self._operations[step.operation](work, subscriber, step.args)
            turn = Returned(outcome.code, outcome.values)
        else:
            raise RuntimeError(f"node {step.node} calls without end")
        screen = 0 if message.last else self._say(step, message, work)
        if paged:
            over = type(step) is End or message.last
            work.dialogues[message.msisdn] = record_of(dialogue, message, arrival, work, before, screen, over)

    def _say(self, step: Show | End, message: Inbound, work: Work) -> int:
        """Answer with a screen or an SMS; its id in the outbox. An empty text says nothing, and has none: 0."""
        if step.node in _WITHOUT_NODE:
            self._note(step.node, message, work)
        if self.watch:
            self.watch(message, step)
        if not step.text:
            return 0
        if isinstance(message.turn, Text):
            return work.answer_by_sms(message.turn.to, message.msisdn, step.text)
        assert message.reply, "a dialogue is answered where it was opened"
        profile = work.station.profile
        kind: ReplyKind = "finish" if type(step) is End else "ask"
        pdu = profile.write(message.reply, step.text, kind, work.station.carrier)
        return work.show(message.msisdn, encode(pdu), profile.limits.idle_s)

    def _note(self, name: str, message: Inbound, work: Work) -> None:
        work.counted[name] += 1
        match message.turn:  # never the text of an SMS
            case Begin(what) | Text(what) if name in _UNKNOWN:
                log.info("nothing in the menu", link=work.station.name, msisdn=message.msisdn, what=what)

    def _apologise(self, message: Inbound, arrival: Arrival, work: Work) -> None:
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


def _no_turn(work: Work) -> int:
    work.counted["no_turn"] += 1
    return ESME_ROK


def _row(told: ReadMark, work: Work) -> Acknowledged:
    return Acknowledged(
        work.station.name,
        told.connection,
        told.responses + len(work.acknowledgements),
        told.read,
        pack(work.digests),
        work.now,
    )


async def _settle(outcomes: Outcomes, work: Work) -> None:
    """Tell the store first what became of answers: a screen that has been taken may have been read."""
    unit = work.unit
    if outcomes.sent:
        await unit.inbox.note_sent(outcomes.sent)
    await unit.outbox.taken(outcomes.taken)
    for number, reason in outcomes.failed:
        await unit.outbox.fail(number, reason, work.now)
