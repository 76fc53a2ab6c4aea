"""What is seen while a load runs: seconds out of the counters, the panel, the alarm, and what subscribers say."""

import asyncio
import io
import time
from dataclasses import replace

import pytest
from rich.console import Console

from smpp_sim.load.output import told
from smpp_sim.load.pdu import LoadScript
from smpp_sim.load.run import LoadRun
from smpp_sim.load.scripts import of_transcript
from smpp_sim.load.series import Series
from smpp_sim.load.settings import LoadSettings
from smpp_sim.load.timer import PreciseAlarm
from smpp_sim.load.view import View, sparkline
from smpp_sim.transcripts.transcript import parse
from tests.unit.smpp_sim.load.test_load_output import SECOND

SECOND_NS = 1_000_000_000
MS = 1_000_000


def shown(view, second, problems, width=100):
    console = Console(width=width, file=io.StringIO())
    console.print(view.take(told(second, problems)))
    return console.file.getvalue()


def test_a_second_is_what_was_counted_since_the_last_one():
    run = LoadRun(LoadScript(("*100#",)), LoadSettings(window=1, subscribers=10))
    series = Series(run, 0)
    for duration_ms in (1, 2, 3):
        run.histogram.record(duration_ms * MS)
    first = series.take(SECOND_NS, measured=False)
    for _ in range(10):
        run.histogram.record(7 * MS)
    run.errors["x"] += 2
    second = series.take(3 * SECOND_NS, measured=False)
    assert (first.turns, first.problems, first.turns_per_s) == (3, 0, 3.0)
    assert (first.p50_ms, first.longest_ms) == (pytest.approx(2, rel=0.01), pytest.approx(3, rel=0.01))
    assert (second.turns, second.problems, second.turns_per_s, second.lasted_s) == (10, 2, 5.0, 2.0)
    assert second.p50_ms == second.longest_ms == pytest.approx(7, rel=0.01)


def test_the_measurement_begins_to_count_anew_and_nothing_of_it_is_lost_at_the_end():
    run = LoadRun(LoadScript(("*100#",)), LoadSettings(window=1, subscribers=10))
    series = Series(run, 0)
    run.histogram.record(MS)
    series.take(SECOND_NS, measured=False)
    run.measure()
    run.histogram.record(MS)
    run.stop()
    last = series.take(2 * SECOND_NS, measured=True)
    assert (last.turns, last.measured) == (1, True)


def test_a_rest_of_a_phase_is_no_second():
    series = Series(LoadRun(LoadScript(("*100#",)), LoadSettings(window=1, subscribers=10)), 0)
    assert series.take(SECOND_NS, measured=False)
    assert series.take(SECOND_NS + 10 * MS, measured=False) is None
    assert series.take(2 * SECOND_NS + 10 * MS, measured=True).lasted_s == 1.0


def test_the_panel_has_the_figures_of_now_and_the_mean():
    view = View("load on gw")
    shown(view, replace(SECOND, measured=False, turns=9), {})
    shown(view, SECOND, {})
    text = shown(view, replace(SECOND, turns=300, longest_ms=2.0), {"answer given twice": 1234})
    assert "300" in text
    assert "mean 200" in text, "the warm-up is not in the mean"
    assert "longest of all 5.00" in text
    assert "1 234 × answer given twice" in text
    assert "measuring" in text
    assert "▃█" in text


@pytest.mark.parametrize("width", [80, 50])
def test_the_panel_fits_a_narrow_terminal(width):
    view = View("load on [/] gw")
    for turns in range(60):
        text = shown(view, replace(SECOND, turns=turns, p99_ms=285.21), {}, width)
    lines = text.rstrip("\n").split("\n")
    assert {len(line) for line in lines} == {width - 3}, "room for the ^C of a terminal"
    assert "load on [/] gw" in lines[0], "a name is no markup"
    assert "p99 285.21" in text
    assert text.count("█ ") == 2, "bars are in one line, the latest at its end"


def test_sparkline():
    assert sparkline([0, 1, 2, 4]) == "▁▃▅█"
    assert sparkline([]) == ""
    assert sparkline([0, 0]) == "▁▁"


def test_the_alarm_rings_when_it_is_due_and_not_for_a_time_replaced():
    async def rung():
        ringing = asyncio.Event()
        alarm = PreciseAlarm(ringing.set)
        alarm.set(time.perf_counter_ns() + 3600 * SECOND_NS)
        due_ns = time.perf_counter_ns() + 2 * MS
        alarm.set(due_ns)
        async with asyncio.timeout(30):
            await ringing.wait()
        late_ns = time.perf_counter_ns() - due_ns
        alarm.close()
        return late_ns

    assert asyncio.run(rung()) >= 0


def test_a_transcript_becomes_a_script_for_each_dialogue_and_sms():
    text = """
@ 79260000003 private
> *105#
< Menu
= - ask gsm7 4/182
> 1
< Done
= - end gsm7 4/182
> 000100: ВКЛ
~ 000100: Done
> *100#
< Balance
> *105#
! cancel
> *105#
>
"""
    scripts = of_transcript(parse(text), lambda code: code.strip("*#"))
    assert [(one.kind, one.service, one.turns) for one in scripts] == [
        ("ussd", "105", ("*105#", "1")),
        ("sms", "000100", ("ВКЛ",)),
        ("ussd", "100", ("*100#",)),
        ("ussd", "105", ("*105#",)),
        ("ussd", "105", ("*105#", "")),
    ]
