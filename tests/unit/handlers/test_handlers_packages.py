from datetime import UTC, date, datetime

import pytest

from handlers.packages import next_renewal
from handlers.registry import Outcome

pytestmark = pytest.mark.anyio

PRIVATE, POOR, EMPLOYEE = "79260000003", "79260000006", "79260000010"


async def test_what_the_tariff_gives(desk):
    outcome = await desk.ask(PRIVATE, "packages.left")
    assert outcome.values == {
        "items": [
            {"source": None, "kind": "minutes", "left": 200, "total": 400},
            {"source": None, "kind": "sms", "left": 50, "total": 100},
            {"source": None, "kind": "mb", "left": 5120, "total": 10240},
        ],
        "renews": "2026-01-04",
    }


async def test_what_is_of_one_kind_is_told_apart_by_the_option(desk):
    await desk.ask(PRIVATE, "options.on", number=42)
    items = (await desk.ask(PRIVATE, "packages.left")).values["items"]
    assert [(item["source"], item["left"]) for item in items if item["kind"] == "mb"] == [
        (None, 5120), ({"ru": "Интернет 5 ГБ", "en": "Internet 5 GB"}, 5120),
    ]  # fmt: skip
    assert {item["source"] for item in items if item["kind"] != "mb"} == {None}


async def test_what_is_the_only_one_of_its_kind_needs_no_name(desk):
    await desk.ask(EMPLOYEE, "options.on", number=100)
    items = (await desk.ask(EMPLOYEE, "packages.left")).values["items"]
    assert items[0] == {"source": None, "kind": "minutes", "left": 100, "total": 100}


async def test_a_tariff_without_packages(desk):
    assert await desk.ask(POOR, "packages.left") == Outcome("none")


@pytest.mark.parametrize(
    ("today", "renew_day", "renews"),
    [
        ("2026-01-03T12:00", 4, date(2026, 1, 4)),
        ("2026-01-04T12:00", 4, date(2026, 2, 4)),  # filled this morning
        ("2026-12-31T12:00", 1, date(2027, 1, 1)),
        ("2026-12-28T12:00", 28, date(2027, 1, 28)),
        ("2027-01-31T12:00", 28, date(2027, 2, 28)),
        ("2026-01-03T21:30", 4, date(2026, 2, 4)),  # 00:30 on the 4th in Moscow
    ],
)
def test_the_day_of_renewal_is_ahead(today, renew_day, renews):
    now = datetime.fromisoformat(today).replace(tzinfo=UTC).timestamp()
    assert next_renewal(now, renew_day) == renews
