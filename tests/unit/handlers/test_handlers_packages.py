from datetime import UTC, date, datetime

import pytest

from handlers.packages import next_renewal
from handlers.registry import Outcome

pytestmark = pytest.mark.anyio

PRIVATE, POOR = "79260000003", "79260000006"
SMART = {"ru": "Звезда Смарт", "en": "Zvezda Smart"}


async def test_what_the_tariff_gives(desk):
    outcome = await desk.ask(PRIVATE, "packages.left")
    assert outcome.values == {
        "items": [
            {"name": SMART, "kind": "minutes", "left": 200, "total": 400},
            {"name": SMART, "kind": "sms", "left": 50, "total": 100},
            {"name": SMART, "kind": "mb", "left": 5120, "total": 10240},
        ],
        "renews": "2026-01-04",
    }


async def test_an_option_stands_beside_the_tariff(desk):
    await desk.ask(PRIVATE, "options.on", number=42)
    items = (await desk.ask(PRIVATE, "packages.left")).values["items"]
    assert [(item["name"]["en"], item["left"]) for item in items if item["kind"] == "mb"] == [
        ("Zvezda Smart", 5120), ("Internet 5 GB", 5120),
    ]  # fmt: skip


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
