import pytest

from data.model import NewSubscriber
from data.sqlite import open_store

# The implementations of the Store, for the tests of its contract (test_store_contract*.py):
# each takes a folder of its own and answers with a function that opens one and the same store again and again.
IMPLEMENTATIONS = {
    "sqlite": lambda folder: lambda: open_store(f"sqlite:///{folder}/store.db"),
}


@pytest.fixture(params=IMPLEMENTATIONS)
def implementation(request, tmp_path):
    return IMPLEMENTATIONS[request.param](tmp_path)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
async def store(url):
    opened = open_store(url)
    yield opened
    await opened.close()


@pytest.fixture
def new():
    """Make a subscriber for import: private, on «smart», 500 roubles, unless said otherwise."""

    def make(msisdn: int, **changes) -> NewSubscriber:
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
