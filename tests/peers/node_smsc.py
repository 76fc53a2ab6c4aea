"""What node-smpp says as an SMSC and USSD centre, and what it checks in the gateway's answers."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from smpplib import consts

from gateway.daemon import Gateway
from tests.peers.line_peer import Link, Pdu, Peer
from tests.peers.node_peer import Node
from tests.peers.stage import gateway

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


def sms(link: Link, msisdn: str, to: str, text: str | bytes, **fields: Any) -> None:
    """Send an SMS."""
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


def check_screen(pdu: Pdu, msisdn: str, op: int, info: bytes, data_coding: int) -> None:
    """Check all of a USSD answer but its text."""
    assert (pdu["service_type"], pdu["source_addr"], pdu["destination_addr"]) == ("USSD", "105", msisdn)
    assert (pdu["ussd_service_op"], pdu["its_session_info"]) == (op, info)
    assert b"\x05\x01\x00\x01" + bytes([op]) in pdu["octets"]
    assert b"\x13\x83\x00\x02" + info in pdu["octets"]
    assert (pdu["data_coding"], pdu["esm_class"], pdu["registered_delivery"]) == (data_coding, 0, 0)


def body(pdu: Pdu) -> bytes:
    """What comes after the header."""
    return pdu["octets"][16:]
