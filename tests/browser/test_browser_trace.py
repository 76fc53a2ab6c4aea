"""The wire beside the phone: the list of PDUs, one of them opened, the dialogue, the menu, what is taken away."""

import asyncio
import re
from pathlib import Path

from playwright.async_api import Download, Locator, Page, expect

from gateway.smpp.explain import one_line
from tests.browser.handset import Handset
from tests.browser.table import ENGLISH, PASSWORD, RUSSIAN, Table, panel


def rows(trace: Locator, command: str) -> Locator:
    """The lines of one command."""
    exactly = trace.page.locator(".trace-command", has_text=re.compile(f"^{command}$"))
    return trace.locator("[data-pdu]").filter(has=exactly)


async def opened(trace: Locator, line: Locator) -> Locator:
    """Open a PDU; its fields."""
    await line.locator("button").click()
    number = await line.get_attribute("data-pdu")
    detail = trace.locator("[data-role=detail]")
    await expect(detail.locator("h3")).to_contain_text(f"{number}: ")
    return detail


async def saved(page: Page, button: Locator) -> tuple[Download, bytes]:
    """What a button brings."""
    async with page.expect_download() as coming:
        await button.click()
    download = await coming.value
    return download, await asyncio.to_thread(Path(await download.path()).read_bytes)


async def test_each_pdu_is_a_line_and_opens_to_every_field(table: Table) -> None:
    phone = await table.phone()
    trace = await panel(phone.page, "trace")
    await phone.dial("*105#")
    await phone.asks("Баланс")
    deliver = rows(trace, "deliver_sm")
    await expect(deliver).to_have_count(1)
    await expect(rows(trace, "submit_sm")).to_have_count(1)
    await expect(deliver.locator(".trace-meaning")).to_contain_text("*105#")
    detail = await opened(trace, deliver)
    async with table.api as api:
        told = (await api.get(f"/api/trace/{await deliver.get_attribute('data-pdu')}")).json()
    names = await detail.locator("tbody th").all_text_contents()
    assert names == [field["name"] for field in told["fields"]]
    assert {"command_length", "sequence_number", "source_addr", "short_message"} <= set(names)
    assert any("ussd_service_op" in name for name in names)
    octets = await detail.locator(".trace-octet").all_text_contents()
    assert bytes.fromhex("".join(octets)) == bytes.fromhex(told["hex"])
    await detail.locator("[data-jump]").click()
    await expect(detail.locator("h3")).to_contain_text("deliver_sm_resp")


async def test_octets_of_a_pdu_light_up_and_are_copied_for_starpound_explain(table: Table) -> None:
    await table.context.grant_permissions(["clipboard-read", "clipboard-write"])
    phone = await table.phone()
    trace = await panel(phone.page, "trace")
    await phone.dial("*105#")
    await phone.asks("Баланс")
    detail = await opened(trace, rows(trace, "deliver_sm"))
    await detail.locator("tbody tr", has=phone.page.get_by_text("source_addr", exact=True)).hover()
    lit = await detail.locator(".trace-octet.is-lit").all_text_contents()
    assert bytes.fromhex("".join(lit)) == RUSSIAN.encode() + b"\0"
    await detail.locator("[data-role=copy-hex]").click()
    await expect(detail.locator("[data-role=copy-hex]")).to_have_text("Скопировано")
    copied = await phone.page.evaluate("navigator.clipboard.readText()")
    assert "deliver_sm" in one_line(bytes.fromhex(copied))


