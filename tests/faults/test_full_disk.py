"""The store cannot write: the disk is full, or somebody else holds it. Nothing is half-done, and it goes on afterwards.

A message that cannot be written down is answered ESME_RX_T_APPN: the centre keeps it and delivers it again. The daemon
lives on through all its parts, the turns, the jobs and the housekeeping, and needs nobody to restart it.

A disk is full in two ways here. A limit on the size of the daemon's files (RLIMIT_FSIZE) works everywhere and fails every
write beyond it (EFBIG). A file system of its own, filled to the last block (ENOSPC), needs the right to mount.
"""

import errno
import os
import resource
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.smpp.vocabulary import ESME_RX_T_APPN
from tests.faults.centre import Message
from tests.faults.load import FEE, OPTION, ORDER, PASSWORD_SENDER
from tests.faults.scene import LINK, Stage, charged, number, scene, staged

CODE, ON = ORDER[0]
RICH = [number(i) for i in (1, 3, 4, 7, 8, 10, 20, 30)]
HOUSEKEEPING_S = 8  # it comes every five


async def _orders_meet_a_full_disk(stage: Stage, fill: Callable[[], None], make_room: Callable[[], None]) -> None:
    """Orders, a dialogue and jobs are under way when the disk fills; all are finished when there is room again."""
    daemon = await stage.serve()
    dialogue = stage.centre.dial(number(11), "*105#")
    asking = [stage.centre.dial(msisdn, "*105*00#") for msisdn in RICH[:4]]
    for message in (dialogue, *asking):
        await stage.shown(message)
    fill_at_first_password(stage, fill)
    oks = [stage.centre.reply(message, "") for message in asking]
    for message in oks:
        stage.centre.expect_sms(message.key[0], PASSWORD_SENDER)
    await stage.acknowledged(*oks)
    await stage.until(lambda: stage.centre.counts["full"], "the first password")

    refused = await _orders_until_refused(stage)
    next_step = stage.centre.reply(dialogue, "3")
    await stage.acknowledged(next_step, status=ESME_RX_T_APPN)
    await daemon.logged("housekeeping put off", timeout_s=HOUSEKEEPING_S)
    assert (await daemon.health())[0] == 200
    for message in refused:
        assert await charged(stage, message.key[0]) == [], f"{message}, and charged"

    make_room()
    stage.centre.redeliver()
    await stage.until(lambda: not stage.centre.open, "everything to be done after all", timeout_s=20)
    assert next_step.answers[0].text.startswith("Опции"), next_step.answers[0].text
    await stage.stop()
    await _all_is_done_once(stage)


def fill_at_first_password(stage: Stage, fill: Callable[[], None]) -> None:
    """Fill the disk when one job is done: the others are under way, or waiting."""

    def judge(answer) -> int:
        if answer.pdu.source_addr == PASSWORD_SENDER and not stage.centre.counts["full"]:
            fill()
            stage.centre.count("full")
        return 0

    stage.centre.judge = judge


async def _orders_until_refused(stage: Stage) -> list[Message]:
    """Everybody orders; those orders that the gateway could not write down."""
    orders = [stage.centre.dial(msisdn, CODE, session=2) for msisdn in RICH]
    await stage.until(lambda: all(message.status is not None for message in orders), "a response to each order")
    refused = [message for message in orders if message.status]
    assert refused, "the disk is not full: the test proves nothing"
    assert {message.status for message in refused} == {ESME_RX_T_APPN}, stage.centre.explain()
    assert not any(message.answers for message in refused), "an answer to what was refused"
    return refused


async def _all_is_done_once(stage: Stage) -> None:
    assert await stage.unsent() == 0
    for msisdn in RICH:
        assert await charged(stage, msisdn) == [(f"option:{OPTION}", FEE)]
    async with stage.facts() as store:
        assert await store.due_jobs(float("inf"), 10) == []
        assert (await store.dialogue(number(11))).node == "options"


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="the limits of another process are Linux's")
@scene
async def test_file_size_limit(tmp_path: Path) -> None:
    async with staged(tmp_path, more="[jobs]\nworkers = 1\nretry_first_s = 0.1\nretry_max_s = 0.5\n") as stage:

        def limit(octets: int) -> None:
            resource.prlimit(stage.daemon.process.pid, resource.RLIMIT_FSIZE, (octets, resource.RLIM_INFINITY))

        await _orders_meet_a_full_disk(stage, lambda: limit(4096), lambda: limit(resource.RLIM_INFINITY))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", folder], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@scene
async def test_no_space_left(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    async with staged(small_disk, more="[jobs]\nworkers = 1\nretry_first_s = 0.1\nretry_max_s = 0.5\n") as stage:
        await _orders_meet_a_full_disk(stage, lambda: _fill(ballast), ballast.unlink)


def _fill(ballast: Path) -> None:
    with open(ballast, "ab", buffering=0) as file:
        for block in (1 << 20, 1 << 12):
            try:
                while True:
                    file.write(bytes(block))
            except OSError as error:
                assert error.errno == errno.ENOSPC


@scene
async def test_somebody_else_holds_the_store(tmp_path: Path) -> None:
    """Such as `starpound seed` of a million: it is one transaction, and the gateway cannot write until its end."""
    async with staged(tmp_path, more="[jobs]\nworkers = 1\nretry_first_s = 0.1\nretry_max_s = 0.5\n") as stage:
        with closing(sqlite3.connect(stage.database, isolation_level=None)) as holder:
            await _orders_meet_a_full_disk(
                stage, lambda: holder.execute("BEGIN IMMEDIATE"), lambda: holder.execute("ROLLBACK")
            )
