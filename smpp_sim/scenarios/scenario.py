"""A scenario: who dials what and how often, and what goes wrong meanwhile. The shape of the file, and its defaults.

Everything that is left to chance is drawn from the seed: the same seed brings the same calls at the same times, and the
same faults on the same messages of each phone. `file` reads one, `arrivals` and `faults` draw from it,
`run` plays it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from random import Random
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field

from smpp_sim.phones.keypad import NotACode, read_code
from smpp_sim.transcripts.transcript import slip_in

_STRICT = {"extra": "forbid"}

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Number = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if type(value) is int else value),
    Field(pattern="^[0-9]{1,20}$"),
]


def _code(typed: str) -> str:
    if isinstance(read := read_code(typed), NotACode):
        raise ValueError(read.why)
    return typed


def _template(text: str) -> str:
    if slip := slip_in(text):
        raise ValueError("{} ({})".format(*slip))
    return text


DialledCode = Annotated[str, AfterValidator(_code)]
TextTemplate = Annotated[str, AfterValidator(_template)]


class Chance:
    """The seed, split by purpose: what is drawn for one purpose does not depend on what is drawn for another."""

    def __init__(self, seed: int):
        self.seed = seed

    def of(self, *purpose: str | int) -> Random:
        """A generator for this purpose, always the same one for the same seed."""
        return Random("/".join(map(str, (self.seed, *purpose))))


def _spread(value: Any) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return {"least_s": value, "most_s": value} if number else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A time left to chance. A bare number is that many seconds, always.

    Either two ends, between which everything is as likely, or a median with its 99th percentile: a log-normal one,
    as answering times are.
    """

    __pydantic_config__: ClassVar[Any] = _STRICT

    least_s: Seconds | None = None
    """Seconds at least; with most_s."""
    most_s: Seconds | None = None
    """Seconds at most."""
    median_s: Positive | None = None
    """Seconds that half of them stay below; with p99_s."""
    p99_s: Positive | None = None
    """Seconds that 99 of 100 stay below."""

    def __post_init__(self) -> None:
        pairs = ((self.least_s, self.most_s), (self.median_s, self.p99_s))
        given = [pair for pair in pairs if pair != (None, None)]
        low, high = given[0] if len(given) == 1 else (None, None)
        if low is None or high is None:
            raise ValueError("write a number, or least_s and most_s, or median_s and p99_s")
        if low > high:
            raise ValueError("the first number is above the second")

    def draw(self, chance: Random) -> float:
        """Seconds."""
        if self.least_s is not None and self.most_s is not None:
            return chance.uniform(self.least_s, self.most_s)
        assert self.median_s is not None, "one of the two pairs is given"
        assert self.p99_s is not None, "and the whole of it"
        return self.median_s * math.exp(chance.gauss(0, 1) * math.log(self.p99_s / self.median_s) / _Z99)


_Z99 = 2.3263
"""The 99th percentile of the normal distribution."""

