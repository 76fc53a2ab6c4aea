"""The daemon: settings in, links, workers and the admin page up, and everything down again in good order."""

import asyncio
import contextlib
import gc
import math
import signal
import socket
import time
from collections.abc import Coroutine
from importlib import metadata
from pathlib import Path
from typing import Self

import structlog

import menus
from data.model import DialogueRecord
from data.opening import open_store
from data.store import StoreError
from gateway.dialect import DialectError
from gateway.http.admin import admin_app, admin_server, listen
from gateway.links.binds import Bind, Invitation, requests_of
from gateway.links.link import Link
from gateway.links.listener import Centres, Door, Host, Listener
from gateway.links.tls import Certificates
from gateway.settings import Settings, SettingsError, Tls, split_address
from gateway.turns.dialogues import Dialogues
from gateway.turns.jobs import Workers
from gateway.turns.post import Post
from gateway.turns.quarantine import Quarantine
from gateway.turns.repeats import AGAIN_S
from gateway.watch.metrics import Metrics
from handlers import registry
from menus.lint import check
from menus.loader import load
from menus.model import Menu
from menus.problems import MenuError

log = structlog.get_logger(__name__)

SELFCARE = Path(menus.__file__).with_name("selfcare.yaml")
_HOUSEKEEPING_EVERY_S = 5.0
_GRACE_S = 5.0
_RECEIPTS_S = 3 * 86_400.0  # no receipt is waited for longer
_DOUBT_S = 86_400.0  # no repeat is expected for longer of a centre that is away
_REMEMBER_S = 30 * 86_400.0  # what was given up, and who asked for a password


class StartError(Exception):
    """The daemon cannot start: one line that says what, where, and what to do."""


