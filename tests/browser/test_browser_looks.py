"""For everybody: no serious finding of axe, no sideways scrolling on a narrow screen, two languages, dark and light."""

from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Page, expect

from tests.browser.handset import Handset
from tests.browser.table import ENGLISH, RUSSIAN, Table, panel

SERIOUS = ("serious", "critical")
OPTIONS = {"resultTypes": ["violations"], "preload": False}
# All that depends on them.
COLOURS = OPTIONS | {"runOnly": ["color-contrast"]}

# axe judges neither gradients nor single characters: a gradient is taken for its first colour, then for its last.
ONE_COLOUR = """(at) => {
    axe.configure({checks: [{id: 'color-contrast', options: {
        ignoreUnicode: true, ignoreLength: true, boldValue: 700, boldTextPt: 14, largeTextPt: 18,
        contrastRatio: {normal: {expected: 4.5, minThreshold: 0}, large: {expected: 3, minThreshold: 0}},
        pseudoSizeThreshold: 0.25, shadowOutlineEmMax: 0.2,
    }}]})
    for (const one of document.querySelectorAll('#phones *')) {
        one.style = ''
        const colours = getComputedStyle(one).backgroundImage.match(/rgba?\\([^)]*\\)/g)
        if (colours) Object.assign(one.style, {backgroundImage: 'none', backgroundColor: colours.at(at)})
    }
    return axe.run('#phones', {runOnly: ['color-contrast'], preload: false})
}"""
TONES = [str(79260000000 + tone) for tone in range(6)]
"""A phone of each colour."""


async def findings(page: Page, place: str = "html") -> list[str]:
    """What axe calls serious or critical there: everything in light colours, the colours in dark ones."""
    told = []
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE_SCRIPT)
    for scheme, options in (("light", OPTIONS), ("dark", COLOURS)):
        await page.emulate_media(color_scheme=scheme)
        found = await page.evaluate("([place, options]) => axe.run(place, options)", [place, options])
        told += [f"{scheme}: {_told(one)}" for one in found["violations"] if one["impact"] in SERIOUS]
    return told


def _told(found: dict[str, Any]) -> str:
    places = [
        f"{node['html'][:120]} ({node['any'][:1] and node['any'][0]['message']})"
        for node in found["nodes"][:3]
    ]
    return f"{found['id']}: {found['help']}: {'; '.join(places)}"


async def test_axe_finds_nothing_serious_on_the_phones(table: Table) -> None:
    page = await table.open(RUSSIAN, ENGLISH)
    one, other = Handset(page, RUSSIAN), Handset(page, ENGLISH)
    await one.dial("*105#")
    await one.asks("Баланс")
    assert await findings(page) == [], "a question, and a phone that is idle"
    await other.dial("*100#")
    await other.shows("741.05")
    assert await findings(page, "#phones") == [], "a last screen"
    await one.answer("4")
    await one.asks("Нажмите OK")
    await one.answer("")
    await one.shows("отправлен")
    await one.ok()
    await expect(one.role("banner")).to_be_visible()
    await other.ok()
    await other.send_sms("000100", "?")
    await expect(other.role("message")).to_have_count(2)
    assert await findings(page, "#phones") == [], "a banner and a conversation"
    await one.role("messages").click()
    await one.role("power").click()
    await one.is_in("off")
    await other.role("back").click()
    assert await findings(page, "#phones") == [], "a list of messages, and a phone that is off"


async def test_what_stands_on_keys_and_displays_can_be_read(table: Table) -> None:
    table.simulator.phone(ENGLISH).dial("*105#")
    table.simulator.phone(RUSSIAN).dial("*#06#")
    page = await table.open(*TONES)
    await Handset(page, ENGLISH).asks("Zvezda")
    await page.evaluate(AXE_SCRIPT)
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        for end in (0, -1):
            found = await page.evaluate(ONE_COLOUR, end)
            assert [_told(one) for kind in ("violations", "incomplete") for one in found[kind]] == [], scheme
            judged = "".join(node["html"] for one in found["passes"] for node in one["nodes"])
            assert all(
                f'class="{part}"' in judged for part in ("key-digit", "key-letters", "date", "box-text")
            )


