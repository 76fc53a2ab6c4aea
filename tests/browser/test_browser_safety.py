"""Who gets in: no page of another origin, nobody without the token; and no script but ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, expect

from tests.browser.handset import Handset
from tests.browser.table import RUSSIAN, Table

TOKEN = "a long secret"

OPEN_SOCKET = """(url) => new Promise((resolve) => {
    const socket = new WebSocket(url)
    socket.onopen = () => resolve('open')
    socket.onclose = () => resolve('closed')
})"""


@asynccontextmanager
async def somebody_elses_page() -> AsyncIterator[str]:
    """The address of an empty page of another origin."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b"<!doctype html><link rel=icon href=data:,><title>elsewhere</title>"
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


def socket_url(table: Table) -> str:
    return f"ws://127.0.0.1:{table.simulator.http_port}/api/phones/{RUSSIAN}/stream?after=0"


async def test_a_page_of_another_origin_gets_no_websocket_and_dials_nothing(table: Table) -> None:
    table.expected = [
        "Unexpected response code: 403",
        "blocked by CORS policy",
        "status of 403",
        "ERR_FAILED",
        "NotSameOrigin",
    ]
    own = await table.open(RUSSIAN)
    assert await own.evaluate(OPEN_SOCKET, socket_url(table)) == "open"
    async with somebody_elses_page() as address:
        page = await table.context.new_page()
        await page.goto(address)
        async with page.expect_console_message(lambda message: "response code: 403" in message.text):
            assert await page.evaluate(OPEN_SOCKET, socket_url(table)) == "closed"
        dial = f"{table.simulator.url}/api/phones/{RUSSIAN}/dial"
        for how in ({"mode": "no-cors"}, {"headers": {"Content-Type": "application/json"}}):
            request = {"method": "POST", "body": '{"code": "*105#"}', **how}
            await page.evaluate("([url, how]) => fetch(url, how).catch(() => {})", [dial, request])
    assert table.simulator.phone(RUSSIAN).state == "idle"


async def test_the_policy_lets_no_foreign_script_run(table: Table) -> None:
    table.expected = ["CSP ", "Content Security Policy", "violates the following"]
    page = await table.open(RUSSIAN)
    for attempt in (
        "document.body.insertAdjacentHTML('beforeend', '<img src=/static/icon.svg onload=\"window.ran = 1\">')",
        "{ const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s) }",
        "{ const s = document.createElement('script'); s.src = 'data:,window.ran = 1'; document.body.append(s) }",
    ):
        async with page.expect_console_message(lambda message: message.text.startswith("CSP ")):
            await page.evaluate(attempt)
    assert await page.evaluate("window.ran") is None


async def _asked(page: Page) -> None:
    await expect(page.locator("dialog#token")).to_be_visible()


@pytest.mark.table(http_token=TOKEN)
async def test_a_token_is_asked_for_once_and_opens(table: Table) -> None:
    table.expected = ["status of 401"]
    page = await table.page()
    await page.goto(f"{table.simulator.url}/?phones={RUSSIAN}")
    await _asked(page)
    await page.keyboard.press("Escape")
    await _asked(page)
    await page.locator("#token-field").fill("a guess")
    await page.keyboard.press("Enter")
    await expect(page.locator("#token-problem")).to_have_text("Этот не подходит.")
    await page.locator("#token-field").fill(TOKEN)
    await page.keyboard.press("Enter")
    phone = Handset(page, RUSSIAN)
    await phone.is_there()
    await phone.dial("*105#")
    await phone.asks("Баланс")
    await page.reload()
    await phone.is_there()
    await phone.asks("Баланс")


@pytest.mark.table(http_token=TOKEN)
async def test_an_address_may_bring_the_token_along(table: Table) -> None:
    page = await table.page()
    await page.goto(f"{table.simulator.url}/?phones={RUSSIAN}#token=a%20long%20secret")
    await Handset(page, RUSSIAN).is_there()
    assert "secret" not in page.url, "it stays in the address bar"
    await expect(page.locator("dialog#token")).to_be_hidden()
