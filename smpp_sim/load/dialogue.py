"""What a run keeps of its scripts, of each dialogue, and for the next run."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from smpp_sim.load import pdu as wire

HELD = -1


@dataclass
class Leftovers:
    """What one run hands to the next on the same bind, so that late answers are known as such.

    ``sequence`` is the next free sequence number; ``given_up`` holds the sequence numbers and the (MSISDN,
    session) of turns that were given up and may still be answered; ``session`` numbers the first dialogue: under
    the number of his last one, a subscriber's dial would be taken for a copy.
    """

    sequence: int = 1
    given_up: set[int | tuple[bytes, int]] = field(default_factory=set)
    session: int = 0


class Plan:
    """A script, ready to be sent."""

    __slots__ = ("last_turn", "templates", "turns", "ussd")

    def __init__(self, script: wire.LoadScript, templates: Sequence[wire.PduTemplate]) -> None:
        self.turns = script.turns
        self.ussd = script.kind == "ussd"
        self.templates = templates
        self.last_turn = len(script.turns) - 1


class LoadDialogue:
    """One subscriber in mid-script; the object is used again for the next subscriber."""

    __slots__ = ("msisdn", "plan", "sequence", "session", "started_ns", "turn")

    def __init__(self) -> None:
        self.msisdn = b""
        self.plan: Plan
        self.session = wire.NO_SESSION
        self.turn = 0
        self.sequence = 0  # 0: the turn was never on the wire; HELD: it was, and has been throttled
        self.started_ns = 0  # 0: when it will be written
