"""A load's report as text, JSON and a page: what it says, and that the page needs nothing but itself."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from smpp_sim.load.html import as_html, distribution
from smpp_sim.load.output import RunFacts, as_text, line, remarks_of, report_as_json, told
from smpp_sim.load.report import LoadReport, machine
from smpp_sim.load.series import Second

SECOND = Second(
    at_s=1.0, lasted_s=1.0, measured=True, turns=100, p50_ms=1.0, p90_ms=2.0, p99_ms=3.0, p999_ms=4.0,
    longest_ms=5.0, in_flight=7, problems=0, throttled=0,
)  # fmt: skip
GOOD = LoadReport(
    turns=200,
    seconds=2.0,
    dialogues=40,
    p50_ms=1.0,
    p90_ms=2.0,
    p99_ms=3.0,
    p999_ms=4.0,
    longest_ms=5.0,
    cpu_share=0.25,
    sample=("> *100#", "< <b>Balance</b>\n& more"),
    series=(replace(SECOND, measured=False), replace(SECOND, at_s=2.0), replace(SECOND, at_s=3.0)),
    buckets=((0.9, 1.1, 150), (1.9, 2.1, 40), (4.9, 5.0, 10)),
)
BAD = replace(
    GOOD,
    errors={"answer given twice": 3},
    unanswered=1,
    late=2,
    throttled=12,
    series=(replace(SECOND, problems=6, throttled=12),),
)
NOTHING = LoadReport(0, 0.0, 0, 0.0, 0.0, 0.0, 0.0)
FACTS = RunFacts("2026-11-22T15:00:00+00:00", 'gw <"&>', {"load": "closed window of 64"}, {"cores": 2})


class Page(HTMLParser):
    """Checks that tags are closed in order; keeps what was seen."""

    VOID = ("meta", "line", "rect", "polyline")

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.attributes, self.text = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in self.VOID, f"<{tag}/>"
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


REPORTS = pytest.mark.parametrize("report", [GOOD, BAD, NOTHING], ids=["good", "bad", "nothing"])


@REPORTS
def test_the_page_is_well_formed_and_needs_nothing_but_itself(report):
    text = as_html(report, FACTS)
    page = Page(text)
    assert page.open == [], "tags are left open"
    assert not {"script", "link", "img", "iframe", "object", "embed", "base"} & set(page.seen)
    names = {name for name, _ in page.attributes}
    assert not {"src", "href", "style", "srcset", "data"} & names
    assert not [name for name in names if name.startswith("on")]
    assert not re.search(r"https?:|//[a-z]|url\(|@import|javascript:", text)
    assert "default-src 'none'" in dict(page.attributes)["content"] or "default-src 'none'" in text
    assert "prefers-color-scheme: dark" in text
    assert page.seen.count("svg") == page.seen.count("title") - 1, (
        "each chart has a title, and the page has one"
    )


@REPORTS
def test_no_coordinate_of_a_chart_is_outside_it(report):
    for value in re.findall(r' (?:x|y|x1|x2|y1|y2|width|height)="([^"]+)"', as_html(report, FACTS)):
        assert -1 <= float(value) <= 761, value


def test_a_load_of_one_second_has_lines():
    drawn = re.findall(
        r'<polyline class="\w" points="([^"]+)"', as_html(replace(GOOD, series=(SECOND,)), FACTS)
    )
    assert len(drawn) == 7
    for points in drawn:
        (x1, y1), (x2, y2) = (point.split(",") for point in points.split(" "))
        assert float(x2) - float(x1) > 600
        assert y1 == y2


def test_the_marks_of_millions_have_room():
    text = as_html(replace(GOOD, buckets=((0.9, 1.1, 2_000_000_000),)), FACTS)
    marks = re.findall(r'class="mark left"[^>]*>([^<]+)<', text)
    assert "1\N{NO-BREAK SPACE}000\N{NO-BREAK SPACE}M" in marks
    assert max(map(len, marks)) <= 9


def test_what_others_say_is_escaped():
    text = as_html(GOOD, FACTS)
    assert "gw &lt;&quot;&amp;&gt;" in text
    assert "&lt; &lt;b&gt;Balance&lt;/b&gt;\n&amp; more" in text


def test_columns_of_the_distribution_hold_all_turns():
    columns = distribution(GOOD)
    assert sum(turns for *_, turns in columns) == 200
    assert columns[0][0] <= 1.0 <= columns[0][1]
    assert all(ends / begins == pytest.approx(10 ** (1 / 20)) for begins, ends, _ in columns)


def test_a_good_load_has_nothing_against_it():
    assert GOOD.shortfalls() == []
    assert GOOD.shortfalls(max_p99_ms=3.0, min_rate=100) == []
    assert as_text(GOOD, FACTS).splitlines() == [
        "rate         100 turns/s",
        "turns        200 in 2.0 s, 40 dialogues",
        "latency, ms  p50 1.00  p90 2.00  p99 3.00  p99.9 4.00  max 5.00",
        "load itself  25% of a core",
        "passed",
    ]


def test_everything_that_went_wrong_is_said():
    shortfalls = BAD.shortfalls(max_p99_ms=2.5, min_rate=101)
    assert shortfalls == [
        "answer given twice: 3",
        "turn without an answer in time: 1",
        "answer too late: 2",
        "p99 is 3.00 ms, more than 2.5 ms",
        "100 turns a second, fewer than 101",
    ]
    said = as_text(BAD, replace(FACTS, shortfalls=shortfalls))
    assert "error        answer given twice: 3\n" in said
    assert "FAILED       p99 is 3.00 ms, more than 2.5 ms\n" in said
    assert said.endswith("\nfailed")
    for shortfall in shortfalls:
        assert shortfall in as_html(BAD, replace(FACTS, shortfalls=shortfalls))


def test_no_turn_at_all_is_not_good():
    assert NOTHING.shortfalls() == ["no turn was answered"]


def test_remarks_say_when_the_figures_may_be_the_loads_own():
    assert remarks_of(GOOD) == []
    saturated, lag = remarks_of(replace(GOOD, cpu_share=0.97, lag_p99_ms=2.5))
    assert "97% of its core" in saturated
    assert "2.50 ms late" in lag
    assert remarks_of(BAD) == ["12 turns were throttled and sent again; their time ran on"]


def test_json_says_the_same():
    document = json.loads(report_as_json(BAD, replace(FACTS, shortfalls=["because"])))
    assert (document["passed"], document["shortfalls"]) == (False, ["because"])
    assert document["errors"] == BAD.problems
    assert document["latency_ms"]["p99.9"] == 4.0
    assert document["series"][0]["turns_per_s"] == 100.0


def test_the_machine_has_no_name():
    assert set(machine()) == {"processor", "cores", "kernel", "python", "load average"}


def test_a_second_as_a_line():
    assert line(SECOND, {}) == "    1 s: 100 turns/s, p50 1.00 p99 3.00 max 5.00 ms, 7 in flight, 0 errors"
    assert "    1 s warm-up: " in line(replace(SECOND, measured=False), {"x": 1})
    assert json.loads(told(SECOND, {"x": 1}))["kinds"] == {"x": 1}
