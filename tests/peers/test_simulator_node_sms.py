"""The simulator as SMSC, node-smpp as the ESME: messages, long ones, receipts."""

import pytest
from smpplib import consts

from tests.peers.line_peer import Pdu
from tests.peers.node_esme import ACCOUNT, CYRILLIC, GSM7, MSISDN, bound, delivered, submitted
from tests.peers.node_peer import Node
from tests.peers.stage import simulator


@pytest.mark.parametrize(
    ("text", "data_coding"), [(GSM7, 0), (CYRILLIC, 8), ("", 0)], ids=["gsm7", "ucs2", "empty"]
)
async def test_sms_of_a_phone(node: Node, text: str, data_coding: int) -> None:
    async with simulator() as centre, bound(node, centre) as esme:
        centre.phone(MSISDN).send_sms("000110", text)
        pdu = await delivered(esme)
        assert (pdu["source_addr"], pdu["destination_addr"]) == (MSISDN, "000110")
        assert (pdu["data_coding"], pdu["esm_class"]) == (data_coding, 0)
        assert pdu["short_message"]["message"] == text
        assert "ussd_service_op" not in pdu


@pytest.mark.parametrize(("text", "data_coding"), [(GSM7, 0), (CYRILLIC, 8)], ids=["gsm7", "ucs2"])
async def test_sms_for_a_phone(node: Node, text: str, data_coding: int) -> None:
    async with simulator() as centre, bound(node, centre) as esme:
        phone = centre.phone(MSISDN)
        message_id = await submitted(
            esme, source_addr="000110", destination_addr=MSISDN, short_message=text, data_coding=data_coding
        )
        assert message_id
        sms = await phone.sms()
        assert (sms.sender, sms.text, sms.parts) == ("000110", text, 1)


PARTS = ["Первая часть, ", "вторая часть, ", "третья."]


def in_header(reference: bytes) -> list[Pdu]:
    """The parts with a user data header (3GPP TS 23.040 §9.2.3.24.1, and .8 for two octets of reference)."""
    element = bytes([0x00 if len(reference) == 1 else 0x08, len(reference) + 2])
    return [
        {
            "esm_class": 0x40,
            "short_message": {
                "udh": bytes([len(reference) + 4]) + element + reference + bytes([len(PARTS), number]),
                "message": part,
            },
        }
        for number, part in enumerate(PARTS, 1)
    ]


def in_tlvs() -> list[Pdu]:
    return [
        {
            "sar_msg_ref_num": 0,
            "sar_total_segments": len(PARTS),
            "sar_segment_seqnum": number,
            "short_message": part,
        }
        for number, part in enumerate(PARTS, 1)
    ]


@pytest.mark.parametrize(
    "parts",
    [in_header(b"\x00"), in_header(b"\xa5"), in_header(b"\x12\x34"), in_tlvs()],
    ids=["reference 0", "8 bits", "16 bits", "sar"],
)
async def test_long_sms_for_a_phone(node: Node, parts: list[Pdu]) -> None:
    """Parts in any order, one of them twice, become one message."""
    async with simulator() as centre, bound(node, centre) as esme:
        phone = centre.phone(MSISDN)
        for part in [parts[2], parts[0], parts[2], parts[1]]:
            await submitted(esme, source_addr="000105", destination_addr=MSISDN, data_coding=8, **part)
        sms = await phone.sms()
        assert (sms.text, sms.parts) == ("".join(PARTS), len(PARTS))


async def test_message_payload(node: Node) -> None:
    async with simulator() as centre, bound(node, centre) as esme:
        phone = centre.phone(MSISDN)
        text = CYRILLIC * 30
        await submitted(
            esme,
            destination_addr=MSISDN,
            data_coding=8,
            short_message=b"",
            message_payload={"message": text},
        )
        assert (await phone.sms()).text == text


@pytest.mark.parametrize(("text", "count"), [("😀" * 100, 4), ("€" * 100, 2)], ids=["ucs2", "gsm7"])
async def test_long_sms_of_a_phone(node: Node, text: str, count: int) -> None:
    """node-smpp takes the parts apart: 67 code units and 153 septets are odd, so none may be full."""
    async with simulator() as centre, bound(node, centre) as esme:
        centre.phone(MSISDN).send_sms("000105", text)
        parts = [await delivered(esme) for _ in range(count)]
        headers = [part["short_message"]["udh"] for part in parts]
        reference = headers[0][0][2]
        assert headers == [[bytes([0, 3, reference, count, number])] for number in range(1, count + 1)]
        assert {part["esm_class"] for part in parts} == {0x40}
        assert "".join(part["short_message"]["message"] for part in parts) == text
        await esme.nothing_came()


async def test_delivery_receipt(node: Node) -> None:
    """Appendix B, in text and in TLVs."""
    async with simulator() as centre, bound(node, centre) as esme:
        message_id = await submitted(
            esme,
            source_addr="000110",
            destination_addr=MSISDN,
            short_message="with a receipt",
            registered_delivery=1,
        )
        receipt = await delivered(esme)
        assert receipt["esm_class"] == 0x04
        assert (receipt["source_addr"], receipt["destination_addr"]) == (MSISDN, "000110")
        assert (receipt["receipted_message_id"], receipt["message_state"]) == (message_id, 2)
        text = receipt["short_message"]["message"]
        assert text.startswith(f"id:{message_id} sub:001 dlvrd:001 submit date:")
        assert " stat:DELIVRD err:000 " in text


async def test_old_esme(node: Node) -> None:
    """S10: an ESME of version 3.3 gets no TLVs, and message ids of at most eight octets."""
    async with simulator() as centre, node.esme(centre.smpp_port) as esme:
        response = await esme.ask("bind_transceiver", **{**ACCOUNT, "interface_version": 0x33})
        assert "sc_interface_version" not in response
        message_id = await submitted(
            esme, destination_addr=MSISDN, short_message="with a receipt", registered_delivery=1
        )
        assert len(message_id) <= 8
        receipt = await delivered(esme)
        assert receipt["short_message"]["message"].startswith(f"id:{message_id} ")
        assert "receipted_message_id" not in receipt
        assert "message_state" not in receipt


async def test_busy_esme(node: Node) -> None:
    """W2: what the ESME throttles comes again, before what stands behind it."""
    network = {"retry_first_s": 0.01}
    async with simulator(network, window=1) as centre, bound(node, centre) as esme:
        phone = centre.phone(MSISDN)
        for text in ("first", "second"):
            phone.send_sms("000100", text)
        busy = await esme.next("deliver_sm")
        esme.respond(busy, command_status=consts.SMPP_ESME_RTHROTTLED)
        texts = [(await delivered(esme))["short_message"]["message"] for _ in range(2)]
        assert texts == ["first", "second"]
        await esme.nothing_came()


async def test_unacknowledged_comes_again(node: Node) -> None:
    """W4, W7: a message that was not acknowledged is delivered again on the next bind; one that was, is not."""
    async with simulator() as centre:
        phone = centre.phone(MSISDN)
        async with bound(node, centre) as esme:
            phone.send_sms("000100", "taken")
            phone.send_sms("000100", "not taken")
            await delivered(esme)
            await esme.next("deliver_sm")
            await esme.nothing_came()
        async with bound(node, centre) as esme:
            assert (await delivered(esme))["short_message"]["message"] == "not taken"
            await esme.nothing_came()
