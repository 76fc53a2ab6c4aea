"""A unit of work over a real store: what the gateway gives to operations, without a wire."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from data.model import NewSubscriber, Outgoing, Subscriber
from data.sqlite import open_store
from data.store import Store
from handlers import registry
from handlers.registry import Limits, Outcome

registry.load_all()

NOON = 1_767_258_000.0  # 2026-01-01 12:00 in Moscow
PRIVATE, POOR, BLOCKED = "79260000003", "79260000006", "79260000005"
EMPLOYEE, COLLEAGUE = "79260000010", "79260000020"
CONTRACT = 8_000_000_000_005_001


@dataclass
class UnitOfWork:
    """The seam that handlers see; messages and jobs go where they go in earnest, to the store."""

    store: Store
    now: float
    limits: Limits
    subscriber: Subscriber | None = None

    async def send_sms(self, message: str, values: dict[str, Any]) -> None:
        text = json.dumps({"message": message, **values}).encode()
        to = self.subscriber.msisdn
        await self.store.enqueue(
            [Outgoing(self.store.draw_id(), "ussdc", to, "sms", text, self.now, self.now + 60)]
        )

    async def defer(self, job: str, args: dict[str, Any]) -> None:
        await self.store.add_job(job, self.subscriber.msisdn, "ussdc", json.dumps(args), self.now, self.now)


def names(values: dict[str, Any]) -> Iterator[str]:
    """The names of values as they are declared: "items.number" for a field of what is listed, the same in all."""
    for name, value in values.items():
        yield name
        if isinstance(value, list):
            (fields,) = {tuple(item) for item in value}
            yield from (f"{name}.{field}" for field in fields)


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
        await self.store.begin()
        try:
            outcome = await self.turn(msisdn, name, args, seen_as)
            await self.store.commit()
        finally:
            await self.store.rollback()
        return outcome

    async def turn(
        self, msisdn: str, name: str, args: dict[str, Any], seen_as: Subscriber | None = None
    ) -> Outcome:
        """One turn in a unit of work that is open."""
        operation = registry.OPERATIONS[name]
        work = UnitOfWork(self.store, self.now, self.limits, seen_as or await self.store.subscriber(msisdn))
        await self.store.savepoint()
        try:
            outcome = await operation(work, work.subscriber, args)
        except BaseException:
            await self.store.rollback_savepoint()
            raise
        await self.store.release()
        assert work.subscriber == await self.store.subscriber(msisdn), "the copy differs from the store"
        declared = operation.outcomes[outcome.code]
        assert tuple(names(outcome.values)) == declared, f"{name}: {outcome} is not as declared"
        return outcome

    async def code(self, msisdn: str, name: str, **args: Any) -> str:
        return (await self.ask(msisdn, name, **args)).code

    async def balance(self, msisdn: str) -> int:
        return (await self.store.subscriber(msisdn)).balance_kopecks

    async def charged(self, msisdn: str) -> list[tuple[str, int]]:
        account = (await self.store.subscriber(msisdn)).account_id
        return [(entry.what, entry.amount_kopecks) for entry in await self.store.ledger(account)]

    async def on(self, msisdn: str) -> list[int]:
        return [option.number for option in await self.store.options_on(msisdn)]

    async def texts(self) -> list[dict[str, Any]]:
        return [json.loads(message.pdu) for message in await self.store.unsent("ussdc", 0, 100)]

    async def run_due_jobs(self, times_prepared: int = 1, commit: bool = True) -> int:
        """Do the jobs that are due, as the gateway does; more often prepared = died in between and came back."""
        due = await self.store.due_jobs(self.now, 10)
        for record in due:
            job = registry.JOBS[record.name]
            for _ in range(times_prepared):
                prepared = job.prepare(json.loads(record.args))
            await self.store.begin()
            subscriber = await self.store.subscriber(record.msisdn)
            await job.run(UnitOfWork(self.store, self.now, self.limits, subscriber), subscriber, prepared)
            assert await self.store.finish_job(record.id)
            await (self.store.commit() if commit else self.store.rollback())
        return len(due)


PEOPLE = [
    NewSubscriber(int(PRIVATE), None, "ru", "cyrillic", False, "smart", 52_340, None, 0, 4, 50),
    NewSubscriber(int(POOR), None, "ru", "cyrillic", False, "start", 1_250, None, 0, 4, 50),
    NewSubscriber(int(BLOCKED), None, "ru", "cyrillic", True, "smart", 52_340, None, 0, 4, 50),
    NewSubscriber(
        int(EMPLOYEE), CONTRACT, "ru", "cyrillic", False, "corporate-vip", 500_000, 200_000, 50_000, 1, 80
    ),
    NewSubscriber(int(COLLEAGUE), CONTRACT, "en", "latin", False, "corporate-vip", 500_000, None, 0, 1, 80),
]


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def desk(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    await store.import_subscribers(PEOPLE)
    yield Desk(store)
    await store.close()
