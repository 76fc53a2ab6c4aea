from pathlib import Path

import pytest

TRANSCRIPTS = sorted(Path(__file__).parent.glob("*.ussd"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "transcript_path" in metafunc.fixturenames:
        metafunc.parametrize("transcript_path", TRANSCRIPTS, ids=[path.stem for path in TRANSCRIPTS])
