"""Net::SMPP (Perl, of 2001) as SMSC and USSD centre, the gateway as the ESME. Its bind_resp has no TLVs."""

import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from smpplib import consts

from gateway.daemon import Gateway
from handlers import password
from tests.peers import perl_peer
from tests.peers.line_peer import Link, Pdu, Peer
from tests.peers.stage import ENGLISH, ENGLISH_BALANCE, OTHERS, RUSSIAN, RUSSIAN_BALANCE, gateway

SESSION = 0x5A


@pytest.fixture(autouse=True)
def perl() -> None:
    if reason := perl_peer.missing():
        pytest.skip(reason)


@contextlib.asynccontextmanager
async def bound(folder: Path, **settings: Any) -> AsyncIterator[tuple[Link, Gateway]]:
    """A gateway that is bound: the connection as the SMSC has it, and the gateway."""
    async with perl_peer.smsc() as smsc, gateway(smsc.port, folder, **settings) as ours:
        yield await accepted(smsc), ours


async def accepted(smsc: Peer) -> Link:
    link = await smsc.opened()
    link.respond(await link.next("bind_transceiver"), system_id="perl")
    return link


def ussd(link: Link, msisdn: str, op: int, unit: int, text: bytes) -> None:
    """Send a USSD deliver_sm of the dialogue `SESSION`."""
    info = {"ussd_service_op": bytes([op]), "its_session_info": bytes([SESSION, unit << 1])}
    sms(link, msisdn, "105", text, service_type="USSD", data_coding=0x0F, **info)


def sms(link: Link, msisdn: str, to: str, text: bytes, **fields: Any) -> None:
    """Send an SMS."""
    link.send("deliver_sm", source_addr=msisdn, destination_addr=to, short_message=text, **fields)


async def answer(link: Link, **fields: Any) -> Pdu:
    """The gateway's answer: first it acknowledges, then it submits, which is answered with these fields."""
    assert (await link.next("deliver_sm_resp"))["command_status"] == consts.SMPP_ESME_ROK
    return await submitted(link, **fields)


async def submitted(link: Link, **fields: Any) -> Pdu:
    pdu = await link.next("submit_sm")
    link.respond(pdu, **{"message_id": str(pdu["sequence_number"]), **fields})
    return pdu


def text_of(pdu: Pdu) -> str:
    octets = pdu["short_message"]
    if pdu["esm_class"] & 0x40:
        octets = octets[octets[0] + 1 :]
    return octets.decode("utf-16-be" if pdu["data_coding"] in (0x08, 0x48) else "ascii")


def check_screen(pdu: Pdu, msisdn: str, op: int, info: int, data_coding: int) -> None:
    """Check all of a USSD answer but its text."""
    assert (pdu["service_type"], pdu["source_addr"], pdu["destination_addr"]) == ("USSD", "105", msisdn)
    assert (pdu["ussd_service_op"], pdu["its_session_info"]) == (bytes([op]), bytes([SESSION, info]))
    assert pdu["data_coding"] == data_coding


async def test_bind_and_stop(tmp_path: Path) -> None:
    """S6, S11, and a bind_resp without sc_interface_version."""
    async with perl_peer.smsc() as smsc:
        async with gateway(smsc.port, tmp_path, system_type="ussd") as ours:
            link = await smsc.opened()
            pdu = await link.next("bind_transceiver")
            assert (pdu["system_id"], pdu["password"], pdu["system_type"]) == ("gw", "secret", "ussd")
            assert pdu["interface_version"] == 0x34
            link.respond(pdu, system_id="perl")
            await link.nothing_came()
            assert ours.problems() == {"peer": None}
        await link.next("unbind")
        await link.closed()


async def test_refused_bind_is_tried_again(tmp_path: Path) -> None:
    """F10: Net::SMPP writes a system_id beside the error, too."""
    async with perl_peer.smsc() as smsc, gateway(smsc.port, tmp_path) as ours:
        link = await smsc.opened()
        link.respond(await link.next("bind_transceiver"), command_status=consts.SMPP_ESME_RINVPASWD)
        await link.closed()
        again = await smsc.opened()
        bind = await again.next("bind_transceiver")
        assert "ESME_RINVPASWD" in ours.problems()["peer"]
        again.respond(bind, system_id="perl")
        await again.nothing_came()


