"""SMS and letters on the page: what comes, what is written, what is read."""

import asyncio
import re
import smtplib
from email.message import EmailMessage

import pytest
from playwright.async_api import expect

from smpp_sim.simulator import Simulator
from tests.browser.table import RUSSIAN, Table, panel

PASSWORD_SMS = re.compile(r"^Логин 9260000003, пароль \S+$")
LOOKS_MS = 3000
"""The page looks for new letters so often."""


async def test_an_empty_sms_brings_the_password(table: Table) -> None:
    phone = await table.phone()
    await phone.send_sms("000110", "")
    messages = phone.role("message")
    await expect(messages).to_have_count(2)  # the conversation is open: no banner tells of what stands there
    await expect(messages.nth(0)).to_have_attribute("data-mine", "true")
    await expect(messages.nth(0).locator("[data-role=message-text]")).to_have_text("(пусто)")
    await expect(messages.nth(1).locator("[data-role=message-text]")).to_have_text(PASSWORD_SMS)
    await expect(phone.role("banner")).to_be_hidden()
    await expect(phone.role("announce")).to_contain_text("Сообщение от 000110: Логин")


async def test_a_banner_tells_of_a_new_sms_and_leads_to_it(table: Table) -> None:
    """The password asked for by USSD: OK on the question is an empty answer."""
    phone = await table.phone()
    await phone.dial("*105*00#")
    await phone.asks("Нажмите OK")
    await phone.answer("")
    await phone.shows("Пароль отправлен", screen="end")
    await expect(phone.role("banner")).to_contain_text(re.compile("Логин 9260000003, пароль"))
    await expect(phone.page).to_have_title("(1) starpound")
    await expect(phone.role("messages")).to_have_attribute("aria-label", "Сообщения, непрочитанных: 1")
    await phone.ok()
    await phone.role("notification").click()
    await expect(phone.role("message-text")).to_have_text(PASSWORD_SMS)
    await expect(phone.page).to_have_title("starpound")
    await expect(phone.role("messages")).to_have_attribute("aria-label", "Сообщения")


async def test_messages_survive_a_reload_and_stay_read(table: Table) -> None:
    phone = await table.phone()
    await table.esme.sms(RUSSIAN, "One", sender="900")
    await expect(phone.role("banner")).to_contain_text("One")
    await phone.role("notification").click()
    await expect(phone.role("message-text")).to_have_text("One")
    await table.esme.sms(RUSSIAN, "Two", sender="901")
    await expect(phone.role("banner")).to_contain_text("Two")
    await phone.page.reload()
    await phone.is_there()
    await expect(phone.page).to_have_title("(1) starpound")
    await phone.role("messages").click()
    await expect(phone.role("thread")).to_have_count(2)
    await expect(phone.role("thread").first).to_contain_text("901")
    await phone.role("thread").first.click()
    await expect(phone.role("message-text")).to_have_text("Two")
    await phone.role("back").click()
    await expect(phone.role("threads").locator(".count")).to_have_count(0)


async def test_a_refused_number_is_told_and_nothing_is_lost(table: Table) -> None:
    table.expected = ["status of 4"]
    phone = await table.phone()
    await phone.send_sms("nobody", "Hello")
    await expect(phone.role("problem")).to_contain_text("SMS уходит на номер")
    await expect(phone.role("compose-text")).to_have_value("Hello")


async def test_a_long_sms_arrives_in_one_piece(table: Table) -> None:
    """The catalogue, in several parts."""
    phone = await table.phone()
    await phone.send_sms("000105", "КАТАЛОГ")
    came = phone.role("message").nth(1)
    await expect(came).to_contain_text("частей: ")
    async with table.api as api:
        (kept,) = (await api.get(f"/api/phones/{RUSSIAN}/inbox")).json()["messages"]
    assert kept["parts"] > 1
    await expect(came.locator("[data-role=message-text]")).to_have_text(kept["text"])


async def test_what_an_application_sends_is_text_and_nothing_else(table: Table) -> None:
    phone = await table.phone()
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script> &amp;"
    await table.esme.sms(RUSSIAN, evil, sender="900")
    await expect(phone.role("banner")).to_contain_text(evil)
    await phone.role("notification").click()
    await expect(phone.role("message-text")).to_have_text(evil)
    await table.push(RUSSIAN, evil)
    assert await phone.asks("onerror") == evil
    await expect(phone.element.locator("img, script")).to_have_count(0)


def letter(subject: str, text: str, kind: str = "plain") -> EmailMessage:
    made = EmailMessage()
    made["Subject"], made["From"], made["To"] = subject, "gateway@localhost", "anna@example.org"
    made.set_content(text, subtype=kind)
    return made


async def post(simulator: Simulator, message: EmailMessage) -> None:
    def send() -> None:
        with smtplib.SMTP("127.0.0.1", simulator.smtp_port, timeout=10) as smtp:
            smtp.send_message(message)

    await asyncio.to_thread(send)


@pytest.mark.browser  # its clock is turned
async def test_a_letter_is_read_in_the_mail_pane(table: Table) -> None:
    await table.context.clock.install()
    phone = await table.phone()
    mail = await panel(phone.page, "mail")
    await expect(mail).to_contain_text(f"Ящик принимает их по SMTP на порту {table.simulator.smtp_port}")
    made = letter("Ваш отчёт", "Остаток: 523,40 руб.\nДо свидания.")
    made.add_attachment(b"1;2", maintype="text", subtype="csv", filename="отчёт.csv")
    await post(table.simulator, made)
    await table.context.clock.fast_forward(LOOKS_MS)
    await expect(mail.locator("summary")).to_contain_text("Ваш отчёт")
    await expect(phone.page.locator("#mail-count")).to_have_text("1")
    await mail.locator("summary").click()
    await expect(mail.locator("pre")).to_have_text(re.compile(r"Остаток: 523,40 руб\.\s+До свидания\."))
    await expect(mail.locator(".attachments")).to_contain_text("отчёт.csv")
    await expect(phone.page.locator("#mail-count")).to_be_hidden()


async def test_a_letter_in_html_is_shown_as_text_and_does_not_run(table: Table) -> None:
    evil = '<h1>Hi</h1><img src="/x.png" onerror="window.ran = 1"><script>window.ran = 1</script>'
    await post(table.simulator, letter("<b>News</b>", evil, "html"))
    await post(table.simulator, letter("<script>window.ran = 1</script>", evil))
    phone = await table.phone()
    mail = await panel(phone.page, "mail")
    await expect(mail.locator("details")).to_have_count(2)
    for summary in await mail.locator("summary").all():
        await summary.click()
    await expect(mail.locator("pre").first).to_contain_text(evil)
    await expect(mail.locator(".letter-subject").last).to_have_text("<b>News</b>")
    await expect(mail.locator("h1, img, script, b, iframe")).to_have_count(0)
    assert await phone.page.evaluate("window.ran") is None
