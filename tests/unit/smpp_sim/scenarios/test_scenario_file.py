"""Scenarios as files: what is wrong with one is said in one line, and where."""

from pathlib import Path

import pytest

from smpp_sim.scenarios.file import ScenarioError, parse_scenario, read_scenario
from smpp_sim.scenarios.run import settings_for
from smpp_sim.scenarios.scenario import Spread, quickened
from smpp_sim.settings import SimulatorError, SimulatorSettings

GOOD = """\
title: Two of them
seed: 3
duration_s: 5
arrivals: {rate_per_s: 2, ramp_s: 2}
subscribers: {first: 79260000001}
scripts:
  - name: one
    think: {median_s: 1, p99_s: 5}
    steps:
      - dial: "*100#"
        expect: "{any}"
      - cancel
      - wait: 0.5
      - sms: {to: 000110}
        within_s: 7
faults:
  - kind: throttle
    share: 0.5
    from_s: 4
    for_s: 1
centre: {answer_s: 9}
"""


def test_what_is_left_out_has_a_default() -> None:
    scenario = parse_scenario("scripts: [{name: one, steps: [{dial: '*100#'}]}]", "x.yaml")

    assert (scenario.seed, scenario.faults, scenario.expect.done_share) == (1, (), 1.0)


def test_digits_stay_digits() -> None:
    scenario = parse_scenario(GOOD, "x.yaml")

    assert scenario.scripts[0].steps[3].sms.to == "000110"
    assert scenario.subscribers.number(2) == "79260000003"


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("share: 0.5", "shar: 0.5", "x.yaml:18: unknown key faults.0.shar; did you mean share?"),
        ("share: 0.5", "share: 5", "x.yaml:18: faults.0.share: Input should be less than or equal to 1"),
        ("dial:", "dail:", "x.yaml:10: unknown key scripts.0.steps.0.dail; did you mean dial?"),
        ("- cancel", "- cancle", "x.yaml:12: unknown key scripts.0.steps.1.cancle; did you mean cancel?"),
        ("kind: throttle", "kind: thottle", "did you mean throttle?"),
        ("share: 0.5", "by: user", "x.yaml:17: faults.0: by means nothing to throttle; it is for abort"),
        ("throttle", "half_open\n    by: user", "by means nothing to half_open"),
        ("throttle", "latency", "x.yaml:17: faults.0: latency needs delay"),
        ("{median_s: 1, p99_s: 5}", "{median_s: 1}", "x.yaml:8: scripts.0.think: write a number, or least_s"),
        ("{median_s: 1, p99_s: 5}", "{median_s: 5, p99_s: 1}", "the first number is above the second"),
        ("seed: 3", "seed: 3\nseed: 4", "x.yaml:3: seed stands twice; keep one"),
        ("seed: 3", "seed: no", "x.yaml:2: seed: Input should be a valid integer"),
        ('"*100#"', "*100#", "x.yaml:10: not YAML: "),
        ("    share", "\tshare", "x.yaml:18: not YAML: "),
        ("scripts:", "script:", "x.yaml:6: unknown key script; did you mean scripts?"),
        (
            "- wait: 0.5",
            "- wait: 0.5\n        dial: '*1#'",
            "a step is one of dial, answer, ok, cancel, wait, sms",
        ),
        ("- wait: 0.5", "- wait: 0.5\n        expect: x", "expect needs a screen"),
        (
            '"{any}"',
            '"{mony}"',
            "x.yaml:11: scripts.0.steps.0.expect: no pattern 'mony' (did you mean 'money'?)",
        ),
        ('"{any}"', '"{any} }"', "scripts.0.steps.0.expect: a lone } (write }} for a brace)"),
        (
            "within_s: 7",
            "expect_sms: '{none}'",
            "steps.3.expect_sms: no pattern 'none' (did you mean 'money'?)",
        ),
        ('"*100#"', '"hello"', "x.yaml:10: scripts.0.steps.0.dial: a code is made of digits, * and #"),
        ("79260000001", "99", "x.yaml:5: subscribers: a phone number has 3 to 15 digits"),
        ("79260000001", "9" * 15, "x.yaml:5: subscribers: a phone number has 3 to 15 digits"),
        ("000110", "9" * 21, "x.yaml:14: scripts.0.steps.3.sms.to: "),
        ("{median_s: 1, p99_s: 5}", "{median_s: 1, p99_s: 1e400}", "p99_s: Input should be a finite number"),
        (
            "think:",
            "weight: 1e400\n    think:",
            "x.yaml:8: scripts.0.weight: Input should be a finite number",
        ),
        ("{answer_s: 9}", "soon", "x.yaml:21: centre: keys and their values are wanted"),
        ("centre: {answer_s: 9}", "expect:", "x.yaml:21: expect: keys and their values are wanted"),
        ("for_s: 1", "every_s: 1", "every_s needs a for_s that is shorter"),
    ],
)
def test_a_slip_is_named_with_its_line(right: str, wrong: str, said: str) -> None:
    assert right in GOOD
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(GOOD.replace(right, wrong, 1), "x.yaml")

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "# nothing", "- 1", "just words", "\x00", "a: &x [*x]", "? [1]\n: 2", "{", "a: " + "[" * 3000],
)
def test_what_is_no_scenario_is_said_in_one_line(text: str) -> None:
    with pytest.raises(ScenarioError, match=r"^x\.yaml") as caught:
        parse_scenario(text, "x.yaml")

    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="No such file"):
        read_scenario(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"title: \xe9")
    with pytest.raises(ScenarioError, match="UTF-8"):
        read_scenario(tmp_path / "latin.yaml")


def test_quicker_is_all_but_patience() -> None:
    scenario = quickened(parse_scenario(GOOD, "x.yaml"), 10)

    assert (scenario.duration_s, scenario.arrivals.rate_per_s, scenario.arrivals.ramp_s) == (0.5, 20, 0.2)
    script, fault = scenario.scripts[0], scenario.faults[0]
    assert script.think == Spread(median_s=0.1, p99_s=0.5)
    assert script.steps[2].wait == Spread(least_s=0.05, most_s=0.05)
    assert (fault.from_s, fault.for_s, fault.share) == (0.4, 0.1, 0.5)
    assert (script.steps[3].within_s, scenario.centre.answer_s) == (7, 9)


def test_a_fault_of_an_account_that_nobody_has() -> None:
    text = GOOD.replace("share: 0.5", "account: nobody")
    with pytest.raises(SimulatorError, match=r"faults\.0\.account: nobody binds as nobody; known: gw"):
        settings_for(parse_scenario(text, "x.yaml"), SimulatorSettings())
