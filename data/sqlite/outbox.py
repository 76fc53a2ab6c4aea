"""What waits until its SMSC has taken it, and what was given up."""
# ruff: noqa: D102 - the verbs are described where they are declared, in data.store

import json
from collections.abc import Sequence

from data.model import Outgoing, OutgoingKind
from data.sqlite.connection import LISTED, Verbs

_MESSAGE = "id, link, msisdn, kind, created, expires, frame, sender, text, address, topic"
ENQUEUE = f"INSERT INTO outbox ({_MESSAGE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
# Of all that is known by the id of a message: read once, when the store is opened.
LAST_ID = """
SELECT coalesce(max(id), 0) FROM (
    SELECT max(id) AS id FROM outbox UNION ALL
    SELECT max(id) FROM undelivered UNION ALL
    SELECT max(id) FROM sent_messages) AS known
"""
TAKEN = "DELETE FROM outbox WHERE id = ?"
UNSENT = f"""
SELECT {_MESSAGE} FROM outbox
WHERE id > ?1 AND link = ?2 AND (?4 IS NULL OR kind = ?4) ORDER BY id LIMIT ?3
"""
HOLDS = "SELECT 1 FROM outbox WHERE id = ?"
# The last condition is that of the index: most messages are of no topic, and cost it nothing.
WITHDRAW = "DELETE FROM outbox WHERE msisdn = ? AND topic = ? AND id < ? AND topic <> '' RETURNING id"
WAITING = "SELECT link, count(*) FROM outbox GROUP BY link"
MOVE = f"UPDATE outbox SET link = ? WHERE id IN {LISTED}"
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


class SqliteOutbox(Verbs):
    """Verbs about messages on their way out."""

    async def enqueue(self, messages: Sequence[Outgoing]) -> None:
        self._write_many(ENQUEUE, messages)

    async def taken(self, ids: Sequence[int]) -> None:
        self._write_many(TAKEN, zip(ids, strict=True))

    async def unsent(
        self, link: str, after_id: int, limit: int, kind: OutgoingKind | None = None
    ) -> list[Outgoing]:
        return list(map(Outgoing._make, self._read(UNSENT, (after_id, link, limit, kind))))

    async def holds(self, id: int) -> bool:
        return self._read(HOLDS, (id,)).fetchone() is not None

    async def withdraw(self, msisdn: str, topic: str, before_id: int) -> list[int]:
        return sorted(id for (id,) in self._write(WITHDRAW, (msisdn, topic, before_id)))

    async def move(self, ids: Sequence[int], to: str) -> None:
        self._write(MOVE, (to, json.dumps(ids)))

    async def waiting(self) -> dict[str, int]:
        return dict(self._read(WAITING))

    async def fail(self, id: int, reason: str, when: float) -> None:
        self._write(GIVE_UP, (when, reason, id))
        self._write(TAKEN, (id,))

    async def fail_expired(self, now: float) -> int:
        self._write(GIVE_UP_EXPIRED, (now,))
        return self._write(DROP_EXPIRED, (now,)).rowcount

    async def prune_undelivered(self, before: float, limit: int = 10_000) -> int:
        return self._write(PRUNE_UNDELIVERED, (before, limit)).rowcount
