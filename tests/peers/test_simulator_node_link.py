"""The simulator as SMSC, node-smpp as the ESME: how a link begins and ends, and the rarer commands."""

import pytest
from smpplib import consts

from tests.peers.node_esme import ACCOUNT, CYRILLIC, MSISDN, bound, delivered, submitted
from tests.peers.node_peer import Node
from tests.peers.stage import simulator

# --- bind and unbind


@pytest.mark.parametrize("bind", ["bind_transceiver", "bind_receiver", "bind_transmitter"])
async def test_bind_and_unbind(node: Node, bind: str) -> None:
    """S6: unbind_resp comes before the close."""
    async with simulator() as centre, node.esme(centre.smpp_port) as esme:
        response = await esme.ask(bind, **ACCOUNT)
        assert response["command_status"] == consts.SMPP_ESME_ROK
        assert response["sc_interface_version"] == 0x34
        await centre.wait_bound("gw", 5)
        assert (await esme.ask("unbind"))["command_status"] == consts.SMPP_ESME_ROK
        await esme.closed()


async def test_wrong_credentials(node: Node) -> None:
    """S4: each has its status, the session lives for another try, and the third wrong one is the last."""
    async with simulator() as centre, node.esme(centre.smpp_port) as esme:
        wrong = {**ACCOUNT, "password": "Secret"}
        stranger = {**ACCOUNT, "system_id": "nobody"}
        for account, status in [
            (wrong, consts.SMPP_ESME_RINVPASWD),
            (stranger, consts.SMPP_ESME_RINVSYSID),
            (wrong, consts.SMPP_ESME_RINVPASWD),
        ]:
            response = await esme.ask("bind_transceiver", **account)
            assert response["command_status"] == status
        await esme.closed()


async def test_right_password_after_a_wrong_one(node: Node) -> None:
    async with simulator() as centre, node.esme(centre.smpp_port) as esme:
        response = await esme.ask("bind_transceiver", **{**ACCOUNT, "password": ""})
        assert response["command_status"] == consts.SMPP_ESME_RINVPASWD
        response = await esme.ask("bind_transceiver", **ACCOUNT)
        assert response["command_status"] == consts.SMPP_ESME_ROK


async def test_out_of_state(node: Node) -> None:
    """S1, S2, S3, S5: what is not legal now is refused, and the session lives."""
    async with simulator() as centre, node.esme(centre.smpp_port) as esme:
        await esme.nothing_came()
        response = await esme.ask("submit_sm", destination_addr=MSISDN, short_message="too early")
        assert response["command_status"] == consts.SMPP_ESME_RINVBNDSTS
        await esme.ask("bind_receiver", **ACCOUNT)
        response = await esme.ask("bind_transceiver", **ACCOUNT)
        assert response["command_status"] == consts.SMPP_ESME_RALYBND
        response = await esme.ask("submit_sm", destination_addr=MSISDN, short_message="a receiver")
        assert response["command_status"] == consts.SMPP_ESME_RINVBNDSTS
        centre.phone(MSISDN).send_sms("000100", "still there?")
        assert (await delivered(esme))["source_addr"] == MSISDN


async def test_simulator_unbinds(node: Node) -> None:
    """S6, the other way: the simulator waits for unbind_resp, then closes."""
    centre = simulator()
    await centre.start()
    async with bound(node, centre) as esme:
        await centre.stop()
        await esme.next("unbind")
        await esme.closed()


async def test_simulator_asks_for_life(node: Node) -> None:
    """S5: its second question comes only because the first one was answered."""
    async with simulator(enquire_link_s=0.05) as centre, bound(node, centre) as esme:
        for _ in range(2):
            esme.respond(await esme.next("enquire_link"))


# --- the other commands


