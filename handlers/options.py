"""Options: what is on, what there is, on, off, status.

On and off are different words and neither is a toggle: a repeat changes nothing and costs nothing. A check comes
before anything is written, the same for the question whether it is possible and for the order itself.

Of the options of one exclusive group a number has one. Ordering another is a change and not a second fee: the old
one goes off, with what was left of its minutes, and is never charged again; the new one's fee is taken, once and
in full. What was paid for the old one is not given back. Switching off and on again is no repeat but a new order.
"""

from datetime import UTC, datetime
from typing import Any

from data.model import Option, Subscriber
from handlers.balance import budget_left_kopecks
from handlers.packages import OPERATOR_TIME
from handlers.registry import Outcome, Refusal, Work, operation

LISTED = ("items", "items.number", "items.name", "items.fee_kopecks")
REFUSALS = {
    "already": ("name",),
    "unknown": ("number",),
    "no_money": ("name", "fee_kopecks", "balance_kopecks"),
    "no_budget": ("name", "fee_kopecks", "left_kopecks"),
    "wrong_tariff": ("name",),
    "conflict": ("name", "other"),
    "blocked": (),
    "corporate_only": ("name",),
}
POSSIBLE = {
    "possible": ("number", "name", "fee_kopecks"),
    "replaces": ("number", "name", "fee_kopecks", "other"),
}
ORDERED = {
    "on": ("name", "fee_kopecks", "balance_kopecks"),
    "on_budget": ("name", "fee_kopecks", "left_kopecks"),
    "on_contract": ("name", "fee_kopecks"),
    "replaced": ("name", "other", "other_number", "fee_kopecks"),
}


@operation("options.mine", outcomes={"list": LISTED, "none": ()})
async def mine(work: Work, subscriber: Subscriber, args: dict[str, Any]) -> Outcome:
    """The options that are on: ``{number, name, fee_kopecks}``."""
    return _list(await _on(work, subscriber))


@operation("options.categories", outcomes={"list": ("items", "items.category", "items.name")})
async def categories(work: Work, subscriber: Subscriber, args: dict[str, Any]) -> Outcome:
    """The categories of the catalogue that hold something for this customer: ``{category, name}``."""
    filled = {option.category for option in _offered(work, subscriber)}
    shelves = (shelf for shelf in work.facts.catalogue.categories.values() if shelf.code in filled)
    return Outcome("list", {"items": [{"category": shelf.code, "name": shelf.name} for shelf in shelves]})


@operation("options.catalogue", args={"category": str}, outcomes={"list": LISTED, "none": ()})
async def catalogue(work: Work, subscriber: Subscriber, args: dict[str, Any]) -> Outcome:
    """The options of a category that this customer can have: ``{number, name, fee_kopecks}``."""
    return _list([option for option in _offered(work, subscriber) if option.category == args["category"]])


@operation("options.offered", outcomes={"list": LISTED, "none": ()})
async def offered(work: Work, subscriber: Subscriber, args: dict[str, Any]) -> Outcome:
    """The options of all categories that this customer can have: ``{number, name, fee_kopecks}``."""
    return _list(_offered(work, subscriber))


@operation("options.check", args={"number": int}, outcomes=POSSIBLE | REFUSALS)
async def check(work: Work, subscriber: Subscriber, args: dict[str, Any]) -> Outcome:
    """Whether an option can be switched on now; if it cannot, the first reason why."""
    option, other = await _orderable(work, subscriber, args["number"])
    values = {"number": option.number, "name": option.name, "fee_kopecks": option.fee_kopecks}
    if other is None:
        return Outcome("possible", values)
    return Outcome("replaces", {**values, "other": other.name})


@operation("options.on", args={"number": int}, outcomes=ORDERED | REFUSALS)
async def switch_on(work: Work, subscriber: Subscriber, args: dict[str, Any]) -> Outcome:
    """Switch an option on and take its fee."""
    option, other = await _orderable(work, subscriber, args["number"])
    payer = await _order(work, subscriber, option)
    name, fee = option.name, option.fee_kopecks
    if other is not None:
        values = {"name": name, "other": other.name, "other_number": other.number, "fee_kopecks": fee}
        return Outcome("replaced", values)
    if not payer.corporate:
        return Outcome("on", {"name": name, "fee_kopecks": fee, "balance_kopecks": payer.balance_kopecks})
    left = budget_left_kopecks(payer)  # what the contract holds is no business of the employee's
    if left is None:
        return Outcome("on_contract", {"name": name, "fee_kopecks": fee})
    return Outcome("on_budget", {"name": name, "fee_kopecks": fee, "left_kopecks": left})


@operation(
    "options.off",
    args={"number": int},
    outcomes={"off": ("name",), "already_off": ("name",), "unknown": ("number",)},
)
async def switch_off(work: Work, subscriber: Subscriber, args: dict[str, Any]) -> Outcome:
    """Switch an option off; a blocked number may, too. Nothing is paid back."""
    option = _known(work, args["number"])
    was_on = await work.facts.switch_off(subscriber.msisdn, option.number)
    return Outcome("off" if was_on else "already_off", {"name": option.name})


