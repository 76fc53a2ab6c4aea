"""An alarm that rings within some tens of microseconds.

The timers of an event loop have a grain of a millisecond, as epoll has. Turns due at an open rate are timed from when
they were due, so that grain would stand in every latency. Linux has timers that are file descriptors
(timerfd_create(2)); elsewhere the loop's own timers have to do, and the report shows what they cost as the lag.
"""

import asyncio
import contextlib
import ctypes
import os
import struct
import time
from collections.abc import Callable

_CLOCK_MONOTONIC = 1  # what time.perf_counter_ns() reads on Linux
_TFD_TIMER_ABSTIME = 1
_ITIMERSPEC = struct.Struct("@qqqq")


class PreciseAlarm:
    """Calls ``ring`` when ``time.perf_counter_ns()`` has reached what `set` was given last. `close` it."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = None
        self._libc, self._fd = _timer()
        if self._fd >= 0:
            self._loop.add_reader(self._fd, self._rung)

    def set(self, at_ns: int) -> None:
        """Ring at ``at_ns``, instead of any time set before."""
        if self._fd >= 0:
            spec = _ITIMERSPEC.pack(0, 0, *divmod(max(at_ns, 1), 1_000_000_000))
            self._libc.timerfd_settime(self._fd, _TFD_TIMER_ABSTIME, spec, None)
            return
        if self._handle is not None:
            self._handle.cancel()
        delay_s = max(0.0, (at_ns - time.perf_counter_ns()) / 1e9)
        self._handle = self._loop.call_later(delay_s, self._ring)

    def close(self) -> None:
        """Never ring again."""
        if self._handle is not None:
            self._handle.cancel()
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _rung(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._fd, 8)
        self._ring()


def _timer() -> tuple[ctypes.CDLL, int]:
    """Return the C library and a new timer's descriptor, -1 where there are none."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "timerfd_create"):
        return libc, -1
    return libc, libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
