"""Who may issue which command in which state: Table 2-1 of the specification (p.17) as data."""

from enum import Enum

from gateway.smpp.vocabulary import COMMAND_IDS


class Role(Enum):
    """Which of the two ends of a session we are."""

    ESME = "esme"
    SMSC = "smsc"

    @property
    def peer(self) -> "Role":
        """The other end."""
        return Role.SMSC if self is Role.ESME else Role.ESME


class State(Enum):
    """The states of a session (§2.2)."""

    OPEN = "open"
    BOUND_TX = "bound_tx"
    BOUND_RX = "bound_rx"
    BOUND_TRX = "bound_trx"
    CLOSED = "closed"


BOUND_STATES = frozenset({State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX})

_OPEN = frozenset({State.OPEN})
_SENDING = frozenset({State.BOUND_TX, State.BOUND_TRX})
_RECEIVING = frozenset({State.BOUND_RX, State.BOUND_TRX})
_CONNECTED = BOUND_STATES | _OPEN

ESME, SMSC = frozenset({Role.ESME}), frozenset({Role.SMSC})
EITHER = ESME | SMSC

TABLE_2_1: dict[str, tuple[frozenset[State], frozenset[Role]]] = {
    "bind_transmitter": (_OPEN, ESME),
    "bind_receiver": (_OPEN, ESME),
    "bind_transceiver": (_OPEN, ESME),
    "outbind": (_OPEN, SMSC),
    "unbind": (BOUND_STATES, EITHER),
    "submit_sm": (_SENDING, ESME),
    "submit_multi": (_SENDING, ESME),
    "data_sm": (BOUND_STATES, EITHER),
    "deliver_sm": (_RECEIVING, SMSC),
    "query_sm": (_SENDING, ESME),
    "cancel_sm": (_SENDING, ESME),
    # The table leaves BOUND_TRX out for replace_sm alone, against §2.2, which gives a transceiver all that a
    # transmitter has; SMPP 5.0 corrected it.
    "replace_sm": (_SENDING, ESME),
    "alert_notification": (_RECEIVING, SMSC),
    # The table asks for a bound session; either end may want to know earlier whether the other is alive (S5).
    "enquire_link": (_CONNECTED, EITHER),
}
"""Each request: the states in which it may be issued, and by whom.

Responses follow from their requests, so the table's rows for them, and for generic_nack, are not repeated here:
a response is legal exactly while somebody waits for it.
"""

OUTBIND = COMMAND_IDS["outbind"]
UNBIND = COMMAND_IDS["unbind"]
ENQUIRE_LINK = COMMAND_IDS["enquire_link"]
ALERT_NOTIFICATION = COMMAND_IDS["alert_notification"]

WITHOUT_RESPONSE = frozenset({OUTBIND, ALERT_NOTIFICATION})
"""Requests that are never answered."""


def requests(issuer: Role, state: State) -> frozenset[int]:
    """The command_ids of the requests that ``issuer`` may send in ``state``."""
    return frozenset(
        COMMAND_IDS[name]
        for name, (states, roles) in TABLE_2_1.items()
        if state in states and issuer in roles
    )


BIND_STATES = {
    COMMAND_IDS["bind_transmitter"]: State.BOUND_TX,
    COMMAND_IDS["bind_receiver"]: State.BOUND_RX,
    COMMAND_IDS["bind_transceiver"]: State.BOUND_TRX,
}
"""The state that a successful bind leads to."""

MAY_SEND = {(issuer, state): requests(issuer, state) for issuer in Role for state in State}
"""(issuer, state) to command_ids, worked out once."""
