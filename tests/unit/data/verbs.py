"""The verbs of a unit that write, something for each of them to change, and how to make them fail."""

from types import SimpleNamespace

from tests.unit.data.samples import (
    CONTRACT,
    EMPLOYEE,
    PRIVATE,
    acknowledged,
    new,
    open_dialogue,
    part,
    sent,
    sms,
    unusable,
)

# `to` holds something of each to be changed: see `furnish`
WRITING = {
    "set_language": lambda unit, to: unit.facts.set_language(EMPLOYEE, "en"),
    "set_script": lambda unit, to: unit.facts.set_script(EMPLOYEE, "latin"),
    "charge": lambda unit, to: unit.facts.charge(to.employee, "option:100", 30_000, 1.0),
    "import_subscribers": lambda unit, to: unit.facts.import_subscribers([new("79260000030")]),
    "switch_on": lambda unit, to: unit.facts.switch_on(EMPLOYEE, 100, 1.0),
    "switch_off": lambda unit, to: unit.facts.switch_off(EMPLOYEE, 41),
    "record_password_issue": lambda unit, to: unit.facts.record_password_issue(EMPLOYEE, 5.0),
    "prune_password_issues": lambda unit, to: unit.facts.prune_password_issues(9e9),
    "set_password_hash": lambda unit, to: unit.facts.set_password_hash(EMPLOYEE, "new", 5.0),
    "enqueue": lambda unit, to: unit.outbox.enqueue([sms(unit.draw_id(), "another")]),
    "taken": lambda unit, to: unit.outbox.taken([to.message_id]),
    "withdraw": lambda unit, to: unit.outbox.withdraw(PRIVATE, "password.issued", unit.draw_id()),
    "move": lambda unit, to: unit.outbox.move([to.message_id], "smsc"),
    "fail": lambda unit, to: unit.outbox.fail(to.message_id, "ESME_RINVDSTADR", 5.0),
    "fail_expired": lambda unit, to: unit.outbox.fail_expired(9e9),
    "save_dialogues": lambda unit, to: unit.inbox.save_dialogues([open_dialogue(EMPLOYEE, node="elsewhere")]),
    "close_dialogues": lambda unit, to: unit.inbox.close_dialogues([EMPLOYEE]),
    "expire_dialogues": lambda unit, to: unit.inbox.expire_dialogues(9e9),
    "note_acknowledged": lambda unit, to: unit.inbox.note_acknowledged(acknowledged(when=2.0)),
    "forget_acknowledged": lambda unit, to: unit.inbox.forget_acknowledged("ussdc", 9e9),
    "note_sent": lambda unit, to: unit.inbox.note_sent([sent("A1", 9)]),
    "match_receipt": lambda unit, to: unit.inbox.match_receipt("smsc", ["A1"], final=True),
    "forget_sent": lambda unit, to: unit.inbox.forget_sent(9e9),
    "quarantine": lambda unit, to: unit.inbox.quarantine([unusable(), unusable()], limit=2),
    "ask_replay": lambda unit, to: unit.inbox.ask_replay(),
    "refuse_replay": lambda unit, to: unit.inbox.refuse_replay([to.asked_id]),
    "drop_quarantined": lambda unit, to: unit.inbox.drop_quarantined([to.record_id]),
    "replayed": lambda unit, to: unit.inbox.replayed([to.record_id]),
    "add": lambda unit, to: unit.jobs.add("mail", EMPLOYEE, "ussdc", "", "{}", 1.0, 1.0),
    "finish": lambda unit, to: unit.jobs.finish(to.job_id),
    "retry": lambda unit, to: unit.jobs.retry(to.job_id, 99.0, 1),
    "set_aside": lambda unit, to: unit.jobs.set_aside(to.job_id, 99.0, "why", 1),
    "try_again": lambda unit, to: unit.jobs.try_again(None, 99.0),
    "drop": lambda unit, to: unit.jobs.drop(),
}
# They write as well, but what they write shows only in what they answer the next time: see the tests of their own.
WRITING_UNSEEN = {
    "keep_part": lambda unit, to: unit.inbox.keep_part(part(1)),
    "expire_parts": lambda unit, to: unit.inbox.expire_parts(9e9),
    "prune_undelivered": lambda unit, to: unit.outbox.prune_undelivered(9e9),
}
READING = {
    "subscriber", "subscribers", "ledger", "options_on", "packages", "password_issues_since", "password_hash",
    "holds", "unsent", "waiting", "dialogue", "dialogues", "acknowledged", "quarantined", "quarantined_one",
    "replays", "due", "held", "count_held",
}  # fmt: skip


