"""Times of SMPP 3.4 §7.1.1; 2026-11-22 12:00:00 UTC is the moment at which they are read."""

import pytest

from smpp_sim.centre.wire_time import TimeError, read_time, write_time

NOON = 1_795_348_800.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("261122120000000+", NOON),
        ("261122120000500+", NOON + 0.5),
        ("261122150000012+", NOON),  # Moscow: 12 quarter hours ahead of UTC
        ("261122070000020-", NOON),  # New York: 20 behind
        ("261123000000048+", NOON),
        ("000000000000000R", NOON),
        ("000000001000000R", NOON + 600),
        ("000002233429000R", NOON + 2 * 86_400 + 23 * 3600 + 34 * 60 + 29),
        ("010100000000000R", NOON + (365 + 30) * 86_400),
        ("991231235959948-", 4_102_444_799.9 + 48 * 900),
    ],
)
def test_a_time_is_read(text, expected):
    assert read_time(text, NOON) == expected


@pytest.mark.parametrize(
    "text",
    [
        "261122120000000",  # no sign
        "261322120000000+",  # month 13
        "260230120000000+",  # 30 February
        "261122240000000+",  # hour 24
        "261122120000049+",  # more than 12 hours from UTC
        "000000001000100R",  # tenths in a relative time
        "000000001000004R",  # quarters in a relative time
        "26112212000000+",
        "2611221200000000+",
        "26112212000000o+",
        "٢61122120000000+",  # a digit, but not one of ASCII
        "tomorrow",
    ],
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(TimeError):
        read_time(text, NOON)


@pytest.mark.parametrize(
    ("wall", "text"),
    [(NOON, "261122120000000+"), (NOON + 0.75, "261122120000700+"), (0.0, "700101000000000+")],
)
def test_a_time_is_written(wall, text):
    assert write_time(wall) == text


def test_what_is_written_is_read_again():
    assert read_time(write_time(NOON + 86_399.5), 0) == NOON + 86_399.5
