"""Captures: whatever happened to the packets, the PDUs are found, and what is missing is said."""

import bz2
import gzip
import io
import itertools
import lzma
import random
import struct
from collections.abc import Iterable
from pathlib import Path

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dumps.capture import (
    Captured,
    CaptureError,
    count_packets,
    cut_off,
    read_capture,
    tcp_payload,
    write_capture,
)
from gateway.smpp.pdu import DeliverSm, EnquireLink, SubmitSm, encode

ESME, SMSC = "10.0.0.1:40000", "10.0.0.2:2775"
PDUS = [
    encode(SubmitSm(destination_addr="79260000003", short_message=bytes([65 + n]) * n, sequence_number=n))
    for n in range(1, 9)
]
STREAM = b"".join(PDUS)
SYN = dpkt.tcp.TH_SYN


def segment(seq: int, octets: bytes = b"", flags: int = dpkt.tcp.TH_ACK, *, version: int = 4) -> dpkt.Packet:
    """An IP packet from the ESME to the SMSC."""
    tcp = dpkt.tcp.TCP(sport=40000, dport=2775, seq=seq & 0xFFFFFFFF, flags=flags, data=octets)
    if version == 6:
        ends = {"src": bytes(15) + b"\1", "dst": bytes(15) + b"\2"}
        return dpkt.ip6.IP6(nxt=6, plen=len(tcp), data=tcp, **ends)
    return dpkt.ip.IP(src=b"\x0a\0\0\1", dst=b"\x0a\0\0\2", p=6, data=tcp)


def ethernet(packet: dpkt.Packet) -> bytes:
    return bytes(12) + (b"\x08\x00" if packet.v == 4 else b"\x86\xdd") + bytes(packet)


def capture(path: Path, packets: Iterable[bytes], link_type: int = 1, start: float = 100.0) -> Path:
    """A pcap file; each packet comes a second after the one before."""
    with path.open("wb") as file:
        writer = dpkt.pcap.Writer(file, linktype=link_type)
        for number, packet in enumerate(packets):
            writer.writepkt_time(packet, start + number)
    return path


def read(path: Path) -> list[bytes]:
    """The PDUs, none of which may have a problem."""
    found = list(read_capture(path))
    assert [pdu.problem for pdu in found] == [""] * len(found)
    return [pdu.octets for pdu in found]


def pieces(octets: bytes, size: int) -> list[tuple[int, bytes]]:
    return [(at, octets[at : at + size]) for at in range(0, len(octets), size)]


# --- kinds of files and links


def test_what_is_written_is_read_again(tmp_path):
    deliver = encode(DeliverSm(short_message=b"x" * 254, sequence_number=7))
    written = [
        Captured(1000.25, ESME, SMSC, PDUS[0]),
        Captured(1000.5, SMSC, ESME, deliver * 20),
        Captured(1001.0, "[2001:db8::1]:5000", "[2001:db8::2]:2775", PDUS[1]),
        Captured(1002.0, ESME, SMSC, PDUS[2]),
    ]
    write_capture(tmp_path / "a.pcap", written)
    found = list(read_capture(tmp_path / "a.pcap"))
    assert found[0] == written[0]
    assert [pdu.octets for pdu in found[1:21]] == [deliver] * 20
    assert found[21:] == written[2:]


def test_a_capture_may_be_written_to_an_open_file(tmp_path):
    file = io.BytesIO()
    write_capture(file, [Captured(1.0, ESME, SMSC, PDUS[0])])
    (tmp_path / "a.pcap").write_bytes(file.getvalue())
    assert read(tmp_path / "a.pcap") == PDUS[:1]


def test_a_written_packet_has_right_checksums(tmp_path):
    write_capture(tmp_path / "a.pcap", [Captured(1.0, ESME, SMSC, PDUS[0])])
    with (tmp_path / "a.pcap").open("rb") as file:
        packets = [dpkt.ethernet.Ethernet(octets).data for _, octets in dpkt.pcap.Reader(file)]
    for packet in packets:
        ip, tcp = packet.sum, packet.data.sum
        packet.sum = packet.data.sum = 0
        bytes(packet)
        assert (packet.sum, packet.data.sum) == (ip, tcp)


