"""One SMPP session, from the connection to the close, for either role (specification chapter 2).

No socket, no clock, no coroutine: octets go in, events and octets come out, and time is a number that the caller
passes in (seconds of any monotonic clock). The program around it is one pump::

    session.receive_data(data, now)
    for event in session.events(): ...          # handle, commit, acknowledge
    transport.write(session.data_to_send())     # one write for all that one read brought (W6)
    rearm(session.deadline())                   # then on_deadline(now)

Nothing that a peer sends makes a method raise. What the session answers by itself: enquire_link, binds (through
``authenticate``), requests that are unknown, malformed, out of state or above the peer's window.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.smpp import events
from gateway.smpp.codec import HEADER
from gateway.smpp.errors import LocalProtocolError, RemoteProtocolError
from gateway.smpp.events import Event
from gateway.smpp.framing import ForeignProtocolError, Framer
from gateway.smpp.pdu import DECODERS, ENCODERS, PDU_CLASSES, EnquireLink, GenericNack, Pdu, Unbind, encode
from gateway.smpp.states import BIND_STATES, BOUND_STATES, MAY_SEND, WITHOUT_RESPONSE, Role, State
from gateway.smpp.vocabulary import (
    COMMAND_IDS,
    ESME_RALYBND,
    ESME_RINVBNDSTS,
    ESME_RINVCMDID,
    ESME_RTHROTTLED,
    GENERIC_NACK,
    INTERFACE_VERSION,
    RESPONSE_BIT,
    SC_INTERFACE_VERSION,
    command_name,
)

__all__ = ["Role", "Session", "SessionSettings", "State"]

MAX_SEQUENCE_NUMBER = 0x7FFFFFFF  # p.39

UNBIND = COMMAND_IDS["unbind"]
ENQUIRE_LINK = COMMAND_IDS["enquire_link"]
OUTBIND = COMMAND_IDS["outbind"]
ALERT_NOTIFICATION = COMMAND_IDS["alert_notification"]

_SECRET_BODIES = frozenset(BIND_STATES) | {OUTBIND}
_LINK_REQUESTS = frozenset(BIND_STATES) | {UNBIND, ENQUIRE_LINK}
_LINK_RESPONSES = frozenset(command_id | RESPONSE_BIT for command_id in _LINK_REQUESTS)

_POSITIVE = {
    command_id: encode(PDU_CLASSES[command_id | RESPONSE_BIT]())[16:]
    for command_id in PDU_CLASSES
    if not command_id & RESPONSE_BIT and command_id not in WITHOUT_RESPONSE
}
_NEGATIVE = {
    command_id: encode(PDU_CLASSES[command_id | RESPONSE_BIT](command_status=1))[16:]
    for command_id in _POSITIVE
}


@dataclass(frozen=True)
class SessionSettings:
    """The numbers of a session. A timer of 0 or None is off (§7.2, p.165)."""

    window: int = 10
    """Requests of ours that may wait for their response (§2.8, p.35)."""
    peer_window: int = 10
    """Requests of the peer that may wait for ours; more are throttled."""
    max_pdu_octets: int = 65536
    session_init_timer_s: float | None = 10.0
    """From the connection to the bind."""
    enquire_link_timer_s: float | None = 30.0
    """Silence after which we ask whether the peer is there."""
    inactivity_timer_s: float | None = None
    """Time without a message after which we unbind."""
    response_timer_s: float | None = 10.0
    """Time in which a request has to be answered."""
    bind_tries: int = 3
    """Refused binds after which an SMSC closes."""
    system_id: str = "starpound"
    """What an SMSC calls itself in bind_resp."""

    def __post_init__(self) -> None:
        if min(self.window, self.peer_window, self.bind_tries) < 1:
            raise ValueError("window, peer_window and bind_tries must be at least 1")
        if self.enquire_link_timer_s and not self.response_timer_s:
            raise ValueError("enquire_link_timer_s needs response_timer_s: a dead link would go unnoticed")


Authenticate = Callable[[Pdu], int]
"""The bind request in, the command_status of its response out: 0 lets the ESME in. See ``credentials``."""


class Session:
    """The protocol of one connection. ``role`` is ours; an SMSC needs ``authenticate``."""

    def __init__(
        self, role: Role, settings: SessionSettings, now: float, authenticate: Authenticate | None = None
    ) -> None:
        if role is Role.SMSC and authenticate is None:
            raise ValueError("an SMSC needs authenticate: it must know whom it lets in")
        self.role = role
        self.settings = settings
        self.peer_version = INTERFACE_VERSION
        """interface_version of the peer, once bound; below 0x34 it takes no TLVs (p.134)."""
        self.closed = False
        """True: write what is left of data_to_send, then close the connection."""
        self._authenticate = authenticate
        self._framer = Framer(settings.max_pdu_octets)
        self._events: list[Event] = []
        self._output: list[bytes] = []
        self._pending: dict[
            int, tuple[int, float, Any]
        ] = {}  # in the order of sending, so the oldest is first
        self._in_window = 0  # requests of ours without a response
        self._owed = 0  # requests of the peer without one
        self._sequence_number = 0
        self._bind: Pdu | None = None
        self._probe = 0  # sequence_number of our enquire_link, 0: none
        self._refused_binds = 0
        self._leaving = False  # an unbind was sent or received
        self._peer_leaves = False
        self._opened = self._last_heard = self._last_message = now
        self._enter(State.OPEN)

    def _enter(self, state: State) -> None:
        self.state = state
        self._may_send = MAY_SEND[self.role, state]
        self._peer_may_send = MAY_SEND[self.role.peer, state]

    # ---------------------------------------------------------------------------------- looking at it

    @property
    def bound(self) -> bool:
        """True between bind_resp and the end."""
        return self.state in BOUND_STATES

    @property
    def pending(self) -> int:
        """Messages and questions of ours that have no response yet."""
        return self._in_window

    @property
    def owed(self) -> int:
        """Requests of the peer that the program has not answered yet."""
        return self._owed

    @property
    def window_free(self) -> int:
        """How many requests may be sent now; 0 outside a bound session and once an unbind is under way (W1)."""
        if self._leaving or self.state not in BOUND_STATES:
            return 0
        return self.settings.window - self._in_window

    def events(self) -> list[Event]:
        """What has happened since the last call, in order."""
        happened, self._events = self._events, []
        return happened

    def data_to_send(self) -> bytes:
        """The octets to write now, all PDUs joined; ``b""`` when there are none."""
        octets = b"".join(self._output)
        self._output.clear()
        return octets

    # ---------------------------------------------------------------------------------------- sending

    def send(self, pdu: Pdu, now: float, context: Any = None) -> int:
        """Queue ``pdu`` and return its sequence number, which a request is given here.

        ``context`` comes back with the Response or Unanswered of a request. LocalProtocolError when the state or the
        window forbids it, or a field does not fit; then nothing has changed. A response on a closed session is
        dropped without a word: the peer that wanted it is gone.
        """
        if pdu.command_id & RESPONSE_BIT:
            return self._send_response(pdu)
        self._check_request(pdu.command_id)
        pdu.sequence_number = self._next_sequence_number()
        self._queue_request(encode(pdu), pdu.command_id, pdu.sequence_number, now, context)
        if pdu.command_id in BIND_STATES:
            self._bind = pdu
        return pdu.sequence_number

    def send_encoded(self, frame: bytes, now: float, context: Any = None) -> int:
        """``send`` for a request that is encoded already: only its sequence number is written over."""
        command_id = int.from_bytes(frame[4:8], "big")
        self._check_request(command_id)
        sequence_number = self._next_sequence_number()
        frame = frame[:12] + sequence_number.to_bytes(4, "big") + frame[16:]
        self._queue_request(frame, command_id, sequence_number, now, context)
        return sequence_number

    def acknowledge(self, pdu: Pdu, status: int = 0) -> None:
        """Answer a Request with ``status`` and empty fields: what ``send(pdu.respond(status))`` does, faster."""
        if self.closed:
            return
        self._settle()
        self._answer(pdu.command_id, status, pdu.sequence_number)

    def _check_request(self, command_id: int) -> None:
        if command_id not in self._may_send or self._leaving:
            state = "leaving" if self._leaving else self.state.value
            raise LocalProtocolError(f"{command_name(command_id)} as {self.role.name} while {state}")
        if command_id in _LINK_REQUESTS:
            if self._bind and command_id in BIND_STATES:
                raise LocalProtocolError("a bind is under way already")
        elif self._in_window >= self.settings.window:
            raise LocalProtocolError(f"window of {self.settings.window} is full")

    def _next_sequence_number(self) -> int:
        following = self._sequence_number % MAX_SEQUENCE_NUMBER + 1
        while following in self._pending:
            following = following % MAX_SEQUENCE_NUMBER + 1
        self._sequence_number = following
        return following

    def _queue_request(
        self, frame: bytes, command_id: int, sequence_number: int, now: float, context: Any
    ) -> None:
        if command_id not in WITHOUT_RESPONSE:  # first to be expected, then to be sent (W5)
            self._pending[sequence_number] = (command_id | RESPONSE_BIT, now, context)
        if command_id not in _LINK_REQUESTS:
            self._in_window += command_id not in WITHOUT_RESPONSE
            self._last_message = now
        elif command_id == UNBIND:
            self._leaving = True
        self._output.append(frame)

    def _send_response(self, pdu: Pdu) -> int:
        if self.closed:
            return pdu.sequence_number
        command_id = pdu.command_id
        if command_id == UNBIND | RESPONSE_BIT:
            if not self._peer_leaves:
                raise LocalProtocolError("unbind_resp without an unbind")
        elif command_id in _LINK_RESPONSES:
            raise LocalProtocolError(f"{pdu.name} is the session's own business")
        else:
            self._settle()
        self._output.append(ENCODERS[command_id](pdu))
        if command_id == UNBIND | RESPONSE_BIT:
            self._close("unbound by the peer")
        return pdu.sequence_number

    def _settle(self) -> None:
        if not self._owed:
            raise LocalProtocolError("nothing to answer: every request has its response")
        self._owed -= 1

    # -------------------------------------------------------------------------------------- receiving

    def receive_data(self, data: bytes, now: float) -> None:
        """Take the octets of one read, then ask for ``events`` and ``data_to_send``. Never raises for what is in them.

        On a closed session they are ignored (S8).
        """
        if self.closed:
            return
        self._last_heard = now
        try:
            for frame, command_id, command_status, sequence_number in self._framer.receive(data):
                if command_id & RESPONSE_BIT:
                    self._receive_response(frame, command_id, command_status, sequence_number, now)
                else:
                    self._receive_request(frame, command_id, command_status, sequence_number, now)
                if self.closed:
                    return
        except ForeignProtocolError as problem:
            self._close(str(problem))
        except RemoteProtocolError as problem:
            self._nack(problem.status, problem.sequence_number)
            self._close(str(problem))

    def receive_eof(self, now: float) -> None:
        """The connection is gone; what was under way is handed back as Unanswered, then comes Closed."""
        if not self.closed:
            cut = f" in the middle of a PDU ({self._framer.waiting} octets)" if self._framer.waiting else ""
            self._close(f"connection closed by the peer{cut}")

    def _receive_request(
        self, frame: bytes, command_id: int, status: int, sequence_number: int, now: float
    ) -> None:
        if command_id not in self._peer_may_send or self._peer_leaves:
            self._refuse_or_nack(frame, command_id, sequence_number)
            return
        link_handler = self._LINK_HANDLERS.get(command_id)
        if link_handler is None:
            self._last_message = now
            if self._owed >= self.settings.peer_window:
                self._refuse(command_id, sequence_number, ESME_RTHROTTLED)
                return
        try:
            pdu = DECODERS[command_id](frame, status, sequence_number)
        except RemoteProtocolError as problem:
            self._quarantine(frame, command_id, problem)
            self._answer(command_id, problem.status, sequence_number)
            if command_id in BIND_STATES:
                self._count_refused_bind(problem.status)
            return
        if link_handler is None:
            self._owed += 1
            self._events.append(events.Request(pdu))
        else:
            link_handler(self, pdu)

    def _refuse_or_nack(self, frame: bytes, command_id: int, sequence_number: int) -> None:
        if command_id not in PDU_CLASSES:
            self._nack_unknown(frame, command_id, sequence_number)
        elif command_id in BIND_STATES and self.bound and self.role is Role.SMSC:
            self._refuse(command_id, sequence_number, ESME_RALYBND)
        else:
            self._refuse(command_id, sequence_number, ESME_RINVBNDSTS)

    def _refuse(self, command_id: int, sequence_number: int, status: int) -> None:
        self._answer(command_id, status, sequence_number)
        self._events.append(events.Refused(command_id, sequence_number, status))

    def _nack_unknown(self, frame: bytes, command_id: int, sequence_number: int) -> None:
        self._nack(ESME_RINVCMDID, sequence_number)
        self._events.append(events.Quarantined(frame, f"unknown {command_name(command_id)}", ESME_RINVCMDID))

    def _answer(self, command_id: int, status: int, sequence_number: int) -> None:
        body = (_NEGATIVE if status else _POSITIVE).get(command_id)
        if body is None:
            self._nack(status, sequence_number)
        else:
            head = HEADER.pack(16 + len(body), command_id | RESPONSE_BIT, status, sequence_number)
            self._output.append(head + body)

    def _nack(self, status: int, sequence_number: int) -> None:
        self._output.append(encode(GenericNack(command_status=status, sequence_number=sequence_number)))

    def _quarantine(self, frame: bytes, command_id: int, problem: RemoteProtocolError) -> None:
        octets = frame[:16] if command_id in _SECRET_BODIES else frame
        self._events.append(events.Quarantined(octets, str(problem), problem.status))

    # --------------------------------------------------------------- requests about the session itself

    def _receive_bind(self, pdu: Pdu) -> None:
        status = self._authenticate(pdu)
        if status:
            self._answer(pdu.command_id, status, pdu.sequence_number)
            self._count_refused_bind(status)
            return
        self.peer_version = pdu.interface_version
        tlvs = (
            {SC_INTERFACE_VERSION: bytes([INTERFACE_VERSION])}
            if pdu.interface_version >= INTERFACE_VERSION
            else {}
        )
        self._output.append(encode(pdu.respond(system_id=self.settings.system_id, tlvs=tlvs)))
        self._enter(BIND_STATES[pdu.command_id])
        self._last_message = self._last_heard
        self._events.append(events.Bound(pdu))

    def _count_refused_bind(self, status: int) -> None:
        self._events.append(events.BindRefused(status))
        self._refused_binds += 1
        if self._refused_binds >= self.settings.bind_tries:
            self._close(f"{self._refused_binds} binds refused")

    def _receive_unbind(self, pdu: Pdu) -> None:
        self._leaving = self._peer_leaves = True
        self._events.append(events.UnbindRequest(pdu))

    def _receive_enquire_link(self, pdu: Pdu) -> None:
        self._answer(ENQUIRE_LINK, 0, pdu.sequence_number)

    def _receive_notice(self, pdu: Pdu) -> None:
        self._events.append(events.Notice(pdu))

    _LINK_HANDLERS = {  # noqa: RUF012
        **dict.fromkeys(BIND_STATES, _receive_bind),
        UNBIND: _receive_unbind,
        ENQUIRE_LINK: _receive_enquire_link,
        OUTBIND: _receive_notice,
        ALERT_NOTIFICATION: _receive_notice,
    }

    # -------------------------------------------------------------------------------------- responses

    def _receive_response(
        self, frame: bytes, command_id: int, status: int, sequence_number: int, now: float
    ) -> None:
        expected, _, context = self._pending.get(sequence_number, (None, None, None))
        if command_id != expected and (command_id != GENERIC_NACK or expected is None):
            if command_id not in PDU_CLASSES:
                self._nack_unknown(frame, command_id, sequence_number)
            else:
                self._events.append(events.Stray(command_id, sequence_number, status))
            return
        del self._pending[sequence_number]
        try:
            pdu = DECODERS[command_id](frame, status, sequence_number)
        except RemoteProtocolError as problem:
            # The header says what became of the request; asking again would do it twice.
            self._quarantine(frame, command_id, problem)
            pdu = PDU_CLASSES[command_id](command_status=status, sequence_number=sequence_number)
        if expected in _LINK_RESPONSES:
            self._receive_link_response(pdu, expected, context)
        else:
            self._in_window -= 1
            self._last_message = now
            self._events.append(events.Response(pdu, context))

    def _receive_link_response(self, pdu: Pdu, expected: int, context: Any) -> None:
        if expected == UNBIND | RESPONSE_BIT:
            self._close("unbound")
        elif expected != ENQUIRE_LINK | RESPONSE_BIT:
            self._receive_bind_response(pdu, expected)
        elif pdu.sequence_number == self._probe:
            self._probe = 0
        else:
            self._events.append(events.Response(pdu, context))

    def _receive_bind_response(self, pdu: Pdu, expected: int) -> None:
        self._bind = None
        if pdu.command_status or pdu.command_id == GENERIC_NACK:
            self._events.append(events.BindRefused(pdu.command_status))
            return
        self.peer_version = int.from_bytes(pdu.tlvs.get(SC_INTERFACE_VERSION, b"")) or INTERFACE_VERSION
        self._enter(BIND_STATES[expected & ~RESPONSE_BIT])
        self._last_message = self._last_heard
        self._events.append(events.Bound(pdu))

    # ------------------------------------------------------------------------------------------- time

    def deadline(self) -> float | None:
        """When ``on_deadline`` has to be called, unless something happens before; None: never."""
        return min(self._deadlines(), default=None)

    def _deadlines(self) -> list[float]:
        if self.closed:
            return []
        settings = self.settings
        deadlines = []
        if self._pending and settings.response_timer_s:
            _, sent, _ = next(iter(self._pending.values()))
            deadlines.append(sent + settings.response_timer_s)
        if not self.bound:
            if settings.session_init_timer_s and not self._bind:
                deadlines.append(self._opened + settings.session_init_timer_s)
            return deadlines
        if settings.enquire_link_timer_s and not self._probe:
            deadlines.append(self._last_heard + settings.enquire_link_timer_s)
        if settings.inactivity_timer_s and not self._leaving:
            deadlines.append(self._last_message + settings.inactivity_timer_s)
        return deadlines

    def on_deadline(self, now: float) -> None:
        """Act on every timer that has run out at ``now``; calling it too early does no harm."""
        self._expire_requests(now)
        if self.closed:
            return
        settings = self.settings
        if not self.bound:
            if _over(self._opened, settings.session_init_timer_s, now) and not self._bind:
                self._close("no bind within session_init_timer")
            return
        if not self._leaving and _over(self._last_message, settings.inactivity_timer_s, now):
            self.send(Unbind(), now)
        elif (
            not self._probe
            and not self._leaving
            and _over(self._last_heard, settings.enquire_link_timer_s, now)
        ):
            self._probe = self.send(EnquireLink(), now)

    def _expire_requests(self, now: float) -> None:
        while self._pending and not self.closed:
            sequence_number, (expected, sent, context) = next(iter(self._pending.items()))
            if not _over(sent, self.settings.response_timer_s, now):
                return
            del self._pending[sequence_number]
            if expected not in _LINK_RESPONSES:
                self._in_window -= 1
                self._events.append(events.Unanswered(context, "response_timer"))
            elif sequence_number == self._probe and self._last_heard > sent:
                self._probe = 0  # no answer, but other signs of life (S5)
            else:
                self._close(f"no answer to {command_name(expected & ~RESPONSE_BIT)} within response_timer")

    # -------------------------------------------------------------------------------------- the close

    def _close(self, reason: str) -> None:
        self.closed = True
        self._enter(State.CLOSED)
        for expected, _, context in self._pending.values():
            if expected not in _LINK_RESPONSES:
                self._events.append(events.Unanswered(context, "closed"))
        self._pending.clear()
        self._in_window = self._owed = 0
        self._events.append(events.Closed(reason))


def _over(since: float, timer_s: float | None, now: float) -> bool:
    return bool(timer_s) and now >= since + timer_s
