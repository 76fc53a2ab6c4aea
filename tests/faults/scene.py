"""A stage: a store with subscribers, a scripted centre, and the daemon between them."""

import asyncio
import functools
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from data.model import Subscriber
from data.opening import open_store
from data.seed import FIRST, seed
from data.store import Store, Unit
from gateway.smpp.vocabulary import ESME_ROK
from tests.faults.centre import Centre
from tests.faults.daemon import Daemon
from tests.faults.messages import Answer, Message
from tests.faults.wire import Wire

LINK = "ussdc"
QUICK = {"reconnect_first_s": 0.02, "reconnect_max_s": 0.1}
"""A link that comes back at once."""


def scene(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an async test in a loop of its own."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


class Stage:
    """What a fault test has at hand; `staged` makes one."""

    def __init__(self, folder: Path, centre: Centre, config: Path):
        self.centre = centre
        self.config = config
        self.url = f"sqlite:///{folder / 'starpound.db'}"
        self.database = folder / "starpound.db"
        self.daemon: Daemon | None = None

    async def serve(self, bound: bool = True, mortal: bool = False) -> Daemon:
        """Start the daemon, and wait until it is bound."""
        binds = self.centre.counts["bound"]
        self.daemon = await Daemon.start(self.config, mortal)
        if bound:
            await self.until(lambda: self.centre.counts["bound"] > binds and self.centre.bound, "a bind")
            await self.daemon.logged(event="link is bound", link=LINK)
        return self.daemon

    async def until(self, true: Callable[[], Any], what: str, timeout_s: float = 15) -> None:
        """Wait until something is true of the centre. A daemon that dies meanwhile is not waited for."""
        ending = asyncio.create_task(self.daemon.process.wait())
        waiting = asyncio.create_task(self.centre.until(true, what, timeout_s))
        await asyncio.wait({ending, waiting}, return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        if not waiting.done():
            waiting.cancel()
            await self.daemon.ended()
            raise AssertionError(f"the daemon died, before: {what}\n{self.daemon.explain()}")
        try:
            waiting.result()
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.daemon.explain()}") from None

    async def shown(self, message: Message) -> Answer:
        """The first answer to a message: what the handset shows."""
        await self.until(lambda: message.answers, f"an answer to {message}")
        return message.answers[0]

    async def acknowledged(self, *messages: Message, status: int = ESME_ROK) -> None:
        """Wait until these messages are acknowledged with that status."""
        await self.until(
            lambda: all(message.status == status for message in messages),
            f"deliver_sm_resp with status {status:#x} to {len(messages)} messages",
        )

    async def settled(self) -> None:
        """Wait until the gateway has taken note of all responses so far: see `Answer.settled`."""
        await self.acknowledged(self.centre.receipt())

    async def rebound(self, old: Wire) -> None:
        """Wait until the link is bound on a connection that is newer than `old`."""
        await self.until(lambda: self.centre.wire is not old and self.centre.bound, "another bind")

    async def stop(self) -> None:
        """End the daemon in good order, and look whether the centre has anything to complain of."""
        self.daemon.terminate()
        assert await self.daemon.ended() == 0, self.daemon.explain()
        self.no_complaints()

    def no_complaints(self) -> None:
        assert not self.centre.complaints, self.centre.explain()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Store]:
        """The store, opened beside the daemon or after its end."""
        store = open_store(self.url, create=False)
        try:
            yield store
        finally:
            await store.close()

    @asynccontextmanager
    async def look(self) -> AsyncIterator[Unit]:
        """What is committed."""
        async with self.opened() as store, store.view() as view:
            yield view

    async def unsent(self) -> int:
        """How many answers the store holds."""
        async with self.look() as seen:
            return len(await seen.outbox.unsent(LINK, 0, 100_000))

    def undelivered(self) -> list[tuple[str, str]]:
        """(MSISDN, reason) of what was given up. No verb of the store tells: it is for the operator's eyes."""
        return self.query("SELECT msisdn, reason FROM undelivered ORDER BY id")

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database says, read by a stranger."""
        with closing(sqlite3.connect(f"{self.database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute(sql, values).fetchall()


@asynccontextmanager
async def staged(
    folder: Path,
    subscribers: int = 40,
    *,
    window: int = 64,
    narrow: bool = False,
    away: bool = False,
    link: dict[str, Any] | None = None,
    more: str = "",
) -> AsyncIterator[Stage]:
    """A stage on which all are but the daemon: see `Stage.serve`. `link` and `more` go into its settings.

    `window` is that of both ends. Where the centre is `away`, it listens from its `listen` on.
    """
    async with Centre(window, narrow) as centre:
        if not away:
            await centre.listen()
        config = folder / "gateway.toml"
        stage = Stage(folder, centre, config)
        config.write_text(
            settings(stage.url, centre.port, {"window": window, **(link or {})}) + more, "utf-8"
        )
        await populate(stage.url, subscribers)
        try:
            yield stage
        finally:
            if stage.daemon:
                await stage.daemon.clear_away()


def settings(url: str, port: int, link: dict[str, Any]) -> str:
    """The text of a settings file with one link."""
    return f'store = "{url}"\n[admin]\nlisten = "127.0.0.1:0"\n' + link_table(LINK, port, link)


def link_table(name: str, port: int, changes: dict[str, Any]) -> str:
    """A [[links]] table."""
    values = {"name": name, "connect": f"127.0.0.1:{port}", "system_id": "gw", "password": "secret"}
    values |= {"response_s": 30, **QUICK, **changes}
    lines = (
        f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}"
        for key, value in values.items()
    )
    return "\n".join(["[[links]]", *lines, ""])


async def populate(url: str, count: int) -> None:
    """Subscribers who all read Russian in Cyrillic."""
    store = open_store(url)
    await seed(store, count)
    async with store.unit() as unit:
        for i in range(count):
            await unit.facts.set_language(number(i), "ru")
            await unit.facts.set_script(number(i), "cyrillic")
    await store.close()


def number(i: int) -> str:
    """The MSISDN of the seeded subscriber `i`. 3 is the one of the examples: private, 523.40 on the account."""
    return str(FIRST + i)


async def charged(stage: Stage, msisdn: str) -> list[tuple[str, int]]:
    """What was taken from the account of a number on its behalf: (what, kopecks)."""
    async with stage.look() as seen:
        subscriber: Subscriber = await seen.facts.subscriber(msisdn)
        ledger = await seen.facts.ledger(subscriber.account_id)
        return [(entry.what, entry.amount_kopecks) for entry in ledger if entry.msisdn == msisdn]
