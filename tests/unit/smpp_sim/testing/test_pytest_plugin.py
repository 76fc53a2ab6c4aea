"""The pytest plugin in projects of other people: found by its entry point, quiet where nobody asks for it."""

import configparser
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
EXAMPLE = ROOT / "examples/pytest-project"
PATIENCE_S = 100

Project = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    """A folder in which starpound is installed as far as entry points go, as setup.cfg has them now."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", "utf-8")
    installed = tmp_path / "site/starpound-0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: starpound\nVersion: 0\n", "utf-8")
    points = textwrap.dedent(setup["options.entry_points"]["pytest11"])
    (installed / "entry_points.txt").write_text(f"[pytest11]\n{points}\n", "utf-8")
    return installed.parent


@pytest.fixture
def project(tmp_path: Path, entry: Path) -> Project:
    """Runs pytest over files, given by name without ``.py``; everything that warns is an error."""

    def run(ini: str = "", *words: str, **files: str) -> subprocess.CompletedProcess[str]:
        folder = tmp_path / "project"
        folder.mkdir()
        head = "[pytest]\naddopts = -p no:cacheprovider --strict-markers -W error\n"
        (folder / "pytest.ini").write_text(head + textwrap.dedent(ini), "utf-8")
        for name, text in files.items():
            (folder / f"{name}.py").write_text(textwrap.dedent(text), "utf-8")
        return pytest_in(folder, entry, *words)

    return run


def pytest_in(folder: Path, entry: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": f"{entry}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def passed(done: subprocess.CompletedProcess[str], count: int) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{count} passed" in done.stdout, done.stdout


def test_the_example_project(entry: Path) -> None:
    passed(pytest_in(EXAMPLE, entry, "-p", "no:cacheprovider"), 10)


def test_a_project_that_does_not_use_it_does_not_notice(project: Project) -> None:
    mine = """
        import sys, pytest

        @pytest.fixture
        def phone():
            return "mine"

        @pytest.fixture
        def smsc(phone):
            return phone + " too"

        def test_mine(phone, smsc):
            assert (phone, smsc) == ("mine", "mine too")

        def test_nothing_is_loaded():
            loaded = {name for name in sys.modules if name.split(".")[0] in ("smpp_sim", "gateway", "uvicorn", "httpx")}
            assert loaded == {"smpp_sim", "smpp_sim.pytest_entry", "smpp_sim.pytest_plugin"}
    """
    passed(project(test_mine=mine), 2)


@pytest.mark.parametrize("listed", ["smpp_sim.pytest_plugin", "starpound"])
def test_it_may_be_listed_as_well(project: Project, listed: str) -> None:
    passed(project(conftest=f"pytest_plugins = [{listed!r}]", test_x="def test_x(smsc): assert smsc.port"), 1)


def test_it_may_be_switched_off(project: Project) -> None:
    done = project("", "-p", "no:starpound", test_x="def test_x(smsc): pass")
    assert "fixture 'smsc' not found" in done.stdout


SETTINGS = """
    import pytest

    def test_from_the_file(smsc, phone):
        account = smsc.settings.accounts[0]
        assert (account.system_id, account.password, account.dialect) == ("shop", "pw", "its15")
        assert phone.msisdn == "491700000001"
        assert smsc.timeout_s == 0.25

    @pytest.mark.starpound(dialect="eyeline", binds=("receiver",))
    def test_marked(smsc):
        account = smsc.settings.accounts[0]
        assert (account.system_id, account.dialect, account.binds) == ("shop", "eyeline", ("receiver",))
"""
INI = """
    starpound_system_id = shop
    starpound_password = pw
    starpound_dialect = its15
    starpound_phone = 491700000001
    starpound_timeout = 0.25
"""


def test_settings_and_marker(project: Project) -> None:
    passed(project(textwrap.dedent(INI), test_settings=SETTINGS), 2)


def test_own_settings(project: Project) -> None:
    conftest = """
        import pytest
        from smpp_sim.settings import Account, SimulatorSettings

        @pytest.fixture
        def smsc_settings():
            return SimulatorSettings(smpp_port=0, http_port=0, accounts=(Account("one", "1"), Account("two", "2")))
    """
    test = "def test_own(smsc): assert (smsc.system_id, len(smsc.settings.accounts)) == ('one', 2)"
    passed(project(conftest=conftest, test_own=test), 1)


def test_one_simulator_for_all_tests(project: Project) -> None:
    test = """
        ports = set()

        def test_one(smsc): ports.add(smsc.port)

        def test_two(smsc, phone): ports.add(smsc.port); assert len(ports) == 1
    """
    passed(project("starpound_scope = session\n", test_scope=test), 2)


@pytest.mark.parametrize(
    ("ini", "test", "said"),
    [
        ("starpound_scope = forever\n", "def test_x(smsc): pass", "starpound_scope: no 'forever'"),
        ("starpound_timeout = soon\n", "def test_x(smsc): pass", "starpound_timeout: 'soon' is no number"),
        ("starpound_password = much-too-long\n", "def test_x(smsc): pass", "a password at most 8"),
        (
            "",
            "import pytest\n@pytest.mark.starpound(dialekt='spec')\ndef test_x(smsc): pass",
            "starpound: unknown key dialekt; did you mean dialect?",
        ),
        (
            "starpound_dialect = nope\n",
            "def test_x(smsc): pass",
            "starpound: no dialect 'nope'; there are: bare",
        ),
    ],
)
def test_what_is_wrong_is_said(project: Project, ini: str, test: str, said: str) -> None:
    done = project(ini, test_x=test)
    assert done.returncode != 0
    assert said in done.stdout + done.stderr
    assert "pytest_plugin.py" not in done.stdout + done.stderr


def test_a_failure_points_at_the_test_and_tells_the_story(project: Project) -> None:
    done = project(
        "starpound_timeout = 0.05\n", test_x="def test_x(phone):\n    phone.dial('*100#').ends()\n"
    )
    assert ">       phone.dial('*100#').ends()" in done.stdout or ">   phone.dial" in done.stdout, done.stdout
    assert "no screen within 0.05 s" in done.stdout
    assert "bound: nobody" in done.stdout
    assert "held_phone.py" not in done.stdout
