import pytest

from data.opening import open_store

STORES = {
    "file": lambda folder: f"sqlite:///{folder}/store.db",
    "memory": lambda folder: "sqlite://",
}
"""The implementations of the Store, for the tests of its contract (test_store_contract*.py): a URL for each folder."""

FLEETING = {"memory"}
"""Those of them that are gone when they are closed."""


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(params=STORES)
def url(request, tmp_path):
    """A store of its own for each test. Where only some of them are meant, a file of tests has a `url` of its own."""
    return STORES[request.param](tmp_path)


@pytest.fixture(params=[name for name in STORES if name not in FLEETING])
def lasting_url(request, tmp_path):
    return STORES[request.param](tmp_path)


@pytest.fixture
def file_url(tmp_path):
    return STORES["file"](tmp_path)


@pytest.fixture
async def store(url):
    opened = open_store(url)
    yield opened
    await opened.close()


@pytest.fixture
async def unit(store):
    """An open unit of work, for verbs that are tried one after the other. It is committed at the end."""
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
