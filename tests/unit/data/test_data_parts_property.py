"""Whatever parts come in whatever order: no limit is ever passed, and only whole messages come out."""

import asyncio
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.model import MessagePart
from data.sqlite.connection import SqliteConnection
from data.sqlite.opening import connect
from data.sqlite.parts import PartVerbs

LIMIT, TOTAL_LIMIT = 5, 9
HELD = "SELECT link, msisdn, recipient, reference, number, total FROM message_parts"


@st.composite
def parts(draw) -> MessagePart:
    total = draw(st.integers(1, LIMIT + 1))
    return MessagePart(
        link="smsc",
        msisdn=draw(st.sampled_from("ABC")),
        to=draw(st.sampled_from(("0500", "0501"))),
        reference=draw(st.sampled_from(("0", "1"))),
        number=draw(st.integers(1, total)),
        total=total,
        data_coding=0,
        octets=draw(st.binary(max_size=2)),
        received=draw(st.floats(0, 100)),
    )


@pytest.fixture
def sqlite():
    opened = connect(":memory:")
    yield opened
    opened.close()


def check_limits(held: list[tuple]) -> None:
    assert len(held) <= TOTAL_LIMIT
    assert all(count <= LIMIT for count in Counter(row[1] for row in held).values())
    totals = {}
    for *message, _, total in held:
        assert totals.setdefault(tuple(message), total) == total, "parts of two messages under one reference"


def check_whole(message: list[MessagePart], came: list[MessagePart]) -> None:
    last = came[-1]
    assert [part.number for part in message] == list(range(1, last.total + 1))
    for part in message:
        newest = [one for one in came if one[:6] == part[:6]][-1]
        assert part == newest


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequence=st.lists(parts(), max_size=40))
def test_limits_hold_and_only_whole_messages_come_out(sqlite, sequence):
    async def keep() -> None:
        connection = SqliteConnection(sqlite, "in memory")
        connection.begin()
        parts = PartVerbs(connection)
        try:
            for count, part in enumerate(sequence, start=1):
                message = await parts.keep_part(part, LIMIT, TOTAL_LIMIT)
                check_limits(sqlite.execute(HELD).fetchall())
                if message:
                    check_whole(message, sequence[:count])
        finally:
            connection.rollback()

    asyncio.run(keep())