Time = Annotated[Spread, BeforeValidator(_spread)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberRange:
    """Numbers in a row. Their languages are the gateway's business."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    first: Number = "79260000000"
    """The lowest number."""
    count: Annotated[int, Field(ge=1, le=1_000_000)] = 20
    """How many there are."""

    def __post_init__(self) -> None:
        if len(self.first) < 3 or len(self.number(self.count - 1)) > 15:
            raise ValueError("a phone number has 3 to 15 digits, the first and the last one of them, too")

    def number(self, index: int) -> str:
        """The number at that place, from 0."""
        return str(int(self.first) + index).zfill(len(self.first))


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """How often somebody begins with a script, whatever becomes of those before him."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    rate_per_s: Annotated[float, Field(gt=0, le=10_000)] = 1.0
    """Visits a second."""
    pattern: Literal["poisson", "constant"] = "poisson"
    """poisson: at random, as people do; constant: in step."""
    ramp_s: Seconds = 0.0
    """Seconds in which the rate grows evenly from nothing."""
    most: Annotated[int, Field(ge=1)] | None = None
    """Visits at most; left out: as many as the duration has room for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoSms:
    """An SMS from a phone."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    to: Number
    """The number that it goes to."""
    text: str = ""
    """What it says; an empty one is legal."""


DEEDS = ("dial", "answer", "ok", "cancel", "wait", "sms")


def _step(value: Any) -> Any:
    return {value: True} if isinstance(value, str) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitStep:
    """One thing that a subscriber does, and what he then sees. `ok` and `cancel` may stand alone, as a word."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    dial: DialledCode | None = None
    """A code to dial; its screen is waited for."""
    answer: str | None = None
    """An answer to the screen; the next one is waited for."""
    ok: Literal[True] | None = None
    """An empty answer, or the end of a last screen."""
    cancel: Literal[True] | None = None
    """The dialogue is given up."""
    wait: Time | None = None
    """Do nothing for that time, dialogue open or not."""
    sms: MoSms | None = None
    """An SMS to send."""
    expect: TextTemplate | None = None
    """What the screen says, as in a transcript: {money}, {any} and so on stand for what changes."""
    expect_sms: TextTemplate | None = None
    """What the SMS says that this brings; it is waited for."""
    within_s: Positive = 30.0
    """Seconds to wait for the screen, or for the SMS."""

    def __post_init__(self) -> None:
        if len([name for name in DEEDS if getattr(self, name) is not None]) != 1:
            raise ValueError(f"a step is one of {', '.join(DEEDS)}")
        if self.expect is not None and self.deed not in ("dial", "answer", "ok"):
            raise ValueError("expect needs a screen: put it to dial, answer or ok")

    @property
    def deed(self) -> str:
        """Which of `DEEDS`."""
        return next(name for name in DEEDS if getattr(self, name) is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitScript:
    """What a subscriber does in one go."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    name: str
    """For the summary."""
    steps: Annotated[tuple[Annotated[VisitStep, BeforeValidator(_step)], ...], Field(min_length=1)]
    """One after the other. When the last is done, whatever is on the display is closed."""
    weight: Positive = 1.0
    """How often it is chosen, against the others."""
    think: Time = Spread(least_s=0.0, most_s=0.0)
    """Time that the subscriber takes before each answer."""


FaultKind = Literal[
    "latency",
    "throttle",
    "queue_full",
    "vendor_status",
    "request_lost",
    "response_lost",
    "receipt_first",
    "reorder",
    "duplicate",
    "malformed",
    "abort",
    "session_reuse",
    "half_open",
    "slow_reading",
    "enquire_link_unanswered",
    "bind_refused",
    "restart",
]
MalformedForm = Literal[
    "unknown_command", "cut_body", "tlv_beyond_end", "bad_op", "empty_source", "bad_length"
]
MALFORMED_FORMS: tuple[MalformedForm, ...] = get_args(MalformedForm)

PERIODS = frozenset({"half_open", "restart"})
"""Faults that happen to a whole link at a time, and so need `for_s`."""

_OWN_KEYS: Mapping[str, frozenset[str]] = {
    "latency": frozenset({"delay"}),
    "vendor_status": frozenset({"status"}),
    "bind_refused": frozenset({"status"}),
    "duplicate": frozenset({"delay"}),
    "malformed": frozenset({"forms"}),
    "abort": frozenset({"delay", "by"}),
    "slow_reading": frozenset({"delay"}),
    "reorder": frozenset({"delay"}),
    "receipt_first": frozenset({"delay"}),
    "restart": frozenset({"forget_dialogues"}),
}
"""Keys that only some faults know."""
_SPECIAL = frozenset().union(*_OWN_KEYS.values())
_NEEDED = {"latency": "delay", "slow_reading": "delay"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that goes wrong: what, when, how often, to whom."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    kind: FaultKind
    """What goes wrong."""
    share: Share = 1.0
    """Part of the occasions on which it does."""
    from_s: Seconds = 0.0
    """Seconds after the beginning of the scenario."""
    for_s: Positive | None = None
    """Seconds that it lasts; left out: to the end."""
    every_s: Positive | None = None
    """Seconds after which it begins again."""
    account: str | None = None
    """Only with this ESME: its system_id."""
    command: Literal["submit_sm", "submit_multi", "data_sm", "deliver_sm"] | None = None
    """Only with this command."""
    traffic: Literal["ussd", "sms"] | None = None
    """Only with turns and screens of dialogues, or only with SMS and receipts."""
    phone: Number | None = None
    """Only with phones whose number begins like this."""
    delay: Time | None = None
    """latency: of a response; slow_reading: after a read; duplicate, abort: after the message; else: at most."""
    status: Annotated[int, Field(ge=1, le=0xFFFFFFFF)] | None = None
    """vendor_status, bind_refused: the command_status; left out: one of 0x400 to 0x4FF, ESME_RBINDFAIL."""
    by: Literal["user", "network"] | None = None
    """abort: who ends the dialogue; left out: one or the other."""
    forms: Annotated[tuple[MalformedForm, ...], Field(min_length=1)] = MALFORMED_FORMS
    """malformed: in which ways."""
    forget_dialogues: bool = True
    """restart: whether the dialogues that were open are lost."""

    def __post_init__(self) -> None:
        defaults = {one.name: one.default for one in fields(self)}
        for name in sorted(_SPECIAL - _OWN_KEYS.get(self.kind, frozenset())):
            if getattr(self, name) != defaults[name]:
                raise ValueError(f"{name} means nothing to {self.kind}; it is for {_kinds_with(name)}")
        if self.kind in _NEEDED and getattr(self, _NEEDED[self.kind]) is None:
            raise ValueError(f"{self.kind} needs {_NEEDED[self.kind]}")
        if self.kind in PERIODS and self.for_s is None:
            raise ValueError(f"{self.kind} needs for_s: how many seconds it lasts")
        if self.every_s is not None and (self.for_s is None or self.for_s >= self.every_s):
            raise ValueError("every_s needs a for_s that is shorter")

    def active(self, at_s: float) -> bool:
        """Whether it may happen that many seconds after the beginning."""
        since = at_s - self.from_s
        if since < 0:
            return False
        if self.every_s is not None:
            since %= self.every_s
        return self.for_s is None or since < self.for_s


def _kinds_with(name: str) -> str:
    return ", ".join(kind for kind, names in _OWN_KEYS.items() if name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreChanges:
    """Settings of the centre and its network for this scenario; what is left out stays as it is."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    window: Annotated[int, Field(ge=1)] | None = None
    """deliver_sm that may wait for their response on one link."""
    peer_window: Annotated[int, Field(ge=1)] | None = None
    """Requests of an ESME that may wait for theirs."""
    response_s: Positive | None = None
    """Seconds after which a deliver_sm without a response is sent again."""
    enquire_link_s: Seconds | None = None
    """Silence after which an ESME is asked whether it is there; 0: never."""
    answer_s: Positive | None = None
    """Seconds that an ESME has for its screen."""
    user_s: Positive | None = None
    """Seconds that a subscriber has for his answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """What makes the scenario a success: with --once it is the exit status."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    done_share: Share = 1.0
    """Part of the visits, at least, that go as their script says."""
    wrong: Annotated[int, Field(ge=0)] = 0
    """Times that the ESME may do something wrong."""
    reconnect_s: Positive = 60.0
    """Seconds that the ESME may take to be bound again, once it can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """The whole file."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    title: str = ""
    """One line for the summary."""
    seed: int = 1
    """Where chance begins."""
    duration_s: Annotated[float, Field(gt=0, le=7 * 86_400)] = 60.0
    """Seconds in which visits begin; those that are under way then are seen through."""
    subscribers: SubscriberRange = SubscriberRange()
    """Who there is."""
    arrivals: Arrivals = Arrivals()
    """How often somebody begins."""
    scripts: Annotated[tuple[VisitScript, ...], Field(min_length=1)]
    """What they do."""
    faults: tuple[Fault, ...] = ()
    """What goes wrong."""
    centre: CentreChanges = CentreChanges()
    """How patient the centre is."""
    expect: Expect = Expect()
    """What has to come of it."""


def quickened(part: Any, factor: float) -> Any:
    """The same with every time divided and every rate multiplied by `factor`, for those who cannot wait.

    Patience with the ESME, which is not any quicker, stays as it is: `within_s`, `reconnect_s`, the centre's settings.
    """
    if isinstance(part, tuple):
        return tuple(quickened(one, factor) for one in part)
    if not is_dataclass(part) or isinstance(part, type):
        return part
    changes: dict[str, Any] = {}
    for one in fields(part):
        value = getattr(part, one.name)
        if one.name in _PATIENCE or value is None or isinstance(part, CentreChanges):
            continue
        if one.name.endswith("_per_s"):
            changes[one.name] = value * factor
        elif one.name.endswith("_s"):
            changes[one.name] = value / factor
        elif isinstance(value, tuple) or is_dataclass(value):
            changes[one.name] = quickened(value, factor)
    return replace(part, **changes)


_PATIENCE = frozenset({"within_s", "reconnect_s"})
