"""What a phone makes of what is typed on its keypad, before anything leaves it.

Supplementary services belong to the network, ``*#06#`` to the phone itself; neither reaches a USSD application.
Source: 3GPP TS 22.030 §6.5 and Annex B.
"""

import re
from dataclasses import dataclass

MAX_CODE = 182
"""Septets of the longest USSD string (3GPP TS 23.038 §6.1.2.3)."""


@dataclass(frozen=True, slots=True)
class Local:
    """A code that never leaves the phone as USSD, and why: a sentence for the display."""

    why: str


@dataclass(frozen=True, slots=True)
class Ussd:
    """A code that the network gets."""

    code: str


@dataclass(frozen=True, slots=True)
class NotACode:
    """Something that a phone would call, or cannot send at all, and why."""

    why: str


def read_code(typed: str, msisdn: str = "") -> Ussd | Local | NotACode:
    """What dialling `typed` does; `msisdn` only makes up the serial number that ``*#06#`` shows."""
    typed = typed.strip()
    if not re.fullmatch(r"[0-9*#]+", typed):
        return NotACode("a code is made of digits, * and #")
    if len(typed) > MAX_CODE:
        return NotACode(f"a code has at most {MAX_CODE} characters, this one has {len(typed)}")
    if typed == "*#06#":
        return Local(f"IMEI {imei(msisdn)}")
    if service := _supplementary(typed):
        return Local(f"{service}: the network's own service, no USSD application sees this code")
    if typed.endswith("#") or _short(typed):
        return Ussd(typed)
    return NotACode("without # at its end this is a call, not a code")


def imei(msisdn: str) -> str:
    """A made-up serial number of the phone with this number: 15 digits, the last one a check digit (Luhn)."""
    body = "35" + msisdn[-12:].rjust(12, "0")
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(body)]
    total = sum(value // 10 + value % 10 for value in doubled)
    return body + str(-total % 10)


def _short(typed: str) -> bool:
    return len(typed) <= 2 and typed.isdigit() and not (len(typed) == 2 and typed[0] == "1")


_FORM = re.compile(r"(?:\*\*|##|\*#|\*|#)(\d{2,3})(?:\*[^#]*)?#")

# TS 22.030 Annex B; n is any digit.
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


def _supplementary(typed: str) -> str | None:
    form = _FORM.fullmatch(typed)
    if not form:
        return None
    return next((name for codes, name in _SERVICE_BY_CODE if codes.fullmatch(form[1])), None)
