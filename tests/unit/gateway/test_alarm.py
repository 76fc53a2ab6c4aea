"""The timer that is armed anew, on a loop whose clock the test turns."""

import asyncio
from typing import Any

from gateway.alarm import Alarm
from tests.unit.smpp_sim.turned_clock import run_at_once

LATER_S = 100.0


def rings(*after: float | None, cancel: bool = False) -> list[float]:
    """Seconds after which an alarm rings that is armed for each of these in turn."""

    async def work() -> Any:
        loop = asyncio.get_running_loop()
        began, rung = loop.time(), []
        alarm = Alarm(lambda: rung.append(loop.time() - began))
        for seconds in after:
            alarm.arm(None if seconds is None else began + seconds)
        if cancel:
            alarm.cancel()
        await asyncio.sleep(LATER_S)
        assert alarm.at is None
        return rung

    return run_at_once(work)


def test_it_rings_once_at_the_earliest():
    assert rings(5.0) == [5.0]
    assert rings(5.0, 9.0) == [5.0]
    assert rings(9.0, 5.0) == [5.0]


def test_nothing_to_ring_for():
    assert rings(None) == []
    assert rings(5.0, None) == [5.0]


def test_it_is_cancelled():
    assert rings(5.0, 3.0, cancel=True) == []


def test_it_may_be_armed_again_while_it_rings():
    async def work() -> list[float]:
        loop = asyncio.get_running_loop()
        began, rung = loop.time(), []

        def ring() -> None:
            rung.append(loop.time() - began)
            if len(rung) < 3:
                alarm.arm(loop.time() + 1.0)

        alarm = Alarm(ring)
        alarm.arm(began + 1.0)
        await asyncio.sleep(LATER_S)
        return rung

    assert run_at_once(work) == [1.0, 2.0, 3.0]
