"""node-smpp as SMSC and USSD centre, the gateway as the ESME: what subscribers ask, and what they are answered."""

import re
from pathlib import Path

import pytest
from smpplib import consts

from gateway.daemon import Gateway
from handlers import password
from tests.peers.line_peer import Pdu
from tests.peers.node_peer import Node
from tests.peers.node_smsc import SESSION, answer, bound, check_screen, sms, submitted, text_of, ussd
from tests.peers.stage import ENGLISH, ENGLISH_BALANCE, RUSSIAN, RUSSIAN_BALANCE

# --- USSD


async def test_balance(node: Node, tmp_path: Path) -> None:
    """One question, one answer: op 17, N counted up to 1, E set; Cyrillic as UCS-2 of a cell broadcast table."""
    async with bound(node, tmp_path) as (link, _):
        ussd(link, RUSSIAN, 1, 0, "*100#")
        pdu = await answer(link)
        check_screen(pdu, RUSSIAN, 17, bytes([SESSION, 0x03]), 0x48)
        assert RUSSIAN_BALANCE in text_of(pdu)


async def test_gsm7(node: Node, tmp_path: Path) -> None:
    """An English subscriber's screens are GSM 03.38, one septet an octet."""
    async with bound(node, tmp_path) as (link, _):
        ussd(link, ENGLISH, 1, 0, "*100#")
        pdu = await answer(link)
        check_screen(pdu, ENGLISH, 17, bytes([SESSION, 0x03]), 0x0F)
        assert ENGLISH_BALANCE in text_of(pdu)


@pytest.mark.parametrize(
    "dialled",
    [
        {"short_message": "*100#", "data_coding": 0x00},
        {"short_message": "*100#".encode("utf-16-be"), "data_coding": 0x48},
        {"short_message": "*100#", "data_coding": 0x08},
        {"short_message": "", "destination_addr": "*100#"},
        {"short_message": "*100#", "ussd_service_op": 0},
    ],
    ids=["dcs 00", "dcs 48", "dcs 08", "destination_addr", "op 0"],
)
async def test_code_in_other_clothes(node: Node, tmp_path: Path, dialled: Pdu) -> None:
    """However the code is written, it is the same code."""
    async with bound(node, tmp_path) as (link, _):
        ussd(link, ENGLISH, 1, 0, "", **dialled)
        pdu = await answer(link)
        assert pdu["ussd_service_op"] == 17
        assert ENGLISH_BALANCE in text_of(pdu)


async def test_password_dialogue(node: Node, tmp_path: Path) -> None:
    """`*105*00#`, OK, and the password by SMS: units 0 to 3 of one session, E on the last."""
    async with bound(node, tmp_path) as (link, ours):
        ussd(link, RUSSIAN, 1, 0, "*105*00#")
        question = await answer(link)
        check_screen(question, RUSSIAN, 2, bytes([SESSION, 0x02]), 0x48)
        assert "OK" in text_of(question)

        ussd(link, RUSSIAN, 18, 2, "")
        last = await answer(link)
        check_screen(last, RUSSIAN, 17, bytes([SESSION, 0x07]), 0x48)

        await has_the_password(await submitted(link), ours)
        await link.nothing_came()


async def has_the_password(pdu: Pdu, ours: Gateway) -> None:
    """Check that this is the SMS with the password, and that the password in it holds."""
    assert (pdu["service_type"], pdu["source_addr"], pdu["destination_addr"]) == ("", "000110", RUSSIAN)
    assert (pdu["data_coding"], "ussd_service_op" in pdu, "its_session_info" in pdu) == (0x08, False, False)
    found = re.search(r"Логин (\d+), пароль (\S+)", text_of(pdu))
    assert found, f"no login and password in {text_of(pdu)!r}"
    assert RUSSIAN.endswith(found[1])
    assert await password.verify(ours.store, RUSSIAN, found[2])


async def test_menu_dialogue(node: Node, tmp_path: Path) -> None:
    """A walk through the menu and back: each answer carries the next unit; the last digit ends it."""
    async with bound(node, tmp_path) as (link, _):
        ussd(link, ENGLISH, 1, 0, "*105#")
        root = await answer(link)
        check_screen(root, ENGLISH, 2, bytes([SESSION, 0x02]), 0x0F)
        ussd(link, ENGLISH, 18, 2, "3")
        check_screen(await answer(link), ENGLISH, 2, bytes([SESSION, 0x06]), 0x0F)
        ussd(link, ENGLISH, 18, 4, "0")
        back = await answer(link)
        check_screen(back, ENGLISH, 2, bytes([SESSION, 0x0A]), 0x0F)
        assert text_of(back) == text_of(root)
        ussd(link, ENGLISH, 18, 6, "1")
        check_screen(await answer(link), ENGLISH, 17, bytes([SESSION, 0x0F]), 0x0F)


async def test_cancelled_dialogue(node: Node, tmp_path: Path) -> None:
    """E in a deliver_sm ends the dialogue: no answer. An answer that comes after that is told so, and E is set."""
    async with bound(node, tmp_path) as (link, _):
        ussd(link, ENGLISH, 1, 0, "*105#")
        await answer(link)
        ussd(link, ENGLISH, 18, 0x82, "")
        await link.next("deliver_sm_resp")
        await link.nothing_came()
        ussd(link, ENGLISH, 18, 4, "1")
        check_screen(await answer(link), ENGLISH, 17, bytes([SESSION, 0x0B]), 0x0F)


