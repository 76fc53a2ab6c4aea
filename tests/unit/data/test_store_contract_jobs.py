"""What every implementation of the Store must do with slow work that was promised."""

import pytest

from data.model import JobRecord

pytestmark = pytest.mark.anyio

ANNA = "79260000003"


async def promise(jobs, due: float = 1.0, **changes) -> int:
    plain = {"name": "password.generate", "msisdn": ANNA, "link": "ussdc", "address": "", "args_json": "{}"}
    return await jobs.add(**{**plain, **changes}, due=due, created=0.5)


async def set_aside(jobs, count: int) -> list[int]:
    ids = [await promise(jobs) for _ in range(count)]
    for n, id in enumerate(ids):
        await jobs.set_aside(id, 100.0 + n, "ValueError", 8)
    return ids


def ids_of(records: list[JobRecord]) -> list[int]:
    return [record.id for record in records]


class TestDue:
    async def test_in_order_of_time(self, jobs):
        late, early = await promise(jobs, 20.0), await promise(jobs, 10.0)
        assert await jobs.due(9.9, 10) == []
        assert ids_of(await jobs.due(20.0, 10)) == [early, late]
        assert ids_of(await jobs.due(20.0, 1)) == [early]

    async def test_kept_as_it_was(self, jobs):
        number = await promise(jobs, 20.0, address="2/1/9260000003", args_json='{"length": 10}')
        assert await jobs.due(20.0, 1) == [
            JobRecord(
                id=number,
                name="password.generate",
                msisdn=ANNA,
                link="ussdc",
                address="2/1/9260000003",
                args='{"length": 10}',
                due=20.0,
                attempts=0,
                created=0.5,
                held=None,
                reason="",
            )
        ]

    async def test_finished_once(self, jobs):
        number = await promise(jobs)
        assert await jobs.finish(number)
        assert not await jobs.finish(number)
        assert await jobs.due(9.0, 10) == []

    async def test_put_off(self, jobs):
        number = await promise(jobs)
        await jobs.retry(number, 50.0, 3)
        assert await jobs.due(49.0, 10) == []
        assert [job.attempts for job in await jobs.due(50.0, 10)] == [3]

    async def test_an_id_never_means_another_job(self, jobs):
        number = await promise(jobs)
        await jobs.finish(number)
        assert await promise(jobs) > number


class TestSetAside:
    async def test_due_no_more_but_there(self, jobs):
        waiting = await promise(jobs)
        [number] = await set_aside(jobs, 1)
        assert ids_of(await jobs.due(9e9, 10)) == [waiting]
        [there] = await jobs.held(10)
        assert (there.id, there.held, there.reason, there.attempts) == (number, 100.0, "ValueError", 8)
        assert await jobs.count_held() == 1

    async def test_newest_first_and_page_by_page(self, jobs):
        ids = await set_aside(jobs, 5)
        assert ids_of(await jobs.held(2)) == [ids[4], ids[3]]
        assert ids_of(await jobs.held(2, before_id=ids[3])) == [ids[2], ids[1]]
        assert await jobs.held(2, before_id=ids[0]) == []
        assert await jobs.count_held() == 5

    async def test_tried_again_as_if_it_had_never_failed(self, jobs):
        ids = await set_aside(jobs, 3)
        assert await jobs.try_again([ids[2], ids[0], ids[0], 10**12], now=200.0) == 2
        assert await jobs.due(199.0, 10) == []
        due = await jobs.due(200.0, 10)
        assert ids_of(due) == [ids[0], ids[2]]
        assert {(job.attempts, job.held, job.reason) for job in due} == {(0, None, "")}
        assert await jobs.try_again(None, now=201.0) == 1
        assert await jobs.count_held() == 0
        assert await jobs.try_again(None, now=202.0) == 0

    async def test_one_that_is_not_set_aside_is_not_touched(self, jobs):
        number = await promise(jobs, 50.0)
        await jobs.retry(number, 60.0, 2)
        assert await jobs.try_again([number], now=1.0) == 0
        assert await jobs.try_again(None, now=1.0) == 0
        assert await jobs.drop([number]) == 0
        assert await jobs.drop(None) == 0
        assert [(job.due, job.attempts) for job in await jobs.due(9e9, 10)] == [(60.0, 2)]

    async def test_dropped(self, jobs):
        ids = await set_aside(jobs, 4)
        assert await jobs.drop([ids[1], ids[1], 10**12]) == 1
        assert await jobs.drop([]) == 0
        assert ids_of(await jobs.held(10)) == [ids[3], ids[2], ids[0]]
        assert await jobs.drop(None) == 3
        assert await jobs.held(10) == []
