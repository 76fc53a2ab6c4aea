"""Golden exchanges: what passes between a centre and the gateway in each dialect, octet by octet.

``pytest tests/dialects --golden`` rewrites the files; read the diff beside the vendor's document. They prove that the
two sides of a profile understand each other and that nothing changes unnoticed. What is from a live link stands in
``captured.pdus``, which nothing rewrites.
"""

import re
from pathlib import Path

import pytest

from gateway.dialect import load_profile, profile_names
from gateway.smpp.pdu import decode, encode
from tests.dialects.scenes import scenes_of
from tests.dialects.stage import described, reading

HERE = Path(__file__).parent
CAPTURED = HERE / "captured.pdus"


def _head(name: str) -> list[str]:
    file = load_profile(name).file
    return [
        f"# {name}: {file.title}. Trust: {file.trust}.",
        "# Origin of the octets: written by this profile, not captured. -> to the gateway, <- to the centre.",
        "# Rewritten by: pytest tests/dialects --golden",
    ]


@pytest.mark.parametrize("name", profile_names())
def test_the_exchange_of_a_dialect_octet_by_octet(name: str, request: pytest.FixtureRequest) -> None:
    played = "\n".join([*_head(name), *scenes_of(name)]) + "\n"
    path = HERE / f"{name}.pdus"
    if request.config.getoption("--golden"):
        path.write_text(played, "utf-8")
    assert path.exists(), f"no {path.name} yet: pytest tests/dialects --golden writes it"
    assert played.splitlines() == path.read_text("utf-8").splitlines()


@pytest.mark.parametrize("path", sorted(HERE.glob("*.pdus")), ids=lambda path: path.stem)
def test_what_is_written_down_means_what_stands_beside_it(path: Path) -> None:
    """Each PDU of a file is decoded anew, described, encoded again, and read if it goes to the gateway."""
    checked, dialect = 0, path.stem
    lines = path.read_text("utf-8").splitlines()
    for at, line in enumerate(lines):
        if found := re.match(r"# in dialect (\S+)", line):
            dialect = found[1]
        if not re.match(r"(->|<-) [0-9a-f]+$", line):
            continue
        profile, octets = load_profile(dialect), bytes.fromhex(line[3:])
        pdu = decode(octets)
        assert encode(pdu) == octets
        assert described(pdu) == lines[at + 1]
        if line.startswith("->"):
            assert reading(profile.read(pdu)) == lines[at + 2]
        else:
            assert profile.interpret(pdu) is not None
        checked += 1
    assert checked


def test_no_exchange_of_a_dialect_that_is_gone() -> None:
    written = {path.stem for path in HERE.glob("*.pdus")} - {CAPTURED.stem}
    assert written == set(profile_names())


def test_every_dialect_is_in_the_table_of_the_reference() -> None:
    page = (HERE.parents[1] / "docs/reference/dialect-profiles.md").read_text("utf-8")
    table = page.split("## The profiles that come along")[1].split("\n## ")[0]
    assert sorted(re.findall(r"^\| ([a-z0-9-]+) \|", table, re.MULTILINE)) == profile_names()
