import asyncio
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from data.opening import open_store
from tests.dialogues.tester import STORE, Played, play

TRANSCRIPTS = sorted(Path(__file__).parent.glob("*.ussd"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "transcript_path" in metafunc.fixturenames:
        metafunc.parametrize("transcript_path", TRANSCRIPTS, ids=[path.stem for path in TRANSCRIPTS])


@pytest.fixture(scope="session")
def new_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes folders, each with an empty store: filling in the catalogue takes longer than a conversation."""
    template = tmp_path_factory.mktemp("empty") / STORE
    asyncio.run(open_store(f"sqlite:///{template}").close())

    def make(name: str) -> Path:
        folder = tmp_path_factory.mktemp(name)
        shutil.copy(template, folder)
        return folder

    return make


@pytest.fixture(scope="session")
def play_once(new_folder: Callable[[str], Path]) -> Callable[[Path], Played]:
    """Plays a transcript, or remembers how it went: the tests of coverage look at all of them."""
    return cache(lambda path: play(path.read_bytes(), path.name, new_folder(path.stem)))


@pytest.fixture(scope="session")
def all_played(play_once: Callable[[Path], Played]) -> dict[str, Played]:
    """Every transcript, by the name of its file."""
    return {path.name: play_once(path) for path in TRANSCRIPTS}
