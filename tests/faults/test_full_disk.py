"""The store cannot write: the disk is full, or somebody else holds it. Nothing is half-done, and it goes on afterwards.

A message that cannot be written down is answered ESME_RX_T_APPN: the centre keeps it and delivers it again. The daemon
lives on through all its parts, the turns, the jobs and the housekeeping, and needs nobody to restart it.

A disk is full in two ways here. A limit on the size of the daemon's files (RLIMIT_FSIZE) works everywhere and fails
every write beyond it (EFBIG). A file system of its own, filled to the last block (ENOSPC), needs the right to mount.
"""

import contextlib
import resource
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from data.model import DialogueRecord
from gateway.smpp.vocabulary import ESME_RX_T_APPN
from tests.faults.load import CODE, FEE, ON, OPTION, PASSWORD_SENDER, TO_OPTIONS, check_password
from tests.faults.messages import Message, take, withhold
from tests.faults.scene import LINK, Stage, charged, number, scene, staged
from tests.faults.screens import shows

ORDERING = [number(i) for i in (1, 3, 4, 7, 10, 20, 30)]
ASKING = [number(i) for i in (6, 8, 9, 12, 14)]
TALKING = number(11)
ONE_WORKER = "[jobs]\nworkers = 1\nretry_first_s = 0.1\nretry_max_s = 0.5\n"
HOUSEKEEPING_S = 8  # it comes every five
STALE = DialogueRecord(number(17), LINK, "long ago", "root", 0, 0, None, 0, touched=0, opened=0)


async def _all_parts_meet_a_full_disk(
    stage: Stage, fill: Callable[[], object], make_room: Callable[[], object], housekeeping: bool = True
) -> None:
    """Orders, a dialogue, jobs and the housekeeping are under way when it fills; all goes on when there is room."""
    daemon = await stage.serve()
    dialogue = stage.centre.dial(TALKING, "*105#")
    await stage.shown(dialogue)
    await _fill_during_jobs(stage, fill)
    refused = await _orders_until_refused(stage)
    step = stage.centre.reply(dialogue, TO_OPTIONS)
    await stage.acknowledged(step, status=ESME_RX_T_APPN)
    await daemon.logged(event="job failed")
    if housekeeping:
        await daemon.logged(event="housekeeping put off", timeout_s=HOUSEKEEPING_S)
    assert (await daemon.health())[0] == 200
    for message in refused:
        assert await charged(stage, message.key[0]) == [], f"{message}, and charged"

    make_room()
    stage.centre.redeliver()
    await stage.until(lambda: not stage.centre.open, "everything to be done after all", timeout_s=20)
    assert shows(step.answers[0].text, "options"), step.answers[0].text
    await stage.stop()
    await _all_is_done_once(stage)


async def _fill_during_jobs(stage: Stage, fill: Callable[[], object]) -> None:
    """Fill the disk when the first password is there: the others are being hashed, or wait for it."""
    asking = [stage.centre.dial(msisdn, "*105*00#") for msisdn in ASKING]
    for message in asking:
        await stage.shown(message)
        stage.centre.expect_sms(message.key[0], PASSWORD_SENDER)
    async with stage.opened() as store:
        await stage.acknowledged(*(stage.centre.reply(message, "") for message in asking))
        await stage.until(
            lambda: any(answer.pdu.source_addr == PASSWORD_SENDER for answer in stage.centre.answers),
            "an SMS",
        )
        async with store.unit() as unit:
            await unit.inbox.save_dialogues([STALE])  # so that the housekeeping has something to write
        fill()


async def _orders_until_refused(stage: Stage) -> list[Message]:
    """Everybody orders; those orders that the gateway could not write down."""
    with stage.centre.together():
        orders = [stage.centre.dial(msisdn, CODE, session=2) for msisdn in ORDERING]
    await stage.until(
        lambda: all(message.status is not None for message in orders), "a response to each order"
    )
    refused = [message for message in orders if message.status]
    assert refused, "the disk is not full: the test proves nothing"
    assert {message.status for message in refused} == {ESME_RX_T_APPN}, stage.centre.explain()
    assert not any(message.answers for message in refused), "an answer to what was refused"
    return refused


