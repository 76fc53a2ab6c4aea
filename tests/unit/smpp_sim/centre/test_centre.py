"""The centre on real sockets: binds, turns, SMS, receipts, redelivery, the end."""

import asyncio
import contextlib
import socket

import pytest

from gateway.smpp import events
from gateway.smpp.pdu import (
    BindReceiver,
    BindTransmitter,
    CancelSm,
    DataSm,
    QuerySm,
    ReplaceSm,
    SmeAddress,
    SubmitMulti,
    SubmitSm,
    encode,
)
from gateway.smpp.receipts import read_receipt
from gateway.smpp.text import segments
from gateway.smpp.vocabulary import (
    ESME_RBINDFAIL,
    ESME_RCANCELFAIL,
    ESME_RINVDSTADR,
    ESME_RINVMSGID,
    ESME_RINVPASWD,
    ESME_RINVSYSID,
    ESME_ROK,
    ESME_RREPLACEFAIL,
)
from menus.turns import Abort, Answer, Begin
from smpp_sim.centre.held_phone import NothingCame
from smpp_sim.phones.handset import NotPossible
from smpp_sim.settings import Account, SimulatorError
from smpp_sim.simulator import Simulator
from tests.unit.smpp_sim.sim_scene import SPEC, WireEsme, scene, settings

IVAN, OLGA = "79260000003", "79260000007"


@scene
async def test_a_code_goes_out_and_a_screen_comes_back():
    async with Simulator(settings()) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        await sim.wait_bound("gw")
        phone = sim.phone(IVAN)
        phone.dial("*105*00#")
        begin = await esme.turn()
        assert begin.turn == Begin("*105*00#")
        await esme.show(begin, "Ваш запрос обрабатывается. Нажмите OK")
        screen = await phone.screen()
        assert (screen.kind, screen.alphabet, screen.used, screen.allowed) == ("ask", "ucs2", 37, 80)
        phone.press_ok()
        answer = await esme.turn()
        assert answer.turn == Answer("")
        await esme.show(answer, "Пароль отправлен.", "finish")
        assert (await phone.screen()).kind == "end"
        phone.press_ok()
        assert phone.state == "idle"
        await esme.cut()


@scene
async def test_two_phones_at_once_do_not_meet():
    async with Simulator(settings()) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        phones = {number: sim.phone(number) for number in (IVAN, OLGA)}
        for phone in phones.values():
            phone.dial("*100#")
        for _ in phones:
            begin = await esme.turn()
            await esme.show(begin, f"for {begin.msisdn}", "finish")
        for number, phone in phones.items():
            assert (await phone.screen()).text == f"for {number}"
        await esme.cut()


@scene
async def test_a_turn_that_was_not_acknowledged_is_delivered_to_the_next_bind_in_order():
    async with Simulator(settings()) as sim:
        dead = await WireEsme.bind(sim.smpp_port, acknowledges=False)
        phone, other = sim.phone(IVAN), sim.phone(OLGA)
        phone.dial("*100#")
        other.dial("*105#")
        phone.send_sms("000110")
        before = [await dead.deliver_sm() for _ in range(3)]
        await dead.cut()
        other.send_sms("000110", "while nobody was there")
        esme = await WireEsme.bind(sim.smpp_port)
        after = [await esme.deliver_sm() for _ in range(4)]
        same = [(pdu.source_addr, pdu.short_message, pdu.tlvs) for pdu in before]
        assert [(pdu.source_addr, pdu.short_message, pdu.tlvs) for pdu in after[:3]] == same
        assert after[3].short_message == b"while nobody was there"
        await esme.show(SPEC.read(after[0]), "5 руб.", "finish")
        assert (await phone.screen()).text == "5 руб."
        await esme.cut()


