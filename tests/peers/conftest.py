"""Tests in this folder are coroutines: each runs in a loop of its own, which ends within a time limit."""

import asyncio
import inspect
from collections.abc import Coroutine, Iterator

import pytest

from tests.peers import node_peer, recording

LIMIT_S = 60


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "hostile(reason): what the peer sends here is wrong on purpose")


@pytest.fixture(autouse=True)
def recorded(request: pytest.FixtureRequest) -> Iterator[None]:
    """What goes over the wire is kept under the name of the test."""
    hostile = request.node.get_closest_marker("hostile")
    with recording.of(request.node.name, hostile.args[0] if hostile else None):
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(_limited(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})))
    return True


async def _limited(test: Coroutine[None, None, None]) -> None:
    async with asyncio.timeout(LIMIT_S):
        await test


@pytest.fixture(scope="session")
def node() -> Iterator[node_peer.Node]:
    """node-smpp; tests that need it are skipped where it cannot be had."""
    if reason := node_peer.missing():
        pytest.skip(reason)
    with node_peer.running() as node:
        yield node
