"""Which link a message leaves by that answers no question: the routes of the settings.

An answer leaves by the link that brought the question, be it a screen or an SMS. A message
that begins with us (a password, a notice, a mailing) goes where the routes say, to the first link that is up; what
waits for a link that stays down is given to the next one of its route.
"""

from collections.abc import Mapping, Sequence

import structlog

from data.model import Outgoing
from data.store import Store
from gateway.links.link import Link
from gateway.settings import Route
from gateway.turns.work import Station, Transaction

log = structlog.get_logger(__name__)

_AT_ONCE = 1000
_PATIENCE_S = 10.0  # a link that binds again within this keeps what waits for it
_MOVABLE = ("sms", "mailing")


class Routes:
    """The routes, over the links that they name."""

    def __init__(self, routes: Sequence[Route], links: Mapping[str, Link]):
        # The longest beginning first.
        self._routes = [
            (route.to, [links[name] for name in route.links])
            for route in sorted(routes, key=lambda route: -len(route.to))
        ]
        self._links = links

    def station(self, msisdn: str) -> Station | None:
        """Where a message to this number leaves; None: there is no route, it leaves by the link of the turn."""
        for beginning, links in self._routes:
            if msisdn.startswith(beginning):
                return next((link for link in links if link.up), links[0]).station
        return None

    def distribute(self, messages: Sequence[Outgoing]) -> None:
        """Hand what was committed to the links that it is for."""
        by_link: dict[str, list[Outgoing]] = {}
        for message in messages:
            by_link.setdefault(message.link, []).append(message)
        for name, those in by_link.items():
            if name in self._links:
                self._links[name].deliver(those)

    async def fail_over(self, store: Store, transaction: Transaction, now: float) -> None:
        """Give what waits for links that are down for long to those that its routes name next."""
        names = {link.name for _, links in self._routes for link in links}
        for name in sorted(names):
            link = self._links[name]
            if not link.up and now - link.outward.down_since > _PATIENCE_S:
                await self._empty(link, store, transaction)

    async def _empty(self, link: Link, store: Store, transaction: Transaction) -> None:
        for kind in _MOVABLE:
            after, page = 0, [None] * _AT_ONCE
            while len(page) == _AT_ONCE:
                async with transaction:
                    if link.up:  # perhaps since a moment: it reads the store itself
                        return
                    page = await store.unsent(link.name, after, _AT_ONCE, kind)
                    moved = await self._move(page, store)
                after = page[-1].id if page else after
                self.distribute(moved)

    async def _move(self, messages: Sequence[Outgoing], store: Store) -> list[Outgoing]:
        """Move those for which there is a link that is up; they are answered with as they are now."""
        by_link: dict[str, list[Outgoing]] = {}
        for message in messages:
            station = self.station(message.msisdn)
            if station and self._links[station.name].up:
                by_link.setdefault(station.name, []).append(message._replace(link=station.name))
        for name, those in by_link.items():
            await store.move([message.id for message in those], name)
            log.warning("messages leave by another link", link=messages[0].link, by=name, messages=len(those))
        return [message for those in by_link.values() for message in those]
