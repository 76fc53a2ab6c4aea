"""Which codes reach us at all. Source: 3GPP TS 22.030, Annex B and clause 6.5.3.2.

A handset sends as USSD what it does not understand itself. Codes of supplementary services it does understand, and
what is neither digits, * and # nor ends in # it takes for a telephone number. Such a code can be published, but
nobody would ever get here by dialling it.
"""

from __future__ import annotations

import re

from menus.model import CAPTURE

_SERVICES = (
    "002 004 21 61 62 67 "  # forwarding
    "43 "  # waiting
    "33 330 331 332 333 35 351 353 "  # barring
    "30 31 300 76 77 "  # identity of the line, names
    r"66 88 96 214 37\d 59\d "  # deflection, completion, transfer, user-defined
    r"360 361 362 363 75 75\d "  # charging, priority
    "03 04 042 05 052 "  # passwords and PINs
    "06"  # the handset's own serial number
)
_NETWORK = re.compile(rf"(?:\*\*|##|\*#|\*|#)(?:{'|'.join(_SERVICES.split())})[*#].*|(?:\*\*|##|\*#|\*|#)#?")
_SENT = re.compile(r"[*#][0-9*#]*#|[02-9]?[0-9]")


def trouble_with_code(code: str) -> tuple[str, str] | None:
    """(what, hint) if a subscriber cannot reach us with this code, else None. A {name} counts as any digit."""
    dialled = CAPTURE.sub("7", code)
    if not _SENT.fullmatch(dialled):
        return (
            f"a handset does not send '{code}' as USSD",
            "begin it with * and end it with #, digits between",
        )
    if _NETWORK.fullmatch(dialled):
        return (
            f"'{code}' belongs to the network's own services",
            "choose a code such as *105#: this never reaches us",
        )
    return None
