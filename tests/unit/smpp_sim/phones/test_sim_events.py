"""What happened on a phone, for everybody who watches."""

import asyncio

import pytest

from smpp_sim.phones import events
from smpp_sim.phones.events import EventLog
from smpp_sim.watching import TooManyWatchers

NOW = 1_700_000_000.0


def test_events_are_numbered_and_asked_for_by_number():
    log = EventLog()
    log.add("screen", {"text": "a"}, NOW)
    log.add("sms", {"text": "b"}, NOW)
    assert [event.number for event in log.after(0)] == [1, 2]
    assert [event.data["text"] for event in log.after(1)] == ["b"]
    assert log.after(0, frozenset({"sms"}))[0].as_dict() == {
        "number": 2,
        "at": NOW,
        "kind": "sms",
        "text": "b",
    }
    assert not log.missed(0)


def test_the_log_is_bounded_and_says_what_was_missed():
    log = EventLog()
    for number in range(events.MAX_EVENTS + 5):
        log.add("screen", {"text": str(number)}, NOW)
    assert len(log.after(0)) == events.MAX_EVENTS
    assert log.missed(0)
    assert not log.missed(5)


def test_a_watcher_waits_for_what_it_asked_for():
    async def scene():
        log = EventLog()
        waiting = asyncio.create_task(log.wait(0, frozenset({"sms"}), 5))
        await asyncio.sleep(0)
        log.add("screen", {}, NOW)
        await asyncio.sleep(0)
        log.add("sms", {}, NOW)
        assert [event.kind for event in await waiting] == ["sms"]
        assert not log.watchers

    asyncio.run(scene())


def test_waiting_ends_with_its_time_and_with_the_log():
    async def scene():
        log = EventLog()
        assert await log.wait(0, frozenset(), 0) == []
        waiting = asyncio.create_task(log.wait(0, frozenset(), 60))
        await asyncio.sleep(0)
        log.close()
        assert await waiting == []
        assert await log.wait(0, frozenset(), 60) == []

    asyncio.run(scene())


def test_watchers_are_bounded(monkeypatch):
    async def scene():
        monkeypatch.setattr(events, "MAX_WATCHERS", 1)
        log = EventLog()
        first = asyncio.create_task(log.wait(0, frozenset(), 60))
        await asyncio.sleep(0)
        with pytest.raises(TooManyWatchers):
            await log.wait(0, frozenset(), 60)
        log.close()
        await first

    asyncio.run(scene())
