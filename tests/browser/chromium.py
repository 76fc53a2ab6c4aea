"""The browser: Chromium of the distribution, driven by Playwright."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright, expect

NAMES = ("chromium", "chromium-browser", "google-chrome")
# What is drawn is not looked at: the plainest way of drawing costs the least.
FLAGS = ("--disable-gpu", "--in-process-gpu")


def missing() -> str:
    """Why there is no browser; empty: there is one."""
    return "" if _path() else "no Chromium (Debian: apt-get install chromium; tests/provide chromium)"


@asynccontextmanager
async def running() -> AsyncIterator[Browser]:
    """A browser without a window, until the end."""
    expect.set_options(timeout=5_000)
    async with async_playwright() as playwright:
        # Chromium's sandbox refuses to work for root.
        browser = await playwright.chromium.launch(
            executable_path=_path(), args=FLAGS, chromium_sandbox=os.geteuid() != 0, timeout=60_000
        )
        try:
            yield browser
        finally:
            await browser.close()


def _path() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)