class Gateway:
    """One daemon. ``async with Gateway(settings) as gateway`` starts and stops it; raises `StartError`.

    `menu` is what it serves, `admin_port` the port of the admin page that was really taken; `listeners` are the
    addresses at which centres may connect, each with its port.
    """

    menu: Menu
    admin_port: int

    def __init__(self, settings: Settings):
        self.settings = settings
        self.metrics = Metrics()
        self.links: list[Link] = []
        self.listeners: dict[str, Listener] = {}
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
        return {link.name: link.problem for link in self.links}

    async def _dialogue(self, msisdn: str) -> DialogueRecord | None:
        async with self.store.view() as view:
            return await view.inbox.dialogue(msisdn)

    async def failed(self) -> None:
        """Return never, unless a part of the daemon fails; then raise what it failed with."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def _start(self, stack: contextlib.AsyncExitStack) -> None:
        settings = self.settings
        for table in settings.links:
            _ = table.secret  # a missing password file is said before anything is up
        self.menu = menu = load_menu(settings.menu)
        admin_socket = stack.enter_context(_listen(settings.admin.listen))
        self.admin_port = admin_socket.getsockname()[1]
        self.store = open_store(settings.store, folders=False)
        stack.push_async_callback(self.store.close)
        self.store.claim()
        stack.push_async_callback(self._erase_traces)
        self._compose(menu)
        await self._remember()
        stack.push_async_callback(self._stop)
        binds = self._binds()
        self._admin = admin_server(admin_app(self.metrics, self.problems, menu, self._dialogue))
        self._spawn("admin", self._admin.serve(sockets=[admin_socket]))
        self._spawn("jobs", self._jobs.run())
        self._spawn("quarantine", self._quarantine.run())
        self._spawn("housekeeping", self._keep_house())
        for address, listener in self.listeners.items():
            self._spawn(f"listener at {address}", listener.run())
        for link, bind in binds:
            self._spawn(f"link {link.name}", bind.run())

    def _compose(self, menu: Menu) -> None:
        """Join the parts: all that leaves is handed in at the post office, which every link joins."""
        settings, store = self.settings, self.store
        self._post = Post(settings.routes)
        dialogues = Dialogues(store, self._post, menu, registry.OPERATIONS, settings.service, time.time)
        self._quarantine = Quarantine(store, settings.quarantine.limit)
        self.links = [
            Link(table, dialogues, self._post, self.metrics, self._quarantine) for table in settings.links
        ]
        self._jobs = Workers(
            store, self._post, menu, registry.JOBS, settings.jobs, settings.service, self.metrics
        )

    async def _remember(self) -> None:
        """Have every link know what the process before this one may not have told its centre."""
        async with self.store.view() as view:
            for link in self.links:
                link.station.repeats.restore(await view.inbox.acknowledged(link.name))

    def _binds(self) -> list[tuple[Link, Bind]]:
        """Give every link its sources of connections: the binds to be made, and the addresses to listen at."""
        binds: list[tuple[Link, Bind]] = []
        together: dict[str, list[Link]] = {}
        for link in self.links:
            settings = link.settings
            if settings.listen:
                link.sources = [Door(link)]
                together.setdefault(settings.listen, []).append(link)
                continue
            certificates = _certificates(settings.tls, link.name, listens=False)
            made = [Bind(link, request, certificates) for request in requests_of(link)]
            binds += [(link, bind) for bind in made]
            link.sources = [*made]
            if settings.outbind:
                invitation = Invitation(link)
                link.sources.append(invitation)
                ours = _certificates(settings.tls, link.name, listens=True)
                self._open(settings.outbind.listen, invitation, ours)
        for address, links in together.items():
            certificates = _certificates(links[0].settings.tls, links[0].name, listens=True)
            self._open(address, Centres(links, self._quarantine), certificates)
        return binds

    def _open(self, address: str, host: Host, certificates: Certificates | None) -> None:
        try:
            self.listeners[address] = Listener(address, host, certificates)
        except OSError as error:
            raise StartError(f"links: listen {address}: {error.strerror}") from None

    async def _stop(self) -> None:
        """Links first, so that what is under way is answered; then everything else at once."""
        await asyncio.gather(*(link.stop(_GRACE_S) for link in self.links))
        if self._tasks:
            admin, *others = self._tasks
            self._admin.should_exit = True  # it takes its socket out of the loop by itself
            for task in others:
                task.cancel()
            await asyncio.gather(admin, *others, return_exceptions=True)
        for listener in self.listeners.values():
            await listener.close()
        await self._quarantine.write()
        await self._forget_what_was_read()

    async def _forget_what_was_read(self) -> None:
        """A centre that was left in good order delivers nothing again at the next start."""
        try:
            async with self.store.unit() as unit:
                for link in self.links:
                    if not link.station.repeats.doubted:
                        await unit.inbox.forget_acknowledged(link.name, math.inf)
        except StoreError as error:
            log.warning("housekeeping put off", reason=str(error))

    def _spawn(self, name: str, work: Coroutine[None, None, None]) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    async def _keep_house(self) -> None:
        """Forget what is too old, and wipe from the journal the texts that have been delivered."""
        while True:
            await asyncio.sleep(_HOUSEKEEPING_EVERY_S)
            try:
                await self._forget_old()
                await self._post.fail_over(self.store, asyncio.get_running_loop().time())
                await self._replay()
                if any(link.outward.sms_taken for link in self.links):
                    await self._erase_traces()
            except Exception as error:  # the daemon is worth more than a tidy house
                unexpected = not isinstance(error, StoreError)
                log.warning("housekeeping put off", reason=str(error), exc_info=unexpected)

    async def _forget_old(self) -> None:
        now = time.time()
        idle_s = max(link.station.profile.limits.idle_s for link in self.links)
        parts_s = max(link.settings.text.reassembly_s for link in self.links)
        async with self.store.unit() as unit:
            dialogues = await unit.inbox.expire_dialogues(now - idle_s)
            answers = await unit.outbox.fail_expired(now)
            parts = await unit.inbox.expire_parts(now - parts_s)
            await unit.inbox.forget_sent(now - _RECEIPTS_S)
            await unit.outbox.prune_undelivered(now - _REMEMBER_S)
            await unit.facts.forget_password_issues(now - _REMEMBER_S)
            for link in self.links:
                # what is in doubt is kept for as long as the centre is away, but not for ever
                keep_s = _DOUBT_S if link.station.repeats.doubted else AGAIN_S
                await unit.inbox.forget_acknowledged(link.name, now - keep_s)
            waiting = await unit.outbox.waiting()
            held = await unit.jobs.count_held()
        for link in self.links:
            self.metrics.waiting.labels(link.name).set(waiting.get(link.name, 0))
        self.metrics.jobs_held.set(held)
        if dialogues or answers or parts:
            log.info("expired", dialogues=dialogues, answers=answers, parts=parts)

    async def _replay(self) -> None:
        """Handle what somebody asked the quarantine to be handled again."""
        by_name = {link.name: link for link in self.links}
        async with self.store.view() as view:
            replays = await view.inbox.replays()
        for record in replays:
            if record.link in by_name:
                await by_name[record.link].replay(record)
                log.info("replayed", id=record.id, link=record.link)
            else:
                async with self.store.unit() as unit:
                    await unit.inbox.refuse_replay([record.id])
                log.warning("not replayed: its link is gone", id=record.id, link=record.link)

    async def _erase_traces(self) -> None:
        try:
            wiped = await self.store.erase_traces()
        except StoreError as error:
            log.warning("the journal is not wiped yet", reason=str(error))
        else:
            for link in self.links:
                link.outward.sms_taken &= not wiped  # somebody reads just now: next time


def load_menu(path: str | None) -> Menu:
    """The menu in the file at `path`, or the self-care menu, checked against the operations. Raises MenuError."""
    registry.load_all()
    menu = load(path or SELFCARE)
    problems = check(menu, registry.OPERATIONS, registry.JOBS)
    if problems:
        raise MenuError(problems)
    return menu


def _certificates(tls: Tls | None, name: str, *, listens: bool) -> Certificates | None:
    return Certificates(tls, f"links.{name}", listens=listens) if tls else None


def _listen(address: str) -> socket.socket:
    host, port = split_address(address)
    try:
        return listen(host, port)
    except OSError as error:
        raise StartError(f"admin.listen: {address}: {error.strerror}") from None


async def _what_it_serves(gateway: Gateway) -> dict[str, object]:
    """For the log: files that were mistaken for others show at a glance."""
    async with gateway.store.view() as view:
        subscribers = await view.facts.count_subscribers()
    return {
        "version": metadata.version("starpound"),
        "menu": gateway.menu.file,
        "codes": [code for code, _ in gateway.menu.codes.entries()],
        "subscribers": subscribers,
    }


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
        what = await _what_it_serves(gateway)
        log.info("gateway is up", admin_port=gateway.admin_port, store=settings.store, **what)
        stopped = asyncio.create_task(stop.wait())
        failed = asyncio.create_task(gateway.failed())
        done, _ = await asyncio.wait({stopped, failed}, return_when=asyncio.FIRST_COMPLETED)
        log.info("gateway is stopping")
        for task in (stopped, failed):
            task.cancel()
        if failed in done:
            failed.result()
    log.info("gateway has stopped")
