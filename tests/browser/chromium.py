"""The browser: Chromium of the distribution, driven by Playwright."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

NAMES = ("chromium", "chromium-browser", "google-chrome")
# What is drawn is not looked at: the plainest way of drawing costs the least.
FLAGS = ("--disable-gpu", "--in-process-gpu")

# Chromium writes no sentence about what a Content-Security-Policy kept out by way of a meta element or a worker.
_TELL_VIOLATIONS = """document.addEventListener('securitypolicyviolation', (event) =>
    console.error(`CSP ${event.violatedDirective}: ${event.blockedURI}`))"""
_BROWSER = {
    "locale": "ru-RU",
    "timezone_id": "Europe/Moscow",
    "viewport": {"width": 1280, "height": 900},
    "reduced_motion": "reduce",
    "accept_downloads": True,
}
# Of the same site as every simulator, whatever its port.
_NOWHERE = "http://127.0.0.1/"


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


async def profile(browser: Browser, **settings: Any) -> BrowserContext:
    """A profile without a past; `settings` are those of Playwright's contexts."""
    context = await browser.new_context(**(_BROWSER | settings))
    await context.add_init_script(_TELL_VIOLATIONS)
    return context


class Window:
    """A profile and a page of it for one test after the other. Each finds them as if they were new.

    A new tab with a renderer of its own costs more than most tests. What a page keeps belongs to the port of its
    simulator, and goes with it.
    """

    def __init__(self, context: BrowserContext, page: Page):
        self.context, self.page = context, page

    @classmethod
    async def opened(cls, browser: Browser) -> "Window":
        """With an empty page."""
        context = await profile(browser)
        page = await context.new_page()
        await page.route(
            _NOWHERE, lambda route: route.fulfill(content_type="text/html", body="<!doctype html>")
        )
        return cls(context, page)

    async def clear(self, origin: str) -> None:
        """Leave the pages of a test, forget what they kept."""
        for page in self.context.pages:
            if page is not self.page:
                await page.close()
        await self.page.goto(_NOWHERE)
        await self.page.emulate_media(color_scheme="null")
        await self.context.clear_permissions()
        devtools = await self.context.new_cdp_session(self.page)
        await devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        await devtools.detach()


def _path() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)
