"""One SMPP session, from the connection to the close, for either role (specification chapter 2).

No socket, no clock, no coroutine: octets go in, events and octets come out, and time is a number that the
caller passes in (seconds of a monotonic clock). The program around it is one pump::

    session.receive_data(data, now)
    for event in session.events(): ...          # handle, commit, then acknowledge (W7)
    transport.write(session.data_to_send())     # one write for all that one read brought (W6)
    rearm(session.deadline())                   # on_deadline(now) when it comes

Nothing that a peer sends makes a method raise. By itself the session answers enquire_link, binds (it asks
``authenticate``), and requests that are unknown, malformed, out of state or above the peer's window.

Which end opened the connection is no matter here. An SMSC that did sends outbind first; the ESME is told of it as a
Notice, and asks in with bind_receiver on the same connection (S9).
"""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from gateway.smpp import events
from gateway.smpp.answers import encode_answer
from gateway.smpp.credentials import Authenticate
from gateway.smpp.errors import RemoteProtocolError
from gateway.smpp.events import Event
from gateway.smpp.framing import ForeignProtocolError, Framer
from gateway.smpp.pdu import (
    DECODERS,
    PDU_CLASSES,
    AlertNotification,
    BindRequest,
    BindResponse,
    EnquireLink,
    Outbind,
    Pdu,
    Unbind,
    encode,
)
from gateway.smpp.receipts import receipt_in_spite_of
from gateway.smpp.sending import Sender
from gateway.smpp.settings import SessionSettings
from gateway.smpp.states import (
    ALERT_NOTIFICATION,
    BIND_STATES,
    ENQUIRE_LINK,
    OUTBIND,
    UNBIND,
    Role,
    State,
)
from gateway.smpp.vocabulary import (
    ESME_RALYBND,
    ESME_RINVBNDSTS,
    ESME_RINVCMDID,
    ESME_ROK,
    ESME_RTHROTTLED,
    GENERIC_NACK,
    INTERFACE_VERSION,
    RESPONSE_BIT,
    SC_INTERFACE_VERSION,
    command_name,
)
from gateway.smpp.window import LINK_REQUESTS

__all__ = ["Authenticate", "Role", "Session", "SessionSettings", "State"]


