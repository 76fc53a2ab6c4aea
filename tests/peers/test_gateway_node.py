"""node-smpp as SMSC and USSD centre, the gateway as the ESME."""

import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from smpplib import consts

from gateway.daemon import Gateway
from handlers import password
from tests.peers.node_peer import Link, Node, Pdu, Peer
from tests.peers.stage import ENGLISH, ENGLISH_BALANCE, OTHERS, RUSSIAN, RUSSIAN_BALANCE, gateway

SESSION = 0x5A


async def accepted(smsc: Peer) -> Link:
    """The gateway's next connection, bound."""
    link = await smsc.opened()
    link.respond(await link.next("bind_transceiver"), system_id="node")
    return link


@contextlib.asynccontextmanager
async def bound(node: Node, folder: Path, **settings: Any) -> AsyncIterator[tuple[Link, Gateway]]:
    """A gateway bound to node-smpp: the connection as node-smpp has it, and the gateway."""
    async with node.smsc() as smsc, gateway(smsc.port, folder, **settings) as ours:
        yield await accepted(smsc), ours


def ussd(link: Link, msisdn: str, op: int, unit: int, text: str | bytes, **fields: Any) -> None:
    """Send a USSD deliver_sm of the dialogue `SESSION`; `unit` is its number, the one of E being 0x80."""
    link.send(
        "deliver_sm",
        **{
            "service_type": "USSD",
            "source_addr_npi": 1,
            "source_addr": msisdn,
            "destination_addr": "105",
            "data_coding": 0x0F,
            "short_message": text,
            "ussd_service_op": op,
            "its_session_info": bytes([SESSION, unit << 1 & 0xFE | unit >> 7]),
            **fields,
        },
    )


def sms(link: Link, msisdn: str, to: str, text: str, **fields: Any) -> None:
    link.send("deliver_sm", source_addr=msisdn, destination_addr=to, short_message=text, **fields)


async def answer(link: Link, **fields: Any) -> Pdu:
    """The gateway's answer: first it acknowledges, then it submits, which is acknowledged here."""
    assert (await link.next("deliver_sm_resp"))["command_status"] == consts.SMPP_ESME_ROK
    return await submitted(link, **fields)


async def submitted(link: Link, **fields: Any) -> Pdu:
    """The submit_sm that comes next, answered with these fields."""
    pdu = await link.next("submit_sm")
    link.respond(pdu, **{"message_id": f"{pdu['sequence_number']:x}", **fields})
    return pdu


def text_of(pdu: Pdu) -> str:
    """What node-smpp read; it knows no data_coding 0x0F, which is left as octets (here those of ASCII)."""
    message = pdu["short_message"]["message"]
    return message if isinstance(message, str) else message.decode("ascii")


def is_screen(pdu: Pdu, msisdn: str, op: int, info: bytes, data_coding: int) -> bool:
    """Check all of a USSD answer but its text."""
    assert (pdu["service_type"], pdu["source_addr"], pdu["destination_addr"]) == ("USSD", "105", msisdn)
    assert (pdu["ussd_service_op"], pdu["its_session_info"]) == (op, info)
    assert b"\x05\x01\x00\x01" + bytes([op]) in pdu["octets"]
    assert b"\x13\x83\x00\x02" + info in pdu["octets"]
    assert (pdu["data_coding"], pdu["esm_class"], pdu["registered_delivery"]) == (data_coding, 0, 0)
    return True


# --- bind, unbind, sign of life


@pytest.mark.parametrize("bind", ["transceiver", "receiver", "transmitter"])
async def test_bind(node: Node, tmp_path: Path, bind: str) -> None:
    """S11: interface_version is the octet 0x34. S6: a gateway that stops unbinds, and waits for the answer."""
    async with node.smsc() as smsc:
        async with gateway(smsc.port, tmp_path, bind=bind, system_type="ussd") as ours:
            link = await smsc.opened()
            pdu = await link.next(f"bind_{bind}")
            assert (pdu["system_id"], pdu["password"], pdu["system_type"]) == ("gw", "secret", "ussd")
            assert pdu["interface_version"] == 0x34
            link.respond(pdu, system_id="node")
            await link.nothing_came()
            assert ours.problems() == {"peer": None}
        await link.next("unbind")
        await link.closed()


async def test_refused_bind_is_tried_again(node: Node, tmp_path: Path) -> None:
    """A bind that is refused is no reason to give up, and /healthz says why the link is down."""
    async with node.smsc() as smsc, gateway(smsc.port, tmp_path) as ours:
        link = await smsc.opened()
        refused = await link.next("bind_transceiver")
        link.respond(refused, command_status=consts.SMPP_ESME_RINVPASWD)
        await link.closed()
        again = await smsc.opened()
        bind = await again.next("bind_transceiver")
        assert "ESME_RINVPASWD" in ours.problems()["peer"]
        again.respond(bind, system_id="node")
        await again.nothing_came()
        assert ours.problems() == {"peer": None}
        ussd(again, RUSSIAN, 1, 0, "*100#")
        await answer(again)


