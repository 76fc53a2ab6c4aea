"""The process dies right before, and right after, a commit: the unit of work is all there or not at all."""

from pathlib import Path

import pytest

from tests.faults.load import (
    CODE,
    FEE,
    ON,
    OPTION,
    PASSWORD_SENDER,
    TO_CATALOGUE,
    TO_OPTIONS,
    check_password,
)
from tests.faults.messages import Message
from tests.faults.scene import LINK, Stage, charged, number, scene, staged
from tests.faults.screens import shows

DEATHS = ("before 1", "after 1", "before 2", "after 2")
"""The first commit is that of the messages; then come those of the job and of the responses."""
ORDERING = [number(i) for i in (1, 3, 4, 7)]
TALKING = [number(i) for i in (12, 14, 15, 16)]
ASKING = [number(i) for i in (21, 22, 24, 26)]


@pytest.fixture
def die_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that orders the death of the daemon."""
    path = tmp_path / "die"
    monkeypatch.setenv("DIE_AT", str(path))
    return path


@scene
async def test_death_at_a_commit(tmp_path: Path, die_at: Path) -> None:
    """One read brings an order, a step of a dialogue and the promise of a job; each takes effect once."""
    async with staged(tmp_path) as stage:
        for death, *people in zip(DEATHS, ORDERING, TALKING, ASKING, strict=True):
            await _die(stage, die_at, death, *people)
        await stage.serve()
        await stage.until(lambda: not stage.centre.open, "everything to be done")
        await _each_once(stage)


async def _die(stage: Stage, die_at: Path, death: str, ordering: str, talking: str, asking: str) -> None:
    daemon, centre = await stage.serve(mortal=True), stage.centre
    menu, confirm = centre.dial(talking, "*105#"), centre.dial(asking, "*105*00#")
    await stage.shown(menu)
    await stage.shown(confirm)
    await stage.until(lambda: not centre.open, "what the last death has left")
    await stage.settled()
    centre.expect_sms(asking, PASSWORD_SENDER)
    die_at.write_text(death, "ascii")  # noqa: ASYNC240 - a few octets
    with centre.together():
        order = centre.dial(ordering, CODE)
        centre.reply(menu, TO_OPTIONS)
        centre.reply(confirm, "")
    assert await daemon.ended() == -9, f"it did not die {death}\n{daemon.explain()}"
    await centre.wire.gone
    if death == "before 1":
        await _nothing_is_done(stage, ordering)
    elif death == "after 1":
        await _all_is_kept(stage, ordering, asking, order)


async def _nothing_is_done(stage: Stage, ordering: str) -> None:
    async with stage.look() as seen:
        assert await seen.facts.options_on(ordering) == []
        assert await seen.jobs.due(float("inf"), 10) == []
        assert await seen.outbox.unsent(LINK, 0, 10) == []
    assert await charged(stage, ordering) == []


async def _all_is_kept(stage: Stage, ordering: str, asking: str, order: Message) -> None:
    assert order.status is None, "acknowledged before the commit was done"
    assert await charged(stage, ordering) == [(f"option:{OPTION}", FEE)]
    async with stage.look() as seen:
        assert [job.msisdn for job in await seen.jobs.due(float("inf"), 10)] == [asking]
        kept = {message.msisdn for message in await seen.outbox.unsent(LINK, 0, 10)}
        assert ordering in kept, "the effect is there, its answer is not"


async def _each_once(stage: Stage) -> None:
    centre = stage.centre
    for msisdn in ORDERING:
        assert shows(centre.messages[msisdn, 1, 0].answers[0].text, ON), centre.messages[msisdn, 1, 0].answers
        assert await charged(stage, msisdn) == [(f"option:{OPTION}", FEE)]
    for msisdn in TALKING:
        assert shows(centre.messages[msisdn, 1, 1].answers[0].text, "options")
        catalogue = await stage.shown(centre.reply(centre.messages[msisdn, 1, 1], TO_CATALOGUE))
        assert shows(catalogue.text, "options.categories.list")
    await stage.stop()
    async with stage.look() as seen:
        assert await seen.jobs.due(float("inf"), 10) == []
        for msisdn in ASKING:
            assert shows(centre.messages[msisdn, 1, 1].answers[0].text, "password.sent")
            await check_password(stage, msisdn)
