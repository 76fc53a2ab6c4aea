"""Our two ends, each started in the test's own loop on free ports of 127.0.0.1."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from data.seed import seed
from data.sqlite import open_store
from gateway.daemon import Gateway
from gateway.settings import parse_settings
from smpp_sim.settings import NetworkSettings, SimulatorSettings
from smpp_sim.simulator import Simulator

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
    return Simulator(settings)


@contextlib.asynccontextmanager
async def gateway(port: int, folder: Path, **link: Any) -> AsyncIterator[Gateway]:
    """A gateway with one link, `peer`, to the SMSC on this port, and a fresh store in `folder`."""
    url = f"sqlite:///{folder / 'peers.db'}"
    store = open_store(url)
    await seed(store, SUBSCRIBERS)
    await store.close()
    tables = {
        "store": url,
        "admin": {"listen": "127.0.0.1:0"},
        "links": [
            {
                "name": "peer",
                "connect": f"127.0.0.1:{port}",
                "system_id": "gw",
                "password": "secret",
                "reconnect_first_s": 0.01,
                "reconnect_max_s": 0.05,
                **link,
            }
        ],
    }
    async with Gateway(parse_settings(tables)) as running:
        yield running
