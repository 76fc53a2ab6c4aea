"""No regular expression takes more than linear time, on the worst text that can be made for it.

The text is made of the pattern itself: what leads to a repetition, what is repeated, very often, and an end that does
not match. To be sure, a text sixteen times as long may take four times as long for each of its characters.
"""

import importlib
import inspect
import itertools
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from re import _constants as op  # the parser that re itself uses; it has no public name
from re import _parser as parser

import pytest

import gateway
import handlers
import menus
import smpp_sim

SHORT = [
    int(16 * 1.25**step) for step in range(19)
]  # small steps: what doubles with each character is not waited for
LONG = 8_192
MOST_S = 0.05
NOISE_S = 0.0005
ENDS = ("", "\0", "z", "!", "\n")
SAMPLES = 3


def modules() -> Iterator[object]:
    for package in (gateway, handlers, menus, smpp_sim):
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            yield importlib.import_module(found.name)


def patterns() -> dict[str, tuple[re.Pattern, tuple[str, ...]]]:
    """Each pattern that a module has a name for, and how that module uses it."""
    found = {}
    for module in modules():
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern) and f"{name} = " in (source := inspect.getsource(module)):
                used = set(re.findall(rf"\b{name}\.(\w+)", source)) or {"search"}
                found[f"{module.__name__}.{name}"] = value, tuple(sorted(used))
    return found


# ---------------------------------------------------------------------------------------- the worst text


def samples(tree) -> list[str]:
    """A few texts that a pattern matches, or as good as."""
    choices = [of_node(kind, value) for kind, value in tree]
    return ["".join(parts) for parts in itertools.islice(itertools.product(*choices), SAMPLES)]


def of_node(kind, value) -> list[str]:
    match kind:
        case op.LITERAL:
            return [chr(value)]
        case op.NOT_LITERAL | op.ANY:
            return ["a", " "]
        case op.IN:
            return of_set(value)
        case op.BRANCH:
            return [one for branch in value[1] for one in samples(branch)]
        case op.SUBPATTERN:
            return samples(value[3])
        case op.ATOMIC_GROUP:
            return samples(value)
        case op.MAX_REPEAT | op.MIN_REPEAT | op.POSSESSIVE_REPEAT:
            least, _, body = value
            return [one * max(least, 1) for one in samples(body)] + ([""] if least == 0 else [])
    return [""]


def of_set(members) -> list[str]:
    negated = any(kind is op.NEGATE for kind, _ in members)
    within = [one for kind, value in members for one in of_member(kind, value)]
    return [one for one in "a0 *:\x11" if one not in within] if negated else within[: 2 * SAMPLES]


def of_member(kind, value) -> list[str]:
    match kind:
        case op.LITERAL:
            return [chr(value)]
        case op.RANGE:
            return [chr(value[0]), chr(value[1])]
        case op.CATEGORY:
            return {
                op.CATEGORY_SPACE: [" ", "\t"],
                op.CATEGORY_DIGIT: ["0"],
                op.CATEGORY_WORD: ["a", "0"],
            }.get(value, ["-"])
    return []


def repetitions(tree, before: str = "") -> Iterator[tuple[str, str]]:
    """What leads to each repetition in a pattern, and what is repeated."""
    for kind, value in tree:
        match kind:
            case op.MAX_REPEAT | op.MIN_REPEAT | op.POSSESSIVE_REPEAT:
                yield from ((before, one) for one in samples(value[2]) if one)
                yield from repetitions(value[2], before)
            case op.SUBPATTERN:
                yield from repetitions(value[3], before)
            case op.BRANCH:
                for branch in value[1]:
                    yield from repetitions(branch, before)
            case op.ATOMIC_GROUP:
                yield from repetitions(value, before)
        before += of_node(kind, value)[0]


def worst_texts(pattern: re.Pattern) -> Iterator[Callable[[int], str]]:
    """Makers of a text of so many characters."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    tree = parser.parse(source, pattern.flags & ~re.UNICODE)
    starts = {*repetitions(tree), *(("", one) for one in samples(tree) if one)}
    for (before, unit), end in itertools.product(sorted(starts), ENDS):
        yield lambda size, before=before, unit=unit, end=end: before + unit * (size // len(unit)) + end


# ----------------------------------------------------------------------------------------------- measuring


def seconds(pattern: re.Pattern, use: str, text: str) -> float:
    octets = text if isinstance(pattern.pattern, str) else text.encode("latin-1")
    started = time.perf_counter()
    if use == "match":
        pattern.match(octets)
    elif use == "fullmatch":
        pattern.fullmatch(octets)
    else:
        sum(1 for _ in pattern.finditer(octets))
    return time.perf_counter() - started


def growth(pattern: re.Pattern, use: str, make: Callable[[int], str]) -> float:
    """How many times as long a character takes in a text sixteen times as long; inf where nobody would wait."""
    for size in SHORT:
        if seconds(pattern, use, make(size)) > MOST_S:
            return float("inf")
    short = min(seconds(pattern, use, make(LONG // 16)) for _ in range(5))
    return seconds(pattern, use, make(LONG)) / max(short, NOISE_S) / 16


def is_linear(pattern: re.Pattern, use: str, make: Callable[[int], str]) -> bool:
    """Asked three times at most: another program may have had the processor."""
    return any(growth(pattern, use, make) < 4 for _ in range(3))


PATTERNS = patterns()


@pytest.mark.parametrize("name", PATTERNS)
def test_each_pattern_takes_linear_time(name: str):
    pattern, uses = PATTERNS[name]
    for use, make in itertools.product(uses, worst_texts(pattern)):
        assert is_linear(pattern, use, make), f"{use} of {pattern.pattern!r} on {make(40)!r}"


@pytest.mark.parametrize(
    "source", [r"(?:[0-9a-f]{2,4} ?)+$", r"x((a*)*)b", r"\s+$", r"a.*b", r"(?:a|aa)+c", r"\d+\d+x"]
)
def test_a_pattern_that_takes_longer_is_found(source: str):
    pattern = re.compile(source)
    assert not all(is_linear(pattern, "search", make) for make in worst_texts(pattern))
