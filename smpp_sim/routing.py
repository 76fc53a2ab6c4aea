"""Which ESME a code or a number goes to, and under which address."""

import re
from collections.abc import Iterable

from smpp_sim.handset import NotPossible
from smpp_sim.settings import Account

MAX_ADDR = 20
"""Characters of destination_addr (SMPP 3.4 §4.6.1)."""


def route(accounts: Iterable[Account], code: str) -> str:
    """The system_id of the account that serves this code or number.

    The longest beginning wins, then who serves all the rest. Raises `NotPossible` when nobody does.
    """
    digits = code.lstrip("*#")
    fitting = [(_fit(account, digits), account.system_id) for account in accounts]
    best, system_id = max(fitting, key=lambda fit: fit[0], default=(-1, ""))
    if best < 0:
        raise NotPossible(f"no application serves {code}")
    return system_id


def _fit(account: Account, digits: str) -> int:
    """Digits that the account's beginnings share with these; 0: it serves the rest, -1: it does not serve them."""
    if not account.serves:
        return 0
    starts = [start.lstrip("*#") for start in account.serves]
    return max((len(start) for start in starts if digits.startswith(start)), default=-1)


def service_addr(code: str, whole: bool) -> str:
    """What of a code stands in destination_addr: all of it, if the dialect wants that and it fits, or its digits."""
    if whole and len(code) <= MAX_ADDR:
        return code
    digits = re.search(r"[0-9]+", code)
    return digits[0][:MAX_ADDR] if digits else ""
