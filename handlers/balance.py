"""What is on the account, and what a corporate number may still spend."""

from typing import Any

from data.model import Subscriber
from handlers.registry import Outcome, Work, operation


@operation("balance.show", outcomes={"private": ("balance_kopecks",), "corporate": ()})
async def show(work: Work, subscriber: Subscriber, args: dict[str, Any]) -> Outcome:
    """The balance of a private number. An employee is not told the balance of the contract here."""
    if subscriber.corporate:
        return Outcome("corporate")
    return Outcome("private", {"balance_kopecks": subscriber.balance_kopecks})


@operation(
    "balance.budget",
    outcomes={
        "budget": ("balance_kopecks", "limit_kopecks", "left_kopecks"),
        "no_limit": ("balance_kopecks",),
        "private": ("balance_kopecks",),
    },
)
async def budget(work: Work, subscriber: Subscriber, args: dict[str, Any]) -> Outcome:
    """The personal budget of a corporate number: the contract's balance, the limit, what is left of it."""
    balance, limit = subscriber.balance_kopecks, subscriber.budget_limit_kopecks
    if not subscriber.corporate:
        return Outcome("private", {"balance_kopecks": balance})
    if limit is None:
        return Outcome("no_limit", {"balance_kopecks": balance})
    left = budget_left_kopecks(subscriber)
    return Outcome("budget", {"balance_kopecks": balance, "limit_kopecks": limit, "left_kopecks": left})


def budget_left_kopecks(subscriber: Subscriber) -> int | None:
    """What is left of the personal budget, None without one. One that was cut below what is spent holds nothing."""
    limit = subscriber.budget_limit_kopecks
    return None if limit is None else max(0, limit - subscriber.budget_spent_kopecks)
