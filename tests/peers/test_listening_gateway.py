"""The gateway listens, and USSD centres bind to it as ESMEs: questions come in submit_sm, answers leave in deliver_sm.

Each stack holds the same conversation: `*105#`, 3, the balance by SMS.
"""

import asyncio
import contextlib
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest
import smpp34
from smpplib import consts

from tests.peers import kannel_peer, perl_peer
from tests.peers.kannel_peer import Kannel, meta_data
from tests.peers.line_peer import Link
from tests.peers.node_peer import Node
from tests.peers.stage import ENGLISH, ENGLISH_BALANCE, listening_gateway

ACCOUNT = {"system_id": "gw", "password": "secret"}
SESSION = 0x5A
WAIT_S = 30


class Delivered(NamedTuple):
    """What a deliver_sm of the gateway holds; no TLVs, no USSD."""

    source: str
    destination: str
    text: str
    service_op: int | None = None
    session_info: bytes | None = None


class Centre(Protocol):
    """A USSD centre that is bound to the gateway."""

    async def submit(self, to: str, text: str, ussd: tuple[int, int] | None) -> None:
        """Send a text of the English subscriber, which has to be accepted. USSD: the operation, and the unit."""

    async def delivered(self) -> Delivered:
        """The deliver_sm that comes next, acknowledged."""


async def converse(centre: Centre) -> None:
    """Hold the conversation."""
    await centre.submit("105", "*105#", (1, 0))
    root = await centre.delivered()
    assert root[:2] == ("105", ENGLISH)
    assert root[3:] == (2, bytes([SESSION, 2]))
    assert "1 " in root.text
    await centre.submit("105", "3", (18, 2))
    options = await centre.delivered()
    assert options[3:] == (2, bytes([SESSION, 6]))
    assert options.text != root.text
    await centre.submit("000105", "balance", None)
    sms = await centre.delivered()
    assert sms[:2] == ("000105", ENGLISH)
    assert ENGLISH_BALANCE in sms.text
    assert sms[3:] == (None, None)


# --- node-smpp


class NodeCentre(NamedTuple):
    """node-smpp; it decodes text itself, but knows no data_coding 0x0F."""

    link: Link

    async def submit(self, to: str, text: str, ussd: tuple[int, int] | None) -> None:
        """See `Centre`."""
        tlvs = {}
        if ussd:
            tlvs = {"ussd_service_op": ussd[0], "its_session_info": bytes([SESSION, ussd[1] << 1])}
        response = await self.link.ask(
            "submit_sm", source_addr=ENGLISH, destination_addr=to, short_message=text, **tlvs
        )
        assert response["command_status"] == consts.SMPP_ESME_ROK

    async def delivered(self) -> Delivered:
        """See `Centre`."""
        pdu = await self.link.next("deliver_sm")
        self.link.respond(pdu)
        text = pdu["short_message"]["message"]
        return Delivered(
            pdu["source_addr"],
            pdu["destination_addr"],
            text if isinstance(text, str) else text.decode("ascii"),
            pdu.get("ussd_service_op"),
            pdu.get("its_session_info"),
        )


async def test_node(node: Node, tmp_path: Path) -> None:
    async with listening_gateway(tmp_path) as (port, ours), node.esme(port) as link:
        assert (await link.ask("bind_transceiver", **ACCOUNT))["command_status"] == consts.SMPP_ESME_ROK
        await converse(NodeCentre(link))
        assert ours.problems() == {"peer": None}
        assert (await link.ask("unbind"))["command_status"] == consts.SMPP_ESME_ROK
        await link.closed()


async def test_wrong_password(node: Node, tmp_path: Path) -> None:
    """S4, S1: refused, still unbound, and let in with the right one."""
    async with listening_gateway(tmp_path) as (port, _), node.esme(port) as link:
        wrong = await link.ask("bind_transceiver", **{**ACCOUNT, "password": "Secret"})
        assert wrong["command_status"] != consts.SMPP_ESME_ROK
        early = await link.ask("submit_sm", source_addr=ENGLISH, destination_addr="105")
        assert early["command_status"] == consts.SMPP_ESME_RINVBNDSTS
        assert (await link.ask("bind_transceiver", **ACCOUNT))["command_status"] == consts.SMPP_ESME_ROK
        await converse(NodeCentre(link))


async def test_gateway_stops(node: Node, tmp_path: Path) -> None:
    """S6: a gateway that stops unbinds, also where it was the one that listened."""
    async with contextlib.AsyncExitStack() as running:
        port, _ = await running.enter_async_context(listening_gateway(tmp_path))
        async with node.esme(port) as link:
            await link.ask("bind_transceiver", **ACCOUNT)
            await running.aclose()
            await link.next("unbind")
            await link.closed()


