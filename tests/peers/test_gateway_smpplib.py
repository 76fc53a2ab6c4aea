"""smpplib's codec as SMSC, the gateway as the ESME: SMS, and the framing that is done here by hand."""

import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from smpplib import consts, smpp
from smpplib.client import SimpleSequenceGenerator
from smpplib.command import Command

from gateway.daemon import Gateway
from handlers import password
from tests.peers.smpplib_smsc import Link, Smsc
from tests.peers.stage import ENGLISH, ENGLISH_BALANCE, OTHERS, RUSSIAN, RUSSIAN_BALANCE, gateway

# A deliver_sm that a USSD centre sent, from the tracker of Jasmin (issue 842): *4006# of 66977091205, op 1.
CAPTURED = bytes.fromhex(
    "000000440000000500000000000000025032000101363639373730393132303500010136363932333031313132310000"
    "0000000000000f00062a34303036230501000101"
)


@contextlib.asynccontextmanager
async def bound(folder: Path, **settings: Any) -> AsyncIterator[tuple[Link, Gateway]]:
    """A gateway that is bound: the connection as the SMSC has it, and the gateway."""
    with Smsc() as smsc:
        async with gateway(smsc.port, folder, **settings) as ours:
            yield await accepted(smsc), ours


async def accepted(smsc: Smsc) -> Link:
    link = await smsc.opened()
    bind = await link.next("bind_transceiver")
    link.respond(bind, system_id="smpplib", sc_interface_version=consts.SMPP_VERSION_34)
    return link


def sms(msisdn: str, to: str, text: str, **fields: Any) -> dict[str, Any]:
    """The fields of a deliver_sm; empty, ASCII, or UCS-2."""
    octets = text.encode("ascii" if text.isascii() else "utf-16-be")
    return {
        "source_addr": msisdn,
        "destination_addr": to,
        "short_message": octets,
        "data_coding": consts.SMPP_ENCODING_DEFAULT if text.isascii() else consts.SMPP_ENCODING_ISO10646,
        **fields,
    }


async def answer(link: Link, status: int = 0) -> Command:
    """The gateway's answer: first it acknowledges, then it submits, which is answered with this status."""
    assert (await link.next("deliver_sm_resp")).status == consts.SMPP_ESME_ROK
    return await submitted(link, status)


async def submitted(link: Link, status: int = 0) -> Command:
    pdu = await link.next("submit_sm")
    link.respond(pdu, status, message_id=str(pdu.sequence))
    return pdu


def text_of(pdu: Command) -> str:
    """The text without a user data header; what is here in GSM 03.38 is the same in ASCII."""
    octets = pdu.short_message
    if pdu.esm_class & consts.SMPP_GSMFEAT_UDHI:
        octets = octets[octets[0] + 1 :]
    return octets.decode("utf-16-be" if pdu.data_coding == consts.SMPP_ENCODING_ISO10646 else "ascii")


def addresses(pdu: Command) -> tuple[str, str]:
    return pdu.source_addr.decode(), pdu.destination_addr.decode()


async def test_bind_and_stop(tmp_path: Path) -> None:
    """S11: interface_version is the octet 0x34. S6: a gateway that stops unbinds, and waits for the answer."""
    with Smsc() as smsc:
        async with gateway(smsc.port, tmp_path, system_type="sms") as ours:
            link = await smsc.opened()
            bind = await link.next("bind_transceiver")
            assert (bind.system_id, bind.password, bind.system_type) == (b"gw", b"secret", b"sms")
            assert bind.interface_version == consts.SMPP_VERSION_34
            link.respond(bind, system_id="smpplib")
            await link.nothing_came()
            assert ours.problems() == {"peer": None}
        await link.next("unbind")
        await link.closed()


async def test_empty_sms_brings_the_password(tmp_path: Path) -> None:
    async with bound(tmp_path) as (link, ours):
        link.send("deliver_sm", **sms(RUSSIAN, "000110", ""))
        pdu = await answer(link)
        assert addresses(pdu) == ("000110", RUSSIAN)
        found = re.search(r"Логин (\d+), пароль (\S+)", text_of(pdu))
        assert found, f"no login and password in {text_of(pdu)!r}"
        assert await password.verify(ours.store, RUSSIAN, found[2])
        await link.nothing_came()


@pytest.mark.parametrize(
    ("msisdn", "command", "data_coding", "amount"),
    [
        (RUSSIAN, "баланс", consts.SMPP_ENCODING_ISO10646, RUSSIAN_BALANCE),
        (ENGLISH, "Balance", consts.SMPP_ENCODING_DEFAULT, ENGLISH_BALANCE),
    ],
    ids=["ucs2", "gsm7"],
)
async def test_sms_command(tmp_path: Path, msisdn: str, command: str, data_coding: int, amount: str) -> None:
    async with bound(tmp_path) as (link, _):
        link.send("deliver_sm", **sms(msisdn, "000105", command))
        pdu = await answer(link)
        assert addresses(pdu) == ("000105", msisdn)
        assert (pdu.data_coding, pdu.esm_class) == (data_coding, consts.SMPP_MSGMODE_DEFAULT)
        assert amount in text_of(pdu)
        await link.nothing_came()