async def test_axe_finds_nothing_serious_on_the_panels(table: Table) -> None:
    table.simulator.mailbox.keep("a@b", ["c@d"], b"Subject: Hi\r\n\r\nHello", 1_700_000_000)
    phone = await table.phone()
    page = phone.page
    await phone.dial("*105#")
    await phone.asks("Баланс")
    trace = await panel(page, "trace")
    await trace.locator("[data-pdu]").last.click()
    await expect(trace.locator("[data-role=detail]")).to_be_visible()
    assert await findings(page, "#trace") == [], "the list and a PDU"
    await trace.locator("[data-view=dialogue]").click()
    await expect(trace.locator("g.is-pdu")).to_have_count(4)
    assert await findings(page, "#trace") == [], "the diagram"
    await trace.locator("[data-view=menu]").click()
    await expect(trace.locator(".node.is-now")).to_be_visible()
    assert await findings(page, "#trace") == [], "the menu"
    mail = await panel(page, "mail")
    await mail.locator("summary").click()
    assert await findings(page, "#mail") == [], "the mail"
    await panel(page, "book")
    assert await findings(page, "#book") == [], "the book"


WIDTHS = """() => [...document.querySelectorAll('body *')].filter((one) => one.checkVisibility())
    .map((one) => [one.className || one.tagName, one.getBoundingClientRect().right])
    .filter(([, right]) => document.documentElement.scrollWidth > innerWidth && right > innerWidth + 1)"""


async def sideways(page: Page) -> list[Any]:
    """What makes the page wider than the screen."""
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return (await page.evaluate(WIDTHS))[:5] or [wide] if wide > 0 else []


@pytest.mark.browser(viewport={"width": 360, "height": 740}, has_touch=True)
async def test_on_a_narrow_screen_nothing_scrolls_sideways(table: Table) -> None:
    table.simulator.mailbox.keep(
        f"{'a' * 60}@b", ["c@d"], b"Subject: " + b"x" * 90 + b"\r\n\r\n" + b"y" * 200, 1.0
    )
    page = await table.open(RUSSIAN, ENGLISH)
    phone = Handset(page, RUSSIAN)
    assert await sideways(page) == [], "idle"
    await phone.dial("*105#")
    await phone.asks("Баланс")
    assert await sideways(page) == [], "a question"
    for name in ("mail", "book", "trace"):
        section = await panel(page, name)
        if name == "mail":
            await section.locator("summary").click()
        if name == "trace":
            await section.locator("[data-pdu]").last.click()
            await expect(section.locator("[data-role=detail]")).to_be_visible()
        assert await sideways(page) == [], name
    for view in ("dialogue", "menu"):
        await section.locator(f"[data-view={view}]").click()
        await expect(section.locator(f"[data-role={view}] svg")).to_be_visible()
        assert await sideways(page) == [], view
    await phone.cancel()
    await phone.send_sms("000105", "x" * 160)
    await expect(phone.role("message")).to_have_count(2)
    assert await sideways(page) == [], "a conversation"


async def test_english_and_back_in_mid_dialogue(table: Table) -> None:
    phone = await table.phone()
    page = phone.page
    await expect(page.locator("html")).to_have_attribute("lang", "ru")
    await phone.dial("*105#")
    await phone.asks("Баланс")
    await phone.role("answer").fill("3")
    await page.locator("#language").click()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await expect(phone.role("cancel")).to_have_text("Cancel")
    await expect(phone.role("answer")).to_have_value("3")
    assert "Баланс" in await phone.text(), "what the network sent is not translated"
    trace = await panel(page, "trace")
    await expect(trace).to_contain_text("On the wire")
    await page.reload()
    await expect(phone.role("cancel")).to_have_text("Cancel")
    await page.locator("#language").click()
    await expect(phone.role("cancel")).to_have_text("Отмена")
    await expect(trace.locator("h2")).to_have_text("На линии")


@pytest.mark.browser(locale="en-GB", color_scheme="light")
async def test_language_and_colours_of_the_browser_until_somebody_says_otherwise(table: Table) -> None:
    page = await table.open(RUSSIAN)
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    background = "getComputedStyle(document.body).backgroundColor"
    light = await page.evaluate(background)
    await page.locator("#theme").click()
    await page.locator("#theme").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert await page.evaluate(background) != light
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
