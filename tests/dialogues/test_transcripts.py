"""Golden transcripts: every screen, node and length of the service. `make golden` rewrites them; read the diff."""

from collections.abc import Callable
from pathlib import Path

import pytest

from smpp_sim.transcripts import transcript
from tests.dialogues.tester import Played


def test_transcript(
    transcript_path: Path, play_once: Callable[[Path], Played], pytestconfig: pytest.Config
) -> None:
    played = play_once(transcript_path)
    if pytestconfig.getoption("--golden"):
        transcript_path.write_text(transcript.write(played.happened), "utf-8")
    else:
        compare(played, transcript_path.name)


def compare(played: Played, name: str) -> None:
    """Fail with the difference between what was expected and what was shown, if there is one."""
    difference = played.difference(name)
    if difference:
        pytest.fail(difference, pytrace=False)