@operation(
    "options.status",
    args={"number": int},
    outcomes={
        "on": ("number", "name", "since"),
        "off": ("number", "name"),
        "unavailable": ("name",),
        "unknown": ("number",),
    },
)
async def status(work: Work, subscriber: Subscriber, args: dict[str, Any]) -> Outcome:
    """Whether an option is on, and since which day; if it is off, whether it could be had at all."""
    option = _known(work, args["number"])
    for active in await work.facts.options_on(subscriber.msisdn):
        if active.number == option.number:
            since = datetime.fromtimestamp(active.since, UTC).astimezone(OPERATOR_TIME).date()
            values = {"number": option.number, "name": option.name, "since": since.isoformat()}
            return Outcome("on", values)
    if await _hindered(work, subscriber, option):
        return Outcome("unavailable", {"name": option.name})
    return Outcome("off", {"number": option.number, "name": option.name})


async def _on(work: Work, subscriber: Subscriber) -> list[Option]:
    options = work.facts.catalogue.options
    return [options[active.number] for active in await work.facts.options_on(subscriber.msisdn)]


def _offered(work: Work, subscriber: Subscriber) -> list[Option]:
    """What the kind of customer and the tariff allow."""
    options = work.facts.catalogue.options.values()
    return [one for one in options if _is_for_kind(subscriber, one) and _is_for_tariff(subscriber, one)]


def _is_for_kind(subscriber: Subscriber, option: Option) -> bool:
    return subscriber.corporate or not option.corporate_only


def _is_for_tariff(subscriber: Subscriber, option: Option) -> bool:
    return not option.tariffs or subscriber.tariff in option.tariffs


async def _hindered(work: Work, subscriber: Subscriber, option: Option) -> bool:
    """Whether something else than money is against it."""
    try:
        _check_customer(subscriber, option)
        _check_conflicts(option, await _on(work, subscriber))
    except Refusal:
        return True
    return False


async def _orderable(work: Work, subscriber: Subscriber, number: int) -> tuple[Option, Option | None]:
    """The option, and the one whose place it would take. Raises Refusal with the first reason against it."""
    option = _known(work, number)
    on = await _on(work, subscriber)
    if option in on:
        raise Refusal("already", name=option.name)
    _check_customer(subscriber, option)
    _check_conflicts(option, on)
    _check_money(subscriber, option)
    return option, _replaced_by(option, on)


def _known(work: Work, number: int) -> Option:
    option = work.facts.catalogue.options.get(number)
    if option is None:
        raise Refusal("unknown", number=number)
    return option


def _check_customer(subscriber: Subscriber, option: Option) -> None:
    if subscriber.blocked:
        raise Refusal("blocked")
    if not _is_for_kind(subscriber, option):
        raise Refusal("corporate_only", name=option.name)
    if not _is_for_tariff(subscriber, option):
        raise Refusal("wrong_tariff", name=option.name)


def _check_conflicts(option: Option, on: list[Option]) -> None:
    for other in on:
        if other.number in option.conflicts:
            raise Refusal("conflict", name=option.name, other=other.name)


def _check_money(subscriber: Subscriber, option: Option) -> None:
    """What counts is what this number may spend: for an employee it can be less than the contract holds.

    What is free of charge can be had with a debt, too.
    """
    fee = option.fee_kopecks
    if not fee or fee <= subscriber.available_kopecks:
        return
    left = budget_left_kopecks(subscriber)
    if left is not None and left < fee:
        raise Refusal("no_budget", name=option.name, fee_kopecks=fee, left_kopecks=left)
    balance = subscriber.balance_kopecks
    raise Refusal("no_money", name=option.name, fee_kopecks=fee, balance_kopecks=balance)


def _replaced_by(option: Option, on: list[Option]) -> Option | None:
    if option.exclusive_group is None:
        return None
    return next((other for other in on if other.exclusive_group == option.exclusive_group), None)


async def _order(work: Work, subscriber: Subscriber, option: Option) -> Subscriber:
    """Switch on, then charge for what was indeed switched on; answers with the subscriber as he is now.

    Both were checked in this unit of work, so that a "no" here means that the subscriber given is stale: the turn
    fails as a whole and is taken back.
    """
    if not await work.facts.switch_on(subscriber.msisdn, option.number, work.now):
        raise RuntimeError(f"option {option.number} was on already")
    balance = await work.facts.charge(subscriber, f"option:{option.number}", option.fee_kopecks, work.now)
    if balance is None:
        raise RuntimeError(f"option {option.number} cannot be paid any more")
    payer = work.subscriber = await work.facts.subscriber(subscriber.msisdn)
    if payer is None:
        raise RuntimeError(f"{subscriber.msisdn} is gone")
    return payer


def _list(options: list[Option]) -> Outcome:
    if not options:
        return Outcome("none")
    items = [
        {"number": option.number, "name": option.name, "fee_kopecks": option.fee_kopecks}
        for option in options
    ]
    return Outcome("list", {"items": items})
