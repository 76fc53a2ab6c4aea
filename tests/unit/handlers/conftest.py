"""A unit of work over a real store: what the gateway gives to operations, without a wire."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from data.model import JobRecord, NewSubscriber, Outgoing, Subscriber
from data.opening import open_store
from data.store import Facts, Store, Unit
from handlers import registry
from handlers.registry import Limits, Outcome

registry.load_all()

NOON = 1_767_258_000.0  # 2026-01-01 12:00 in Moscow
PRIVATE, POOR, BLOCKED = "79260000003", "79260000006", "79260000005"
EMPLOYEE, COLLEAGUE = "79260000010", "79260000020"
CONTRACT = "8000000000005001"


PEOPLE = [
    NewSubscriber(PRIVATE, None, "ru", "cyrillic", False, "smart", 52_340, None, 0, 4, 50),
    NewSubscriber(POOR, None, "ru", "cyrillic", False, "start", 1_250, None, 0, 4, 50),
    NewSubscriber(BLOCKED, None, "ru", "cyrillic", True, "smart", 52_340, None, 0, 4, 50),
    NewSubscriber(
        EMPLOYEE, CONTRACT, "ru", "cyrillic", False, "corporate-vip", 500_000, 200_000, 50_000, 1, 80
    ),
    NewSubscriber(COLLEAGUE, CONTRACT, "en", "latin", False, "corporate-vip", 500_000, None, 0, 1, 80),
]


@dataclass
class UnitOfWork:
    """The seam that handlers see; messages and jobs go where they go in earnest, to the store."""

    unit: Unit
    now: float
    limits: Limits
    subscriber: Subscriber | None

    @property
    def facts(self) -> Facts:
        return self.unit.facts

    async def send_sms(self, message: str, values: Mapping[str, Any], *, replaces: bool = False) -> None:
        id, topic, outbox = self.unit.draw_id(), message if replaces else "", self.unit.outbox
        await outbox.withdraw(self.msisdn, topic, id)
        text = json.dumps({"message": message, **values})
        sms = Outgoing(id, "ussdc", self.msisdn, "sms", self.now, self.now + 60, text=text, topic=topic)
        await outbox.enqueue([sms])

    async def defer(self, job: str, args: Mapping[str, Any]) -> None:
        await self.unit.jobs.add(job, self.msisdn, "ussdc", "", json.dumps(args), self.now, self.now)

    @property
    def msisdn(self) -> str:
        assert self.subscriber, "a stranger is sent and promised nothing"
        return self.subscriber.msisdn


def names(values: dict[str, Any]) -> Iterator[str]:
    """The names of values as they are declared: "items.number" for a field of what is listed, the same in all."""
    for name, value in values.items():
        yield name
        if isinstance(value, list):
            (fields,) = {tuple(item) for item in value}
            yield from (f"{name}.{field}" for field in fields)


class Undone(Exception):
    """The process dies before a commit."""


@dataclass
class Desk:
    """Where operations are ordered and facts looked up. ``now`` stands still until a test moves it."""

    store: Store
    now: float = NOON
    limits: Limits = field(default_factory=Limits)

    async def ask(self, msisdn: str, name: str, /, seen_as: Subscriber | None = None, **args: Any) -> Outcome:
        """One turn: an operation in a transaction, its answer checked against what it has declared.

        ``seen_as`` is what the turn takes the subscriber for, when that is not what the store says.
        """
        async with self.store.unit() as unit:
            return await self.turn(unit, msisdn, name, args, seen_as)

    async def turn(
        self, unit: Unit, msisdn: str, name: str, args: dict[str, Any], seen_as: Subscriber | None = None
    ) -> Outcome:
        """One turn in a unit of work that is open."""
        operation = registry.OPERATIONS[name]
        subscriber = seen_as or await unit.facts.subscriber(msisdn)
        assert subscriber, f"{msisdn} is a stranger"
        work = UnitOfWork(unit, self.now, self.limits, subscriber)
        await unit.savepoint()
        try:
            outcome = await operation(work, subscriber, args)
        except BaseException:
            await unit.rollback_savepoint()
            raise
        await unit.release()
        assert work.subscriber == await unit.facts.subscriber(msisdn), "the copy differs from the store"
        declared = operation.outcomes[outcome.code]
        assert tuple(names(outcome.values)) == declared, f"{name}: {outcome} is not as declared"
        return outcome

    async def code(self, msisdn: str, name: str, **args: Any) -> str:
        return (await self.ask(msisdn, name, **args)).code

    async def admit(self, like: str, msisdn: str = "79260000099", /, **changes: Any) -> str:
        """One subscriber more, like one of PEOPLE but for what is changed; the number."""
        (model,) = [new for new in PEOPLE if new.msisdn == like]
        newcomer = model._replace(msisdn=msisdn, **changes)
        async with self.store.unit() as unit:
            await unit.facts.import_subscribers([newcomer])
        return msisdn

    async def subscriber(self, msisdn: str) -> Subscriber:
        async with self.store.view() as view:
            subscriber = await view.facts.subscriber(msisdn)
        assert subscriber, f"{msisdn} is a stranger"
        return subscriber

    async def balance(self, msisdn: str) -> int:
        return (await self.subscriber(msisdn)).balance_kopecks

    async def charged(self, msisdn: str) -> list[tuple[str, int]]:
        account = (await self.subscriber(msisdn)).account_id
        async with self.store.view() as view:
            return [(entry.what, entry.amount_kopecks) for entry in await view.facts.ledger(account)]

    async def on(self, msisdn: str) -> list[int]:
        async with self.store.view() as view:
            return [option.number for option in await view.facts.options_on(msisdn)]

    async def texts(self) -> list[dict[str, Any]]:
        """What the SMS in the outbox say, oldest first."""
        async with self.store.view() as view:
            return [json.loads(message.text) for message in await view.outbox.unsent("ussdc", 0, 100)]

    async def take(self) -> None:
        """The SMSC takes all that is in the outbox."""
        async with self.store.unit() as unit:
            await unit.outbox.taken([message.id for message in await unit.outbox.unsent("ussdc", 0, 100)])

    async def promise(self, msisdn: str, job: str, args: dict[str, Any]) -> None:
        async with self.store.unit() as unit:
            work = UnitOfWork(unit, self.now, self.limits, await unit.facts.subscriber(msisdn))
            await work.defer(job, args)

    async def due_jobs(self) -> list[JobRecord]:
        async with self.store.view() as view:
            return await view.jobs.due(self.now, 10)

    async def run_due_jobs(self, times_prepared: int = 1, dies: bool = False) -> int:
        """Do the jobs that are due, as the gateway does; more often prepared = died in between and came back.

        ``dies``: before the commit, which is told by Undone.
        """
        due = await self.due_jobs()
        for record in due:
            for _ in range(times_prepared):
                prepared = registry.JOBS[record.name].prepare(json.loads(record.args))
            await self._run_job(record, prepared, dies)
        return len(due)

    async def _run_job(self, record: JobRecord, prepared: Any, dies: bool) -> None:
        async with self.store.unit() as unit:
            subscriber = await unit.facts.subscriber(record.msisdn)
            assert subscriber, f"{record.msisdn} is a stranger"
            work = UnitOfWork(unit, self.now, self.limits, subscriber)
            await registry.JOBS[record.name].run(work, subscriber, prepared)
            assert await unit.jobs.finish(record.id)
            if dies:
                raise Undone


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def url() -> str:
    """Where the desk has its store. A file of tests that looks behind the verbs has a `url` of its own."""
    return "sqlite://"


@pytest.fixture
async def desk(url: str) -> AsyncIterator[Desk]:
    store = open_store(url)
    async with store.unit() as unit:
        await unit.facts.import_subscribers(PEOPLE)
    yield Desk(store)
    await store.close()
