"""The simulator as SMSC, Kannel's bearerbox as the ESME: what a phone sends reaches an HTTP service and is answered."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from smpp_sim.settings import Account
from smpp_sim.simulator import Simulator
from tests.peers import kannel_peer
from tests.peers.kannel_peer import Kannel, meta_data
from tests.peers.stage import simulator

EXAMPLE = Path(__file__).parents[2] / "examples/kannel/service.py"
MSISDN = "79260000003"
CYRILLIC = "Привет, ёж 😀"


@pytest.fixture(autouse=True)
def installed() -> None:
    if reason := kannel_peer.missing():
        pytest.skip(reason)


@contextlib.asynccontextmanager
async def bound(folder: Path) -> AsyncIterator[tuple[Simulator, Kannel]]:
    """Kannel bound to a simulator."""
    async with simulator() as centre, kannel_peer.running(centre.smpp_port, folder) as kannel:
        await centre.wait_bound("gw", 5)
        yield centre, kannel


async def test_sms(tmp_path: Path) -> None:
    """Both alphabets, both ways; Kannel writes an international number with a plus sign."""
    async with bound(tmp_path) as (centre, kannel):
        phone = centre.phone(MSISDN)
        phone.send_sms("000105", "Balance @ £5")
        asked = await kannel.service.asked()
        assert (asked.query["from"], asked.query["to"]) == (f"+{MSISDN}", "000105")
        assert asked.query["text"].encode("latin-1").decode() == "Balance @ £5"
        await asked.answer("{5 €}")
        sms = await phone.sms()
        assert (sms.sender, sms.text) == ("000105", "{5 €}")

        phone.send_sms("000105", "баланс")
        asked = await kannel.service.asked()
        assert asked.query["coding"] == "2"
        assert asked.query["text"].encode("latin-1").decode("utf-16-be") == "баланс"
        await asked.answer(CYRILLIC, Coding="2")
        assert (await phone.sms()).text == CYRILLIC


async def test_long_sms(tmp_path: Path) -> None:
    """Kannel puts our parts together, and we put its parts together."""
    async with bound(tmp_path) as (centre, kannel):
        phone = centre.phone(MSISDN)
        question = "Длинный вопрос. " * 12
        phone.send_sms("000105", question)
        asked = await kannel.service.asked()
        assert asked.query["text"].encode("latin-1").decode("utf-16-be") == question
        answer = "A long answer. " * 25
        await asked.answer(answer)
        sms = await phone.sms()
        assert (sms.text, sms.parts) == (answer, 3)


async def test_receipts(tmp_path: Path) -> None:
    """What Kannel sends is acknowledged (8: taken by the centre), then delivered (1), with the receipt's text."""
    async with bound(tmp_path) as (centre, kannel):
        phone = centre.phone(MSISDN)
        text = {"to": MSISDN, "text": "with a receipt", "receipt": "yes", "from": "000105"}
        assert (await kannel.send_sms(**text)).startswith("0: Accepted")
        assert (await phone.sms()).text == "with a receipt"
        taken = await kannel.service.asked("/receipt")
        await taken.answer()
        delivered = await kannel.service.asked("/receipt")
        await delivered.answer()
        assert (taken.query["state"], delivered.query["state"]) == ("8", "1")
        assert "stat:DELIVRD err:000" in delivered.query["text"]


async def test_ussd_dialogue(tmp_path: Path) -> None:
    """Dial, ask, answer, finish: the TLVs travel in Kannel's meta-data."""
    async with bound(tmp_path) as (centre, kannel):
        phone = centre.phone(MSISDN)
        phone.dial("*105#")
        dialled = await kannel.service.asked()
        assert (dialled.query["text"], dialled.query["to"], dialled.query["service"]) == (
            "*105#",
            "105",
            "USSD",
        )
        session, unit = dialled.tlvs["its_session_info"]
        assert (dialled.tlvs["ussd_service_op"], unit) == (b"\x01", 0)
        tlvs = meta_data(ussd_service_op=2, its_session_info=bytes([session, 2]))
        await dialled.answer("Опции\n1 Каталог", Coding="2", BInfo="USSD", Meta_Data=tlvs)
        box = await phone.screen()
        assert (box.kind, box.text) == ("ask", "Опции\n1 Каталог")

        phone.answer("1")
        answered = await kannel.service.asked()
        assert answered.query["text"] == "1"
        assert answered.tlvs == {"ussd_service_op": b"\x12", "its_session_info": bytes([session, 4])}
        tlvs = meta_data(ussd_service_op=17, its_session_info=bytes([session, 7]))
        await answered.answer("Done", BInfo="USSD", Meta_Data=tlvs)
        box = await phone.screen()
        assert (box.kind, box.text) == ("end", "Done")


@contextlib.asynccontextmanager
async def service_of_the_examples() -> AsyncIterator[int]:
    """Its port."""
    process = await asyncio.create_subprocess_exec(sys.executable, EXAMPLE, "0", stdout=PIPE, stderr=DEVNULL)
    try:
        assert process.stdout
        yield int((await process.stdout.readline()).split()[-1])
    finally:
        process.terminate()
        await process.wait()


async def test_the_service_of_the_examples(tmp_path: Path) -> None:
    async with (
        simulator() as centre,
        service_of_the_examples() as service,
        kannel_peer.boxes_for(service, centre.smpp_port, tmp_path),
    ):
        await centre.wait_bound("gw", 5)
        phone = centre.phone(MSISDN)
        for name, greeting in (("Ivan", "Hello, Ivan!"), ("", "Hello, you!")):
            phone.dial("*105#")
            assert (await phone.screen()).text == "What is your name?"
            phone.answer(name)
            box = await phone.screen()
            assert (box.kind, box.text) == ("end", greeting)
            phone.press_ok()
        phone.send_sms("000105", "hi")
        assert (await phone.sms()).text == "You wrote: hi"


async def test_a_password_that_is_wrong(tmp_path: Path) -> None:
    """S4: Kannel is refused, and says why."""
    other = (Account("gw", "another"),)
    async with simulator(accounts=other) as centre, kannel_peer.running(centre.smpp_port, tmp_path) as kannel:
        await kannel.bearerbox.said("Invalid Password")


async def test_kannel_comes_back(tmp_path: Path) -> None:
    """S6: it answers unbind and binds again a second later; what a phone sent meanwhile is delivered then."""
    async with bound(tmp_path) as (centre, kannel):
        for link in centre.centre.links:
            link.leave()
        centre.phone(MSISDN).send_sms("000105", "are you back?")
        asked = await kannel.service.asked()
        assert asked.query["text"] == "are you back?"
        await asked.answer()
