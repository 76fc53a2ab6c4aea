"""Golden transcripts: every screen, node and length of the service. `make golden` rewrites them; read the diff."""

import difflib
from pathlib import Path

import pytest

from smpp_sim import transcript
from tests.dialogues.tester import play


def test_transcript(transcript_path: Path, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    said, happened = play(transcript_path, tmp_path)
    expected, actual = transcript.write(said), transcript.write(happened)
    if pytestconfig.getoption("--golden"):
        transcript_path.write_text(actual, "utf-8")
        return
    diff = difflib.unified_diff(
        expected.splitlines(), actual.splitlines(), f"{transcript_path.name} (expected)", "what was shown", lineterm=""
    )
    if expected != actual:
        pytest.fail("\n".join(diff), pytrace=False)
