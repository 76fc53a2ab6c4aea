"""The pytest plugin in projects of other people: found by its entry point, quiet where nobody asks for it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import tomllib
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
DISTRIBUTION = ROOT / "smpp_sim/pytest-starpound"
EXAMPLE = ROOT / "examples/pytest-project"
STARPOUND = Path(sys.executable).with_name("starpound")
PATIENCE_S = 100

Project = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    """A folder in which the plugin is installed as far as entry points go, as pyproject.toml has them now."""
    project = tomllib.loads((DISTRIBUTION / "pyproject.toml").read_text("utf-8"))["project"]
    installed = tmp_path / "site/pytest_starpound-0.dist-info"
    installed.mkdir(parents=True)
    metadata = "Metadata-Version: 2.1\nName: pytest-starpound\nVersion: 0\n"
    (installed / "METADATA").write_text(metadata, "utf-8")
    points = "".join(f"{name} = {where}\n" for name, where in project["entry-points"]["pytest11"].items())
    (installed / "entry_points.txt").write_text(f"[pytest11]\n{points}", "utf-8")
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
        return pytest_in(folder, [entry, DISTRIBUTION], *words)

    return run


def pytest_in(
    folder: Path, path: list[Path], *words: str, python: str | Path = sys.executable
) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        [python, "-m", "pytest", "-q", *words],
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
    passed(pytest_in(EXAMPLE, [entry, DISTRIBUTION], "-p", "no:cacheprovider"), 10)


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
            loaded = {name for name in sys.modules if name.startswith("pytest_starpound")}
            assert loaded == {"pytest_starpound", "pytest_starpound.plugin"}
    """
    passed(project(test_mine=mine), 2)


def test_it_may_be_listed_as_well(project: Project) -> None:
    passed(project(conftest="pytest_plugins = ['starpound']", test_x="def test_x(smsc): assert smsc.port"), 1)


def test_it_may_be_switched_off(project: Project) -> None:
    done = project("", "-p", "no:starpound", test_x="def test_x(smsc): pass")
    assert "fixture 'smsc' not found" in done.stdout


SETTINGS = """
    import pytest

    def test_from_the_file(smsc, phone):
        assert (smsc.system_id, smsc.password) == ("shop", "pw")
        assert smsc.settings["accounts"][0]["dialect"] == "its15"
        assert phone.msisdn == "491700000001"
        assert smsc.timeout_s == 0.25

    @pytest.mark.starpound(dialect="eyeline", binds=("receiver",))
    def test_marked(smsc):
        account = {"system_id": "shop", "password": "pw", "dialect": "eyeline", "binds": ("receiver",)}
        assert smsc.settings["accounts"] == [account]
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

        @pytest.fixture
        def smsc_settings():
            accounts = [{"system_id": "one", "password": "1"}, {"system_id": "two", "password": "\\\\ \\"2\\u0001é"}]
            lists = {"all": ["79260000003"]}
            return {"accounts": accounts, "http_token": "t", "network": {"distribution_lists": lists}}
    """
    test = """
        def test_own(smsc, phone):
            assert (smsc.system_id, len(smsc.settings["accounts"]), phone.state) == ("one", 2, "idle")
            assert smsc.smtp_port and smsc.letters == []
    """
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
            "unknown key accounts.0.dialekt; did you mean dialect?",
        ),
        (
            "starpound_dialect = nope\n",
            "def test_x(smsc): pass",
            "starpound: starpound sim: no dialect 'nope'; there are: bare",
        ),
        (
            "starpound_command = no-such-command\n",
            "def test_x(smsc): pass",
            "starpound: there is no command 'no-such-command' beside ",
        ),
        (
            f"starpound_command = {sys.executable}\n",
            "def test_x(smsc): pass",
            f"starpound: {sys.executable} sim: ",
        ),
    ],
)
def test_what_is_wrong_is_said(project: Project, ini: str, test: str, said: str) -> None:
    done = project(ini, test_x=test)
    assert done.returncode != 0
    assert said in done.stdout + done.stderr
    assert "plugin.py" not in done.stdout + done.stderr


def test_a_failure_points_at_the_test_and_tells_the_story(project: Project) -> None:
    done = project(
        "starpound_timeout = 0.05\n", test_x="def test_x(phone):\n    phone.dial('*100#').ends()\n"
    )
    assert ">       phone.dial('*100#').ends()" in done.stdout or ">   phone.dial" in done.stdout, done.stdout
    assert "no screen within 0.05 s" in done.stdout
    assert "bound: nobody" in done.stdout
    assert "phone.py" not in done.stdout


HOLDER = "from pytest_starpound.smsc import Smsc; s = Smsc(); s.start(); print(s.port, flush=True); input()"


def test_a_simulator_ends_with_the_process_that_started_it_however_that_ends() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        cwd=DISTRIBUTION,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        port = int(holder.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as link:
            holder.send_signal(signal.SIGKILL)
            assert link.recv(1) == b""  # closed by the other end, which is about to go


STRANGER = """
    import importlib.util
    import data, gateway

    def test_what_is_imported_is_the_strangers_own(phone):
        assert (data.WHOSE, gateway.WHOSE) == ("the stranger's", "the stranger's")
        assert phone.state == "idle"
        assert phone.dial("*100#").times_out().state == "idle"

    def test_nothing_of_starpound_is_there(smsc):
        names = ("menus", "handlers", "smpp_sim", "cli")
        assert [name for name in names if importlib.util.find_spec(name)] == []
"""
STRANGERS_INI = """
    [pytest]
    addopts = -p no:cacheprovider --strict-markers -W error
    starpound_command = {starpound}
    starpound_dialect = bare
"""


@pytest.fixture
def strangers_python(tmp_path: Path) -> Path:
    """A virtual environment of its own, with pytest and the plugin installed as anybody would."""
    venv.create(tmp_path / "venv", symlinks=True)
    python = tmp_path / "venv/bin/python"
    source = shutil.copytree(
        DISTRIBUTION, tmp_path / "pytest-starpound"
    )  # a build leaves traces beside the sources
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "install"]
    done = subprocess.run(
        [*pip, "pytest", source], capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    if re.search("No matching distribution found for (pytest|setuptools)", done.stderr):
        pytest.skip("pytest and setuptools cannot be had from here")
    assert done.returncode == 0, done.stderr
    return python


def test_a_stranger_has_packages_of_the_same_names(tmp_path: Path, strangers_python: Path) -> None:
    """Takes some ten seconds, most of them for the virtual environment."""
    folder = tmp_path / "stranger"
    for name in ("data", "gateway"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text('WHOSE = "the stranger\'s"\n', "utf-8")
    (folder / "test_own.py").write_text(textwrap.dedent(STRANGER), "utf-8")
    ini = textwrap.dedent(STRANGERS_INI).format(starpound=STARPOUND)
    (folder / "pytest.ini").write_text(ini, "utf-8")
    passed(pytest_in(folder, [folder], python=strangers_python), 2)
