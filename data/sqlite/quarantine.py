"""What came and could not be used."""
# ruff: noqa: D102 - the verbs are described where they are declared, in data.store

import json
from collections.abc import Sequence
from typing import Any

from data.model import QuarantineRecord
from data.sqlite.connection import GREATEST_ID, LISTED, Verbs

_RECORD = "id, link, peer, direction, reason, status, octets, occurred, replay"
QUARANTINE = """
INSERT INTO quarantine (link, peer, direction, reason, status, octets, occurred, replay)
VALUES (?, ?, ?, ?, ?, ?, ?, 0)
"""
COUNT_QUARANTINED = "SELECT count(*) FROM quarantine"
DROP_OLDEST = "DELETE FROM quarantine WHERE id IN (SELECT id FROM quarantine ORDER BY id LIMIT ?)"
QUARANTINED = f"SELECT {_RECORD} FROM quarantine WHERE id < ? ORDER BY id DESC LIMIT ?"
QUARANTINED_ONE = f"SELECT {_RECORD} FROM quarantine WHERE id = ?"
DROP_THESE = f"DELETE FROM quarantine WHERE id IN {LISTED}"
DROP_ALL = "DELETE FROM quarantine"
# Only what came by a link can be handled again.
ASK_THESE = f"UPDATE quarantine SET replay = 1 WHERE link <> '' AND id IN {LISTED}"
ASK_ALL = "UPDATE quarantine SET replay = 1 WHERE link <> ''"
ASK_NO_MORE = f"UPDATE quarantine SET replay = 0 WHERE id IN {LISTED}"
REPLAYS = f"SELECT {_RECORD} FROM quarantine WHERE replay = 1 ORDER BY id LIMIT ?"


class QuarantineVerbs(Verbs):
    """Verbs about the quarantine."""

    async def quarantine(self, records: Sequence[QuarantineRecord], limit: int) -> None:
        self._write_many(QUARANTINE, [record[1:-1] for record in records])
        (count,) = self._read(COUNT_QUARANTINED).fetchone()
        if count > limit:
            self._write(DROP_OLDEST, (count - limit,))

    async def quarantined(self, limit: int, before_id: int | None = None) -> list[QuarantineRecord]:
        below = GREATEST_ID if before_id is None else before_id
        return [_record(row) for row in self._read(QUARANTINED, (below, limit))]

    async def quarantined_one(self, id: int) -> QuarantineRecord | None:
        row = self._read(QUARANTINED_ONE, (id,)).fetchone()
        return None if row is None else _record(row)

    async def drop_quarantined(self, ids: Sequence[int] | None = None) -> int:
        return self._of_these_or_all(DROP_THESE, DROP_ALL, ids)

    async def ask_replay(self, ids: Sequence[int] | None = None) -> int:
        return self._of_these_or_all(ASK_THESE, ASK_ALL, ids)

    async def refuse_replay(self, ids: Sequence[int]) -> None:
        self._write(ASK_NO_MORE, (json.dumps(ids),))

    def _of_these_or_all(self, of_these: str, of_all: str, ids: Sequence[int] | None) -> int:
        if ids is None:
            return self._write(of_all).rowcount
        return self._write(of_these, (json.dumps(ids),)).rowcount

    async def replays(self, limit: int = 100) -> list[QuarantineRecord]:
        return [_record(row) for row in self._read(REPLAYS, (limit,))]

    async def replayed(self, ids: Sequence[int]) -> None:
        await self.drop_quarantined(ids)


def _record(row: tuple[Any, ...]) -> QuarantineRecord:
    return QuarantineRecord._make((*row[:-1], row[-1] == 1))
