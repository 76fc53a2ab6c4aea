"""The simulator as USSD centre, node-smpp as the ESME."""

from typing import Any

from smpplib import consts

from tests.peers.line_peer import Pdu
from tests.peers.node_esme import GSM7, MSISDN, bound, delivered, submitted
from tests.peers.node_peer import Node
from tests.peers.stage import simulator


def screen(pdu: Pdu, op: int, info: bytes, text: str | bytes, **fields: Any) -> Pdu:
    """The fields of the submit_sm that answers a USSD deliver_sm."""
    return {
        "service_type": "USSD",
        "source_addr": pdu["destination_addr"],
        "destination_addr": pdu["source_addr"],
        "short_message": text,
        "ussd_service_op": op,
        "its_session_info": info,
        **fields,
    }


async def test_ussd_dialogue(node: Node) -> None:
    """A whole dialogue, its TLVs as the specification has them (§5.3.2.43, §5.3.2.44; F7)."""
    async with simulator() as centre, bound(node, centre) as esme:
        phone = centre.phone(MSISDN)

        phone.dial("*105*3#")
        dialled = await delivered(esme)
        assert dialled["service_type"] == "USSD"
        assert (dialled["source_addr"], dialled["destination_addr"]) == (MSISDN, "105")
        assert dialled["ussd_service_op"] == 1
        session, unit = dialled["its_session_info"]
        assert unit == 0
        assert (dialled["data_coding"], dialled["short_message"]["message"]) == (0x0F, b"*105*3#")
        assert b"\x05\x01\x00\x01\x01" in dialled["octets"]
        assert b"\x13\x83\x00\x02" + bytes([session, 0]) in dialled["octets"]

        question = "Опции\n1 Каталог".encode("utf-16-be")
        info = bytes([session, 2])
        assert await submitted(esme, **screen(dialled, 2, info, question, data_coding=0x48))
        box = await phone.screen()
        assert (box.kind, box.text, box.alphabet) == ("ask", "Опции\n1 Каталог", "ucs2")

        phone.answer("1")
        answered = await delivered(esme)
        assert answered["ussd_service_op"] == 18
        assert answered["its_session_info"] == bytes([session, 4])
        assert answered["short_message"]["message"] == b"1"

        # The text as a string: node-smpp encodes it in GSM 03.38 itself.
        last = screen(answered, 17, bytes([session, 7]), GSM7, data_coding=0x0F)
        await submitted(esme, **last)
        box = await phone.screen()
        assert (box.kind, box.text, box.alphabet) == ("end", GSM7, "gsm7")
        phone.press_ok()
        assert phone.state == "idle"


async def test_answer_without_session_info(node: Node) -> None:
    """An ESME that echoes no TLV but ussd_service_op is understood as well."""
    async with simulator() as centre, bound(node, centre) as esme:
        phone = centre.phone(MSISDN)
        phone.dial("*100#")
        dialled = await delivered(esme)
        await submitted(
            esme,
            source_addr=dialled["destination_addr"],
            destination_addr=MSISDN,
            short_message="Done",
            ussd_service_op=17,
        )
        box = await phone.screen()
        assert (box.kind, box.text) == ("end", "Done")


async def test_empty_answer_and_cancel(node: Node) -> None:
    """OK under a question is an empty answer; giving up sets E in its_session_info, and nothing is to be said."""
    async with simulator() as centre, bound(node, centre) as esme:
        phone = centre.phone(MSISDN)
        phone.dial("*105*00#")
        dialled = await delivered(esme)
        session = dialled["its_session_info"][0]
        await submitted(esme, **screen(dialled, 2, bytes([session, 2]), "Press OK"))
        await phone.screen()
        phone.press_ok()
        answered = await delivered(esme)
        assert (answered["ussd_service_op"], answered["its_session_info"]) == (18, bytes([session, 4]))
        assert answered["short_message"]["message"] == b""

        await submitted(esme, **screen(answered, 2, bytes([session, 6]), "Sure?"))
        await phone.screen()
        phone.cancel()
        cancelled = await delivered(esme)
        assert cancelled["its_session_info"] == bytes([session, 9])
        response = await esme.ask("submit_sm", **screen(answered, 17, bytes([session, 11]), "Too late"))
        assert response["command_status"] != consts.SMPP_ESME_ROK
        assert phone.state == "idle"


async def test_two_dialogues_at_once(node: Node) -> None:
    """Answers out of order find their phones."""
    async with simulator() as centre, bound(node, centre) as esme:
        numbers = ["79260000001", "79260000002"]
        phones = [centre.phone(number) for number in numbers]
        for phone in phones:
            phone.dial("*100#")
        dialled = [await delivered(esme) for _ in phones]
        assert [pdu["source_addr"] for pdu in dialled] == numbers
        for pdu in reversed(dialled):
            info = bytes([pdu["its_session_info"][0], 3])
            await submitted(esme, **screen(pdu, 17, info, f"for {pdu['source_addr']}"))
        assert [(await phone.screen()).text for phone in phones] == [f"for {number}" for number in numbers]


async def test_notice_without_a_dialogue(node: Node) -> None:
    """A notice of the network (op 3) is shown, and confirmed by op 19."""
    async with simulator() as centre, bound(node, centre) as esme:
        phone = centre.phone(MSISDN)
        await submitted(
            esme, source_addr="105", destination_addr=MSISDN, short_message="Hello", ussd_service_op=3
        )
        assert (await phone.screen()).kind == "notice"
        assert (await delivered(esme))["ussd_service_op"] == 19


async def test_unknown_service_op(node: Node) -> None:
    """A ussd_service_op without meaning is refused; the session lives."""
    async with simulator() as centre, bound(node, centre) as esme:
        response = await esme.ask("submit_sm", destination_addr=MSISDN, ussd_service_op=200)
        assert response["command_status"] == consts.SMPP_ESME_RINVOPTPARAMVAL
        await esme.nothing_came()
