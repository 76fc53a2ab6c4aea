"""SMS over real sockets, one test for each PDU: what comes back, by which bind, in which command and order."""

import asyncio

import httpx
import pytest

from gateway.smpp import events
from gateway.smpp.pdu import (
    AlertNotification,
    BindReceiver,
    BindTransmitter,
    CancelSm,
    DataSm,
    DeliverSm,
    QuerySm,
    ReplaceSm,
    SmeAddress,
    SubmitMulti,
    SubmitSm,
    SubmitSmResp,
)
from gateway.smpp.receipts import read_receipt
from gateway.smpp.vocabulary import ESME_RCANCELFAIL, ESME_RINVMSGID, ESME_ROK, TLV_TAGS
from smpp_sim import remote
from smpp_sim.centre.held_phone import NothingCame
from smpp_sim.esme import SmpplibEsme
from smpp_sim.settings import Account
from smpp_sim.simulator import Simulator
from tests.unit.smpp_sim.sim_scene import WireEsme, scene, settings, until

IVAN, OLGA = "79260000003", "79260000007"
PAYLOAD = TLV_TAGS["message_payload"]
BY_DATA_SM = (Account("gw", "secret", deliver_by="data_sm"),)


@scene
async def test_a_waiting_message_is_asked_for_replaced_and_taken_back():
    async with Simulator(settings()) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        phone = sim.phone(IVAN)
        phone.switch_off()
        assert phone.state == "off"
        first = (await esme.sms(IVAN, "first")).message_id
        second = (await esme.sms(IVAN, "second")).message_id
        query = await esme.submit(QuerySm(message_id=first, source_addr="000110"))
        assert (query.message_id, query.message_state, query.final_date) == (first, 1, "")
        replaced = await esme.submit(
            ReplaceSm(message_id=first, source_addr="000110", short_message=b"better")
        )
        cancelled = await esme.submit(CancelSm(message_id=second, source_addr="000110"))
        assert (replaced.command_status, cancelled.command_status) == (ESME_ROK, ESME_ROK)
        phone.switch_on()
        assert (await phone.sms()).text == "better"
        with pytest.raises(NothingCame):
            await phone.sms(timeout_s=0)
        again = await esme.submit(CancelSm(message_id=second, source_addr="000110"))
        assert again.command_status == ESME_RCANCELFAIL
        await esme.cut()


@scene
async def test_a_schedule_and_a_validity_are_kept_by_the_clock():
    async with Simulator(settings(network={"sms_validity_s": 0.02})) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        phone, lost = sim.phone(IVAN), sim.phone(OLGA)
        lost.switch_off()
        await esme.sms(OLGA, "too late", registered_delivery=2)
        assert read_receipt(await esme.deliver_sm()).state == "EXPIRED"
        await esme.sms(IVAN, "in a second", schedule_delivery_time="000000000001000R")
        with pytest.raises(NothingCame):
            await phone.sms(timeout_s=0)
        assert (await phone.sms()).text == "in a second"
        await esme.cut()


@scene
async def test_submit_multi_reports_each_recipient():
    async with Simulator(settings()) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        phone, other = sim.phone(IVAN), sim.phone(OLGA)
        to = [SmeAddress(1, 1, IVAN), SmeAddress(1, 1, OLGA), SmeAddress(0, 0, "nobody")]
        response = await esme.submit(
            SubmitMulti(source_addr="000110", dest_addresses=to, short_message=b"all", registered_delivery=1)
        )
        assert [failed.destination_addr for failed in response.unsuccess_smes] == ["nobody"]
        assert (await phone.sms()).text == (await other.sms()).text == "all"
        receipts = [await esme.deliver_sm() for _ in range(2)]
        assert [pdu.source_addr for pdu in receipts] == [IVAN, OLGA]
        assert {read_receipt(pdu).message_id for pdu in receipts} == {response.message_id}
        await esme.cut()


