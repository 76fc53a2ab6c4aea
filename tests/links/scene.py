"""A gateway in the test's own loop, with subscribers, and whatever peers the test gives it."""

import asyncio
import functools
import gc
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop

from data.opening import open_store
from data.seed import FIRST, seed
from gateway.daemon import Gateway
from gateway.dialect import load_profile
from gateway.links.link import Link
from gateway.settings import parse_settings
from gateway.smpp.pdu import DeliverSm
from gateway.smpp.text import encode_text, measure
from gateway.smpp.vocabulary import ESM_CLASS_RECEIPT

SPEC = load_profile("spec")
SERVICE = "105"
SMS_SERVICE = "000105"
RUNNERS = {"asyncio": asyncio.run, "uvloop": uvloop.run}
_DCS = {"gsm7": 0, "ucs2": 8}


def scene(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an async test in a loop of its own; what the loop complains of, and a task that stays, fail it."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(_watched(test(*args, **kwargs)))

    return run


def scene_on_both_loops(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """The same, on asyncio's loop and once more on uvloop's."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        for name, runner in RUNNERS.items():
            if "tmp_path" in kwargs:  # nobody's dialogue is still open when the second begins
                kwargs["tmp_path"] = kwargs["tmp_path"] / name
                kwargs["tmp_path"].mkdir()
            try:
                runner(_watched(test(*args, **kwargs)))
            except BaseException as error:
                error.add_note(f"on {name}")
                raise

    return run


async def _watched(test: Coroutine[Any, Any, None]) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    await test
    await asyncio.sleep(0)
    stay = asyncio.all_tasks() - {asyncio.current_task()}
    gc.collect()
    assert not stay, f"tasks that stay: {stay}"
    assert not complaints, f"the loop complains: {complaints}"


def table(**changes: Any) -> dict[str, Any]:
    """A [[links]] table of a link that comes back at once."""
    quick = {"reconnect_first_s": 0.02, "reconnect_max_s": 0.05}
    return {"name": "ussdc", "system_id": "gw", "password": "secret", **quick, **changes}


def to_centre(port: int, **changes: Any) -> dict[str, Any]:
    """A link that binds to that port."""
    return table(**{"connect": f"127.0.0.1:{port}", **changes})


def from_centre(**changes: Any) -> dict[str, Any]:
    """A link that waits for its centre."""
    return table(**{"role": "smsc", "listen": "127.0.0.1:0", **changes})


@asynccontextmanager
async def gateway(folder: Path, *links: dict[str, Any], **top: Any) -> AsyncIterator[Gateway]:
    """A gateway with these links; the store in `folder` is made if it is not there."""
    url = f"sqlite:///{folder / 'starpound.db'}"
    if not (folder / "starpound.db").exists():
        store = open_store(url)
        await seed(store, 40)
        await store.close()
    settings = parse_settings({"store": url, "admin": {"listen": "127.0.0.1:0"}, "links": list(links), **top})
    async with Gateway(settings) as running:
        yield running


def listening_port(running: Gateway, address: str = "127.0.0.1:0") -> int:
    """The port that a listening address has really got."""
    return running.listeners[address].port


async def until(true: Callable[[], Any], what: str, timeout_s: float = 20.0) -> None:
    """Wait for something that the gateway has no event for."""
    try:
        async with asyncio.timeout(timeout_s):
            while not true():  # noqa: ASYNC110 - see above
                await asyncio.sleep(0.005)
    except TimeoutError:
        pytest.fail(f"never: {what}")


async def healthy(running: Gateway) -> None:
    """Wait until all links are up."""
    try:
        await until(lambda: not any(running.problems().values()), "all links are up")
    except pytest.fail.Exception:
        pytest.fail(f"links are down: {running.problems()}")


def link_of(running: Gateway, name: str = "ussdc") -> Link:
    """The link of that name."""
    return next(link for link in running.links if link.name == name)


def metric(running: Gateway, name: str, **labels: str) -> float:
    """A sample of /metrics, 0 when it is not there."""
    value = running.metrics.registry.get_sample_value(f"starpound_{name}", labels)
    return 0.0 if value is None else value


def query(folder: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """What the database says, read by a stranger."""
    uri = f"{(folder / 'starpound.db').absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        return connection.execute(sql, values).fetchall()


def change(folder: Path, sql: str, *values: object) -> None:
    """Change the database as a stranger does."""
    with closing(sqlite3.connect(folder / "starpound.db", isolation_level=None)) as connection:
        connection.execute(sql, values)


@contextmanager
def unwritable(database: Path) -> Iterator[None]:
    """Within the block nobody can write to the database: a stranger does not let go of it."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def number(i: int) -> str:
    """The MSISDN of a seeded subscriber: 3 is Russian with 523.40 on the account, 2 and 8 are English."""
    return str(FIRST + i)


def dialled(msisdn: str, code: str, session: int = 1, carrier: type = DeliverSm) -> Any:
    """The beginning of a dialogue."""
    return SPEC.indicate(msisdn, SERVICE, code, "new", session, 0, carrier)


def replied(msisdn: str, text: str, session: int = 1, unit: int = 1, carrier: type = DeliverSm) -> Any:
    """The next answer of a dialogue."""
    return SPEC.indicate(msisdn, SERVICE, text, "answer", session, unit, carrier)


def sms(msisdn: str, text: str, to: str = SMS_SERVICE, carrier: type = DeliverSm, **fields: Any) -> Any:
    """An SMS of a subscriber, short enough for one."""
    alphabet, _ = measure(text)
    fields = {"data_coding": _DCS[alphabet], "short_message": encode_text(text, alphabet), **fields}
    return carrier(source_addr=msisdn, destination_addr=to, **fields)


def receipt(text: str, esm_class: int = ESM_CLASS_RECEIPT, **fields: Any) -> Any:
    """A delivery receipt with that text."""
    return DeliverSm(
        source_addr=number(2),
        destination_addr=SMS_SERVICE,
        esm_class=esm_class,
        short_message=text.encode("latin-1"),
        **fields,
    )


def shown(pdu: Any) -> str:
    """The text of a screen."""
    return SPEC.interpret(pdu).text
