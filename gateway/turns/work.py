"""One transaction, and what the turns or the job inside it come to."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from data.model import DialogueRecord, Outgoing, OutgoingKind, SentMessage, Subscriber
from data.store import Facts, Unit
from gateway.dialect.words import Message
from gateway.numbers import Address
from gateway.settings import Service
from gateway.smpp.receipts import Receipt
from gateway.smpp.text import measure
from gateway.turns.post import Post
from gateway.turns.station import Station
from menus.model import Menu
from menus.turns import Display


@dataclass(slots=True)
class Outcomes:
    """What a centre made of our messages; the store is told with the next unit of work."""

    taken: list[int] = field(default_factory=list)
    failed: list[tuple[int, str]] = field(default_factory=list)
    """With the reason."""
    sent: list[SentMessage] = field(default_factory=list)
    """Those of ``taken``, or parts of them, of which a receipt will tell."""

    def __bool__(self) -> bool:
        return bool(self.taken or self.failed or self.sent)

    def __add__(self, later: "Outcomes") -> "Outcomes":
        return Outcomes(self.taken + later.taken, self.failed + later.failed, self.sent + later.sent)

    @property
    def ids(self) -> set[int]:
        """All that the store need not keep."""
        return {*self.taken, *(id for id, _ in self.failed)}


@dataclass(slots=True)
class Work:
    """A unit of work: what its turns may use, what they have to say, what is done after the commit.

    Operations and jobs see the part of it that `handlers.registry.Work` declares.
    """

    unit: Unit
    now: float
    limits: Service
    menu: Menu
    station: Station
    post: Post
    subscriber: Subscriber | None = None
    """Whose turn it is."""
    question: Message | None = None
    """The message of this turn."""
    asked_from: str = ""
    """Of a job: how the message that promised it wrote his number, as `Outgoing.address` has it."""
    subscribers: dict[str, Subscriber] | None = None
    """Those of all turns, read at once; None when a turn has written something and they may be stale."""
    acknowledgements: list[tuple[Message, int]] = field(default_factory=list)
    """The messages of the unit, each with the command_status of its response."""
    digests: list[int] = field(default_factory=list)
    """Of those that were answered ESME_ROK: they may come again."""
    misunderstood: list[tuple[Message, str, int]] = field(default_factory=list)
    """Those of them that meant nothing, why, and the command_status that says so."""
    receipts: list[tuple[Receipt, str, SentMessage | None]] = field(default_factory=list)
    """What became of messages, to which number; None: of one that nobody knows, or not yet."""
    answers: list[Outgoing] = field(default_factory=list)
    withdrawn: list[int] = field(default_factory=list)
    """Messages of earlier units that have been taken out of the outbox."""
    opened: dict[str, DialogueRecord] = field(default_factory=dict)
    """The dialogues that were open when the unit began, by MSISDN, read at once."""
    dialogues: dict[str, DialogueRecord | None] = field(default_factory=dict)
    """By MSISDN, those that the unit has changed; None is one that is closed."""
    jobs: int = 0
    counted: Counter[str] = field(default_factory=Counter)

    @property
    def facts(self) -> Facts:
        """The facts, in this unit."""
        return self.unit.facts

    @property
    def address(self) -> str:
        """How the subscriber's message wrote his number, as `Outgoing.address` has it."""
        if self.question is None:
            return self.asked_from
        pdu, msisdn = self.question, self.subscriber.msisdn if self.subscriber else ""
        address = Address(pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr)
        return "" if address == (1, 1, msisdn) else address.text

    async def send_sms(self, message: str, values: Mapping[str, Any], *, replaces: bool = False) -> None:
        """Send the subscriber the message that the menu words under that name.

        `replaces`: earlier ones that have not been taken are worth nothing any more, and are not sent.
        """
        subscriber = self.subscriber
        assert subscriber, "a stranger is sent nothing"
        display = Display(subscriber.language, subscriber.script, measure, paged=False)
        text = self.menu.message(message, values, display)
        if replaces:
            newest = self.unit.draw_id()
            self.withdrawn += await self.unit.outbox.withdraw(subscriber.msisdn, message, newest)
        station = self.post.way_to(subscriber.msisdn) or self.station
        address = self.address if station is self.station else ""
        topic = message if replaces else ""
        self._send_sms(station, "sms", self.menu.senders[message], subscriber.msisdn, text, address, topic)

    async def defer(self, job: str, args: Mapping[str, Any]) -> None:
        """Have a job run once the transaction is committed."""
        subscriber = self.subscriber
        assert subscriber, "a stranger is promised nothing"
        await self.unit.jobs.add(
            job, subscriber.msisdn, self.station.name, self.address, json.dumps(args), 0.0, self.now
        )
        self.jobs += 1

    def show(self, msisdn: str, frame: bytes, validity_s: float) -> int:
        """Have an encoded screen (sequence number 0) leave by the station's link after the commit; its id."""
        id, now = self.unit.draw_id(), self.now
        self.answers.append(Outgoing(id, self.station.name, msisdn, "ussd", now, now + validity_s, frame))
        return id

    def answer_by_sms(self, sender: str, msisdn: str, text: str) -> int:
        """Have an SMS leave by the station's link, to the number as the question wrote it; its id."""
        return self._send_sms(self.station, "reply", sender, msisdn, text, self.address)

    def _send_sms(
        self,
        station: Station,
        kind: OutgoingKind,
        sender: str,
        msisdn: str,
        text: str,
        address: str,
        topic: str = "",
    ) -> int:
        id, now = self.unit.draw_id(), self.now
        expires = now + station.sms.validity_s
        message = Outgoing(id, station.name, msisdn, kind, now, expires, None, sender, text, address, topic)
        self.answers.append(message)
        return id

    async def read(self, msisdns: Sequence[str]) -> None:
        """Read what the turns of these numbers need: many rows at once cost a third of as many one by one."""
        self.subscribers = await self.unit.facts.subscribers(msisdns)
        self.opened = await self.unit.inbox.dialogues(msisdns)

    async def write(self) -> None:
        """Write what the turns left to be written, for the same reason at once."""
        if self.answers:
            self.answers = _newest(self.answers)
            await self.unit.outbox.enqueue(self.answers)
        if self.dialogues:
            inbox = self.unit.inbox
            await inbox.save_dialogues([record for record in self.dialogues.values() if record])
            changed = self.dialogues.items()
            await inbox.close_dialogues(
                [msisdn for msisdn, record in changed if not record and msisdn in self.opened]
            )


def _newest(answers: list[Outgoing]) -> list[Outgoing]:
    """The answers without those that a later one replaces."""
    if not any(answer.topic for answer in answers):
        return answers
    last = {(answer.msisdn, answer.topic): answer.id for answer in answers if answer.topic}
    return [one for one in answers if not one.topic or last[one.msisdn, one.topic] == one.id]
