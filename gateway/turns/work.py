"""One transaction, and what the turns or the job inside it come to."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from data.model import DialogueRecord, Outgoing, OutgoingKind, SentMessage, Subscriber
from data.store import Store
from gateway.dialect import DialectError, Profile, load_profile
from gateway.settings import Link, Service
from gateway.smpp.pdu import DataSm, DeliverSm, SubmitSm
from gateway.smpp.receipts import Receipt
from gateway.smpp.text import data_coding_table, measure, sending_table
from gateway.turns.receipts import ReceiptIds
from gateway.turns.sms import SmsStyle
from menus.model import Menu
from menus.turns import Display

Message = DeliverSm | SubmitSm | DataSm
"""What a subscriber's turn comes in: from an SMSC deliver_sm, from an ESME submit_sm, from either data_sm."""


_CARRIER = {"esme": SubmitSm, "smsc": DeliverSm}


@dataclass(frozen=True, slots=True)
class Station:
    """What a turn has to know of the link it came by, or will leave by."""

    name: str
    profile: Profile
    sms: SmsStyle
    carrier: type[SubmitSm] | type[DeliverSm]
    """What our messages to subscribers travel in: submit_sm to an SMSC, deliver_sm to an ESME."""
    receipt_ids: ReceiptIds
    """What is known of the ids in receipts."""


def station_of(settings: Link) -> Station:
    """What a turn has to know of the link. Raises `DialectError`."""
    try:
        profile = load_profile(settings.dialect)
    except DialectError as error:
        raise DialectError(f"links.{settings.name}.dialect: {error}") from None
    text = settings.text
    style = SmsStyle(
        data_coding_table(text.data_coding, text.data_codings),
        sending_table(text.send_as),
        text.long_messages,
        settings.sms_validity_s,
        settings.receipts,
    )
    return Station(settings.name, profile, style, _CARRIER[settings.role], ReceiptIds())


@dataclass(slots=True)
class Outcomes:
    """What a centre made of our messages; the store is told with the next unit of work."""

    taken: list[int] = field(default_factory=list)
    failed: list[tuple[int, str]] = field(default_factory=list)
    """With the reason."""
    sent: list[SentMessage] = field(default_factory=list)
    """Those of ``taken`` of which a receipt will tell."""

    def __bool__(self) -> bool:
        return bool(self.taken or self.failed)

    def __add__(self, later: "Outcomes") -> "Outcomes":
        return Outcomes(self.taken + later.taken, self.failed + later.failed, self.sent + later.sent)

    @property
    def ids(self) -> set[int]:
        """All of them."""
        return {*self.taken, *(id for id, _ in self.failed)}


class Transaction:
    """``async with transaction:`` on the store; only one is open at a time."""

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
    """A unit of work: what its turns may use, what they have to say, what is done after the commit.

    Operations and jobs see the part of it that `handlers.registry.Work` declares.
    """

    store: Store
    now: float
    limits: Service
    menu: Menu
    station: Station
    route: Callable[[str], Station | None] = lambda msisdn: None
    """The station by which a message leaves that answers no question; None: that of the turn."""
    subscriber: Subscriber | None = None
    """Whose turn it is."""
    subscribers: dict[str, Subscriber] | None = None
    """Those of all turns, read at once; None when a turn has written something and they may be stale."""
    acknowledgements: list[tuple[Message, int]] = field(default_factory=list)
    """The messages of the unit, each with the command_status of its response."""
    misunderstood: list[tuple[Message, str, int]] = field(default_factory=list)
    """Those of them that meant nothing, why, and the command_status that says so."""
    receipts: list[tuple[Receipt, str, SentMessage | None]] = field(default_factory=list)
    """What became of messages, to which number; None: of one that nobody knows, or not yet."""
    answers: list[Outgoing] = field(default_factory=list)
    opened: dict[str, DialogueRecord] = field(default_factory=dict)
    """The dialogues that were open when the unit began, by MSISDN, read at once."""
    dialogues: dict[str, DialogueRecord | None] = field(default_factory=dict)
    """By MSISDN, those that the unit has changed; None is one that is closed."""
    jobs: int = 0
    counted: Counter = field(default_factory=Counter)

    async def send_sms(self, message: str, values: Mapping[str, Any]) -> None:
        """Send the subscriber the message that the menu words under that name."""
        subscriber = self.subscriber
        display = Display(subscriber.language, subscriber.script, measure, paged=False)
        text = self.menu.message(message, values, display)
        station = self.route(subscriber.msisdn) or self.station
        self._send_sms(station, "sms", self.menu.senders[message], subscriber.msisdn, text)

    async def defer(self, job: str, args: Mapping[str, Any]) -> None:
        """Have a job run once the transaction is committed."""
        await self.store.add_job(
            job, self.subscriber.msisdn, self.station.name, json.dumps(args), due=0.0, created=self.now
        )
        self.jobs += 1

    def answer(self, msisdn: str, frame: bytes, validity_s: float) -> None:
        """Have an encoded screen (sequence number 0) leave by the station's link after the commit."""
        self._queue(self.station, msisdn, "ussd", frame, validity_s)

    def answer_by_sms(self, sender: str, msisdn: str, text: str) -> None:
        """The same for an SMS, in as many parts as it takes."""
        self._send_sms(self.station, "reply", sender, msisdn, text)

    def _send_sms(self, station: Station, kind: OutgoingKind, sender: str, msisdn: str, text: str) -> None:
        for frame in station.sms.frames(station.carrier, sender, msisdn, text):
            self._queue(station, msisdn, kind, frame, station.sms.validity_s)

    def _queue(
        self, station: Station, msisdn: str, kind: OutgoingKind, frame: bytes, validity_s: float
    ) -> None:
        now = self.now
        self.answers.append(
            Outgoing(self.store.draw_id(), station.name, msisdn, kind, frame, now, now + validity_s)
        )

    async def read(self, msisdns: Sequence[str]) -> None:
        """Read what the turns of these numbers need: many rows at once cost a third of as many one by one."""
        numbers = [msisdn for msisdn in msisdns if is_number(msisdn)]
        self.subscribers = await self.store.subscribers(numbers)
        self.opened = await self.store.dialogues(numbers)

    async def write(self) -> None:
        """Write what the turns left to be written, for the same reason at once."""
        if self.answers:
            await self.store.enqueue(self.answers)
        if self.dialogues:
            await self.store.save_dialogues([record for record in self.dialogues.values() if record])
            changed = self.dialogues.items()
            closed = [msisdn for msisdn, record in changed if not record and msisdn in self.opened]
            await self.store.close_dialogues(closed)


def is_number(msisdn: str) -> bool:
    """Whether it can be a subscriber's: at most 15 digits (ITU-T E.164); source_addr may hold anything."""
    return msisdn.isascii() and msisdn.isdigit() and len(msisdn) <= 15