@pytest.mark.parametrize(
    ("link_type", "head"),
    [
        (1, bytes(12) + b"\x08\x00"),
        (1, bytes(12) + b"\x81\x00\x00\x07\x08\x00"),
        (1, bytes(12) + b"\x88\xa8\x00\x07\x81\x00\x00\x08\x08\x00"),
        (113, b"\0\0\0\1\0\6" + bytes(8) + b"\x08\x00"),
        (113, b"\0\0\0\1\0\6" + bytes(8) + b"\x81\x00\x00\x07\x08\x00"),
        (276, b"\x08\x00\0\0\0\0\0\1\0\1\0\6" + bytes(8)),
        (101, b""),
        (12, b""),
        (228, b""),
        (0, b"\2\0\0\0"),
        (0, b"\0\0\0\2"),
        (108, b"\0\0\0\2"),
    ],
)
def test_link_types(tmp_path, link_type, head):
    assert read(capture(tmp_path / "a.pcap", [head + bytes(segment(1, STREAM))], link_type)) == PDUS


@pytest.mark.parametrize(
    ("link_type", "head"), [(1, bytes(12) + b"\x86\xdd"), (229, b""), (101, b""), (0, b"\x1e\0\0\0")]
)
def test_ip_version_6(tmp_path, link_type, head):
    path = capture(tmp_path / "a.pcap", [head + bytes(segment(1, STREAM, version=6))], link_type)
    assert read(path) == PDUS
    assert next(read_capture(path)).source == "[::1]:40000"


def test_padding_of_short_ethernet_frames_is_no_data(tmp_path):
    link = encode(EnquireLink(sequence_number=1))
    packets = [ethernet(segment(1, link[:4])).ljust(60, b"\xff"), ethernet(segment(5, link[4:]))]
    assert read(capture(tmp_path / "a.pcap", packets)) == [link]


def test_packets_that_are_not_tcp_are_passed_over(tmp_path):
    udp = dpkt.ip.IP(p=17, data=dpkt.udp.UDP(sport=53, dport=53, data=STREAM))
    odd = [bytes(udp), b"", b"\x45", bytes(40), bytes(segment(1, b""))[:30]]
    packets = [bytes(12) + b"\x08\x00" + octets for octets in odd] + [b"\1"]
    assert read(capture(tmp_path / "a.pcap", [*packets, ethernet(segment(1, STREAM))])) == PDUS


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + size + body + size


def pcapng(order: str, packets: list[tuple[int, bytes]]) -> bytes:
    """Interface 0 is Ethernet in microseconds, interface 1 raw IP in nanoseconds."""
    nanoseconds = struct.pack(f"{order}HH", 9, 1) + b"\x09\0\0\0" + struct.pack(f"{order}HH", 0, 0)
    octets = block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))
    octets += block(order, 1, struct.pack(f"{order}HHI", 1, 0, 0))
    octets += block(order, 1, struct.pack(f"{order}HHI", 101, 0, 0) + nanoseconds)
    octets += block(order, 0x0BAD, b"of somebody")
    for interface, packet in packets:
        units = 100 * 10 ** (9 if interface else 6)
        head = struct.pack(
            f"{order}IIIII", interface, units >> 32, units & 0xFFFFFFFF, len(packet), len(packet)
        )
        octets += block(order, 6, head + packet)
    return octets


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_with_two_kinds_of_interfaces(tmp_path, order):
    (at, first), (_, second) = pieces(STREAM, 200)[:2]
    packets = [(0, ethernet(segment(1 + at, first))), (1, bytes(segment(201, second)))]
    path = tmp_path / "a.pcapng"
    path.write_bytes(pcapng(order, packets) * 2)  # two sections; the second is a retransmission
    found = list(read_capture(path))
    assert b"".join(pdu.octets for pdu in found) == STREAM[: sum(len(pdu.octets) for pdu in found)]
    assert {pdu.time for pdu in found} == {100.0}


@pytest.mark.parametrize("cut", [1, 5, 17, 40])
def test_a_file_that_ends_in_the_middle_of_a_packet(tmp_path, cut):
    packets = [(0, ethernet(segment(1, PDUS[0]))), (0, ethernet(segment(1 + len(PDUS[0]), PDUS[1])))]
    (tmp_path / "a.pcapng").write_bytes(pcapng("<", packets)[:-cut])
    assert read(tmp_path / "a.pcapng") == PDUS[:1]
    path = capture(tmp_path / "a.pcap", [packet for _, packet in packets])
    path.write_bytes(path.read_bytes()[:-cut])
    assert next(read_capture(path)).octets == PDUS[0]


