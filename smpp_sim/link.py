"""One connection of an ESME to the centre: a pump round a `Session`, and the deliveries under way on it."""

import asyncio
import logging
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from gateway.smpp import events
from gateway.smpp.pdu import DeliverSm, Pdu, Unbind
from gateway.smpp.session import Role, Session, SessionSettings, State
from gateway.smpp.vocabulary import INTERFACE_VERSION, status_name
from smpp_sim.delivery import Delivery
from smpp_sim.network import Network
from smpp_sim.requests import respond

log = logging.getLogger("starpound.sim")

_BIND_NAMES = {
    State.BOUND_TRX: "transceiver",
    State.BOUND_RX: "receiver",
    State.BOUND_TX: "transmitter",
}
_RECEIVING = (State.BOUND_RX, State.BOUND_TRX)


class Exchange(Protocol):
    """What a link needs of the centre that it belongs to."""

    network: Network

    def pump(self) -> None:
        """Have every link send what waits for it."""

    def opened(self, link: "Link") -> bool:
        """Take the link in; False: there are connections enough."""

    def bound(self, link: "Link") -> None:
        """The link is bound."""

    def closed(self, link: "Link", reason: str) -> None:
        """The link is gone."""


class Link(asyncio.Protocol):
    """An ESME's connection. `system_id` is empty until it has bound; `gone` is done when it is over."""

    def __init__(
        self,
        exchange: Exchange,
        settings: SessionSettings,
        authenticate: Callable[[Pdu], int],
        clock: Callable[[], float],
    ):
        self.system_id = ""
        self.peer = ""
        self.bound_at = 0.0
        self.session = Session(Role.SMSC, settings, clock(), authenticate)
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._exchange = exchange
        self._clock = clock
        self._transport: Any = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._writable = True
        self._reason = "connection closed"

    @property
    def bind(self) -> str:
        """Kind of bind: transceiver, receiver, transmitter; empty before and after it."""
        return _BIND_NAMES.get(self.session.state, "")

    def can_receive(self, system_id: str) -> bool:
        """Whether a deliver_sm for this account can leave here now."""
        return (
            self._writable
            and self.system_id == system_id
            and self.session.state in _RECEIVING
            and self.session.window_free > 0
        )

    def deliver(self, now: float) -> None:
        """Send what waits for this ESME, as far as the window reaches."""
        while self.can_receive(self.system_id):
            delivery = self._exchange.network.take(self.system_id, now)
            if delivery is None:
                break
            self.session.send(self._for_peer(delivery.pdu), now, delivery)
        self._flush()

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

    # --- called by the transport ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Small PDUs must not wait for each other (TCP_NODELAY)."""
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host, port, *_ = transport.get_extra_info("peername") or ("somebody", 0)  # gone again already
        self.peer = f"{host}:{port}"
        if not self._exchange.opened(self):
            self._reason = "too many connections"
            transport.abort()
            return
        self._arm()

    def data_received(self, data: bytes) -> None:
        """Handle all PDUs that one read brought, answer in one write."""
        self.session.receive_data(data, self._clock())
        self._dispatch()
        self._exchange.pump()
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        """What was under way goes back to its queue."""
        self._transport = None
        self.session.receive_eof(self._clock())
        self._dispatch()
        if self._timer:
            self._timer.cancel()
        self._exchange.closed(self, self._reason)
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
                case events.BindRefused(status):
                    log.warning("bind from %s refused: %s", self.peer, status_name(status))
                case events.Quarantined(octets, reason, _):
                    log.warning("%s: PDU not understood: %s, header %s", self.peer, reason, octets[:16].hex())
                case events.Closed(reason):
                    self._reason = reason
        if lost:
            self._exchange.network.give_back(self.system_id, lost)

    def _answer(self, pdu: Pdu) -> None:
        now = self._clock()
        self.session.send(respond(self._exchange.network, self.system_id, pdu, now), now)

    def _on_bound(self, pdu: Pdu) -> None:
        self.system_id = pdu.system_id
        self.bound_at = self._exchange.network.wall(self._clock())
        self._exchange.bound(self)

    def _for_peer(self, pdu: DeliverSm) -> DeliverSm:
        """A peer of an older version gets no TLVs (SMPP 3.4 §3.4)."""
        if self.session.peer_version < INTERFACE_VERSION:
            return replace(pdu, tlvs={})
        return pdu

    # --- the wire ---------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        if self._transport is None:
            return
        data = self.session.data_to_send()
        if data:
            self._transport.write(data)
        if self.session.closed:
            self._transport.close()
        self._arm()

    def _arm(self) -> None:
        """One timer at most; one that rings early finds nothing to do and is set anew."""
        deadline = self.session.deadline()
        if deadline is None or (self._timer and self._timer_at <= deadline):
            return
        if self._timer:
            self._timer.cancel()
        self._timer_at = deadline  # uvloop's handles cannot always tell
        self._timer = asyncio.get_running_loop().call_at(deadline, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self.session.on_deadline(self._clock())
        self._dispatch()
        self._exchange.pump()
        self._flush()
