"""One connection of the centre: a pump round a `Session`, and the deliveries under way on it.

Mostly an ESME has bound to the centre. On a connection that the centre opened as an ESME itself all is the same, but
what goes out are submit_sm, and what comes in are deliver_sm.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from gateway.alarm import Alarm
from gateway.dialect import Message
from gateway.smpp import events
from gateway.smpp.errors import LocalProtocolError
from gateway.smpp.pdu import (
    AlertNotification,
    BindRequest,
    BindResponse,
    DataSm,
    DeliverSm,
    Pdu,
    SubmitSm,
    Unbind,
)
from gateway.smpp.session import Role, Session, SessionSettings, State
from gateway.smpp.vocabulary import ESME_ROK, ESME_RSYSERR, ESME_RX_P_APPN, status_name
from smpp_sim.centre.delivery import Delivery
from smpp_sim.centre.faults import Faults
from smpp_sim.centre.messages import carried
from smpp_sim.centre.network import Network
from smpp_sim.centre.requests import respond
from smpp_sim.trace import WireTrace, url_address

log = logging.getLogger("starpound.sim")

_BIND_NAMES = {
    State.BOUND_TRX: "transceiver",
    State.BOUND_RX: "receiver",
    State.BOUND_TX: "transmitter",
}
_DELIVERING = {
    Role.SMSC: (State.BOUND_RX, State.BOUND_TRX),
    Role.ESME: (State.BOUND_TX, State.BOUND_TRX),
}
_CARRIERS: dict[tuple[Role, str], type[Message]] = {
    (Role.SMSC, "deliver_sm"): DeliverSm,
    (Role.ESME, "deliver_sm"): SubmitSm,
    (Role.SMSC, "data_sm"): DataSm,
    (Role.ESME, "data_sm"): DataSm,
}


class Exchange(Protocol):
    """What a link needs of the centre that it belongs to."""

    network: Network
    receipt_first: bool
    trace: WireTrace
    faults: Faults

    def admit(self, link: "CentreLink", bind: BindRequest) -> int:
        """The command_status that a bind is answered with."""

    def pump(self) -> None:
        """Have every link send what waits for it."""

    def opened(self, link: "CentreLink") -> bool:
        """Take the link in; False: there are connections enough."""

    def bound(self, link: "CentreLink") -> None:
        """The link is bound."""

    def closed(self, link: "CentreLink", reason: str) -> None:
        """The link is gone."""


class CentreLink(asyncio.Protocol):
    """A connection with one account. `system_id` is empty until it is bound; `gone` is done when it is over.

    `role` is the centre's. When the centre has opened the connection, `opening` is the PDU that it begins with, and
    `called` the account that it is meant for.
    """

    def __init__(
        self,
        exchange: Exchange,
        settings: SessionSettings,
        clock: Callable[[], float],
        role: Role = Role.SMSC,
        opening: Pdu | None = None,
        called: str = "",
    ):
        self.called = called
        self.system_id = ""
        self.host = ""
        self.peer = ""
        self.bound_at = 0.0
        self.session = Session(role, settings, clock(), partial(exchange.admit, self))
        self._opening = opening
        self._tap = exchange.trace.tap(settings.max_pdu_octets)
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._exchange = exchange
        self._clock = clock
        self._transport: Any = None
        self._alarm = Alarm(self._on_deadline)
        self._writable = True
        self._reason = "connection closed"

    @property
    def bind(self) -> str:
        """Kind of bind: transceiver, receiver, transmitter; empty before and after it."""
        return _BIND_NAMES.get(self.session.state, "")

    def receives(self, system_id: str) -> bool:
        """Whether this is a bind of the account by which messages reach it, now or later."""
        return self.system_id == system_id and self.session.state in _DELIVERING[self.session.role]

    def can_receive(self, system_id: str) -> bool:
        """Whether a deliver_sm for this account can leave here now."""
        return (
            self._writable
            and self.session.window_free > 0
            and self.receives(system_id)
            and not self._is_deaf()
        )

    def deliver(self, now: float) -> None:
        """Send what waits for this ESME, as far as the window reaches."""
        while self.can_receive(self.system_id):
            delivery = self._exchange.network.take(self.system_id, now)
            if delivery is None:
                break
            self._send(delivery, now)
        self._flush()

    def _send(self, delivery: Delivery, now: float) -> None:
        account = self._exchange.network.accounts[self.system_id]
        form = "deliver_sm" if self.session.peer_is_older else account.deliver_by  # data_sm is new in 3.4
        pdu = carried(delivery.pdu, _CARRIERS[self.session.role, form])
        status = ESME_ROK
        try:
            self.session.send(pdu, now, delivery)
        except LocalProtocolError as problem:  # nothing that this peer could take
            log.warning("%s: %s", self.system_id, problem)
            status = ESME_RX_P_APPN
        if status or isinstance(pdu, AlertNotification):
            self._exchange.network.taken(self.system_id, delivery, status, now)

    def leave(self) -> None:
        """Begin a graceful end: unbind, or close at once what is not bound."""
        if self.session.bound:
            self.session.send(Unbind(), self._clock())
            self._flush()
        elif self._transport:
            self._transport.close()

    def abort(self) -> None:
        """Drop the connection."""
        if self._transport:
            self._transport.abort()

    # --- what faults do ---------------------------------------------------------------------------------------

    def put(self, octets: bytes) -> None:
        """Write to the socket, if there is one."""
        if self._transport:
            self._tap.sent(octets, self._wall())
            self._transport.write(octets)

    def rest(self, seconds: float) -> None:
        """Read nothing for a while."""
        self._transport.pause_reading()
        asyncio.get_running_loop().call_later(seconds, self._go_on)

    def _go_on(self) -> None:
        if self._transport and self._writable:
            self._transport.resume_reading()

    def _is_deaf(self) -> bool:
        return self._exchange.faults.deaf(self)

    # --- called by the transport ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Small PDUs must not wait for each other (TCP_NODELAY)."""
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host, port, *_ = transport.get_extra_info("peername") or ("", 0)  # gone again already
        self.peer = f"{self.host}:{port}"
        self._tap.connection.peer = url_address(transport.get_extra_info("peername"))
        self._tap.connection.local = url_address(transport.get_extra_info("sockname"))
        if not self._exchange.opened(self):
            self._reason = "too many connections"
            self.abort()
            return
        if self._opening:
            self.session.send(self._opening, self._clock())
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Handle all PDUs that one read brought, answer in one write."""
        if self._is_deaf():
            return
        self._tap.received(data, self._wall())
        self.session.receive_data(data, self._clock())
        self._dispatch()
        self._exchange.pump()
        self._flush()
        if self._transport:
            self._exchange.faults.after_read(self)

    def connection_lost(self, error: Exception | None) -> None:
        """What was under way goes back to its queue."""
        self._transport = None
        self._tap.close(self._wall())
        self.session.receive_eof(self._clock())
        self._dispatch()
        self._alarm.cancel()
        self._exchange.closed(self, self._reason)
        self._exchange.faults.left(self)
        if not self.gone.done():
            self.gone.set_result(None)

    def pause_writing(self) -> None:
        """A peer that does not read is not listened to either: what waits for it stays bounded."""
        self._writable = False
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        self._writable = True
        self._transport.resume_reading()
        self._exchange.pump()

    # --- events of the session --------------------------------------------------------------------------------

    def _dispatch(self) -> None:
        lost: list[Delivery] = []
        for event in self.session.events():
            match event:
                case events.Request(pdu):
                    self._answer(pdu)
                case events.Response(pdu, Delivery() as delivery):
                    self._exchange.network.taken(self.system_id, delivery, pdu.command_status, self._clock())
                case events.Unanswered(Delivery() as delivery):
                    lost.append(delivery)
                case events.Bound(pdu):
                    self._on_bound(pdu)
                case events.UnbindRequest(pdu):
                    self.session.send(pdu.respond(), self._clock())
                case events.Refused(_, _, status):
                    self._exchange.faults.on_refused(self, status)
                case events.BindRefused(status):
                    self._on_bind_refused(status)
                case events.Quarantined(octets, reason, _):
                    log.warning("%s: PDU not understood: %s, header %s", self.peer, reason, octets[:16].hex())
                case events.Closed(reason):
                    self._reason = reason
        if lost:
            self._exchange.network.give_back(self.system_id, lost)

    def _answer(self, pdu: Pdu) -> None:
        now = self._clock()
        if (status := self._exchange.faults.on_request(self, pdu)) is not None:
            self.session.acknowledge(pdu, status)
            return
        response = respond(self._exchange.network, self.system_id, pdu, now)
        if self._exchange.receipt_first:
            self._exchange.pump()
        try:
            self.session.send(response, now)
        except LocalProtocolError:
            log.exception("%s of %s", pdu.name, self.system_id)
            self.session.acknowledge(pdu, ESME_RSYSERR)

    def _on_bind_refused(self, status: int) -> None:
        if self.session.role is Role.SMSC:
            log.warning("bind from %s refused: %s", self.peer, status_name(status))
            return
        self._reason = f"bind refused: {status_name(status)}"
        log.warning("%s at %s: %s", self.called, self.peer, self._reason)
        self._transport.close()

    def _on_bound(self, pdu: BindRequest | BindResponse) -> None:
        self.system_id = pdu.system_id if self.session.role is Role.SMSC else self.called
        self._tap.connection.account = self.system_id
        self.bound_at = self._wall()
        self._exchange.bound(self)

    # --- the wire ---------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        if self._transport is None:
            return
        data = self.session.data_to_send()
        if data:
            self._exchange.faults.write(self, data)
        if self.session.closed:
            self._transport.close()
        self._alarm.arm(self.session.deadline())

    def _wall(self) -> float:
        return self._exchange.network.wall(self._clock())

    def _on_deadline(self) -> None:
        if self._is_deaf():
            return
        self.session.on_deadline(self._clock())
        self._dispatch()
        self._exchange.pump()
        self._flush()
