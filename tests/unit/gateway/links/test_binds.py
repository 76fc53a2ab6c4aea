"""Binds that we make: which ones a link wants, and what it says of a centre that it cannot reach."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest

from data.opening import open_store
from gateway.links.binds import Bind, Invitation, requests_of
from gateway.links.link import Link
from gateway.settings import LinkSettings, Service
from gateway.smpp.pdu import BindReceiver, BindTransceiver, BindTransmitter
from gateway.turns.dialogues import Dialogues
from gateway.turns.post import Post
from gateway.turns.quarantine import Quarantine
from gateway.watch.metrics import Metrics

QUICK = {"reconnect_first_s": 0.001, "reconnect_max_s": 0.002}


@pytest.fixture
def link(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'x.db'}")
    post = Post()

    def make(**settings):
        return Link(
            LinkSettings(
                **{
                    "name": "x",
                    "connect": "127.0.0.1:1",
                    "system_id": "gw",
                    "password": "p",
                    **QUICK,
                    **settings,
                }
            ),
            Dialogues(store, post, None, {}, Service(), lambda: 0.0),
            post,
            Metrics(),
            Quarantine(store, 10),
        )

    yield make
    asyncio.run(store.close())


@asynccontextmanager
async def binding(link):
    """A bind at work, which is told to stop at the end."""
    bind = Bind(link, BindTransceiver, None)
    task = asyncio.create_task(bind.run())
    try:
        yield bind
    finally:
        link.stopping.set()
        await asyncio.wait_for(task, 5)
        assert len(asyncio.all_tasks()) == 1


async def until(true):
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.002)


@pytest.mark.parametrize(
    ("settings", "requests"),
    [
        ({}, (BindTransceiver,)),
        ({"bind": "transmitter"}, (BindTransmitter,)),
        ({"bind": "pair"}, (BindReceiver, BindTransmitter)),
        ({"bind": "pair", "outbind": {"listen": "127.0.0.1:0", "password": "theirs"}}, (BindTransmitter,)),
    ],
)
def test_the_binds_that_a_link_wants(link, settings, requests):
    assert requests_of(link(**settings)) == requests


def test_a_link_that_was_never_up_says_so(link):
    one = link(bind="pair", outbind={"listen": "127.0.0.1:0", "password": "theirs"})
    assert Bind(one, BindTransmitter, None).problem == "not connected yet"
    assert Invitation(one).problem == "waits for the centre's outbind"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("127.0.0.1:1", "refused"),
        ("no-such-host.invalid:2775", ""),
        (f"{'x' * 70}.invalid:2775", ""),
        ("a..b:2775", ""),
    ],
)
def test_a_centre_that_is_not_there_is_one_line(link, address, words):
    async def play():
        async with binding(link(connect=address)) as bind:
            await until(lambda: bind.problem != "not connected yet")
            assert words in bind.problem
            assert bind.problem
            assert "\n" not in bind.problem

    asyncio.run(play())


def test_of_several_addresses_the_line_names_the_one_it_is_about(link):
    async def play():
        seen = set()
        async with binding(link(connect=["127.0.0.1:1", "127.0.0.1:2"])) as bind:
            await until(lambda: seen.add(bind.problem) or len(seen) == 3)
        assert {line.split(": ")[0] for line in seen - {"not connected yet"}} == {
            "127.0.0.1:1",
            "127.0.0.1:2",
        }

    asyncio.run(play())


def test_a_centre_that_does_not_accept_is_given_up_in_time(link):
    """Its backlog is full: the kernel neither refuses nor accepts."""

    async def play():
        with socket.socket() as full, socket.socket() as first, socket.socket() as second:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            for waiting in (first, second):
                waiting.setblocking(False)
                waiting.connect_ex(full.getsockname())
            address = f"127.0.0.1:{full.getsockname()[1]}"
            async with binding(link(connect=address, connect_s=0.1)) as bind:
                await until(lambda: bind.problem != "not connected yet")
                assert bind.problem == "no connection within 0.1 s" or "bind" in bind.problem

    asyncio.run(play())


@pytest.mark.parametrize("turns", range(10))
def test_a_bind_that_is_cancelled_in_whatever_phase_leaves_nothing(link, turns):
    """By the daemon, which does not wait for it: no task, no socket, no exception that nobody asked for."""
    complaints = []

    async def play():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        with socket.create_server(("127.0.0.1", 0)) as centre:  # the kernel accepts, nobody answers
            one = link(connect=f"127.0.0.1:{centre.getsockname()[1]}")
            task = asyncio.create_task(Bind(one, BindTransceiver, None).run())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0)
        assert one.connections == []
        mine = {t for t in asyncio.all_tasks() if "link" in t.get_name()}
        assert not mine

    asyncio.run(play())
    assert complaints == []