async def furnish(unit) -> SimpleNamespace:
    """Put something of everything there."""
    facts, outbox, inbox, jobs = unit.facts, unit.outbox, unit.inbox, unit.jobs
    await facts.switch_on(EMPLOYEE, 41, 0.5)
    await facts.set_password_hash(EMPLOYEE, "old", 0.5)
    await facts.record_password_issue(EMPLOYEE, 0.5)
    await inbox.save_dialogues([open_dialogue(EMPLOYEE)])
    await inbox.note_acknowledged(acknowledged(when=0.5))
    await inbox.note_sent([sent("A1", 1)])
    await inbox.quarantine([unusable(), unusable()], limit=2)
    newer, older = await inbox.quarantined(2)
    await inbox.ask_replay([older.id])
    message = sms(unit.draw_id(), topic="password.issued")
    await outbox.enqueue([message])
    job, held = [await jobs.add("mail", EMPLOYEE, "ussdc", "", "{}", 1.0, 1.0) for _ in range(2)]
    await jobs.set_aside(held, 2.0, "why", 5)
    employee = await facts.subscriber(EMPLOYEE)
    return SimpleNamespace(
        employee=employee, message_id=message.id, record_id=newer.id, asked_id=older.id, job_id=job
    )


async def all_there_is(unit) -> list:
    """All that the verbs of WRITING can change."""
    facts, inbox = unit.facts, unit.inbox
    return [
        await facts.subscribers([EMPLOYEE, PRIVATE, "79260000030"]),
        await facts.ledger(CONTRACT),
        await facts.options_on(EMPLOYEE),
        await facts.packages(EMPLOYEE),
        await facts.password_issues_since(EMPLOYEE, 0.0),
        await facts.password_hash(EMPLOYEE),
        await unit.outbox.unsent("ussdc", 0, 10),
        await inbox.dialogue(EMPLOYEE),
        await inbox.acknowledged("ussdc"),
        await inbox.match_receipt("smsc", ["A1"], final=False),
        await inbox.quarantined(10),
        await unit.jobs.due(9e9, 10),
        await unit.jobs.held(10),
    ]


# what no store can keep: each of these verbs fails, most of them in the middle
FAILING = {
    "import_subscribers": lambda unit: unit.facts.import_subscribers([new("79260000030", tariff="none")]),
    "switch_on": lambda unit: unit.facts.switch_on(PRIVATE, 999, 1.0),
    "enqueue": lambda unit: unit.outbox.enqueue([sms(7), sms(7)]),
    "move": lambda unit: unit.outbox.move([object()], "smsc"),
    "prune_undelivered": lambda unit: unit.outbox.prune_undelivered(object()),
    "prune_password_issues": lambda unit: unit.facts.prune_password_issues(object()),
    "keep_part": lambda unit: unit.inbox.keep_part(part(1, 3, octets="text")),
    "keep_part, anew": lambda unit: unit.inbox.keep_part(part(1, 2, "there", octets="text")),
    "expire_parts": lambda unit: unit.inbox.expire_parts(object()),
    "quarantine": lambda unit: unit.inbox.quarantine([unusable(), unusable(octets="text")], 10),
    "drop_quarantined": lambda unit: unit.inbox.drop_quarantined([object()]),
    "ask_replay": lambda unit: unit.inbox.ask_replay([object()]),
    "replayed": lambda unit: unit.inbox.replayed([object()]),
    "note_sent": lambda unit: unit.inbox.note_sent([sent("1", 5), sent(None, 6)]),
    "match_receipt": lambda unit: unit.inbox.match_receipt("smsc", [object(), "there"], final=True),
    "forget_sent": lambda unit: unit.inbox.forget_sent(object()),
    "note_acknowledged": lambda unit: unit.inbox.note_acknowledged(acknowledged(digests="text")),
    "try_again": lambda unit: unit.jobs.try_again([object()], 1.0),
    "drop": lambda unit: unit.jobs.drop([object()]),
}