# --- Net::SMPP


class PerlCentre(NamedTuple):
    """Net::SMPP; octets are octets."""

    link: Link

    async def submit(self, to: str, text: str, ussd: tuple[int, int] | None) -> None:
        """See `Centre`."""
        tlvs = {}
        if ussd:
            tlvs = {"ussd_service_op": bytes(ussd[:1]), "its_session_info": bytes([SESSION, ussd[1] << 1])}
        octets = text.encode("ascii")
        response = await self.link.ask(
            "submit_sm", source_addr=ENGLISH, destination_addr=to, short_message=octets, **tlvs
        )
        assert response["command_status"] == consts.SMPP_ESME_ROK

    async def delivered(self) -> Delivered:
        """See `Centre`."""
        pdu = await self.link.next("deliver_sm")
        self.link.respond(pdu)
        op = pdu.get("ussd_service_op")
        return Delivered(
            pdu["source_addr"],
            pdu["destination_addr"],
            pdu["short_message"].decode("ascii"),
            op and op[0],
            pdu.get("its_session_info"),
        )


async def test_perl(tmp_path: Path) -> None:
    if reason := perl_peer.missing():
        pytest.skip(reason)
    async with listening_gateway(tmp_path) as (port, _), perl_peer.esme(port) as link:
        assert (await link.ask("bind_transceiver", **ACCOUNT))["command_status"] == consts.SMPP_ESME_ROK
        await converse(PerlCentre(link))


# --- smpp34


class RustCentre(NamedTuple):
    """smpp34; it acknowledges by itself."""

    smsc: smpp34.Smsc

    async def submit(self, to: str, text: str, ussd: tuple[int, int] | None) -> None:
        """See `Centre`."""
        tlvs = []
        if ussd:
            info = bytes([SESSION, ussd[1] << 1])
            tlvs = [
                smpp34.Tlv(smpp34.TLV_USSD_SERVICE_OP, bytes(ussd[:1])),
                smpp34.Tlv(smpp34.TLV_ITS_SESSION_INFO, info),
            ]
        response = await self.smsc.submit_sm(to, text.encode("ascii"), source_addr=ENGLISH, tlvs=tlvs)
        assert response.is_success, f"refused: {response}"

    async def delivered(self) -> Delivered:
        """See `Centre`."""
        async with asyncio.timeout(WAIT_S):
            event = await self.smsc.next()
        assert isinstance(event, smpp34.DeliverSmEvent), f"a deliver_sm was to come, and {event} did"
        tlvs = {tlv.tag: bytes(tlv.value) for tlv in event.tlvs}
        op = tlvs.get(smpp34.TLV_USSD_SERVICE_OP)
        return Delivered(
            event.source_addr,
            event.destination_addr,
            bytes(event.short_message).decode("ascii"),
            op and op[0],
            tlvs.get(smpp34.TLV_ITS_SESSION_INFO),
        )


async def test_smpp34(tmp_path: Path) -> None:
    async with listening_gateway(tmp_path) as (port, _):
        smsc = await smpp34.Client("127.0.0.1", port, **ACCOUNT).connect()
        await converse(RustCentre(smsc))
        await smsc.unbind()


# --- Kannel


class KannelCentre(NamedTuple):
    """Kannel: what the gateway answers reaches the HTTP service."""

    kannel: Kannel

    async def submit(self, to: str, text: str, ussd: tuple[int, int] | None) -> None:
        """See `Centre`."""
        query = {"from": ENGLISH, "to": to, "text": text}
        if ussd:
            tlvs = meta_data(ussd_service_op=ussd[0], its_session_info=bytes([SESSION, ussd[1] << 1]))
            query |= {"meta-data": tlvs, "binfo": "USSD"}
        await self.kannel.send_sms(**query)

    async def delivered(self) -> Delivered:
        """See `Centre`."""
        asked = await self.kannel.service.asked()
        await asked.answer()
        op = asked.tlvs.get("ussd_service_op")
        return Delivered(
            asked.query["from"],
            asked.query["to"].removeprefix("+"),
            asked.query["text"],
            op and op[0],
            asked.tlvs.get("its_session_info"),
        )


async def test_kannel(tmp_path: Path) -> None:
    if reason := kannel_peer.missing():
        pytest.skip(reason)
    async with listening_gateway(tmp_path) as (port, _), kannel_peer.running(port, tmp_path) as kannel:
        await converse(KannelCentre(kannel))
