"""The log under a flood."""

import pytest
import structlog

from gateway.watch.logs import Sparing


def test_a_flood_of_one_event_is_cut_and_counted_and_others_pass():
    now = 100.0
    sparing = Sparing(lines=3, clock=lambda: now)

    def passes(event: str) -> dict | None:
        try:
            return sparing(None, "warning", {"event": event})
        except structlog.DropEvent:
            return None

    assert [bool(passes("refused")) for _ in range(10)] == [True] * 3 + [False] * 7
    assert passes("link is down") == {"event": "link is down"}
    now += 1
    assert passes("refused") == {"event": "refused", "left_out": 7}
    now += 1
    assert passes("refused") == {"event": "refused"}


@pytest.mark.parametrize("pause_s", [0.4, 0.9])
def test_what_comes_slowly_passes(pause_s):
    now = 0.0
    sparing = Sparing(lines=3, clock=lambda: now)
    for _ in range(20):
        assert sparing(None, "info", {"event": "refused"})
        now += pause_s
