"""The simulator as SMSC, smpplib's client as the ESME. It blocks, so its calls wait in a thread."""

import asyncio
import contextlib
from asyncio import to_thread
from collections.abc import AsyncIterator
from typing import Any

import pytest
from smpplib import consts, exceptions, gsm, smpp
from smpplib.client import Client
from smpplib.command import Command

from smpp_sim.simulator import Simulator
from tests.peers.stage import simulator

ACCOUNT = {"system_id": "gw", "password": "secret"}
MSISDN = "79260000003"
WAIT_S = 30


@contextlib.asynccontextmanager
async def esme(centre: Simulator) -> AsyncIterator[Client]:
    """A client that is connected, not yet bound."""
    client = Client("127.0.0.1", centre.smpp_port, timeout=WAIT_S, allow_unknown_opt_params=True)
    await to_thread(client.connect)
    try:
        yield client
    finally:
        client.state = consts.SMPP_CLIENT_STATE_OPEN  # what disconnect wants to see
        client.disconnect()


@contextlib.asynccontextmanager
async def bound(centre: Simulator) -> AsyncIterator[Client]:
    async with esme(centre) as client:
        await to_thread(client.bind_transceiver, **ACCOUNT)
        yield client


async def came(client: Client, command: str) -> Command:
    """The PDU that comes next, which has to be this one."""
    pdu = await to_thread(client.read_pdu)
    assert pdu.command == command, f"{command} was to come next, and {pdu.command} did: {vars(pdu)}"
    return pdu


async def delivered(client: Client) -> Command:
    """The deliver_sm that comes next, acknowledged."""
    pdu = await came(client, "deliver_sm")
    respond(client, pdu)
    return pdu


def respond(client: Client, request: Command, status: int = consts.SMPP_ESME_ROK) -> None:
    response = smpp.make_pdu(f"{request.command}_resp", client=client, status=status)
    response.sequence = request.sequence
    client.send_pdu(response)


async def submitted(client: Client, **fields: Any) -> Command:
    """The answer to a submit_sm."""
    client.send_message(**{"source_addr": "000105", "destination_addr": MSISDN, **fields})
    return await came(client, "submit_sm_resp")


async def nothing_came(client: Client) -> None:
    """Make sure that the simulator had nothing more to send: next comes its answer to enquire_link."""
    question = smpp.make_pdu("enquire_link", client=client)
    client.send_pdu(question)
    assert (await came(client, "enquire_link_resp")).sequence == question.sequence


async def closed(client: Client) -> None:
    with pytest.raises(exceptions.ConnectionError):
        await to_thread(client.read_pdu)


# --- bind and unbind


@pytest.mark.parametrize("bind", ["transceiver", "receiver", "transmitter"])
async def test_bind_and_unbind(bind: str) -> None:
    """S6: unbind_resp comes before the close."""
    async with simulator() as centre, esme(centre) as client:
        binds = {
            "transceiver": client.bind_transceiver,
            "receiver": client.bind_receiver,
            "transmitter": client.bind_transmitter,
        }
        response = await to_thread(binds[bind], **ACCOUNT)
        assert response.sc_interface_version == consts.SMPP_VERSION_34
        await centre.wait_bound("gw", WAIT_S)
        response = await to_thread(client.unbind)
        assert (response.command, response.status) == ("unbind_resp", consts.SMPP_ESME_ROK)
        await closed(client)


@pytest.mark.parametrize(
    ("account", "status"),
    [
        ({"password": "Secret"}, consts.SMPP_ESME_RINVPASWD),
        ({"password": ""}, consts.SMPP_ESME_RINVPASWD),
        ({"system_id": "nobody"}, consts.SMPP_ESME_RINVSYSID),
    ],
    ids=["wrong password", "no password", "wrong system_id"],
)
async def test_wrong_credentials(account: dict[str, str], status: int) -> None:
    """S4: the status says what was wrong; the session lives for another try."""
    async with simulator() as centre, esme(centre) as client:
        with pytest.raises(exceptions.PDUError) as refused:
            await to_thread(client.bind_transceiver, **ACCOUNT | account)
        assert refused.value.args[1] == status
        await to_thread(client.bind_transceiver, **ACCOUNT)


async def test_transmitter_and_receiver() -> None:
    """S3: no deliver_sm towards a transmitter, no submit_sm from a receiver; together they make a transceiver."""
    async with simulator() as centre, esme(centre) as sending, esme(centre) as receiving:
        phone = centre.phone(MSISDN)
        await to_thread(sending.bind_transmitter, **ACCOUNT)
        phone.send_sms("000105", "to the receiver")
        await nothing_came(sending)
        assert (await submitted(sending, short_message=b"from the transmitter")).message_id
        assert (await phone.sms()).text == "from the transmitter"

        await to_thread(receiving.bind_receiver, **ACCOUNT)
        assert (await delivered(receiving)).short_message == b"to the receiver"
        receiving.state = consts.SMPP_CLIENT_STATE_BOUND_TRX  # or smpplib would not send it
        response = await submitted(receiving, short_message=b"from the receiver")
        assert response.status == consts.SMPP_ESME_RINVBNDSTS
        await nothing_came(sending)


async def test_simulator_unbinds() -> None:
    """S6, the other way: a simulator that stops unbinds, and waits for the answer."""
    centre = simulator()
    await centre.start()
    async with bound(centre) as client:
        stopping = asyncio.create_task(centre.stop())
        respond(client, await came(client, "unbind"))
        await closed(client)
        await stopping


