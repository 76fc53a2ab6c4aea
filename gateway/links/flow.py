"""How fast a link sends: a window that adapts to the centre, and a rate that the contract with it allows.

The window is that of TCP's congestion control: it grows by one for every window that was taken, and is halved when
the centre says ESME_RTHROTTLED or ESME_RMSGQFUL. Time is a number.
"""

import math

_BURST_S = 0.1  # what a link that was idle may send at once, as a part of a second's rate


class Flow:
    """The pace of one link. `most` is the window agreed with the centre, `rate` messages a second (0: no limit)."""

    def __init__(self, most: int, rate: float = 0.0):
        self._most = most
        self._window = float(most)
        self._rate = rate
        self._burst = max(1.0, rate * _BURST_S)
        self._tokens = self._burst
        self._counted = -math.inf

    @property
    def window(self) -> int:
        """Requests that may wait for their response on one bind, just now."""
        return int(self._window)

    def taken(self) -> None:
        """The centre has taken a message."""
        if self._window < self._most:
            self._window = min(self._most, self._window + 1 / self._window)

    def throttled(self) -> None:
        """The centre had no room for a whole window; call it once for that."""
        self._window = max(1.0, self._window / 2)

    def allowance(self, now: float) -> int:
        """How many messages may leave now; it is for the caller to `spend` those that do."""
        if not self._rate:
            return self._most
        if now > self._counted:
            self._tokens = min(self._burst, self._tokens + (now - self._counted) * self._rate)
            self._counted = now
        return int(self._tokens)

    def spend(self, messages: int) -> None:
        """So many have left."""
        if self._rate:
            self._tokens -= messages

    def due(self, now: float) -> float:
        """When `allowance` will be one at least."""
        return now if self.allowance(now) else now + (1 - self._tokens) / self._rate
