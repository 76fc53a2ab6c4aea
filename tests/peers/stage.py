"""Our two ends, each started in the test's own loop on free ports of 127.0.0.1, a relay that records before each."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from data.opening import open_store
from data.seed import seed
from gateway.daemon import Gateway
from gateway.settings import Settings, parse_settings
from smpp_sim.settings import NetworkSettings, SimulatorSettings
from smpp_sim.simulator import Simulator
from tests.peers.relay import Relay

SUBSCRIBERS = 20
# The first ones of data/seed.py.
RUSSIAN, RUSSIAN_BALANCE = "79260000003", "523,40"
ENGLISH, ENGLISH_BALANCE = "79260000002", "741.05"
OTHERS = ("79260000001", "79260000006", "79260000007")


def simulator(network: dict[str, Any] | None = None, **changes: Any) -> Simulator:
    """A simulator for `async with`; gw with the password secret may bind."""
    settings = SimulatorSettings(
        smpp_port=0, http_port=0, network=NetworkSettings(**(network or {})), **changes
    )
    return RecordedSimulator(settings)


class RecordedSimulator(Simulator):
    """A simulator whose `smpp_port` is that of the relay before it."""

    _relay: Relay | None = None

    async def start(self) -> None:
        """Start the simulator, then the relay."""
        await super().start()
        self._relay = Relay(self.smpp_port, "smsc")
        await self._relay.start()
        self.smpp_port = self._relay.port

    async def stop(self) -> None:
        """Stop the simulator, then the relay."""
        await super().stop()
        if self._relay:
            await self._relay.stop()


@contextlib.asynccontextmanager
async def gateway(port: int, folder: Path, **link: Any) -> AsyncIterator[Gateway]:
    """A gateway with one link, `peer`, to the SMSC on this port, and a fresh store in `folder`."""
    async with Relay(port, "esme") as relay:
        reconnect = {"reconnect_first_s": 0.01, "reconnect_max_s": 0.05}
        link = {"connect": f"127.0.0.1:{relay.port}", **reconnect, **link}
        async with Gateway(await _settings(folder, link)) as running:
            yield running


@contextlib.asynccontextmanager
async def listening_gateway(folder: Path, **link: Any) -> AsyncIterator[tuple[int, Gateway]]:
    """A gateway whose one link, `peer`, listens: the port at which gw may bind with the password secret."""
    async with Relay(0, "smsc") as relay:
        link = {"role": "smsc", "listen": "127.0.0.1:0", **link}
        async with Gateway(await _settings(folder, link)) as running:
            relay.smsc_port = running.listeners[link["listen"]].port
            yield relay.port, running


async def _settings(folder: Path, link: dict[str, Any]) -> Settings:
    url = f"sqlite:///{folder / 'peers.db'}"
    store = open_store(url)
    await seed(store, SUBSCRIBERS)
    await store.close()
    link = {"name": "peer", "system_id": "gw", "password": "secret", **link}
    return parse_settings({"store": url, "admin": {"listen": "127.0.0.1:0"}, "links": [link]})
