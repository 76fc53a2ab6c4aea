"""One loop and one browser for the folder; for each test a table of its own: simulator, gateway, no past.

Tests are coroutines and run in that loop, so that they have the simulator in the hand as well as the page.
"""

import asyncio
import inspect
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.browser import chromium
from tests.browser.table import Table, laid

LIMIT_S = 45


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "table(**settings): settings of the simulator, `network` those of the network"
    )
    config.addinivalue_line("markers", "browser(**settings): a profile of its own, with these settings")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    runner = pyfuncitem.funcargs["loop"]
    runner.run(_limited(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})))
    return True


async def _limited(test: Coroutine[None, None, None]) -> None:
    async with asyncio.timeout(LIMIT_S):
        await test


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.Runner]:
    """Where all of it runs; it stands still between the tests."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session")
def browser(loop: asyncio.Runner) -> Iterator[Browser]:
    """The browser; tests that need it are skipped where it cannot be had."""
    if reason := chromium.missing():
        pytest.skip(reason)
    running = chromium.running()
    yield loop.run(running.__aenter__())
    loop.run(running.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def window(loop: asyncio.Runner, browser: Browser) -> chromium.Window:
    """The profile of the tests that do not ask for one of their own."""
    return loop.run(chromium.Window.opened(browser))


@pytest.fixture(scope="session")
def clearing(loop: asyncio.Runner) -> Iterator[list[asyncio.Task[None]]]:
    """Tables that are being cleared. A gateway takes its time to unbind, and the next test need not wait for it."""
    tasks: list[asyncio.Task[None]] = []
    yield tasks
    loop.run(_all(tasks))


async def _all(tasks: list[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks)


@pytest.fixture
def table(
    request: pytest.FixtureRequest,
    loop: asyncio.Runner,
    clearing: list[asyncio.Task[None]],
    browser: Browser,
    window: chromium.Window,
    tmp_path: Path,
) -> Iterator[Table]:
    """Everything that a tester has before him. What a page complains of is a failure."""
    own = request.node.get_closest_marker("browser")
    page = loop.run(_page_of_its_own(browser, own.kwargs)) if own else window.page
    changes = request.node.get_closest_marker("table")
    laying = laid(page, tmp_path, changes.kwargs if changes else {})
    table = loop.run(laying.__aenter__())
    yield table
    loop.run(page.context.close() if own else window.clear(table.simulator.url))
    table.leave()
    clearing.append(loop.get_loop().create_task(laying.__aexit__(None, None, None)))
    assert table.complaints == [], "the browser's console says so"


async def _page_of_its_own(browser: Browser, settings: dict[str, Any]) -> Page:
    return await (await chromium.profile(browser, **settings)).new_page()
