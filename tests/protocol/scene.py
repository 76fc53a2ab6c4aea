"""Sessions in any state, and two of them joined without a network."""

from gateway.smpp import pdu
from gateway.smpp.events import Event
from gateway.smpp.pdu import Pdu, decode, encode
from gateway.smpp.session import Role, Session, SessionSettings, State
from gateway.smpp.vocabulary import ESME_RINVPASWD, ESME_ROK

SETTINGS = SessionSettings()
BINDS = {
    State.BOUND_TX: pdu.BindTransmitter,
    State.BOUND_RX: pdu.BindReceiver,
    State.BOUND_TRX: pdu.BindTransceiver,
}


def check_password(bind: Pdu) -> int:
    return ESME_ROK if bind.password == "secret" else ESME_RINVPASWD


class Joined:
    """An ESME and an SMSC; ``carry`` moves octets both ways until none are left. Time is ``now``, a number."""

    def __init__(self, esme: SessionSettings = SETTINGS, smsc: SessionSettings = SETTINGS) -> None:
        self.now = 1000.0
        self.esme = Session(Role.ESME, esme, self.now)
        self.smsc = Session(Role.SMSC, smsc, self.now, check_password)

    def bind(self, state: State = State.BOUND_TRX) -> "Joined":
        self.esme.send(BINDS[state]("gw", "secret"), self.now)
        self.carry()
        self.esme.events()
        self.smsc.events()
        return self

    def carry(self) -> None:
        while True:
            up, down = self.esme.data_to_send(), self.smsc.data_to_send()
            if not up and not down:
                return
            self.smsc.receive_data(up, self.now)
            self.esme.receive_data(down, self.now)

    def __getitem__(self, role: Role) -> Session:
        return self.esme if role is Role.ESME else self.smsc


def session(role: Role, state: State, settings: SessionSettings = SETTINGS) -> Session:
    """A session of ``role`` that got into ``state`` by what it sent and received."""
    joined = Joined(settings, settings)
    if state is State.CLOSED:
        joined[role].receive_eof(joined.now)
    elif state is not State.OPEN:
        joined.bind(state)
    joined[role].events()
    return joined[role]


def feed(session: Session, *pdus: Pdu | bytes, now: float = 1000.0) -> list[Event]:
    """What the session makes of these PDUs, in one read."""
    session.receive_data(b"".join(item if isinstance(item, bytes) else encode(item) for item in pdus), now)
    return session.events()


def answers(session: Session) -> list[Pdu]:
    """The PDUs that the session wants to be written."""
    octets, found = session.data_to_send(), []
    while octets:
        size = int.from_bytes(octets[:4], "big")
        found.append(decode(octets[:size]))
        octets = octets[size:]
    return found


def events_of(kind: type, happened: list[Event]) -> list[Event]:
    return [event for event in happened if isinstance(event, kind)]
