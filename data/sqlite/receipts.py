"""Messages of which a receipt is expected."""
# ruff: noqa: D102 - the verbs are described where they are declared, in data.store

from collections.abc import Sequence

from data.model import SentMessage
from data.sqlite.connection import GREATEST_ID, Verbs, upsert

_SENT = "link, message_key, id, msisdn, sent"
NOTE = upsert("sent_messages", _SENT, key="link, message_key")
SENT = f"""
SELECT {_SENT} FROM sent_messages
WHERE link = ?1 AND message_key = ?2 AND (?3 = '' OR substr(msisdn, -9) = substr(?3, -9))
"""
DROP = "DELETE FROM sent_messages WHERE link = ? AND message_key = ?"
# Ids are in the order of time but for what had to wait: the first that is younger ends the search.
FORGET = f"""
DELETE FROM sent_messages WHERE (link, message_key) IN (
    SELECT link, message_key FROM sent_messages WHERE id < coalesce(
        (SELECT id FROM sent_messages WHERE sent >= ? ORDER BY id LIMIT 1), {GREATEST_ID})
    ORDER BY id LIMIT ?)
"""


class ReceiptVerbs(Verbs):
    """Verbs about receipts."""

    async def note_sent(self, messages: Sequence[SentMessage]) -> None:
        self._write_many(NOTE, messages)

    async def match_receipt(
        self, link: str, keys: Sequence[str], final: bool, number: str = ""
    ) -> SentMessage | None:
        for key in keys:
            row = self._read(SENT, (link, key, number)).fetchone()
            if row:
                message = SentMessage._make(row)
                if final:
                    self._write(DROP, (link, message.message_key))
                return message
        return None

    async def forget_sent(self, before: float, limit: int = 10_000) -> int:
        return self._write(FORGET, (before, limit)).rowcount
