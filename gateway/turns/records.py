"""The records of dialogues: which one an answer belongs to, whether it was answered before, what is kept of it."""

import json

from data.model import DialogueRecord
from gateway.dialect import Inbound
from gateway.turns.reading import Arrival
from gateway.turns.work import Work
from menus.turns import Dialogue

# Dialogue units are counted in seven bits (its_session_info, SMPP 3.4 §5.3.2.43).
_UNITS = 128
# A dial that comes again within this after an answer of its dialogue is the one that began it.
_LATE_S = 10.0


def is_late(message: Inbound, arrival: Arrival, work: Work) -> bool:
    """Whether it is the dial of a dialogue that has gone on meanwhile, delivered twice.

    A centre that names every dialogue anew means another one when its owner dials again; only one that never does
    makes him wait so long.
    """
    record = _latest(message.msisdn, work)
    if record is None or record.begun != arrival.digest or not record.node or not record.unit:
        return False
    return work.now - record.touched < _LATE_S


def is_answered(record: DialogueRecord, message: Inbound) -> bool:
    """Whether the number of the dialogue unit tells that the answer has been dealt with, and was delivered twice."""
    return bool(message.unit) and (record.unit - (message.unit or 0)) % _UNITS < _UNITS // 2


async def is_unread(record: DialogueRecord, arrival: Arrival, work: Work) -> bool:
    """Whether the last answer comes once more while nobody can have read the screen that followed it.

    Whoever says the same again before his centre has taken the next screen does not say it to that screen.
    """
    screen = record.screen
    if record.last != arrival.digest or not screen:
        return False
    return any(answer.id == screen for answer in work.answers) or await work.unit.outbox.holds(screen)


def _latest(msisdn: str, work: Work) -> DialogueRecord | None:
    """The dialogue of a number as the turns of this unit have left it."""
    return work.dialogues[msisdn] if msisdn in work.dialogues else work.opened.get(msisdn)


def record_for(message: Inbound, work: Work) -> DialogueRecord | None:
    """The open dialogue that an answer belongs to; None when it is another one, another link's, or too old."""
    record = _latest(message.msisdn, work)
    if record is None or record.key != message.key or record.link != work.station.name:
        return None
    limits = work.station.profile.limits
    too_old = work.now - record.touched > limits.idle_s or work.now - record.opened > limits.total_s
    return None if too_old else record


def reopen(record: DialogueRecord) -> Dialogue:
    """The dialogue as it was left."""
    values = json.loads(record.values) if record.values else {}
    return Dialogue(record.node, record.page, record.misses, values, record.meaning)


def record_of(
    dialogue: Dialogue,
    message: Inbound,
    arrival: Arrival,
    work: Work,
    before: DialogueRecord | None,
    screen: int,
    over: bool,
) -> DialogueRecord | None:
    """A dialogue is stored while it is open. One MSISDN has one: a new dial replaces a stale one.

    One that is over with an answer stays for a while, at no node, so that the answer is known if it comes again.
    """
    if over and before is None:
        return None
    return DialogueRecord(
        message.msisdn,
        work.station.name,
        message.key,
        "" if over else dialogue.node,
        dialogue.page,
        dialogue.misses,
        json.dumps(dialogue.values, ensure_ascii=False) if dialogue.values else None,
        message.unit or 0,
        work.now,
        before.opened if before else work.now,
        dialogue.meaning,
        before.begun if before else arrival.digest,
        arrival.digest if before else 0,
        screen,
    )
