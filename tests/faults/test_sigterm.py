"""SIGTERM under load: what was acknowledged is answered, or waits in the store; the link is unbound; exit status 0."""

import random
from pathlib import Path

from gateway.smpp.vocabulary import ESME_RTHROTTLED
from tests.faults.load import Load, townspeople
from tests.faults.messages import take, withhold
from tests.faults.scene import LINK, Stage, number, scene, staged

PEOPLE = 60


async def _load(stage: Stage) -> Load:
    async with stage.look() as seen:
        return Load(stage.centre, await townspeople(seen, PEOPLE, random.Random(7)))


@scene
async def test_what_is_under_way_is_finished_and_the_link_unbound(tmp_path: Path) -> None:
    """Nothing acknowledged stays unanswered, although new messages keep coming until the end."""
    async with staged(tmp_path, PEOPLE) as stage:
        load = await _load(stage)
        daemon = await stage.serve()
        stage.centre.at("submitted", 300, daemon.terminate)
        load.start()
        assert await daemon.ended(12) == 0, daemon.explain()
        await stage.centre.wire.gone

        assert stage.centre.counts["unbound"] == 1, (
            f"no unbind; the link ended as: {stage.centre.wire.reason}"
        )
        messages = stage.centre.messages.values()
        unanswered = [str(m) for m in messages if m.status == 0 and not m.answers and m.key[1] != "000110"]
        assert not unanswered, "acknowledged, and the gateway left without an answer"
        # a password may be ready only when the link is gone; its SMS waits
        left = stage.query("SELECT * FROM outbox WHERE kind <> 'sms'")
        assert not left, "the centre took every answer, and some are still in the store"
        assert load.in_dialogue > 10, "the test wants dialogues that are open at the end"

        await stage.serve()
        await stage.until(lambda: load.done, "the end of the load after the restart")
        await stage.stop()


@scene
async def test_answers_that_the_centre_does_not_take_wait_in_the_store(tmp_path: Path) -> None:
    """A centre without room does not hold up the end, and finds the answers again, in their order."""
    async with staged(tmp_path) as stage:
        stage.centre.judge = lambda _: ESME_RTHROTTLED
        daemon = await stage.serve()
        dialled = [stage.centre.dial(number(i), "*100#") for i in range(20)]
        await stage.acknowledged(*dialled)
        daemon.terminate()
        assert await daemon.ended(12) == 0, daemon.explain()
        assert stage.centre.counts["unbound"] == 1, "no unbind"
        assert await stage.unsent() == 20

        stage.centre.judge = take
        before = len(stage.centre.answers)
        await stage.serve()
        await stage.until(lambda: len(stage.centre.answers) == before + 20, "the answers")
        assert [answer.message for answer in stage.centre.answers[before:]] == dialled
        await stage.stop()
        assert await stage.unsent() == 0


@scene
async def test_a_centre_that_never_responds_holds_up_the_end_for_seconds_only(tmp_path: Path) -> None:
    """What was sent and not responded to stays in the store: nobody knows whether the centre has it (W4)."""
    async with staged(tmp_path) as stage:
        stage.centre.judge = withhold
        daemon = await stage.serve()
        dialled = [stage.centre.dial(number(i), "*100#") for i in range(3)]
        await stage.until(lambda: len(stage.centre.answers) == 3, "three answers")
        daemon.terminate()
        await daemon.logged(event="gateway is stopping")
        refused = stage.centre.dial(number(4), "*100#")
        await stage.until(lambda: refused.status, "a message during the end to be refused")
        assert await daemon.ended(12) == 0, daemon.explain()
        async with stage.look() as seen:
            kept = [message.msisdn for message in await seen.outbox.unsent(LINK, 0, 100)]
        assert kept == [message.key[0] for message in dialled]

        stage.centre.judge = take
        await stage.serve()
        await stage.until(lambda: not stage.centre.open, "all answers")
        await stage.stop()
        assert await stage.unsent() == 0