async def test_gateway_asks_for_life(node: Node, tmp_path: Path) -> None:
    """S5: its second question comes only because the first one was answered. (`nothing_came` asks the gateway.)"""
    async with bound(node, tmp_path, enquire_link_s=0.1) as (link, _):
        for _ in range(2):
            link.respond(await link.next("enquire_link"))


async def test_dead_link_is_left(node: Node, tmp_path: Path) -> None:
    """No answer to enquire_link within the response timer: the gateway closes and binds again."""
    async with node.smsc() as smsc, gateway(smsc.port, tmp_path, enquire_link_s=0.1, response_s=1):
        dead = await accepted(smsc)
        await dead.next("enquire_link")
        await dead.closed()
        await accepted(smsc)


async def test_smsc_unbinds(node: Node, tmp_path: Path) -> None:
    """S6: answered, then closed; the gateway binds again, and what was under way is sent again (W4)."""
    async with node.smsc() as smsc, gateway(smsc.port, tmp_path):
        first = await accepted(smsc)
        ussd(first, RUSSIAN, 1, 0, "*100#")
        await first.next("deliver_sm_resp")
        lost = await first.next("submit_sm")
        assert (await first.ask("unbind"))["command_status"] == consts.SMPP_ESME_ROK
        await first.closed()
        second = await accepted(smsc)
        again = await submitted(second)
        assert body(again) == body(lost)
        await second.nothing_came()


async def test_smsc_unbinds_between_two_turns(node: Node, tmp_path: Path) -> None:
    """A dialogue outlives its link."""
    async with node.smsc() as smsc, gateway(smsc.port, tmp_path):
        first = await accepted(smsc)
        ussd(first, RUSSIAN, 1, 0, "*105*00#")
        assert (await answer(first))["ussd_service_op"] == 2
        await first.ask("unbind")
        await first.closed()
        second = await accepted(smsc)
        ussd(second, RUSSIAN, 18, 2, "")
        last = await answer(second)
        assert is_screen(last, RUSSIAN, 17, bytes([SESSION, 7]), 0x48)


def body(pdu: Pdu) -> bytes:
    """What comes after the header."""
    return pdu["octets"][16:]


# --- USSD


async def test_balance(node: Node, tmp_path: Path) -> None:
    """One question, one answer: op 17, N counted up to 1, E set; Cyrillic as UCS-2 of a cell broadcast table."""
    async with bound(node, tmp_path) as (link, _):
        ussd(link, RUSSIAN, 1, 0, "*100#")
        pdu = await answer(link)
        assert is_screen(pdu, RUSSIAN, 17, bytes([SESSION, 0x03]), 0x48)
        assert RUSSIAN_BALANCE in text_of(pdu)


async def test_gsm7(node: Node, tmp_path: Path) -> None:
    """An English subscriber's screens are GSM 03.38, one septet an octet."""
    async with bound(node, tmp_path) as (link, _):
        ussd(link, ENGLISH, 1, 0, "*100#")
        pdu = await answer(link)
        assert is_screen(pdu, ENGLISH, 17, bytes([SESSION, 0x03]), 0x0F)
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
        assert is_screen(question, RUSSIAN, 2, bytes([SESSION, 0x02]), 0x48)
        assert "OK" in text_of(question)

        ussd(link, RUSSIAN, 18, 2, "")
        last = await answer(link)
        assert is_screen(last, RUSSIAN, 17, bytes([SESSION, 0x07]), 0x48)

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
        assert is_screen(root, ENGLISH, 2, bytes([SESSION, 0x02]), 0x0F)
        ussd(link, ENGLISH, 18, 2, "3")
        assert is_screen(await answer(link), ENGLISH, 2, bytes([SESSION, 0x06]), 0x0F)
        ussd(link, ENGLISH, 18, 4, "0")
        back = await answer(link)
        assert is_screen(back, ENGLISH, 2, bytes([SESSION, 0x0A]), 0x0F)
        assert text_of(back) == text_of(root)
        ussd(link, ENGLISH, 18, 6, "1")
        assert is_screen(await answer(link), ENGLISH, 17, bytes([SESSION, 0x0F]), 0x0F)


async def test_cancelled_dialogue(node: Node, tmp_path: Path) -> None:
    """E in a deliver_sm ends the dialogue: no answer. An answer that comes after that is told so, and E is set."""
    async with bound(node, tmp_path) as (link, _):
        ussd(link, ENGLISH, 1, 0, "*105#")
        await answer(link)
        ussd(link, ENGLISH, 18, 0x82, "")
        await link.next("deliver_sm_resp")
        await link.nothing_came()
        ussd(link, ENGLISH, 18, 4, "1")
        assert is_screen(await answer(link), ENGLISH, 17, bytes([SESSION, 0x0B]), 0x0F)


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