@scene
async def test_what_was_acknowledged_is_not_delivered_again():
    async with Simulator(settings()) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        phone = sim.phone(IVAN)
        phone.send_sms("000110", "one")
        await esme.deliver_sm()
        await esme.unbind()
        phone.send_sms("000110", "two")
        again = await WireEsme.bind(sim.smpp_port)
        assert (await again.deliver_sm()).short_message == b"two"
        await again.cut()


@scene
async def test_a_response_that_is_lost_brings_the_turn_again_on_the_same_link():
    async with Simulator(settings(response_s=0.05)) as sim:
        esme = await WireEsme.bind(sim.smpp_port, acknowledges=False)
        sim.phone(IVAN).dial("*100#")
        first = await esme.deliver_sm()
        again = await esme.deliver_sm()
        assert (first.tlvs, first.short_message) == (again.tlvs, again.short_message)
        assert first.sequence_number != again.sequence_number
        await esme.cut()


@scene
async def test_a_receiver_and_a_transmitter_are_one_application():
    async with Simulator(settings()) as sim:
        receiver = await WireEsme.bind(sim.smpp_port, pdu_class=BindReceiver)
        sender = await WireEsme.bind(sim.smpp_port, pdu_class=BindTransmitter)
        phone = sim.phone(IVAN)
        phone.dial("*100#")
        begin = await receiver.turn()
        await sender.show(begin, "5 руб.", "finish")
        assert (await phone.screen()).text == "5 руб."
        await receiver.cut()
        await sender.cut()


@scene
async def test_the_window_towards_an_application_is_kept():
    async with Simulator(settings(window=2)) as sim:
        esme = await WireEsme.bind(sim.smpp_port, acknowledges=False)
        for number in range(5):
            sim.phone(IVAN).send_sms("000110", str(number))
        came = [await esme.deliver_sm(), await esme.deliver_sm()]
        assert esme.came[events.Request].empty()
        for number in range(3):
            esme.session.acknowledge(came.pop(0))
            esme.flush()
            came.append(await esme.deliver_sm())
            assert came[-1].short_message == str(number + 2).encode()
        await esme.cut()


@scene
async def test_an_sms_arrives_and_its_receipt_goes_back():
    async with Simulator(settings()) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        phone = sim.phone(IVAN)
        response = await esme.sms(IVAN, "Your password", registered_delivery=1)
        assert response.command_status == ESME_ROK
        sms = await phone.sms()
        assert (sms.sender, sms.text) == ("000110", "Your password")
        pdu = await esme.deliver_sm()
        receipt = read_receipt(pdu)
        assert (receipt.message_id, receipt.state, receipt.delivered) == (response.message_id, "DELIVRD", 1)
        assert (pdu.source_addr, pdu.destination_addr) == (IVAN, "000110")
        query = await esme.submit(QuerySm(message_id=response.message_id))
        assert (query.command_status, query.message_state) == (ESME_ROK, 2)
        await esme.cut()


@scene
async def test_a_receipt_is_sent_only_when_it_is_wanted():
    async with Simulator(settings()) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        await esme.sms(IVAN, "no receipt")
        await esme.sms(IVAN, "only when it fails", registered_delivery=2)
        sim.phone(IVAN).send_sms("000110", "marker")
        assert (await esme.deliver_sm()).short_message == b"marker"
        await esme.cut()


@scene
async def test_a_long_sms_is_put_together_whatever_the_order():
    text = "Уважаемый абонент! " * 9
    async with Simulator(settings()) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        phone = sim.phone(IVAN)
        parts = segments(text, "ucs2", 0)
        for part in [parts[-1], *parts]:
            pdu = SubmitSm(
                source_addr="000110",
                destination_addr=IVAN,
                esm_class=0x40,
                data_coding=8,
                short_message=part,
            )
            await esme.submit(pdu)
        sms = await phone.sms()
        assert (sms.text, sms.parts) == (text, len(parts))
        await esme.cut()


