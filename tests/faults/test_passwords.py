"""The job that hashes a password is killed half-way: the SMS comes all the same, and one password is valid."""

from pathlib import Path

from tests.faults.load import PASSWORD_SENDER, check_password
from tests.faults.messages import WITHHOLD, Answer
from tests.faults.scene import LINK, Stage, number, scene, staged

ASKING = [number(i) for i in (1, 3, 4, 6, 7, 9)]
ONE_WORKER = "[jobs]\nworkers = 1\n"


async def _ask_for_passwords(stage: Stage) -> None:
    """Everybody dials; the OK of all of them is delivered at once, so that the jobs queue up."""
    dialled = [stage.centre.dial(msisdn, "*105*00#") for msisdn in ASKING]
    for message in dialled:
        await stage.shown(message)
        stage.centre.expect_sms(message.key[0], PASSWORD_SENDER)
    for message in dialled:
        stage.centre.reply(message, "")


@scene
async def test_hashing_job_is_killed_half_way(tmp_path: Path) -> None:
    """Killed when the first SMS is there: one job is done, one under way, the rest has not begun."""
    async with staged(tmp_path, more=ONE_WORKER) as stage:
        daemon = await stage.serve()
        first: list[Answer] = []

        def judge(answer: Answer) -> int | None:
            if answer.pdu.source_addr != PASSWORD_SENDER or first:
                return 0
            first.append(answer)
            daemon.kill()
            return WITHHOLD

        stage.centre.judge = judge
        await _ask_for_passwords(stage)
        assert await daemon.ended() == -9
        await stage.centre.wire.gone
        await _look_at_the_store_half_way(stage, first[0].pdu.destination_addr)

        await stage.serve()
        await stage.until(lambda: not stage.centre.open, "all passwords")
        await stage.until(
            lambda: len(first[0].message.answers) == 2, "the SMS whose response was lost, again"
        )
        await stage.stop()
        await _one_password_each(stage)


async def _look_at_the_store_half_way(stage: Stage, msisdn: str) -> None:
    async with stage.look() as seen:
        waiting = {job.msisdn for job in await seen.jobs.due(float("inf"), 100)}
        assert len(waiting) >= 2, "the kill came when the jobs were done: the test proves nothing"
        assert msisdn not in waiting, "the job is done, its SMS sent, and it would be done again"
        hashed = {who for who in ASKING if await seen.facts.password_hash(who)}
        assert not hashed & waiting, "a hash without its SMS"


async def _one_password_each(stage: Stage) -> None:
    async with stage.look() as seen:
        assert await seen.jobs.due(float("inf"), 10) == []
        assert await seen.outbox.unsent(LINK, 0, 10) == []
        for msisdn in ASKING:
            await check_password(stage, msisdn)


@scene
async def test_sigterm_during_the_jobs(tmp_path: Path) -> None:
    """Graceful: the end does not wait for jobs, nor lose them."""
    async with staged(tmp_path, more=ONE_WORKER) as stage:
        daemon = await stage.serve()
        await _ask_for_passwords(stage)
        oks = [message for message in stage.centre.messages.values() if message.says == ""]
        await stage.acknowledged(*oks)
        daemon.terminate()
        assert await daemon.ended(12) == 0, daemon.explain()
        await stage.serve()
        await stage.until(lambda: not stage.centre.open, "all passwords")
        await stage.stop()
        await _one_password_each(stage)
