"""Dialogues with our gateway on the phone in the browser: keys, menu, answers, the end, and all that a user may do."""

import asyncio
import re

import pytest
from playwright.async_api import WebSocketRoute, expect

from smpp_sim.phones.events import MAX_EVENTS
from tests.browser.handset import Handset
from tests.browser.table import CODE, ENGLISH, RUSSIAN, Table, panel

MENU = "Сервис-Гид «Звезда»\n1 Баланс\n2 Остатки\n3 Опции\n4 Пароль\n5 Настройки"


async def test_dial_by_the_keys_answer_and_read_the_last_screen(table: Table) -> None:
    phone = await table.phone()
    await phone.press("*105#")
    await expect(phone.role("number")).to_have_value("*105#")
    await phone.role("dial").click()
    assert await phone.asks("Сервис-Гид") == MENU
    await phone.press("13")
    await phone.role("erase").click()
    await expect(phone.role("answer")).to_have_value("1")
    await expect(phone.role("count")).to_have_text("1/182")
    await phone.role("dial").click()
    assert await phone.shows("523,40", screen="end") == "На счёте 523,40 руб."
    await phone.ok()
    await expect(phone.role("dialog")).to_have_count(0)
    await expect(phone.role("number")).to_have_value("")
    await phone.role("dial").click()
    await expect(phone.role("number")).to_have_value("*105#")  # the green key alone brings the last code back


async def test_cancel_ends_the_dialogue(table: Table) -> None:
    phone = await table.phone()
    await phone.dial("*105#")
    await phone.asks("Баланс")
    await phone.cancel()
    await phone.dial("*105#")
    await phone.asks("Баланс")
    await phone.role("end").click()
    await phone.is_in("idle")


async def test_while_the_code_runs_nothing_but_giving_up_is_possible(table: Table) -> None:
    """The application has the code and says nothing yet."""
    phone = await table.phone()
    await phone.dial(CODE)
    turn = await table.esme.turn()
    await phone.is_in("running")
    await expect(phone.role("running")).to_contain_text("Выполняется код USSD")
    await expect(phone.role("running")).to_contain_text(CODE)
    await expect(phone.role("answer")).to_have_count(0)
    await table.esme.show(turn, "Well?")
    await phone.asks("Well?")
    await phone.cancel()
    await phone.dial(CODE)
    await phone.is_in("running")
    await phone.role("end").click()
    await phone.is_in("idle")


@pytest.mark.table(network={"user_s": 0.3, "answer_s": 0.3})
async def test_who_takes_too_long_is_told_so_and_so_is_he_who_waits(table: Table) -> None:
    phone = await table.phone()
    await phone.dial(CODE)
    await table.esme.show(await table.esme.turn(), "Well?")
    await phone.shows(screen="error")
    await expect(phone.role("dialog")).to_contain_text("Время вышло")
    await phone.ok()
    await phone.dial(CODE)  # to which nobody says anything
    await phone.shows("Проблемы подключения или неверный код MMI", screen="error")
    await expect(phone.role("dialog")).to_contain_text("не ответило вовремя")
    await phone.ok()


async def test_what_never_leaves_the_phone(table: Table) -> None:
    phone = await table.phone()
    await phone.press("*#06#")  # needs no green key
    await phone.shows("IMEI", screen="local")
    await expect(phone.role("dialog")).to_contain_text("Осталось в телефоне")
    await phone.ok()
    for code, service in (("**21*79260000001#", "Переадресация"), ("*#31#", "Определение номера")):
        await phone.dial(code)
        await phone.shows(service, "Ни одно USSD-приложение", screen="local")
        await phone.ok()
    async with table.api as api:
        assert (await api.get("/api/trace", params={"msisdn": RUSSIAN})).json()["pdus"] == []


async def test_what_is_no_code_is_not_sent_and_a_sentence_says_why(table: Table) -> None:
    table.expected = ["status of 409"]
    phone = await table.phone()
    await phone.dial("105")
    await expect(phone.role("problem")).to_contain_text("это звонок")
    await phone.is_in("idle")
    await expect(phone.role("number")).to_have_value("105")


async def test_a_reload_in_mid_dialogue_keeps_the_question(table: Table) -> None:
    phone = await table.phone()
    await phone.dial("*105#")
    before = await phone.asks("Баланс")
    await phone.page.reload()
    await phone.is_there()
    assert await phone.asks("Баланс") == before
    await phone.answer("1")
    await phone.shows("523,40", screen="end")
    await phone.page.reload()
    await phone.shows("523,40", screen="end")
    await phone.ok()


@pytest.mark.browser  # its streams can be cut
async def test_a_lost_connection_keeps_what_was_typed(table: Table) -> None:
    for _ in range(MAX_EVENTS):
        table.simulator.phone(RUSSIAN).dial("*#06#")
        table.simulator.phone(RUSSIAN).press_ok()
    streams: asyncio.Queue[WebSocketRoute] = asyncio.Queue()

    def pass_on(stream: WebSocketRoute) -> None:
        stream.connect_to_server()
        streams.put_nowait(stream)

    await table.context.route_web_socket(re.compile("/stream"), pass_on)
    phone = await table.phone()
    await phone.dial("*105#")
    await phone.asks("Баланс")
    await phone.role("answer").fill("3")
    await (await streams.get()).close()
    await streams.get()
    await phone.is_there()
    await expect(phone.role("answer")).to_have_value("3")
    await expect(phone.role("answer")).to_be_focused()


