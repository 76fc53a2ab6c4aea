"""What a phone makes of what is typed on its keypad, before anything leaves it.

Supplementary services belong to the network, ``*#06#`` to the phone itself; neither reaches a USSD application.
Source: 3GPP TS 22.030 §6.5 and Annex B.
"""

import re
from dataclasses import dataclass

from gateway.mmi import is_short_string, supplementary_service

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
    if typed.endswith("#") or is_short_string(typed):
        return Ussd(typed)
    return NotACode("without # at its end this is a call, not a code")


def imei(msisdn: str) -> str:
    """A made-up serial number of the phone with this number: 15 digits, the last one a check digit (Luhn)."""
    body = "35" + msisdn[-12:].rjust(12, "0")
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(body)]
    total = sum(value // 10 + value % 10 for value in doubled)
    return body + str(-total % 10)


_FORM = re.compile(r"(?:\*\*|##|\*#|\*|#)(\d{2,3})(?:\*[^#]*)?#")


def _supplementary(typed: str) -> str | None:
    form = _FORM.fullmatch(typed)
    return supplementary_service(form[1]) if form else None
