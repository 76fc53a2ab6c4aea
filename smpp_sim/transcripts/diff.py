"""What a transcript expects against what was seen: the golden tests and `starpound replay` compare with this.

A conversation falls into exchanges: something is done, then screens and SMS come. Within one exchange it does not
matter in which order screens and SMS came, because the network does not promise any.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from smpp_sim.transcripts.transcript import (
    Did,
    Passage,
    PickedUp,
    ScreenFacts,
    ScreenShown,
    TextReceived,
    TextSent,
    Typed,
    matches,
    write,
)

ToPhone = ScreenShown | TextReceived
"""What comes to a phone."""

DEED_STEPS = (PickedUp, Typed, TextSent, Did)
"""What somebody does with one."""

_NAME = re.compile(r"(?<!\{)\{[A-Za-z_]\w*\}")


def agrees(said: Passage, seen: Passage, *, nodes: bool = False) -> bool:
    """Whether `seen` is what `said`, a template, expects.

    The ``=`` line counts where there is one: kind, alphabet, and the length unless a ``{name}`` may have another one.
    The node counts with `nodes` only: a phone does not know it.
    """
    match said, seen:
        case ScreenShown(), ScreenShown():
            return _same_text(said.text, seen.text) and _same_facts(said, seen, nodes)
        case TextReceived(), TextReceived():
            return said.sender == seen.sender and _same_text(said.text, seen.text)
        case _:
            return said == seen


def settled(said: Sequence[Passage], seen: Sequence[Passage], *, nodes: bool = False) -> list[Passage]:
    """`seen` as a transcript: what agrees with `said` is written as it is there, with its templates and in its order.

    Both are the outcomes of one exchange.
    """
    left = list(seen)
    steps = [_take(left, one, said, nodes) if isinstance(one, ToPhone) else one for one in said]
    return _before_blanks([step for step in steps if step is not None], left)


def plain_text(template: str) -> str:
    """The text of a template without names, what `smpp_sim.transcripts.transcript.literal` was made from."""
    return template.replace("{{", "{").replace("}}", "}")


def difference(said: Iterable[Passage], happened: Iterable[Passage], name: str) -> list[str]:
    """A unified diff of two transcripts, line by line; empty when they say the same."""
    expected, shown = write(said).splitlines(), write(happened).splitlines()
    return list(difflib.unified_diff(expected, shown, f"{name} (expected)", "what was shown", lineterm=""))


def compare(
    said: Sequence[Passage], happened: Sequence[Passage], name: str, *, nodes: bool = False
) -> list[str]:
    """`difference` of two plays of the same deeds, without what agrees: exchange by exchange."""
    agreed: list[Passage] = []
    for (deed, expected), (_, seen) in zip(exchanges(said), exchanges(happened), strict=True):
        agreed += [deed] if deed else []
        agreed += settled(expected, [step for step in seen if isinstance(step, ToPhone)], nodes=nodes)
    return difference(said, agreed, name)


def exchanges(
    steps: Iterable[Passage],
) -> Iterator[tuple[Passage | None, list[Passage]]]:
    """Each deed with what follows it, remarks and empty lines too; the first may have None for a deed."""
    deed: Passage | None = None
    after: list[Passage] = []
    for step in steps:
        if isinstance(step, DEED_STEPS):
            if deed or after:
                yield deed, after
            deed, after = step, []
        else:
            after.append(step)
    if deed or after:
        yield deed, after


def _take(left: list[Passage], one: Passage, said: Sequence[Passage], nodes: bool) -> Passage | None:
    """Of what was seen, what stands for `one`: the same, or else the first of its kind that nothing else expects."""
    for at, seen in enumerate(left):
        if agrees(one, seen, nodes=nodes):
            del left[at]
            return one
    for at, seen in enumerate(left):
        if type(seen) is type(one) and not any(agrees(other, seen, nodes=nodes) for other in said):
            del left[at]
            return _same_node(one, seen)
    return None


def _same_node(said: Passage, seen: Passage) -> Passage:
    """A node that nobody knows is no difference."""
    match said, seen:
        case ScreenShown(facts=ScreenFacts(node=node)), ScreenShown(facts=ScreenFacts(node="-") as facts):
            return replace(seen, facts=replace(facts, node=node))
    return seen


def _before_blanks(steps: list[Passage], rest: list[Passage]) -> list[Passage]:
    """`rest` behind the last outcome, before the remarks and the empty lines that lead over to what comes next."""
    at = max((place for place, step in enumerate(steps, 1) if isinstance(step, ToPhone)), default=0)
    return [*steps[:at], *rest, *steps[at:]]


def _same_text(said: str, seen: str) -> bool:
    return said == seen or matches(said, plain_text(seen)) is not None


def _same_facts(said: ScreenShown, seen: ScreenShown, nodes: bool) -> bool:
    if said.facts is None:
        return True
    return seen.facts is not None and _comparable(said.facts, said, nodes) == _comparable(
        seen.facts, said, nodes
    )


def _comparable(facts: ScreenFacts, said: ScreenShown, nodes: bool) -> ScreenFacts:
    facts = facts if nodes else replace(facts, node="-")
    return replace(facts, used=0) if _NAME.search(said.text.replace("{{", "")) else facts
