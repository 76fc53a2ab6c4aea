"""What the tests of the store put into it, and a unit that comes to nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from data.model import (
    Acknowledged,
    DialogueRecord,
    MessagePart,
    NewSubscriber,
    Outgoing,
    QuarantineRecord,
    SentMessage,
)
from data.store import Store, Unit

PRIVATE, EMPLOYEE, COLLEAGUE = "79260000003", "79260000010", "79260000020"
CONTRACT = "8000000000005001"

# Only one of them is a subscriber's number, and to none of them is another one equal.
ALIKE = ("79260000003", "079260000003", "+79260000003", " 79260000003", "79260000003.0")


def new(msisdn: str, **changes) -> NewSubscriber:
    """A subscriber for import: private, on «smart», 500 roubles, unless said otherwise."""
    plain = NewSubscriber(
        msisdn,
        contract=None,
        language="ru",
        script="cyrillic",
        blocked=False,
        tariff="smart",
        balance_kopecks=50_000,
        budget_limit_kopecks=None,
        budget_spent_kopecks=0,
        renew_day=4,
        packages_left_percent=50,
    )
    return plain._replace(**changes)


PEOPLE = (
    new(PRIVATE),
    new(
        EMPLOYEE,
        tariff="corporate-vip",
        contract=CONTRACT,
        balance_kopecks=200_000,
        budget_limit_kopecks=100_000,
        budget_spent_kopecks=20_000,
    ),
    new(COLLEAGUE, tariff="corporate-vip", contract=CONTRACT),
)


def open_dialogue(msisdn: str = PRIVATE, **changes) -> DialogueRecord:
    plain = DialogueRecord(
        msisdn,
        link="ussdc",
        key="79260000003:5A",
        node="options.category",
        page=1,
        misses=2,
        values='{"category": "fun"}',
        unit=3,
        touched=1000.5,
        opened=940.25,
    )
    return plain._replace(**changes)


def sms(id: int, text: str = "text", **changes) -> Outgoing:
    plain = Outgoing(id, "ussdc", PRIVATE, "sms", created=1.5, expires=61.5, sender="000110", text=text)
    return plain._replace(**changes)


def screen(id: int, frame: bytes = b"frame", **changes) -> Outgoing:
    plain = Outgoing(id, "ussdc", PRIVATE, "ussd", created=1.5, expires=61.5, frame=frame)
    return plain._replace(**changes)


def part(number: int, total: int = 3, reference: str = "udh8:7", **changes) -> MessagePart:
    plain = MessagePart(
        link="smsc",
        msisdn=PRIVATE,
        to="0500",
        reference=reference,
        number=number,
        total=total,
        data_coding=8,
        octets=f"part {number} of {total}".encode(),
        received=1000.0,
    )
    return plain._replace(**changes)


def unusable(octets: bytes = b"\0\0\0\x10", **changes) -> QuarantineRecord:
    plain = QuarantineRecord(
        id=0,
        link="ussdc",
        peer="127.0.0.1:40112",
        direction="in",
        reason="command_length 7 is less than a header",
        status=2,
        octets=octets,
        when=1000.5,
        replay=False,
    )
    return plain._replace(**changes)


def sent(key: str, id: int, link: str = "smsc", when: float = 1000.5) -> SentMessage:
    return SentMessage(link, key, id, PRIVATE, when)


def acknowledged(link: str = "ussdc", when: float = 1000.5, **changes) -> Acknowledged:
    plain = Acknowledged(link, "ussdc/7", responses=12, read=9, digests=bytes(range(16)), when=when)
    return plain._replace(**changes)


class TakenBack(Exception):
    """What ends a unit of work that is to come to nothing."""


@asynccontextmanager
async def taken_back(store: Store) -> AsyncIterator[Unit]:
    """A unit of work that fails at its end."""
    with suppress(TakenBack):
        async with store.unit() as unit:
            yield unit
            raise TakenBack