async def test_query_sm(node: Node) -> None:
    async with simulator() as centre, bound(node, centre) as esme:
        message_id = await submitted(esme, destination_addr=MSISDN, short_message="where am I?")
        response = await esme.ask("query_sm", message_id=message_id)
        assert (response["message_id"], response["message_state"]) == (message_id, 2)
        response = await esme.ask("query_sm", message_id="unheard of")
        assert response["command_status"] == consts.SMPP_ESME_RINVMSGID


async def test_submit_multi(node: Node) -> None:
    async with simulator() as centre, bound(node, centre) as esme:
        numbers = ["79260000001", "79260000002"]
        phones = [centre.phone(number) for number in numbers]
        response = await esme.ask(
            "submit_multi",
            source_addr="000100",
            dest_address=[{"destination_addr": number} for number in [*numbers, "nobody"]],
            short_message="to all",
        )
        failed = [(one["destination_addr"], one["error_status_code"]) for one in response["unsuccess_sme"]]
        assert failed == [("nobody", consts.SMPP_ESME_RINVDSTADR)]
        assert [(await phone.sms()).text for phone in phones] == ["to all", "to all"]


async def test_data_sm(node: Node) -> None:
    async with simulator() as centre, bound(node, centre) as esme:
        phone = centre.phone(MSISDN)
        response = await esme.ask(
            "data_sm", destination_addr=MSISDN, data_coding=8, message_payload={"message": CYRILLIC}
        )
        assert response["message_id"]
        assert (await phone.sms()).text == CYRILLIC


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("cancel_sm", consts.SMPP_ESME_RCANCELFAIL),
        ("replace_sm", consts.SMPP_ESME_RREPLACEFAIL),
    ],
)
async def test_no_such_message(node: Node, command: str, status: int) -> None:
    async with simulator() as centre, bound(node, centre) as esme:
        assert (await esme.ask(command, message_id="1"))["command_status"] == status


async def test_replace_and_cancel(node: Node) -> None:
    """Two messages wait for a phone that is off: one is replaced, one is taken back."""
    async with simulator() as centre, bound(node, centre) as esme:
        phone = centre.phone(MSISDN)
        phone.switch_off()
        to = {"source_addr": "000110", "destination_addr": MSISDN}
        first, second = [await submitted(esme, short_message=text, **to) for text in ("good", "bad")]
        assert (await esme.ask("query_sm", message_id=first, source_addr="000110"))["message_state"] == 1
        replaced = await esme.ask(
            "replace_sm", message_id=first, source_addr="000110", short_message="better"
        )
        cancelled = await esme.ask("cancel_sm", message_id=second, **to)
        assert (replaced["command_status"], cancelled["command_status"]) == (0, 0)
        phone.switch_on()
        assert (await phone.sms()).text == "better"
        assert (await esme.ask("query_sm", message_id=second, source_addr="000110"))["message_state"] == 4


async def test_alert_notification(node: Node) -> None:
    """set_dpf asks for it; it comes when the phone is back, and has no response."""
    async with simulator() as centre, bound(node, centre) as esme:
        phone = centre.phone(MSISDN)
        phone.switch_off()
        response = await esme.ask(
            "data_sm",
            source_addr="000110",
            destination_addr=MSISDN,
            message_payload={"message": "are you there?"},
            set_dpf=1,
        )
        assert response["dpf_result"] == 1
        phone.switch_on()
        notice = await esme.next("alert_notification")
        assert (notice["source_addr"], notice["esme_addr"]) == (MSISDN, "000110")
        await esme.nothing_came()


async def test_unknown_command(node: Node) -> None:
    """F3: a command of SMPP 5.0 is unknown here: generic_nack with its sequence number, and the session lives."""
    async with simulator() as centre, bound(node, centre) as esme:
        esme.send("broadcast_sm", message_id="1", sequence_number=0x1234)
        nack = await esme.next("generic_nack")
        assert (nack["command_status"], nack["sequence_number"]) == (consts.SMPP_ESME_RINVCMDID, 0x1234)
        await esme.nothing_came()
