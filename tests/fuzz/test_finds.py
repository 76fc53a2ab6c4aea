"""What the fuzzer ever learned or broke, once more and without it: each input runs through its target."""

import pytest

from tests.fuzz.fuzz import CORPUS, FINDS, corpus, seeds
from tests.fuzz.targets import TARGETS

# atheris names them TARGET-crash-DIGEST, TARGET-timeout-DIGEST …; whoever mends one may rename the end.
FOUND = sorted(file for file in FINDS.iterdir() if file.name.partition("-")[0] in TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_what_it_learned(target: str):
    """The corpus reaches every branch that the fuzzer could reach: a regression shows here first."""
    inputs = corpus(target)
    assert inputs, f"tests/fuzz/corpus/{target}.txt is empty: make fuzz"
    for octets in [*inputs, *seeds(target), b""]:
        _run(target, octets, "corpus")


def _run(target: str, octets: bytes, where: str) -> None:
    try:
        TARGETS[target](octets)
    except Exception as problem:
        raise AssertionError(f"{target}, {where}: {octets.hex()}") from problem


def test_what_it_broke():
    for file in FOUND:
        _run(file.name.partition("-")[0], file.read_bytes(), file.name)


def test_every_target_has_a_corpus_and_no_corpus_is_an_orphan():
    assert {file.stem for file in CORPUS.glob("*.txt")} == set(TARGETS)