async def test_long_answer(tmp_path: Path) -> None:
    async with bound(tmp_path) as (link, _):
        link.send("deliver_sm", **sms(RUSSIAN, "000105", "?"))
        parts = [await answer(link)]
        reference, total = parts[0].short_message[3:5]
        parts += [await submitted(link) for _ in range(total - 1)]
        for number, part in enumerate(parts, 1):
            assert part.esm_class == consts.SMPP_GSMFEAT_UDHI
            assert part.short_message[:6] == bytes([5, 0, 3, reference, total, number])
            assert part.sm_length <= 140
        assert "".join(map(text_of, parts)).startswith("Команды: БАЛАНС")
        await link.nothing_came()


@pytest.mark.parametrize("status", [consts.SMPP_ESME_RTHROTTLED, consts.SMPP_ESME_RSYSERR])
async def test_error_with_a_body(tmp_path: Path, status: int) -> None:
    """F10: smpplib writes message_id also beside an error. W2, W3: the message comes again."""
    async with bound(tmp_path) as (link, _):
        link.send("deliver_sm", **sms(RUSSIAN, "000100", ""))
        refused = await answer(link, status)
        again = await submitted(link)
        assert again.sequence != refused.sequence
        assert (addresses(again), again.short_message) == (addresses(refused), refused.short_message)
        await link.nothing_came()


async def test_other_tlvs(tmp_path: Path) -> None:
    """F7: whatever TLVs a centre adds, it is an SMS."""
    async with bound(tmp_path) as (link, _):
        extra = {
            "user_message_reference": 7,
            "source_port": 0x1234,
            "language_indicator": 1,
            "payload_type": 0,
        }
        link.send("deliver_sm", **sms(ENGLISH, "000100", ""), **extra)
        assert ENGLISH_BALANCE in text_of(await answer(link))


async def test_receipt(tmp_path: Path) -> None:
    """A delivery receipt is nobody's turn: acknowledged, not answered."""
    async with bound(tmp_path) as (link, _):
        text = "id:1 sub:001 dlvrd:001 submit date:2609211413 done date:2609211413 stat:DELIVRD err:000 text:"
        link.send(
            "deliver_sm",
            **sms(RUSSIAN, "000110", text, esm_class=0x04),
            receipted_message_id="1",
            message_state=2,
            network_error_code=b"\x03\0\0",
        )
        await link.next("deliver_sm_resp")
        await link.nothing_came()


async def test_smsc_unbinds(tmp_path: Path) -> None:
    """S6: answered, then closed; the gateway binds again."""
    with Smsc() as smsc:
        async with gateway(smsc.port, tmp_path):
            link = await accepted(smsc)
            assert (await link.ask("unbind")).status == consts.SMPP_ESME_ROK
            await link.closed()
            again = await accepted(smsc)
            again.send("deliver_sm", **sms(RUSSIAN, "000100", ""))
            await answer(again)


async def test_cut(tmp_path: Path) -> None:
    """W4: a connection that breaks is made again, and what was not answered is sent again."""
    with Smsc() as smsc:
        async with gateway(smsc.port, tmp_path):
            link = await accepted(smsc)
            link.send("deliver_sm", **sms(ENGLISH, "000100", ""))
            await link.next("deliver_sm_resp")
            lost = await link.next("submit_sm")
            link.close()
            again = await accepted(smsc)
            assert (await submitted(again)).short_message == lost.short_message
            await again.nothing_came()


# --- framing, which is by hand here


async def test_one_write(tmp_path: Path) -> None:
    """F1: bind_resp, several messages and a question in one write."""
    with Smsc() as smsc:
        async with gateway(smsc.port, tmp_path):
            link = await smsc.opened()
            octets = link.encode_response(await link.next("bind_transceiver"), system_id="smpplib")
            for msisdn in OTHERS:
                octets += link.encode("deliver_sm", **sms(msisdn, "000100", ""))
            link.write(octets + link.encode("enquire_link"))
            seen = [await link.any() for _ in range(1 + 2 * len(OTHERS))]
            assert Counter(pdu.command for pdu in seen) == {
                "enquire_link_resp": 1,
                "deliver_sm_resp": len(OTHERS),
                "submit_sm": len(OTHERS),
            }
            answers = [pdu for pdu in seen if pdu.command == "submit_sm"]
            assert [addresses(pdu) for pdu in answers] == [("000100", msisdn) for msisdn in OTHERS]
            for pdu in answers:
                link.respond(pdu, message_id="1")


