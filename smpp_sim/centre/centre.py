"""The SMSC and USSD centre: listens for ESMEs, and joins the phone network to their links.

The network is pure and the links are pumps; the centre owns the socket, the one timer of the network, and the
rule that after anything happened every link is asked to send what waits for it.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from gateway.alarm import Alarm
from gateway.smpp.pdu import BindRequest, Pdu
from gateway.smpp.session import Role, SessionSettings
from smpp_sim.centre.admission import Admission
from smpp_sim.centre.calling import Caller
from smpp_sim.centre.faults import Faults, NoFaults
from smpp_sim.centre.link import CentreLink
from smpp_sim.centre.network import Network
from smpp_sim.centre.sent_sms import MessageState, SentSms
from smpp_sim.centre.station import MobileStation
from smpp_sim.phones.events import EventLog
from smpp_sim.settings import Account, SimulatorSettings, cannot_listen
from smpp_sim.tls import server_context
from smpp_sim.trace import WireTrace

log = logging.getLogger("starpound.sim")


class Centre:
    """`start`, then `port` says where it listens; `stop` unbinds everybody. Owners of phones act through it.

    `links` are the connections that are open, `log` has an event ``bound`` or ``unbound`` for each bind, `trace` the
    last PDUs of all of them. `gateway_admin` may be set once the gateway at the other end is up.
    """

    def __init__(self, settings: SimulatorSettings):
        self.settings = settings
        loop = asyncio.get_running_loop()
        self._clock: Callable[[], float] = loop.time
        self.network = Network(settings.accounts, settings.network, time.time() - loop.time())
        self.links: set[CentreLink] = set()
        self.log = EventLog()
        self.trace = WireTrace(settings.trace_pdus, settings.trace_octets)
        self.gateway_admin = settings.gateway_admin
        self.faults: Faults = NoFaults()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._alarm = Alarm(self._on_deadline)
        self._stopping = False
        self.receipt_first = settings.receipt_first
        self._tls = server_context(settings.tls) if settings.tls else None
        admission = Admission(settings.accounts, settings.one_bind_error, lambda: self.links)
        self._admit = admission.decide
        self._session_settings = SessionSettings(
            window=settings.window,
            peer_window=settings.peer_window,
            enquire_link_timer_s=settings.enquire_link_s,
            response_timer_s=settings.response_s,
            session_init_timer_s=settings.session_init_s,
            system_id=settings.system_id,
        )
        self._callers = {
            account.system_id: Caller(account, settings, partial(self._is_wanted, account), self._make_link)
            for account in settings.accounts
            if account.address
        }

    # --- life -------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen. Raises `SimulatorError`."""
        await self._listen(self.settings.smpp_port)

    def interrupt(self) -> None:
        """Be gone without a word, as if the process had died; what waits for ESMEs stays."""
        if self._server:
            self._server.close()
        for link in list(self.links):
            link.abort()

    async def resume(self) -> None:
        """Listen again, where it was. Raises `SimulatorError`."""
        await self._listen(self.port)

    def suffer(self, faults: Faults) -> None:
        """Have these go wrong from now on, in place of those before; `NoFaults` ends them."""
        self.faults = self.network.faults = faults

    async def _listen(self, port: int) -> None:
        host, loop = self.settings.smpp_host, asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self._accept, host, port, **self._tls_options())
        except OSError as error:
            raise cannot_listen("SMPP", host, port, error) from None
        self.port = self._server.sockets[0].getsockname()[1]
        self.pump()

    def _tls_options(self) -> dict[str, Any]:
        if self._tls is None:
            return {}
        return {"ssl": self._tls, "ssl_handshake_timeout": self.settings.session_init_s or None}

    async def stop(self) -> None:
        """Take nobody in any more, unbind who is here, close. Waits at most `stop_s`."""
        self._stopping = True
        if self._server:
            self._server.close()
        for caller in self._callers.values():
            await caller.stop()
        links = list(self.links)
        for link in links:
            link.leave()
        if links:
            await asyncio.wait([link.gone for link in links], timeout=self.settings.stop_s)
        for link in list(self.links):
            link.abort()
        self._alarm.cancel()
        self.network.close()
        self.log.close()
        self.trace.close()

    def _accept(self) -> CentreLink:
        return CentreLink(self, self._session_settings, self._clock)

    def _make_link(self, role: Role, opening: Pdu, called: str) -> CentreLink:
        return CentreLink(self, self._session_settings, self._clock, role, opening, called)

    def _is_wanted(self, account: Account) -> bool:
        """Whether the centre should call this account: always to bind there, for outbind when it is of use."""
        if account.connect:
            return not self._stopping
        here = any(link.receives(account.system_id) for link in self.links)
        return self.network.queues[account.system_id].waiting > 0 and not here and not self._stopping

    # --- what owners of phones do; errors as in Network -----------------------------------------------------

    def dial(self, msisdn: str, code: str) -> MobileStation:
        """Dial a code."""
        return self._do(self.network.dial, msisdn, code)

    def answer(self, msisdn: str, text: str) -> MobileStation:
        """Answer the question on the display."""
        return self._do(self.network.answer, msisdn, text)

    def press_ok(self, msisdn: str) -> MobileStation:
        """Close the box on the display; under a question: answer with nothing."""
        return self._do(self.network.press_ok, msisdn)

    def cancel(self, msisdn: str) -> MobileStation:
        """Give the dialogue up."""
        return self._do(self.network.cancel, msisdn)

    def hang_up(self, msisdn: str) -> MobileStation:
        """Give everything up and clear the display."""
        return self._do(self.network.hang_up, msisdn)

    def lose(self, msisdn: str) -> MobileStation:
        """Have the network lose the dialogue, as at a time-out."""
        return self._do(self.network.lose, msisdn)

    def send_sms(self, msisdn: str, to: str, text: str) -> MobileStation:
        """Send an SMS, which may be empty."""
        return self._do(self.network.send_sms, msisdn, to, text)

    def switch(self, msisdn: str, on: bool) -> MobileStation:
        """Switch a phone on or off."""
        return self._do(self.network.switch, msisdn, on)

    def read(self, msisdn: str) -> MobileStation:
        """Read the SMS that came: senders that asked for it hear of it."""
        return self._do(self.network.read, msisdn)

    def settle(self, message: SentSms, state: MessageState) -> None:
        """Have a message of an ESME that waits end like this. Raises `NotPossible`."""
        self.network.sms.settle(message, state, self._clock())
        self.pump()

    def _do(self, deed: Callable[..., MobileStation], *words: str | bool) -> MobileStation:
        try:
            return deed(*words, self._clock())
        finally:
            self.pump()

    # --- what links do ----------------------------------------------------------------------------------------

    def pump(self) -> None:
        """Have every link send what waits for it, and set the timer."""
        now = self._clock()
        for system_id, queue in self.network.queues.items():
            if queue.waiting:
                self._deliver(system_id, now)
        for caller in self._callers.values():
            caller.look()
        if not self._stopping:
            self._alarm.arm(self.network.deadline(now))

    def admit(self, link: CentreLink, bind: BindRequest) -> int:
        """The command_status that a bind is answered with."""
        return self.faults.on_bind(bind) or self._admit(link, bind)

    def opened(self, link: CentreLink) -> bool:
        """Take a link in, unless there are enough or the end is near."""
        if self._stopping or len(self.links) >= self.settings.max_connections:
            log.warning("connection from %s refused: %d are open", link.peer, len(self.links))
            return False
        self.links.add(link)
        return True

    def bound(self, link: CentreLink) -> None:
        """Log a bind."""
        self.network.came_back(link.system_id)
        log.info("%s bound as %s from %s", link.system_id, link.bind, link.peer)
        self.log.add("bound", describe(self, link), time.time())

    def closed(self, link: CentreLink, reason: str) -> None:
        """Forget a link; what waits may leave by another one."""
        self.links.discard(link)
        if link.system_id:
            log.info("%s from %s is gone: %s", link.system_id, link.peer, reason)
            self.log.add(
                "unbound", {"system_id": link.system_id, "peer": link.peer, "reason": reason}, time.time()
            )
        if not self._stopping:
            self.pump()

    def _deliver(self, system_id: str, now: float) -> None:
        for link in list(self.links):
            if link.can_receive(system_id):
                link.deliver(now)

    def _on_deadline(self) -> None:
        self.network.on_deadline(self._clock())
        self.pump()


def describe(centre: Centre, link: CentreLink) -> dict[str, Any]:
    """A bound link for JSON."""
    return {
        "system_id": link.system_id,
        "role": link.session.role.value,
        "bind": link.bind,
        "peer": link.peer,
        "since": round(link.bound_at, 3),
        "dialect": centre.network.accounts[link.system_id].dialect,
        "waiting": centre.network.queues[link.system_id].waiting,
        "under_way": link.session.pending,
    }
