"""Slow work, promised in a turn's transaction and done off the loop.

A job is prepared in a thread, without the store; its result, the SMS that tells of it and the job's own deletion are
one transaction. A job that fails is tried again, later and later; a process that dies leaves it in the store. One that
has failed for the last time is set aside, for a person to look at: `starpound jobs`.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import structlog

from data.model import JobRecord
from data.store import Store, StoreError
from gateway.backoff import Backoff
from gateway.settings import JobSettings, Service
from gateway.turns.post import Post
from gateway.turns.work import Work
from gateway.watch.metrics import Metrics
from handlers.registry import Job
from menus.model import Menu

log = structlog.get_logger(__name__)

# A job that waits for its next try is looked for this often, in seconds; a new one is begun at once.
_LOOK_EVERY_S = 1.0


class Orphan(Exception):
    """A job whose name, link or subscriber is not there any more; they may come back."""


class Workers:
    """The workers. Await `run` in a task; cancel it to stop: what was under way begins anew at the next start.

    The post office rings when there is a job, and is given the messages that jobs have committed. `clock` is the
    wall's.
    """

    def __init__(
        self,
        store: Store,
        post: Post,
        menu: Menu,
        declared: Mapping[str, Job],
        settings: JobSettings,
        limits: Service,
        metrics: Metrics,
        clock: Callable[[], float] = time.time,
    ):
        self._store = store
        self._post = post
        self._menu = menu
        self._declared = declared
        self._settings = settings
        self._limits = limits
        self._metrics = metrics
        self._clock = clock
        self._backoff = Backoff(settings.retry_first_s, settings.retry_max_s)
        self._pool = ThreadPoolExecutor(settings.workers, thread_name_prefix="job")

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            while True:
                self._post.bell.clear()
                try:
                    begun = await self.run_due()
                except StoreError as error:
                    log.warning("jobs cannot be read", reason=str(error))
                    begun = 0
                if not begun:
                    await self._idle()
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)

    async def run_due(self) -> int:
        """Run the jobs whose time has come, as many at once as there are workers; how many that were."""
        async with self._store.view() as view:
            due = await view.jobs.due(self._clock(), self._settings.workers)
        await asyncio.gather(*map(self._run_one, due))
        return len(due)

    async def _idle(self) -> None:
        try:
            await asyncio.wait_for(self._post.bell.wait(), _LOOK_EVERY_S)
        except TimeoutError:
            return

    async def _run_one(self, record: JobRecord) -> None:
        try:
            work = await self._do(record)
        except Orphan as orphan:
            log.warning("job is an orphan", job=record.name, id=record.id, reason=str(orphan))
            await self._put_off(record, str(orphan))
        except Exception as error:
            log.exception("job failed", job=record.name, id=record.id, failures=record.attempts + 1)
            await self._put_off(record, type(error).__name__)
        else:
            self._metrics.jobs.labels(record.name, "done").inc()
            self._post.withdraw(work.withdrawn)
            self._post.distribute(work.answers)

    async def _do(self, record: JobRecord) -> Work:
        job, station = self._declared.get(record.name), self._post.station(record.link)
        if job is None:
            raise Orphan("nothing of that name is declared")
        if station is None:
            raise Orphan(f"there is no link {record.link}")
        loop = asyncio.get_running_loop()
        prepared = await loop.run_in_executor(self._pool, job.prepare, json.loads(record.args))
        async with self._store.unit() as unit:
            subscriber = await unit.facts.subscriber(record.msisdn)
            if subscriber is None:
                raise Orphan("its number is nobody's")
            work = Work(unit, self._clock(), self._limits, self._menu, station, self._post)
            work.subscriber, work.asked_from = subscriber, record.address
            await job.run(work, subscriber, prepared)
            await work.write()
            if not await unit.jobs.finish(record.id):
                raise RuntimeError(f"job {record.id} was finished by somebody else")
        return work

    async def _put_off(self, record: JobRecord, reason: str) -> None:
        """Have the job tried again later or, after its last try, set aside. Of an error only its kind is kept."""
        failures, now = record.attempts + 1, self._clock()
        last = failures >= self._settings.attempts
        try:
            async with self._store.unit() as unit:
                if last:
                    await unit.jobs.set_aside(record.id, now, reason, failures)
                else:
                    await unit.jobs.retry(record.id, now + self._backoff.after(failures), failures)
        except StoreError as error:
            log.warning("job stays due", job=record.name, id=record.id, reason=str(error))
            await self._idle()  # or it would be prepared again and again meanwhile
            return
        self._metrics.jobs.labels(record.name, "set_aside" if last else "failed").inc()
        if last:
            log.error("job is set aside", job=record.name, id=record.id, reason=reason, tries=failures)
