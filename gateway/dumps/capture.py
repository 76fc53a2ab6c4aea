"""Captures: from a pcap or pcapng file to the PDUs that its TCP connections carried, and back.

dpkt reads the headers of the packets. What it has no word for: several interfaces in one pcapng file (here), and TCP
streams put together (``capture_streams``).
"""

import heapq
import mmap
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import BinaryIO

import dpkt

from gateway.dumps.compressed import CompressedError, unpacked
from gateway.dumps.streams import Captured, Stream

__all__ = [
    "CaptureError",
    "Captured",
    "count_packets",
    "cut_off",
    "is_capture",
    "read_capture",
    "tcp_payload",
    "write_capture",
]

_SEGMENT_OCTETS = 1400
_PCAPNG = b"\x0a\x0d\x0d\x0a"
_UNREADABLE = (dpkt.Error, struct.error, ValueError, IndexError, KeyError, AttributeError, TypeError)


class CaptureError(Exception):
    """The file cannot be read as a capture; the message is one line and names the file."""


# ------------------------------------------------------------------------------------------- reading


def read_capture(path: str | Path) -> Iterator[Captured]:
    """The PDUs of a pcap or pcapng file, which may be compressed, in the order in which they were complete.

    CaptureError: there is no such file, it is no capture, or its packets are of a kind that carries no IP.
    A file that ends in the middle of a packet is read as far as it goes.
    """
    yield from _pdus(_packets_of(path))


def count_packets(path: str | Path) -> Counter[str]:
    """How many packets of each kind there are in a capture, by which one may see why there are no PDUs."""
    return Counter(_kind(link_type, octets) for _, link_type, octets in _packets_of(path))


