"""An application for tests of phones: a menu of two lines, a push, an SMS back; it lives in the simulator's loop."""

import asyncio
import contextlib
from collections.abc import Iterator

from gateway.dialect import Inbound
from gateway.smpp.pdu import SubmitSm
from menus.turns import Answer, Begin
from smpp_sim.testing.smsc import Smsc
from tests.unit.smpp_sim.sim_scene import SPEC, WireEsme

MENU = "Menu\n1 Balance\n2 Nothing"


class Application:
    """Bound as gw. `*100#` shows the balance, `*105#` the menu, any other code gets no answer at all."""

    def __init__(self, esme: WireEsme):
        self.esme = esme
        self.serving = asyncio.create_task(self._serve())

    async def push(self, msisdn: str, text: str, kind: str = "push_ask") -> SubmitSm:
        """A screen that nobody asked for."""
        return await self.esme.submit(SPEC.push(msisdn, "105", text, kind))

    async def _serve(self) -> None:
        while True:
            pdu = await self.esme.deliver_sm()
            if SPEC.is_ussd(pdu):
                await self._turn(SPEC.read(pdu))
            elif pdu.short_message == b"LONG":
                await self.esme.sms(pdu.source_addr, "not this one", sender="000999")
                await self.esme.sms(pdu.source_addr, "this one")
            else:
                await self.esme.sms(pdu.source_addr, "Login 9, password s3cret-word")

    async def _turn(self, inbound: Inbound) -> None:
        match inbound.turn:
            case Begin("*100#"):
                await self.esme.show(inbound, "5.40 RUB", "finish")
            case Begin("*105#"):
                await self.esme.show(inbound, MENU)
            case Answer("1"):
                await self.esme.sms(inbound.msisdn, "Login 9, password s3cret-word")
                await self.esme.show(inbound, "5.40 RUB on 22.11.2026", "finish")
            case Answer("" | "2"):
                await self.esme.show(inbound, "Anything else?")


@contextlib.contextmanager
def answering(smsc: Smsc) -> Iterator[Application]:
    """The application, bound to this simulator."""

    async def begin() -> Application:
        return Application(await WireEsme.bind(smsc.port))

    async def end() -> None:
        application.serving.cancel()
        await application.esme.cut()

    application = smsc.wait(begin())
    smsc.wait_bound()
    try:
        yield application
    finally:
        smsc.wait(end())
