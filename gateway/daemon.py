"""The daemon: settings in, links, workers and the admin page up, and everything down again in good order."""

import asyncio
import contextlib
import gc
import signal
import socket
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Self

import structlog

import menus
from data.sqlite import open_store
from data.store import StoreError
from gateway.admin import admin_app, admin_server, listen
from gateway.dialect import DialectError
from gateway.dialogues import Dialogues
from gateway.jobs import Jobs
from gateway.links import Link
from gateway.metrics import Metrics
from gateway.settings import Settings, SettingsError, split_address
from gateway.work import Transaction
from handlers import registry
from menus.lint import check
from menus.loader import load
from menus.model import Menu
from menus.problems import MenuError

log = structlog.get_logger(__name__)

SELFCARE = Path(menus.__file__).with_name("selfcare.yaml")
_HOUSEKEEPING_EVERY_S = 5.0
_GRACE_S = 5.0


class StartError(Exception):
    """The daemon cannot start: one line that says what, where, and what to do."""


class Gateway:
    """One daemon. ``async with Gateway(settings) as gateway`` starts and stops it; raises `StartError`.

    `admin_port` is the port of the admin page that was really taken.
    """

    admin_port: int

    def __init__(self, settings: Settings):
        self.settings = settings
        self.metrics = Metrics()
        self.links: list[Link] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            try:
                await self._start(stack)
            except (StoreError, MenuError, DialectError, SettingsError) as error:
                raise StartError(str(error)) from error
            self._closing = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._closing.aclose()

    def problems(self) -> dict[str, str | None]:
        """Each link's name with why it is down, None for one that is bound."""
        return {link.settings.name: link.problem for link in self.links}

    async def failed(self) -> None:
        """Return never, unless a part of the daemon fails; then raise what it failed with."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def _start(self, stack: contextlib.AsyncExitStack) -> None:
        settings = self.settings
        for link in settings.links:
            _ = link.secret  # a missing password file is said before anything is up
        menu = load_menu(settings.menu)
        admin_socket = stack.enter_context(_listen(settings.admin.listen))
        self.admin_port = admin_socket.getsockname()[1]
        self.store = open_store(settings.store)
        stack.push_async_callback(self.store.close)
        self.store.claim()
        stack.push_async_callback(self._erase_traces)
        self._compose(menu)
        stack.push_async_callback(self._stop)
        self._admin = admin_server(admin_app(self.metrics, self.problems))
        self._spawn("admin", self._admin.serve(sockets=[admin_socket]))
        self._spawn("jobs", self._jobs.run())
        self._spawn("housekeeping", self._keep_house())
        for link in self.links:
            self._spawn(f"link {link.settings.name}", link.run())

    def _compose(self, menu: Menu) -> None:
        """Join the parts: links hand what they read to the dialogues, jobs hand their answers to the links."""
        settings, store = self.settings, self.store
        transaction = self._transaction = Transaction(store)
        dialogues = Dialogues(store, transaction, menu, registry.OPERATIONS, settings.service, time.time)
        self.links = [Link(link, dialogues, self.metrics, self._wake_jobs) for link in settings.links]
        by_name = {link.settings.name: link for link in self.links}
        self._jobs = Jobs(
            store,
            transaction,
            menu,
            registry.JOBS,
            {name: link.station for name, link in by_name.items()},
            lambda name, answers: by_name[name].deliver(answers),
            settings.jobs,
            settings.service,
            self.metrics,
        )

    def _wake_jobs(self) -> None:
        self._jobs.wake()

    async def _stop(self) -> None:
        """Links first, so that what is under way is answered; then everything else at once."""
        await asyncio.gather(*(link.stop(_GRACE_S) for link in self.links))
        admin, *others = self._tasks
        self._admin.should_exit = True  # it takes its socket out of the loop by itself
        for task in others:
            task.cancel()
        await asyncio.gather(admin, *others, return_exceptions=True)

    def _spawn(self, name: str, work: Coroutine[None, None, None]) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    async def _keep_house(self) -> None:
        """Forget what is too old, and wipe from the journal the texts that have been delivered."""
        idle_s = max(link.station.profile.limits.idle_s for link in self.links)
        while True:
            await asyncio.sleep(_HOUSEKEEPING_EVERY_S)
            try:
                async with self._transaction:
                    dialogues = await self.store.expire_dialogues(time.time() - idle_s)
                    answers = await self.store.fail_expired(time.time())
                if any(link.sms_taken for link in self.links):
                    await self._erase_traces()
            except StoreError as error:
                log.warning("housekeeping put off", reason=str(error))
            else:
                if dialogues or answers:
                    log.info("expired", dialogues=dialogues, answers=answers)

    async def _erase_traces(self) -> None:
        try:
            wiped = await self.store.erase_traces()
        except StoreError as error:
            log.warning("the journal is not wiped yet", reason=str(error))
        else:
            for link in self.links:
                link.sms_taken = link.sms_taken and not wiped  # somebody reads just now: next time


def load_menu(path: str | None) -> Menu:
    """The menu in the file at `path`, or the self-care menu, checked against the operations. Raises MenuError."""
    registry.load_all()
    menu = load(path or SELFCARE)
    problems = check(menu, registry.OPERATIONS, registry.JOBS)
    if problems:
        raise MenuError(problems)
    return menu


def _listen(address: str) -> socket.socket:
    host, port = split_address(address)
    try:
        return listen(host, port)
    except OSError as error:
        raise StartError(f"admin.listen: {address}: {error.strerror}") from None


async def serve(settings: Settings) -> None:
    """Run a gateway until SIGTERM, SIGINT or SIGHUP, then stop in good order. Raises `StartError`."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    async with Gateway(settings) as gateway:
        # What is there now stays: the collector need not look at it again, nor after every few hundred objects.
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        log.info("gateway is up", admin_port=gateway.admin_port, store=settings.store)
        stopped = asyncio.create_task(stop.wait())
        failed = asyncio.create_task(gateway.failed())
        done, _ = await asyncio.wait({stopped, failed}, return_when=asyncio.FIRST_COMPLETED)
        log.info("gateway is stopping")
        for task in (stopped, failed):
            task.cancel()
        if failed in done:
            failed.result()
    log.info("gateway has stopped")
