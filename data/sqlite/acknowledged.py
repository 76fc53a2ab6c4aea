"""What was acknowledged on which connection: a row for each unit of work."""
# ruff: noqa: D102 - the verbs are described where they are declared, in data.store

from data.model import Acknowledged
from data.sqlite.connection import GREATEST_ID, Verbs

_RECORD = "link, connection, responses, read, digests, occurred"
NOTE = f"INSERT INTO acknowledged ({_RECORD}) VALUES (?, ?, ?, ?, ?, ?)"
ACKNOWLEDGED = f"SELECT {_RECORD} FROM acknowledged WHERE link = ? ORDER BY id"
# Ids are in the order of time: the first that is younger ends the search.
FORGET = f"""
DELETE FROM acknowledged WHERE link = ?1 AND id < coalesce(
    (SELECT id FROM acknowledged WHERE link = ?1 AND occurred >= ?2 ORDER BY id LIMIT 1), {GREATEST_ID})
"""


class AcknowledgementVerbs(Verbs):
    """Verbs about the responses that were given."""

    async def note_acknowledged(self, record: Acknowledged) -> None:
        self._write(NOTE, record)

    async def acknowledged(self, link: str) -> list[Acknowledged]:
        return list(map(Acknowledged._make, self._read(ACKNOWLEDGED, (link,))))

    async def forget_acknowledged(self, link: str, before: float) -> int:
        return self._write(FORGET, (link, before)).rowcount