@pytest.mark.parametrize(
    ("name", "octets", "said"),
    [
        ("text.pcap", b"GET / HTTP/1.1\r\n", "neither a pcap nor a pcapng file"),
        ("empty.pcap", b"", "empty"),
        ("short.pcap", b"\xd4\xc3\xb2\xa1\x02", "damaged"),
        ("none.pcap", None, "No such file"),
    ],
)
def test_what_is_no_capture(tmp_path, name, octets, said):
    if octets is not None:
        (tmp_path / name).write_bytes(octets)
    with pytest.raises(CaptureError, match=said) as refused:
        list(read_capture(tmp_path / name))
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_link_type_without_ip_is_named(tmp_path):
    with pytest.raises(CaptureError, match="link type 127: not Ethernet"):
        list(read_capture(capture(tmp_path / "a.pcap", [b"beacon"], 127)))


@given(octets=st.binary(max_size=300))
def test_a_damaged_file_is_an_error_or_a_shorter_capture(tmp_path_factory, octets):
    path = tmp_path_factory.getbasetemp() / "damaged.pcap"
    whole = capture(path, [ethernet(segment(1, STREAM))]).read_bytes()
    for damaged in (whole[:24] + octets, pcapng("<", [])[: len(octets)] + octets, octets):
        path.write_bytes(damaged)
        try:
            list(read_capture(path))
        except CaptureError as error:
            assert str(path) in str(error)  # noqa: PT017 — either is right


# --- awkward streams


def streamed(tmp_path: Path, segments: Iterable[tuple[int, bytes]], first: int = 1) -> list[Captured]:
    """Segments by their offset in the stream."""
    packets = [ethernet(segment(first + at, octets)) for at, octets in segments]
    return list(read_capture(capture(tmp_path / "a.pcap", packets)))


@pytest.mark.parametrize("size", [1, 3, 15, 16, 17, 60])
def test_F1_pdus_cut_anywhere(tmp_path, size):
    assert [pdu.octets for pdu in streamed(tmp_path, pieces(STREAM, size))] == PDUS


def test_the_time_is_that_of_the_packet_that_completed_it(tmp_path):
    found = streamed(tmp_path, [(0, PDUS[0][:20]), (20, PDUS[0][20:] + PDUS[1])])
    assert [pdu.time for pdu in found] == [101.0, 101.0]


@given(seed=st.integers(0, 10_000), size=st.integers(5, 90), first=st.sampled_from([1, 2**32 - 100]))
def test_out_of_order_and_sent_again(tmp_path_factory, seed, size, first):
    """Behind the SYN that says where it begins, any order; sequence numbers may wrap."""
    chance = random.Random(seed)
    segments = pieces(STREAM, size)
    segments += [
        (at, STREAM[at : at + chance.randint(1, 120)]) for at in chance.sample(range(len(STREAM)), 5)
    ]
    chance.shuffle(segments)
    packets = [ethernet(segment(first - 1, flags=SYN))]
    packets += [ethernet(segment(first + at, octets)) for at, octets in segments]
    path = tmp_path_factory.getbasetemp() / "shuffled.pcap"
    assert read(capture(path, packets)) == PDUS


def test_a_keep_alive_probe_is_no_data(tmp_path):
    size = len(PDUS[0])
    found = streamed(tmp_path, [(0, PDUS[0]), (size - 1, b"\0"), (size, PDUS[1])])
    assert [pdu.octets for pdu in found] == PDUS[:2]


@pytest.mark.parametrize("skipped", [1, 7, 16, 30, 44])
def test_a_stream_that_begins_in_the_middle(tmp_path, skipped):
    found = streamed(tmp_path, pieces(STREAM[skipped:], 40))
    assert [pdu.octets for pdu in found] == PDUS[1:]


@pytest.mark.parametrize("lost", range(1, 6))
def test_a_hole_is_said_and_jumped_over(tmp_path, lost):
    segments = pieces(STREAM, 60)
    octets = len(segments[lost][1])
    found = streamed(tmp_path, segments[:lost] + segments[lost + 1 :])
    whole = [pdu.octets for pdu in found if not pdu.problem]
    assert set(whole) < set(PDUS)
    assert len(whole) >= len(PDUS) - 3, "more is lost than the hole took"
    assert [pdu.problem for pdu in found if pdu.problem] == [
        f"{octets} octets are missing from the capture here"
    ]


def test_a_hole_is_not_waited_for_until_the_end(tmp_path):
    many = STREAM * 200
    found = streamed(tmp_path, [(at, octets) for at, octets in pieces(many, 100) if at != 500])
    assert found[20].time < 400.0
    assert sum(not pdu.problem for pdu in found) > 8 * 200 - 5


