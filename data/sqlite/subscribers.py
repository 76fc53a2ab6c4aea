"""Subscribers and their money."""
# ruff: noqa: D102 - the verbs are described where they are declared, in data.store

import json
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from data.model import Catalogue, Kind, Language, LedgerEntry, NewSubscriber, Script, Subscriber
from data.sqlite.connection import EACH_ASKED, LISTED, Verbs
from data.store import StoreError

_COLUMNS = """
msisdn, contract, language, script, blocked, tariff, coalesce(contract, msisdn),
       coalesce(subscribers.balance_kopecks, contracts.balance_kopecks),
       budget_limit_kopecks, budget_spent_kopecks, renew_day
"""
_ACCOUNT = "LEFT JOIN contracts ON contracts.id = contract"
SUBSCRIBER = f"SELECT {_COLUMNS} FROM subscribers {_ACCOUNT} WHERE msisdn = ?"
# Many at once cost a third of as many one by one.
SUBSCRIBERS = f"SELECT {_COLUMNS} FROM {EACH_ASKED} subscribers ON msisdn = asked {_ACCOUNT}"
COUNT_SUBSCRIBERS = "SELECT count(*) FROM subscribers"
SET_LANGUAGE = "UPDATE subscribers SET language = ? WHERE msisdn = ?"
SET_SCRIPT = "UPDATE subscribers SET script = ? WHERE msisdn = ?"

# The limits are looked at in the statement that takes the money: what the caller has read may be stale.
TAKE_OWN = """
UPDATE subscribers SET balance_kopecks = balance_kopecks - :amount
WHERE msisdn = :msisdn AND balance_kopecks >= :amount
RETURNING balance_kopecks
"""
TAKE_FROM_CONTRACT = """
UPDATE contracts SET balance_kopecks = balance_kopecks - :amount
WHERE balance_kopecks >= :amount AND id = (
    SELECT contract FROM subscribers WHERE msisdn = :msisdn
    AND (budget_limit_kopecks IS NULL OR budget_spent_kopecks + :amount <= budget_limit_kopecks))
RETURNING balance_kopecks
"""
COUNT_IN_BUDGET = "UPDATE subscribers SET budget_spent_kopecks = budget_spent_kopecks + ? WHERE msisdn = ?"
WRITE_DOWN = "INSERT INTO ledger (account_id, msisdn, what, amount_kopecks, occurred) VALUES (?, ?, ?, ?, ?)"
LEDGER = (
    "SELECT account_id, msisdn, what, amount_kopecks, occurred FROM ledger WHERE account_id = ? ORDER BY id"
)

KNOWN = f"SELECT msisdn FROM subscribers WHERE msisdn IN {LISTED}"
ADD_CONTRACT = "INSERT INTO contracts (id, balance_kopecks) VALUES (?, ?) ON CONFLICT (id) DO NOTHING"
ADD_SUBSCRIBER = """
INSERT INTO subscribers (msisdn, contract, language, script, blocked, tariff, balance_kopecks,
                         budget_limit_kopecks, budget_spent_kopecks, renew_day)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
ADD_TARIFF_PACKAGE = "INSERT INTO packages (msisdn, option, kind, remaining, total) VALUES (?, 0, ?, ?, ?)"

IMPORT_CHUNK = 10_000


class SubscriberVerbs(Verbs):
    """Verbs about one number and its account."""

    catalogue: Catalogue

    async def subscriber(self, msisdn: str) -> Subscriber | None:
        row = self._read(SUBSCRIBER, (msisdn,)).fetchone()
        return None if row is None else _subscriber(row)

    async def subscribers(self, msisdns: Sequence[str]) -> dict[str, Subscriber]:
        return {row[0]: _subscriber(row) for row in self._read(SUBSCRIBERS, (json.dumps(msisdns),))}

    async def count_subscribers(self) -> int:
        return int(self._read(COUNT_SUBSCRIBERS).fetchone()[0])

    async def set_language(self, msisdn: str, language: Language) -> None:
        self._write(SET_LANGUAGE, (language, msisdn))

    async def set_script(self, msisdn: str, script: Script) -> None:
        self._write(SET_SCRIPT, (script, msisdn))

    async def charge(self, subscriber: Subscriber, what: str, amount_kopecks: int, when: float) -> int | None:
        if amount_kopecks < 0:
            raise ValueError(f"{what}: cannot charge {amount_kopecks} kopecks")
        if not amount_kopecks:
            there = await self.subscriber(subscriber.msisdn)
            return there and there.balance_kopecks
        take = TAKE_FROM_CONTRACT if subscriber.corporate else TAKE_OWN
        rows = self._write(take, {"amount": amount_kopecks, "msisdn": subscriber.msisdn}).fetchall()
        if not rows:
            return None
        if subscriber.corporate:
            self._write(COUNT_IN_BUDGET, (amount_kopecks, subscriber.msisdn))
        self._write(WRITE_DOWN, (subscriber.account_id, subscriber.msisdn, what, amount_kopecks, when))
        return int(rows[0][0])

    async def ledger(self, account_id: str) -> list[LedgerEntry]:
        return list(map(LedgerEntry._make, self._read(LEDGER, (account_id,))))

    async def import_subscribers(self, subscribers: Iterable[NewSubscriber]) -> int:
        incoming, added = iter(subscribers), 0
        while chunk := list(islice(incoming, IMPORT_CHUNK)):
            added += self._import(self._checked(chunk))
        return added

    def _checked(self, chunk: Sequence[NewSubscriber]) -> list[NewSubscriber]:
        numbers = [new.msisdn for new in chunk]
        unknown_tariffs = {new.tariff for new in chunk} - self.catalogue.tariffs.keys()
        if unknown_tariffs:
            raise StoreError(f"{self._name}: no tariff {min(unknown_tariffs)} in the catalogue")
        known = {msisdn for (msisdn,) in self._read(KNOWN, (json.dumps(numbers),))}
        return [new for new in chunk if new.msisdn not in known]

    def _import(self, chunk: Sequence[NewSubscriber]) -> int:
        corporate = ((new.contract, new.balance_kopecks) for new in chunk if new.contract is not None)
        self._write_many(ADD_CONTRACT, corporate)
        self._write_many(ADD_SUBSCRIBER, map(_subscriber_row, chunk))
        self._write_many(ADD_TARIFF_PACKAGE, self._package_rows(chunk))
        return len(chunk)

    def _package_rows(self, chunk: Sequence[NewSubscriber]) -> Iterable[tuple[str, str, int, int]]:
        for new in chunk:
            for kind, total in self.catalogue.tariffs[new.tariff].allowances.items():
                yield new.msisdn, kind, total * new.packages_left_percent // 100, total


def _subscriber(row: tuple[Any, ...]) -> Subscriber:
    msisdn, contract, language, script, blocked, tariff, account_id, balance, limit, spent, renew_day = row
    kind: Kind = "private" if contract is None else "corporate"
    return Subscriber(
        msisdn, kind, language, script, blocked == 1, tariff, account_id, balance, limit, spent, renew_day
    )


def _subscriber_row(new: NewSubscriber) -> tuple[object, ...]:
    own_balance = new.balance_kopecks if new.contract is None else None
    return (
        new.msisdn, new.contract, new.language, new.script, int(new.blocked), new.tariff, own_balance,
        new.budget_limit_kopecks, new.budget_spent_kopecks, new.renew_day,
    )  # fmt: skip
