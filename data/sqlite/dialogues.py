"""The dialogues that are open."""
# ruff: noqa: D102 - the verbs are described where they are declared, in data.store

import json
from collections.abc import Sequence

from data.model import DialogueRecord
from data.sqlite.connection import EACH_ASKED, Verbs, upsert

_RECORD = (
    "msisdn, link, key, node, page, misses, captured, unit, touched, opened, meaning, begun, last, screen"
)
DIALOGUE = f"SELECT {_RECORD} FROM dialogues WHERE msisdn = ?"
DIALOGUES = f"SELECT {_RECORD} FROM {EACH_ASKED} dialogues ON msisdn = asked"
SAVE = upsert("dialogues", _RECORD, key="msisdn")
CLOSE = "DELETE FROM dialogues WHERE msisdn = ?"
# No index on `touched`: it would be rewritten on every turn, and the table holds only what is open now.
FORGET_ENDED = "DELETE FROM dialogues WHERE touched < ? AND node = ''"
EXPIRE = "DELETE FROM dialogues WHERE touched < ?"


class DialogueVerbs(Verbs):
    """Verbs about dialogues."""

    async def dialogue(self, msisdn: str) -> DialogueRecord | None:
        row = self._read(DIALOGUE, (msisdn,)).fetchone()
        return None if row is None else DialogueRecord._make(row)

    async def dialogues(self, msisdns: Sequence[str]) -> dict[str, DialogueRecord]:
        return {row[0]: DialogueRecord._make(row) for row in self._read(DIALOGUES, (json.dumps(msisdns),))}

    async def save_dialogues(self, records: Sequence[DialogueRecord]) -> None:
        self._write_many(SAVE, records)

    async def close_dialogues(self, msisdns: Sequence[str]) -> None:
        self._write_many(CLOSE, zip(msisdns, strict=True))

    async def expire_dialogues(self, idle_before: float) -> int:
        self._write(FORGET_ENDED, (idle_before,))
        return self._write(EXPIRE, (idle_before,)).rowcount
