"""What enters the menu and what leaves it: turns, the open dialogue, and the screen they are shown on.

Nothing here knows a wire, a clock or a store. The gateway translates PDUs into the turns of the first group,
executes a Call itself, and translates Show and End back into PDUs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Measure = Callable[[str], tuple[str, int]]
"""text -> (alphabet, length): ("gsm7", septets with escapes counted twice) or ("ucs2", UTF-16 code units)."""


# ------------------------------------------------------------------------------------------------ in


@dataclass(slots=True)
class Begin:
    """The subscriber dialled `code`, e.g. "*105*00#". An older dialogue of his is forgotten."""

    code: str


@dataclass(slots=True)
class Answer:
    """The subscriber answered the screen; empty text is a bare OK and is not a cancel."""

    text: str = ""


@dataclass(slots=True)
class Abort:
    """The dialogue died on the other side (Cancel, time-out). `reason` is for the log only."""

    reason: str = ""


@dataclass(slots=True)
class Notified:
    """A notice was shown on the handset."""


@dataclass(slots=True)
class Text:
    """An SMS `text` to the short number `to`, e.g. Text("000110", "")."""

    to: str
    text: str = ""


Turn = Begin | Answer | Abort | Notified | Text


@dataclass(slots=True)
class Returned:
    """What the operation of a Call came back with: an outcome's code and the values its words need."""

    code: str
    values: dict[str, Any] = field(default_factory=dict)


# ----------------------------------------------------------------------------------------------- out


@dataclass(slots=True)
class Show:
    """A screen that waits for an answer. `node` is where the dialogue stands."""

    text: str
    node: str


@dataclass(slots=True)
class End:
    """The last screen; the dialogue is over. Empty text: there is nothing to say (the subscriber is gone)."""

    text: str
    node: str


@dataclass(slots=True)
class Call:
    """Run `operation` with `args`, then advance the same dialogue with Returned(code, values)."""

    operation: str
    args: dict[str, Any]
    node: str


Reaction = Show | End | Call


# ------------------------------------------------------------------------------------------ in between

WHOLE = -1


@dataclass(slots=True)
class Dialogue:
    """What must survive a restart of an open dialogue, JSON-able, nothing that the menu itself knows.

    node: id of the node it stands at, "" before the first turn and after the last
    page: number of the page shown, from 0; WHOLE when it is the only one, so that every key was on the screen
    misses: wrong answers in a row
    values: what the node's text and the next calls' arguments need
    meaning: what the keys on the screen lead to, in 64 bits with a sign; 0 when nobody knows
    """

    node: str = ""
    page: int = 0
    misses: int = 0
    values: dict[str, Any] = field(default_factory=dict)
    meaning: int = 0


@dataclass(frozen=True, slots=True)
class Display:
    """Whom and what we write on: the words' language, the letters, the room on one screen.

    language: "ru" or "en"; script: "cyrillic" or "latin" (matters for Russian only)
    measure: counts a text; injected, because alphabets belong to the protocol
    septets, ucs2: room on one screen in each alphabet (3GPP TS 23.038: 160 octets)
    paged: False for an SMS answer: the whole text at once, without navigation lines
    """

    language: str
    script: str
    measure: Measure
    septets: int = 182
    ucs2: int = 80
    paged: bool = True
