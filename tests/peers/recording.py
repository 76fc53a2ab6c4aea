"""What went over the wire in this run of the tests, by test and connection, and how it becomes a capture file."""

import contextlib
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import dpkt

RAW_IP = 101
"""LINKTYPE_RAW: packets begin with their IP header."""
SMSC_ADDRESS, SMSC_PORT, ESME_PORT = bytes([10, 255, 255, 254]), 2775, 40000
SEGMENT_OCTETS = 1 << 15


End = Literal["esme", "smsc"]


class Piece(NamedTuple):
    """What one read brought, and when (seconds since 1970)."""

    time: float
    octets: bytes


@dataclass
class Connection:
    """One TCP connection. ``hostile``: why the peer's octets are wrong on purpose, or None; ``ours``: our end."""

    test: str
    hostile: str | None
    ours: End
    from_esme: list[Piece] = field(default_factory=list)
    from_smsc: list[Piece] = field(default_factory=list)

    def stream(self, *, esme: bool) -> bytes:
        """All octets of one direction."""
        return b"".join(piece.octets for piece in (self.from_esme if esme else self.from_smsc))


@dataclass
class _Run:
    test: str = ""
    hostile: str | None = None
    connections: list[Connection] = field(default_factory=list)


_run = _Run()


@contextlib.contextmanager
def of(test: str, hostile: str | None) -> Iterator[None]:
    """All connections that begin within the block belong to this test."""
    _run.test, _run.hostile = test, hostile
    try:
        yield
    finally:
        _run.test, _run.hostile = "", None


def begin(ours: End) -> Connection:
    """A connection to fill, of the test that runs."""
    _run.connections.append(Connection(_run.test, _run.hostile, ours))
    return _run.connections[-1]


def connections() -> Sequence[Connection]:
    """All connections of this run so far."""
    return tuple(_run.connections)


# ------------------------------------------------------------------------------------------- capture file


def addresses(number: int) -> tuple[str, str]:
    """Where the ESME and the SMSC of a connection are in the capture, as address:port."""
    ends = ((_esme(number), ESME_PORT), (SMSC_ADDRESS, SMSC_PORT))
    esme, smsc = (f"{'.'.join(map(str, address))}:{port}" for address, port in ends)
    return esme, smsc


def _esme(number: int) -> bytes:
    return bytes([10, *(number + 1).to_bytes(3)])


def write_pcap(path: Path, kept: Sequence[Connection]) -> None:
    """Write TCP as it may have been: ``tcp.stream`` of a capture is the index of the connection in ``kept``.

    Each connection has an ESME address of its own; the SMSC is always port 2775 of the same one.
    """
    packets = heapq.merge(
        *(_packets(number, each) for number, each in enumerate(kept)), key=lambda one: one[0]
    )
    with path.open("wb") as file:
        writer = dpkt.pcap.Writer(file, linktype=RAW_IP, snaplen=1 << 18, nano=True)
        for _, when, packet in packets:
            writer.writepkt(bytes(packet), ts=when)


def _packets(number: int, kept: Connection) -> Iterator[tuple[tuple[float, int], float, dpkt.ip.IP]]:
    """The packets of a connection; first the handshake, in the order of the connections, which numbers the streams."""
    ends = {True: _Address(_esme(number), ESME_PORT), False: _Address(SMSC_ADDRESS, SMSC_PORT)}
    for from_esme, flags in ((True, dpkt.tcp.TH_SYN), (False, dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK)):
        yield (0.0, number), 0.0, _packet(ends[from_esme], ends[not from_esme], b"", flags)
        ends[from_esme].next_octet += 1
    for when, from_esme, octets in _segments(kept):
        flags = dpkt.tcp.TH_ACK | dpkt.tcp.TH_PUSH
        yield (when, number), when, _packet(ends[from_esme], ends[not from_esme], octets, flags)
        ends[from_esme].next_octet += len(octets)


@dataclass
class _Address:
    address: bytes
    port: int
    next_octet: int = 1


def _packet(source: _Address, destination: _Address, octets: bytes, flags: int) -> dpkt.ip.IP:
    tcp = dpkt.tcp.TCP(
        sport=source.port,
        dport=destination.port,
        seq=source.next_octet,
        ack=destination.next_octet if flags & dpkt.tcp.TH_ACK else 0,
        flags=flags,
        win=0xFFFF,
        data=octets,
    )
    return dpkt.ip.IP(
        src=source.address,
        dst=destination.address,
        p=dpkt.ip.IP_PROTO_TCP,
        ttl=64,
        data=tcp,
        len=40 + len(octets),
    )


def _segments(kept: Connection) -> Iterator[tuple[float, bool, bytes]]:
    """Time, whether the ESME sent it, octets; both directions in the order of time."""
    both = [(piece.time, True, piece.octets) for piece in kept.from_esme]
    both += [(piece.time, False, piece.octets) for piece in kept.from_smsc]
    for when, from_esme, octets in sorted(both, key=lambda one: one[0]):
        for at in range(0, len(octets), SEGMENT_OCTETS):
            yield when, from_esme, octets[at : at + SEGMENT_OCTETS]
