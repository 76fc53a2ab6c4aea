"""Every scenario that comes with the program, five times as fast, against our own gateway: it does well in each."""

import asyncio
from pathlib import Path

import pytest

from gateway.dialect import profile_names
from smpp_sim.scenarios.file import read_scenario
from smpp_sim.scenarios.scenario import quickened
from tests.scenarios.stage import EXAMPLES, played

FASTER = 5
FILES = sorted(EXAMPLES.glob("*.yaml"))
SETTINGS = {
    # nothing is lost in it: a machine that is busy itself must not look like that
    "busy-hour": {"response_s": 5.0},
    "receipts-first": {"receipts": True},
}


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_our_gateway_does_well_in(file: Path, tmp_path: Path) -> None:
    scenario = quickened(read_scenario(file), FASTER)

    summary = asyncio.run(played(scenario, tmp_path, **SETTINGS.get(file.stem, {})))

    assert summary.good, f"\n{summary}"
    missing = {fault.kind for fault in scenario.faults} - {"enquire_link_unanswered"} - set(summary.faults)
    assert not missing, f"nobody was hit by {missing}\n{summary}"


@pytest.mark.parametrize("dialect", [name for name in profile_names() if name != "spec"])
def test_what_arrives_twice_is_done_once_in(dialect: str, tmp_path: Path) -> None:
    scenario = quickened(read_scenario(EXAMPLES / "duplicates.yaml"), FASTER)

    summary = asyncio.run(played(scenario, tmp_path, dialect))

    assert summary.good, f"\n{summary}"
    assert summary.faults


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_says_what_a_good_gateway_does(file: Path) -> None:
    comment = "\n".join(line for line in file.read_text("utf-8").splitlines() if line.startswith("#"))
    assert "What a good gateway does:" in comment
    assert read_scenario(file).title