@scene
async def test_a_phone_sends_a_long_sms_in_parts():
    async with Simulator(settings()) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        sim.phone(IVAN).send_sms("0500", "a" * 200)
        parts = [await esme.deliver_sm() for _ in range(2)]
        assert all(part.esm_class & 0x40 for part in parts)
        assert "".join(part.short_message[6:].decode() for part in parts) == "a" * 200
        await esme.cut()


@scene
async def test_sar_parts_and_payloads_and_many_recipients():
    async with Simulator(settings()) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        phone, other = sim.phone(IVAN), sim.phone(OLGA)
        for number, text in ((1, b"first "), (2, b"second")):
            tlvs = {0x020C: b"\x00\x07", 0x020E: b"\x02", 0x020F: bytes([number])}
            await esme.submit(SubmitSm(destination_addr=IVAN, short_message=text, tlvs=tlvs))
        assert (await phone.sms()).text == "first second"
        await esme.submit(DataSm(destination_addr=IVAN, tlvs={0x0424: b"payload"}))
        assert (await phone.sms()).text == "payload"
        to = [SmeAddress(1, 1, IVAN), SmeAddress(1, 1, OLGA), SmeAddress(0, 0, "nobody")]
        response = await esme.submit(SubmitMulti(dest_addresses=to, short_message=b"all"))
        assert [failed.destination_addr for failed in response.unsuccess_smes] == ["nobody"]
        assert (await phone.sms()).text == (await other.sms()).text == "all"
        await esme.cut()


@scene
async def test_every_request_is_answered():
    async with Simulator(settings()) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        expected = [
            (QuerySm(message_id="ffffffff"), ESME_RINVMSGID),
            (CancelSm(message_id="1"), ESME_RCANCELFAIL),
            (ReplaceSm(message_id="1"), ESME_RREPLACEFAIL),
            (SubmitSm(destination_addr="+", short_message=b"x"), ESME_RINVDSTADR),
        ]
        for pdu, status in expected:
            assert (await esme.submit(pdu)).command_status == status
        await esme.cut()


@pytest.mark.parametrize(
    ("account", "one_error", "status"),
    [
        (("gw", "wrong"), False, ESME_RINVPASWD),
        (("who", "secret"), False, ESME_RINVSYSID),
        (("who", "secret"), True, ESME_RBINDFAIL),
        (("gw", "wrong"), True, ESME_RBINDFAIL),
    ],
)
@scene
async def test_who_is_not_known_does_not_get_in(account, one_error, status):
    async with Simulator(settings(one_bind_error=one_error)) as sim:
        with pytest.raises(ConnectionRefusedError) as refused:
            await WireEsme.bind(sim.smpp_port, *account)
        assert refused.value.args[0].status == status


@scene
async def test_several_applications_each_get_their_own():
    accounts = (Account("gw", "secret"), Account("bank", "money", serves=("900",)))
    async with Simulator(settings(accounts=accounts)) as sim:
        gateway = await WireEsme.bind(sim.smpp_port)
        bank = await WireEsme.bind(sim.smpp_port, "bank", "money")
        sim.phone(IVAN).dial("*900#")
        sim.phone(OLGA).dial("*100#")
        assert (await bank.turn()).msisdn == IVAN
        assert (await gateway.turn()).msisdn == OLGA
        await bank.cut()
        await gateway.cut()


@pytest.mark.parametrize(
    "noise",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xff" * 64,
        b"\x00\x00\x00\x10\x00\x00\x00\x99\x00\x00\x00\x00\x00\x00\x00\x01",
    ],
)
@scene
async def test_nonsense_from_one_peer_costs_the_others_nothing(noise):
    async with Simulator(settings(session_init_s=0.2)) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        reader, writer = await asyncio.open_connection("127.0.0.1", sim.smpp_port)
        writer.write(noise)
        await reader.read()
        writer.close()
        sim.phone(IVAN).dial("*100#")
        assert (await esme.turn()).turn == Begin("*100#")
        await esme.cut()


