"""A link and its connections, step by step, without the pumps: who holds a message, and who may send it next."""

import asyncio
import contextlib
import socket

import pytest

from data.model import Outgoing
from data.opening import open_store
from gateway.links.connection import Connection
from gateway.links.link import Link
from gateway.settings import LinkSettings, Service
from gateway.smpp.pdu import BindTransceiver, SubmitSm, encode
from gateway.smpp.session import Role, Session, SessionSettings
from gateway.smpp.vocabulary import ESME_RTHROTTLED
from gateway.turns.dialogues import Dialogues
from gateway.turns.post import Post
from gateway.turns.quarantine import Quarantine
from gateway.watch.metrics import Metrics
from tests.links.scene import scene

FAR = 4e9
BIND = BindTransceiver(sequence_number=1)


class Bench:
    """A link of role esme, and as many binds as a test wants; time is `now`."""

    def __init__(self, folder, closing, **settings):
        self.closing = closing
        self.now = 0.0
        self.store = open_store(f"sqlite:///{folder / 'x.db'}")
        post = Post()
        self.link = Link(
            LinkSettings(name="ussdc", connect="127.0.0.1:1", system_id="gw", password="x", **settings),
            Dialogues(self.store, post, None, {}, Service(), lambda: 0.0),
            post,
            Metrics(),
            Quarantine(self.store, 10),
            clock=lambda: self.now,
        )

    async def put(self, count, expires=FAR):
        """So many SMS in the store; their ids."""
        async with self.store.unit() as unit:
            rows = [
                Outgoing(unit.draw_id(), "ussdc", "7926", "sms", 0.0, expires, sender="000105", text="hi")
                for _ in range(count)
            ]
            await unit.outbox.enqueue(rows)
        return [row.id for row in rows]

    async def bind(self):
        """A connection that is bound and has joined."""
        ours, theirs = socket.socketpair()
        self.closing.callback(theirs.close)
        session = Session(Role.ESME, self.link.session_settings(), self.now)
        loop = asyncio.get_running_loop()
        connection = Connection(session, lambda: self.now)
        await loop.create_connection(lambda: Socketpair(connection), sock=ours)
        self.closing.callback(connection.abort)
        centre = Session(Role.SMSC, SessionSettings(window=100, peer_window=100), self.now, lambda bind: 0)
        centre.receive_data(encode(BIND), self.now)
        session.send(BIND, self.now)
        session.data_to_send()
        session.receive_data(centre.data_to_send(), self.now)
        session.events()
        self.link.joined(connection)
        return connection

    async def look(self, connection):
        """What the pump does: handle what has happened; the ids of the messages that are under way then."""
        await self.link.handle(connection, connection.session.events())
        return under_way(connection)


class Socketpair(asyncio.Protocol):
    """A socket pair has no addresses, which `Connection` would like to know."""

    def __init__(self, connection):
        self.connection = connection

    def connection_made(self, transport):
        self.connection._transport = transport
        self.connection.peer = "the other end"


def under_way(connection):
    return [context.id for _, _, _, context in connection.session._window._waiting.values()]


def answer(connection, status=0):
    """The centre answers everything that is under way."""
    for sequence_number in [*connection.session._window._waiting]:
        response = SubmitSm(sequence_number=sequence_number).respond(status)
        connection.session.receive_data(encode(response), 0.0)


@pytest.fixture
def bench(tmp_path):
    return lambda closing, **settings: Bench(tmp_path, closing, **settings)


def on_the_bench(test):
    """Run the test with the means to make a bench, and clear it away."""

    async def play(bench):
        async with contextlib.AsyncExitStack() as closing:
            made = []

            def make(**settings):
                made.append(bench(closing, **settings))
                return made[-1]

            try:
                await test(make)
            finally:
                for one in made:
                    one.link.outward._alarm.cancel()
                    await one.store.close()
        await asyncio.sleep(0)

    return scene(play)


@on_the_bench
async def test_what_was_under_way_by_one_leaves_by_the_other(make):
    it = make(window=3)
    ids = await it.put(6)
    one, two = await it.bind(), await it.bind()
    assert await it.look(one) == ids[:3]
    assert under_way(two) == ids[3:]
    one.session.receive_eof(it.now)
    await it.look(one)
    it.link.left(one)
    answer(two)
    it.now = 1.0  # behind the wait of what came back
    assert await it.look(two) == ids[:3]


