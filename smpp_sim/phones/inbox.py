"""The SMS that a phone has received, long ones put together from their parts; time is a number.

A part says whose it is by (sender, reference, total): 3GPP TS 23.040 §9.2.3.24.1 and §9.2.3.24.8. Parts come in
any order, twice, or never; what stays incomplete is forgotten after `PART_LIFE_S`.
"""

from collections import deque
from dataclasses import dataclass, field

from gateway.smpp.text import decode_text
from gateway.smpp.user_data_header import National, Part

MAX_MESSAGES = 100
"""Messages kept; the oldest goes first."""
MAX_INCOMPLETE = 16
"""Long messages that may be incomplete at one time; the oldest goes first."""
PART_LIFE_S = 600.0
"""Seconds that parts wait for the rest of their message."""


@dataclass(frozen=True, slots=True)
class Sms:
    """A message as its reader sees it. `number` counts from 1 on each phone, `at` is what `now` was."""

    number: int
    sender: str
    text: str
    parts: int
    at: float


EncodedPart = tuple[bytes, str, National | None]
"""Octets, their alphabet, and the national tables that they are written with."""


@dataclass(slots=True)
class _Incomplete:
    since: float
    pieces: dict[int, EncodedPart] = field(default_factory=dict)


class SmsInbox:
    """Received messages, newest last: `messages`."""

    def __init__(self) -> None:
        self.messages: deque[Sms] = deque(maxlen=MAX_MESSAGES)
        self._count = 0
        self._incomplete: dict[tuple[str, int, int], _Incomplete] = {}

    def receive(
        self,
        sender: str,
        octets: bytes,
        alphabet: str,
        part: Part | None,
        now: float,
        national: National | None = None,
    ) -> Sms | None:
        """Take a message, or a part of one; the message when it is complete, otherwise None."""
        if part is None or not 1 <= part.number <= part.total:
            return self._keep(sender, decode_text(octets, alphabet, national), 1, now)
        key = (sender, part.reference, part.total)
        self._forget_old(now)
        waiting = self._incomplete.setdefault(key, _Incomplete(now))
        waiting.pieces.setdefault(part.number, (octets, alphabet, national))
        if len(waiting.pieces) < part.total:
            self._make_room()
            return None
        del self._incomplete[key]
        return self._keep(sender, _join(waiting.pieces), part.total, now)

    def _keep(self, sender: str, text: str, parts: int, now: float) -> Sms:
        self._count += 1
        sms = Sms(self._count, sender, text, parts, now)
        self.messages.append(sms)
        return sms

    def _forget_old(self, now: float) -> None:
        for key in [key for key, waiting in self._incomplete.items() if now - waiting.since > PART_LIFE_S]:
            del self._incomplete[key]

    def _make_room(self) -> None:
        while len(self._incomplete) > MAX_INCOMPLETE:
            del self._incomplete[next(iter(self._incomplete))]


def _join(pieces: dict[int, EncodedPart]) -> str:
    """Octets are joined before they are decoded: a sender may have split inside a surrogate pair."""
    ordered = [pieces[index] for index in sorted(pieces)]
    forms = {(alphabet, national) for _, alphabet, national in ordered}
    if len(forms) == 1:
        return decode_text(b"".join(octets for octets, _, _ in ordered), *forms.pop())
    return "".join(decode_text(*piece) for piece in ordered)
