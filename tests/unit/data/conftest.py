import pytest

from data.model import NewSubscriber
from data.sqlite import open_store


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
