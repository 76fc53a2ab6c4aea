"""What is left of the packages, and when they are filled again."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from data.model import ALLOWANCES, Catalogue, Package, Subscriber
from handlers.registry import Outcome, Work, operation

# The operator's day begins in Moscow, which has had no summer time since 2014.
OPERATOR_TIME = timezone(timedelta(hours=3))


@operation(
    "packages.left",
    outcomes={
        "left": ("items", "items.source", "items.kind", "items.left", "items.total", "renews"),
        "none": (),
    },
)
async def left(work: Work, subscriber: Subscriber, args: dict[str, Any]) -> Outcome:
    """Every allowance that the tariff or an option gives: ``{source, kind, left, total}``, minutes first.

    ``source`` is the name of the option where another package of its kind stands beside it, else None.
    """
    packages = await work.facts.packages(subscriber.msisdn)
    if not packages:
        return Outcome("none")
    packages.sort(key=lambda package: (ALLOWANCES.index(package.kind), package.option or 0))
    kinds = Counter(package.kind for package in packages)
    items = [_item(work.facts.catalogue, package, kinds[package.kind] > 1) for package in packages]
    return Outcome(
        "left", {"items": items, "renews": next_renewal(work.now, subscriber.renew_day).isoformat()}
    )


def next_renewal(now: float, renew_day: int) -> date:
    """The first day after today on which the packages are filled; ``renew_day`` is at most 28."""
    today = datetime.fromtimestamp(now, UTC).astimezone(OPERATOR_TIME).date()
    if today.day < renew_day:
        return today.replace(day=renew_day)
    next_month = today.replace(day=1) + timedelta(days=32)
    return next_month.replace(day=renew_day)


def _item(catalogue: Catalogue, package: Package, ambiguous: bool) -> dict[str, Any]:
    option = package.option if ambiguous else None
    source = None if option is None else catalogue.options[option].name
    return {"source": source, "kind": package.kind, "left": package.left, "total": package.total}
