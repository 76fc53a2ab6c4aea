"""Each application is a process of its own, as it is in production; the tests only know its port."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
STARPOUND = shutil.which("starpound") or Path(sys.executable).with_name("starpound")


@pytest.fixture
def shop(smsc):
    """shop.py, bound."""
    process = subprocess.Popen([sys.executable, HERE.parent / "shop.py", smsc.host, str(smsc.port)])
    smsc.wait_bound()
    yield process
    process.terminate()
    process.wait()


GATEWAY = """
store = "sqlite:///{folder}/service.db"

[admin]
listen = "127.0.0.1:0"

[[links]]
name = "ussdc"
connect = "{smsc.host}:{smsc.port}"
system_id = "{smsc.system_id}"
password = "{smsc.password}"
"""


@pytest.fixture
def gateway(smsc, tmp_path):
    """A gateway with the self-care service and ten subscribers, bound."""
    settings = tmp_path / "gateway.toml"
    settings.write_text(GATEWAY.format(folder=tmp_path, smsc=smsc))
    seed = [STARPOUND, "seed", "--store", f"sqlite:///{tmp_path}/service.db", "--subscribers", "10"]
    subprocess.run(seed, check=True)
    process = subprocess.Popen([STARPOUND, "serve", "--config", settings])
    smsc.wait_bound(timeout_s=30)
    yield process
    process.terminate()
    process.wait()