@scene
async def test_connections_are_bounded():
    async with Simulator(settings(max_connections=1)) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        reader, writer = await asyncio.open_connection("127.0.0.1", sim.smpp_port)
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
        await esme.cut()


@scene
async def test_the_stop_unbinds():
    sim = Simulator(settings())
    await sim.start()
    esme = await WireEsme.bind(sim.smpp_port)
    await sim.stop()
    await esme.gone
    assert isinstance(await esme.next(events.UnbindRequest), events.UnbindRequest)


@scene
async def test_the_stop_does_not_wait_for_ever_for_a_peer_that_is_silent():
    sim = Simulator(settings(stop_s=0.05))
    await sim.start()
    _, writer = await asyncio.open_connection("127.0.0.1", sim.smpp_port)
    bind = BindReceiver(system_id="gw", password="secret", interface_version=0x34, sequence_number=1)
    writer.write(encode(bind))
    await sim.wait_bound("gw")
    await sim.stop()
    writer.close()


@pytest.mark.parametrize(
    ("port_of", "who"), [("smpp_port", "SMPP"), ("http_port", "control API"), ("smtp_port", "mailbox")]
)
@scene
async def test_a_port_in_use_is_one_clear_line(port_of, who):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SimulatorError, match=f"{who}: cannot listen on 127.0.0.1:{port}: .*in use"):
            await Simulator(settings(**{port_of: port})).start()


@scene
async def test_a_cancel_reaches_the_application():
    async with Simulator(settings()) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        phone = sim.phone(IVAN)
        phone.dial("*105#")
        await esme.show(await esme.turn(), "1 Balance")
        await phone.screen()
        phone.cancel()
        assert isinstance((await esme.turn()).turn, Abort)
        with pytest.raises(NotPossible):
            phone.lose()
        await esme.cut()


@scene
async def test_an_application_that_is_silent_leaves_an_error_on_the_phone():
    async with Simulator(settings(network={"answer_s": 0.05})) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        phone = sim.phone(IVAN)
        phone.dial("*100#")
        assert (await phone.screen()).kind == "error"
        assert (await esme.turn()).turn == Begin("*100#")
        assert isinstance((await esme.turn()).turn, Abort)
        await esme.cut()


@scene
async def test_what_did_not_come_is_explained():
    async with Simulator(settings()) as sim:
        phone = sim.phone(IVAN)
        phone.dial("*100#")
        with pytest.raises(NothingCame, match=r"no screen .* running, bound is nobody, .* running \*100#"):
            await phone.screen(timeout_s=0)
        with pytest.raises(NothingCame, match="gw did not bind"):
            await sim.wait_bound("gw", timeout_s=0)


@scene
async def test_an_application_of_an_older_version_gets_no_tlvs():
    async with Simulator(settings()) as sim:
        loop = asyncio.get_running_loop()
        _, esme = await loop.create_connection(WireEsme, "127.0.0.1", sim.smpp_port)
        esme.send(BindReceiver(system_id="gw", password="secret", interface_version=0x33))
        await esme.next(events.Bound)
        sim.phone(IVAN).dial("*100#")
        assert (await esme.deliver_sm()).tlvs == {}
        await esme.cut()


def test_it_runs_on_uvloop_too():
    uvloop = pytest.importorskip("uvloop")

    async def dialogues():
        async with asyncio.timeout(10), Simulator(settings(network={"answer_s": 0.05})) as sim:
            esme = await WireEsme.bind(sim.smpp_port)
            phone = sim.phone(IVAN)
            for _ in range(100):  # long enough for timers of dialogues that are over to run out
                phone.dial("*100#")
                await esme.show(await esme.turn(), "5 руб.", "finish")
                assert (await phone.screen()).kind == "end"
                phone.press_ok()
            phone.dial("*100#")
            assert (await phone.screen()).kind == "error"
            await esme.cut()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(dialogues())
