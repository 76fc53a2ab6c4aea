"""Tests in this folder are coroutines: each runs in a loop of its own, which ends within a time limit."""

import asyncio
import inspect
from collections.abc import Coroutine

import pytest

LIMIT_S = 30


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
