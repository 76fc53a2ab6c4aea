"""Our programs, each in a role that it plays, with a hand-written peer before it.

``async with staged(role, folder) as end:`` starts the real program. `end.bound()` is a connection on which it is bound;
what it takes (`end.takes`) and what it sends (`end.gives`) is deliver_sm or submit_sm, by the role.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

from data.opening import open_store
from data.seed import seed
from gateway.daemon import Gateway
from gateway.settings import parse_settings
from smpp_sim.settings import SimulatorSettings
from smpp_sim.simulator import Simulator
from tests.conformance.octets import (
    BIND_TRANSCEIVER,
    DELIVER_SM,
    ROK,
    SC_INTERFACE_VERSION,
    SUBMIT_SM,
    Raw,
    bind,
    c_string,
    dial,
    frame,
    message,
    response,
    tlv,
)
from tests.conformance.peer import PATIENCE_S, Peer

SUBSCRIBERS = 40
ANY_PORT = "127.0.0.1:0"


def msisdn(i: int) -> str:
    """The number of the seeded subscriber `i`."""
    return str(79260000000 + i)


class End:
    """What the tests ask of either role. Options of `staged` are window, session_init_s, enquire_link_s, response_s."""

    takes: int
    gives: int
    listens: bool
    """Whether the peer opens the connections."""

    def __init__(self, folder: Path, **options: Any):
        self.folder = folder
        self.options = options
        self.peers: list[Peer] = []

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """The peers go first, then the program stops at once."""
        for peer in self.peers:
            await peer.close()
        await self.stop()

    async def start(self) -> None:
        raise NotImplementedError

    async def stop(self) -> None:
        raise NotImplementedError

    async def connect(self) -> Peer:
        """A new connection, before its bind."""
        raise NotImplementedError

    async def connect_to(self, port: int) -> Peer:
        """A connection that the peer opens."""
        peer = Peer(*await asyncio.open_connection("127.0.0.1", port))
        self.peers.append(peer)
        return peer

    async def opening(self, peer: Peer, kind: int = BIND_TRANSCEIVER, version: int = 0x34) -> bytes:
        """What the peer has to write for the bind: its request, or the response to the program's."""
        raise NotImplementedError

    async def opened(self, peer: Peer) -> None:
        """Make sure that the bind was taken."""

    async def bound(self, kind: int = BIND_TRANSCEIVER, version: int = 0x34) -> Peer:
        """A new connection on which the program is bound; `version` is the peer's."""
        peer = await self.connect()
        peer.write(await self.opening(peer, kind, version))
        await self.opened(peer)
        return peer

    def hello(self, i: int = 3, session: int = 1) -> bytes:
        """The body of a message that the program takes."""
        raise NotImplementedError

    async def provoke(self, peer: Peer, i: int = 3, session: int = 1) -> Raw:
        """The request that the program sends because something happened to the subscriber `i`."""
        await self.stir(peer, i, session)
        return await peer.request(self.gives)

    async def stir(self, peer: Peer, i: int = 3, session: int = 1) -> None:
        """Have that happen."""
        raise NotImplementedError

    async def begin_stop(self) -> asyncio.Task[None]:
        """Tell the program to stop; done when it has."""
        return asyncio.create_task(self.stop())


class Listening(End):
    """Role SMSC: the peer is an ESME, connects and binds."""

    takes, gives, listens = SUBMIT_SM, DELIVER_SM, True
    port: int

    async def connect(self) -> Peer:
        return await self.connect_to(self.port)

    async def opening(self, peer: Peer, kind: int = BIND_TRANSCEIVER, version: int = 0x34) -> bytes:
        return frame(kind, 1, bind(version=version))

    async def opened(self, peer: Peer) -> None:
        answer = await peer.response(1)
        assert answer.status == ROK, answer


