"""The errors of the SMPP core: one small tree, each leaf a different person's turn to act."""

from gateway.smpp.vocabulary import status_name


class SmppError(Exception):
    """Whatever can go wrong in SMPP; catch this to catch all of the below."""


class LocalProtocolError(SmppError):
    """We asked for something the protocol does not allow now: our bug, or a full window.

    Nothing was sent and no state has changed. Ask ``Session.window_free`` and ``Session.state`` first.
    """


class RemoteProtocolError(SmppError):
    """The peer sent octets that are not a PDU of SMPP 3.4.

    ``status`` is the command_status to answer with; ``fatal`` says that the stream cannot be followed any
    further (specification p.57: a wrong command_length) and the connection has to be closed.
    ``octets`` is the offending PDU, and ``sound_octets`` how many of them come before a fault in its optional part.
    The message never quotes the body: it may hold a password.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        fatal: bool = False,
        sequence_number: int = 0,
        command_id: int = 0,
        octets: bytes = b"",
        sound_octets: int = 0,
    ) -> None:
        super().__init__(f"{message} ({status_name(status)})")
        self.status = status
        self.fatal = fatal
        self.sequence_number = sequence_number
        self.command_id = command_id
        self.octets = octets
        self.sound_octets = sound_octets


class CommandRejected(SmppError):
    """The peer answered a request of ours with an error; ``status`` is its command_status."""

    def __init__(self, status: int, what: str = "request") -> None:
        super().__init__(f"{what} rejected with {status_name(status)}")
        self.status = status


class ResponseTimeout(SmppError):
    """No response came within response_timer: the request has to be taken as not processed (p.165)."""
