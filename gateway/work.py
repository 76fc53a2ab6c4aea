"""One transaction, and what the turns or the job inside it come to."""

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from data.model import DialogueRecord, Outgoing, Subscriber
from data.store import Store
from gateway.dialect import Profile
from gateway.settings import Service
from gateway.smpp.pdu import DeliverSm, SubmitSm, encode
from gateway.smpp.text import measure, segments
from gateway.smpp.vocabulary import ESM_CLASS_UDHI
from menus.model import Menu
from menus.turns import Display

_SMS_DCS = {"gsm7": 0x00, "ucs2": 0x08}


@dataclass(frozen=True, slots=True)
class Station:
    """What a turn has to know of the link it came by."""

    name: str
    profile: Profile
    sms_validity_s: float


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
    subscriber: Subscriber | None = None
    """Whose turn it is."""
    subscribers: dict[str, Subscriber] | None = None
    """Those of all turns, read at once; None when a turn has written something and they may be stale."""
    acknowledgements: list[tuple[DeliverSm, int]] = field(default_factory=list)
    """The deliver_sm of the unit, each with the command_status of its response."""
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
        self.answer_by_sms(self.menu.senders[message], subscriber.msisdn, text)

    async def defer(self, job: str, args: Mapping[str, Any]) -> None:
        """Have a job run once the transaction is committed."""
        await self.store.add_job(
            job, self.subscriber.msisdn, self.station.name, json.dumps(args), due=0.0, created=self.now
        )
        self.jobs += 1

    def answer(self, msisdn: str, kind: Literal["ussd", "sms"], frame: bytes, validity_s: float) -> None:
        """Have an encoded submit_sm (sequence number 0) leave by the station's link after the commit."""
        now = self.now
        self.answers.append(
            Outgoing(self.store.draw_id(), self.station.name, msisdn, kind, frame, now, now + validity_s)
        )

    def answer_by_sms(self, sender: str, msisdn: str, text: str) -> None:
        """The same for an SMS, in as many parts as it takes."""
        for frame in sms_frames(sender, msisdn, text):
            self.answer(msisdn, "sms", frame, self.station.sms_validity_s)

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


def sms_frames(sender: str, msisdn: str, text: str) -> list[bytes]:
    """The encoded submit_sm PDUs (sequence number 0) of an SMS, one a part; several parts carry a UDH."""
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
