"""A loop whose clock goes as fast as there is something to do, and a wire in memory: a scenario without waiting."""

import asyncio
import selectors
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from gateway.dialect import load_profile
from gateway.smpp import events
from gateway.smpp.pdu import BindTransceiver, SubmitSm
from gateway.smpp.session import Role, Session, SessionSettings
from gateway.smpp.vocabulary import ESME_RMSGQFUL, ESME_RTHROTTLED
from menus.turns import Answer, Begin
from smpp_sim.centre.centre import Centre
from smpp_sim.centre.link import CentreLink

SPEC = load_profile("spec")


class TurnedClockLoop(asyncio.SelectorEventLoop):
    """Where another loop would wait, this one puts its clock forward."""

    def __init__(self):
        self.now = 1000.0
        super().__init__(_Selector(self))

    def time(self) -> float:
        return self.now


class _Selector(selectors.SelectSelector):
    def __init__(self, loop: TurnedClockLoop):
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list:
        assert timeout is not None, "nothing will ever happen again"
        self._loop.now += timeout
        return super().select(0)


def run_at_once(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """The result of `work`, in no time."""
    complaints: list[Any] = []
    with asyncio.Runner(loop_factory=TurnedClockLoop) as runner:
        runner.get_loop().set_exception_handler(lambda _, context: complaints.append(context))
        result = runner.run(work())
    assert not complaints, complaints[0]
    return result


class MemoryEsme:
    """An ESME that always does the same: a menu for *105# and 3, one last screen for the rest, an SMS for an SMS.

    It keeps its window, and sends again what was throttled or has had no response. `heard` are the octets that came,
    write by write.
    """

    def __init__(self, centre: Centre):
        self._loop = asyncio.get_running_loop()
        settings = SessionSettings(window=10, peer_window=64, enquire_link_timer_s=0, response_timer_s=5)
        self.session = Session(Role.ESME, settings, self._loop.time())
        self.heard: list[bytes] = []
        self._waiting: deque[Any] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self.link = CentreLink(centre, SessionSettings(window=10, peer_window=64), self._loop.time, Role.SMSC)
        self.link.connection_made(_Transport(self))
        bind = BindTransceiver(system_id="gw", password="secret", interface_version=0x34)
        self.session.send(bind, self._loop.time())
        self.flush()

    def hear(self, octets: bytes) -> None:
        """Something came."""
        self.heard.append(octets)
        self.session.receive_data(octets, self._loop.time())
        self._react()

    def submit(self, pdu: Any) -> None:
        """Send it, or again."""
        self._waiting.append(pdu)
        self.flush()

    def answer(self, pdu: Any) -> None:
        """What a message of a phone brings."""
        if SPEC.is_ussd(pdu):
            inbound = SPEC.read(pdu)
            asks = pdu.short_message in (b"*105#", b"3")
            text, kind = ("1 Balance", "ask") if asks else ("5.40", "finish")
            if isinstance(inbound.turn, Begin | Answer):
                self.submit(SPEC.write(inbound.reply, text, kind))
        elif not pdu.esm_class:
            self.submit(
                SubmitSm(
                    source_addr=pdu.destination_addr,
                    destination_addr=pdu.source_addr,
                    registered_delivery=1,
                    short_message=b"Your balance is 5.40",
                )
            )

    def throttled(self, pdu: Any) -> None:
        """It has to come again."""
        self._loop.call_later(0.5, self.submit, pdu)

    def flush(self) -> None:
        """Send what the window has room for."""
        while self._waiting and self.session.window_free:
            pdu = self._waiting.popleft()
            self.session.send(pdu, self._loop.time(), pdu)
        octets = self.session.data_to_send()
        if octets:
            self._loop.call_soon(self.link.data_received, octets)
        if self._timer:
            self._timer.cancel()
        deadline = self.session.deadline()
        self._timer = None if deadline is None else self._loop.call_at(deadline, self._on_timer)

    def _on_timer(self) -> None:
        self.session.on_deadline(self._loop.time())
        self._react()

    def _react(self) -> None:
        for event in self.session.events():
            match event:
                case events.Request(pdu):
                    self.session.acknowledge(pdu)
                    self.answer(pdu)
                case events.Response(pdu, again) if pdu.command_status in (ESME_RTHROTTLED, ESME_RMSGQFUL):
                    self.throttled(again)
                case events.Unanswered(again, "response_timer"):
                    self.submit(again)
                case events.UnbindRequest(pdu):
                    self.session.send(pdu.respond(), self._loop.time())
        self.flush()


class _Transport(asyncio.Transport):
    """The centre's end of the wire."""

    def __init__(self, esme: MemoryEsme):
        super().__init__({"socket": self, "peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self._esme = esme

    def setsockopt(self, *_: int) -> None:
        pass

    def write(self, octets: bytes) -> None:
        asyncio.get_running_loop().call_soon(self._esme.hear, bytes(octets))

    def close(self) -> None:
        asyncio.get_running_loop().call_soon(self._esme.link.connection_lost, None)

    abort = close

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass
