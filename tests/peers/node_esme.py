"""What node-smpp says as an ESME."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from smpplib import consts

from smpp_sim.simulator import Simulator
from tests.peers.line_peer import Link, Pdu
from tests.peers.node_peer import Node

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


async def submitted(esme: Link, **fields: Any) -> str:
    """Submit; the message id."""
    response = await esme.ask("submit_sm", **fields)
    assert response["command_status"] == consts.SMPP_ESME_ROK
    return response["message_id"]
