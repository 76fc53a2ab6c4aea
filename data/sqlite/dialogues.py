"""Dialogues that are open, and the messages whose acknowledgement may have been lost."""
# ruff: noqa: D102 - the verbs are described where they are declared, in data.store

import json
from collections.abc import Sequence

from data.model import Acknowledged, DialogueRecord
from data.sqlite.connection import Part, upsert

_DIALOGUE = (
    "msisdn, link, key, node, page, misses, captured, unit, touched, opened, meaning, begun, last, screen"
)
DIALOGUE = f"SELECT {_DIALOGUE} FROM dialogues WHERE msisdn = ?"
# CROSS: the numbers asked for lead, each one finds its row. json_each is SQLite's own; others have lists of their own.
_COLUMNS = _DIALOGUE.replace("key", "dialogues.key")
DIALOGUES = f"SELECT {_COLUMNS} FROM json_each(?) AS asked CROSS JOIN dialogues ON msisdn = asked.value"
SAVE_DIALOGUE = upsert("dialogues", _DIALOGUE, key="msisdn")
CLOSE_DIALOGUE = "DELETE FROM dialogues WHERE msisdn = ?"
# No index on `touched`: it would be rewritten on every turn, and the table holds only what is open now.
FORGET_ENDED = "DELETE FROM dialogues WHERE touched < ? AND node = ''"
EXPIRE_DIALOGUES = "DELETE FROM dialogues WHERE touched < ?"

_ACKNOWLEDGED = "link, connection, responses, seen, digests, occurred"
NOTE_ACKNOWLEDGED = f"INSERT INTO acknowledged ({_ACKNOWLEDGED}) VALUES (?, ?, ?, ?, ?, ?)"
ACKNOWLEDGED = f"SELECT {_ACKNOWLEDGED} FROM acknowledged WHERE link = ? ORDER BY id"
# Rows are in the order of time: the first that is younger ends the search.
FORGET_ACKNOWLEDGED = """
DELETE FROM acknowledged WHERE link = ? AND id < coalesce(
    (SELECT id FROM acknowledged WHERE occurred >= ? ORDER BY id LIMIT 1), 9223372036854775807)
"""


class Dialogues(Part):
    """Verbs about dialogues."""

    async def dialogue(self, msisdn: str) -> DialogueRecord | None:
        row = self._execute(DIALOGUE, (msisdn,)).fetchone()
        return None if row is None else DialogueRecord(*row)

    async def dialogues(self, msisdns: Sequence[str]) -> dict[str, DialogueRecord]:
        return {row[0]: DialogueRecord(*row) for row in self._execute(DIALOGUES, (json.dumps(msisdns),))}

    async def save_dialogues(self, records: Sequence[DialogueRecord]) -> None:
        self._write_many(SAVE_DIALOGUE, records)

    async def close_dialogues(self, msisdns: Sequence[str]) -> None:
        self._write_many(CLOSE_DIALOGUE, zip(msisdns, strict=True))

    async def expire_dialogues(self, idle_before: float) -> int:
        self._write(FORGET_ENDED, (idle_before,))
        return self._write(EXPIRE_DIALOGUES, (idle_before,)).rowcount

    # --- what may come again

    async def note_acknowledged(self, record: Acknowledged) -> None:
        self._write(NOTE_ACKNOWLEDGED, record)

    async def acknowledged(self, link: str) -> list[Acknowledged]:
        return [Acknowledged(*row) for row in self._execute(ACKNOWLEDGED, (link,))]

    async def forget_acknowledged(self, link: str, before: float) -> int:
        return self._write(FORGET_ACKNOWLEDGED, (link, before)).rowcount
