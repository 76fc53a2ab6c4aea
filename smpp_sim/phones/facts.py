"""What a phone shows and has received, as facts: written for the events of its log, and read back from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.smpp.text import measure
from smpp_sim.phones.handset import Shown
from smpp_sim.phones.inbox import Sms

SCREEN_ALLOWED = {"gsm7": 182, "ucs2": 80}
"""What a screen holds: septets, or UTF-16 code units (3GPP TS 23.038 §6.1.2.3, §5)."""


def screen_facts(shown: Shown) -> dict[str, Any]:
    """A box for JSON: kind, text, alphabet, used and allowed units (as on the ``=`` line of a transcript)."""
    alphabet, used = measure(shown.text)
    allowed = SCREEN_ALLOWED[alphabet]
    return {"screen": shown.kind, "text": shown.text, "alphabet": alphabet, "used": used, "allowed": allowed}


def sms_facts(sms: Sms) -> dict[str, Any]:
    """A received SMS for JSON."""
    return {"sms": sms.number, "sender": sms.sender, "text": sms.text, "parts": sms.parts}


@dataclass(frozen=True, slots=True)
class Box:
    """A box on the display: kind ask, end, notice, error or local; length in septets (gsm7) or UTF-16 units."""

    kind: str
    text: str
    alphabet: str
    used: int
    allowed: int

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> "Box":
        """From the facts of an event ``screen``."""
        return cls(facts["screen"], facts["text"], facts["alphabet"], facts["used"], facts["allowed"])


@dataclass(frozen=True, slots=True)
class ReceivedSms:
    """An SMS that has come, and of how many parts."""

    sender: str
    text: str
    parts: int

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> "ReceivedSms":
        """From the facts of an event ``sms``."""
        return cls(facts["sender"], facts["text"], facts["parts"])