class _OfGateway(End):
    """A gateway with one link, and a store of its own."""

    gateway: Gateway | None = None

    async def launch(self, **link: Any) -> None:
        self.url = f"sqlite:///{self.folder / 'conformance.db'}"
        store = open_store(self.url)
        await seed(store, SUBSCRIBERS)
        await store.close()
        keys = ("window", "enquire_link_s", "response_s", "connect_s", "reconnect_first_s", "reconnect_max_s")
        link |= {key: self.options[key] for key in keys if key in self.options} | self.options.get("link", {})
        if "session_init_s" in self.options:
            link["connect_s"] = self.options["session_init_s"]
        soon = {"reconnect_first_s": 0.01, "reconnect_max_s": 0.05}
        table = {"name": "peer", "system_id": "gw", "password": "secret", **soon, **link}
        tables = {"store": self.url, "admin": {"listen": ANY_PORT}, "links": [table]}
        self.gateway = Gateway(parse_settings(tables))
        await self.gateway.__aenter__()

    async def stop(self) -> None:
        gateway, self.gateway = self.gateway, None
        if gateway:
            await gateway.__aexit__()

    def counted(self, metric: str, **labels: str) -> float:
        """What the gateway counted: the sum over the labels that are not given."""
        families = self.gateway.metrics.registry.collect()
        samples = [sample for family in families for sample in family.samples]
        return sum(
            sample.value
            for sample in samples
            if sample.name == f"starpound_{metric}_total" and labels.items() <= sample.labels.items()
        )

    def hello(self, i: int = 3, session: int = 1) -> bytes:
        return dial(msisdn(i), session=session)

    async def stir(self, peer: Peer, i: int = 3, session: int = 1) -> None:
        """Dial a code; once it is acknowledged, the answer is on its way."""
        assert (await peer.ask(self.takes, self.hello(i, session))).status == ROK


class GatewayAsEsme(_OfGateway):
    """The gateway binds; the peer is a scripted SMSC that listens."""

    takes, gives, listens = DELIVER_SM, SUBMIT_SM, False

    async def start(self) -> None:
        self._waiting: asyncio.Queue[Peer] = asyncio.Queue()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        await self.launch(connect=f"127.0.0.1:{port}")

    async def stop(self) -> None:
        self._server.close()
        await super().stop()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        self.peers.append(peer)
        await self._waiting.put(peer)

    async def connect(self) -> Peer:
        async with asyncio.timeout(PATIENCE_S):
            return await self._waiting.get()

    async def opening(self, peer: Peer, kind: int = BIND_TRANSCEIVER, version: int = 0x34) -> bytes:
        request = await peer.request(kind)
        return response(request, ROK, c_string("SMSC") + tlv(SC_INTERFACE_VERSION, bytes([version])))


class GatewayAsSmsc(_OfGateway, Listening):
    """The gateway listens; the peer is a USSD centre that binds to it."""

    async def start(self) -> None:
        await self.launch(role="smsc", listen=ANY_PORT)
        self.port = self.gateway.listeners[ANY_PORT].port


class SimulatorAsSmsc(Listening):
    """The simulator listens; the peer is an application that binds to it."""

    async def start(self) -> None:
        options = dict(self.options)
        options.pop("connect_s", None)
        if "window" in options:
            options["peer_window"] = options["window"]
        settings = SimulatorSettings(smpp_port=0, http_port=0, stop_s=PATIENCE_S, **options)
        self.simulator = Simulator(settings)
        await self.simulator.start()
        self.port = self.simulator.smpp_port

    async def stop(self) -> None:
        await self.simulator.stop()

    def hello(self, i: int = 3, session: int = 1) -> bytes:
        return message("105", msisdn(i), b"hello")

    async def stir(self, peer: Peer, i: int = 3, session: int = 1) -> None:
        """A phone of its own for each, since one that is busy does not dial."""
        self.simulator.phone(msisdn(1000 * session + i)).dial("*100#")


ROLES: dict[str, type[End]] = {
    "gateway as ESME": GatewayAsEsme,
    "gateway as SMSC": GatewayAsSmsc,
    "simulator as SMSC": SimulatorAsSmsc,
}
ESME = [name for name, end in ROLES.items() if not end.listens]
SMSC = [name for name, end in ROLES.items() if end.listens]
SIMULATOR = [name for name, end in ROLES.items() if end is SimulatorAsSmsc]
GATEWAY = [name for name, end in ROLES.items() if issubclass(end, _OfGateway)]


@contextlib.asynccontextmanager
async def staged(role: str, folder: Path, **options: Any) -> AsyncIterator[Any]:
    """The program in this role, running."""
    async with ROLES[role](folder, **options) as end:
        yield end
