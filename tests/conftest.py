"""What all tests share: with CI set, a skip is a failure; tests of one file run on one worker."""

import os
import signal

import hypothesis
import pytest

from gateway.settings import Log
from gateway.watch.logs import configure_logging

configure_logging(Log(level="warning", format="text"))
# A shell that starts us in the background has SIGINT ignored, which the programs that we start would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)
# How long an example takes says more about the machine than about us. With CI set the examples are always the same:
# a change is judged by what it changes. `make fuzz` looks for others, and longer.
_PATIENT = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("patient", _PATIENT, derandomize=bool(os.environ.get("CI")))
hypothesis.settings.register_profile("fuzz", _PATIENT, derandomize=False, max_examples=2000)
hypothesis.settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="rewrite tests/dialogues from what is shown now")


# Folders whose tests share what is made once: a recording of the wire, conversations that were played.
_TOGETHER = ("tests/peers/", "tests/dialogues/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say what stays on one worker where there are several: a file, or a whole folder."""
    for item in items:
        file = item.nodeid.partition("::")[0]
        together = next((folder for folder in _TOGETHER if file.startswith(folder)), file)
        item.add_marker(pytest.mark.xdist_group(together))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: half of the time a test waits for a wire."""
    return (os.cpu_count() or 1) + 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if os.environ.get("CI") and skipped and session.exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"CI is set, and {len(skipped)} tests were skipped: that is a failure", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
