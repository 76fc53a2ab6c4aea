"""A million hostile PDUs, and thousands of connections that come and go: memory and descriptors stay as they were.

The million goes through `Session` in memory, as fast as it can be fed: all that a PDU can leave behind is kept there
(pending requests, events, octets to write, octets of an unfinished PDU), and the shell around it keeps nothing a PDU.
`sys.getallocatedblocks` counts every object that lives, without slowing anything down: one octet string kept for each
thousandth PDU of the least frequent kind would be 20 blocks more after each round, and that is the bound.
"""

import asyncio
import gc
import os
import resource
import socket
import struct
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.smpp.events import Event, Request
from gateway.smpp.pdu import BindTransceiver
from gateway.smpp.session import Role, Session, SessionSettings
from tests.conformance.ends import ESME, SMSC, staged
from tests.conformance.octets import (
    ALERT_NOTIFICATION,
    BIND_TRANSCEIVER,
    DELIVER_SM,
    ENQUIRE_LINK,
    RESPONSE,
    SUBMIT_SM,
    bind,
    dial,
    frame,
    message,
    tlv,
)
from tests.conformance.peer import PATIENCE_S

BATCH, MILLION = 100, 1_000_000
SETTINGS = SessionSettings(peer_window=BATCH // 2, max_pdu_octets=4096)
KEPT_BLOCKS, KEPT_KIB = 20, 8192

Feed = Callable[[], Iterator[list[Event]]]


def _bound(role: Role) -> Session:
    if role is Role.SMSC:
        session = Session(role, SETTINGS, 0.0, lambda _: 0)
        session.receive_data(frame(BIND_TRANSCEIVER, 1, bind()), 0.0)
    else:
        session = Session(role, SETTINGS, 0.0)
        number = session.send(BindTransceiver("gw", "secret"), 0.0)
        session.receive_data(frame(BIND_TRANSCEIVER | RESPONSE, number, b"\0"), 0.0)
    assert session.bound
    session.events()
    session.data_to_send()
    return session


def _on_one(role: Role, kinds: list[bytes]) -> Feed:
    """A batch of these on a session that lives, whatever comes; what it hands out is answered."""
    session = _bound(role)
    batch = b"".join((kinds * BATCH)[:BATCH])

    def feed() -> Iterator[list[Event]]:
        session.receive_data(batch, 1.0)
        happened = session.events()
        for event in happened:
            if isinstance(event, Request):
                session.acknowledge(event.pdu)
        assert len(session.data_to_send()) < 64 * BATCH
        assert (session.closed, session.pending, session.owed) == (False, 0, 0)
        yield happened

    return feed


def _on_new_ones(octets: list[bytes]) -> Feed:
    """Each on a session of its own, which it ends."""
    batch = (octets * BATCH)[:BATCH]

    def feed() -> Iterator[list[Event]]:
        for one in batch:
            session = Session(Role.SMSC, SETTINGS, 0.0, lambda _: 15)
            session.receive_data(one, 1.0)
            session.on_deadline(100.0)
            happened = session.events()
            session.data_to_send()
            assert session.closed
            assert (session.pending, session.owed, session.deadline()) == (0, 0, None)
            yield happened

    return feed


USSD, SMS = dial(), message("79260000003", "105", b"hello")
TOO_LONG = [n.to_bytes(4, "big") + frame(SUBMIT_SM, 9, SMS)[4:] for n in (0, 15, 4097, 0x7FFFFFFF)]
FOREIGN = [
    b"GET / HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01",
    b"SSH-2.0-x\r\n",
    b"\x03\x00\x00\x13",
]
MALFORMED = [
    frame(SUBMIT_SM, 1),
    frame(SUBMIT_SM, 2, SMS[:-1]),
    frame(SUBMIT_SM, 3, SMS + tlv(0x1400, b"abc")[:-1]),
    frame(SUBMIT_SM, 4, b"NO NUL ANYWHERE"),
    frame(0x21, 5, b"\0\0\0\0\1\7"),
]
SLOW = [b"", frame(ENQUIRE_LINK, 1)[:9], frame(BIND_TRANSCEIVER, 1, bind())[:-3]]
WRONG_PASSWORD = [frame(BIND_TRANSCEIVER, 1, bind(password="wrong")) * 3]

# Kind: how many, and what. 20 000 of each that needs a session of its own, the others make up the million.
HOSTILE: dict[str, tuple[int, Feed]] = {
    "malformed, to an SMSC": (150_000, _on_one(Role.SMSC, MALFORMED)),
    "malformed, to an ESME": (
        100_000,
        _on_one(Role.ESME, [frame(DELIVER_SM, 1, USSD[:n]) for n in range(20)]),
    ),
    "unknown command": (
        150_000,
        _on_one(Role.SMSC, [frame(0x777, 1), frame(0x80000777, 2), frame(0, 3, SMS)]),
    ),
    "out of state": (100_000, _on_one(Role.SMSC, [frame(DELIVER_SM, 1, USSD), frame(BIND_TRANSCEIVER, 2)])),
    "nobody asked": (100_000, _on_one(Role.ESME, [frame(c | RESPONSE, 77) for c in (0, 4, 5, 6, 9, 0x15)])),
    "above the window": (150_000, _on_one(Role.SMSC, [frame(SUBMIT_SM, n, SMS) for n in range(BATCH)])),
    "notices and probes": (
        100_000,
        _on_one(Role.ESME, [frame(ALERT_NOTIFICATION, 1, b"\0" * 6), frame(ENQUIRE_LINK, 2)]),
    ),
    "odd TLVs": (70_000, _on_one(Role.ESME, [frame(DELIVER_SM, 1, USSD + tlv(0x3FFF, b"x") * 20)])),
    "another protocol": (20_000, _on_new_ones(FOREIGN)),
    "wrong length": (20_000, _on_new_ones(TOO_LONG)),
    "half a PDU, then silence": (20_000, _on_new_ones(SLOW)),
    "wrong password": (20_000, _on_new_ones(WRONG_PASSWORD)),
}


def _feed(feed: Feed, count: int, seen: Counter) -> None:
    fed = 0
    while fed < count:
        for happened in feed():
            for event in happened:
                seen[type(event).__name__] += 1
        fed += BATCH


def _live() -> int:
    gc.collect()
    return sys.getallocatedblocks()


def test_memory_is_flat_over_a_million_hostile_pdus():
    """Kinds of abuse, a million PDUs in all: as many objects afterwards as before."""
    assert sum(count for count, _ in HOSTILE.values()) == MILLION
    grown, seen = {}, Counter()
    for _, feed in HOSTILE.values():
        _feed(feed, 20 * BATCH, seen)  # so that what is made once is there
    rss_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for kind, (count, feed) in HOSTILE.items():
        seen.clear()
        before = _live()
        _feed(feed, count, seen)
        told, events = _live() - before, sum(seen.values())
        assert events >= count * (kind != "notices and probes") or events == count // 2, (kind, seen)
        if told > KEPT_BLOCKS:
            grown[kind] = told
    assert not grown, f"blocks that live on: {grown}"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - rss_kib < KEPT_KIB


# ------------------------------------------------------------------------------------- through real sockets

CONNECTIONS, AT_ONCE = 2000, 50
SAID = [b"", b"\0\0\0", FOREIGN[0], TOO_LONG[1], frame(BIND_TRANSCEIVER, 1, bind())]


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def come_and_go(port: int, number: int) -> None:
    """Connect, say something or nothing, and leave: politely, or by a reset."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(SAID[number % len(SAID)])
    if number % 2:
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
    elif number % 4:
        writer.write_eof()
        await reader.read()
    writer.close()


async def settled(count: int) -> None:
    """Wait until no more descriptors are open than before; nobody tells when the kernel has closed one."""
    for _ in range(int(PATIENCE_S / 0.01)):
        if descriptors() <= count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{descriptors()} descriptors, there were {count}")


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts descriptors in /proc")
@pytest.mark.parametrize("role", SMSC)
async def test_descriptors_are_flat_over_thousands_of_connections(role: str, tmp_path: Path):
    """Connections that are opened and dropped leave nothing open."""
    async with staged(role, tmp_path) as end:
        await (await end.bound()).leave()
        before = descriptors()
        for first in range(0, CONNECTIONS, AT_ONCE):
            await asyncio.gather(*(come_and_go(end.port, first + i) for i in range(AT_ONCE)))
        await settled(before)
        await (await end.bound()).is_alive()


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts descriptors in /proc")
@pytest.mark.parametrize("role", ESME)
async def test_descriptors_are_flat_over_many_reconnects(role: str, tmp_path: Path):
    """A centre that drops every connection costs no descriptor."""
    async with staged(role, tmp_path, reconnect_first_s=0.0005, reconnect_max_s=0.001) as end:
        await (await end.bound()).close()
        before = descriptors() + 4  # of a connection: ours and the centre's, of this one and the next
        for number in range(CONNECTIONS // 4):
            peer = await end.connect()
            peer.write(SAID[number % 4])
            await peer.close()
            end.peers.remove(peer)
        await (await end.bound()).is_alive()
        await settled(before)
