"""`starpound dial` and `starpound sms` without their terminal; and the tester's ESME on smpplib."""

import asyncio
import contextlib
import socket

import pytest

from menus.turns import Answer
from smpp_sim import remote
from smpp_sim.esme import EsmeError, SmpplibEsme
from smpp_sim.settings import Account, SimulatorError
from smpp_sim.simulator import Simulator
from tests.unit.smpp_sim.sim_scene import SPEC, WireEsme, scene, settings

IVAN = "79260000003"


@contextlib.asynccontextmanager
async def service():
    """A simulator with an application behind it: *100# a balance, *105# a menu, any SMS a reply."""
    async with Simulator(settings()) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        serving = asyncio.create_task(serve(esme))
        yield sim
        serving.cancel()
        await esme.cut()


async def serve(esme):
    while True:
        pdu = await esme.deliver_sm()
        if not SPEC.is_ussd(pdu):
            await esme.sms(pdu.source_addr, "Thank you", sender=pdu.destination_addr)
            continue
        turn = SPEC.read(pdu)
        if isinstance(turn.turn, Answer):
            await esme.show(turn, f"You chose {turn.turn.text or 'OK'}", "finish")
        elif pdu.short_message == b"*100#":
            await esme.show(turn, "5 RUB", "finish")
        elif pdu.short_message == b"*105#":
            await esme.show(turn, "1 Balance")


@scene
async def test_dialling_shows_the_screens():
    async with service() as sim:
        talk = await asyncio.to_thread(remote.dial, sim.url, IVAN, "*100#")
        assert [(screen.kind, screen.text) for screen in talk.screens] == [("end", "5 RUB")]
        assert talk.problem == ""
        assert sim.phone(IVAN).state == "idle"


@scene
async def test_answers_are_given_in_turn():
    async with service() as sim:
        talk = await asyncio.to_thread(remote.dial, sim.url, IVAN, "*105#", [""])
        assert [screen.text for screen in talk.screens] == ["1 Balance", "You chose OK"]
        assert talk.answers == [""]


@scene
async def test_a_person_may_answer():
    seen = []
    async with service() as sim:
        talk = await asyncio.to_thread(
            lambda: remote.dial(sim.url, IVAN, "*105#", ask=lambda screen: "7", shown=seen.append)
        )
        assert talk.screens == seen
        assert talk.screens[-1].text == "You chose 7"


@scene
async def test_without_answers_the_dialogue_is_cancelled():
    async with service() as sim:
        talk = await asyncio.to_thread(remote.dial, sim.url, IVAN, "*105#")
        assert [screen.text for screen in talk.screens] == ["1 Balance"]
        assert talk.problem == ""
        assert sim.phone(IVAN).state == "idle"


@scene
async def test_what_the_phone_showed_before_is_cleared():
    async with service() as sim:
        sim.phone(IVAN).dial("*105#")
        talk = await asyncio.to_thread(remote.dial, sim.url, IVAN, "*100#")
        assert [screen.text for screen in talk.screens] == ["5 RUB"]


@scene
async def test_a_code_of_the_network_is_no_answer():
    async with service() as sim:
        talk = await asyncio.to_thread(remote.dial, sim.url, IVAN, "**21*79260000007#")
        assert "Call forwarding" in talk.problem


@scene
async def test_nothing_is_waited_for_where_nobody_is_bound():
    async with Simulator(settings()) as sim:
        talk = await asyncio.to_thread(remote.dial, sim.url, IVAN, "*100#")
        assert (
            talk.problem
            == f"no application is bound to the simulator at {sim.url}; start one: starpound serve"
        )
        assert talk.screens == []
        assert sim.phone(IVAN).state == "idle"


@scene
async def test_an_application_that_binds_when_it_is_asked_to_is_somebody():
    account = Account("gw", "secret", outbind="127.0.0.1:1")
    async with Simulator(settings(accounts=(account,))) as sim:
        with remote.RemotePhone(sim.url, IVAN, "") as phone:
            assert await asyncio.to_thread(phone.somebody_answers)


@scene
async def test_an_sms_and_its_answer():
    async with service() as sim:
        talk = await asyncio.to_thread(remote.send_sms, sim.url, IVAN, "000110")
        assert [(sms.sender, sms.text) for sms in talk.messages] == [("000110", "Thank you")]
        assert talk.problem == ""


