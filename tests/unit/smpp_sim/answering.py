"""An application for tests of phones: a menu of two lines, a push, an SMS back; it lives in a thread of its own."""

import asyncio
import contextlib
from collections.abc import Iterator

from anyio.from_thread import BlockingPortal, start_blocking_portal
from pytest_starpound.smsc import Smsc

from gateway.dialect import Inbound
from menus.turns import Answer, Begin
from tests.unit.smpp_sim.sim_scene import SPEC, WireEsme

MENU = "Menu\n1 Balance\n2 Nothing"


class Application:
    """Bound as gw. `*100#` shows the balance, `*105#` the menu, any other code gets no answer at all."""

    def __init__(self, portal: BlockingPortal, esme: WireEsme):
        self._portal, self._esme = portal, esme
        self._serving = asyncio.create_task(self._serve())

    def push(self, msisdn: str, text: str, kind: str = "push_ask") -> None:
        """A screen that nobody asked for."""
        self._portal.call(self._esme.submit, SPEC.push(msisdn, "105", text, kind))

    def sms(self, msisdn: str, text: str) -> None:
        """An SMS that nobody asked for."""
        self._portal.call(self._esme.sms, msisdn, text)

    async def end(self) -> None:
        """Be gone."""
        self._serving.cancel()
        await self._esme.cut()

    async def _serve(self) -> None:
        while True:
            pdu = await self._esme.deliver_sm()
            if SPEC.is_ussd(pdu):
                await self._turn(SPEC.read(pdu))
            elif pdu.short_message == b"LONG":
                await self._esme.sms(pdu.source_addr, "not this one", sender="000999")
                await self._esme.sms(pdu.source_addr, "this one")
            else:
                await self._esme.sms(pdu.source_addr, "Login 9, password s3cret-word")

    async def _turn(self, inbound: Inbound) -> None:
        match inbound.turn:
            case Begin("*100#"):
                await self._esme.show(inbound, "5.40 RUB", "finish")
            case Begin("*105#"):
                await self._esme.show(inbound, MENU)
            case Answer("1"):
                await self._esme.sms(inbound.msisdn, "Login 9, password s3cret-word")
                await self._esme.show(inbound, "5.40 RUB on 22.11.2026", "finish")
            case Answer("" | "2"):
                await self._esme.show(inbound, "Anything else?")


@contextlib.contextmanager
def answering(smsc: Smsc) -> Iterator[Application]:
    """The application, bound to this simulator."""

    async def begin(portal: BlockingPortal) -> Application:
        return Application(portal, await WireEsme.bind(smsc.port))

    with start_blocking_portal() as portal:
        application = portal.call(begin, portal)
        smsc.wait_bound()
        try:
            yield application
        finally:
            portal.call(application.end)
