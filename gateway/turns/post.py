"""The post office: which link a message leaves by, and who is told that there is one.

An answer leaves by the link that brought the question, be it a screen or an SMS. A message that begins with us (a
password, a notice, a mailing) goes where the routes of the settings say, to the first link that is up; what waits for a
link that stays down is given to the next one of its route. It is built empty, and links join.
"""

import asyncio
from collections.abc import Collection, Sequence
from typing import Protocol

import structlog

from data.model import Outgoing, OutgoingKind
from data.store import Store, Unit
from gateway.settings import Route
from gateway.turns.station import Station

log = structlog.get_logger(__name__)

_AT_ONCE = 1000
_PATIENCE_S = 10.0  # a link that binds again within this keeps what waits for it
_MOVABLE: tuple[OutgoingKind, ...] = ("sms", "mailing")


class Outlet(Protocol):
    """A link as the post office sees it."""

    @property
    def name(self) -> str:
        """Its name in the settings."""

    @property
    def station(self) -> Station:
        """What a turn has to know of it."""

    @property
    def down_since(self) -> float | None:
        """When it was lost, as `Post.fail_over` counts time; None while messages can leave."""

    def deliver(self, messages: Sequence[Outgoing]) -> None:
        """Send what has been committed for it."""

    def withdraw(self, ids: Collection[int]) -> None:
        """Send these no more: they have been taken out of the store."""


class Post:
    """Where messages of all links are handed in. `bell` rings when a job has been promised."""

    def __init__(self, routes: Sequence[Route] = ()):
        # The longest beginning first.
        self._routes = sorted(routes, key=lambda route: -len(route.to))
        self._outlets: dict[str, Outlet] = {}
        self.bell = asyncio.Event()

    def join(self, outlet: Outlet) -> None:
        """Have messages leave by this link, too."""
        self._outlets[outlet.name] = outlet

    def station(self, name: str) -> Station | None:
        """That of the link with this name; None when there is none any more."""
        outlet = self._outlets.get(name)
        return None if outlet is None else outlet.station

    def way_to(self, msisdn: str) -> Station | None:
        """Where a message to this number leaves; None: there is no route, it leaves by the link of the turn."""
        for route in self._routes:
            if msisdn.startswith(route.to):
                outlets = [self._outlets[name] for name in route.links]
                return next((one for one in outlets if one.down_since is None), outlets[0]).station
        return None

    def distribute(self, messages: Sequence[Outgoing]) -> None:
        """Hand what was committed to the links that it is for."""
        for name, those in _by_link(messages).items():
            if name in self._outlets:
                self._outlets[name].deliver(those)

    def withdraw(self, ids: Collection[int]) -> None:
        """Have no link send these any more, nor send them again."""
        if ids:
            for outlet in self._outlets.values():
                outlet.withdraw(ids)

    async def fail_over(self, store: Store, now: float) -> None:
        """Give what waits for links that are down for long to those that its routes name next."""
        for name in sorted({name for route in self._routes for name in route.links}):
            outlet = self._outlets[name]
            if outlet.down_since is not None and now - outlet.down_since > _PATIENCE_S:
                await self._empty(outlet, store)

    async def _empty(self, outlet: Outlet, store: Store) -> None:
        for kind in _MOVABLE:
            after, left = 0, True
            while left:
                async with store.unit() as unit:
                    if outlet.down_since is None:  # perhaps since a moment: it reads the store itself
                        return
                    page = await unit.outbox.unsent(outlet.name, after, _AT_ONCE, kind)
                    moved = await self._move(page, unit)
                after, left = page[-1].id if page else after, len(page) == _AT_ONCE
                self.distribute(moved)

    async def _move(self, messages: Sequence[Outgoing], unit: Unit) -> list[Outgoing]:
        """Move those for which there is a link that is up, and return them as they are now."""
        moved = []
        for message in messages:
            station = self.way_to(message.msisdn)
            if station and self._outlets[station.name].down_since is None:
                moved.append(message._replace(link=station.name))
        for name, those in _by_link(moved).items():
            await unit.outbox.move([message.id for message in those], name)
            log.warning("messages leave by another link", link=messages[0].link, by=name, messages=len(those))
        return moved


def _by_link(messages: Sequence[Outgoing]) -> dict[str, list[Outgoing]]:
    by_link: dict[str, list[Outgoing]] = {}
    for message in messages:
        by_link.setdefault(message.link, []).append(message)
    return by_link
