"""The simulator as SMSC, Net::SMPP (Perl, of 2001) as the ESME. It writes a message_id into deliver_sm_resp."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from smpplib import consts

from smpp_sim.simulator import Simulator
from tests.peers import perl_peer
from tests.peers.line_peer import Link, Pdu
from tests.peers.stage import simulator

ACCOUNT = {"system_id": "gw", "password": "secret"}
MSISDN = "79260000003"


@pytest.fixture(autouse=True)
def perl() -> None:
    if reason := perl_peer.missing():
        pytest.skip(reason)


@contextlib.asynccontextmanager
async def bound(centre: Simulator, bind: str = "bind_transceiver") -> AsyncIterator[Link]:
    async with perl_peer.esme(centre.smpp_port) as esme:
        assert (await esme.ask(bind, **ACCOUNT))["command_status"] == consts.SMPP_ESME_ROK
        yield esme


async def delivered(esme: Link) -> Pdu:
    """The deliver_sm that comes next, acknowledged."""
    pdu = await esme.next("deliver_sm")
    esme.respond(pdu)
    return pdu


async def submitted(esme: Link, **fields: Any) -> str:
    """Submit; the message id."""
    response = await esme.ask("submit_sm", **{"source_addr": "000105", "destination_addr": MSISDN, **fields})
    assert response["command_status"] == consts.SMPP_ESME_ROK
    assert response["message_id"]
    return response["message_id"]


def screen(pdu: Pdu, op: int, info: bytes, text: bytes, data_coding: int) -> Pdu:
    """The fields of the submit_sm that answers a USSD deliver_sm."""
    return {
        "service_type": "USSD",
        "source_addr": pdu["destination_addr"],
        "destination_addr": pdu["source_addr"],
        "short_message": text,
        "data_coding": data_coding,
        "ussd_service_op": bytes([op]),
        "its_session_info": info,
    }


# --- how a link begins and ends


@pytest.mark.parametrize("bind", ["bind_transceiver", "bind_receiver", "bind_transmitter"])
async def test_bind_and_unbind(bind: str) -> None:
    """S6: unbind_resp comes before the close. The TLV of bind_resp is read as an octet 0x34."""
    async with simulator() as centre, perl_peer.esme(centre.smpp_port) as esme:
        response = await esme.ask(bind, **ACCOUNT)
        assert response["command_status"] == consts.SMPP_ESME_ROK
        assert response["sc_interface_version"] == b"\x34"
        assert (await esme.ask("unbind"))["command_status"] == consts.SMPP_ESME_ROK
        await esme.closed()


async def test_wrong_password() -> None:
    """S4: refused, and the session lives for another try."""
    async with simulator() as centre, perl_peer.esme(centre.smpp_port) as esme:
        response = await esme.ask("bind_transceiver", **{**ACCOUNT, "password": "Secret"})
        assert response["command_status"] == consts.SMPP_ESME_RINVPASWD
        response = await esme.ask("bind_transceiver", **ACCOUNT)
        assert response["command_status"] == consts.SMPP_ESME_ROK


async def test_out_of_state() -> None:
    """S1, S2, S3, S5: what is not legal now is refused, and the session lives."""
    async with simulator() as centre, perl_peer.esme(centre.smpp_port) as esme:
        await esme.nothing_came()
        response = await esme.ask("submit_sm", destination_addr=MSISDN, short_message=b"too early")
        assert response["command_status"] == consts.SMPP_ESME_RINVBNDSTS
        await esme.ask("bind_receiver", **ACCOUNT)
        response = await esme.ask("bind_receiver", **ACCOUNT)
        assert response["command_status"] == consts.SMPP_ESME_RALYBND
        response = await esme.ask("submit_sm", destination_addr=MSISDN, short_message=b"a receiver")
        assert response["command_status"] == consts.SMPP_ESME_RINVBNDSTS
        await esme.nothing_came()


async def test_simulator_unbinds() -> None:
    """S6, the other way: the simulator waits for unbind_resp, then closes."""
    centre = simulator()
    await centre.start()
    async with bound(centre) as esme:
        await centre.stop()
        await esme.next("unbind")
        await esme.closed()


# --- messages


async def test_ussd_dialogue() -> None:
    async with simulator() as centre, bound(centre) as esme:
        phone = centre.phone(MSISDN)
        phone.dial("*105*3#")
        dialled = await delivered(esme)
        assert (dialled["service_type"], dialled["source_addr"], dialled["destination_addr"]) == (
            "USSD",
            MSISDN,
            "105",
        )
        assert (dialled["data_coding"], dialled["short_message"]) == (0x0F, b"*105*3#")
        session, unit = dialled["its_session_info"]
        assert (dialled["ussd_service_op"], unit) == (b"\x01", 0)

        question = "Опции\n1 Каталог"
        info = bytes([session, 2])
        await submitted(esme, **screen(dialled, 2, info, question.encode("utf-16-be"), 0x48))
        box = await phone.screen()
        assert (box.kind, box.text, box.alphabet) == ("ask", question, "ucs2")

        phone.answer("1")
        answered = await delivered(esme)
        assert (answered["ussd_service_op"], answered["short_message"]) == (b"\x12", b"1")
        assert answered["its_session_info"] == bytes([session, 4])
        await submitted(esme, **screen(answered, 17, bytes([session, 7]), b"Done", 0x0F))
        box = await phone.screen()
        assert (box.kind, box.text, box.alphabet) == ("end", "Done", "gsm7")


@pytest.mark.parametrize(
    ("text", "octets", "data_coding"),
    [("{€}@", b"\x1b\x28\x1b\x65\x1b\x29\x00", 0), ("Привет 😀", "Привет 😀".encode("utf-16-be"), 8)],
    ids=["gsm7", "ucs2"],
)
async def test_sms_both_ways(text: str, octets: bytes, data_coding: int) -> None:
    async with simulator() as centre, bound(centre) as esme:
        phone = centre.phone(MSISDN)
        phone.send_sms("000105", text)
        came = await delivered(esme)
        assert (came["short_message"], came["data_coding"], came["esm_class"]) == (octets, data_coding, 0)
        await submitted(esme, short_message=octets, data_coding=data_coding)
        assert (await phone.sms()).text == text


async def test_long_sms_of_a_phone() -> None:
    async with simulator() as centre, bound(centre) as esme:
        text = "Длинный текст. " * 10
        centre.phone(MSISDN).send_sms("000105", text)
        parts = [await delivered(esme) for _ in range(3)]
        headers = [part["short_message"][:6] for part in parts]
        assert headers == [bytes([5, 0, 3, headers[0][3], 3, number]) for number in (1, 2, 3)]
        assert b"".join(part["short_message"][6:] for part in parts).decode("utf-16-be") == text


async def test_parts_in_tlvs() -> None:
    """Reference 0, the parts in the wrong order."""
    async with simulator() as centre, bound(centre) as esme:
        phone = centre.phone(MSISDN)
        for number, text in ((2, b"two"), (1, b"one ")):
            sar = {
                "sar_msg_ref_num": b"\0\0",
                "sar_total_segments": b"\2",
                "sar_segment_seqnum": bytes([number]),
            }
            await submitted(esme, short_message=text, **sar)
        sms = await phone.sms()
        assert (sms.text, sms.parts) == ("one two", 2)


async def test_delivery_receipt() -> None:
    async with simulator() as centre, bound(centre) as esme:
        message_id = await submitted(esme, short_message=b"with a receipt", registered_delivery=1)
        receipt = await delivered(esme)
        assert (receipt["esm_class"], receipt["source_addr"]) == (0x04, MSISDN)
        assert receipt["receipted_message_id"] == message_id.encode() + b"\0"
        assert receipt["message_state"] == b"\x02"
        assert receipt["short_message"].startswith(f"id:{message_id} ".encode())


async def test_busy_esme() -> None:
    """W2: what the ESME throttles comes again, before what stands behind it."""
    async with simulator({"retry_first_s": 0.01}, window=1) as centre, bound(centre) as esme:
        phone = centre.phone(MSISDN)
        for text in ("first", "second"):
            phone.send_sms("000100", text)
        esme.respond(await esme.next("deliver_sm"), command_status=consts.SMPP_ESME_RTHROTTLED)
        assert [(await delivered(esme))["short_message"] for _ in range(2)] == [b"first", b"second"]
        await esme.nothing_came()


# --- the other commands


async def test_query_sm() -> None:
    async with simulator() as centre, bound(centre) as esme:
        message_id = await submitted(esme, short_message=b"where am I?")
        response = await esme.ask("query_sm", message_id=message_id, source_addr="000105")
        assert (response["message_id"], response["message_state"]) == (message_id, 2)


async def test_submit_multi() -> None:
    async with simulator() as centre, bound(centre) as esme:
        numbers = ["79260000001", "79260000002"]
        phones = [centre.phone(number) for number in numbers]
        response = await esme.ask(
            "submit_multi", source_addr="000105", destination_addr=numbers, short_message=b"to all"
        )
        assert response["command_status"] == consts.SMPP_ESME_ROK
        assert [(await phone.sms()).text for phone in phones] == ["to all", "to all"]


async def test_data_sm() -> None:
    async with simulator() as centre, bound(centre) as esme:
        phone = centre.phone(MSISDN)
        response = await esme.ask(
            "data_sm", source_addr="000105", destination_addr=MSISDN, message_payload=b"in a payload"
        )
        assert response["message_id"]
        assert (await phone.sms()).text == "in a payload"


async def test_replace_and_cancel() -> None:
    """Two messages wait for a phone that is off: one is replaced, one is taken back."""
    async with simulator() as centre, bound(centre) as esme:
        phone = centre.phone(MSISDN)
        phone.switch_off()
        first, second = [await submitted(esme, short_message=text) for text in (b"good", b"bad")]
        replaced = await esme.ask(
            "replace_sm", message_id=first, source_addr="000105", short_message=b"better"
        )
        cancelled = await esme.ask(
            "cancel_sm", message_id=second, source_addr="000105", destination_addr=MSISDN
        )
        assert (replaced["command_status"], cancelled["command_status"]) == (0, 0)
        phone.switch_on()
        assert (await phone.sms()).text == "better"
