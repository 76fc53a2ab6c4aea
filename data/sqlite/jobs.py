"""Slow work that was promised, and what of it is set aside."""
# ruff: noqa: D102 - the verbs are described where they are declared, in data.store

import json
from collections.abc import Sequence

from data.model import JobRecord
from data.sqlite.connection import GREATEST_ID, LISTED, Verbs

_RECORD = "id, name, msisdn, link, address, args, due, attempts, created, held, reason"
ADD = """
INSERT INTO jobs (name, msisdn, link, address, args, due, created) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id
"""
DUE = f"SELECT {_RECORD} FROM jobs WHERE held IS NULL AND due <= ? ORDER BY due, id LIMIT ?"
FINISH = "DELETE FROM jobs WHERE id = ?"
RETRY = "UPDATE jobs SET due = ?, attempts = ? WHERE id = ?"
SET_ASIDE = "UPDATE jobs SET held = ?, reason = ?, attempts = ? WHERE id = ?"
HELD = f"SELECT {_RECORD} FROM jobs WHERE held IS NOT NULL AND id < ? ORDER BY id DESC LIMIT ?"
COUNT_HELD = "SELECT count(*) FROM jobs WHERE held IS NOT NULL"
TRY_ALL = "UPDATE jobs SET held = NULL, reason = '', attempts = 0, due = ? WHERE held IS NOT NULL"
TRY_THESE = f"{TRY_ALL} AND id IN {LISTED}"
DROP_ALL = "DELETE FROM jobs WHERE held IS NOT NULL"
DROP_THESE = f"{DROP_ALL} AND id IN {LISTED}"


class SqliteJobs(Verbs):
    """Verbs about jobs."""

    async def add(
        self, name: str, msisdn: str, link: str, address: str, args_json: str, due: float, created: float
    ) -> int:
        row = (name, msisdn, link, address, args_json, due, created)
        [(id,)] = self._write(ADD, row).fetchall()
        return int(id)

    async def due(self, now: float, limit: int) -> list[JobRecord]:
        return list(map(JobRecord._make, self._read(DUE, (now, limit))))

    async def finish(self, id: int) -> bool:
        return self._write(FINISH, (id,)).rowcount > 0

    async def retry(self, id: int, due: float, attempts: int) -> None:
        self._write(RETRY, (due, attempts, id))

    async def set_aside(self, id: int, when: float, reason: str, attempts: int) -> None:
        self._write(SET_ASIDE, (when, reason, attempts, id))

    async def held(self, limit: int, before_id: int | None = None) -> list[JobRecord]:
        below = GREATEST_ID if before_id is None else before_id
        return list(map(JobRecord._make, self._read(HELD, (below, limit))))

    async def count_held(self) -> int:
        (count,) = self._read(COUNT_HELD).fetchone()
        return int(count)

    async def try_again(self, ids: Sequence[int] | None, now: float) -> int:
        if ids is None:
            return self._write(TRY_ALL, (now,)).rowcount
        return self._write(TRY_THESE, (now, json.dumps(ids))).rowcount

    async def drop(self, ids: Sequence[int] | None) -> int:
        if ids is None:
            return self._write(DROP_ALL).rowcount
        return self._write(DROP_THESE, (json.dumps(ids),)).rowcount
