"""Jobs: when they are tried again, when no more, and whose they are. The clock is moved by hand."""

import asyncio

import pytest

from data.model import NewSubscriber
from data.opening import open_store
from gateway.daemon import load_menu
from gateway.settings import JobSettings, LinkSettings, Service
from gateway.turns.jobs import Workers
from gateway.turns.post import Post
from gateway.turns.station import station_of
from gateway.watch.metrics import Metrics
from handlers.registry import Job

PHONE = "79260000003"
NOON = 1_790_000_000.0
SETTINGS = JobSettings(retry_first_s=10, retry_max_s=40, attempts=5)
SECRET = {"login": "9260000003", "password": "s3cret"}


class Outlet:
    """A link that keeps what it is given."""

    def __init__(self, name="ussdc"):
        self.name, self.down_since = name, None
        self.station = station_of(
            LinkSettings(name=name, connect="127.0.0.1:1", system_id="gw", password="x")
        )
        self.delivered, self.withdrawn = [], []
        self.given = asyncio.Event()

    def deliver(self, messages):
        self.delivered += messages
        self.given.set()

    def withdraw(self, ids):
        self.withdrawn += ids


class Workshop:
    """Workers over a store in memory, with a job whose two halves the test writes."""

    def __init__(self):
        self.now = NOON
        self.store = open_store("sqlite://")
        self.post = Post()
        self.outlet = Outlet()
        self.post.join(self.outlet)
        self.metrics = Metrics()
        self.prepared, self.ran = [], []
        self.fails = False
        declared = {"tell": Job("tell", self._prepare, {}, self._run)}
        self.jobs = Workers(
            self.store,
            self.post,
            load_menu(None),
            declared,
            SETTINGS,
            Service(),
            self.metrics,
            lambda: self.now,
        )

    def _prepare(self, args):
        self.prepared.append(self.now - NOON)
        if self.fails:
            raise ZeroDivisionError
        return args

    async def _run(self, work, subscriber, prepared):
        self.ran.append((subscriber.msisdn, prepared))
        await work.send_sms("password.issued", SECRET, replaces=prepared.get("replaces", False))

    async def promise(self, name="tell", msisdn=PHONE, link="ussdc", address="", args="{}"):
        async with self.store.unit() as unit:
            await unit.jobs.add(name, msisdn, link, address, args, 0.0, self.now)

    async def at(self, *seconds):
        """Look for work at these moments; how many jobs were begun at each."""
        begun = []
        for when in seconds:
            self.now = NOON + when
            begun.append(await self.jobs.run_due())
        return begun

    async def held(self):
        async with self.store.view() as view:
            return [(job.name, job.attempts, job.reason) for job in await view.jobs.held(10)]

    def counted(self, result, job="tell"):
        labels = {"job": job, "result": result}
        return self.metrics.registry.get_sample_value("starpound_jobs_total", labels) or 0


@pytest.fixture
def in_workshop():
    def run(play):
        async def whole():
            shop = Workshop()
            person = NewSubscriber(PHONE, None, "ru", "cyrillic", False, "smart", 100, None, 0, 4, 50)
            async with shop.store.unit() as unit:
                await unit.facts.import_subscribers([person])
            try:
                await play(shop)
            finally:
                await shop.store.close()

        asyncio.run(whole())

    return run


def test_a_job_is_done_once_and_its_sms_is_handed_to_the_link(in_workshop):
    async def play(shop):
        await shop.promise(args='{"a": 1}')
        assert await shop.at(0, 1, 100) == [1, 0, 0]
        assert shop.ran == [(PHONE, {"a": 1})]
        (sms,) = shop.outlet.delivered
        assert (sms.kind, sms.msisdn, "s3cret" in sms.text) == ("sms", PHONE, True)
        assert shop.counted("done") == 1

    in_workshop(play)


def test_a_job_that_fails_is_tried_again_later_and_later(in_workshop):
    async def play(shop):
        shop.fails = True
        await shop.promise()
        assert await shop.at(0, 9.9, 10, 29.9, 30, 69.9, 70) == [1, 0, 1, 0, 1, 0, 1]
        assert shop.prepared == [0, 10, 30, 70], "10 s after the first failure, then 20 s, then 40 s"
        assert shop.counted("failed") == 4

    in_workshop(play)