def _packets_of(path: str | Path) -> Iterator["Packet"]:
    try:
        with unpacked(path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as octets:
            yield from _packets(octets, path)
    except CompressedError as error:
        raise CaptureError(str(error)) from None
    except OSError as error:
        raise CaptureError(f"{path}: {error.strerror or error}") from None
    except ValueError:  # mmap of an empty file
        raise CaptureError(f"{path}: neither a pcap nor a pcapng file: it is empty") from None


def is_capture(octets: bytes) -> bool:
    """Whether a file that begins with these octets, four at least, says that it is a capture."""
    magic = int.from_bytes(octets[:4], "big")
    return octets[:4] == _PCAPNG or magic in dpkt.pcap.MAGIC_TO_PKT_HDR


Packet = tuple[float, int, bytes]
"""Time in seconds, the link type of its interface, octets."""


def _packets(file: mmap.mmap, path: str | Path) -> Iterator[Packet]:
    if not is_capture(file[:4]):
        raise CaptureError(f"{path}: neither a pcap nor a pcapng file")
    packets = _pcapng_packets(file) if file[:4] == _PCAPNG else _pcap_packets(file)
    unknown: set[int] = set()
    known = False
    try:
        for time, link_type, octets in packets:
            if link_type in _NETWORK:
                known = True
                yield time, link_type, octets
            else:
                unknown.add(link_type)
    except _UNREADABLE as error:
        if not known:
            raise CaptureError(f"{path}: damaged: {error or type(error).__name__}") from None
    if unknown and not known:
        kinds = ", ".join(map(str, sorted(unknown)))
        raise CaptureError(
            f"{path}: packets of link type {kinds}: not Ethernet, Linux cooked, raw IP or loopback"
        )


def _pcap_packets(file: mmap.mmap) -> Iterator[Packet]:
    reader = dpkt.pcap.Reader(file)
    for time, octets in reader:
        yield float(time), reader.datalink() & 0xFFFF, octets


@dataclass(slots=True)
class _Interface:
    link_type: int
    units_per_second: float
    offset_s: int

    @classmethod
    def of(cls, block: dpkt.pcapng.InterfaceDescriptionBlock, order: str) -> "_Interface":
        options = {option.code: option.data for option in block.opts}
        resolution = options.get(dpkt.pcapng.PCAPNG_OPT_IF_TSRESOL, b"\x06")[0]
        units = float((2 if resolution & 0x80 else 10) ** (resolution & 0x7F))
        offset = options.get(dpkt.pcapng.PCAPNG_OPT_IF_TSOFFSET, bytes(8))
        return cls(block.linktype, units, struct.unpack(f"{order}q", offset)[0])


def _pcapng_packets(file: mmap.mmap) -> Iterator[Packet]:
    """dpkt's own reader takes all packets for those of the first interface; its blocks are used."""
    at, order = 0, "<"
    interfaces: list[_Interface] = []
    while at + 12 <= len(file):
        if file[at : at + 4] == _PCAPNG:
            order = "<" if file[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces = []
        kind, size = struct.unpack_from(f"{order}II", file, at)
        if size < 12 or at + size > len(file):
            return  # the file was cut off while it was written
        block = _block(kind, order, file[at : at + size])
        if isinstance(block, dpkt.pcapng.InterfaceDescriptionBlock):
            interfaces.append(_Interface.of(block, order))
        elif isinstance(block, dpkt.pcapng.EnhancedPacketBlock):
            interface = interfaces[block.iface_id]
            units = block.ts_high << 32 | block.ts_low
            yield interface.offset_s + units / interface.units_per_second, interface.link_type, block.pkt_data
        at += size


_BLOCKS = {
    (dpkt.pcapng.PCAPNG_BT_IDB, "<"): dpkt.pcapng.InterfaceDescriptionBlockLE,
    (dpkt.pcapng.PCAPNG_BT_IDB, ">"): dpkt.pcapng.InterfaceDescriptionBlock,
    (dpkt.pcapng.PCAPNG_BT_EPB, "<"): dpkt.pcapng.EnhancedPacketBlockLE,
    (dpkt.pcapng.PCAPNG_BT_EPB, ">"): dpkt.pcapng.EnhancedPacketBlock,
    (dpkt.pcapng.PCAPNG_BT_PB, "<"): dpkt.pcapng.PacketBlockLE,
    (dpkt.pcapng.PCAPNG_BT_PB, ">"): dpkt.pcapng.PacketBlock,
}


def _block(kind: int, order: str, octets: bytes) -> dpkt.Packet | None:
    block = _BLOCKS.get((kind, order))
    return block(octets) if block else None


# ------------------------------------------------------------------------- link and network layer

_VLAN = frozenset({dpkt.ethernet.ETH_TYPE_8021Q, dpkt.ethernet.ETH_TYPE_8021AD})


def _ethernet(octets: bytes) -> dpkt.Packet:
    return dpkt.ethernet.Ethernet(octets).data


def _cooked(octets: bytes) -> dpkt.Packet:
    return _by_ethertype(dpkt.sll.SLL(octets).ethtype, octets[16:])


def _cooked_2(octets: bytes) -> dpkt.Packet:
    return _by_ethertype(dpkt.sll2.SLL2(octets).ethtype, octets[20:])


def _by_ethertype(ethertype: int, octets: bytes) -> dpkt.Packet:
    while ethertype in _VLAN:
        ethertype, octets = int.from_bytes(octets[2:4], "big"), octets[4:]
    return _raw_ip(octets) if ethertype in (0x0800, 0x86DD) else dpkt.Packet()


def _raw_ip(octets: bytes) -> dpkt.Packet:
    return dpkt.ip.IP(octets) if octets[0] >> 4 == 4 else dpkt.ip6.IP6(octets)


def _loopback(octets: bytes) -> dpkt.Packet:
    return _raw_ip(octets[4:])


_NETWORK = {
    dpkt.pcap.DLT_NULL: _loopback,
    108: _loopback,  # OpenBSD
    dpkt.pcap.DLT_EN10MB: _ethernet,
    12: _raw_ip,  # as it is called on some systems, 14 on others
    14: _raw_ip,
    101: _raw_ip,
    dpkt.pcap.DLT_IPV4: _raw_ip,
    dpkt.pcap.DLT_IPV6: _raw_ip,
    dpkt.pcap.DLT_LINUX_SLL: _cooked,
    dpkt.pcap.DLT_LINUX_SLL2: _cooked_2,
}
"""Link type of the capture to what finds the IP packet in it."""


@dataclass(frozen=True, slots=True)
class _Segment:
    """``missing`` octets of its data are not in the capture, which holds only the beginning of each packet."""

    source: str
    destination: str
    tcp: dpkt.tcp.TCP
    missing: int


def _segment(link_type: int, octets: bytes) -> _Segment | None:
    """None for anything but TCP, also for what is broken."""
    try:
        packet = _NETWORK[link_type](octets)
        if isinstance(packet.data, dpkt.tcp.TCP):
            tcp = packet.data
            missing = max(_tcp_octets(packet) - len(tcp), 0)
            return _Segment(_endpoint(packet.src, tcp.sport), _endpoint(packet.dst, tcp.dport), tcp, missing)
    except _UNREADABLE:
        pass
    return None


_PROTOCOLS = {
    1: "ICMP",
    6: "TCP cut off in its header",
    17: "UDP",
    47: "GRE",
    50: "ESP",
    58: "ICMPv6",
    132: "SCTP",
}


def _kind(link_type: int, octets: bytes) -> str:
    if segment := _segment(link_type, octets):
        if segment.tcp.data:
            return "TCP with data"
        return "TCP cut off before its data" if segment.missing else "TCP without data"
    try:
        packet = _NETWORK[link_type](octets)
        protocol = packet.p if isinstance(packet, dpkt.ip.IP) else packet.nxt
        return _PROTOCOLS.get(protocol, f"IP protocol {protocol}")
    except _UNREADABLE:
        return "not IP"


def _tcp_octets(packet: dpkt.ip.IP | dpkt.ip6.IP6) -> int:
    """How many octets of TCP a packet says that it has; 0 where the network card was to say it."""
    if isinstance(packet, dpkt.ip.IP):
        return int(packet.len) - 4 * int(packet.hl)
    return int(packet.plen) - sum(len(header) for header in packet.all_extension_headers)


def tcp_payload(octets: bytes) -> bytes | None:
    """What a single packet carries over TCP, if ``octets`` are one: with its Ethernet header or from IP on."""
    found = _segment_of(octets)
    return bytes(found.tcp.data) if found else None


def cut_off(octets: bytes) -> int:
    """How many octets at the end of what that packet carried are not there."""
    found = _segment_of(octets)
    return found.missing if found else 0


def _segment_of(octets: bytes) -> _Segment | None:
    for link_type in (dpkt.pcap.DLT_EN10MB, dpkt.pcap.DLT_IPV4):
        if octets and (found := _segment(link_type, octets)):
            return found
    return None


def _endpoint(address: bytes, port: int) -> str:
    host = ip_address(address)
    return f"[{host}]:{port}" if host.version == 6 else f"{host}:{port}"


def _pdus(packets: Iterable[Packet]) -> Iterator[Captured]:
    streams: dict[tuple[str, str], Stream] = {}
    for time, link_type, octets in packets:
        found = _segment(link_type, octets)
        if found is None:
            continue
        ends, tcp = (found.source, found.destination), found.tcp
        stream = streams.get(ends)
        if stream is None or (tcp.flags & dpkt.tcp.TH_SYN and stream.is_over(tcp.seq)):
            if stream is not None:
                yield from stream.close()
            stream = streams[ends] = Stream(*ends)
        yield from stream.receive(time, tcp, found.missing)
    rests = [list(stream.close()) for stream in streams.values()]
    yield from heapq.merge(*rests, key=lambda captured: captured.time)


# ------------------------------------------------------------------------------------------- writing


def write_capture(target: str | Path | BinaryIO, pdus: Iterable[Captured]) -> None:
    """A pcap file of ``pdus``: Ethernet, IP and TCP around them, each connection with its opening handshake.

    The sender of a connection's first PDU is taken for the one that opened it. ValueError: a source or destination
    that is not ``address:port`` of IPv4, or ``[address]:port`` of IPv6. ``problem`` is not written.
    """
    if isinstance(target, str | Path):
        with Path(target).open("wb") as file:
            write_capture(file, pdus)
        return
    writer = dpkt.pcap.Writer(target, snaplen=0x40000)
    sent: dict[tuple[str, str], int] = {}
    for pdu in pdus:
        there, back = (pdu.source, pdu.destination), (pdu.destination, pdu.source)
        if there not in sent:
            sent[there] = sent[back] = 1
            for ends, flags, seq, ack in (
                (there, _SYN, 0, 0),
                (back, _SYN | _ACK, 0, 1),
                (there, _ACK, 1, 1),
            ):
                writer.writepkt_time(_frame(ends, flags, seq, ack), pdu.time)
        for at in range(0, len(pdu.octets), _SEGMENT_OCTETS):
            piece = pdu.octets[at : at + _SEGMENT_OCTETS]
            flags = _ACK | _PUSH
            writer.writepkt_time(_frame(there, flags, sent[there], sent[back], piece), pdu.time)
            sent[there] += len(piece)


_SYN, _ACK, _PUSH = dpkt.tcp.TH_SYN, dpkt.tcp.TH_ACK, dpkt.tcp.TH_PUSH
_MACS = {"src": b"\x02\x00\x00\x00\x00\x01", "dst": b"\x02\x00\x00\x00\x00\x02"}


def _frame(ends: tuple[str, str], flags: int, seq: int, ack: int, octets: bytes = b"") -> bytes:
    """One Ethernet frame; dpkt fills in the lengths and checksums."""
    (source, sport), (destination, dport) = map(_address, ends)
    tcp = dpkt.tcp.TCP(sport=sport, dport=dport, seq=seq, ack=ack, flags=flags, data=octets)
    if len(source) == 4:
        packet = dpkt.ip.IP(src=source, dst=destination, p=dpkt.ip.IP_PROTO_TCP, data=tcp)
    else:
        packet = dpkt.ip6.IP6(src=source, dst=destination, nxt=6, hlim=64, plen=len(tcp), data=tcp)
    ethertype = 0x0800 if len(source) == 4 else 0x86DD
    return bytes(dpkt.ethernet.Ethernet(type=ethertype, data=packet, **_MACS))


def _address(endpoint: str) -> tuple[bytes, int]:
    host, _, port = endpoint.rpartition(":")
    return ip_address(host.strip("[]")).packed, int(port)
