"""What came of a scenario, for a terminal and for a program."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from smpp_sim.scenarios.judge import WRONGS
from smpp_sim.scenarios.scenario import Expect, Scenario

VisitOutcome = Literal["done", "failed", "lost", "timed_out"]

OUTCOMES: dict[str, str] = {
    "done": "went as their script says",
    "failed": "saw something else",
    "lost": "were ended by the network, the subscriber or a fault",
    "timed_out": "waited in vain",
}
"""What can become of a visit."""

MAX_VISITS_TOLD = 20
"""Visits that did not go well, told one by one."""


@dataclass(slots=True)
class Summary:
    """All of it. `problems` are the expectations that are not met: one sentence each."""

    title: str
    seed: int
    seconds: float = 0.0
    begun: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    sms_sent: int = 0
    sms_received: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether all expectations are met."""
        return not self.problems

    def note(self, outcome: VisitOutcome, what: str = "") -> None:
        """Count a visit; `what` tells of one that did not go well."""
        self.outcomes[outcome] += 1
        if what and len(self.examples) < MAX_VISITS_TOLD:
            self.examples.append(what)

    def judge(self, expect: Expect) -> None:
        """Compare with what is expected."""
        done = self.outcomes["done"]
        if done < expect.done_share * self.begun:
            self.problems.append(
                f"{done} of {self.begun} visits went as their script says; {expect.done_share:.0%} should"
            )
        if not self.begun:
            self.problems.append("nobody has begun: the duration is too short for the rate")
        if (wrong := self.wrong.total()) > expect.wrong:
            self.problems.append(f"the ESME did {wrong} things wrong; {expect.wrong} may be")

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "title": self.title,
            "seed": self.seed,
            "seconds": round(self.seconds, 3),
            "visits": {"begun": self.begun} | {name: self.outcomes[name] for name in OUTCOMES},
            "sms": {"sent": self.sms_sent, "received": self.sms_received},
            "faults": dict(sorted(self.faults.items())),
            "wrong": dict(sorted(self.wrong.items())),
            "examples": self.examples,
            "problems": self.problems,
            "good": self.good,
        }

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        lines = [f"{self.title or 'Scenario'}, seed {self.seed}, {self.seconds:.1f} s"]
        lines.append(f"  visits {self.begun}")
        lines += [f"    {self.outcomes[name]:>6} {words}" for name, words in OUTCOMES.items()]
        lines.append(f"  SMS {self.sms_sent} sent by phones, {self.sms_received} received")
        lines.append(f"  faults {self.faults.total() or 'none'}")
        lines += [f"    {count:>6} {kind}" for kind, count in sorted(self.faults.items())]
        lines.append(f"  what the ESME did wrong: {self.wrong.total() or 'nothing'}")
        lines += [f"    {count:>6} {kind}: it {WRONGS[kind]}" for kind, count in sorted(self.wrong.items())]
        lines += [f"  e.g. {example}" for example in self.examples]
        lines += [f"  NOT AS EXPECTED: {problem}" for problem in self.problems] or ["  as expected"]
        return lines


def begin(scenario: Scenario, seed: int) -> Summary:
    """An empty one."""
    return Summary(scenario.title, seed)