def test_after_its_last_try_it_is_set_aside_and_counted(in_workshop):
    async def play(shop):
        shop.fails = True
        await shop.promise()
        assert await shop.at(0, 10, 30, 70, 109.9, 110, 10_000) == [1, 1, 1, 1, 0, 1, 0]
        assert await shop.held() == [("tell", 5, "ZeroDivisionError")]
        assert (shop.counted("failed"), shop.counted("set_aside")) == (4, 1)

    in_workshop(play)


def test_one_that_was_set_aside_is_begun_anew_when_somebody_asks(in_workshop):
    async def play(shop):
        shop.fails = True
        await shop.promise()
        await shop.at(0, 10, 30, 70, 110)
        shop.fails = False
        async with shop.store.unit() as unit:
            assert await unit.jobs.try_again(None, NOON + 500) == 1
        assert await shop.at(500) == [1]
        assert len(shop.ran) == 1
        assert await shop.held() == []

    in_workshop(play)


@pytest.mark.parametrize(
    ("promised", "why"),
    [
        ({"link": "gone"}, "there is no link gone"),
        ({"name": "unheard.of"}, "nothing of that name is declared"),
        ({"msisdn": "79990000000"}, "its number is nobody's"),
    ],
    ids=["link", "name", "number"],
)
def test_an_orphan_is_not_run_waits_and_is_set_aside_in_the_end(in_workshop, promised, why):
    async def play(shop):
        await shop.promise(**promised)
        assert await shop.at(0, 1, 10) == [1, 0, 1]
        assert await shop.held() == []
        await shop.at(30, 70, 110)
        assert await shop.held() == [(promised.get("name", "tell"), 5, why)]
        assert (shop.ran, shop.outlet.delivered) == ([], [])

    in_workshop(play)


def test_an_orphan_whose_link_comes_back_is_run(in_workshop):
    async def play(shop):
        await shop.promise(link="away")
        assert await shop.at(0) == [1]
        away = Outlet("away")
        shop.post.join(away)
        assert await shop.at(5, 10) == [0, 1]
        assert len(away.delivered) == 1
        assert shop.outlet.delivered == []

    in_workshop(play)


def test_what_a_failing_run_has_written_is_taken_back(in_workshop):
    async def play(shop):
        async def half(work, subscriber, prepared):
            await work.send_sms("password.issued", SECRET)
            raise ZeroDivisionError

        shop.jobs = Workers(
            shop.store,
            shop.post,
            load_menu(None),
            {"tell": Job("tell", dict, {}, half)},
            SETTINGS,
            Service(),
            shop.metrics,
            lambda: shop.now,
        )
        await shop.promise()
        assert await shop.at(0) == [1]
        async with shop.store.view() as view:
            assert await view.outbox.unsent("ussdc", 0, 10) == []
        assert shop.outlet.delivered == []

    in_workshop(play)


def test_the_sms_is_written_to_the_number_as_the_question_wrote_it(in_workshop):
    async def play(shop):
        await shop.promise(address="2/1/9260000003")
        await shop.at(0)
        (sms,) = shop.outlet.delivered
        assert sms.address == "2/1/9260000003"

    in_workshop(play)


def test_a_newer_password_takes_the_older_sms_back(in_workshop):
    async def play(shop):
        for _ in range(3):
            await shop.promise(args='{"replaces": true}')
            shop.now += 1
            await shop.jobs.run_due()
        first, second, third = (sms.id for sms in shop.outlet.delivered)
        assert shop.outlet.withdrawn == [first, second]
        async with shop.store.view() as view:
            assert [row.id for row in await view.outbox.unsent("ussdc", 0, 10)] == [third]

    in_workshop(play)


def test_as_many_at_once_as_there_are_workers(in_workshop):
    async def play(shop):
        for _ in range(5):
            await shop.promise()
        assert await shop.at(0, 0, 0, 0) == [2, 2, 1, 0]

    in_workshop(play)


def test_a_bell_has_them_looked_for_at_once(in_workshop):
    async def play(shop):
        working = asyncio.create_task(shop.jobs.run())
        await asyncio.sleep(0)
        await shop.promise()
        shop.post.bell.set()
        async with asyncio.timeout(0.9):  # without the bell it is a second
            await shop.outlet.given.wait()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

    in_workshop(play)