@scene
async def test_no_sms_comes_back():
    async with Simulator(settings()) as sim:
        talk = await asyncio.to_thread(remote.send_sms, sim.url, IVAN, "000110", "", wait_s=0)
        assert talk.problem == "no SMS came within 0 s"
        assert await asyncio.to_thread(remote.links, sim.url) == []


@scene
async def test_what_is_refused_is_said():
    async with Simulator(settings()) as sim:
        with pytest.raises(SimulatorError, match="a call, not a code"):
            await asyncio.to_thread(remote.dial, sim.url, IVAN, "12")
        with pytest.raises(SimulatorError, match="'ivan' is no phone number"):
            await asyncio.to_thread(remote.dial, sim.url, "ivan", "*100#")
        with pytest.raises(SimulatorError, match="no phone number"):
            await asyncio.to_thread(remote.dial, sim.url, "#?", "*100#")


def test_no_simulator_there():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(SimulatorError, match=f"no simulator at http://127.0.0.1:{port} .*starpound sim"):
        remote.dial(f"http://127.0.0.1:{port}", IVAN, "*100#")


@pytest.mark.parametrize("url", ["127.0.0.1:8105", "http://[", "ftp://127.0.0.1", ""])
def test_no_address_of_a_simulator(url):
    with pytest.raises(SimulatorError):
        remote.dial(url, IVAN, "*100#")


# --- the tester's ESME --------------------------------------------------------------------------------------------


@scene
async def test_smpplib_binds_receives_and_submits():
    def talk(port):
        with SmpplibEsme("127.0.0.1", port) as esme:
            received = esme.receive()
            ids = esme.submit("000110", received.source, "Пароль: " + "x" * 100, receipt=True)
            receipts = [esme.receive() for _ in ids]
            return received, ids, receipts

    async with Simulator(settings()) as sim:
        phone = sim.phone(IVAN)
        phone.send_sms("000110", "привет")
        received, ids, receipts = await asyncio.to_thread(talk, sim.smpp_port)
        assert (received.source, received.destination, received.text) == (IVAN, "000110", "привет")
        sms = await phone.sms()
        assert (sms.text, sms.parts) == ("Пароль: " + "x" * 100, 2)
        assert all(receipt.is_receipt for receipt in receipts)
        assert [f"id:{one}" in receipt.text for one, receipt in zip(ids, receipts, strict=True)] == [
            True,
            True,
        ]


@scene
async def test_smpplib_is_told_what_is_wrong():
    def refused(port):
        with pytest.raises(EsmeError, match="Invalid Password"):
            SmpplibEsme("127.0.0.1", port, password="wrong").connect()
        with (
            SmpplibEsme("127.0.0.1", port, bind="transmitter") as esme,
            pytest.raises(EsmeError, match="0x0000000b"),
        ):
            esme.submit("000110", "nobody", "hello")
        with (
            SmpplibEsme("127.0.0.1", port) as esme,
            pytest.raises(EsmeError, match="no deliver_sm came within 0 s"),
        ):
            esme.receive(0)

    async with Simulator(settings()) as sim:
        await asyncio.to_thread(refused, sim.smpp_port)


@scene
async def test_smpplib_cannot_read_ussd_and_says_so():
    def receive(port):
        with (
            SmpplibEsme("127.0.0.1", port) as esme,
            pytest.raises(EsmeError, match="USSD needs another ESME"),
        ):
            esme.receive()

    async with Simulator(settings()) as sim:
        sim.phone(IVAN).dial("*100#")
        await asyncio.to_thread(receive, sim.smpp_port)


@scene
async def test_an_esme_that_was_killed_gets_its_sms_again():
    def killed(port):
        esme = SmpplibEsme("127.0.0.1", port)
        esme.connect()
        esme.status = 0x58
        first = esme.receive()
        esme.cut()
        return first

    def restarted(port):
        with SmpplibEsme("127.0.0.1", port) as esme:
            return esme.receive()

    async with Simulator(settings()) as sim:
        sim.phone(IVAN).send_sms("000110", "once")
        first = await asyncio.to_thread(killed, sim.smpp_port)
        again = await asyncio.to_thread(restarted, sim.smpp_port)
        assert first.text == again.text == "once"


def test_no_smsc_there():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(EsmeError, match="refused"):
        SmpplibEsme("127.0.0.1", port).connect()
