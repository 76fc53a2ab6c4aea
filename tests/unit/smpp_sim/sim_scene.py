"""A stage for tests of the simulator: a running one on free ports, and an ESME on the bare protocol core."""

import asyncio
import functools
from collections import defaultdict

from gateway.dialect import load_profile
from gateway.smpp import events
from gateway.smpp.pdu import BindTransceiver, DeliverSm, SubmitSm, Unbind
from gateway.smpp.session import Role, Session, SessionSettings
from smpp_sim.settings import NetworkSettings, SimulatorSettings

SPEC = load_profile("spec")
TIMEOUT_S = 30


def scene(test):
    """Run an async test in a loop of its own, at most `TIMEOUT_S` long."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        async def limited():
            async with asyncio.timeout(TIMEOUT_S):
                await test(*args, **kwargs)

        asyncio.run(limited())

    return run


async def until(condition):
    """Let others run until the condition holds; the scene's time limit ends it otherwise."""
    while not condition():  # noqa: ASYNC110 — what is waited for has no event of its own
        await asyncio.sleep(0)


def settings(network=None, **changes):
    """Settings with free ports."""
    ports = {"smpp_port": 0, "http_port": 0}
    return SimulatorSettings(**{**ports, **changes}, network=NetworkSettings(**(network or {})))


class WireEsme(asyncio.Protocol):
    """An ESME without any logic: the test reads what came, and says what is answered."""

    def __init__(self, window=64):
        self._loop = asyncio.get_running_loop()
        self.session = Session(
            Role.ESME, SessionSettings(window=window, peer_window=window), self._loop.time()
        )
        self.came = defaultdict(asyncio.Queue)
        self.gone = self._loop.create_future()
        self.acknowledges = True
        self.transport = None

    @classmethod
    async def bind(
        cls, port, system_id="gw", password="secret", pdu_class=BindTransceiver, acknowledges=True
    ):
        loop = asyncio.get_running_loop()
        _, esme = await loop.create_connection(cls, "127.0.0.1", port)
        esme.acknowledges = acknowledges
        esme.send(pdu_class(system_id=system_id, password=password, interface_version=0x34))
        bound, refused = esme.next(events.Bound), esme.next(events.BindRefused)
        tasks = [asyncio.ensure_future(outcome) for outcome in (bound, refused)]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if tasks[1].done():
            tasks[0].cancel()
            await esme.cut()
            raise ConnectionRefusedError(tasks[1].result())
        tasks[1].cancel()
        return esme

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.session.receive_data(data, self._loop.time())
        for event in self.session.events():
            if isinstance(event, events.UnbindRequest):
                self.session.send(event.pdu.respond(), self._loop.time())
            elif isinstance(event, events.Request) and self.acknowledges:
                self.session.acknowledge(event.pdu)
            self.came[type(event)].put_nowait(event)
        self.flush()

    def connection_lost(self, error):
        self.gone.set_result(None)

    def flush(self):
        self.transport.write(self.session.data_to_send())
        if self.session.closed:
            self.transport.close()

    def send(self, pdu, context=None):
        self.session.send(pdu, self._loop.time(), context)
        self.flush()

    async def cut(self):
        """The process is gone, without a word."""
        self.transport.abort()
        await self.gone

    async def next(self, kind):
        """The next event of a kind."""
        return await self.came[kind].get()

    async def deliver_sm(self) -> DeliverSm:
        return (await self.next(events.Request)).pdu

    async def turn(self):
        """The next USSD turn, read by the dialect."""
        return SPEC.read(await self.deliver_sm())

    async def submit(self, pdu):
        """Send a request; its response."""
        self.send(pdu)
        return (await self.next(events.Response)).pdu

    async def show(self, turn, text, kind="ask"):
        """Answer a turn with a screen."""
        return await self.submit(SPEC.write(turn.reply, text, kind))

    async def sms(self, to, text, sender="000110", **fields):
        return await self.submit(
            SubmitSm(source_addr=sender, destination_addr=to, short_message=text.encode("ascii"), **fields)
        )

    async def unbind(self):
        self.send(Unbind())
        await self.gone
