"""Parts of long messages, until the last of them has come."""
# ruff: noqa: D102 - the verbs are described where they are declared, in data.store

import hashlib

from data.model import MessagePart
from data.sqlite.connection import SqliteConnection, Verbs, upsert

_PART = "link, msisdn, recipient, reference, number, total, data_coding, octets, received"
_MESSAGE = "link, msisdn, recipient, reference"
_OF_MESSAGE = "link = ? AND msisdn = ? AND recipient = ? AND reference = ?"
PARTS = f"SELECT {_PART} FROM message_parts WHERE {_OF_MESSAGE} ORDER BY number"
KEEP_PART = upsert("message_parts", _PART, key=f"{_MESSAGE}, number")
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
FINISH = upsert("finished_messages", f"{_MESSAGE}, digests, finished", key=_MESSAGE)
FORGET_FINISHED = f"DELETE FROM finished_messages WHERE {_OF_MESSAGE}"
EXPIRE_FINISHED = "DELETE FROM finished_messages WHERE finished < ?"

REPEATED_S = 60.0
"""For so long a part that comes again is the one that came before."""

_DIGEST_OCTETS = 8


class PartVerbs(Verbs):
    """Verbs about parts of long messages."""

    def __init__(self, connection: SqliteConnection):
        super().__init__(connection)
        # Never less than there are: it is counted anew only when it says that there may be too many.
        (self._parts_at_most,) = connection.execute(COUNT_PARTS).fetchone()

    async def keep_part(
        self, part: MessagePart, limit: int = 64, total_limit: int = 10_000
    ) -> list[MessagePart] | None:
        if not 1 <= part.number <= part.total:
            raise ValueError(f"part {part.number} of {part.total}")
        if part.total > limit:
            return None
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
        row = self._read(FINISHED, _message(part)).fetchone()
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
        there = list(map(MessagePart._make, self._read(PARTS, _message(part))))
        if there and there[0].total != part.total:
            self._write(DROP_MESSAGE, _message(part))
            return {}
        return {other.number: other for other in there}

    def _bound(self, newest: MessagePart, limit: int, total_limit: int) -> None:
        self._bound_sender(newest, limit)
        self._parts_at_most += 1
        if self._parts_at_most > total_limit:
            (count,) = self._read(COUNT_PARTS).fetchone()
            if count > total_limit:
                # some more than needed, so that a flood is not counted at every part
                self._drop_oldest_messages(count - total_limit + total_limit // 8)
            (self._parts_at_most,) = self._read(COUNT_PARTS).fetchone()

    def _bound_sender(self, newest: MessagePart, limit: int) -> None:
        messages = self._read(OF_SENDER, (newest.link, newest.msisdn)).fetchall()
        too_many = sum(count for _, _, count in messages) - limit
        for recipient, reference, count in messages:
            if too_many > 0 and (recipient, reference) != (newest.to, newest.reference):
                self._write(DROP_MESSAGE, (newest.link, newest.msisdn, recipient, reference))
                too_many -= count

    def _drop_oldest_messages(self, parts: int) -> None:
        """Drop at least that many parts: whole messages, because what is left of one is of no use."""
        messages = dict.fromkeys(self._read(OLDEST_PARTS, (parts,)))
        self._write_many(DROP_MESSAGE, messages)

    async def expire_parts(self, before: float) -> int:
        self._write(EXPIRE_FINISHED, (before,))
        return self._write(EXPIRE_PARTS, (before,)).rowcount


def _digest(part: MessagePart) -> bytes:
    return hashlib.blake2b(part.octets, digest_size=_DIGEST_OCTETS).digest()


def _message(part: MessagePart) -> tuple[str, str, str, str]:
    """What the parts of one message have in common, as the table is searched."""
    return part.link, part.msisdn, part.to, part.reference
