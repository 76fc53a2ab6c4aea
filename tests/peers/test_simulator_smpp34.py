"""The simulator as SMSC, smpp34's client (Rust) as the ESME. It acknowledges every deliver_sm by itself."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import smpp34

from smpp_sim.simulator import Simulator
from tests.peers.stage import simulator

MSISDN = "79260000003"
WAIT_S = 30


@contextlib.asynccontextmanager
async def bound(centre: Simulator, **account: Any) -> AsyncIterator[smpp34.Smsc]:
    account = {"system_id": "gw", "password": "secret", **account}
    client = smpp34.Client("127.0.0.1", centre.smpp_port, **account)
    smsc = await client.connect()
    try:
        yield smsc
    finally:
        await smsc.unbind()


async def delivered(smsc: smpp34.Smsc) -> smpp34.DeliverSmEvent:
    """What comes next, which has to be a deliver_sm."""
    async with asyncio.timeout(WAIT_S):
        event = await smsc.next()
    assert isinstance(event, smpp34.DeliverSmEvent), f"a deliver_sm was to come, and {event} did"
    return event


async def submitted(smsc: smpp34.Smsc, **fields: Any) -> str:
    """Submit; the message id."""
    response = await smsc.submit_sm(**{"destination_addr": MSISDN, "source_addr": "000105", **fields})
    assert response.is_success, f"refused: {response}"
    assert response.message_id
    return response.message_id


def tlvs(event: smpp34.DeliverSmEvent) -> dict[int, bytes]:
    return {tlv.tag: bytes(tlv.value) for tlv in event.tlvs}


def screen(
    event: smpp34.DeliverSmEvent, op: int, info: bytes, text: bytes, data_coding: int
) -> dict[str, Any]:
    """The fields of the submit_sm that answers a USSD deliver_sm."""
    return {
        "service_type": "USSD",
        "source_addr": event.destination_addr,
        "destination_addr": event.source_addr,
        "short_message": text,
        "data_coding": data_coding,
        "tlvs": [
            smpp34.Tlv(smpp34.TLV_USSD_SERVICE_OP, bytes([op])),
            smpp34.Tlv(smpp34.TLV_ITS_SESSION_INFO, info),
        ],
    }


# --- bind and unbind


@pytest.mark.parametrize("kind", ["TRX", "RX", "TX"])
async def test_bind_and_unbind(kind: str) -> None:
    async with simulator() as centre, bound(centre, bind_type=kind) as smsc:
        await centre.wait_bound("gw", 5)
        assert smsc.session_id


async def test_wrong_password() -> None:
    """S4: smpp34 takes no notice of a refusal, and waits until its time is over. The next bind is as good as any."""
    async with simulator() as centre:
        with pytest.raises(smpp34.SmppError, match="timed out"):
            async with bound(centre, password="Secret", connect_timeout_ms=300):
                pass
        async with bound(centre) as smsc:
            assert await submitted(smsc, short_message=b"bound")


async def test_simulator_unbinds() -> None:
    """S6: smpp34 answers unbind, and its session is over."""
    centre = simulator()
    await centre.start()
    async with bound(centre) as smsc:
        await centre.stop()
        async with asyncio.timeout(WAIT_S):
            assert isinstance(await smsc.next(), smpp34.Disconnected)


# --- USSD


async def test_ussd_dialogue() -> None:
    """A whole dialogue; smpp34 hands out and takes TLVs as octets."""
    async with simulator() as centre, bound(centre) as smsc:
        phone = centre.phone(MSISDN)
        phone.dial("*105#")
        dialled = await delivered(smsc)
        assert (dialled.service_type, dialled.source_addr, dialled.destination_addr) == (
            "USSD",
            MSISDN,
            "105",
        )
        assert (dialled.data_coding, dialled.short_message) == (0x0F, b"*105#")
        session = tlvs(dialled)[smpp34.TLV_ITS_SESSION_INFO][0]
        assert tlvs(dialled) == {
            smpp34.TLV_USSD_SERVICE_OP: b"\x01",
            smpp34.TLV_ITS_SESSION_INFO: bytes([session, 0]),
        }

        question = "Опции\n1 Каталог"
        await submitted(smsc, **screen(dialled, 2, bytes([session, 2]), question.encode("utf-16-be"), 0x48))
        box = await phone.screen()
        assert (box.kind, box.text, box.alphabet) == ("ask", question, "ucs2")

        phone.answer("1")
        answered = await delivered(smsc)
        assert tlvs(answered)[smpp34.TLV_USSD_SERVICE_OP] == b"\x12"
        assert tlvs(answered)[smpp34.TLV_ITS_SESSION_INFO] == bytes([session, 4])
        assert answered.short_message == b"1"
        await submitted(smsc, **screen(answered, 17, bytes([session, 7]), b"Done", 0x0F))
        box = await phone.screen()
        assert (box.kind, box.text, box.alphabet) == ("end", "Done", "gsm7")


# --- SMS


@pytest.mark.parametrize(
    ("text", "octets", "data_coding"),
    [("{€}@", b"\x1b\x28\x1b\x65\x1b\x29\x00", 0), ("Привет 😀", "Привет 😀".encode("utf-16-be"), 8)],
    ids=["gsm7", "ucs2"],
)
async def test_sms_both_ways(text: str, octets: bytes, data_coding: int) -> None:
    async with simulator() as centre, bound(centre) as smsc:
        phone = centre.phone(MSISDN)
        phone.send_sms("000105", text)
        came = await delivered(smsc)
        assert (came.short_message, came.data_coding, came.esm_class) == (octets, data_coding, 0)
        await submitted(smsc, short_message=octets, data_coding=data_coding)
        assert (await phone.sms()).text == text


async def test_message_payload() -> None:
    async with simulator() as centre, bound(centre) as smsc:
        phone = centre.phone(MSISDN)
        text = "Длинный текст. " * 40
        payload = smpp34.Tlv(smpp34.TLV_MESSAGE_PAYLOAD, text.encode("utf-16-be"))
        await submitted(smsc, data_coding=8, tlvs=[payload])
        assert (await phone.sms()).text == text


async def test_delivery_receipt() -> None:
    async with simulator() as centre, bound(centre) as smsc:
        message_id = await submitted(smsc, short_message=b"with a receipt", registered_delivery=1)
        receipt = await delivered(smsc)
        assert (receipt.esm_class, receipt.source_addr) == (0x04, MSISDN)
        assert tlvs(receipt)[smpp34.TLV_RECEIPTED_MESSAGE_ID] == message_id.encode() + b"\0"
        assert tlvs(receipt)[smpp34.TLV_MESSAGE_STATE] == b"\x02"
        assert receipt.short_message.startswith(f"id:{message_id} ".encode())


async def test_many_at_once() -> None:
    """W1: smpp34 fills its window of ten; all are answered, each with an id of its own."""
    async with simulator() as centre, bound(centre) as smsc:
        phone = centre.phone(MSISDN)
        ids = await asyncio.gather(*(submitted(smsc, short_message=b"%d" % number) for number in range(30)))
        assert len(set(ids)) == 30
        assert {(await phone.sms()).text for _ in ids} == {str(number) for number in range(30)}
