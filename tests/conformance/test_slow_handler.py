"""No timer, and no answer of the session's own, waits for a slow handler (S5; specification §7.2)."""

import asyncio

import pytest

from gateway.links.connection import Connection
from gateway.smpp.events import Event, Request
from gateway.smpp.session import Role, Session, SessionSettings
from tests.conformance.octets import (
    BIND_TRANSCEIVER,
    ENQUIRE_LINK,
    RESPONSE,
    ROK,
    SUBMIT_SM,
    bind,
    frame,
    message,
    response,
)
from tests.conformance.peer import Peer


class SlowProgram:
    """A listener whose handler keeps every request until `go_on` is set."""

    def __init__(self) -> None:
        self.go_on, self.at_work = asyncio.Event(), asyncio.Event()
        self._connection: Connection | None = None

    async def listen(self) -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(self._accept, "127.0.0.1", 0)

    def _accept(self) -> Connection:
        loop = asyncio.get_running_loop()
        session = Session(Role.SMSC, SessionSettings(enquire_link_timer_s=0.2), loop.time(), lambda _: ROK)
        self._connection = Connection(session, loop.time)
        self.served = loop.create_task(self._connection.run(self._handle))
        return self._connection

    async def _handle(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Request):
                self.at_work.set()
                await self.go_on.wait()
                self._connection.session.acknowledge(event.pdu)


@pytest.mark.parametrize("asks", ["the peer", "our timer"])
async def test_S5_enquire_link_while_the_handler_is_at_work(asks: str):
    """Answered, even unbound; and any PDU is a sign of life."""
    program = SlowProgram()
    server = await program.listen()
    peer = Peer(*await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1]))
    peer.mute = True
    await peer.ask(BIND_TRANSCEIVER, bind())
    peer.write(frame(SUBMIT_SM, 5, message("105", "79260000003", b"slow")))
    await program.at_work.wait()
    if asks == "the peer":
        await peer.is_alive()
    else:
        peer.write(response(await peer.request(ENQUIRE_LINK)))
    assert SUBMIT_SM | RESPONSE not in peer.skipped(), "acknowledged before the handler said so"
    program.go_on.set()
    assert (await peer.response(5)).status == ROK
    await peer.close()
    await program.served
    server.close()
