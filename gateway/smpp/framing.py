"""From a stream of octets to frames, each one whole PDU (specification §3.2, p.19).

The length of a PDU is all that tells where the next one begins, so a wrong length is the end of the stream (p.57).
Octets of another protocol nearly always read as such a length; the first four are enough to name the usual ones, and
nobody waits for the 1.2 GB that ``GET `` announces.
"""

from collections.abc import Iterator
from hashlib import blake2b

from gateway.smpp.codec import HEADER, HEADER_OCTETS
from gateway.smpp.errors import RemoteProtocolError
from gateway.smpp.vocabulary import ESME_RINVCMDLEN

FOREIGN_PROTOCOLS: tuple[tuple[bytes, str], ...] = (
    (b"GET ", "HTTP"),
    (b"POST", "HTTP"),
    (b"HEAD", "HTTP"),
    (b"PUT ", "HTTP"),
    (b"OPTI", "HTTP"),
    (b"CONN", "HTTP"),
    (b"DELE", "HTTP"),
    (b"HTTP", "HTTP"),
    (b"PRI ", "HTTP/2"),
    (b"\x16\x03", "TLS"),
    (b"\x03\x00\x00", "RDP"),
    (b"AMQP", "AMQP"),
    (b"SSH-", "SSH"),
    (b"PROX", "PROXY protocol"),
    (b"EHLO", "SMTP"),
    (b"HELO", "SMTP"),
)
"""First octets of what port scanners and wrong configurations send to an SMPP port."""

Frame = tuple[bytes, int, int, int]
"""The PDU, then its command_id, command_status and sequence_number."""


class ForeignProtocolError(RemoteProtocolError):
    """The peer speaks something else altogether; ``protocol`` names it. Not to be answered in SMPP."""

    def __init__(self, protocol: str, octets: bytes) -> None:
        super().__init__(
            f"the peer speaks {protocol}, not SMPP", status=ESME_RINVCMDLEN, fatal=True, octets=octets[:16]
        )
        self.protocol = protocol


def foreign_protocol(octets: bytes) -> str | None:
    """The name of the protocol that begins with ``octets``, or None."""
    for prefix, protocol in FOREIGN_PROTOCOLS:
        if octets.startswith(prefix):
            return protocol
    return None


class Framer:
    """Cuts what arrives into frames, however it was split on the way (F1)."""

    __slots__ = ("_in_step", "_needed", "_rest", "max_octets")

    def __init__(self, max_octets: int) -> None:
        self.max_octets = max_octets
        self._rest = bytearray()
        self._needed = 4
        self._in_step = False

    @property
    def waiting(self) -> int:
        """Octets of an unfinished PDU that are here already."""
        return len(self._rest)

    def receive(self, data: bytes) -> Iterator[Frame]:
        """The frames that ``data`` completes. To be consumed to the end, or never used again.

        RemoteProtocolError, always fatal, when a command_length cannot be one (F2, F4); the frames before it have
        been delivered by then.
        """
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return  # a PDU that comes octet by octet is copied once, not once an octet
            data = bytes(self._rest)
        at, size = 0, len(data)
        while size - at >= HEADER_OCTETS:
            length, command_id, command_status, sequence_number = HEADER.unpack_from(data, at)
            if not HEADER_OCTETS <= length <= self.max_octets:
                raise self._out_of_step(data[at:])
            end = at + length
            if end > size:
                break
            yield data[at:end], command_id, command_status, sequence_number
            at = end
        self._keep(data, at)

    def _keep(self, data: bytes, at: int) -> None:
        self._in_step = self._in_step or at > 0
        self._rest = bytearray(data[at:])
        self._needed = 4
        if len(self._rest) >= 4:
            length = int.from_bytes(self._rest[:4], "big")
            if not HEADER_OCTETS <= length <= self.max_octets:
                raise self._out_of_step(data[at:])
            self._needed = length

    def _out_of_step(self, octets: bytes) -> RemoteProtocolError:
        protocol = None if self._in_step else foreign_protocol(octets)
        if protocol:
            return ForeignProtocolError(protocol, octets)
        length = int.from_bytes(octets[:4], "big")
        sequence_number = HEADER.unpack_from(octets)[3] if len(octets) >= HEADER_OCTETS else 0
        return RemoteProtocolError(
            f"command_length {length}, not {HEADER_OCTETS} to {self.max_octets}",
            status=ESME_RINVCMDLEN,
            fatal=True,
            sequence_number=sequence_number,
            octets=octets[:HEADER_OCTETS],
        )


def digest(frame: bytes) -> int:
    """BLAKE2b of a PDU without its sequence number, as a signed integer of 64 bits.

    A message that is delivered again has the same digest: it comes under another number, and is equal but for that.
    """
    return int.from_bytes(blake2b(frame[:12] + frame[16:], digest_size=8).digest(), "big", signed=True)
