"""What a dialect hands over: whose message, of which dialogue, which turn; and on the other side, which screen."""

from typing import Literal, NamedTuple

from gateway.smpp.pdu import DataSm, DeliverSm, SubmitSm
from menus.turns import Turn

Message = DeliverSm | SubmitSm | DataSm
"""What a USSD message travels in. Deliver_sm towards an ESME, submit_sm towards an SMSC, data_sm either way."""

IndicationKind = Literal["new", "answer", "answer_last", "notified", "abort", "timeout"]
PushKind = Literal["push_ask", "push_notify"]
ReplyKind = Literal[
    "ask", "finish", "notify", "ask_last", "notify_last", "push_ask", "push_notify", "release"
]
ScreenKind = Literal["ask", "finish", "notify", "release"]
Word = int | str
"""What names an operation: a value of ussd_service_op, or a service_type."""


class DialectError(Exception):
    """A profile that cannot be read (one line: file, key, what to do), or a PDU that it gives no meaning to."""


class Reply(NamedTuple):
    """What an answer needs of its question: the two addresses and the TLVs to be echoed.

    `in_data_sm` tells that the question came in a data_sm; then its answer travels in one, too.
    """

    msisdn: str
    service_addr: str
    ton: int
    npi: int
    echoed: tuple[tuple[int, bytes], ...]
    in_data_sm: bool = False


class Inbound(NamedTuple):
    """One message of a subscriber: whose, of which dialogue, and the turn that it is.

    `unit` is the number of the dialogue unit (the N of its_session_info), None where the dialect has none. `reply`
    is None for an SMS, which belongs to no dialogue. `last`: the answer has ended the dialogue at the centre; do what
    it says, and show nothing.
    """

    msisdn: str
    key: str
    turn: Turn
    unit: int | None
    reply: Reply | None
    last: bool = False


class Outbound(NamedTuple):
    """What a centre reads in a message of a gateway: a screen for a handset, or, without a text, a release.

    `session` is the number that the message names its dialogue by, None if it names none. `ends`: the dialogue is
    over with this screen. `last`: it will be over with the subscriber's answer. `push`: whether it opens something of
    its own (True) or belongs to what is open (False); None: the message does not say, the centre must tell from what
    is open.
    """

    msisdn: str
    text: str
    kind: ScreenKind
    session: int | None
    ends: bool
    last: bool = False
    push: bool | None = False
