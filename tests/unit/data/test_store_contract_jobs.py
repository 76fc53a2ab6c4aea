"""What every implementation of the Store must do with slow work that was promised."""

import pytest

from data.model import JobRecord
from tests.unit.data.samples import PRIVATE

pytestmark = pytest.mark.anyio

JOB = "password.generate"


async def promise(jobs, due: float = 1.0) -> int:
    return await jobs.add(JOB, PRIVATE, "ussdc", "2/1/9260000003", '{"length": 10}', due, 0.5)


async def due(jobs, now: float = 9e9) -> list[int]:
    return [job.id for job in await jobs.due(now, 100)]


async def held(jobs, limit: int = 100, before_id: int | None = None) -> list[int]:
    return [job.id for job in await jobs.held(limit, before_id)]


class TestDue:
    async def test_in_order_of_time(self, jobs):
        late, early = await promise(jobs, 20.0), await promise(jobs, 10.0)
        assert await due(jobs, 9.9) == []
        assert await due(jobs, 10.0) == [early]
        assert await due(jobs, 20.0) == [early, late]
        assert [job.id for job in await jobs.due(20.0, 1)] == [early]

    async def test_it_is_as_it_was_promised(self, jobs):
        number = await promise(jobs, 20.0)
        assert await jobs.due(20.0, 1) == [
            JobRecord(
                number, JOB, PRIVATE, "ussdc", "2/1/9260000003", '{"length": 10}', 20.0, 0, 0.5, None, ""
            )
        ]

    async def test_it_stays_until_it_is_finished(self, jobs):
        number = await promise(jobs)
        assert [await due(jobs), await due(jobs)] == [[number], [number]]

    async def test_finished_once(self, jobs):
        number = await promise(jobs)
        assert await jobs.finish(number)
        assert not await jobs.finish(number)
        assert await due(jobs) == []

    async def test_put_off(self, jobs):
        number = await promise(jobs)
        await jobs.retry(number, 50.0, 3)
        assert await due(jobs, 49.0) == []
        assert [(job.id, job.attempts) for job in await jobs.due(50.0, 10)] == [(number, 3)]

    async def test_a_number_is_not_used_again(self, jobs):
        number = await promise(jobs)
        await jobs.finish(number)
        assert await promise(jobs) > number


class TestSetAside:
    async def test_it_is_not_due_any_more(self, jobs):
        failed, other = await promise(jobs), await promise(jobs)
        await jobs.set_aside(failed, 70.0, "SMTPServerDisconnected", 5)
        assert await due(jobs) == [other]
        [record] = await jobs.held(10)
        assert record == JobRecord(
            failed, JOB, PRIVATE, "ussdc", "2/1/9260000003", '{"length": 10}', 1.0, 5, 0.5, 70.0,
            "SMTPServerDisconnected",
        )  # fmt: skip

    async def test_newest_first_and_page_by_page(self, jobs):
        ids = [await promise(jobs) for _ in range(5)]
        for number in (ids[3], ids[0], ids[4], ids[1]):
            await jobs.set_aside(number, 70.0, "why", 5)
        assert await held(jobs) == [ids[4], ids[3], ids[1], ids[0]]
        assert await held(jobs, limit=2) == [ids[4], ids[3]]
        assert await held(jobs, limit=2, before_id=ids[3]) == [ids[1], ids[0]]
        assert await held(jobs, before_id=ids[0]) == []

    async def test_they_are_counted(self, jobs):
        assert await jobs.count_held() == 0
        for _ in range(3):
            await jobs.set_aside(await promise(jobs), 70.0, "why", 5)
        await promise(jobs)
        assert await jobs.count_held() == 3

    async def test_it_can_still_be_finished(self, jobs):
        """One that ran while it was set aside."""
        number = await promise(jobs)
        await jobs.set_aside(number, 70.0, "why", 5)
        assert await jobs.finish(number)
        assert await jobs.count_held() == 0


class TestHeld:
    """What a person can do with those that were set aside; the others are none of his business."""

    @pytest.fixture
    async def promised(self, jobs):
        """Three jobs that were set aside, and one that is to be done."""
        ids = [await promise(jobs) for _ in range(4)]
        for number in ids[:3]:
            await jobs.set_aside(number, 70.0, "why", 5)
        return ids

    async def test_try_some_again(self, jobs, promised):
        assert await jobs.try_again([promised[1], promised[1], promised[3], 10**12], 80.0) == 1
        assert await held(jobs) == [promised[2], promised[0]]
        assert await due(jobs, 79.9) == [promised[3]], "the one that was to be done is as it was"
        assert await due(jobs, 80.0) == [promised[3], promised[1]]

    async def test_with_all_its_tries(self, jobs, promised):
        await jobs.try_again([promised[0]], 80.0)
        [record] = [job for job in await jobs.due(80.0, 10) if job.id == promised[0]]
        assert (record.attempts, record.held, record.reason) == (0, None, "")

    async def test_try_all_again(self, jobs, promised):
        assert await jobs.try_again(None, 80.0) == 3
        assert await held(jobs) == []
        assert await due(jobs, 80.0) == [promised[3], *promised[:3]]
        assert await jobs.try_again(None, 80.0) == 0

    async def test_try_none_again(self, jobs, promised):
        assert await jobs.try_again([], 80.0) == 0
        assert await jobs.count_held() == 3

    async def test_drop_some(self, jobs, promised):
        assert await jobs.drop([promised[1], promised[1], promised[3], 10**12]) == 1
        assert await held(jobs) == [promised[2], promised[0]]
        assert await due(jobs) == [promised[3]]

    async def test_drop_all(self, jobs, promised):
        assert await jobs.drop() == 3
        assert await held(jobs) == []
        assert await due(jobs) == [promised[3]]

    async def test_drop_none(self, jobs, promised):
        assert await jobs.drop([]) == 0
        assert await jobs.count_held() == 3
