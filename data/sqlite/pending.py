"""What is under way and must survive a restart: dialogues, messages to be sent, jobs."""
# ruff: noqa: D102 - the verbs are described where they are declared, in data.store

import itertools
import json
import sqlite3
from collections.abc import Sequence

from data.model import DialogueRecord, JobRecord, Outgoing, OutgoingKind
from data.sqlite.base import UnitOfWork

DIALOGUE = """
SELECT link, key, node, page, misses, captured, unit, touched, opened FROM dialogues WHERE msisdn = ?
"""
DIALOGUES = """
SELECT asked.value, link, dialogues.key, node, page, misses, captured, unit, touched, opened
FROM json_each(?) AS asked CROSS JOIN dialogues ON msisdn = CAST(asked.value AS INTEGER)
"""
SAVE_DIALOGUE = """
INSERT OR REPLACE INTO dialogues (msisdn, link, key, node, page, misses, captured, unit, touched, opened)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
CLOSE_DIALOGUE = "DELETE FROM dialogues WHERE msisdn = ?"
# No index on `touched`: it would be rewritten on every turn, and the table holds only what is open now.
FORGET_ENDED = "DELETE FROM dialogues WHERE touched < ? AND node = ''"
EXPIRE_DIALOGUES = "DELETE FROM dialogues WHERE touched < ?"

ENQUEUE = "INSERT INTO outbox (id, link, msisdn, kind, pdu, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?)"
LAST_ID = """
SELECT max((SELECT ifnull(max(id), 0) FROM outbox), (SELECT ifnull(max(id), 0) FROM undelivered),
           (SELECT ifnull(max(id), 0) FROM sent_messages))
"""
TAKEN = "DELETE FROM outbox WHERE id = ?"
UNSENT = """
SELECT id, link, msisdn, kind, pdu, created, expires FROM outbox
WHERE id > ?1 AND link = ?2 AND (?4 IS NULL OR kind = ?4) ORDER BY id LIMIT ?3
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
# Rows are in the order of time: only those that go are looked at, and the first that stays.
PRUNE_ISSUES = """
DELETE FROM password_issues WHERE rowid IN (
    SELECT rowid FROM password_issues WHERE rowid < ifnull(
        (SELECT rowid FROM password_issues WHERE requested >= ? ORDER BY rowid LIMIT 1), 9223372036854775807)
    ORDER BY rowid LIMIT ?)
"""

ADD_JOB = "INSERT INTO jobs (name, msisdn, link, args, due, created) VALUES (?, ?, ?, ?, ?, ?)"
DUE_JOBS = """
SELECT id, name, msisdn, link, args, due, attempts, created FROM jobs WHERE due <= ? ORDER BY due, id LIMIT ?
"""
FINISH_JOB = "DELETE FROM jobs WHERE id = ?"
RETRY_JOB = "UPDATE jobs SET due = ?, attempts = ? WHERE id = ?"


class Pending(UnitOfWork):
    """Verbs about dialogues, outbox and jobs."""

    def __init__(self, connection: sqlite3.Connection, name: str):
        super().__init__(connection, name)
        (last,) = connection.execute(LAST_ID).fetchone()
        self._ids = itertools.count(last + 1)

    async def dialogue(self, msisdn: str) -> DialogueRecord | None:
        row = self._execute(DIALOGUE, (msisdn,)).fetchone()
        return None if row is None else DialogueRecord(msisdn, *row)

    async def dialogues(self, msisdns: Sequence[str]) -> dict[str, DialogueRecord]:
        return {row[0]: DialogueRecord(*row) for row in self._execute(DIALOGUES, (json.dumps(msisdns),))}

    async def save_dialogues(self, records: Sequence[DialogueRecord]) -> None:
        self._write_many(SAVE_DIALOGUE, records)

    async def close_dialogues(self, msisdns: Sequence[str]) -> None:
        self._write_many(CLOSE_DIALOGUE, zip(msisdns, strict=True))

    async def expire_dialogues(self, idle_before: float) -> int:
        with self._whole():
            self._write(FORGET_ENDED, (idle_before,))
            return self._write(EXPIRE_DIALOGUES, (idle_before,)).rowcount

    def draw_id(self) -> int:
        return next(self._ids)

    async def enqueue(self, messages: Sequence[Outgoing]) -> None:
        self._write_many(ENQUEUE, messages)

    async def taken(self, ids: Sequence[int]) -> None:
        self._write_many(TAKEN, zip(ids, strict=True))

    async def unsent(
        self, link: str, after_id: int, limit: int, kind: OutgoingKind | None = None
    ) -> list[Outgoing]:
        return [Outgoing(*row) for row in self._execute(UNSENT, (after_id, link, limit, kind))]

    async def move(self, ids: Sequence[int], to: str) -> None:
        self._write(MOVE, (to, json.dumps(ids)))

    async def waiting(self) -> dict[str, int]:
        return dict(self._execute(WAITING))

    async def fail(self, id: int, reason: str, when: float) -> None:
        with self._whole():
            self._write(GIVE_UP, (when, reason, id))
            self._write(TAKEN, (id,))

    async def fail_expired(self, now: float) -> int:
        with self._whole():
            self._write(GIVE_UP_EXPIRED, (now,))
            return self._write(DROP_EXPIRED, (now,)).rowcount

    async def prune(self, before: float, limit: int = 10_000) -> int:
        with self._whole():
            undelivered = self._write(PRUNE_UNDELIVERED, (before, limit)).rowcount
            return undelivered + self._write(PRUNE_ISSUES, (before, limit)).rowcount

    async def add_job(
        self, name: str, msisdn: str, link: str, args_json: str, due: float, created: float
    ) -> int:
        return self._write(ADD_JOB, (name, msisdn, link, args_json, due, created)).lastrowid

    async def due_jobs(self, now: float, limit: int) -> list[JobRecord]:
        return [JobRecord(*row) for row in self._execute(DUE_JOBS, (now, limit))]

    async def finish_job(self, id: int) -> bool:
        return self._write(FINISH_JOB, (id,)).rowcount > 0

    async def retry_job(self, id: int, due: float, attempts: int) -> None:
        self._write(RETRY_JOB, (due, attempts, id))
