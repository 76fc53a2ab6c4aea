"""What came and cannot be used yet, or at all: parts of long messages, the quarantine, receipts to be matched."""
# ruff: noqa: D102 - the verbs are described where they are declared, in data.store

import hashlib
import json
import sqlite3
from collections.abc import Sequence

from data.model import MessagePart, QuarantineRecord, SentMessage
from data.sqlite.base import UnitOfWork

_PART = "link, msisdn, recipient, reference, number, total, data_coding, octets, received"
_OF_MESSAGE = "link = ? AND msisdn = ? AND recipient = ? AND reference = ?"
PARTS = f"SELECT {_PART} FROM message_parts WHERE {_OF_MESSAGE} ORDER BY number"
KEEP_PART = f"INSERT OR REPLACE INTO message_parts ({_PART}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
DROP_MESSAGE = f"DELETE FROM message_parts WHERE {_OF_MESSAGE}"
OF_SENDER = """
SELECT recipient, reference, count(*) FROM message_parts WHERE link = ? AND msisdn = ?
GROUP BY recipient, reference ORDER BY min(received)
"""
COUNT_PARTS = "SELECT count(*) FROM message_parts"
OLDEST_PARTS = "SELECT link, msisdn, recipient, reference FROM message_parts ORDER BY received LIMIT ?"
EXPIRE_PARTS = """
DELETE FROM message_parts WHERE (link, msisdn, recipient, reference) IN (
    SELECT link, msisdn, recipient, reference FROM message_parts WHERE received < ?)
"""

FINISHED = f"SELECT digests, finished FROM finished_messages WHERE {_OF_MESSAGE}"
FINISH = """
INSERT OR REPLACE INTO finished_messages (link, msisdn, recipient, reference, digests, finished)
VALUES (?, ?, ?, ?, ?, ?)
"""
FORGET_FINISHED = f"DELETE FROM finished_messages WHERE {_OF_MESSAGE}"
EXPIRE_FINISHED = "DELETE FROM finished_messages WHERE finished < ?"

REPEATED_S = 60.0
"""For so long a part that comes again is the one that came before."""

_DIGEST_OCTETS = 8

_RECORD = "id, link, peer, direction, reason, status, octets, occurred, replay"
QUARANTINE = """
INSERT INTO quarantine (link, peer, direction, reason, status, octets, occurred, replay)
VALUES (?, ?, ?, ?, ?, ?, ?, 0)
"""
COUNT_QUARANTINED = "SELECT count(*) FROM quarantine"
DROP_OLDEST = "DELETE FROM quarantine WHERE id IN (SELECT id FROM quarantine ORDER BY id LIMIT ?)"
QUARANTINED = f"SELECT {_RECORD} FROM quarantine WHERE id < ? ORDER BY id DESC LIMIT ?"
QUARANTINED_ONE = f"SELECT {_RECORD} FROM quarantine WHERE id = ?"
DROP_THESE = "DELETE FROM quarantine WHERE id IN (SELECT value FROM json_each(?))"
DROP_ALL = "DELETE FROM quarantine"
# Only what came by a link can be handled again.
ASK_THESE = "UPDATE quarantine SET replay = 1 WHERE link <> '' AND id IN (SELECT value FROM json_each(?))"
ASK_ALL = "UPDATE quarantine SET replay = 1 WHERE link <> ''"
ASK_NO_MORE = "UPDATE quarantine SET replay = 0 WHERE id IN (SELECT value FROM json_each(?))"
REPLAYS = f"SELECT {_RECORD} FROM quarantine WHERE replay = 1 ORDER BY id LIMIT ?"

_SENT = "link, message_key, id, msisdn, sent"
NOTE_SENT = f"INSERT OR REPLACE INTO sent_messages ({_SENT}) VALUES (?, ?, ?, ?, ?)"
SENT = f"""
SELECT {_SENT} FROM sent_messages
WHERE link = ?1 AND message_key = ?2 AND (?3 = '' OR substr(msisdn, -9) = substr(?3, -9))
"""
DROP_SENT = "DELETE FROM sent_messages WHERE id = ?"
# Ids are in the order of time but for what had to wait: the first that is younger ends the search.
FORGET_SENT = """
DELETE FROM sent_messages WHERE id IN (
    SELECT id FROM sent_messages WHERE id < ifnull(
        (SELECT id FROM sent_messages WHERE sent >= ? ORDER BY id LIMIT 1), 9223372036854775807)
    ORDER BY id LIMIT ?)
"""

_GREATEST_ID = 2**63 - 1


