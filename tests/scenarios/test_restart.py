"""A restart that cannot come about is said, not kept quiet."""

import asyncio
import socket
from pathlib import Path

import pytest

from smpp_sim.scenarios.file import read_scenario
from smpp_sim.scenarios.run import ScenarioRun, settings_for
from smpp_sim.settings import SimulatorError
from smpp_sim.simulator import Simulator
from tests.scenarios.stage import settings

SCENARIO = """
title: A port that is lost
duration_s: 0.5
subscribers: {first: 79260000001, count: 1}
arrivals: {rate_per_s: 20}
scripts:
  - name: balance
    steps:
      - {dial: "*100#", within_s: 0.1}
centre: {answer_s: 0.1}
faults:
  - {kind: restart, from_s: 0, for_s: 0.3}
"""


async def _taken(port: int) -> socket.socket:
    """The port, as soon as it is free."""
    while True:
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError:
            await asyncio.sleep(0.005)


def test_a_port_that_somebody_else_has_taken_meanwhile_is_said(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(SCENARIO, "utf-8")
    scenario = read_scenario(file)

    async def played() -> None:
        async with asyncio.timeout(30), Simulator(settings_for(scenario, settings())) as simulator:
            playing = asyncio.create_task(ScenarioRun(simulator.centre, scenario).run())
            with await _taken(simulator.smpp_port):
                await playing

    with pytest.raises(SimulatorError, match=r"SMPP: cannot listen on .*: the port is in use"):
        asyncio.run(played())
