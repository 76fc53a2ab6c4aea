"""A listening address: who is taken in, what an accept that fails costs, and that a close leaves nothing open."""

import asyncio
import gc
import os
import resource
import socket

import pytest
import uvloop

from gateway.links import listener as module
from gateway.links.listener import Listener
from gateway.smpp.session import Role, Session, SessionSettings


class Host:
    """Lets everybody in and sees nobody bind."""

    def __init__(self, session_init_timer_s=None):
        self.settings = SessionSettings(session_init_timer_s=session_init_timer_s)
        self.serving = 0
        self.served = asyncio.Event()

    def session(self, address):
        return Session(Role.SMSC, self.settings, asyncio.get_running_loop().time(), lambda bind: 0)

    async def serve(self, connection):
        self.serving += 1
        self.served.set()

        async def handle(events):
            return

        try:
            await connection.run(handle)
        finally:
            self.serving -= 1


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request):
    return {"asyncio": asyncio.run, "uvloop": uvloop.run}[request.param]


class Stage:
    """A listener at work. `clients` connect to it; they are closed at the end."""

    def __init__(self, **settings):
        self.host = Host(**settings)

    async def __aenter__(self):
        self.listener = Listener("127.0.0.1:0", self.host, None)
        self.task = asyncio.create_task(self.listener.run())
        self.clients = []
        return self

    async def __aexit__(self, *_):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.listener.close()
        for client in self.clients:
            client.close()
        gc.collect()  # a socket that nobody closed would say so now

    def connect(self):
        client = socket.create_connection(("127.0.0.1", self.listener.port))
        client.setblocking(False)
        self.clients.append(client)
        return client


async def until(true):
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.005)


async def ended(client):
    """Wait for the other end to close."""
    async with asyncio.timeout(20):
        return await asyncio.get_running_loop().sock_recv(client, 100)


def test_a_close_ends_those_that_are_there(run):
    async def play():
        async with Stage() as stage:
            for _ in range(3):
                stage.connect()
            await until(lambda: stage.host.serving == 3)
        assert stage.host.serving == 0
        assert len(asyncio.all_tasks()) == 1

    run(play())


@pytest.mark.parametrize("turns", range(5))
def test_a_close_while_somebody_is_coming_in_leaves_no_socket(run, turns):
    async def play():
        async with Stage() as stage:
            stage.connect()
            for _ in range(turns):
                await asyncio.sleep(0)
        assert stage.host.serving == 0

    run(play())


def test_more_than_there_is_room_for_are_closed_at_once(run, monkeypatch):
    monkeypatch.setattr(module, "_MOST_CONNECTIONS", 2)

    async def play():
        async with Stage() as stage:
            one, _ = stage.connect(), stage.connect()
            await until(lambda: stage.host.serving == 2)
            assert await ended(stage.connect()) == b""
            one.close()
            await until(lambda: stage.host.serving == 1)
            stage.connect()
            await until(lambda: stage.host.serving == 2)

    run(play())


def test_without_a_file_descriptor_left_it_waits_and_goes_on(run, monkeypatch):
    monkeypatch.setattr(module, "_ACCEPT_AGAIN_S", 0.02)

    async def play():
        async with Stage() as stage:
            await asyncio.sleep(0)
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            stage.connect()
            free = os.dup(stage.clients[0].fileno())
            os.close(free)
            resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
            try:
                await asyncio.sleep(0.1)
                assert stage.host.serving == 0
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            await until(lambda: stage.host.serving == 1)

    run(play())


def test_a_client_that_is_gone_before_anybody_looks(run):
    async def play():
        async with Stage() as stage:
            for _ in range(20):
                client = stage.connect()
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # RST
                client.close()
            stage.connect()
            await until(lambda: stage.host.serving == 1)

    run(play())


def test_who_does_not_bind_in_time_is_closed(run):
    async def play():
        async with Stage(session_init_timer_s=0.05) as stage:
            assert await ended(stage.connect()) == b""

    run(play())


def test_an_address_that_is_taken_is_an_error_at_once():
    async def play():
        one = Listener("127.0.0.1:0", Host(), None)
        with pytest.raises(OSError, match="in use"):
            Listener(f"127.0.0.1:{one.port}", Host(), None)
        await one.close()

    asyncio.run(play())


def test_ipv6(run):
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")

    async def play():
        host = Host()
        try:
            one = Listener("[::1]:0", host, None)
        except OSError:
            return  # a machine without the address has nothing to show
        task = asyncio.create_task(one.run())
        client = socket.create_connection(("::1", one.port))
        await asyncio.wait_for(host.served.wait(), 5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await one.close()
        client.close()

    run(play())