@scene
async def test_a_receipt_goes_to_the_receiver_of_the_account():
    accounts = (Account("gw", "secret"), Account("bank", "money"))
    async with Simulator(settings(accounts=accounts)) as sim:
        stranger = await WireEsme.bind(sim.smpp_port, "bank", "money", pdu_class=BindReceiver)
        receiver = await WireEsme.bind(sim.smpp_port, pdu_class=BindReceiver)
        sender = await WireEsme.bind(sim.smpp_port, pdu_class=BindTransmitter)
        response = await sender.sms(IVAN, "text", registered_delivery=1)
        assert read_receipt(await receiver.deliver_sm()).message_id == response.message_id
        assert stranger.came[events.Request].empty()
        for esme in (stranger, receiver, sender):
            await esme.cut()


@pytest.mark.parametrize(
    ("receipt_first", "order"),
    [(True, [events.Request, events.Response]), (False, [events.Response, events.Request])],
)
@scene
async def test_W8_the_receipt_comes_before_the_response_if_the_settings_say_so(receipt_first, order):
    async with Simulator(settings(receipt_first=receipt_first)) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        kinds = []
        dispatch = esme.session.events

        def noted():
            happened = dispatch()
            kinds.extend(type(event) for event in happened)
            return happened

        esme.session.events = noted
        response = await esme.sms(IVAN, "text", registered_delivery=1)
        receipt = read_receipt(await esme.deliver_sm())
        assert isinstance(response, SubmitSmResp)
        assert (kinds, receipt.message_id) == (order, response.message_id)
        await esme.cut()


@scene
async def test_data_sm_both_ways():
    async with Simulator(settings(accounts=BY_DATA_SM)) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        phone = sim.phone(IVAN)
        tlvs = {PAYLOAD: b"down"}
        response = await esme.submit(
            DataSm(source_addr="000110", destination_addr=IVAN, registered_delivery=1, tlvs=tlvs)
        )
        assert (await phone.sms()).text == "down"
        receipt = await esme.deliver_sm()
        assert isinstance(receipt, DataSm)
        assert read_receipt(receipt).message_id == response.message_id
        phone.send_sms("000110", "привет")
        up = await esme.deliver_sm()
        assert isinstance(up, DataSm)
        assert (up.source_addr, up.tlvs[PAYLOAD].decode("utf-16-be")) == (IVAN, "привет")
        await esme.cut()


@scene
async def test_a_dialogue_in_data_sm():
    async with Simulator(settings(accounts=BY_DATA_SM)) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        phone = sim.phone(IVAN)
        phone.dial("*100#")
        begin = await esme.deliver_sm()
        assert isinstance(begin, DataSm)
        assert begin.tlvs[PAYLOAD] == b"*100#"
        tlvs = {
            PAYLOAD: b"5.40 RUB",
            TLV_TAGS["ussd_service_op"]: b"\x11",
            TLV_TAGS["its_session_info"]: bytes(
                [begin.tlvs[TLV_TAGS["its_session_info"]][0], 0x03]  # unit 1, the last one
            ),
        }
        response = await esme.submit(
            DataSm(service_type="USSD", source_addr="100", destination_addr=IVAN, tlvs=tlvs)
        )
        assert response.command_status == ESME_ROK
        screen = await phone.screen()
        assert (screen.kind, screen.text) == ("end", "5.40 RUB")
        await esme.cut()


@scene
async def test_alert_notification_tells_that_a_phone_is_back():
    async with Simulator(settings()) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        phone = sim.phone(IVAN)
        phone.switch_off()
        tlvs = {PAYLOAD: b"are you there?", TLV_TAGS["set_dpf"]: b"\x01"}
        response = await esme.submit(DataSm(source_addr="000110", destination_addr=IVAN, tlvs=tlvs))
        assert response.tlvs[TLV_TAGS["dpf_result"]] == b"\x01"
        phone.switch_on()
        notice = (await esme.next(events.Notice)).pdu
        assert isinstance(notice, AlertNotification)
        assert (notice.source_addr, notice.esme_addr) == (IVAN, "000110")
        assert len(sim.centre.network.queues["gw"]) == 0, "a notification has no response to wait for"
        await esme.cut()


@scene
async def test_the_owner_reads_and_the_sender_hears_of_it():
    async with Simulator(settings()) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        phone = sim.phone(IVAN)
        await esme.sms(IVAN, "please confirm", registered_delivery=0x08)
        phone.read()
        acknowledgement = await esme.deliver_sm()
        assert (acknowledgement.esm_class, acknowledgement.source_addr) == (0x10, IVAN)
        await esme.cut()


