"""The simulator as SMSC and USSD centre, node-smpp as the ESME."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from smpplib import consts

from smpp_sim.simulator import Simulator
from tests.peers.node_peer import Link, Node, Pdu
from tests.peers.stage import simulator

ACCOUNT = {"system_id": "gw", "password": "secret", "interface_version": 0x34}
MSISDN = "79260000003"
# Every character of the GSM 03.38 extension table, and some that are not where ASCII has them.
GSM7 = "{1} [2] ~ ^ | \\ €5 @ £ $ _ Ω ÄÖ?"
CYRILLIC = "Привет, ёж 😀"


@contextlib.asynccontextmanager
async def bound(node: Node, centre: Simulator, bind: str = "bind_transceiver") -> AsyncIterator[Link]:
    async with node.esme(centre.smpp_port) as esme:
        response = await esme.ask(bind, **ACCOUNT)
        assert response["command_status"] == consts.SMPP_ESME_ROK
        yield esme


async def delivered(esme: Link) -> Pdu:
    """The deliver_sm that comes next, acknowledged."""
    pdu = await esme.next("deliver_sm")
    esme.respond(pdu)
    return pdu


async def submitted(esme: Link, **fields) -> str:
    """Submit; the message id."""
    response = await esme.ask("submit_sm", **fields)
    assert response["command_status"] == consts.SMPP_ESME_ROK
    return response["message_id"]


def screen(pdu: Pdu, op: int, info: bytes, text: bytes, **fields) -> Pdu:
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


# --- USSD


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
        assert answered["octets"][answered["octets"].index(b"105\x00") + 4 :][8] == 0  # sm_length

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


# --- SMS


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
async def test_not_offered(node: Node, command: str, status: int) -> None:
    """Every request is answered, also one that is not offered."""
    async with simulator() as centre, bound(node, centre) as esme:
        assert (await esme.ask(command, message_id="1"))["command_status"] == status


async def test_unknown_command(node: Node) -> None:
    """F3: a command of SMPP 5.0 is unknown here: generic_nack with its sequence number, and the session lives."""
    async with simulator() as centre, bound(node, centre) as esme:
        esme.send("broadcast_sm", message_id="1", sequence_number=0x1234)
        nack = await esme.next("generic_nack")
        assert (nack["command_status"], nack["sequence_number"]) == (consts.SMPP_ESME_RINVCMDID, 0x1234)
        await esme.nothing_came()