async def test_menu_dialogue(tmp_path: Path) -> None:
    async with bound(tmp_path) as (link, _):
        ussd(link, ENGLISH, 1, 0, b"*105#")
        root = await answer(link)
        check_screen(root, ENGLISH, 2, 0x02, 0x0F)
        ussd(link, ENGLISH, 18, 2, b"3")
        check_screen(await answer(link), ENGLISH, 2, 0x06, 0x0F)
        ussd(link, ENGLISH, 18, 4, b"0")
        back = await answer(link)
        check_screen(back, ENGLISH, 2, 0x0A, 0x0F)
        assert text_of(back) == text_of(root)
        ussd(link, ENGLISH, 18, 6, b"1")
        check_screen(await answer(link), ENGLISH, 17, 0x0F, 0x0F)
        await link.nothing_came()


@pytest.mark.parametrize(
    ("msisdn", "balance", "data_coding"),
    [(RUSSIAN, RUSSIAN_BALANCE, 0x48), (ENGLISH, ENGLISH_BALANCE, 0x0F)],
    ids=["ucs2", "gsm7"],
)
async def test_balance(tmp_path: Path, msisdn: str, balance: str, data_coding: int) -> None:
    async with bound(tmp_path) as (link, _):
        ussd(link, msisdn, 1, 0, b"*100#")
        pdu = await answer(link)
        check_screen(pdu, msisdn, 17, 0x03, data_coding)
        assert balance in text_of(pdu)


async def test_password_by_sms(tmp_path: Path) -> None:
    async with bound(tmp_path) as (link, ours):
        sms(link, RUSSIAN, "000110", b"")
        pdu = await answer(link)
        assert (pdu["source_addr"], pdu["destination_addr"], pdu["data_coding"]) == ("000110", RUSSIAN, 0x08)
        found = re.search(r"Логин (\d+), пароль (\S+)", text_of(pdu))
        assert found, f"no login and password in {text_of(pdu)!r}"
        assert await password.verify(ours.store, RUSSIAN, found[2])


async def test_long_sms(tmp_path: Path) -> None:
    async with bound(tmp_path) as (link, _):
        sms(link, RUSSIAN, "000105", b"")
        parts = [await answer(link)]
        reference, total = parts[0]["short_message"][3:5]
        parts += [await submitted(link) for _ in range(total - 1)]
        headers = [part["short_message"][:6] for part in parts]
        assert headers == [bytes([5, 0, 3, reference, total, number]) for number in range(1, total + 1)]
        assert "".join(map(text_of, parts)).startswith("Команды: БАЛАНС")
        await link.nothing_came()


@pytest.mark.parametrize("status", [consts.SMPP_ESME_RTHROTTLED, consts.SMPP_ESME_RMSGQFUL])
async def test_throttled(tmp_path: Path, status: int) -> None:
    """W2: what was throttled comes again, and in front of what stands behind it."""
    async with bound(tmp_path, window=1) as (link, _):
        sms(link, OTHERS[0], "000100", b"?")
        await link.next("deliver_sm_resp")
        throttled = await link.next("submit_sm")
        for msisdn in OTHERS[1:]:
            sms(link, msisdn, "000100", b"?")
            await link.next("deliver_sm_resp")
        link.respond(throttled, command_status=status)
        came = [await submitted(link) for _ in OTHERS]
        assert [pdu["destination_addr"] for pdu in came] == list(OTHERS)
        await link.nothing_came()


async def test_receipt(tmp_path: Path) -> None:
    """A delivery receipt is nobody's turn: acknowledged, not answered."""
    async with bound(tmp_path) as (link, _):
        text = (
            b"id:1 sub:001 dlvrd:001 submit date:2609211413 done date:2609211413 stat:DELIVRD err:000 text:"
        )
        tlvs = {"receipted_message_id": b"1\0", "message_state": b"\2", "network_error_code": b"\3\0\0"}
        sms(link, RUSSIAN, "000110", text, esm_class=0x04, **tlvs)
        await link.next("deliver_sm_resp")
        await link.nothing_came()


async def test_smsc_unbinds(tmp_path: Path) -> None:
    """S6: answered, then closed; the gateway binds again, and what was not answered comes again (W4)."""
    async with perl_peer.smsc() as smsc, gateway(smsc.port, tmp_path):
        first = await accepted(smsc)
        ussd(first, RUSSIAN, 1, 0, b"*100#")
        await first.next("deliver_sm_resp")
        lost = await first.next("submit_sm")
        assert (await first.ask("unbind"))["command_status"] == consts.SMPP_ESME_ROK
        await first.closed()
        second = await accepted(smsc)
        assert (await submitted(second))["data"] == lost["data"]
        await second.nothing_came()
