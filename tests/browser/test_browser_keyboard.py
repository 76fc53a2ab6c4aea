"""Without a mouse: the whole phone by Tab, Enter, Escape and typing."""

from playwright.async_api import Page, expect

from tests.browser.handset import Handset
from tests.browser.table import ENGLISH, RUSSIAN, Table, panel

MOST_STOPS = 60
"""Stops of the Tab key after which something is out of reach."""


async def tab_to(page: Page, selector: str, key: str = "Tab") -> None:
    """Press Tab until the focus is there."""
    wanted = page.locator(selector).first
    for _ in range(MOST_STOPS):
        await page.keyboard.press(key)
        if await wanted.evaluate("(one) => one === document.activeElement"):
            return
    raise AssertionError(f"{MOST_STOPS} times {key} do not lead to {selector}")


async def test_a_whole_dialogue_by_typing(table: Table) -> None:
    phone = await table.phone()
    keyboard = phone.page.keyboard
    await keyboard.type("*105#")  # nowhere in particular: it goes to the phone
    await expect(phone.role("number")).to_have_value("*105#")
    await keyboard.press("Enter")
    await phone.asks("Баланс")
    await expect(phone.role("answer")).to_be_focused()
    await keyboard.type("4")
    await keyboard.press("Enter")
    await phone.asks("Нажмите OK")
    await expect(phone.role("answer")).to_be_focused()
    await keyboard.press("Enter")
    await phone.shows("Пароль отправлен")
    await expect(phone.role("ok")).to_be_focused()
    await keyboard.press("Enter")
    await phone.is_in("idle")
    await expect(phone.role("number")).to_be_focused()


async def test_escape_gives_up_and_tab_leads_to_nothing_behind_the_box(table: Table) -> None:
    phone = await table.phone()
    keyboard = phone.page.keyboard
    await tab_to(phone.page, "[data-role=number]")
    await keyboard.type("*105#\n")
    await phone.asks("Баланс")
    await expect(phone.role("answer")).to_be_focused()
    await keyboard.press("Tab")
    await expect(phone.role("cancel")).to_be_focused()
    await keyboard.press("Tab")
    await expect(phone.role("ok")).to_be_focused()
    inert = "(one) => one.closest('[inert]') !== null"
    assert await phone.role("number").evaluate(inert), "the dialler behind the box can be reached"
    await keyboard.press("Escape")
    await phone.is_in("idle")
    await expect(phone.role("number")).to_be_focused()
    await keyboard.type("*100#\n")
    await phone.shows("523,40")
    await keyboard.press("Escape")
    await phone.is_in("idle")
    async with table.api as api:
        assert "! cancel" in (await api.get(f"/api/phones/{RUSSIAN}/transcript")).text


async def test_an_sms_by_keyboard(table: Table) -> None:
    phone = await table.phone()
    keyboard = phone.page.keyboard
    await tab_to(phone.page, "[data-role=messages]")
    await keyboard.press("Enter")
    await expect(phone.role("threads")).to_be_visible()
    await tab_to(phone.page, "[data-role=new-message]", "Shift+Tab")
    await keyboard.press("Enter")
    await expect(phone.role("compose-to")).to_be_focused()
    await keyboard.type("000100")
    await keyboard.press("Tab")
    await keyboard.press("Enter")
    await expect(phone.role("message-text").nth(1)).to_have_text("На счёте 523,40 руб.")
    await keyboard.press("Escape")
    await expect(phone.role("thread")).to_have_count(1)
    await keyboard.press("Escape")
    await expect(phone.role("number")).to_be_focused()


async def test_the_skip_link_and_the_panels(table: Table) -> None:
    page = await table.open(RUSSIAN, ENGLISH)
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
    await expect(page.locator(".skip")).to_be_in_viewport()
    await tab_to(page, "button[data-panel=trace]")
    await page.keyboard.press("Enter")
    await expect(page.locator("#trace")).to_be_focused()
    await tab_to(page, f'article[data-phone="{ENGLISH}"] [data-role=number]', "Shift+Tab")
    await page.keyboard.type("*105#\n")
    await Handset(page, ENGLISH).asks("Zvezda")
    await Handset(page, RUSSIAN).is_in("idle")
    await tab_to(page, "#trace .trace-rows button[tabindex='0']")
    await page.keyboard.press("Home")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-role=detail]")).to_be_visible()


async def test_the_list_of_pdus_is_one_stop_of_the_tab_key_whatever_it_shows(table: Table) -> None:
    page = await table.open(RUSSIAN)
    trace = await panel(page, "trace")
    rows, stop = trace.locator(".trace-rows [data-pdu]"), trace.locator(".trace-rows button[tabindex='0']")
    await expect(rows).to_have_count(4)  # two binds
    await expect(stop).to_have_count(1)
    await trace.locator("[data-role=filter-command]").select_option("bind_transceiver_resp")
    await expect(rows).to_have_count(2)
    await expect(stop).to_have_count(1)
