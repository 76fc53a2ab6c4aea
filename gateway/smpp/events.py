"""What a session tells the program that runs it. Each says what the program has to do next, if anything."""

from dataclasses import dataclass
from typing import Any

from gateway.smpp.codec import HEADER_OCTETS
from gateway.smpp.fields import COctetString, rows
from gateway.smpp.pdu import (
    PDU_CLASSES,
    AlertNotification,
    BindRequest,
    BindResponse,
    CancelSm,
    CancelSmResp,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    EnquireLinkResp,
    GenericNack,
    Outbind,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    ReplaceSmResp,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    Unbind,
)

_WITH_PASSWORD = frozenset(
    command_id
    for command_id, pdu_class in PDU_CLASSES.items()
    if any(isinstance(kind, COctetString) and kind.secret for _, kind in rows(pdu_class))
)


@dataclass(slots=True)
class Bound:
    """The session is bound. ``pdu``: for an SMSC the bind request, for an ESME the response to its own."""

    pdu: BindRequest | BindResponse


@dataclass(slots=True)
class BindRefused:
    """A bind failed with ``status``. ESME: close, and try again later. SMSC: nothing, the answer is on its way."""

    status: int


@dataclass(slots=True)
class Request:
    """A message or a question of the peer: do it, commit, then ``acknowledge(pdu)`` or ``send(pdu.respond(…))``.

    It fills a place in the peer's window until it is answered. ``octets`` is the PDU as it came.
    """

    pdu: SubmitSm | SubmitMulti | DeliverSm | DataSm | QuerySm | CancelSm | ReplaceSm
    octets: bytes


@dataclass(slots=True)
class Notice:
    """outbind or alert_notification: they have no response."""

    pdu: Outbind | AlertNotification


@dataclass(slots=True)
class Response:
    """The peer answered the request that was sent with ``context``; command_status may be an error.

    ``pdu`` is the response of that request, or a generic_nack.
    """

    pdu: (
        SubmitSmResp
        | SubmitMultiResp
        | DeliverSmResp
        | DataSmResp
        | QuerySmResp
        | CancelSmResp
        | ReplaceSmResp
        | EnquireLinkResp
        | GenericNack
    )
    context: Any


@dataclass(slots=True)
class Unanswered:
    """A request will have no answer; nobody knows whether it was processed (W4). Send it again, or give it up.

    ``reason``: ``"response_timer"`` or ``"closed"``.
    """

    context: Any
    reason: str


@dataclass(slots=True)
class UnbindRequest:
    """The peer wants to leave: finish what is in hand, then ``send(pdu.respond())``; new requests are not legal."""

    pdu: Unbind


@dataclass(slots=True)
class Refused:
    """A request was answered with an error by the session itself: wrong state, or above the peer's window."""

    command_id: int
    sequence_number: int
    status: int


@dataclass(slots=True)
class Stray:
    """A response that nobody waits for: never asked for, or late (S7). It was dropped."""

    command_id: int
    sequence_number: int
    command_status: int


@dataclass(slots=True)
class Quarantined:
    """Octets that could not be read, kept for whoever has to explain them.

    The session lives, or a Closed follows: then these are the first octets of what is no PDU. ``status`` is what the
    peer was told, unless it speaks another protocol. Of a bind or outbind only the header is kept: the rest holds a
    password.
    """

    octets: bytes
    reason: str
    status: int

    @classmethod
    def of(cls, frame: bytes, reason: str, status: int) -> "Quarantined":
        """``frame`` to be kept, without what must not be kept."""
        secret = int.from_bytes(frame[4:8], "big") in _WITH_PASSWORD
        return cls(frame[:HEADER_OCTETS] if secret else frame, reason, status)


@dataclass(slots=True)
class Closed:
    """The session is over: write what ``data_to_send`` still has, then close the connection."""

    reason: str


Event = (
    Bound
    | BindRefused
    | Request
    | Notice
    | Response
    | Unanswered
    | UnbindRequest
    | Refused
    | Stray
    | Quarantined
    | Closed
)
