"""What is under way and must survive a restart: dialogues, messages to be sent, jobs."""
# ruff: noqa: D102 - the verbs are described where they are declared, in data.store

from collections.abc import Sequence
from typing import Literal

from data.model import DialogueRecord, JobRecord, Outgoing
from data.sqlite.base import UnitOfWork

DIALOGUE = """
SELECT link, key, node, page, misses, captured, unit, touched, reply FROM dialogues WHERE msisdn = ?
"""
SAVE_DIALOGUE = """
INSERT OR REPLACE INTO dialogues (msisdn, link, key, node, page, misses, captured, unit, touched, reply)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
CLOSE_DIALOGUE = "DELETE FROM dialogues WHERE msisdn = ?"
# No index on `touched`: it would be rewritten on every turn, and the table holds only what is open now.
EXPIRE_DIALOGUES = "DELETE FROM dialogues WHERE touched < ?"

ENQUEUE = "INSERT INTO outbox (link, msisdn, kind, pdu, created, expires) VALUES (?, ?, ?, ?, ?, ?)"
TAKEN = "DELETE FROM outbox WHERE id = ?"
UNSENT = """
SELECT id, link, msisdn, kind, pdu, created, expires FROM outbox WHERE id > ? AND link = ? ORDER BY id LIMIT ?
"""
GIVE_UP = """
INSERT INTO undelivered (id, link, msisdn, kind, created, given_up, reason)
SELECT id, link, msisdn, kind, created, ?, ? FROM outbox WHERE id = ?
"""

ADD_JOB = "INSERT INTO jobs (name, msisdn, link, args, due, created) VALUES (?, ?, ?, ?, ?, ?)"
DUE_JOBS = """
SELECT id, name, msisdn, link, args, due, attempts, created FROM jobs WHERE due <= ? ORDER BY due, id LIMIT ?
"""
FINISH_JOB = "DELETE FROM jobs WHERE id = ?"
RETRY_JOB = "UPDATE jobs SET due = ?, attempts = ? WHERE id = ?"


class Pending(UnitOfWork):
    """Verbs about dialogues, outbox and jobs."""

    async def dialogue(self, msisdn: str) -> DialogueRecord | None:
        row = self._execute(DIALOGUE, (msisdn,)).fetchone()
        return None if row is None else DialogueRecord(msisdn, *row)

    async def save_dialogue(self, record: DialogueRecord) -> None:
        self._execute(
            SAVE_DIALOGUE,
            (
                record.msisdn, record.link, record.key, record.node, record.page, record.misses,
                record.values, record.unit, record.touched, record.reply,
            ),
        )  # fmt: skip

    async def close_dialogue(self, msisdn: str) -> None:
        self._execute(CLOSE_DIALOGUE, (msisdn,))

    async def expire_dialogues(self, idle_before: float) -> int:
        return self._execute(EXPIRE_DIALOGUES, (idle_before,)).rowcount

    async def enqueue(
        self, link: str, msisdn: str, kind: Literal["ussd", "sms"], pdu: bytes, created: float, expires: float
    ) -> int:
        return self._execute(ENQUEUE, (link, msisdn, kind, pdu, created, expires)).lastrowid

    async def taken(self, ids: Sequence[int]) -> None:
        self._executemany(TAKEN, zip(ids, strict=True))

    async def unsent(self, link: str, after_id: int, limit: int) -> list[Outgoing]:
        return [Outgoing(*row) for row in self._execute(UNSENT, (after_id, link, limit))]

    async def fail(self, id: int, reason: str, when: float) -> None:
        with self._whole():
            self._execute(GIVE_UP, (when, reason, id))
            self._execute(TAKEN, (id,))

    async def add_job(
        self, name: str, msisdn: str, link: str, args_json: str, due: float, created: float
    ) -> int:
        return self._execute(ADD_JOB, (name, msisdn, link, args_json, due, created)).lastrowid

    async def due_jobs(self, now: float, limit: int) -> list[JobRecord]:
        return [JobRecord(*row) for row in self._execute(DUE_JOBS, (now, limit))]

    async def finish_job(self, id: int) -> bool:
        return self._execute(FINISH_JOB, (id,)).rowcount > 0

    async def retry_job(self, id: int, due: float, attempts: int) -> None:
        self._execute(RETRY_JOB, (due, attempts, id))
