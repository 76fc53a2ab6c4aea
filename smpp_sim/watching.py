"""Waiting for the next thing to happen, for everybody who watches and holds up nobody."""

import asyncio


class TooManyWatchers(Exception):
    """As many as may wait are waiting already."""


class Watchers:
    """Those who wait for `what` to go on, at most `limit` at one time."""

    def __init__(self, what: str, limit: int):
        self._what, self._limit = what, limit
        self._waiting: set[asyncio.Future[None]] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    async def wait(self, deadline: float) -> bool:
        """Wait for `wake` until `deadline`, of the loop's clock; whether it came. Raises `TooManyWatchers`."""
        if len(self._waiting) >= self._limit:
            raise TooManyWatchers(f"{self._limit} are waiting on {self._what} already")
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            async with asyncio.timeout_at(deadline):
                await future
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(future)
        return True

    def wake(self) -> None:
        """Something has happened."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
