"""How long to wait before something that failed is tried again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double: `first_s`, 2·`first_s`, … up to `max_s`."""

    first_s: float = 0.1
    max_s: float = 30

    def after(self, failures: int) -> float:
        """Seconds to wait after that many failures in a row (from 1)."""
        return min(self.max_s, self.first_s * (1 << min(failures - 1, 30)))
