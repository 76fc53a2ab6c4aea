"""What docs/how-to/test-with-pytest.md shows is in the example project, and its table of settings is the plugin's."""

import inspect
import re

from pytest_starpound import plugin
from pytest_starpound.phone import Phone, Talk, Texts
from pytest_starpound.smsc import Smsc

from tests.docs.pages import ROOT, blocks, prose

PAGE = ROOT / "docs/how-to/test-with-pytest.md"


def test_the_tests_shown_are_run_in_the_example_project() -> None:
    files = [path.read_text("utf-8") for path in (ROOT / "examples/pytest-project/tests").glob("*.py")]
    for block in blocks(PAGE):
        if block.mark == "python":
            assert any(block.text in text for text in files), f"{block} is in no file of the example project"


def test_every_setting_is_there_with_its_default() -> None:
    rows = re.findall(r"^\| (`starpound_.*?) \| (.*?) \|", prose(PAGE), re.MULTILINE)
    told = {
        name: value
        for names, values in rows
        for name, value in zip(
            re.findall(r"starpound_(\w+)", names), re.findall("`(.*?)`", values), strict=True
        )
    }
    assert told == {name: default for name, (default, _) in plugin._OPTIONS.items()}


def test_every_word_of_a_phone_is_there() -> None:
    told = set(re.findall(r"(talk|phone|smsc|…)\.(\w+)", prose(PAGE)))
    for kind, name in ((Talk, "talk"), (Phone, "phone"), (Smsc, "smsc"), (Texts, "…")):
        words = {word for word, _ in inspect.getmembers(kind) if not word.startswith("_")} | {"screens"}
        assert {word for owner, word in told if owner == name} <= words | {"host", "port"}
    assert {word for word in vars(Talk) if not word.startswith("_")} <= {word for _, word in told}
