"""Codes that subscribers dial and no USSD application ever sees. Source: 3GPP TS 22.030, the man-machine interface.

A phone of the simulator keeps to this, and a menu file is checked against it.
"""

from __future__ import annotations

import re

# Annex B; n is any digit.
_SERVICES = (
    ("Call forwarding", "21 67 61 62 002 004"),
    ("Call waiting", "43"),
    ("Call barring", "33 331 332 35 351 330 333 353"),
    ("Number presentation", "30 31 76 77 300"),
    ("Call transfer", "96"),
    ("Completion of calls to a busy number", "37n"),
    ("Following the subscriber", "214"),
    ("Selected number", "59n"),
    ("Multiple numbers", "88"),
    ("Access to a private network", "66"),
    ("Call deflection and user signalling", "360 361 362 363"),
    ("Priority of calls", "75 75n"),
    ("Password of call barring", "03"),
    ("PIN of the card", "04 042 05 052"),
)

_SERVICE_BY_CODE = [
    (re.compile("|".join(codes.replace("n", r"\d").split())), name) for name, codes in _SERVICES
]


def supplementary_service(code: str) -> str | None:
    """The network's own service that has this service code: "21" is "Call forwarding". None: no service has it."""
    return next((name for codes, name in _SERVICE_BY_CODE if codes.fullmatch(code)), None)


def is_short_string(typed: str) -> bool:
    """Whether these are the one or two digits that go to the network without a #; with a 1 first, two are a call.

    Source: clause 6.5.3.2.
    """
    return re.fullmatch("[02-9]?[0-9]", typed) is not None
