"""The stores that the tests of the contract (test_store_contract*.py) run on; a new implementation is a line here."""

import pytest

from data.model import NewSubscriber
from data.opening import open_store

# Each takes a folder of its own and answers with the URL of a store that is empty.
STORES = {
    "file": lambda folder: f"sqlite:///{folder}/store.db",
    "memory": lambda folder: "sqlite://",
}
# Those that are the same store when they are opened again.
LASTING = STORES.keys() - {"memory"}


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(params=STORES)
async def store(request, tmp_path):
    """Each store in turn, empty."""
    opened = open_store(STORES[request.param](tmp_path))
    yield opened
    await opened.close()


@pytest.fixture(params=sorted(LASTING))
def reopen(request, tmp_path):
    """Open one and the same store, again and again; close what is open before the test ends."""
    url = STORES[request.param](tmp_path)
    return lambda: open_store(url)


@pytest.fixture
async def unit(store):
    """A unit of work that is open for the length of the test."""
    async with store.unit() as opened:
        yield opened


@pytest.fixture
def facts(unit):
    return unit.facts


@pytest.fixture
def outbox(unit):
    return unit.outbox


@pytest.fixture
def inbox(unit):
    return unit.inbox


@pytest.fixture
def jobs(unit):
    return unit.jobs


@pytest.fixture
def url(tmp_path):
    """Of a store in a file, for what is particular to SQLite."""
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
def new():
    """Make a subscriber for import: private, on «smart», 500 roubles, unless said otherwise."""

    def make(msisdn: str, **changes) -> NewSubscriber:
        plain = NewSubscriber(
            msisdn,
            None,
            "ru",
            "cyrillic",
            False,
            "smart",
            50_000,
            None,
            0,
            4,
            packages_left_percent=50,
        )
        return plain._replace(**changes)

    return make


@pytest.fixture
def people(new):
    """A private number and two of a contract, one of which has a budget of its own."""
    employee = new(
        "79260000010", tariff="corporate-vip", contract="8000000000005001", balance_kopecks=200_000
    )
    return [
        new("79260000003"),
        employee._replace(budget_limit_kopecks=100_000, budget_spent_kopecks=20_000),
        employee._replace(msisdn="79260000020"),
    ]