class Session(Sender):
    """The protocol of one connection. ``role`` is ours; an SMSC has to say whom it lets in."""

    def __init__(
        self,
        role: Role,
        settings: SessionSettings,
        now: float,
        authenticate: Authenticate | None = None,
    ) -> None:
        if role is Role.SMSC and authenticate is None:
            raise ValueError("an SMSC needs authenticate")
        super().__init__(role, settings, now)
        self._authenticate = authenticate
        self._framer = Framer(settings.max_pdu_octets)
        self._events: list[Event] = []
        self._invited = False  # an outbind was received
        self._probe = 0  # sequence_number of our enquire_link that waits, 0 for none
        self._refused_binds = 0
        self._opened = self._heard = now

    def events(self) -> list[Event]:
        """What has happened since the last call, in order."""
        happened, self._events = self._events, []
        return happened

    # ------------------------------------------------------------------------------------ receiving

    def receive_data(self, data: bytes, now: float) -> None:
        """Take in what one read brought, then ask for ``events`` and ``data_to_send``.

        Never raises for what is in ``data``. On a closed session it is ignored (S8).
        """
        if self.closed:
            return
        try:
            for frame in self._framer.receive(data):
                self._heard = now  # a PDU is a sign of life (S5), an octet is none
                self._receive_frame(*frame)
                if self.closed:
                    return
        except RemoteProtocolError as problem:
            self._lose_step(problem)

    def _lose_step(self, problem: RemoteProtocolError) -> None:
        """Nobody knows where the next PDU begins (F2); another protocol is not answered in ours (F4)."""
        if not isinstance(problem, ForeignProtocolError):
            self._queue_response(encode_answer(GENERIC_NACK, problem.status, problem.sequence_number))
        self._quarantine(problem.octets, str(problem), problem.status)
        self._close(str(problem))

    def receive_eof(self, now: float) -> None:
        """The connection is gone: what was under way comes back as Unanswered, and then Closed."""
        if not self.closed:
            self._heard = now
            cut = f" in the middle of a PDU ({self._framer.waiting} octets)" if self._framer.waiting else ""
            self._close(f"connection closed by the peer{cut}")

    def _receive_frame(self, frame: bytes, command_id: int, status: int, sequence_number: int) -> None:
        if command_id in self._peer_may_send:
            self._receive_request(frame, command_id, status, sequence_number)
        elif command_id not in PDU_CLASSES:
            self._queue_response(encode_answer(GENERIC_NACK, ESME_RINVCMDID, sequence_number))
            self._quarantine(frame, f"unknown {command_name(command_id)}", ESME_RINVCMDID)
        elif command_id & RESPONSE_BIT:
            self._receive_response(frame, command_id, status, sequence_number)
        elif command_id in BIND_STATES and self.role is Role.SMSC and self.bound:
            self._refuse(command_id, sequence_number, ESME_RALYBND)
        else:
            self._refuse(command_id, sequence_number, ESME_RINVBNDSTS)

    def _receive_request(self, frame: bytes, command_id: int, status: int, sequence_number: int) -> None:
        about_link = self._ABOUT_LINK.get(command_id)
        if about_link is None and self._owed >= self.settings.peer_window:
            self._refuse(command_id, sequence_number, ESME_RTHROTTLED)
            return
        try:
            pdu = DECODERS[command_id](frame, status, sequence_number)
        except RemoteProtocolError as problem:
            receipt = receipt_in_spite_of(problem)
            if receipt is None:
                self._receive_malformed(problem)
                return
            self._quarantine(frame, str(problem), ESME_ROK)
            pdu = receipt
        if about_link is not None:
            about_link(self, pdu)
            return
        self._owed += 1
        self._active = self._heard
        self._events.append(events.Request(pdu, frame))

    def _receive_malformed(self, problem: RemoteProtocolError) -> None:
        self._queue_response(encode_answer(problem.command_id, problem.status, problem.sequence_number))
        self._quarantine(problem.octets, str(problem), problem.status)
        if problem.command_id in BIND_STATES:
            self._count_refused_bind(problem.status)

    def _quarantine(self, frame: bytes, reason: str, status: int) -> None:
        self._events.append(events.Quarantined.of(frame, reason, status))

    def _refuse(self, command_id: int, sequence_number: int, status: int) -> None:
        self._queue_response(encode_answer(command_id, status, sequence_number))
        self._events.append(events.Refused(command_id, sequence_number, status))

    # ------------------------------------------------------------- requests about the session itself

    def _receive_bind(self, pdu: BindRequest) -> None:
        assert self._authenticate, "Table 2-1 has nobody bind to an ESME"
        status = self._authenticate(pdu)
        if status:
            self._queue_response(encode_answer(pdu.command_id, status, pdu.sequence_number))
            self._count_refused_bind(status)
            return
        self._window.resize(self.settings.window, self.settings.response_timer_s)
        ours = {SC_INTERFACE_VERSION: bytes([INTERFACE_VERSION])}
        tlvs = ours if pdu.interface_version >= INTERFACE_VERSION else {}
        self._queue_response(encode(pdu.respond(system_id=self.settings.system_id, tlvs=tlvs)))
        self._become_bound(pdu, pdu.command_id, pdu.interface_version)

    def _count_refused_bind(self, status: int) -> None:
        self._events.append(events.BindRefused(status))
        self._refused_binds += 1
        if self._refused_binds >= self.settings.bind_tries:
            self._close(f"{self._refused_binds} binds refused")

    def _become_bound(self, pdu: BindRequest | BindResponse, bind_id: int, peer_version: int) -> None:
        self.peer_version = peer_version
        self.peer_is_older = peer_version < INTERFACE_VERSION
        self._active = self._heard
        self._framer.max_octets = self.settings.max_pdu_octets  # authenticate may have put others in place
        self._enter(BIND_STATES[bind_id])
        self._events.append(events.Bound(pdu))

    def _receive_unbind(self, pdu: Unbind) -> None:
        self._leaving = self._peer_leaving = True
        self._peer_may_send = frozenset({ENQUIRE_LINK})
        self._events.append(events.UnbindRequest(pdu))

    def _receive_enquire_link(self, pdu: EnquireLink) -> None:
        self._queue_response(encode_answer(ENQUIRE_LINK, 0, pdu.sequence_number))

    def _receive_outbind(self, pdu: Outbind) -> None:
        """Once, and not while we are at it: the program asks in when it sees one, and can do that only once."""
        if self._binding or self._invited:
            self._refuse(OUTBIND, pdu.sequence_number, ESME_RINVBNDSTS)
        else:
            self._invited = True
            self._receive_notice(pdu)

    def _receive_notice(self, pdu: Outbind | AlertNotification) -> None:
        self._events.append(events.Notice(pdu))

    _ABOUT_LINK: ClassVar[dict[int, Callable[["Session", Any], None]]] = {
        **dict.fromkeys(BIND_STATES, _receive_bind),
        UNBIND: _receive_unbind,
        ENQUIRE_LINK: _receive_enquire_link,
        OUTBIND: _receive_outbind,
        ALERT_NOTIFICATION: _receive_notice,
    }

    # ------------------------------------------------------------------------------------ responses

    def _receive_response(self, frame: bytes, command_id: int, status: int, sequence_number: int) -> None:
        waiting = self._window.settle(sequence_number, command_id)
        if waiting is None:
            self._events.append(events.Stray(command_id, sequence_number, status))
            return
        request_id, _, responses_sent, context = waiting
        if responses_sent > self.responses_read:
            self.responses_read = responses_sent  # TCP keeps the order: they came before what is answered
        try:
            pdu = DECODERS[command_id](frame, status, sequence_number)
        except RemoteProtocolError as problem:
            # Its header says what became of the request; to ask again would do it twice.
            self._quarantine(frame, str(problem), problem.status)
            pdu = PDU_CLASSES[command_id](command_status=status, sequence_number=sequence_number)
        if request_id in LINK_REQUESTS:
            self._receive_link_response(pdu, request_id, context)
        else:
            self._active = self._heard
            self.unanswered = 0
            self._events.append(events.Response(pdu, context))

    def _receive_link_response(self, pdu: Any, request_id: int, context: Any) -> None:
        if request_id == UNBIND:
            self._close("unbound")
        elif request_id in BIND_STATES:
            self._receive_bind_response(pdu, request_id)
        elif pdu.sequence_number == self._probe:
            self._probe = 0
        else:
            self._events.append(events.Response(pdu, context))

    def _receive_bind_response(self, pdu: Pdu, bind_id: int) -> None:
        self._binding = False
        if pdu.command_status or not isinstance(pdu, BindResponse):
            self._events.append(events.BindRefused(pdu.command_status))
        else:  # most SMSCs that leave sc_interface_version out know TLVs all the same
            version = int.from_bytes(pdu.tlvs.get(SC_INTERFACE_VERSION, b""), "big") or INTERFACE_VERSION
            self._become_bound(pdu, bind_id, version)

    # ----------------------------------------------------------------------------------------- time

    def deadline(self) -> float | None:
        """When ``on_deadline`` has to be called unless something happens before; None: never."""
        return min((due for due, _ in self._timers()), default=None)

    def on_deadline(self, now: float) -> None:
        """Act on each timer that has run out by ``now``; to call it early does no harm."""
        for due, act in list(self._timers()):
            if due <= now and not self.closed:
                act(now)

    def _timers(self) -> Iterator[tuple[float, Callable[[float], None]]]:
        """The timers that run now: when each is due, and what happens then (§7.2, p.165)."""
        settings = self.settings
        response_due = self._window.deadline()
        if response_due is not None:
            yield response_due, self._miss_responses
        if not self.bound:
            if settings.session_init_timer_s and not self.closed and not self._binding:
                yield self._opened + settings.session_init_timer_s, self._miss_bind
        elif not self._leaving:
            if settings.enquire_link_timer_s and not self._probe:
                yield self._heard + settings.enquire_link_timer_s, self._ask_for_life
            if settings.inactivity_timer_s:
                yield self._active + settings.inactivity_timer_s, self._leave

    def _miss_responses(self, now: float) -> None:
        while not self.closed and (due := self._window.deadline()) is not None and due <= now:
            sequence_number, (request_id, sent, _, context) = self._window.expire_oldest()
            if request_id not in LINK_REQUESTS:
                self.unanswered += 1
                self._events.append(events.Unanswered(context, "response_timer"))
            elif sequence_number == self._probe and self._heard > sent:
                self._probe = 0  # no answer, but another sign of life (S5)
            else:
                self._close(f"no answer to {command_name(request_id)} within response_timer")

    def _miss_bind(self, now: float) -> None:
        self._close("no bind within session_init_timer")

    def _ask_for_life(self, now: float) -> None:
        self._probe = self.send(EnquireLink(), now)

    def _leave(self, now: float) -> None:
        self.send(Unbind(), now)

    # ------------------------------------------------------------------------------------ the close

    def _close(self, reason: str) -> None:
        self.closed = True
        self._owed = 0
        self._enter(State.CLOSED)
        for request_id, _, _, context in self._window.abandon():
            if request_id not in LINK_REQUESTS:
                self._events.append(events.Unanswered(context, "closed"))
        self._events.append(events.Closed(reason))
