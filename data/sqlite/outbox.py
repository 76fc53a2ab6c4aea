"""What is to be sent, until its SMSC has taken it."""
# ruff: noqa: D102 - the verbs are described where they are declared, in data.store

import json
from collections.abc import Sequence

from data.model import Outgoing, OutgoingKind
from data.sqlite.connection import Part

_MESSAGE = "id, link, msisdn, kind, created, expires, frame, sender, text, address, topic"
ENQUEUE = f"INSERT INTO outbox ({_MESSAGE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
TAKEN = "DELETE FROM outbox WHERE id = ?"
HOLDS = "SELECT 1 FROM outbox WHERE id = ?"
WITHDRAW = "DELETE FROM outbox WHERE msisdn = ? AND topic = ? AND topic <> '' AND id < ? RETURNING id"
UNSENT = f"""
SELECT {_MESSAGE} FROM outbox WHERE id > ?1 AND link = ?2 AND (?4 IS NULL OR kind = ?4) ORDER BY id LIMIT ?3
"""
WAITING = "SELECT link, count(*) FROM outbox GROUP BY link"
MOVE = "UPDATE outbox SET link = ? WHERE id IN (SELECT value FROM json_each(?))"
GIVE_UP = """
INSERT INTO undelivered (id, link, msisdn, kind, created, given_up, reason)
SELECT id, link, msisdn, kind, created, ?, ? FROM outbox WHERE id = ?
"""
GIVE_UP_EXPIRED = """
INSERT INTO undelivered (id, link, msisdn, kind, created, given_up, reason)
SELECT id, link, msisdn, kind, created, ?1, 'expired' FROM outbox WHERE expires < ?1
"""
DROP_EXPIRED = "DELETE FROM outbox WHERE expires < ?"
PRUNE_UNDELIVERED = """
DELETE FROM undelivered WHERE id IN (
    SELECT id FROM undelivered WHERE given_up < ? ORDER BY given_up LIMIT ?)
"""


class SqliteOutbox(Part):
    """The verbs of :class:`data.store.Outbox`."""

    async def enqueue(self, messages: Sequence[Outgoing]) -> None:
        self._write_many(ENQUEUE, messages)

    async def taken(self, ids: Sequence[int]) -> None:
        self._write_many(TAKEN, zip(ids, strict=True))

    async def holds(self, id: int) -> bool:
        return self._execute(HOLDS, (id,)).fetchone() is not None

    async def withdraw(self, msisdn: str, topic: str, before_id: int) -> list[int]:
        return [id for (id,) in self._write(WITHDRAW, (msisdn, topic, before_id)).fetchall()]

    async def unsent(
        self, link: str, after_id: int, limit: int, kind: OutgoingKind | None = None
    ) -> list[Outgoing]:
        return [Outgoing(*row) for row in self._execute(UNSENT, (after_id, link, limit, kind))]

    async def move(self, ids: Sequence[int], to: str) -> None:
        self._write(MOVE, (to, json.dumps(ids)))

    async def waiting(self) -> dict[str, int]:
        return dict(self._execute(WAITING))

    async def fail(self, id: int, reason: str, when: float) -> None:
        self._write(GIVE_UP, (when, reason, id))
        self._write(TAKEN, (id,))

    async def fail_expired(self, now: float) -> int:
        self._write(GIVE_UP_EXPIRED, (now,))
        return self._write(DROP_EXPIRED, (now,)).rowcount

    async def prune_undelivered(self, before: float, limit: int = 10_000) -> int:
        return self._write(PRUNE_UNDELIVERED, (before, limit)).rowcount