@scene
async def test_S10_an_older_esme_gets_deliver_sm_and_blocks_nobody_with_what_it_cannot_take():
    accounts = (Account("gw", "secret", deliver_by="data_sm", long_form="payload"),)
    async with Simulator(settings(accounts=accounts)) as sim:
        loop = asyncio.get_running_loop()
        _, esme = await loop.create_connection(WireEsme, "127.0.0.1", sim.smpp_port)
        esme.send(BindReceiver(system_id="gw", password="secret", interface_version=0x33))
        await esme.next(events.Bound)
        sim.phone(IVAN).send_sms("000110", "a" * 300)
        sim.phone(IVAN).send_sms("000110", "text")
        assert isinstance(pdu := await esme.deliver_sm(), DeliverSm)
        assert pdu.short_message == b"text"
        await until(lambda: not sim.centre.network.queues["gw"])
        await esme.cut()


@scene
async def test_smpplib_queries_what_it_sent():
    """An independent stack gets the same id, in the receipt too."""
    async with Simulator(settings()) as sim:

        def talk():
            with SmpplibEsme("127.0.0.1", sim.smpp_port) as esme:
                (message_id,) = esme.submit("000110", IVAN, "text", receipt=True)
                return message_id, esme.receive()

        message_id, receipt = await asyncio.to_thread(talk)
        assert receipt.is_receipt
        assert f"id:{message_id} " in receipt.text


# --- the control API ----------------------------------------------------------------------------------------------


@scene
async def test_phones_are_switched_and_messages_listed_over_http():
    async with Simulator(settings()) as sim, httpx.AsyncClient(base_url=sim.url, trust_env=False) as http:
        esme = await WireEsme.bind(sim.smpp_port)
        state = await asyncio.to_thread(remote.switch, sim.url, IVAN, on=False)
        assert state["state"] == "off"
        message_id = (await esme.sms(IVAN, "text", registered_delivery=1)).message_id
        (message,) = await asyncio.to_thread(remote.sent_messages, sim.url)
        assert (message["id"], message["copies"][0]["state"]) == (message_id, "ENROUTE")
        assert message["expires"] > message["submitted"]
        ended = await http.post(f"/api/messages/{message_id}", json={"state": "REJECTED"})
        assert ended.json()["copies"][0]["state"] == "REJECTED"
        assert read_receipt(await esme.deliver_sm()).state == "REJECTD"
        assert (await http.post(f"/api/phones/{IVAN}/on", json={})).json()["state"] == "idle"
        await esme.cut()


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("GET", "/api/messages/ffffffff", None, 404, "no such message"),
        ("POST", "/api/messages/ffffffff", {"state": "REJECTED"}, 404, "no such message"),
        ("POST", "/api/messages/00000001", {"state": "LOST"}, 400, "it can as EXPIRED, DELETED"),
        ("POST", "/api/messages/00000001", {"state": "REJECTED"}, 409, "is DELIVERED already"),
        ("GET", "/api/messages?limit=many", None, 400, "limit must be a number"),
        ("DELETE", "/api/messages/00000001", None, 405, "that method"),
        ("POST", f"/api/phones/{OLGA}/read", None, 409, "switched off"),
    ],
)
@scene
async def test_what_cannot_be_asked_of_messages_is_said(method, path, body, status, says):
    async with Simulator(settings()) as sim, httpx.AsyncClient(base_url=sim.url, trust_env=False) as http:
        esme = await WireEsme.bind(sim.smpp_port)
        sim.phone(OLGA).switch_off()
        await esme.sms(IVAN, "text")
        answer = await http.request(method, path, json=body)
        assert answer.status_code == status
        assert says in answer.json()["error"]
        await esme.cut()


@scene
async def test_a_question_about_a_message_of_another_account():
    accounts = (Account("gw", "secret"), Account("bank", "money"))
    async with Simulator(settings(accounts=accounts)) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        other = await WireEsme.bind(sim.smpp_port, "bank", "money")
        message_id = (await esme.submit(SubmitSm(destination_addr=IVAN))).message_id
        assert (await other.submit(QuerySm(message_id=message_id))).command_status == ESME_RINVMSGID
        await esme.cut()
        await other.cut()
