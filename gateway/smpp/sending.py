"""The half of a session that sends: what may go out now, what is registered before it does, what is owed."""

from typing import Any

from gateway.smpp.answers import encode_answer
from gateway.smpp.errors import LocalProtocolError
from gateway.smpp.older_peers import for_older_peer, frame_for_older_peer
from gateway.smpp.pdu import Pdu, encode
from gateway.smpp.settings import SessionSettings
from gateway.smpp.states import (
    BIND_STATES,
    BOUND_STATES,
    ENQUIRE_LINK,
    MAY_SEND,
    UNBIND,
    WITHOUT_RESPONSE,
    Role,
    State,
)
from gateway.smpp.vocabulary import INTERFACE_VERSION, RESPONSE_BIT, command_name
from gateway.smpp.window import LINK_REQUESTS, Window

UNBIND_RESP = UNBIND | RESPONSE_BIT


class Sender:
    """What `Session` has of itself and may send; the other half says when its state changes."""

    def __init__(self, role: Role, settings: SessionSettings, now: float) -> None:
        self.role = role
        self.settings = settings
        """``authenticate`` may put others in their place, once it knows who binds."""
        self.closed = False
        """True: write what data_to_send still has, then close the connection."""
        self.peer_version = INTERFACE_VERSION
        """interface_version of the peer once it is bound."""
        self.peer_is_older = False
        """It is below 0x34: the peer gets no TLVs, and message ids of 8 characters (S10; ``older_peers``)."""
        self.unanswered = 0
        """Requests in a row whose response did not come in time."""
        self.responses_sent = 0
        """Responses of ours that have been queued so far, those that the session gave by itself included."""
        self.responses_read = 0
        """How many of them the peer has certainly read: it answered a request that was written behind them."""
        self._window = Window(settings.window, settings.response_timer_s)
        self._output: list[bytes] = []
        self._owed = 0  # requests handed to the program and not answered by it
        self._binding = False  # our bind waits for its response
        self._leaving = False  # an unbind was sent, or received:
        self._peer_leaving = False
        self._active = now  # the last message, either way
        self._enter(State.OPEN)

    def _enter(self, state: State) -> None:
        self.state = state
        self._may_send = MAY_SEND[self.role, state]
        self._peer_may_send = MAY_SEND[self.role.peer, state]

    # -------------------------------------------------------------------------------- looking at it

    @property
    def bound(self) -> bool:
        """True from bind_resp to the end."""
        return self.state in BOUND_STATES

    @property
    def leaving(self) -> bool:
        """True once an unbind is under way, from either side."""
        return self._leaving

    @property
    def pending(self) -> int:
        """Requests of ours without a response, those about the link not counted."""
        return self._window.used

    @property
    def owed(self) -> int:
        """Requests of the peer that the program has still to answer."""
        return self._owed

    @property
    def window_free(self) -> int:
        """How many requests may be sent now; 0 when unbound, and from an unbind on (W1)."""
        return self._window.free if self.state in BOUND_STATES and not self._leaving else 0

    def data_to_send(self) -> bytes:
        """The octets to write now, all PDUs joined; ``b""`` when there are none."""
        octets = b"".join(self._output)
        self._output.clear()
        return octets

    # -------------------------------------------------------------------------------------- sending

    def send(self, pdu: Pdu, now: float, context: Any = None) -> int:
        """Queue ``pdu``; returns its sequence number, which a request is given here.

        ``context`` comes back with the Response, or Unanswered, to a request. LocalProtocolError when the state
        or the window forbids it or a field does not fit; nothing has changed then. A response on a closed
        session is dropped in silence: nobody is left to read it. To an older peer no TLVs go (S10), and a text
        that has no place without them is such an error, too.
        """
        if pdu.command_id & RESPONSE_BIT:
            return self._send_response(pdu)
        self._check(pdu.command_id)
        pdu.sequence_number = self._window.next_sequence_number()
        self._queue_request(self._encode(pdu), pdu.command_id, pdu.sequence_number, now, context)
        return pdu.sequence_number

    def send_encoded(self, frame: bytes, now: float, context: Any = None) -> int:
        """``send`` for a request that is encoded already; only its sequence number is written over."""
        command_id = int.from_bytes(frame[4:8], "big")
        self._check(command_id)
        sequence_number = self._window.next_sequence_number()
        if self.peer_is_older:
            frame = frame_for_older_peer(frame)
        frame = frame[:12] + sequence_number.to_bytes(4, "big") + frame[16:]
        self._queue_request(frame, command_id, sequence_number, now, context)
        return sequence_number

    def acknowledge(self, pdu: Pdu, status: int = 0) -> None:
        """Answer a Request with ``status`` and nothing else: a faster ``send(pdu.respond(status), now)``."""
        if not self.closed:
            self._settle()
            self._queue_response(encode_answer(pdu.command_id, status, pdu.sequence_number))

    def _check(self, command_id: int) -> None:
        if command_id not in self._may_send or self._leaving or (self._binding and command_id in BIND_STATES):
            doing = "leaving" if self._leaving else "binding" if self._binding else self.state.value
            raise LocalProtocolError(f"no {command_name(command_id)} from an {self.role.name} while {doing}")
        if self._window.free < 1 and command_id not in LINK_REQUESTS and command_id not in WITHOUT_RESPONSE:
            raise LocalProtocolError(f"all {self.settings.window} places of the window are taken")

    def _queue_request(
        self, frame: bytes, command_id: int, sequence_number: int, now: float, context: Any
    ) -> None:
        if command_id not in WITHOUT_RESPONSE:
            self._window.register(sequence_number, command_id, now, self.responses_sent, context)
        self._output.append(frame)
        if command_id not in LINK_REQUESTS:
            self._active = now
        elif command_id == UNBIND:
            self._leaving = True
        elif command_id != ENQUIRE_LINK:
            self._binding = True

    def _send_response(self, pdu: Pdu) -> int:
        if self.closed:
            return pdu.sequence_number
        frame = self._encode(pdu)
        if pdu.command_id != UNBIND_RESP:
            if pdu.command_id & ~RESPONSE_BIT in LINK_REQUESTS:
                raise LocalProtocolError(f"{pdu.name} is sent by the session itself")
            self._settle()
        elif not self._peer_leaving:
            raise LocalProtocolError("unbind_resp without an unbind")
        self._queue_response(frame)
        if pdu.command_id == UNBIND_RESP:
            self._close("unbound by the peer")
        return pdu.sequence_number

    def _queue_response(self, frame: bytes) -> None:
        self._output.append(frame)
        self.responses_sent += 1

    def _encode(self, pdu: Pdu) -> bytes:
        return encode(for_older_peer(pdu) if self.peer_is_older else pdu)

    def _settle(self) -> None:
        if not self._owed:
            raise LocalProtocolError("every request of the peer has been answered")
        self._owed -= 1

    def _close(self, reason: str) -> None:
        raise NotImplementedError