async def test_two_windows_show_the_same_phone(table: Table) -> None:
    one, other = await table.phone(), await table.phone()  # the other one is in front
    table.simulator.phone(RUSSIAN).dial("*105#")
    await other.asks("Баланс")
    await other.answer("1")
    await other.shows("523,40")
    await one.page.bring_to_front()
    await one.shows("523,40")


async def test_two_phones_at_once_do_not_disturb_each_other(table: Table) -> None:
    page = await table.open(RUSSIAN, ENGLISH)
    one, other = Handset(page, RUSSIAN), Handset(page, ENGLISH)
    await one.dial("*105#")
    await one.asks("Баланс")
    await one.role("answer").press_sequentially("3")
    table.simulator.phone(ENGLISH).dial("*105#")
    await other.asks("Zvezda Service Guide", "1 Balance")
    await expect(one.role("answer")).to_have_value("3")
    await expect(one.role("answer")).to_be_focused()
    await expect(other.role("announce")).to_contain_text("Zvezda Service Guide")
    await other.answer("1")
    await other.shows("741.05")
    await one.asks("Баланс")
    await one.role("ok").click()
    await one.asks("Опции")
    await other.shows("741.05")


async def test_a_dialogue_that_the_application_begins(table: Table) -> None:
    phone = await table.phone()
    await table.push(RUSSIAN, "Will you?")
    await phone.asks("Will you?")
    await expect(phone.role("dialog")).to_contain_text("Сообщение сети")
    await phone.answer("2")
    turn = await table.esme.turn()
    assert turn.turn.text == "2"
    await table.esme.show(turn, "Thanks", "finish")
    await phone.shows("Thanks", screen="end")
    await phone.ok()


async def test_a_second_message_waits_behind_the_first(table: Table) -> None:
    phone = await table.phone()
    await table.push(RUSSIAN, "The first", "push_notify")
    await phone.shows("The first", screen="notice")
    await table.push(RUSSIAN, "The second", "push_notify")
    await expect(phone.role("hidden")).to_have_text("За этим сообщением ещё: 1")
    assert await phone.text() == "The first"
    await phone.role("ok").click()
    await phone.shows("The second", screen="notice")
    await expect(phone.role("hidden")).to_be_hidden()
    await phone.ok()


async def test_switched_off_nothing_works_until_it_is_on_again(table: Table) -> None:
    phone = await table.phone()
    await phone.dial("*105#")
    await phone.asks("Баланс")
    await phone.role("power").click()
    await phone.is_in("off")
    await expect(phone.role("dialog")).to_have_count(0)
    await expect(phone.role("power")).to_have_attribute("aria-label", "Включить")
    await table.esme.sms(RUSSIAN, "Are you there?", sender="900")
    await expect(phone.role("banner")).to_be_hidden()
    await phone.role("power").click()
    await phone.is_in("idle")
    await expect(phone.role("banner")).to_contain_text("Are you there?")
    await phone.dial("*105#")
    await phone.asks("Баланс")


async def test_the_screens_are_those_of_the_transcript(table: Table) -> None:
    phone = await table.phone()
    seen = []
    await phone.dial("*105#")
    seen.append(await phone.asks("Баланс"))
    for answer, words in (("3", "Каталог"), ("1", "Опций пока нет"), ("00", "Баланс")):
        await phone.answer(answer)
        seen.append(await phone.asks(words))
    await phone.answer("1")
    seen.append(await phone.shows("523,40"))
    async with table.api as api:
        transcript = (await api.get(f"/api/phones/{RUSSIAN}/transcript")).text
    assert _screens(transcript) == seen


def _screens(transcript: str) -> list[str]:
    """The screens of a transcript; each ends with its line about node and length."""
    screens, lines = [], []
    for line in transcript.splitlines():
        if line.startswith("< "):
            lines.append(line[2:])
        elif line.startswith("= "):
            screens.append("\n".join(lines))
            lines = []
    return screens


async def test_phones_are_put_on_the_table_and_taken_away(table: Table) -> None:
    page = await table.open(RUSSIAN)
    await page.locator("#add-number").fill("+7 926 000-00-02")
    await page.locator("[data-role=add]").click()
    other = Handset(page, ENGLISH)
    await other.is_there()
    await expect(other.role("number")).to_be_focused()
    await page.reload()
    await other.is_there()
    await other.role("remove").click()
    await expect(other.element).to_have_count(0)
    book = await panel(page, "book")
    entry = book.locator(f'[data-entry="{ENGLISH}"]')
    await expect(entry).to_contain_text("английский")
    await entry.locator("button").click()
    await other.is_there()