@on_the_bench
async def test_two_that_go_at_once_and_a_third_that_comes_between(make):
    """The second has still to hand back what it held when the store could be read anew: it must not be read."""
    it = make(window=3)
    ids = await it.put(6)
    one, two = await it.bind(), await it.bind()
    await it.look(one)
    for connection in (one, two):
        connection.session.receive_eof(it.now)
    await it.look(one)
    it.link.left(one)
    three = await it.bind()
    sent = await it.look(three)
    await it.look(two)
    it.link.left(two)
    for it.now in (1.0, 2.0, 3.0):
        answer(three)
        sent += await it.look(three)
    assert sorted(sent) == ids, "each of them once"


@on_the_bench
async def test_a_connection_that_ended_in_the_middle_of_something_hands_back_too(make):
    """Its pump failed: nobody has told its session, and nobody has asked for its last events."""
    it = make(window=3)
    ids = await it.put(3)
    one, two = await it.bind(), await it.bind()
    assert await it.look(one) == ids
    it.link.left(one)
    it.now = 1.0
    assert await it.look(two) == ids


@on_the_bench
async def test_a_response_that_nobody_has_looked_at_counts(make):
    it = make(window=3)
    await it.put(3)
    one, two = await it.bind(), await it.bind()
    await it.look(one)
    answer(one)
    it.link.left(one)
    it.now = 1.0
    assert await it.look(two) == []
    async with it.store.view() as view:
        assert await view.outbox.unsent("ussdc", 0, 10) == []


@on_the_bench
async def test_the_last_to_go_leaves_all_to_the_store(make):
    it = make(window=3)
    ids = await it.put(6)
    one = await it.bind()
    await it.look(one)
    one.session.receive_eof(it.now)
    await it.look(one)
    it.link.left(one)
    assert it.link.outward.down_since == 0.0
    it.now = 5.0
    two = await it.bind()
    assert it.link.outward.down_since is None
    assert await it.look(two) == ids[:3]


@on_the_bench
async def test_an_alarm_is_not_put_off_by_a_later_one(make):
    """The queue pauses (W2), and the rate would let the next leave earlier or later: the earlier look is taken."""
    it = make(window=3)
    await it.put(3)
    loop = asyncio.get_running_loop()
    it.now = loop.time()
    one = await it.bind()
    await it.look(one)
    answer(one, ESME_RTHROTTLED)
    await it.look(one)
    soon = it.link.outward._alarm.at
    assert soon > it.now
    it.link.outward._set_alarm(it.now + 3600)
    assert it.link.outward._alarm.at == soon
    it.link.outward._set_alarm(it.now)
    assert it.link.outward._alarm.at == it.now


@on_the_bench
async def test_a_session_that_closed_in_the_read_of_its_bind(make):
    """It joins and leaves, and was never able to carry anything."""
    it = make()
    ids = await it.put(1)
    one = await it.bind()
    it.link.left(one)
    two = await it.bind()
    two.session.receive_eof(it.now)
    assert await it.look(two) == []
    it.link.left(two)
    three = await it.bind()
    assert await it.look(three) == ids


@on_the_bench
async def test_what_is_given_up_is_told_to_the_store_in_portions(make):
    """A flood that nobody wants any more is not written off in one transaction."""
    it = make()
    await it.put(1500, expires=1.0)
    one = await it.bind()
    left = []
    for _ in range(3):
        await it.look(one)
        async with it.store.view() as view:
            left.append(len(await view.outbox.unsent("ussdc", 0, 5000)))
    assert left == [1500, 500, 0]


@on_the_bench
async def test_W2_after_a_throttle_no_more_is_under_way_than_the_window_has_become(make):
    """The session would let more out; the centre has said that it cannot take more."""
    it = make(window=10)
    ids = await it.put(20)
    one = await it.bind()
    assert await it.look(one) == ids[:10]
    answer(one, ESME_RTHROTTLED)
    assert await it.look(one) == []
    it.now += 1
    assert await it.look(one) == ids[:5]
    assert one.session.window_free == 5