async def test_same_turn_twice(node: Node, tmp_path: Path) -> None:
    """A turn that the centre repeats (its deliver_sm_resp got lost) is acknowledged, and not answered twice."""
    async with bound(node, tmp_path) as (link, _):
        ussd(link, ENGLISH, 1, 0, "*105#")
        await answer(link)
        ussd(link, ENGLISH, 18, 2, "3")
        await answer(link)
        ussd(link, ENGLISH, 18, 2, "3")
        await link.next("deliver_sm_resp")
        await link.nothing_came()


async def test_user_message_reference(node: Node, tmp_path: Path) -> None:
    """Without its_session_info the dialogue goes by user_message_reference, which is echoed."""
    async with bound(node, tmp_path) as (link, _):
        for op, text, answered in ((1, "*105*00#", 2), (18, "", 17)):
            sms(link, RUSSIAN, "105", text, ussd_service_op=op, user_message_reference=0xBEEF)
            pdu = await answer(link)
            assert (pdu["ussd_service_op"], pdu["user_message_reference"]) == (answered, 0xBEEF)
            assert "its_session_info" not in pdu


async def test_question_in_data_sm(node: Node, tmp_path: Path) -> None:
    """What is asked in data_sm is answered in data_sm; the text is in message_payload, both ways."""
    async with bound(node, tmp_path) as (link, _):
        response = await link.ask(
            "data_sm",
            service_type="USSD",
            source_addr=ENGLISH,
            destination_addr="105",
            data_coding=0x0F,
            message_payload=b"*100#",
            ussd_service_op=1,
            its_session_info=bytes([SESSION, 0]),
        )
        assert response["command_status"] == consts.SMPP_ESME_ROK
        pdu = await link.next("data_sm")
        link.respond(pdu, message_id="1")
        assert (pdu["source_addr"], pdu["destination_addr"], pdu["ussd_service_op"]) == ("105", ENGLISH, 17)
        assert pdu["its_session_info"] == bytes([SESSION, 3])
        assert ENGLISH_BALANCE.encode("ascii") in pdu["octets"]
        await link.nothing_came()


async def test_unknown_service_op(node: Node, tmp_path: Path) -> None:
    """A ussd_service_op without meaning is refused; the link lives."""
    async with bound(node, tmp_path) as (link, _):
        ussd(link, RUSSIAN, 200, 0, "*100#")
        assert (await link.next("deliver_sm_resp"))["command_status"] == consts.SMPP_ESME_RX_R_APPN
        await link.nothing_came()


# --- SMS


async def test_empty_sms_brings_the_password(node: Node, tmp_path: Path) -> None:
    async with bound(node, tmp_path) as (link, ours):
        sms(link, RUSSIAN, "000110", "")
        await has_the_password(await answer(link), ours)
        await link.nothing_came()


@pytest.mark.parametrize("text", ["баланс", "BALANCE"])
async def test_sms_command(node: Node, tmp_path: Path, text: str) -> None:
    """node-smpp chooses the alphabet; the answer comes from the number that was texted, without USSD TLVs."""
    async with bound(node, tmp_path) as (link, _):
        sms(link, RUSSIAN, "000105", text)
        pdu = await answer(link)
        assert (pdu["source_addr"], pdu["destination_addr"]) == ("000105", RUSSIAN)
        assert "ussd_service_op" not in pdu
        assert RUSSIAN_BALANCE in text_of(pdu)


async def test_message_payload(node: Node, tmp_path: Path) -> None:
    """A text in message_payload is a text: to the number that answers an empty SMS with a password, too."""
    async with bound(node, tmp_path) as (link, _):
        sms(link, ENGLISH, "000105", b"", message_payload={"message": "BALANCE"})
        assert ENGLISH_BALANCE in text_of(await answer(link))
        sms(link, ENGLISH, "000110", b"", message_payload={"message": "hello"})
        assert "empty SMS" in text_of(await answer(link))
        await link.nothing_came()


async def test_long_sms(node: Node, tmp_path: Path) -> None:
    """An answer longer than one SMS comes in parts that node-smpp takes apart."""
    async with bound(node, tmp_path) as (link, _):
        sms(link, RUSSIAN, "000105", "")
        parts = [await answer(link)]
        total = parts[0]["short_message"]["udh"][0][3]
        parts += [await submitted(link) for _ in range(total - 1)]
        headers = [part["short_message"]["udh"] for part in parts]
        reference = headers[0][0][2]
        assert headers == [[bytes([0, 3, reference, total, number])] for number in range(1, total + 1)]
        assert {part["esm_class"] for part in parts} == {0x40}
        text = "".join(text_of(part) for part in parts)
        assert text.startswith("Команды: БАЛАНС")
        assert text.endswith("КИР")
        await link.nothing_came()


async def test_receipt(node: Node, tmp_path: Path) -> None:
    """A delivery receipt is nobody's turn: acknowledged, not answered."""
    async with bound(node, tmp_path) as (link, _):
        sms(
            link,
            RUSSIAN,
            "000110",
            "id:1 sub:001 dlvrd:001 submit date:2609211413 done date:2609211413 stat:DELIVRD err:000 text:",
            esm_class=0x04,
            receipted_message_id="1",
            message_state=2,
        )
        await link.next("deliver_sm_resp")
        await link.nothing_came()
