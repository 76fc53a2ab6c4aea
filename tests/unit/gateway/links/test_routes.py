"""Which link a message leaves by, with time as a number."""

import asyncio

import pytest

from data.model import Outgoing
from data.sqlite import open_store
from gateway.links.link import Link
from gateway.links.routes import Routes
from gateway.settings import Link as LinkSettings
from gateway.settings import Route, Service
from gateway.smpp.pdu import SubmitSm, encode
from gateway.turns.dialogues import Dialogues
from gateway.turns.quarantine import Quarantine
from gateway.turns.work import Transaction
from gateway.watch.metrics import Metrics

NAMES = ("one", "two", "three")


class Switchboard:
    """Links that nobody is connected to; `up` and `down` say when what happened to them."""

    def __init__(self, folder, *ways):
        self.store = open_store(f"sqlite:///{folder / 'x.db'}")
        self.transaction = Transaction(self.store)
        self.now = 0.0
        metrics, quarantine = Metrics(), Quarantine(self.store, self.transaction, 10)
        dialogues = Dialogues(self.store, self.transaction, None, {}, Service(), lambda: 0.0)
        self.links = {
            name: Link(
                LinkSettings(name=name, connect="127.0.0.1:1", system_id="gw", password="x"),
                dialogues,
                metrics,
                quarantine,
                on_jobs=lambda: None,
                distribute=lambda messages: None,
                clock=lambda: self.now,
            )
            for name in NAMES
        }
        self.routes = Routes([Route(links=links, to=to) for to, links in ways], self.links)

    def up(self, *names):
        for name in names:
            self.links[name].outward.down_since = None

    def down(self, *names, since):
        for name in names:
            self.links[name].outward.down_since = since

    async def put(self, link, *kinds):
        frame = encode(SubmitSm(short_message=b"hi"))
        rows = [Outgoing(self.store.draw_id(), link, "7926", kind, frame, 0.0, 1e12) for kind in kinds]
        await self.store.enqueue(rows)
        return [row.id for row in rows]

    async def waiting(self, link):
        return [message.id for message in await self.store.unsent(link, 0, 100)]

    async def fail_over(self, now):
        await self.routes.fail_over(self.store, self.transaction, now)


@pytest.fixture
def board(tmp_path):
    made = []

    def make(*ways):
        made.append(Switchboard(tmp_path, *ways))
        return made[-1]

    yield make
    for one in made:
        asyncio.run(one.store.close())


def name_of(station):
    return station and station.name


def test_the_first_that_is_up_takes_it_and_without_one_it_waits_for_the_first(board):
    one = board(("", ["one", "two"]))
    assert name_of(one.routes.station("7926")) == "one"
    one.up("two")
    assert name_of(one.routes.station("7926")) == "two"
    one.up("one")
    assert name_of(one.routes.station("7926")) == "one"


def test_the_longest_beginning_counts_in_whatever_order_they_stand(board):
    one = board(("", ["one"]), ("7926", ["three"]), ("79", ["two"]))
    assert [name_of(one.routes.station(msisdn)) for msisdn in ("4412", "7912", "7926", "79260000001")] == [
        "one",
        "two",
        "three",
        "three",
    ]


def test_no_route_is_no_station(board):
    assert board(("44", ["one"])).routes.station("7926") is None
    assert board().routes.station("7926") is None


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
        assert len(await one.store.unsent("three", 0, 5000)) == 1501

    asyncio.run(play())


def test_a_link_that_binds_while_others_are_at_work_on_the_store_keeps_what_waits_for_it(board):
    """It reads the store at its bind: what moved then would leave twice."""

    async def play():
        one = board(("7926", ["two"]), ("", ["one"]))
        one.up("two")
        one.down("one", since=0)
        ids = await one.put("one", "sms")
        async with one.transaction:
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
        frame = encode(SubmitSm(short_message=b"hi"))
        rows = [
            Outgoing(one.store.draw_id(), "two", msisdn, kind, frame, 0.0, 1e12)
            for msisdn, kind in (("74951112233", "sms"), ("79260000003", "sms"), ("79260000003", "reply"))
        ]
        await one.store.enqueue(rows)
        await one.fail_over(now=100)
        assert [await one.waiting(name) for name in NAMES] == [[rows[1].id], [rows[2].id], [rows[0].id]]

    asyncio.run(play())
