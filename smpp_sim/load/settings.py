"""How a load is run: how many at once or how often, how long, with whose numbers."""

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class LoadSettings:
    """How a load is run. ``turns`` measured turns end it before ``seconds`` do; None: only time does.

    ``rate``: turns a second of an open load (the script's length makes dialogues of them); None: a closed
    ``window``. Ramp and warm-up come before the ``seconds`` that are measured.
    """

    window: int = 64
    pdu_window: int | None = None  # unacknowledged deliver_sm; None: as many as there are dialogues
    seconds: float = 5.0
    warmup_s: float = 1.0
    turns: int | None = None
    turn_timeout_s: float = 10.0
    throttle_pause_s: float = 0.02
    first_msisdn: int = 79260000000
    subscribers: int = 100_000
    rate: float | None = None
    arrivals: Literal["poisson", "constant"] = "poisson"
    ramp_s: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        if self.window < 1 or (self.pdu_window is not None and self.pdu_window < 1):
            raise ValueError("a window holds at least 1")
        if self.rate is not None and not self.rate > 0:
            raise ValueError("a rate is more than 0")
        if self.rate is None and self.subscribers < self.window:
            raise ValueError(
                f"{self.window} dialogues at once need as many subscribers, not {self.subscribers}"
            )
        if self.subscribers < 1:
            raise ValueError("a load needs at least 1 subscriber")
        if len(str(self.first_msisdn)) != len(str(self.first_msisdn + self.subscribers - 1)):
            raise ValueError("all MSISDNs of a load have the same number of digits")

    @property
    def stride(self) -> int:
        """A step near the golden section of ``subscribers`` that reaches all of them."""
        step = max(1, int(self.subscribers * 0.618))
        while math.gcd(step, self.subscribers) != 1:
            step += 1
        return step
