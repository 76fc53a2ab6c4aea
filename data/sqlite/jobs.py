"""Slow work that was promised."""
# ruff: noqa: D102 - the verbs are described where they are declared, in data.store

import json
from collections.abc import Sequence

from data.model import JobRecord
from data.sqlite.connection import Part

_JOB = "id, name, msisdn, link, address, args, due, attempts, created, held, reason"
ADD = """
INSERT INTO jobs (name, msisdn, link, address, args, due, created) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id
"""
DUE = f"SELECT {_JOB} FROM jobs WHERE due <= ? AND held IS NULL ORDER BY due, id LIMIT ?"
FINISH = "DELETE FROM jobs WHERE id = ?"
RETRY = "UPDATE jobs SET due = ?, attempts = ? WHERE id = ?"
SET_ASIDE = "UPDATE jobs SET held = ?, reason = ?, attempts = ? WHERE id = ?"
HELD = f"SELECT {_JOB} FROM jobs WHERE held IS NOT NULL AND id < ? ORDER BY id DESC LIMIT ?"
COUNT_HELD = "SELECT count(*) FROM jobs WHERE held IS NOT NULL"
TRY_ALL = "UPDATE jobs SET held = NULL, reason = '', attempts = 0, due = ? WHERE held IS NOT NULL"
DROP_ALL = "DELETE FROM jobs WHERE held IS NOT NULL"
_THESE = " AND id IN (SELECT value FROM json_each(?))"

_GREATEST_ID = 2**63 - 1


class SqliteJobs(Part):
    """The verbs of :class:`data.store.Jobs`."""

    async def add(
        self, name: str, msisdn: str, link: str, address: str, args_json: str, due: float, created: float
    ) -> int:
        row = self._write(ADD, (name, msisdn, link, address, args_json, due, created)).fetchone()
        return int(row[0])

    async def due(self, now: float, limit: int) -> list[JobRecord]:
        return [JobRecord(*row) for row in self._execute(DUE, (now, limit))]

    async def finish(self, id: int) -> bool:
        return self._write(FINISH, (id,)).rowcount > 0

    async def retry(self, id: int, due: float, attempts: int) -> None:
        self._write(RETRY, (due, attempts, id))

    async def set_aside(self, id: int, when: float, reason: str, attempts: int) -> None:
        self._write(SET_ASIDE, (when, reason, attempts, id))

    async def held(self, limit: int, before_id: int | None = None) -> list[JobRecord]:
        below = _GREATEST_ID if before_id is None else before_id
        return [JobRecord(*row) for row in self._execute(HELD, (below, limit))]

    async def count_held(self) -> int:
        return int(self._execute(COUNT_HELD).fetchone()[0])

    async def try_again(self, ids: Sequence[int] | None, now: float) -> int:
        if ids is None:
            return self._write(TRY_ALL, (now,)).rowcount
        return self._write(TRY_ALL + _THESE, (now, json.dumps(ids))).rowcount

    async def drop(self, ids: Sequence[int] | None = None) -> int:
        if ids is None:
            return self._write(DROP_ALL).rowcount
        return self._write(DROP_ALL + _THESE, (json.dumps(ids),)).rowcount
