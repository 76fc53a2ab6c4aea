"""The numbers of a session."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Windows, limits and the four timers of §7.2 (p.165). A timer of 0 or None is off.

    ValueError when a number makes no sense.
    """

    window: int = 10
    """Requests of ours that may wait for their response."""

    peer_window: int = 10
    """Requests of the peer that may wait for ours; those above it are throttled."""

    max_pdu_octets: int = 65536
    """The longest PDU that is accepted, header and all."""

    session_init_timer_s: float | None = 10.0
    """From the connection to the bind; then we close."""

    enquire_link_timer_s: float | None = 30.0
    """Silence of the peer after which we ask whether it is there."""

    inactivity_timer_s: float | None = None
    """Time without a message, either way, after which we unbind."""

    response_timer_s: float | None = 10.0
    """Time in which a request has to be answered; then it is Unanswered, and a link that owes it is dead."""

    bind_tries: int = 3
    """Refused binds after which an SMSC closes."""

    system_id: str = "starpound"
    """What an SMSC calls itself in bind_resp."""

    def __post_init__(self) -> None:
        if min(self.window, self.peer_window, self.bind_tries) < 1:
            raise ValueError("window, peer_window and bind_tries are at least 1")
        if self.max_pdu_octets < 16:
            raise ValueError("max_pdu_octets is at least 16, the octets of a header")
        if self.enquire_link_timer_s and not self.response_timer_s:
            raise ValueError(
                "enquire_link_timer_s without response_timer_s: a dead link would never be noticed"
            )
