"""The same seed, the same octets: a scenario with every fault that leaves the connection standing, twice."""

from typing import Any

from smpp_sim.centre.centre import Centre
from smpp_sim.scenarios.file import parse_scenario
from smpp_sim.scenarios.run import ScenarioRun, settings_for
from smpp_sim.scenarios.summary import Summary
from smpp_sim.settings import SimulatorSettings
from tests.unit.smpp_sim.turned_clock import MemoryEsme, run_at_once

SCENARIO = """
duration_s: 600
subscribers: {count: 30}
arrivals: {rate_per_s: 1, ramp_s: 60}
scripts:
  - name: menu
    weight: 2
    think: {median_s: 2, p99_s: 20}
    steps:
      - dial: "*105#"
      - answer: "3"
      - cancel
  - name: balance
    steps:
      - dial: "*100#"
        expect: "5.40"
faults:
  - {kind: latency, delay: {median_s: 0.1, p99_s: 2}}
  - {kind: throttle, share: 0.1}
  - {kind: queue_full, share: 0.1, from_s: 60, for_s: 10, every_s: 60}
  - {kind: response_lost, share: 0.05}
  - {kind: request_lost, share: 0.05}
  - {kind: reorder, share: 0.1}
  - {kind: duplicate, share: 0.1, delay: {least_s: 0, most_s: 1}}
  - {kind: malformed, share: 0.1, forms: [unknown_command, cut_body, tlv_beyond_end]}
  - {kind: abort, share: 0.1, delay: {least_s: 0, most_s: 3}}
  - {kind: session_reuse, share: 0.5}
expect: {done_share: 0.1, wrong: 1000}
"""


def played(seed: int) -> tuple[list[bytes], Summary]:
    """What the ESME heard in ten minutes that take no time, and what came of it."""
    scenario = parse_scenario(SCENARIO, "test.yaml")

    async def play() -> Any:
        centre = Centre(settings_for(scenario, SimulatorSettings(http_port=0, smpp_port=0)))
        esme = MemoryEsme(centre)
        summary = await ScenarioRun(centre, scenario, seed).run()
        await centre.stop()
        return esme.heard, summary

    return run_at_once(play)


def test_the_same_seed_sends_the_same_octets() -> None:
    first, summary = played(1)
    second, again = played(1)

    assert b"".join(first) == b"".join(second)
    assert summary.as_dict() == again.as_dict()
    assert summary.begun > 400, summary
    kinds = {"latency", "throttle", "queue_full", "response_lost", "request_lost", "reorder", "duplicate"}
    assert kinds | {"malformed", "abort", "session_reuse"} <= set(summary.faults), summary


def test_another_seed_sends_others() -> None:
    first, _ = played(1)
    second, _ = played(2)

    assert b"".join(first) != b"".join(second)
