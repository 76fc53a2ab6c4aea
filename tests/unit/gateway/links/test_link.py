"""A link against a peer that behaves badly, on both event loops: it says why it is down, and never ends the daemon."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import uvloop

from gateway.daemon import Gateway
from gateway.dialect import load_profile
from gateway.settings import parse_settings
from gateway.smpp.events import Request, UnbindRequest
from gateway.smpp.pdu import EnquireLink, Unbind, encode
from gateway.smpp.session import Role, Session, SessionSettings

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request):
    return {"asyncio": asyncio.run, "uvloop": uvloop.run}[request.param]


@asynccontextmanager
async def gateway_with(peer: Peer, folder, **link):
    server = await asyncio.start_server(peer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    table = {"name": "ussdc", "connect": f"127.0.0.1:{port}", "system_id": "gw", "password": "secret"}
    table |= {"reconnect_first_s": 0.05, "reconnect_max_s": 0.1} | link
    settings = parse_settings(
        {"store": f"sqlite:///{folder}/x.db", "admin": {"listen": "127.0.0.1:0"}, "links": [table]}
    )
    try:
        async with Gateway(settings) as gateway:
            yield gateway
    finally:
        server.close()


async def until(condition: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110 - the gateway has no event for it
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(f"never: {what}")


async def bound(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Session:
    """The session of a centre to which the gateway has just bound."""
    settings = SessionSettings(window=20, peer_window=20)
    session = Session(Role.SMSC, settings, 0.0, authenticate=lambda _: 0)
    while not session.bound:
        session.receive_data(await reader.read(4096), 0.0)
    writer.write(session.data_to_send())
    session.events()
    return session


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH_9.2\r\n", b"220 mail ESMTP\r\n", b"\0" * 16])
def test_F4_a_peer_that_speaks_first_is_left_and_tried_again(run, tmp_path, greeting):
    connections = 0

    async def greets(reader, writer):
        nonlocal connections
        connections += 1
        writer.write(greeting)
        await reader.read()
        writer.close()

    async def scene():
        async with gateway_with(greets, tmp_path) as gateway:
            await until(lambda: connections >= 3, "a third attempt")
            assert gateway.problems()["ussdc"] not in (None, "not connected yet")

    run(scene())


def test_S6_a_centre_that_unbinds_is_answered_and_the_link_is_down(run, tmp_path):
    answered = asyncio.Event()
    rebind = asyncio.Event()

    async def unbinds(reader, writer):
        if answered.is_set():
            await rebind.wait()
            return writer.close()
        session = await bound(reader, writer)
        session.send(Unbind(), 0.0)
        writer.write(session.data_to_send())
        while not session.closed:
            session.receive_data(await reader.read(4096), 0.0)
        writer.close()
        return answered.set()

    async def scene():
        async with gateway_with(unbinds, tmp_path) as gateway:
            await asyncio.wait_for(answered.wait(), 5)
            await until(lambda: gateway.problems()["ussdc"] is not None, "the link says that it is down")
            rebind.set()

    run(scene())


def test_W6_one_write_for_all_that_one_read_brought_and_no_delay(run, tmp_path):
    """Twenty turns in one write of the centre; their responses and answers come in one, and at once."""
    spec = load_profile("spec")
    seen: list[int] = []
    done = asyncio.Event()

    async def asks(reader, writer):
        session = await bound(reader, writer)
        for number in range(20):
            session.send(spec.indicate(f"7926000{number:04}", "100", "*100#", "new", number, 0), 0.0)
        writer.write(session.data_to_send())
        session.receive_data(await reader.read(65536), 0.0)
        seen.extend(type(event) is Request for event in session.events())
        done.set()
        await reader.read()
        writer.close()

    async def scene():
        async with gateway_with(asks, tmp_path, window=20) as gateway:
            await asyncio.wait_for(done.wait(), 5)
            (link,) = gateway.links
            ours = link.connections[0]._transport.get_extra_info("socket")
            assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert (seen.count(False), seen.count(True)) == (20, 20), (
            "deliver_sm_resp, submit_sm in the first read"
        )

    run(scene())


def test_a_stop_unbinds_and_the_centre_sees_it(run, tmp_path):
    seen: list[type] = []
    is_bound = asyncio.Event()

    async def watches(reader, writer):
        session = await bound(reader, writer)
        is_bound.set()
        while not session.closed and (data := await reader.read(4096)):
            session.receive_data(data, 0.0)
            for event in session.events():
                seen.append(type(event))
                if isinstance(event, UnbindRequest):
                    session.send(event.pdu.respond(), 0.0)
            writer.write(session.data_to_send())
        writer.close()

    async def scene():
        async with gateway_with(watches, tmp_path):
            await asyncio.wait_for(is_bound.wait(), 5)
        assert UnbindRequest in seen

    run(scene())


def test_a_peer_that_does_not_read_is_left_by_the_timers(run, tmp_path):
    connections = 0

    async def floods(reader, writer):
        nonlocal connections
        connections += 1
        session = await bound(reader, writer)
        del session
        writer.transport.pause_reading()
        enquiry = encode(EnquireLink(sequence_number=1)) * 500
        while not writer.is_closing():
            writer.write(enquiry)
            try:
                await asyncio.wait_for(writer.drain(), 0.5)
            except (TimeoutError, ConnectionError):
                break
        await asyncio.sleep(3)
        writer.close()

    async def scene():
        async with gateway_with(floods, tmp_path, enquire_link_s=0.2, response_s=0.2):
            await until(lambda: connections >= 2, "the gateway leaves and binds again")

    run(scene())


def test_a_stop_does_not_wait_for_a_bind_that_nobody_answers(run, tmp_path):
    connected = asyncio.Event()

    async def silent(reader, writer):
        connected.set()
        await reader.read()
        await reader.read()
        writer.close()

    async def scene():
        async with gateway_with(silent, tmp_path):
            await asyncio.wait_for(connected.wait(), 5)
            started = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - started < 2

    run(scene())
