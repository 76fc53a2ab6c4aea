"""What a menu may call, and what slow work there is: declared, so that both can be checked at load.

An *operation* runs inside a turn: reads and writes facts through ``work.facts``, never waits for anything
else, and answers with an :class:`Outcome`. An expected "no" is raised as a :class:`Refusal`, which is an
outcome too. A *job* is promised by an operation with ``work.defer`` and done later in two halves: ``prepare``
in a thread, without the store, may take its time; ``run`` writes the result in one transaction with the
deletion of the job. If the process dies between the halves, the job is simply prepared again: nothing of the
first try was kept.
"""

import importlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from data.model import Subscriber
from data.store import Facts

SUBJECTS = ("balance", "options", "packages", "password", "settings")


@dataclass(frozen=True, slots=True)
class Limits:
    """Settings that handlers read, each default written here and nowhere else."""

    password_issues_per_hour: int = 3
    """How many passwords one number may ask for in any 60 minutes."""
    password_length: int = 10
    """Characters of a generated password."""


class Work(Protocol):
    """The unit of work as an operation or a job sees it. The gateway makes one for every turn."""

    subscriber: Subscriber | None
    """An operation that changed the subscriber puts the changed copy here: the answer is rendered with it."""

    @property
    def facts(self) -> Facts:
        """The facts, in this unit of work."""

    @property
    def now(self) -> float:
        """The moment of the turn, in Unix seconds."""

    @property
    def limits(self) -> Limits:
        """What the settings allow."""

    async def send_sms(self, message: str, values: Mapping[str, Any], *, replaces: bool = False) -> None:
        """Queue an SMS to the subscriber, worded by the menu under the name ``message``.

        ``replaces``: earlier ones under that name that he has not got yet are worth nothing, and are not sent.
        """

    async def defer(self, job: str, args: Mapping[str, Any]) -> None:
        """Promise a job for the subscriber of this turn; ``args`` must be fit for JSON."""


@dataclass(slots=True)
class Outcome:
    """How an operation ended: ``code`` chooses the branch of the menu, ``values`` fill its text."""

    code: str
    values: dict[str, Any] = field(default_factory=dict)


class Refusal(Exception):
    """An expected "no". The same as an outcome; raised so that a check can say it from within.

    Everything that is refused is refused before anything is written.
    """

    def __init__(self, code: str, **values: Any):
        super().__init__(code)
        self.code = code
        self.values = values


class ArgumentError(ValueError):
    """An argument cannot be read as its declared type: the pattern of the menu lets too much through."""

    def __init__(self, operation: str, name: str, value: object):
        super().__init__(f"{operation}: argument {name} cannot be {value!r}")
        self.name = name
        self.value = value


RunOperation = Callable[[Work, Subscriber, dict[str, Any]], Awaitable[Outcome]]
Prepare = Callable[[Mapping[str, Any]], Any]
RunJob = Callable[[Work, Subscriber, Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Operation:
    """A declared operation. ``outcomes`` and ``messages`` map a code or name to the names of its values."""

    name: str
    args: Mapping[str, type]
    outcomes: Mapping[str, tuple[str, ...]]
    messages: Mapping[str, tuple[str, ...]]
    run: RunOperation

    async def __call__(self, work: Work, subscriber: Subscriber, args: Mapping[str, Any]) -> Outcome:
        """Convert the arguments, run, and turn a refusal into its outcome. Raises ArgumentError."""
        converted = self.convert(args) if self.args else {}
        try:
            return await self.run(work, subscriber, converted)
        except Refusal as refusal:
            return Outcome(refusal.code, refusal.values)

    def convert(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """Give every declared argument its declared type; what is not declared is dropped."""
        return {name: self._convert(name, args.get(name), kind) for name, kind in self.args.items()}

    def _convert(self, name: str, value: Any, kind: type) -> Any:
        if type(value) is kind:
            return value
        # int() would also read "1_000", " 7" and digits of other scripts
        if kind is int and isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
            return int(value)
        raise ArgumentError(self.name, name, value)


@dataclass(frozen=True, slots=True)
class Job:
    """A declared job: ``prepare`` takes the arguments of the job, ``run`` takes what ``prepare`` gave."""

    name: str
    prepare: Prepare
    messages: Mapping[str, tuple[str, ...]]
    run: RunJob


OPERATIONS: dict[str, Operation] = {}
JOBS: dict[str, Job] = {}


def operation(
    name: str,
    *,
    args: Mapping[str, type] | None = None,
    outcomes: Mapping[str, tuple[str, ...]],
    messages: Mapping[str, tuple[str, ...]] | None = None,
) -> Callable[[RunOperation], RunOperation]:
    """Register an operation under the name by which menus call it."""

    def register(run: RunOperation) -> RunOperation:
        _claim(name, OPERATIONS, run)
        OPERATIONS[name] = Operation(name, args or {}, outcomes, messages or {}, run)
        return run

    return register


def job(
    name: str, *, prepare: Prepare, messages: Mapping[str, tuple[str, ...]] | None = None
) -> Callable[[RunJob], RunJob]:
    """Register the second half of a job; ``prepare`` is its first."""

    def register(run: RunJob) -> RunJob:
        _claim(name, JOBS, run)
        JOBS[name] = Job(name, prepare, messages or {}, run)
        return run

    return register


def load_all() -> None:
    """Import every subject, so that the registries are full. Harmless when repeated."""
    for subject in SUBJECTS:
        importlib.import_module(f"handlers.{subject}")


def _claim(name: str, registry: Mapping[str, Any], run: Callable[..., Any]) -> None:
    if name in registry:
        raise ValueError(f"{name} is registered twice: {registry[name].run.__module__} and {run.__module__}")
