"""A phone of the page, by what can be seen and pressed on it."""

import contextlib
import re

from playwright.async_api import Locator, Page, TimeoutError, expect

KEY_NAMES = {"*": "star", "#": "hash"}
WAIT_MS = 5000


class Handset:
    """The phone with this number; `role` finds its parts."""

    def __init__(self, page: Page, msisdn: str):
        self.page, self.msisdn = page, msisdn
        self.element = page.locator(f'article[data-phone="{msisdn}"]')

    def role(self, name: str) -> Locator:
        return self.element.locator(f'[data-role="{name}"]')

    async def is_there(self) -> None:
        """It has been drawn, and hears of what happens in the network."""
        await self._soon(":not(.offline)")
        await expect(self.element).not_to_have_class(re.compile("offline"))

    async def is_in(self, state: str) -> None:
        """idle, running, asked, showing or off."""
        await self._soon(f'[data-state="{state}"]')
        await expect(self.element).to_have_attribute("data-state", state)

    # --- fingers

    async def press(self, characters: str) -> None:
        """Keys of the keypad, one by one."""
        for character in characters:
            await self.role(f"key-{KEY_NAMES.get(character, character)}").click()

    async def dial(self, code: str) -> None:
        """Write the code into the display, press the green key."""
        await self.role("number").fill(code)
        await self.role("dial").click()

    async def answer(self, text: str) -> None:
        """Type and send; the text may be empty."""
        await self.role("answer").fill(text)
        await self.role("ok").click()

    async def ok(self) -> None:
        await self.role("ok").click()
        await self.is_in("idle")

    async def cancel(self) -> None:
        await self.role("cancel").click()
        await self.is_in("idle")

    async def send_sms(self, to: str, text: str) -> None:
        """By way of the envelope and the pencil."""
        await self.role("messages").click()
        await self.role("new-message").click()
        await self.role("compose-to").fill(to)
        await self.role("compose-text").fill(text)
        await self.role("compose-send").click()

    # --- eyes

    async def asks(self, *words: str) -> str:
        """A question with a text field and Cancel stands there; its text."""
        await self.is_in("asked")
        await self._says(words)
        await expect(self.role("answer")).to_be_visible()
        await expect(self.role("cancel")).to_be_visible()
        return await self.text()

    async def shows(self, *words: str, screen: str | None = None) -> str:
        """A box with OK and nothing to type stands there; its text."""
        await self.is_in("showing")
        await self._says(words)
        if screen:
            await expect(self.role("dialog")).to_have_attribute("data-screen", screen)
        await expect(self.role("answer")).to_have_count(0)
        await expect(self.role("cancel")).to_have_count(0)
        return await self.text()

    async def text(self) -> str:
        """What the box says."""
        return await self.role("text").text_content() or ""

    async def _soon(self, condition: str) -> None:
        """Wait for a phone like that. It looks more often than `expect`, which says more of what is there instead."""
        with contextlib.suppress(TimeoutError):
            await self.page.locator(f'article[data-phone="{self.msisdn}"]{condition}').wait_for(
                timeout=WAIT_MS
            )

    async def _says(self, words: tuple[str, ...]) -> None:
        for one in words:
            await expect(self.role("text")).to_contain_text(one)
