"""`starpound sim --child`: it says where it listens as JSON, and ends together with the program that started it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import IO

import httpx
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30
SIM = [sys.executable, "-m", "cli", "sim", "--smpp-port", "0", "--http-port", "0", "--mailbox-port", "0"]


def started(standard_input: int | IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*SIM, "--child"], cwd=ROOT, stdin=standard_input, stdout=subprocess.PIPE)


def test_it_says_where_it_listens_and_ends_with_its_input() -> None:
    with started(subprocess.PIPE) as process:
        where = json.loads(process.stdout.readline())
        about = httpx.get(f"{where['url']}/api", trust_env=False).json()
        assert (where["smpp_host"], where["smpp_port"]) == ("127.0.0.1", about["smpp_port"])
        assert where["smtp_port"] == about["smtp_port"] > 0
        process.stdin.write(b"nobody listens\n")
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("name", ["/dev/null", str(ROOT / "setup.cfg")])
def test_an_input_that_has_an_end_ends_it(name: str) -> None:
    with open(name, "rb") as file, started(file) as process:
        assert process.wait(PATIENCE_S) == 0
