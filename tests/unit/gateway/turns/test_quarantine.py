"""The quarantine between two looks: bounded, sparing with lines, patient with a store that fails."""

import asyncio

import pytest
import structlog

from data.opening import open_store
from gateway.smpp.pdu import DataSm, DeliverSm, SubmitSm, decode, encode
from gateway.smpp.vocabulary import ESME_RINVCMDID, MESSAGE_PAYLOAD
from gateway.turns import quarantine as module
from gateway.turns.quarantine import Quarantine, octets_of
from tests.links.scene import unwritable

NONSENSE = bytes.fromhex("00000010000000aa0000000000000009")


@pytest.fixture
def store(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'x.db'}")
    yield store
    asyncio.run(store.close())


@pytest.fixture
def lines(monkeypatch):
    """What is logged."""
    logger = structlog.testing.CapturingLogger()
    monkeypatch.setattr(
        module, "log", structlog.wrap_logger(logger, processors=[], wrapper_class=structlog.BoundLogger)
    )
    return logger.calls


def fill(quarantine, count, octets=NONSENSE):
    for _ in range(count):
        quarantine.keep("ussdc", "10.0.0.1:5", "unknown command", ESME_RINVCMDID, octets)


async def kept(store):
    async with store.view() as view:
        return await view.inbox.quarantined(100_000)


def test_what_is_kept_is_what_came(store):
    async def play():
        one = Quarantine(store, 10, clock=lambda: 12.5)
        fill(one, 1)
        await one.write()
        (record,) = await kept(store)
        assert record[1:-1] == (
            "ussdc",
            "10.0.0.1:5",
            "in",
            "unknown command",
            ESME_RINVCMDID,
            NONSENSE,
            12.5,
        )
        assert record.replay is False

    asyncio.run(play())


def test_of_a_flood_a_hundred_are_written_the_rest_is_counted(store, lines):
    async def play():
        one = Quarantine(store, 1000)
        fill(one, 50_000)
        await one.write()
        assert len(await kept(store)) == 100
        fill(one, 3)
        await one.write()
        assert len(await kept(store)) == 103

    asyncio.run(play())
    assert any("49900" in str(call) for call in lines), "how many are not kept"


def test_the_newest_stay(store):
    async def play():
        one = Quarantine(store, 5)
        for i in range(8):
            fill(one, 1, NONSENSE[:15] + bytes([i]))
            await one.write()
        assert [record.octets[15] for record in await kept(store)] == [7, 6, 5, 4, 3]

    asyncio.run(play())


def test_none_are_kept_with_a_limit_of_none(store):
    async def play():
        one = Quarantine(store, 0)
        fill(one, 500)
        await one.write()
        assert await kept(store) == []

    asyncio.run(play())


def test_a_long_one_is_cut(store):
    async def play():
        one = Quarantine(store, 5)
        fill(one, 1, bytes(60_000))
        await one.write()
        assert [len(record.octets) for record in await kept(store)] == [4096]

    asyncio.run(play())


def test_what_could_not_be_written_is_written_the_next_time_and_stays_bounded(store, tmp_path):
    async def play():
        one = Quarantine(store, 1000)
        with unwritable(tmp_path / "x.db"):
            for _ in range(3):
                fill(one, 80)
                await one.write()
        assert await kept(store) == []
        await one.write()
        assert len(await kept(store)) == 100

    asyncio.run(play())


def test_no_octet_of_a_subscriber_is_logged(store, lines):
    one = Quarantine(store, 10)
    pdu = DeliverSm(
        source_addr="79260000003", short_message=b"my secret", tlvs={MESSAGE_PAYLOAD: b"my secret"}
    )
    fill(one, 1, encode(pdu))
    assert lines
    assert "secret" not in str(lines)
    assert b"my secret".hex() not in str(lines)


@pytest.mark.parametrize("carrier", [DeliverSm, SubmitSm])
def test_the_octets_of_a_decoded_message(carrier):
    pdu = carrier(source_addr="7926", short_message=b"hi", tlvs={0x1401: b"x"}, sequence_number=5)
    assert decode(octets_of(pdu)) == pdu
    assert decode(octets_of(DataSm(source_addr="7926"))).source_addr == "7926"


def test_the_octets_of_one_that_nobody_may_write():
    """sm_length of 255 is one more than §5.2.21 allows; it is read, and kept where there is room."""
    longest = DeliverSm(source_addr="7926", short_message=b"x" * 255, tlvs={0x1401: b"y"})
    again = decode(octets_of(longest))
    assert again.tlvs == {MESSAGE_PAYLOAD: b"x" * 255, 0x1401: b"y"}
    assert again.source_addr == "7926"