async def test_message_and_unbind_in_one_write(tmp_path: Path) -> None:
    """S6: the message is done and acknowledged before the unbind is; its answer leaves by the next bind."""
    with Smsc() as smsc:
        async with gateway(smsc.port, tmp_path):
            link = await accepted(smsc)
            link.write(link.encode("deliver_sm", **sms(ENGLISH, "000100", "")) + link.encode("unbind"))
            assert (await link.next("deliver_sm_resp")).status == consts.SMPP_ESME_ROK
            await link.next("unbind_resp")
            await link.closed()
            again = await accepted(smsc)
            assert ENGLISH_BALANCE in text_of(await submitted(again))
            await again.nothing_came()


async def test_octet_by_octet(tmp_path: Path) -> None:
    """F1: every octet in a segment of its own, also those of bind_resp."""
    with Smsc() as smsc:
        async with gateway(smsc.port, tmp_path):
            link = await smsc.opened()
            octets = link.encode_response(await link.next("bind_transceiver"), system_id="smpplib")
            octets += link.encode("deliver_sm", **sms(ENGLISH, "000100", ""))
            for octet in octets:
                link.write(bytes([octet]))
            assert ENGLISH_BALANCE in text_of(await answer(link))


@pytest.mark.hostile("a command that tshark does not know either: alone in a segment it is no SMPP to it")
async def test_unknown_command(tmp_path: Path) -> None:
    """F3: generic_nack with the same sequence number, and the link lives."""
    async with bound(tmp_path) as (link, _):
        link.write(bytes.fromhex("00000010 00000777 00000000 00001234"))
        nack = await link.next("generic_nack")
        assert (nack.status, nack.sequence) == (consts.SMPP_ESME_RINVCMDID, 0x1234)
        await link.nothing_came()


async def test_odd_sequence_numbers(tmp_path: Path) -> None:
    """F5: 0, and what is beyond the specification's range, is accepted and echoed."""
    async with bound(tmp_path) as (link, _):
        for sequence in (0, 0x80000000, 0xFFFFFFFF):
            link.write(bytes.fromhex("00000010 00000015 00000000") + sequence.to_bytes(4))
            assert (await link.next("enquire_link_resp")).sequence == sequence


@pytest.mark.hostile("a length that cannot be")
@pytest.mark.parametrize("length", [0, 15, 0x7FFFFFFF], ids=hex)
async def test_senseless_length(tmp_path: Path, length: int) -> None:
    """F2: generic_nack, then the close; the gateway binds again."""
    with Smsc() as smsc:
        async with gateway(smsc.port, tmp_path):
            link = await accepted(smsc)
            link.write(length.to_bytes(4) + bytes.fromhex("00000015 00000000 00000007"))
            nack = await link.next("generic_nack")
            assert nack.status == consts.SMPP_ESME_RINVCMDLEN
            await link.closed()
            await (await accepted(smsc)).nothing_came()


@pytest.mark.hostile("HTTP")
async def test_another_protocol(tmp_path: Path) -> None:
    """F4: who speaks HTTP is left without a word; the gateway tries again."""
    with Smsc() as smsc:
        async with gateway(smsc.port, tmp_path):
            link = await smsc.opened()
            await link.next("bind_transceiver")
            link.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            await link.closed()
            await (await accepted(smsc)).nothing_came()


@pytest.mark.hostile("sm_length beyond the end")
async def test_malformed_request(tmp_path: Path) -> None:
    """F6: a deliver_sm whose sm_length is beyond its end has its own response, an error; the link lives."""
    async with bound(tmp_path) as (link, _):
        frame = bytearray(link.encode("deliver_sm", **sms(RUSSIAN, "000100", "four")))
        frame[-5] = 200
        link.write(bytes(frame))
        response = await link.next("deliver_sm_resp")
        assert response.status == consts.SMPP_ESME_RINVMSGLEN
        await link.nothing_came()


# --- USSD


async def test_captured_ussd(tmp_path: Path) -> None:
    """A centre's own octets go in; smpplib, which does know the TLV in submit_sm, reads the answer."""
    async with bound(tmp_path) as (link, _):
        link.write(CAPTURED)
        pdu = await answer(link)
        assert addresses(pdu) == ("66923011121", "66977091205")
        assert (pdu.ussd_service_op, pdu.its_session_info) == (17, None)
        assert pdu.short_message.decode("utf-16-be").startswith("Услуга только для абонентов")


def test_why_sms_only() -> None:
    """smpplib 2.2.4 can neither read a USSD deliver_sm nor write one, hence node-smpp for those."""
    with pytest.raises(KeyError, match="ussd_service_op"):
        smpp.parse_pdu(CAPTURED, client=SimpleSequenceGenerator(), allow_unknown_opt_params=True)
    fields = sms(RUSSIAN, "105", "*100#", client=SimpleSequenceGenerator(), sequence=1)
    without = smpp.make_pdu("deliver_sm", **fields).generate()
    assert smpp.make_pdu("deliver_sm", **fields, ussd_service_op=1).generate() == without
