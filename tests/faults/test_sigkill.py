"""SIGKILL in the middle of a load: nothing lost, nothing done twice.

What "answered exactly once" means here, seen from the centre:

* Every message that the gateway acknowledged is answered, if not before the kill then after the restart; and what
  the handset shows, the *first* answer, is the right screen of that turn.
* An answer is *settled* when the gateway is known to have taken note of its positive submit_sm_resp: the centre wrote
  the response, and later on the same connection a deliver_sm, and that one was acknowledged, which happens after the
  commit that holds all that was read before it. A settled answer is never sent again.
* An answer whose response was lost, or not yet written down when the process died, may come again: at least once
  towards the centre (W4). Then it is the same octets, and its session info (its_session_info: the session and the
  number of the unit) names the question that it belongs to, so that a handset which has its screen ignores it.
* A message that was not acknowledged is delivered again by the centre, and each delivery may be answered. A repeated
  answer to a screen does not count twice; a repeated order finds the option on and costs nothing. Of two answers the
  handset shows the first, and that is the one of the delivery that took effect.

`tests.faults.messages` states the rule, and the centre holds every submit_sm against this the moment it comes in.
"""

import random
from collections import Counter
from pathlib import Path

from data.model import Subscriber
from tests.faults.load import PASSWORD_SENDER, Load, Phone, check_password, due, townspeople
from tests.faults.scene import LINK, Stage, scene, staged

PEOPLE = 160
MOMENTS = ("delivered", "acknowledged", "submitted", "responded")
KILLS = 4
SEED = 2


@scene
async def test_load_survives_being_killed_again_and_again(tmp_path: Path) -> None:
    dice = random.Random(SEED)
    async with staged(tmp_path, PEOPLE) as stage:
        async with stage.look() as seen:
            phones = await townspeople(seen, PEOPLE, dice)
        owed = {phone.msisdn: due(phone) for phone in phones}
        load = Load(stage.centre, phones)
        assert load.turns > 2500
        load.start()
        under_way = Counter()
        for _ in range(KILLS):
            await _kill(stage, dice.choice(MOMENTS), dice.randrange(50, 500))
            under_way += _under_way(stage, load)
        await stage.serve()
        await stage.until(lambda: load.done, "the end of the load", timeout_s=40)
        await stage.stop()

        missing = {
            "not acknowledged",
            "acknowledged, not answered",
            "not settled",
            "in a dialogue",
        } - under_way.keys()
        assert not missing, f"the kills missed the moments when something was {missing}: {under_way}"
        await _check_store(stage, phones, owed)


async def _kill(stage: Stage, moment: str, count: int) -> None:
    """Start the daemon, and kill it in the middle of that moment."""
    await stage.serve(bound=False)
    stage.centre.at(moment, count, stage.daemon.kill)
    assert await stage.daemon.ended(30) == -9, stage.daemon.explain()
    await stage.centre.wire.gone


def _under_way(stage: Stage, load: Load) -> Counter[str]:
    """What the kill has caught: it shows that the test does what it says."""
    messages = stage.centre.messages.values()
    return Counter(
        {
            "not acknowledged": sum(m.status is None for m in messages),
            "acknowledged, not answered": sum(m.status == 0 and not m.answers for m in messages),
            "not settled": sum(not answer.settled for answer in stage.centre.answers),
            "in a dialogue": load.in_dialogue,
        }
    )


async def _check_store(stage: Stage, phones: list[Phone], owed: dict[str, list[tuple[str, int]]]) -> None:
    async with stage.look() as seen:
        assert await seen.outbox.unsent(LINK, 0, 10) == [], "answers that nobody was sent"
        assert await seen.jobs.due(float("inf"), 10) == [], "jobs that nobody did"
        records = [await seen.inbox.dialogue(phone.msisdn) for phone in phones]
        still_open = [record.msisdn for record in records if record and record.node]
        assert not still_open, "dialogues that have ended and are open"
        assert stage.undelivered() == [], "answers that were given up"
        for phone in phones:
            before, after = phone.subscriber, await seen.facts.subscriber(phone.msisdn)
            entries = await seen.facts.ledger(before.account_id)
            own = [(entry.what, entry.amount_kopecks) for entry in entries if entry.msisdn == phone.msisdn]
            assert sorted(own) == sorted(owed[phone.msisdn]), (
                f"{phone.msisdn} was charged otherwise than he ordered"
            )
            _check_balance(before, after, sum(entry.amount_kopecks for entry in entries), own)
            options = {f"option:{option.number}" for option in await seen.facts.options_on(phone.msisdn)}
            assert options == {what for what, _ in own}, f"{phone.msisdn} pays for other options than he has"
        for msisdn, sender, *_ in stage.centre.messages:
            if sender == PASSWORD_SENDER:
                await check_password(stage, msisdn)


def _check_balance(
    before: Subscriber, after: Subscriber, ledger_kopecks: int, own: list[tuple[str, int]]
) -> None:
    assert after.balance_kopecks == before.balance_kopecks - ledger_kopecks, (
        f"{before}, {after}, {ledger_kopecks}"
    )
    if before.corporate:
        spent = after.budget_spent_kopecks - before.budget_spent_kopecks
        assert spent == sum(amount for _, amount in own), f"{before}, {after}, {own}"
