"""Golden transcripts over the wire: `starpound replay` against the gateway, through the simulator and two sockets.

`tests/dialogues/test_transcripts.py` plays them all without the sockets. Here some of each kind are played; which
cannot be, and why, stands in NOT_ON_THE_WIRE. All need the owners that their ``@`` lines tell of, in a fresh store.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from data.opening import open_store
from gateway.daemon import Gateway
from gateway.settings import parse_settings
from smpp_sim.simulator import Simulator, SimulatorSettings
from smpp_sim.transcripts import transcript
from smpp_sim.transcripts.replay import Replayed, replay
from smpp_sim.transcripts.transcript import Passage, PickedUp
from tests.dialogues.conftest import TRANSCRIPTS
from tests.dialogues.tester import STORE, owner

DATES = "a date of the day on which the clock of the golden tests stands still"
TIME = "time passes unnoticed by the network: the phone still answers a dialogue that is over"
NOT_ON_THE_WIRE = {
    "menu": DATES,
    "options-change": DATES,
    "options-many": DATES,
    "options-menu": DATES,
    "options-on-off": DATES,
    "packages": DATES,
    "password-not-issued": TIME,
    "password-too-often": TIME,
    "sms-commands": DATES,
    "too-late": TIME,
}
PLAYED = (
    "balance.ru",
    "contract-empty.en",
    "dialled-anew.latin",
    "language-on-the-way.ru",
    "options-refused.ru",
    "password-sms.ru",
    "password-ussd.en",
    "two-phones.ru",
    "unknown-subscriber.ru",
    "wrong-input.ru",
)
FOLDER = Path(__file__).parent


def subject(path: Path) -> str:
    return path.name.partition(".")[0]


def on_the_wire(steps: list[Passage], folder: Path) -> Replayed:
    return asyncio.run(_on_the_wire(steps, f"sqlite:///{folder / STORE}"))


async def _on_the_wire(steps: list[Passage], url: str) -> Replayed:
    owners = {step.msisdn: step.words for step in steps if isinstance(step, PickedUp) and step.words}
    store = open_store(url)
    async with store.unit() as unit:
        await unit.facts.import_subscribers(
            owner(msisdn, words) for msisdn, words in owners.items() if words != ("unknown",)
        )
    await store.close()
    async with (
        Simulator(SimulatorSettings(smpp_port=0, http_port=0)) as simulator,
        Gateway(_settings(url, simulator.smpp_port)),
    ):
        await simulator.wait_bound("gw")
        return await asyncio.to_thread(replay, steps, simulator.url)


def _settings(store: str, smpp_port: int):
    link = {"name": "ussdc", "connect": f"127.0.0.1:{smpp_port}", "system_id": "gw", "password": "secret"}
    return parse_settings({"store": store, "admin": {"listen": "127.0.0.1:0"}, "links": [link]})


@pytest.mark.parametrize("name", PLAYED)
def test_over_the_wire(name: str, new_folder: Callable[[str], Path]) -> None:
    path = FOLDER / f"{name}.ussd"
    replayed = on_the_wire(transcript.parse(path.read_bytes(), path.name), new_folder(f"wire-{name}"))
    if not replayed.right:
        told = "\n".join(replayed.difference(path.name))
        pytest.fail(f"{path.name}:{replayed.line}: {replayed.problem}\n{told}", pytrace=False)


def test_the_exceptions_are_there() -> None:
    assert set(NOT_ON_THE_WIRE) <= {subject(path) for path in TRANSCRIPTS}
    assert not set(NOT_ON_THE_WIRE) & {subject(Path(name)) for name in PLAYED}


def test_an_exception_that_time_makes_is_told_where_it_goes_otherwise(
    new_folder: Callable[[str], Path],
) -> None:
    path = FOLDER / "too-late.en.ussd"
    replayed = on_the_wire(transcript.parse(path.read_bytes(), path.name), new_folder("wire-too-late"))
    assert not replayed.right
    assert replayed.exchanges == 2
    assert "-= expired end gsm7 55/182" in replayed.difference(path.name)
