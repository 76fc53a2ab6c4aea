"""An operation that fails costs its own turn and nobody else's.

What fails is the ledger, for one number: a trigger in the store refuses its lines, so that the operation breaks when
the option is on already and the money already taken.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.faults.daemon import Daemon
from tests.faults.load import CODE, FEE, ON, OPTION, TO_OPTIONS
from tests.faults.scene import Stage, charged, number, scene, staged
from tests.faults.screens import read, shows

UNLUCKY = number(3)


def _break_ledger(stage: Stage, action: str) -> None:
    with closing(sqlite3.connect(stage.database)) as connection:
        connection.execute(
            f"CREATE TRIGGER broken BEFORE INSERT ON ledger WHEN NEW.msisdn = '{UNLUCKY}' "
            f"BEGIN SELECT RAISE({action}, 'broken on purpose'); END"
        )
        connection.commit()


def _mend_ledger(stage: Stage) -> None:
    with closing(sqlite3.connect(stage.database)) as connection:
        connection.execute("DROP TRIGGER broken")
        connection.commit()


async def _units_above_eight(daemon: Daemon) -> float:
    """How many units of work held nine turns or more."""
    all_of_them = await daemon.metric("starpound_unit_of_work_turns_count")
    return all_of_them - await daemon.metric('starpound_unit_of_work_turns_bucket{le="8.0"}')


@scene
async def test_a_turn_that_fails_in_the_middle_of_a_batch(tmp_path: Path) -> None:
    """All ten are in one read; nine are done, one gets the polite words with a reference, and nothing of it stays.

    The tenth is a step in the dialogue of somebody else, which goes on.
    """
    async with staged(tmp_path) as stage:
        _break_ledger(stage, "ABORT")
        daemon = await stage.serve()
        dialogue = stage.centre.dial(number(24), "*105#")
        await stage.shown(dialogue)
        lucky = [number(i) for i in (1, 4, 7, 11, 12, 14, 21, 22)]
        with stage.centre.together():
            orders = [stage.centre.dial(msisdn, CODE) for msisdn in [*lucky[:4], UNLUCKY, *lucky[4:]]]
            step = stage.centre.reply(dialogue, TO_OPTIONS)
        await stage.until(lambda: not stage.centre.open, "ten answers")
        assert await _units_above_eight(daemon) == 1, "the ten were not in one read"

        failed = orders.pop(4)
        answer = failed.answers[0]
        reference = read(answer.text, "words.failure")["reference"]
        assert answer.last
        line = await daemon.logged(event="turn failed", reference=reference, msisdn=UNLUCKY)
        assert "broken on purpose" in line["exception"]
        assert "broken" not in answer.text

        shown = [message.answers[0].text for message in orders]
        assert all(shows(text, ON) for text in shown), shown
        assert shows(step.answers[0].text, "options"), step.answers[0].text
        async with stage.look() as seen:
            assert (await seen.inbox.dialogue(number(24))).node == "options"
            assert await seen.inbox.dialogue(UNLUCKY) is None
        assert await charged(stage, UNLUCKY) == []
        for msisdn in lucky:
            assert await charged(stage, msisdn) == [(f"option:{OPTION}", FEE)]
        await _nothing_of_it_stays(stage)

        _mend_ledger(stage)
        assert shows((await stage.shown(stage.centre.dial(UNLUCKY, CODE, session=2))).text, ON)
        await stage.stop()


async def _nothing_of_it_stays(stage: Stage) -> None:
    async with stage.look() as seen:
        subscriber = await seen.facts.subscriber(UNLUCKY)
        assert subscriber.balance_kopecks == 52_340, "money was taken for an order that failed"
        assert await seen.facts.options_on(UNLUCKY) == [], "an option is on for an order that failed"


@scene
async def test_a_failure_that_costs_the_transaction_costs_no_message(tmp_path: Path) -> None:
    """The database takes back the whole unit, as a full disk makes it do: everybody in it is asked to come again."""
    async with staged(tmp_path) as stage:
        _break_ledger(stage, "ROLLBACK")
        daemon = await stage.serve()
        with stage.centre.together():
            orders = [stage.centre.dial(msisdn, CODE) for msisdn in (number(1), UNLUCKY, number(11))]
        await stage.until(lambda: stage.centre.counts["acknowledged"] == 3, "three responses")
        done = [message for message in orders if message.status == 0]
        for message in done:
            await stage.shown(message)
        for message in orders:
            on_the_ledger = await charged(stage, message.key[0])
            assert bool(on_the_ledger) == (message in done and message.key[0] != UNLUCKY), (
                f"{message}, {on_the_ledger}"
            )

        _mend_ledger(stage)
        stage.centre.redeliver()
        await stage.until(lambda: not stage.centre.open, "answers to all")
        assert daemon.running
        for message in orders:
            if shows(message.answers[0].text, ON):
                assert await charged(stage, message.key[0]) == [(f"option:{OPTION}", FEE)]
        await stage.stop()
