"""A simulator, our own gateway with subscribers before it, and a scenario between them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from data.opening import open_store
from data.seed import seed
from gateway.daemon import Gateway
from gateway.settings import Settings, parse_settings
from smpp_sim.scenarios.run import ScenarioRun, settings_for
from smpp_sim.scenarios.scenario import Scenario
from smpp_sim.scenarios.summary import Summary
from smpp_sim.settings import Account, SimulatorSettings
from smpp_sim.simulator import Simulator

EXAMPLES = Path(__file__).parents[2] / "examples/scenarios"
SUBSCRIBERS = 40
LINK = {
    "name": "peer",
    "system_id": "gw",
    "password": "secret",
    "reconnect_first_s": 0.05,
    "reconnect_max_s": 0.2,
    "response_s": 2.0,
    "enquire_link_s": 2.0,
}


def settings(dialect: str = "spec") -> SimulatorSettings:
    """Free ports, and the gateway's account in that dialect."""
    account = Account(LINK["system_id"], LINK["password"], dialect=dialect)
    return SimulatorSettings(smpp_port=0, http_port=0, accounts=(account,))


async def played(scenario: Scenario, folder: Path, dialect: str = "spec", **link: Any) -> Summary:
    """What comes of the scenario with our gateway, whose store is made in `folder`."""
    async with Simulator(settings_for(scenario, settings(dialect))) as simulator:
        connect = {"connect": f"127.0.0.1:{simulator.smpp_port}", "dialect": dialect}
        async with gateway(folder, LINK | connect | link):
            await simulator.wait_bound("gw", timeout_s=10)
            return await ScenarioRun(simulator.centre, scenario).run()


@asynccontextmanager
async def gateway(folder: Path, link: dict[str, Any]) -> AsyncIterator[Gateway]:
    """Our gateway with one link, and subscribers."""
    async with Gateway(await _settings(folder, link)) as running:
        yield running


async def _settings(folder: Path, link: dict[str, Any]) -> Settings:
    url = f"sqlite:///{folder / 'starpound.db'}"
    store = open_store(url)
    await seed(store, SUBSCRIBERS)
    await store.close()
    return parse_settings({"store": url, "admin": {"listen": "127.0.0.1:0"}, "links": [link]})