class Traffic(UnitOfWork):
    """Verbs about parts of long messages, the quarantine and receipts."""

    def __init__(self, connection: sqlite3.Connection, name: str):
        super().__init__(connection, name)
        # Never less than there are: it is counted anew only when it says that there may be too many.
        (self._parts_at_most,) = connection.execute(COUNT_PARTS).fetchone()

    # --- parts of long messages

    async def keep_part(
        self, part: MessagePart, limit: int = 64, total_limit: int = 10_000
    ) -> list[MessagePart] | None:
        if not 1 <= part.number <= part.total:
            raise ValueError(f"part {part.number} of {part.total}")
        if part.total > limit:
            return None
        with self._whole():
            if self._is_repeated(part):
                return None
            there = self._parts_like(part)
            whole = {**there, part.number: part}
            if len(whole) < part.total:
                self._write(KEEP_PART, part)
                self._bound(part, limit, total_limit)
                return None
            if there:
                self._write(DROP_MESSAGE, _message(part))
            parts = [whole[number] for number in sorted(whole)]
            self._write(FINISH, (*_message(part), b"".join(map(_digest, parts)), part.received))
        return parts

    def _is_repeated(self, part: MessagePart) -> bool:
        """Whether the part is of the last message with its reference, which was whole a moment ago.

        Without that it would begin the next one, which may have the same reference: some centres use only one.
        """
        row = self._execute(FINISHED, _message(part)).fetchone()
        if row is None:
            return False
        digests, finished = row
        at = (part.number - 1) * _DIGEST_OCTETS
        repeated = len(digests) == part.total * _DIGEST_OCTETS and digests[at:].startswith(_digest(part))
        if repeated and part.received - finished <= REPEATED_S:
            return True
        self._write(FORGET_FINISHED, _message(part))
        return False

    def _parts_like(self, part: MessagePart) -> dict[int, MessagePart]:
        """The parts that are there, by number. If they are of another message with the same reference, they go."""
        there = [MessagePart(*row) for row in self._execute(PARTS, _message(part))]
        if there and there[0].total != part.total:
            self._write(DROP_MESSAGE, _message(part))
            return {}
        return {other.number: other for other in there}

    def _bound(self, newest: MessagePart, limit: int, total_limit: int) -> None:
        self._bound_sender(newest, limit)
        self._parts_at_most += 1
        if self._parts_at_most > total_limit:
            (count,) = self._execute(COUNT_PARTS).fetchone()
            if count > total_limit:
                # some more than needed, so that a flood is not counted at every part
                self._drop_oldest_messages(count - total_limit + total_limit // 8)
            (self._parts_at_most,) = self._execute(COUNT_PARTS).fetchone()

    def _bound_sender(self, newest: MessagePart, limit: int) -> None:
        messages = self._execute(OF_SENDER, (newest.link, newest.msisdn)).fetchall()
        too_many = sum(count for _, _, count in messages) - limit
        for recipient, reference, count in messages:
            if too_many > 0 and (recipient, reference) != (newest.to, newest.reference):
                self._write(DROP_MESSAGE, (newest.link, newest.msisdn, recipient, reference))
                too_many -= count

    def _drop_oldest_messages(self, parts: int) -> None:
        """Drop at least that many parts: whole messages, because what is left of one is of no use."""
        messages = dict.fromkeys(self._execute(OLDEST_PARTS, (parts,)))
        self._write_many(DROP_MESSAGE, messages)

    async def expire_parts(self, before: float) -> int:
        with self._whole():
            self._write(EXPIRE_FINISHED, (before,))
            return self._write(EXPIRE_PARTS, (before,)).rowcount

    # --- quarantine

    async def quarantine(self, records: Sequence[QuarantineRecord], limit: int) -> None:
        with self._whole():
            self._write_many(QUARANTINE, [record[1:-1] for record in records])
            (count,) = self._execute(COUNT_QUARANTINED).fetchone()
            if count > limit:
                self._write(DROP_OLDEST, (count - limit,))

    async def quarantined(self, limit: int, before_id: int | None = None) -> list[QuarantineRecord]:
        below = _GREATEST_ID if before_id is None else before_id
        return [_record(row) for row in self._execute(QUARANTINED, (below, limit))]

    async def quarantined_one(self, id: int) -> QuarantineRecord | None:
        row = self._execute(QUARANTINED_ONE, (id,)).fetchone()
        return row and _record(row)

    async def drop_quarantined(self, ids: Sequence[int] | None = None) -> int:
        with self._whole():
            return self._of_these_or_all(DROP_THESE, DROP_ALL, ids)

    async def ask_replay(self, ids: Sequence[int] | None = None) -> int:
        with self._whole():
            return self._of_these_or_all(ASK_THESE, ASK_ALL, ids)

    async def refuse_replay(self, ids: Sequence[int]) -> None:
        self._write(ASK_NO_MORE, (json.dumps(ids),))

    def _of_these_or_all(self, of_these: str, of_all: str, ids: Sequence[int] | None) -> int:
        if ids is None:
            return self._write(of_all).rowcount
        return self._write(of_these, (json.dumps(ids),)).rowcount

    async def replays(self, limit: int = 100) -> list[QuarantineRecord]:
        return [_record(row) for row in self._execute(REPLAYS, (limit,))]

    async def replayed(self, ids: Sequence[int]) -> None:
        await self.drop_quarantined(ids)

    # --- receipts

    async def note_sent(self, messages: Sequence[SentMessage]) -> None:
        self._write_many(NOTE_SENT, messages)

    async def match_receipt(
        self, link: str, keys: Sequence[str], final: bool, number: str = ""
    ) -> SentMessage | None:
        for key in keys:
            row = self._execute(SENT, (link, key, number)).fetchone()
            if row:
                message = SentMessage(*row)
                if final:
                    self._write_many(DROP_SENT, [(message.id,)])
                return message
        return None

    async def forget_sent(self, before: float, limit: int = 10_000) -> int:
        with self._whole():
            return self._write(FORGET_SENT, (before, limit)).rowcount


def _digest(part: MessagePart) -> bytes:
    return hashlib.blake2b(part.octets, digest_size=_DIGEST_OCTETS).digest()


def _message(part: MessagePart) -> tuple[str, str, str, str]:
    """What the parts of one message have in common, as the table is searched."""
    return part.link, part.msisdn, part.to, part.reference


def _record(row: tuple) -> QuarantineRecord:
    return QuarantineRecord(*row[:-1], replay=row[-1] == 1)