def test_an_unfinished_pdu_at_the_end_is_said(tmp_path):
    whole, rest = streamed(tmp_path, [(0, PDUS[0] + PDUS[1][:20])])
    assert (whole.octets, whole.problem) == (PDUS[0], "")
    assert (rest.octets, rest.problem) == (PDUS[1][:20], "the capture ends in the middle of this PDU")


def test_F2_a_wrong_command_length_is_said_and_passed(tmp_path):
    wrong = b"\0\0\0\5" + PDUS[1][4:]
    found = streamed(tmp_path, [(0, PDUS[0] + wrong + PDUS[2])])
    assert [pdu.octets for pdu in found if not pdu.problem] == [PDUS[0], PDUS[2]]
    assert [pdu.problem for pdu in found if pdu.problem] == ["a command_length that cannot be: out of step"]


def test_F3_an_unknown_command_in_a_stream_of_smpp_is_a_pdu(tmp_path):
    unknown = struct.pack(">LLLL", 20, 0x200, 0, 9) + b"abcd"
    assert [pdu.octets for pdu in streamed(tmp_path, [(0, PDUS[0] + unknown + PDUS[1])])] == [
        PDUS[0],
        unknown,
        PDUS[1],
    ]


def test_F4_other_protocols_are_said(tmp_path):
    octets = b"GET /metrics HTTP/1.1\r\nHost: gw\r\n\r\n" * 3
    (only,) = streamed(tmp_path, pieces(octets, 40))
    assert only.problem == f"not SMPP: HTTP, {len(octets)} octets"
    assert only.octets == octets[:64]


def test_the_two_directions_and_several_connections_are_apart(tmp_path):
    ends = [(ESME, SMSC), (SMSC, ESME), ("10.0.0.3:1", SMSC), (SMSC, "10.0.0.3:1")]
    written = [
        Captured(float(number), *here, pdu)
        for number, (here, pdu) in enumerate(zip(itertools.cycle(ends), PDUS, strict=False))
    ]
    write_capture(tmp_path / "a.pcap", written)
    assert list(read_capture(tmp_path / "a.pcap")) == written


def test_a_new_connection_between_the_same_ends(tmp_path):
    packets = [
        segment(10, flags=SYN),
        segment(11, PDUS[0] + PDUS[1][:9]),
        segment(7, flags=SYN),
        segment(8, PDUS[2]),
    ]
    found = list(read_capture(capture(tmp_path / "a.pcap", map(ethernet, packets))))
    assert [pdu.octets for pdu in found] == [PDUS[0], PDUS[1][:9], PDUS[2]]


@given(octets=st.lists(st.binary(max_size=60), max_size=8), begin=st.booleans())
def test_whatever_a_stream_carries(tmp_path_factory, octets, begin):
    at, packets = 1, [ethernet(segment(1, PDUS[0]))] if begin else []
    for piece in octets:
        packets.append(ethernet(segment(at, piece)))
        at += len(piece)
    list(read_capture(capture(tmp_path_factory.getbasetemp() / "any.pcap", packets)))


# --- captures that hold only the beginning of each packet


def cut_to(snap: int, packets: Iterable[bytes]) -> list[bytes]:
    return [packet[:snap] for packet in packets]


def in_packets(*pdus: bytes, first: int = 1) -> list[bytes]:
    """Each in a packet of its own."""
    at, packets = first, []
    for octets in pdus:
        packets.append(ethernet(segment(at, octets)))
        at += len(octets)
    return packets


HEADERS = 14 + 20 + 20


@pytest.mark.parametrize("here", [14, 16, 24])
def test_what_is_here_of_each_packet_is_said_and_nothing_is_joined_over_a_hole(tmp_path, here):
    found = list(read_capture(capture(tmp_path / "a.pcap", cut_to(HEADERS + here, in_packets(*PDUS)))))
    assert [pdu.octets for pdu in found] == [pdu[:here] for pdu in PDUS]
    told = [f"{here} of {len(pdu)} octets of this packet are here" for pdu in PDUS]
    assert [pdu.problem for pdu in found] == told
    assert [pdu.time for pdu in found] == [100.0 + number for number in range(len(PDUS))]


def test_whole_pdus_in_a_packet_that_is_cut_off_are_read(tmp_path):
    packets = in_packets(PDUS[0] + PDUS[1], PDUS[2])
    found = list(read_capture(capture(tmp_path / "a.pcap", cut_to(HEADERS + len(PDUS[0]) + 20, packets))))
    assert [pdu.octets for pdu in found] == [PDUS[0], PDUS[1][:20], PDUS[2]]
    both = len(PDUS[0] + PDUS[1])
    assert found[1].problem == f"{len(PDUS[0]) + 20} of {both} octets of this packet are here"