async def _all_is_done_once(stage: Stage) -> None:
    assert await stage.unsent() == 0
    for msisdn in ORDERING:
        assert await charged(stage, msisdn) == [(f"option:{OPTION}", FEE)]
    async with stage.look() as seen:
        assert await seen.jobs.due(float("inf"), 10) == []
        assert (await seen.inbox.dialogue(TALKING)).node == "options"
        for msisdn in ASKING:
            await check_password(stage, msisdn)


def _limit_files(stage: Stage, octets: int | None) -> None:
    """Let no file of the daemon grow beyond so many octets; None lifts the limit."""
    process = stage.daemon.process.pid
    _, highest = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (highest if octets is None else octets, highest))


limits_of_another = pytest.mark.skipif(
    not hasattr(resource, "prlimit"), reason="the limits of another process are set on Linux only"
)


@limits_of_another
@scene
async def test_file_size_limit(tmp_path: Path) -> None:
    async with staged(tmp_path, more=ONE_WORKER) as stage:
        await _all_parts_meet_a_full_disk(
            stage,
            lambda: _limit_files(stage, 4096),
            lambda: _limit_files(stage, None),
        )


@limits_of_another
@scene
async def test_sigterm_while_the_disk_is_full(tmp_path: Path) -> None:
    """It ends in good order, and what could not be written down stays with the centre."""
    async with staged(tmp_path) as stage:
        daemon = await stage.serve()
        await stage.shown(stage.centre.dial(number(1), "*100#"))
        _limit_files(stage, 4096)
        order = stage.centre.dial(number(3), CODE)
        await stage.acknowledged(order, status=ESME_RX_T_APPN)
        daemon.terminate()
        assert await daemon.ended(12) == 0, daemon.explain()
        assert stage.centre.counts["unbound"] == 1, "no unbind"

        await stage.serve()
        assert shows((await stage.shown(order)).text, ON)
        await stage.stop()
        assert await charged(stage, number(3)) == [(f"option:{OPTION}", FEE)]


@limits_of_another
@scene
async def test_responses_that_cannot_be_written_down(tmp_path: Path) -> None:
    """The centre took the answers and the store cannot be told: not even a new bind has them sent again."""
    async with staged(tmp_path) as stage:
        await stage.serve()
        stage.centre.judge = withhold
        asked = [stage.centre.dial(number(i), "*100#") for i in range(5)]
        await stage.acknowledged(*asked)
        await stage.until(lambda: len(stage.centre.answers) == 5, "five answers")
        _limit_files(stage, 4096)
        old, stage.centre.judge = stage.centre.wire, take
        for answer in stage.centre.answers[:]:
            stage.centre.answer(answer)
        old.close()  # behind the responses
        await stage.rebound(old)
        refused = stage.centre.dial(number(5), "*100#")
        await stage.acknowledged(refused, status=ESME_RX_T_APPN)
        assert stage.centre.counts["submitted"] == 5, (
            "an answer came again, although its response had arrived"
        )

        _limit_files(stage, None)
        stage.centre.redeliver()
        await stage.shown(refused)
        await stage.stop()
        assert stage.centre.counts["submitted"] == 6
        assert await stage.unsent() == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", folder]
    mounted = subprocess.run(mount, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@scene
async def test_no_space_left(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    async with staged(small_disk, more=ONE_WORKER) as stage:
        await _all_parts_meet_a_full_disk(stage, lambda: _fill(ballast), ballast.unlink, housekeeping=False)


def _fill(ballast: Path) -> None:
    with open(ballast, "ab", buffering=0) as file:
        for octets in (1 << 20, 1 << 12):
            with contextlib.suppress(OSError):  # there is no space left
                while file.write(bytes(octets)):
                    pass


@scene
async def test_somebody_else_holds_the_store(tmp_path: Path) -> None:
    """Such as `starpound seed` of a million: one transaction, and nobody else can write until its end."""
    async with staged(tmp_path, more=ONE_WORKER) as stage:
        with closing(sqlite3.connect(stage.database, isolation_level=None)) as holder:
            await _all_parts_meet_a_full_disk(
                stage, lambda: holder.execute("BEGIN IMMEDIATE"), lambda: holder.execute("ROLLBACK")
            )