async def test_simulator_asks_for_life() -> None:
    """S5: its second question comes only because smpplib's answer to the first one was understood."""
    async with simulator(enquire_link_s=0.05) as centre, bound(centre) as client:
        for _ in range(2):
            respond(client, await came(client, "enquire_link"))


# --- messages


@pytest.mark.parametrize(
    ("text", "octets", "data_coding"),
    [
        ("balance?", b"balance?", consts.SMPP_ENCODING_DEFAULT),
        ("€[]", b"\x1b\x65\x1b\x3c\x1b\x3e", consts.SMPP_ENCODING_DEFAULT),
        ("сколько? 😀", "сколько? 😀".encode("utf-16-be"), consts.SMPP_ENCODING_ISO10646),
        ("", b"", consts.SMPP_ENCODING_DEFAULT),
    ],
    ids=["ascii", "gsm7", "ucs2", "empty"],
)
async def test_sms_of_a_phone(text: str, octets: bytes, data_coding: int) -> None:
    """deliver_sm without any TLV; acknowledged, it does not come again."""
    async with simulator() as centre:
        async with bound(centre) as client:
            centre.phone(MSISDN).send_sms("000105", text)
            pdu = await delivered(client)
            assert (pdu.source_addr, pdu.destination_addr) == (MSISDN.encode(), b"000105")
            assert (pdu.short_message or b"", pdu.data_coding) == (octets, data_coding)
            await to_thread(client.unbind)
        async with bound(centre) as client:
            await nothing_came(client)


async def test_question_and_answer() -> None:
    """A phone asks by SMS, the ESME answers, and each submit_sm has an id of its own."""
    async with simulator() as centre, bound(centre) as client:
        phone = centre.phone(MSISDN)
        phone.send_sms("000100", "balance")
        question = await delivered(client)
        sender = question.destination_addr.decode()
        ids = [
            (await submitted(client, source_addr=sender, short_message=text)).message_id
            for text in (b"523.40 rub", b"and 12 SMS")
        ]
        assert len(set(ids)) == 2
        received = [await phone.sms() for _ in ids]
        assert [(sms.sender, sms.text) for sms in received] == [
            ("000100", "523.40 rub"),
            ("000100", "and 12 SMS"),
        ]


@pytest.mark.parametrize("text", ["😀" * 100, "€" * 100, "word " * 100], ids=["ucs2", "gsm7", "ascii"])
async def test_long_sms(text: str) -> None:
    """smpplib cuts it into parts, also within a character of two code units; the phone puts them together."""
    async with simulator() as centre, bound(centre) as client:
        phone = centre.phone(MSISDN)
        parts, data_coding, esm_class = gsm.make_parts(text)
        for part in parts:
            await submitted(client, short_message=part, data_coding=data_coding, esm_class=esm_class)
        sms = await phone.sms()
        assert (sms.text, sms.parts) == (text, len(parts))


@pytest.mark.parametrize("asked", [0, 1])
async def test_delivery_receipt(asked: int) -> None:
    """Only when it is asked for; Appendix B, and the TLVs."""
    async with simulator() as centre, bound(centre) as client:
        response = await submitted(client, short_message=b"text", registered_delivery=asked)
        if asked:
            receipt = await delivered(client)
            assert receipt.esm_class == 0x04
            assert (receipt.source_addr, receipt.destination_addr) == (MSISDN.encode(), b"000105")
            assert receipt.receipted_message_id == response.message_id
            assert receipt.message_state == consts.SMPP_MESSAGE_STATE_DELIVERED
            assert receipt.short_message.startswith(b"id:" + response.message_id + b" sub:001 dlvrd:001 ")
            assert b" stat:DELIVRD " in receipt.short_message
        await nothing_came(client)


async def test_bad_destination() -> None:
    async with simulator() as centre, bound(centre) as client:
        response = await submitted(client, destination_addr="nobody", short_message=b"text")
        assert response.status == consts.SMPP_ESME_RINVDSTADR
        await nothing_came(client)


async def test_query() -> None:
    async with simulator() as centre, bound(centre) as client:
        message_id = (await submitted(client, short_message=b"where am I?")).message_id
        client.query_message(message_id=message_id.decode())
        response = await came(client, "query_sm_resp")
        assert (response.message_id, response.message_state) == (
            message_id,
            consts.SMPP_MESSAGE_STATE_DELIVERED,
        )


async def test_busy_esme() -> None:
    """W2: what the ESME throttles comes again, before what stands behind it."""
    async with simulator({"retry_first_s": 0.01}, window=1) as centre, bound(centre) as client:
        phone = centre.phone(MSISDN)
        for text in ("first", "second"):
            phone.send_sms("000105", text)
        respond(client, await came(client, "deliver_sm"), consts.SMPP_ESME_RTHROTTLED)
        assert [(await delivered(client)).short_message for _ in range(2)] == [b"first", b"second"]


async def test_ussd_is_beyond_smpplib() -> None:
    """smpplib 2.2.4 fails on ussd_service_op in a deliver_sm. That is its own affair: the simulator goes on."""
    async with simulator() as centre, bound(centre) as client:
        centre.phone(MSISDN).dial("*100#")
        with pytest.raises(KeyError, match="ussd_service_op"):
            await to_thread(client.read_pdu)
        await nothing_came(client)