def test_a_packet_that_goes_on_with_a_pdu_that_was_cut_off_is_not_joined_to_it(tmp_path):
    long = encode(SubmitSm(short_message=b"x" * 200))
    packets = in_packets(PDUS[0], long[:150], long[150:], PDUS[1])
    found = list(read_capture(capture(tmp_path / "a.pcap", cut_to(HEADERS + 50, packets))))
    assert [(pdu.octets, pdu.problem) for pdu in found] == [
        (PDUS[0], ""),
        (long[:50], "50 of 150 octets of this packet are here"),
        (b"x" * 50, f"50 of {len(long) - 150} octets of this packet are here, and no PDU begins in them"),
        (PDUS[1], ""),
    ]


def test_another_protocol_that_is_cut_off_is_told_once(tmp_path):
    packets = in_packets(b"GET / HTTP/1.1\r\n" + b"x" * 400, b"x" * 400)
    [told] = read_capture(capture(tmp_path / "a.pcap", cut_to(HEADERS + 40, packets)))
    assert told.problem == "not SMPP: HTTP, 80 octets"


@given(
    st.integers(0, 120),
    st.lists(st.sampled_from(range(len(PDUS))), min_size=1, max_size=6),
    st.integers(1, 3),
)
def test_wherever_packets_are_cut_off_no_pdu_is_made_up(tmp_path_factory, here, chosen, together):
    pdus = [PDUS[number] for number in chosen]
    groups = [b"".join(pdus[at : at + together]) for at in range(0, len(pdus), together)]
    path = tmp_path_factory.getbasetemp() / "cut.pcap"
    for found in read_capture(capture(path, cut_to(HEADERS + here, in_packets(*groups)))):
        assert found.octets in PDUS if not found.problem else any(found.octets in group for group in groups)


# --- compressed, and without anything to read


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_a_compressed_capture(tmp_path, compress, kind):
    packet = ethernet(segment(1, STREAM))
    octets = (
        pcapng("<", [(0, packet)]) if kind == "pcapng" else capture(tmp_path / "a", [packet]).read_bytes()
    )
    (tmp_path / f"a.{kind}.gz").write_bytes(compress(octets))
    assert read(tmp_path / f"a.{kind}.gz") == PDUS


def test_a_compressed_capture_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path):
    packets = [ethernet(segment(1 + 1000 * at, random.Random(at).randbytes(900))) for at in range(40)]
    octets = gzip.compress(capture(tmp_path / "a", [*in_packets(*PDUS), *packets]).read_bytes())
    (tmp_path / "a.pcap.gz").write_bytes(octets[: len(octets) // 2])
    assert [pdu.octets for pdu in read_capture(tmp_path / "a.pcap.gz")][: len(PDUS)] == PDUS


def test_another_compression_is_named(tmp_path):
    (tmp_path / "a.pcap.zst").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(20))
    with pytest.raises(CaptureError, match="compressed with zstd: unpack it first"):
        list(read_capture(tmp_path / "a.pcap.zst"))


def test_the_packets_of_a_capture_without_PDUs_are_counted(tmp_path):
    udp = dpkt.ip.IP(src=b"\x0a\0\0\1", dst=b"\x0a\0\0\2", p=17, data=dpkt.udp.UDP(sport=53, dport=53))
    packets = [
        *[ethernet(segment(at, b"", SYN)) for at in range(3)],
        *[ethernet(udp)] * 2,
        *cut_to(HEADERS, in_packets(PDUS[0])),
        *cut_to(HEADERS - 10, in_packets(PDUS[0])),
        bytes(12) + b"\x08\x06" + bytes(28),
    ]
    assert count_packets(capture(tmp_path / "a.pcap", packets)) == {
        "TCP without data": 3,
        "UDP": 2,
        "TCP cut off before its data": 1,
        "TCP cut off in its header": 1,
        "not IP": 1,
    }


# --- single packets


def test_what_a_single_packet_carries():
    packet = segment(1, PDUS[0])
    assert tcp_payload(ethernet(packet)) == tcp_payload(bytes(packet)) == PDUS[0]
    assert tcp_payload(PDUS[0]) is None
    assert tcp_payload(b"") is None
    assert cut_off(ethernet(packet)) == 0
    assert cut_off(ethernet(packet)[:-5]) == cut_off(bytes(packet)[:-5]) == 5
    assert cut_off(ethernet(segment(1, PDUS[0], version=6))[:-5]) == 5
