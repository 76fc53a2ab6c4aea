"""The one timer of something that knows when it is due next: armed anew whenever it may be due earlier."""

import asyncio
from collections.abc import Callable


class Alarm:
    """Rings once after `arm`, in the loop that runs then. `at` is when, in loop time; None while nothing is armed.

    One that rings too early finds nothing to do and is armed again; so a deadline that moves away costs nothing.
    """

    def __init__(self, ring: Callable[[], None]):
        self.at: float | None = None
        self._ring = ring
        self._handle: asyncio.TimerHandle | None = None

    def arm(self, at: float | None) -> None:
        """Ring at `at`, or earlier if that is armed already; None: there is nothing to ring for."""
        if at is None or (self.at is not None and self.at <= at):
            return
        self.cancel()
        self.at = at  # uvloop's handles cannot always tell
        self._handle = asyncio.get_running_loop().call_at(at, self._rung)

    def cancel(self) -> None:
        """Do not ring."""
        if self._handle:
            self._handle.cancel()
        self._handle = self.at = None

    def _rung(self) -> None:
        self._handle = self.at = None
        self._ring()
