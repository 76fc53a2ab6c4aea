"""The post office: which link a message leaves by, what moves when one is down, what is taken back."""

import asyncio

import pytest

from data.model import Outgoing
from data.opening import open_store
from gateway.settings import LinkSettings, Route
from gateway.turns.post import Post
from gateway.turns.station import station_of

NAMES = ("one", "two", "three")


class Outlet:
    """A link that nobody is connected to; the test says since when."""

    def __init__(self, name):
        self.name = name
        self.station = station_of(
            LinkSettings(name=name, connect="127.0.0.1:1", system_id="gw", password="x")
        )
        self.down_since = 0.0
        self.delivered, self.withdrawn = [], []

    def deliver(self, messages):
        self.delivered += [message.id for message in messages]

    def withdraw(self, ids):
        self.withdrawn += ids


class Switchboard:
    """A post office with three links, and a store."""

    def __init__(self, *ways):
        self.store = open_store("sqlite://")
        self.post = Post([Route(links=links, to=to) for to, links in ways])
        self.outlets = {name: Outlet(name) for name in NAMES}
        for outlet in self.outlets.values():
            self.post.join(outlet)

    def up(self, *names):
        for name in names:
            self.outlets[name].down_since = None

    def down(self, *names, since):
        for name in names:
            self.outlets[name].down_since = since

    async def put(self, link, *kinds, msisdn="7926"):
        async with self.store.unit() as unit:
            rows = [
                Outgoing(unit.draw_id(), link, msisdn, kind, 0.0, 1e12, b"frame" if kind == "ussd" else None)
                for kind in kinds
            ]
            await unit.outbox.enqueue(rows)
        return [row.id for row in rows]

    async def waiting(self, link):
        async with self.store.view() as view:
            return [message.id for message in await view.outbox.unsent(link, 0, 5000)]

    async def fail_over(self, now):
        await self.post.fail_over(self.store, now)


@pytest.fixture
def board():
    made = []

    def make(*ways):
        made.append(Switchboard(*ways))
        return made[-1]

    yield make
    for one in made:
        asyncio.run(one.store.close())


def name_of(station):
    return station and station.name


def test_the_first_that_is_up_takes_it_and_without_one_it_waits_for_the_first(board):
    one = board(("", ["one", "two"]))
    assert name_of(one.post.way_to("7926")) == "one"
    one.up("two")
    assert name_of(one.post.way_to("7926")) == "two"
    one.up("one")
    assert name_of(one.post.way_to("7926")) == "one"


def test_the_longest_beginning_counts_in_whatever_order_they_stand(board):
    one = board(("", ["one"]), ("7926", ["three"]), ("79", ["two"]))
    ways = [name_of(one.post.way_to(msisdn)) for msisdn in ("4412", "7912", "7926", "79260000001")]
    assert ways == ["one", "two", "three", "three"]


def test_no_route_is_no_way(board):
    assert board(("44", ["one"])).post.way_to("7926") is None
    assert board().post.way_to("7926") is None


def test_a_link_that_has_not_joined_has_no_station(board):
    assert name_of(board().post.station("two")) == "two"
    assert board().post.station("gone") is None


def test_messages_are_handed_to_the_link_that_they_are_for(board):
    async def play():
        one = board()
        ids = await one.put("one", "sms")
        others = await one.put("two", "sms", "reply")
        async with one.store.view() as view:
            rows = [row for name in NAMES for row in await view.outbox.unsent(name, 0, 10)]
        one.post.distribute([*rows, rows[0]._replace(link="gone")])
        assert [one.outlets[name].delivered for name in NAMES] == [ids, others, []]

    asyncio.run(play())


def test_what_is_withdrawn_is_withdrawn_from_every_link(board):
    one = board()
    one.post.withdraw([7])
    one.post.withdraw([])
    assert [outlet.withdrawn for outlet in one.outlets.values()] == [[7]] * 3


def test_a_link_that_is_down_for_less_than_the_patience_keeps_what_waits_for_it(board):
    async def play():
        one = board(("", ["one", "two"]))
        one.down("one", since=100)
        one.up("two")
        ids = await one.put("one", "sms", "mailing")
        await one.fail_over(now=110)
        assert await one.waiting("one") == ids
        await one.fail_over(now=110.5)
        assert (await one.waiting("one"), await one.waiting("two")) == ([], ids)
        assert one.outlets["two"].delivered == ids

    asyncio.run(play())


def test_screens_stay_with_the_link_of_their_question(board):
    async def play():
        one = board(("", ["one", "two"]))
        one.up("two")
        screen, text = await one.put("one", "ussd", "sms")
        await one.fail_over(now=1000)
        assert (await one.waiting("one"), await one.waiting("two")) == ([screen], [text])

    asyncio.run(play())


def test_nothing_moves_while_all_are_down_or_from_a_link_of_no_route(board):
    async def play():
        one = board(("", ["one", "two"]))
        ids = await one.put("one", "sms")
        await one.fail_over(now=1000)
        assert await one.waiting("one") == ids
        one.up("one", "two")
        others = await one.put("three", "sms")
        await one.fail_over(now=1000)
        assert await one.waiting("three") == others

    asyncio.run(play())


def test_many_move_in_portions_and_none_is_left(board):
    async def play():
        one = board(("", ["one", "two", "three"]))
        one.up("three")
        one.down("one", "two", since=0)
        await one.put("one", *["sms"] * 1500)
        await one.put("two", "sms")
        await one.fail_over(now=100)
        await one.fail_over(now=105)
        assert (await one.waiting("one"), await one.waiting("two")) == ([], [])
        assert len(await one.waiting("three")) == 1501

    asyncio.run(play())


def test_a_link_that_binds_while_others_are_at_work_on_the_store_keeps_what_waits_for_it(board):
    """It reads the store at its bind: what moved then would leave twice."""

    async def play():
        one = board(("7926", ["two"]), ("", ["one"]))
        one.up("two")
        one.down("one", since=0)
        ids = await one.put("one", "sms")
        async with one.store.unit():
            failing_over = asyncio.create_task(one.fail_over(now=100))
            await asyncio.sleep(0)
            one.up("one")
        await failing_over
        assert await one.waiting("one") == ids

    asyncio.run(play())


def test_each_message_moves_by_its_own_route_and_answers_stay(board):
    async def play():
        one = board(("7495", ["two", "three"]), ("", ["two", "one"]))
        one.up("one", "three")
        one.down("two", since=0)
        (abroad,) = await one.put("two", "sms", msisdn="74951112233")
        notice, reply = await one.put("two", "sms", "reply", msisdn="79260000003")
        await one.fail_over(now=100)
        assert [await one.waiting(name) for name in NAMES] == [[notice], [reply], [abroad]]

    asyncio.run(play())
