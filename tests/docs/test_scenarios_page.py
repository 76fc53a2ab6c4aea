"""docs/reference/scenarios.md names every key and every fault, and the example of the how-to can be read."""

import re
from dataclasses import fields

import pytest

from smpp_sim.scenarios import scenario
from smpp_sim.scenarios.file import parse_scenario
from smpp_sim.scenarios.judge import WRONGS
from tests.docs.pages import ROOT, blocks

PAGE = ROOT / "docs/reference/scenarios.md"
HOW_TO = ROOT / "docs/how-to/run-a-scenario.md"
SHAPES = {
    "The file": scenario.Scenario,
    "subscribers": scenario.SubscriberRange,
    "arrivals": scenario.Arrivals,
    "scripts": scenario.VisitScript,
    "steps": scenario.VisitStep,
    "sms": scenario.MoSms,
    "Times left to chance": scenario.Spread,
    "faults": scenario.Fault,
    "centre": scenario.CentreChanges,
    "expect": scenario.Expect,
}


def rows(first_column: str, heading: str) -> list[str]:
    """The names in the first column of a table, below a heading."""
    section = re.search(rf"^#+ {heading}\n(.*?)(?=^#|\Z)", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)[
        1
    ]
    tables = [part for part in section.split("\n\n") if part.strip().startswith(f"| {first_column} |")]
    assert tables, f"no table that begins with {first_column} below {heading}"
    return re.findall(r"^\| `(\w+)` \|", tables[0].strip().split("\n", 2)[2], re.MULTILINE)


@pytest.mark.parametrize("heading", SHAPES)
def test_every_key_is_there(heading: str) -> None:
    assert rows("Key", heading) == [one.name for one in fields(SHAPES[heading])]


def test_every_fault_is_there() -> None:
    assert rows("`kind`", "faults") == list(scenario.FaultKind.__args__)
    assert rows("`forms`", "faults") == list(scenario.MALFORMED_FORMS)


def test_every_mistake_is_there() -> None:
    assert rows("Name", "What an ESME can do wrong") == list(WRONGS)


def test_the_example_of_the_how_to_can_be_read() -> None:
    for block in (block for block in blocks(HOW_TO) if block.mark == "yaml"):
        assert parse_scenario(block.text, str(block)).title


def test_the_how_to_names_every_example() -> None:
    for file in (ROOT / "examples/scenarios").glob("*.yaml"):
        assert f"examples/scenarios/{file.name}" in HOW_TO.read_text("utf-8")
