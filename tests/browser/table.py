"""What is on the table: the simulator with its pages, our gateway, an application without logic, and the browser.

`*105#` goes to our gateway; what begins with `*900` to the application, which says what the test tells it to.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import ConsoleMessage, Page, WebError, expect

from data.opening import open_store
from data.seed import seed
from gateway.daemon import Gateway
from gateway.settings import Settings, parse_settings
from smpp_sim.settings import Account, NetworkSettings, SimulatorSettings
from smpp_sim.simulator import Simulator
from tests.browser.handset import Handset
from tests.unit.smpp_sim.sim_scene import SPEC, WireEsme

SUBSCRIBERS = 10
# Those of data/seed.py.
RUSSIAN, ENGLISH, LATIN = "79260000003", "79260000002", "79260000004"
PASSWORD = "q7Wz-k3X"
"""Of the gateway's bind; it may turn up nowhere."""
CODE = "*900#"
"""What the application serves."""

BOUND_S = 10


class Table:
    """`open` puts phones on it. `expected` are beginnings of what the console may say without being a failure."""

    def __init__(self, simulator: Simulator, gateway: Gateway, esme: WireEsme, page: Page):
        self.simulator, self.gateway, self.esme = simulator, gateway, esme
        self.context, self._page = page.context, page
        self.expected: list[str] = []
        self._said: list[str] = []
        self.context.on("console", self._hear)
        self.context.on("weberror", self._hear_error)

    @property
    def complaints(self) -> list[str]:
        """What the pages complained of, beside what was expected."""
        return [line for line in self._said if not any(words in line for words in self.expected)]

    @property
    def api(self) -> httpx.AsyncClient:
        """For the control API."""
        return httpx.AsyncClient(base_url=self.simulator.url, trust_env=False)

    async def page(self) -> Page:
        """An empty page: the one that is there already, then new ones."""
        page, self._page = self._page, None
        return page or await self.context.new_page()

    async def open(self, *msisdns: str) -> Page:
        """The page with these phones, all of them in touch with the simulator."""
        page = await self.page()
        await page.goto(f"{self.simulator.url}/?phones={','.join(msisdns)}")
        for msisdn in msisdns:
            await Handset(page, msisdn).is_there()
        return page

    async def phone(self, msisdn: str = RUSSIAN) -> Handset:
        """A page with this phone alone."""
        return Handset(await self.open(msisdn), msisdn)

    async def push(self, msisdn: str, text: str, kind: str = "push_ask") -> None:
        """The application speaks first; its text in ASCII."""
        await self.esme.submit(SPEC.push(msisdn, "900", text, kind))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._said.append(f"{message.text} {message.location.get('url', '')}".strip())

    def _hear_error(self, error: WebError) -> None:
        self._said.append(str(error.error))

    def leave(self) -> None:
        """Listen to the browser no more; it goes on to the next table."""
        self.context.remove_listener("console", self._hear)
        self.context.remove_listener("weberror", self._hear_error)


@asynccontextmanager
async def laid(page: Page, folder: Path, changes: dict[str, Any]) -> AsyncIterator[Table]:
    """A table for one test; `changes` are of the simulator's settings."""
    async with AsyncExitStack() as stack:
        simulator = await stack.enter_async_context(Simulator(_simulator(changes)))
        gateway = await stack.enter_async_context(Gateway(await _gateway(simulator.smpp_port, folder)))
        simulator.centre.gateway_admin = f"http://127.0.0.1:{gateway.admin_port}"
        await simulator.wait_bound("gw", BOUND_S)
        esme = await WireEsme.bind(simulator.smpp_port, "app", "secret")
        stack.push_async_callback(esme.cut)
        yield Table(simulator, gateway, esme, page)


def _simulator(changes: dict[str, Any]) -> SimulatorSettings:
    network = NetworkSettings(**changes.get("network", {}))
    accounts = (Account("gw", PASSWORD), Account("app", "secret", serves=("900", "*900")))
    fixed = {"smpp_port": 0, "http_port": 0, "smtp_port": 0, "accounts": accounts}
    return SimulatorSettings(**(fixed | changes | {"network": network}))


async def _gateway(port: int, folder: Path) -> Settings:
    url = f"sqlite:///{folder / 'browser.db'}"
    store = open_store(url)
    await seed(store, SUBSCRIBERS)
    await store.close()
    link = {
        "name": "sim",
        "connect": f"127.0.0.1:{port}",
        "system_id": "gw",
        "password": PASSWORD,
        "reconnect_first_s": 0.01,
        "reconnect_max_s": 0.05,
    }
    return parse_settings({"store": url, "admin": {"listen": "127.0.0.1:0"}, "links": [link]})


async def panel(page: Page, name: str) -> Any:
    """Open a panel beside the phones; its section."""
    button = page.locator(f'button[data-panel="{name}"]')
    if await button.get_attribute("aria-expanded") != "true":
        await button.click()
    section = page.locator(f"section#{name}")
    await expect(section).to_be_visible()
    return section
