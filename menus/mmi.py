"""Which codes reach us at all. Source: 3GPP TS 22.030, Annex B and clause 6.5.3.2.

A handset sends as USSD what it does not understand itself. Codes of supplementary services it does understand, and
what is neither digits, * and # nor ends in # it takes for a telephone number. Such a code can be published, but
nobody would ever get here by dialling it.
"""

from __future__ import annotations

import re

from gateway.mmi import is_short_string, supplementary_service
from menus.model import CAPTURE

_SENT = re.compile(r"[*#][0-9*#]*#")
_SERVICE = re.compile(r"(?:\*\*|##|\*#|\*|#)(\d+)[*#].*")
_PREFIX_ALONE = re.compile(r"(?:\*\*|##|\*#|\*|#)#?")
_SERIAL_NUMBER = "06"


def trouble_with_code(code: str) -> tuple[str, str] | None:
    """(what, hint) if a subscriber cannot reach us with this code, else None. A {name} counts as any digit."""
    dialled = CAPTURE.sub("7", code)
    if not (_SENT.fullmatch(dialled) or is_short_string(dialled)):
        return (
            f"a handset does not send '{code}' as USSD",
            "begin it with * and end it with #, digits between",
        )
    if _is_kept(dialled):
        return (
            f"'{code}' belongs to the network's own services",
            "choose a code such as *105#: this never reaches us",
        )
    return None


def _is_kept(dialled: str) -> bool:
    service = _SERVICE.fullmatch(dialled)
    if service:
        return service[1] == _SERIAL_NUMBER or supplementary_service(service[1]) is not None
    return _PREFIX_ALONE.fullmatch(dialled) is not None
