import pytest
from hypothesis import settings

from menus.loader import load
from menus.model import Menu
from tests.unit.menus.scene import SELFCARE, Phone

# How long an example takes says nothing on a machine that does other things.
settings.register_profile("without a clock", deadline=None)
settings.load_profile("without a clock")


@pytest.fixture(scope="session")
def selfcare() -> Menu:
    return load(SELFCARE)


@pytest.fixture
def phone(selfcare: Menu) -> Phone:
    return Phone(selfcare)
