"""What passes between the centre and the gateway, and how often it may.

The rule, for each message of a subscriber: one answer for each delivery, and one more for each answer of which the
centre cannot be sure that the gateway knows it arrived. `Message.entitled` counts it, the centre holds it up.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from gateway.smpp.pdu import DeliverSm, SubmitSm, encode
from gateway.smpp.vocabulary import ESME_ROK, status_name

WITHHOLD = None
"""What `Centre.judge` says when a submit_sm is to have no response, or a later one."""

Key = tuple[str, int, int] | tuple[str, str]
"""(MSISDN, session, unit) of a turn by USSD; (MSISDN, short number) of an SMS."""


@dataclass(eq=False, slots=True)
class Message:
    """What a subscriber did, however often it has to be delivered, and every answer to it."""

    key: Key
    says: str
    pdu: DeliverSm
    deliveries: int = 0
    """Times that it went out and was not refused: each entitles to one answer."""
    status: int | None = None
    """command_status of its deliver_sm_resp; None: not acknowledged."""
    answers: list["Answer"] = field(default_factory=list)

    def __str__(self) -> str:
        ack = "not acknowledged" if self.status is None else status_name(self.status)
        key, answers = "/".join(map(str, self.key)), len(self.answers)
        return f"{key} {self.says!r}: delivered {self.deliveries}x, {ack}, {answers} answers"

    @property
    def entitled(self) -> int:
        """How many answers may have come by now.

        One for each delivery; and one more for each answer whose positive response the gateway is not known to have
        taken note of, because such an answer has to be sent again (at least once, W4).
        """
        return self.deliveries + sum(not answer.settled for answer in self.answers)


@dataclass(eq=False, slots=True)
class Answer:
    """One submit_sm, as it came."""

    wire: Any
    """The connection on which it came."""
    pdu: SubmitSm
    text: str
    last: bool
    message: Message | None
    status: int | None = None
    """What it was answered with; None: not answered."""
    settled: bool = False
    """A positive response was written, and so was, after it and on the same connection, a deliver_sm that the gateway
    has acknowledged. A gateway acknowledges after the commit that holds all it read before: it has the response."""

    @property
    def octets(self) -> bytes:
        """All of it but the sequence number."""
        return encode(replace(self.pdu, sequence_number=0))


def take(_: Answer) -> int | None:
    """Judge every answer to be all right."""
    return ESME_ROK


def withhold(_: Answer) -> int | None:
    """Respond to nothing for now."""
    return WITHHOLD