async def test_the_password_of_the_bind_is_nowhere(table: Table) -> None:
    phone = await table.phone()
    trace = await panel(phone.page, "trace")
    bind = rows(trace, "bind_transceiver").first
    detail = await opened(trace, bind)
    await expect(detail.locator("tbody tr", has_text="password")).to_be_visible()
    await phone.dial("*105#")
    await phone.asks("Баланс")
    _, capture = await saved(phone.page, trace.locator("[data-role=pcap]"))
    _, transcript = await saved(phone.page, trace.locator("[data-role=transcript]"))
    async with table.api as api:
        answers = [
            (await api.get(f"/api/{path}")).content for path in ("trace", "trace/1", "trace/1.hex", "links")
        ]
    assert b"gw" in capture, "the bind is in the capture, but for its password"
    page = (await phone.page.content()).encode()
    kept = (await phone.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")).encode()
    for place in (page, kept, capture, transcript, *answers):
        digits = re.sub(rb"[^0-9a-f]", b"", place.lower())
        assert PASSWORD.encode() not in place
        assert PASSWORD.encode().hex().encode() not in digits
    octets = "".join(await detail.locator(".trace-octet").all_text_contents())
    assert PASSWORD.encode().hex() not in octets.lower()


async def test_filters_and_pause(table: Table) -> None:
    page = await table.open(RUSSIAN, ENGLISH)
    trace = await panel(page, "trace")
    for msisdn in (RUSSIAN, ENGLISH):
        await Handset(page, msisdn).dial("*100#")
        await Handset(page, msisdn).shows()
    await expect(rows(trace, "deliver_sm")).to_have_count(2)
    await trace.locator("[data-role=filter-phone]").fill(ENGLISH)
    await expect(rows(trace, "deliver_sm")).to_have_count(1)
    await expect(rows(trace, "bind_transceiver")).to_have_count(0)
    await trace.locator("[data-role=filter-command]").select_option("submit_sm")
    await expect(trace.locator("[data-pdu]")).to_have_count(1)
    await trace.locator("[data-role=filter-problems]").check()
    await expect(trace).to_contain_text("Под фильтр не подходит ни один PDU")
    await trace.locator("[data-role=filter-problems]").uncheck()
    await trace.locator("[data-role=pause]").click()
    await Handset(page, ENGLISH).ok()
    await Handset(page, ENGLISH).dial("*100#")
    await Handset(page, ENGLISH).shows()
    await expect(trace.locator("[data-role=pause]")).to_contain_text("4")
    await expect(trace.locator("[data-pdu]")).to_have_count(1)
    await trace.locator("[data-role=pause]").click()
    await expect(trace.locator("[data-pdu]")).to_have_count(2)


async def test_the_dialogue_as_a_sequence_diagram(table: Table) -> None:
    phone = await table.phone()
    trace = await panel(phone.page, "trace")
    await trace.locator("[data-view=dialogue]").click()
    await phone.dial("*105#")
    await phone.asks("Баланс")
    await phone.answer("1")
    await phone.shows("523,40")
    diagram = trace.locator("[data-role=dialogue]")
    await expect(diagram.locator("g.is-pdu")).to_have_count(8)
    titles = await diagram.locator("g.step .step-title").all_text_contents()
    commands = [title for title in titles if title in ("deliver_sm", "submit_sm")]
    assert commands == ["deliver_sm", "submit_sm"] * 2
    assert titles[0].endswith("*105#")
    await expect(diagram.locator("details li")).to_have_count(len(titles))
    await diagram.locator("g.is-pdu").first.click()
    await expect(trace.locator("[data-role=detail] h3")).to_contain_text("deliver_sm")


async def test_the_menu_with_the_node_of_the_phone_lit(table: Table) -> None:
    phone = await table.phone()
    trace = await panel(phone.page, "trace")
    await trace.locator("[data-view=menu]").click()
    menu = trace.locator("[data-role=menu]")
    await expect(menu.locator("[data-node=root]")).to_be_visible()
    await phone.dial("*105#")
    await phone.asks("Баланс")
    await expect(menu.locator(".node.is-now")).to_have_attribute("data-node", "root")
    await phone.answer("3")
    await phone.asks("Каталог")
    await expect(menu.locator(".node.is-now")).to_have_attribute("data-node", "options")
    await expect(menu.locator(".node.is-taken")).to_have_attribute("data-node", "root")
    await expect(menu.locator("[data-role=node]")).to_contain_text("options")
    await phone.cancel()
    await expect(menu.locator(".node.is-now")).to_have_count(0)


async def test_another_gateway_has_no_menu_to_show(table: Table) -> None:
    table.expected = ["status of 404"]
    table.simulator.centre.gateway_admin = ""
    page = await table.open(RUSSIAN)
    trace = await panel(page, "trace")
    await trace.locator("[data-view=menu]").click()
    await expect(trace.locator("[data-role=node]")).to_contain_text("gateway_admin")
