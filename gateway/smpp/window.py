"""Requests of ours that wait for their response: one table, keyed by sequence number (cases W1, W5)."""

from typing import Any

from gateway.smpp.states import BIND_STATES, ENQUIRE_LINK, UNBIND
from gateway.smpp.vocabulary import GENERIC_NACK, RESPONSE_BIT

MAX_SEQUENCE_NUMBER = 0x7FFFFFFF  # p.39

LINK_REQUESTS = frozenset(BIND_STATES) | {UNBIND, ENQUIRE_LINK}
"""Requests about the session itself: they wait in the table, but take no place in the window."""

Waiting = tuple[int, float, int, Any]
"""command_id of the request, when it was sent, how many responses went before it, and the context it was sent with."""


class Window:
    """The table, and the places that are left in it. Oldest first: the response timer is the same for all."""

    __slots__ = ("_last", "_places", "_timer_s", "_waiting", "used")

    def __init__(self, places: int, response_timer_s: float | None) -> None:
        self._places = places
        self._timer_s = response_timer_s
        self._waiting: dict[int, Waiting] = {}
        self._last = 0
        self.used = 0

    @property
    def free(self) -> int:
        """Places left."""
        return self._places - self.used

    def resize(self, places: int, response_timer_s: float | None) -> None:
        """As many places as that from now on; requests that wait stay."""
        self._places = places
        self._timer_s = response_timer_s

    def next_sequence_number(self) -> int:
        """1 to 0x7FFFFFFF, then 1 again (F5), and none that is still waited for. Nothing is registered yet."""
        following = self._last % MAX_SEQUENCE_NUMBER + 1
        while following in self._waiting:
            following = following % MAX_SEQUENCE_NUMBER + 1
        return following

    def register(
        self, sequence_number: int, command_id: int, now: float, responses_sent: int, context: Any
    ) -> None:
        """Expect the response; to be called before the octets of the request go anywhere (W5)."""
        self._last = sequence_number
        self._waiting[sequence_number] = (command_id, now, responses_sent, context)
        if command_id not in LINK_REQUESTS:
            self.used += 1

    def settle(self, sequence_number: int, response_id: int) -> Waiting | None:
        """The request that this response answers, no longer waiting; None when nobody asked for it (S7)."""
        waiting = self._waiting.get(sequence_number)
        if waiting is None or (response_id != waiting[0] | RESPONSE_BIT and response_id != GENERIC_NACK):
            return None
        self._forget(sequence_number, waiting[0])
        return waiting

    def deadline(self) -> float | None:
        """When the response timer of the oldest request runs out."""
        if not self._waiting or not self._timer_s:
            return None
        _, sent, _, _ = next(iter(self._waiting.values()))
        return sent + self._timer_s

    def expire_oldest(self) -> tuple[int, Waiting]:
        """Stop waiting for the oldest request; its sequence number and itself."""
        sequence_number, waiting = next(iter(self._waiting.items()))
        self._forget(sequence_number, waiting[0])
        return sequence_number, waiting

    def abandon(self) -> list[Waiting]:
        """Stop waiting for all of them."""
        waiting = list(self._waiting.values())
        self._waiting.clear()
        self.used = 0
        return waiting

    def _forget(self, sequence_number: int, command_id: int) -> None:
        del self._waiting[sequence_number]
        if command_id not in LINK_REQUESTS:
            self.used -= 1
