"""When the dialogues of a network are over unless something happens on them; time is a number."""

import heapq
import itertools
from collections.abc import Iterator

from smpp_sim.centre.delivery import UssdDialogue

_SPARE = 1000
"""Deadlines that do not hold any more may pile up to this many, and to `_PER_DIALOGUE` for each dialogue."""
_PER_DIALOGUE = 4


class Deadlines:
    """The dialogues by their `deadline`, which may have been put off since it was noted."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, UssdDialogue]] = []
        self._tie = itertools.count()

    def __len__(self) -> int:
        return len(self._heap)

    def first(self) -> float | None:
        """When `due` is to be looked at next; None: never."""
        return self._heap[0][0] if self._heap else None

    def note(self, dialogue: UssdDialogue, dialogues: int) -> None:
        """Note a dialogue's deadline; there are at most so many `dialogues` at one time."""
        heapq.heappush(self._heap, self._entry(dialogue))
        if len(self._heap) > _SPARE + _PER_DIALOGUE * dialogues:
            self._heap = [self._entry(one) for one in {entry[2] for entry in self._heap} if not one.over]
            heapq.heapify(self._heap)

    def due(self, now: float) -> Iterator[UssdDialogue]:
        """The dialogues whose time is up; whoever gets one ends it."""
        while self._heap and self._heap[0][0] <= now:
            dialogue = self._heap[0][2]
            if not dialogue.over and dialogue.deadline > now:
                heapq.heapreplace(self._heap, self._entry(dialogue))
                continue
            heapq.heappop(self._heap)
            if not dialogue.over:
                yield dialogue

    def _entry(self, dialogue: UssdDialogue) -> tuple[float, int, UssdDialogue]:
        return dialogue.deadline, next(self._tie), dialogue
