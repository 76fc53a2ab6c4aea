"""`starpound sim --scenario`: with a gateway before it, and with a slip in the file."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.daemon import Gateway
from smpp_sim.commands.sim import sim
from tests.links.scene import until
from tests.scenarios.stage import LINK, gateway

STARPOUND = Path(sys.executable).with_name("starpound")
SCENARIO = """\
title: Short
duration_s: 1
subscribers: {{first: 79260000001, count: 9}}
arrivals: {{rate_per_s: 10, pattern: constant}}
scripts:
  - name: balance
    steps: [{{dial: "*100#", expect: "{expect}"}}]
faults:
  - {{kind: duplicate, share: 0.5}}
"""


def write(folder: Path, text: str) -> str:
    path = folder / "short.yaml"
    path.write_text(text, "utf-8")
    return str(path)


def turns(running: Gateway) -> float:
    """How many turns the gateway has answered."""
    return running.metrics.registry.get_sample_value("starpound_unit_of_work_turns_sum") or 0


async def _once(path: str, folder: Path, interrupt: bool = False) -> tuple[int, dict]:
    process = await asyncio.create_subprocess_exec(
        *(STARPOUND, "sim", "--smpp-port", "0", "--http-port", "0"),
        *("--scenario", path, "--seed", "7", "--once", "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60):
            where = (await process.stderr.readline()).decode()
            port = int(where.split(",")[0].rpartition(":")[2])
            async with gateway(folder, {**LINK, "connect": f"127.0.0.1:{port}"}) as running:
                while interrupt and b"begins" not in await process.stderr.readline():
                    pass
                if interrupt:
                    await until(lambda: turns(running), "somebody dials")
                    process.send_signal(signal.SIGINT)
                out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    return process.returncode, json.loads(out)


@pytest.mark.parametrize(("expect", "status"), [("{any}{money} {word}", 0), ("something else", 1)])
def test_once_ends_with_the_scenario(expect: str, status: int, tmp_path: Path) -> None:
    path = write(tmp_path, SCENARIO.format(expect=expect))

    exit_status, summary = asyncio.run(_once(path, tmp_path))

    assert exit_status == status, summary
    assert summary["seed"] == 7
    assert summary["visits"]["begun"] == 10
    assert summary["visits"]["done"] == (0 if status else 10), summary
    assert summary["good"] is not bool(status)
    assert summary["faults"]["duplicate"] > 0


def test_ctrl_c_tells_what_was_until_then(tmp_path: Path) -> None:
    path = write(tmp_path, SCENARIO.format(expect="{any}").replace("duration_s: 1", "duration_s: 600"))

    exit_status, summary = asyncio.run(_once(path, tmp_path, interrupt=True))

    assert exit_status == 1
    assert summary["problems"] == ["it was interrupted"]
    assert 0 < summary["seconds"] < 600


def refused(*args: str) -> str:
    result = CliRunner().invoke(sim, args)
    assert result.exit_code == 2, result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]


def test_a_slip_is_one_line_with_the_place_and_a_hint(tmp_path: Path) -> None:
    path = write(tmp_path, SCENARIO.format(expect="x").replace("share", "shar"))

    assert refused("--scenario", path).endswith(
        "short.yaml:9: unknown key faults.0.shar; did you mean share?"
    )


def test_a_scenario_that_is_not_there() -> None:
    assert "No such file" in refused("--scenario", "none.yaml")


@pytest.mark.parametrize("option", [("--once",), ("--seed", "1"), ("--json",), ("--speed", "2")])
def test_options_that_need_a_scenario(option: tuple[str, ...]) -> None:
    assert "--scenario" in refused(*option)


def test_nobody_binds(tmp_path: Path) -> None:
    path = write(tmp_path, SCENARIO.format(expect="x"))

    said = CliRunner().invoke(
        sim, ["--smpp-port", "0", "--http-port", "0", "--scenario", path, "--once", "--wait", "0.05"]
    )

    assert said.exit_code == 2
    assert "gw did not bind within 0.05 s; start the gateway" in said.stderr
