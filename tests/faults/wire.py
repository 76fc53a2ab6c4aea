"""A connection of the gateway to the scripted centre, and what can be done to it."""

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, Any

from gateway.dialect import ITS_SESSION_INFO, load_profile
from gateway.smpp import events
from gateway.smpp.pdu import Pdu, SubmitSm, Unbind
from gateway.smpp.session import Role, Session, SessionSettings
from gateway.smpp.text import ALPHABET_BY_DCS, decode_text
from gateway.smpp.vocabulary import ESME_RINVPASWD, ESME_ROK
from tests.faults.messages import Answer, Message

if TYPE_CHECKING:
    from tests.faults.centre import Centre

SPEC = load_profile("spec")


class Wire(asyncio.Protocol):
    """One connection of the gateway."""

    def __init__(self, centre: "Centre"):
        loop = asyncio.get_running_loop()
        self._centre = centre
        self._now = loop.time
        settings = SessionSettings(
            window=centre.window,
            peer_window=1_000_000,
            session_init_timer_s=None,
            enquire_link_timer_s=None,
            response_timer_s=None,
        )
        self.session = Session(Role.SMSC, settings, self._now(), self._authenticate)
        self.gone: asyncio.Future[None] = loop.create_future()
        self.reason = ""
        self._transport: Any = None
        self._responded: list[Answer] = []
        self._settled = 0
        self._mute = False

    @property
    def up(self) -> bool:
        """Whether it is bound, and nobody has begun to close it."""
        return self.session.bound and not self._transport.is_closing()

    # --- faults

    def close(self) -> None:
        """The centre says goodbye to TCP only: what was written still arrives."""
        self._transport.close()

    def reset(self) -> None:
        """The connection is torn: what is under way, either way, is lost."""
        if not self._transport.is_closing():
            linger = struct.pack("ii", 1, 0)
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._transport.abort()

    def leave(self) -> None:
        """Unbind, as a centre does before its maintenance."""
        self.session.send(Unbind(), self._now())
        self.flush()

    def fall_silent(self, reads: bool) -> None:
        """The peer is gone and nobody says so: it writes nothing any more, and does not even read unless `reads`."""
        self._mute = True
        if not reads:
            self._transport.pause_reading()

    def write(self, octets: bytes) -> None:
        """Octets that the session knows nothing of."""
        self._transport.write(octets)

    # --- messages

    def deliver(self, message: Message) -> None:
        message.deliveries += 1
        self.session.send(message.pdu, self._now(), (message, len(self._responded)))

    def respond(self, answer: Answer, status: int) -> None:
        if self.session.closed or self._mute or self._transport.is_closing():
            return
        fields = {"message_id": f"{len(self._centre.answers):x}"} if status == ESME_ROK else {}
        self.session.send(answer.pdu.respond(status, **fields), self._now())
        answer.status = status
        self._responded.append(answer)
        self.flush()
        self._centre.count("responded")

    def flush(self) -> None:
        data = self.session.data_to_send()
        if data and not self._mute:
            self._transport.write(data)
        if self.session.closed:
            self._transport.close()

    # --- called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._centre.wires.append(self)

    def data_received(self, data: bytes) -> None:
        self.session.receive_data(data, self._now())
        self._dispatch()
        self._centre.pump()
        self.flush()

    def connection_lost(self, error: Exception | None) -> None:
        self.session.receive_eof(self._now())
        self._dispatch()
        self.gone.set_result(None)
        self._centre.changed()

    def _dispatch(self) -> None:
        centre, lost = self._centre, []
        for event in self.session.events():
            match event:
                case events.Request(SubmitSm() as pdu):
                    centre.take_in(self._read(pdu))
                case events.Response(pdu, (message, responded)):
                    self._acknowledged(message, responded, pdu.command_status)
                case events.Unanswered((message, _)):
                    lost.append(message)
                case events.Bound():
                    centre.forget_silent()
                    centre.redeliver()
                    centre.count("bound")
                case events.UnbindRequest(pdu):
                    self.session.send(pdu.respond(), self._now())
                    centre.count("unbound")
                case events.BindRefused():
                    centre.count("refused_bind")
                case events.Closed(reason):
                    self.reason = reason
                case events.Stray():
                    centre.count("stray")
                case other:
                    centre.complaints.append(f"the gateway sent what it should not: {other}")
        if lost:
            centre.give_back(lost)

    def _acknowledged(self, message: Message, responded: int, status: int) -> None:
        message.status = status
        if status == ESME_ROK:
            for answer in self._responded[self._settled : responded]:
                answer.settled = answer.status == ESME_ROK
            self._settled = max(self._settled, responded)
        else:
            message.deliveries -= 1
            self._centre.refused.append(message)
        self._centre.count("acknowledged")

    def _read(self, pdu: SubmitSm) -> Answer:
        messages = self._centre.messages
        screen = SPEC.interpret(pdu)
        if screen is None:
            text = decode_text(pdu.short_message, ALPHABET_BY_DCS["sms"][pdu.data_coding])
            return Answer(self, pdu, text, True, messages.get((pdu.destination_addr, pdu.source_addr)))
        unit = pdu.tlvs[ITS_SESSION_INFO][1] >> 1
        asked = messages.get((screen.msisdn, screen.session, unit - 1))
        return Answer(self, pdu, screen.text, screen.ends, asked)

    def _authenticate(self, bind: Pdu) -> int:
        return ESME_ROK if bind.password == self._centre.password else ESME_RINVPASWD
