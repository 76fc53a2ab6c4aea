"""A dialogue in every dialect from a phone of the simulator to the menu and back, with sockets and a store between."""

import asyncio
from pathlib import Path

import pytest

from data.opening import open_store
from data.seed import seed
from gateway.daemon import Gateway
from gateway.dialect import profile_names
from gateway.settings import Settings, parse_settings
from smpp_sim.settings import Account, SimulatorSettings
from smpp_sim.simulator import Simulator

PHONE = "79260000003"
TIMEOUT_S = 40
ACCOUNT = {"system_id": "gw", "password": "secret"}


async def settings(folder: Path, **link: object) -> Settings:
    store = open_store(f"sqlite:///{folder}/x.db")
    await seed(store, 10)
    await store.close()
    return parse_settings(
        {
            "store": f"sqlite:///{folder}/x.db",
            "admin": {"listen": "127.0.0.1:0"},
            "links": [{"name": "ussdc", "reconnect_first_s": 0.01, **ACCOUNT, **link}],
        }
    )


async def converse(simulator: Simulator) -> None:
    """Dial, answer, read the balance; then dial, give up, and dial once more."""
    await simulator.wait_bound("gw")
    phone = simulator.phone(PHONE)
    phone.dial("*105#")
    assert (await phone.screen()).kind == "ask"
    phone.answer("1")
    last = await phone.screen()
    assert (last.kind, "523,40" in last.text) == ("end", True), last
    phone.press_ok()
    phone.dial("*105#")
    await phone.screen()
    phone.cancel()
    phone.dial("*100#")
    last = await phone.screen()
    assert (last.kind, "523,40" in last.text) == ("end", True), last


@pytest.mark.parametrize("deliver_by", ["deliver_sm", "data_sm"])
@pytest.mark.parametrize("dialect", profile_names())
def test_a_dialogue_over_a_link_that_the_gateway_binds(dialect: str, deliver_by: str, tmp_path: Path) -> None:
    async def run() -> None:
        account = Account(**ACCOUNT, dialect=dialect, deliver_by=deliver_by)
        async with (
            asyncio.timeout(TIMEOUT_S),
            Simulator(SimulatorSettings(smpp_port=0, http_port=0, accounts=(account,))) as simulator,
            Gateway(await settings(tmp_path, connect=f"127.0.0.1:{simulator.smpp_port}", dialect=dialect)),
        ):
            await converse(simulator)

    asyncio.run(run())


@pytest.mark.parametrize("dialect", profile_names())
def test_a_dialogue_over_a_link_that_the_centre_binds(dialect: str, tmp_path: Path) -> None:
    async def run() -> None:
        link = {"role": "smsc", "listen": "127.0.0.1:0", "dialect": dialect}
        async with asyncio.timeout(TIMEOUT_S), Gateway(await settings(tmp_path, **link)) as gateway:
            (listener,) = gateway.listeners.values()
            account = Account(**ACCOUNT, dialect=dialect, connect=f"127.0.0.1:{listener.port}")
            ports = {"smpp_port": 0, "http_port": 0}
            async with Simulator(SimulatorSettings(**ports, accounts=(account,))) as simulator:
                await converse(simulator)

    asyncio.run(run())