# --- flow


@pytest.mark.parametrize("status", [consts.SMPP_ESME_RTHROTTLED, consts.SMPP_ESME_RMSGQFUL])
async def test_throttled(node: Node, tmp_path: Path, status: int) -> None:
    """W2: what was throttled comes again, and in front of what stands behind it; nothing is dropped."""
    async with bound(node, tmp_path, window=1) as (link, _):
        sms(link, OTHERS[0], "000100", "?")
        await link.next("deliver_sm_resp")
        throttled = await link.next("submit_sm")
        for msisdn in OTHERS[1:]:
            sms(link, msisdn, "000100", "?")
            await link.next("deliver_sm_resp")
        link.respond(throttled, command_status=status)
        came = [await submitted(link) for _ in OTHERS]
        assert [pdu["destination_addr"] for pdu in came] == list(OTHERS)
        assert body(came[0]) == body(throttled)
        await link.nothing_came()


async def test_throttled_window(node: Node, tmp_path: Path) -> None:
    """W2, with several under way: all come again, in their order."""
    async with bound(node, tmp_path) as (link, _):
        first = []
        for msisdn in OTHERS:
            sms(link, msisdn, "000100", "?")
            await link.next("deliver_sm_resp")
            first.append(await link.next("submit_sm"))
        for pdu in first:
            link.respond(pdu, command_status=consts.SMPP_ESME_RTHROTTLED)
        again = [await submitted(link) for _ in OTHERS]
        assert [body(pdu) for pdu in again] == [body(pdu) for pdu in first]
        assert not {pdu["sequence_number"] for pdu in again} & {pdu["sequence_number"] for pdu in first}
        await link.nothing_came()


async def test_window(node: Node, tmp_path: Path) -> None:
    """W1: the window is never exceeded; each response lets the next one out."""
    async with bound(node, tmp_path, window=2) as (link, _):
        under_way = []
        for msisdn in OTHERS[:2]:
            sms(link, msisdn, "000100", "?")
            await link.next("deliver_sm_resp")
            under_way.append(await link.next("submit_sm"))
        sms(link, OTHERS[2], "000100", "?")
        await link.next("deliver_sm_resp")
        await link.nothing_came()
        link.respond(under_way[1], message_id="2")
        assert (await submitted(link))["destination_addr"] == OTHERS[2]
        link.respond(under_way[0], message_id="1")
        await link.nothing_came()


async def test_refused_for_good(node: Node, tmp_path: Path) -> None:
    """W3: a permanent error is not tried again, and harms nobody else."""
    async with bound(node, tmp_path) as (link, _):
        ussd(link, RUSSIAN, 1, 0, "*100#")
        await answer(link, command_status=consts.SMPP_ESME_RINVDSTADR)
        await link.nothing_came()
        ussd(link, ENGLISH, 1, 0, "*100#")
        assert (await answer(link))["destination_addr"] == ENGLISH
        await link.nothing_came()


async def test_try_again_later(node: Node, tmp_path: Path) -> None:
    """W3: a temporary error holds up this message only."""
    async with bound(node, tmp_path) as (link, _):
        sms(link, RUSSIAN, "000100", "?")
        failed = await answer(link, command_status=consts.SMPP_ESME_RSYSERR)
        assert body(await submitted(link)) == body(failed)
        await link.nothing_came()


async def test_stray_responses(node: Node, tmp_path: Path) -> None:
    """S7: an answer that comes twice is dropped."""
    async with bound(node, tmp_path) as (link, _):
        ussd(link, RUSSIAN, 1, 0, "*100#")
        pdu = await answer(link)
        link.respond(pdu, message_id="1")
        link.respond(pdu, command_status=consts.SMPP_ESME_RTHROTTLED)
        await link.nothing_came()


# --- the other commands


@pytest.mark.parametrize("command", ["data_sm", "submit_sm", "query_sm"])
async def test_not_offered(node: Node, tmp_path: Path, command: str) -> None:
    """Every request is answered, also one that an SMSC has no business sending; the link lives."""
    async with bound(node, tmp_path) as (link, _):
        response = await link.ask(command)
        assert response["command_status"] != consts.SMPP_ESME_ROK
        await link.nothing_came()


async def test_unknown_command(node: Node, tmp_path: Path) -> None:
    """F3: generic_nack with the same sequence number, and the link lives."""
    async with bound(node, tmp_path) as (link, _):
        link.send("broadcast_sm", message_id="1", sequence_number=0x1234)
        nack = await link.next("generic_nack")
        assert (nack["command_status"], nack["sequence_number"]) == (consts.SMPP_ESME_RINVCMDID, 0x1234)
        await link.nothing_came()
