"""Which link a message leaves by that answers no question: the routes of the settings.

An answer leaves by the link that brought the question, whatever happens: nobody else knows the dialogue. A message
that begins with us (a password, a notice, a mailing) goes where the routes say, to the first link that is up; what
waits for a link that stays down is given to the next one of its route.
"""

from collections.abc import Mapping, Sequence

import structlog

from data.model import Outgoing
from data.store import Store
from gateway.links import Link
from gateway.settings import Route
from gateway.work import Station, Transaction

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
                return next((link for link in links if link.down_since is None), links[0]).station
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
        """Give what waits for links that are down for long to the next of their routes that is up."""
        for _, links in self._routes:
            up = next((link for link in links if link.down_since is None), None)
            for link in links:
                if up and link.down_since is not None and now - link.down_since > _PATIENCE_S:
                    await self._move(link, up, store, transaction)

    async def _move(self, link: Link, up: Link, store: Store, transaction: Transaction) -> None:
        moved: list[Outgoing] = []
        async with transaction:
            for kind in _MOVABLE:
                if link.down_since is not None:  # it has bound meanwhile, and reads the store itself
                    moved += await store.reroute(link.name, up.name, kind, _AT_ONCE)
        if moved:
            log.warning("messages leave by another link", link=link.name, by=up.name, messages=len(moved))
            up.deliver(moved)
