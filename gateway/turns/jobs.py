"""Slow work, promised in a turn's transaction and done off the loop.

A job is prepared in a thread, without the store; its result, the SMS that tells of it and the job's own deletion are
one transaction. A job that fails is tried again, later and later; a process that dies leaves it in the store.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog

from data.model import JobRecord, Outgoing
from data.store import Store, StoreError
from gateway.backoff import Backoff
from gateway.settings import Jobs as JobSettings
from gateway.settings import Service
from gateway.turns.work import Station, Transaction, Work
from gateway.watch.metrics import Metrics
from handlers.registry import Job
from menus.model import Menu

log = structlog.get_logger(__name__)

# A job that waits for its next try is looked for this often, in seconds; a new one is begun at once.
_LOOK_EVERY_S = 1.0


class Orphan(Exception):
    """A job whose name or link the settings and handlers do not have any more; they may come back."""


class Jobs:
    """The workers. Await `run` in a task; cancel it to stop: what was under way begins anew at the next start.

    `deliver` is given the messages that a job has committed; `route` says by which station they leave.
    """

    def __init__(
        self,
        store: Store,
        transaction: Transaction,
        menu: Menu,
        declared: Mapping[str, Job],
        stations: Mapping[str, Station],
        deliver: Callable[[Sequence[Outgoing]], None],
        route: Callable[[str], Station | None],
        settings: JobSettings,
        limits: Service,
        metrics: Metrics,
        clock: Callable[[], float] = time.time,
    ):
        self._store = store
        self._transaction = transaction
        self._menu = menu
        self._declared = declared
        self._stations = stations
        self._deliver = deliver
        self._route = route
        self._limits = limits
        self._metrics = metrics
        self._clock = clock
        self._workers = settings.workers
        self._backoff = Backoff(settings.retry_first_s, settings.retry_max_s)
        self._pool = ThreadPoolExecutor(settings.workers, thread_name_prefix="job")
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """A job has been committed: look now."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            while True:
                self._wake.clear()
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
        due = await self._store.due_jobs(self._clock(), self._workers)
        await asyncio.gather(*map(self._run_one, due))
        return len(due)

    async def _idle(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), _LOOK_EVERY_S)
        except TimeoutError:
            return

    async def _run_one(self, record: JobRecord) -> None:
        try:
            work = await self._do(record)
        except Orphan:
            log.warning("job of no known name or link waits", job=record.name, id=record.id, link=record.link)
            await self._put_off(record)
        except Exception:
            log.exception("job failed", job=record.name, id=record.id, failures=record.attempts + 1)
            await self._put_off(record)
        else:
            self._metrics.jobs.labels(record.name, "done").inc()
            self._deliver(work.answers)

    async def _do(self, record: JobRecord) -> Work:
        job, station = self._declared.get(record.name), self._stations.get(record.link)
        if job is None or station is None:
            raise Orphan
        loop = asyncio.get_running_loop()
        prepared = await loop.run_in_executor(self._pool, job.prepare, json.loads(record.args))
        work = Work(self._store, self._clock(), self._limits, self._menu, station, self._route)
        async with self._transaction:
            work.subscriber = await self._store.subscriber(record.msisdn)
            await job.run(work, work.subscriber, prepared)
            await work.write()
            if not await self._store.finish_job(record.id):
                raise RuntimeError(f"job {record.id} was finished by somebody else")
        return work

    async def _put_off(self, record: JobRecord) -> None:
        failures = record.attempts + 1
        wait_s = self._backoff.after(failures)
        self._metrics.jobs.labels(record.name, "failed").inc()
        try:
            async with self._transaction:
                await self._store.retry_job(record.id, self._clock() + wait_s, failures)
        except StoreError as error:
            log.warning("job stays due", job=record.name, id=record.id, reason=str(error))
            await self._idle()  # or it would be prepared again and again meanwhile
