"""The port at which faults act on the centre: between the sessions of its links and their sockets.

A link hands over what its session wants to send instead of writing it, asks before it answers a request, and asks
whether it may listen. So the session and the network behind it stay in order, whatever the ESME gets to see of them.
"""

import asyncio
from typing import Protocol

from gateway.smpp.pdu import BindRequest, Pdu


class FaultyLink(Protocol):
    """What a fault may do to a link."""

    system_id: str
    gone: asyncio.Future[None]

    def put(self, octets: bytes) -> None:
        """Write to the socket, if there is one."""

    def rest(self, seconds: float) -> None:
        """Read nothing for a while."""

    def abort(self) -> None:
        """Drop the connection."""


class Faults(Protocol):
    """What may go wrong in the centre. `NoFaults` is a centre in which nothing does."""

    def on_bind(self, bind: BindRequest) -> int:
        """The command_status by which a bind is refused; 0 when it is not."""

    def session_reused(self, system_id: str, msisdn: str) -> bool:
        """Whether a new dialogue gets the number of the one before it."""

    def deaf(self, link: FaultyLink) -> bool:
        """Whether the link neither hears nor speaks."""

    def on_request(self, link: FaultyLink, pdu: Pdu) -> int | None:
        """The command_status of a request that is not to be done; None: it is."""

    def on_refused(self, link: FaultyLink, status: int) -> None:
        """The session itself has refused a request."""

    def after_read(self, link: FaultyLink) -> None:
        """The centre has read something, and has answered it."""

    def write(self, link: FaultyLink, octets: bytes) -> None:
        """Send what the session wants to be sent, whole PDUs, or what becomes of it."""

    def left(self, link: FaultyLink) -> None:
        """The link is gone."""


class NoFaults:
    """Nothing goes wrong."""

    def on_bind(self, bind: BindRequest) -> int:
        """No bind is refused."""
        return 0

    def session_reused(self, system_id: str, msisdn: str) -> bool:
        """Every dialogue gets a number of its own."""
        return False

    def deaf(self, link: FaultyLink) -> bool:
        """Every link hears and speaks."""
        return False

    def on_request(self, link: FaultyLink, pdu: Pdu) -> int | None:
        """Every request is done."""
        return None

    def on_refused(self, link: FaultyLink, status: int) -> None:
        """Nobody wants to know."""

    def after_read(self, link: FaultyLink) -> None:
        """The next read follows at once."""

    def write(self, link: FaultyLink, octets: bytes) -> None:
        """What is to be sent is sent."""
        link.put(octets)

    def left(self, link: FaultyLink) -> None:
        """Nobody wants to know."""
