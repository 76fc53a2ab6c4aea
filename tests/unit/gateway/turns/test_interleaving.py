"""Units of work above a store whose verbs really wait, as a server database's do: nothing above it makes them queue."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from data.opening import open_store
from data.seed import seed
from data.store import Store, Unit
from gateway.daemon import load_menu
from gateway.dialect import load_profile
from gateway.settings import LinkSettings, Service
from gateway.smpp.pdu import decode, encode
from gateway.turns.dialogues import Dialogues
from gateway.turns.post import Post
from gateway.turns.reading import Arrival, arrive
from gateway.turns.station import station_of
from handlers import registry

SPEC = load_profile("spec")
CENTRES = ("north", "south")
STATIONS = {
    name: station_of(LinkSettings(name=name, connect="h:1", system_id="gw", password="x")) for name in CENTRES
}


class Waiting:
    """The verbs of one part of a unit; each gives way to others before it is done and after."""

    def __init__(self, part: Any):
        self._part = part

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._part, name)
        if not asyncio.iscoroutinefunction(verb):
            return verb

        async def wait(*args: Any, **more: Any) -> Any:
            await asyncio.sleep(0)
            answer = await verb(*args, **more)
            await asyncio.sleep(0)
            return answer

        return wait


class WaitingUnit(Waiting):
    """A unit all of whose verbs wait."""

    def __init__(self, unit: Unit):
        super().__init__(unit)
        for name in ("facts", "outbox", "inbox", "jobs"):
            setattr(self, name, Waiting(getattr(unit, name)))


class WaitingStore:
    """A store with units that wait, and that are asked for by `together` coroutines before the first is given."""

    def __init__(self, store: Store, together: int):
        self._store = store
        self._all_here = asyncio.Barrier(together)

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[WaitingUnit]:
        await self._all_here.wait()  # a lock above the store would let nobody else get here
        async with self._store.unit() as unit:
            yield WaitingUnit(unit)


def talk(centre: str) -> list[Arrival]:
    """A read of that centre's: two people of its own dial and answer, one orders."""
    first = 79_260_000_000 + 20 * CENTRES.index(centre)
    people = [str(first + i) for i in (1, 3, 4)]
    pdus = [SPEC.indicate(msisdn, "105", "*105#", "new", 1, 0) for msisdn in people[:2]]
    pdus += [SPEC.indicate(msisdn, "105", "3", "answer", 1, 2) for msisdn in people[:2]]
    pdus.append(SPEC.indicate(people[2], "105", "*105*503*11*1#", "new", 1, 0))
    return [arrive(pdu, encode(pdu), STATIONS[centre]) for pdu in pdus]


async def play(interleaved: bool) -> tuple[list[list[str]], list[Any]]:
    """What handsets see of both centres, and what the store holds in the end."""
    store = open_store("sqlite://")
    await seed(store, 40)
    given: Any = WaitingStore(store, together=2) if interleaved else store
    dialogues = Dialogues(given, Post(), load_menu(None), registry.OPERATIONS, Service(), lambda: 1e9)
    handled = [dialogues.handle(station, talk(name)) for name, station in STATIONS.items()]
    works = await asyncio.gather(*handled) if interleaved else [await one for one in handled]
    screens = [[SPEC.interpret(decode(sent.frame)).text for sent in work.answers] for work in works]
    async with store.view() as view:
        unsent = [[row.msisdn for row in await view.outbox.unsent(name, 0, 100)] for name in CENTRES]
        people = [request.pdu.source_addr for name in CENTRES for request in talk(name)]
        nodes = [record and record.node for record in [await view.inbox.dialogue(one) for one in people]]
        options = [await view.facts.options_on(one) for one in people]
    await store.close()
    return screens, [unsent, nodes, options]


def test_two_units_on_a_store_whose_verbs_wait_come_to_what_they_come_to_one_after_the_other():
    interleaved = asyncio.run(asyncio.wait_for(play(interleaved=True), 20))
    assert interleaved == asyncio.run(play(interleaved=False))
    screens, _ = interleaved
    assert [len(those) for those in screens] == [5, 5]
