"""What the message centre keeps of an SMS that an ESME has sent, and the states that it goes through."""

from dataclasses import dataclass, field
from enum import IntEnum

from gateway.smpp.fields import SmeAddress
from smpp_sim.centre.messages import Submitted


class MessageState(IntEnum):
    """message_state (SMPP 3.4 §5.2.28)."""

    ENROUTE = 1
    DELIVERED = 2
    EXPIRED = 3
    DELETED = 4
    UNDELIVERABLE = 5
    ACCEPTED = 6
    UNKNOWN = 7
    REJECTED = 8


class Rejected(Exception):
    """A request of an ESME that is not granted; `status` is the answer."""

    def __init__(self, status: int):
        super().__init__(f"0x{status:08x}")
        self.status = status


@dataclass(slots=True, eq=False)
class SentSms:
    """A message of an ESME; `copies` are its recipients, one unless it came in submit_multi.

    `due` and `expires` are seconds of the centre's clock. `alert_is_set`: the ESME will be told when a phone is back.
    """

    message_id: str
    system_id: str
    sms: Submitted
    submitted: float
    due: float
    expires: float
    copies: list["Copy"] = field(default_factory=list)
    alert_is_set: bool = False
    is_screen: bool = False

    @property
    def waiting(self) -> list["Copy"]:
        """The copies that are not yet on their phones."""
        return [copy for copy in self.copies if copy.state is MessageState.ENROUTE]

    @property
    def summary(self) -> "Copy":
        """The copy that speaks for all: one that waits, else one that failed, else any."""
        return max(
            self.copies, key=lambda copy: (copy.final is None, copy.state is not MessageState.DELIVERED)
        )


@dataclass(slots=True, eq=False)
class Copy:
    """A message on its way to one phone.

    `final` is the Unix time at which it ended, None before; `error` the network's code; `tried`: the phone was off.
    """

    message: SentSms
    to: SmeAddress
    msisdn: str
    state: MessageState = MessageState.ENROUTE
    error: int = 0
    final: float | None = None
    tried: bool = False
