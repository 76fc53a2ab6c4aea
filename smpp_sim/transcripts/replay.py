"""Plays a transcript on the phones of a simulator, against whatever is bound there, and says where it went otherwise.

It uses the control API like everybody, so the simulator may run elsewhere. Each thing that the transcript does is
followed by waiting for as many screens and SMS as it expects; the first exchange that differs ends the play, because
an answer to another question means nothing. What has no place in a phone's hand is done like this: ``! timeout`` and
``! abort`` both have the network lose the dialogue; a code in the middle of a dialogue hangs up first.
"""

import re
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from smpp_sim.remote import DEFAULT_URL, RemotePhone, RequestRefused
from smpp_sim.transcripts.diff import ToPhone, difference, exchanges, plain_text, settled
from smpp_sim.transcripts.recorder import masked
from smpp_sim.transcripts.transcript import (
    Did,
    Passage,
    PickedUp,
    ScreenFacts,
    ScreenShown,
    TextReceived,
    TextSent,
    Typed,
    literal,
)

TIMEOUT_S = 10.0
"""Seconds to wait for a screen or an SMS."""
POLL_S = 30.0
"""The longest single wait; the API allows 60."""

_CODE = re.compile(r"[*#][0-9*#]*#")
_KINDS = "screen,sms"


@dataclass(slots=True)
class Replayed:
    """How it went. `said` and `happened` reach up to the exchange that differs, or to the end.

    `problem` is empty when all went as expected, `line` where it did not; `exchanges` is how many went well.
    """

    said: list[Passage] = field(default_factory=list)
    happened: list[Passage] = field(default_factory=list)
    problem: str = ""
    line: int = 0
    exchanges: int = 0
    seconds: float = 0.0

    @property
    def right(self) -> bool:
        """Whether everything was as the transcript has it."""
        return not self.problem

    def difference(self, name: str) -> list[str]:
        """Expected and seen lines as a unified diff; empty when they agree."""
        return difference(self.said, self.happened, name)


def replay(
    steps: Sequence[Passage],
    url: str = DEFAULT_URL,
    *,
    timeout_s: float = TIMEOUT_S,
    token: str = "",
    progress: Callable[[Passage], None] | None = None,
    to_the_end: bool = False,
) -> Replayed:
    """Play it; `progress` sees each step before it is done.

    With `to_the_end` differences do not end the play: for a transcript that is to be rewritten. Raises
    `SimulatorError` when the simulator is not there.
    """
    began, replayed = time.monotonic(), Replayed()
    with ExitStack() as stack:
        stage = _Stage(stack, url, token, timeout_s)
        stage.clear({step.msisdn for step in steps if isinstance(step, PickedUp)})
        for deed, expected in exchanges(steps):
            if progress and deed:
                progress(deed)
            if not _exchange(stage, replayed, deed, expected) and not to_the_end:
                break
    replayed.seconds = time.monotonic() - began
    return replayed


def _exchange(stage: "_Stage", replayed: Replayed, deed: Passage | None, expected: list[Passage]) -> bool:
    """Do it and look; whether it went as expected."""
    line = deed.line if deed else 0
    refusal = stage.do(deed) if deed else ""
    wanted = [step for step in expected if isinstance(step, ToPhone)]
    seen = [] if refusal else stage.watch(deed, wanted)
    before = [deed] if deed else []
    happened = [step if step in expected else _without_secrets(step) for step in settled(expected, seen)]
    replayed.said += before + expected
    replayed.happened += before + happened
    right = not refusal and happened == expected
    if right:
        replayed.exchanges += isinstance(deed, (Typed, TextSent, Did))
    elif not replayed.problem:
        replayed.problem, replayed.line = refusal or _what_is_wrong(wanted, seen, stage.timeout_s), line
    return right


def _without_secrets(step: Passage) -> Passage:
    """What was not expected goes into logs and files: a password does not."""
    if isinstance(step, ToPhone):
        return replace(step, text=masked(plain_text(step.text)))
    return step


def _what_is_wrong(wanted: Sequence[Passage], seen: Sequence[Passage], timeout_s: float) -> str:
    if len(seen) < len(wanted):
        return f"{len(wanted)} screens and SMS were expected, {len(seen)} came within {timeout_s:g} s"
    return "it went otherwise"


class _Stage:
    """The phones of one transcript."""

    def __init__(self, stack: ExitStack, url: str, token: str, timeout_s: float):
        self.timeout_s = timeout_s
        self._stack, self._url, self._token = stack, url, token
        self._phones: dict[str, _Player] = {}
        self._player: _Player | None = None

    def clear(self, msisdns: set[str]) -> None:
        """Have nothing on the display of any of these."""
        for msisdn in sorted(msisdns):
            remote = self._stack.enter_context(RemotePhone(self._url, msisdn, self._token))
            self._phones[msisdn] = _Player(remote)

    def do(self, deed: Passage) -> str:
        """Do what a step says; why that is not possible, or nothing."""
        if isinstance(deed, PickedUp):
            self._player = self._phones[deed.msisdn]
            return ""
        if self._player is None:
            return "no phone: begin with a line like @ 79260000003"
        try:
            self._player.do(deed)
        except RequestRefused as problem:
            return f"the phone cannot do that: {problem}"
        return ""

    def watch(self, deed: Passage | None, wanted: Sequence[Passage]) -> list[Passage]:
        """What comes: as much as is wanted, unless the time is over; after something was typed at least one thing."""
        if self._player is None:
            return []
        counts: dict[type[Passage], int] = {
            kind: sum(isinstance(step, kind) for step in wanted) for kind in (ScreenShown, TextReceived)
        }
        if not wanted and isinstance(deed, (Typed, TextSent)):
            counts[ScreenShown if isinstance(deed, Typed) else TextReceived] = 1
        return self._player.watch(counts, self.timeout_s, deed)


class _Player:
    """One phone: what is typed on it, and what has come since it was last asked."""

    def __init__(self, remote: RemotePhone):
        self._remote = remote
        self._seen = remote.do("hang-up")["last"]

    def do(self, deed: Passage) -> None:
        """Type, send, cancel. Raises `RequestRefused`."""
        match deed:
            case Typed(text=text) if _CODE.fullmatch(text) or self._remote.state()["state"] == "idle":
                self._remote.do("hang-up")
                self._remote.do("dial", code=text)
            case Typed(text=text):
                self._remote.do("answer", text=text)
            case TextSent(to=to, text=text):
                self._remote.do("sms", to=to, text=text)
            case Did(what="cancel"):
                self._remote.do("cancel")
            case Did():
                self._remote.do("lose")
                self._seen = self._remote.do("hang-up")[
                    "last"
                ]  # the phone's own words about that are no screen

    def watch(
        self, counts: dict[type[Passage], int], timeout_s: float, deed: Passage | None
    ) -> list[Passage]:
        """Screens and SMS since the last time; a box that asks nothing is closed."""
        deadline = time.monotonic() + timeout_s
        seen: list[Passage] = []
        while True:
            missing = any(sum(isinstance(step, kind) for step in seen) < n for kind, n in counts.items())
            left_s = max(deadline - time.monotonic(), 0) if missing else 0
            events = self._remote.events(self._seen, _KINDS, min(left_s, POLL_S))
            seen += [self._take(event) for event in events]
            if not events and not (missing and deadline > time.monotonic()):
                return seen
            if _failed(events):
                return seen

    def _take(self, event: dict[str, Any]) -> Passage:
        self._seen = event["number"]
        if event["kind"] == "sms":
            return TextReceived(event["sender"], literal(event["text"]))
        if event["screen"] != "ask":
            self._close()
        return _screen(event)

    def _close(self) -> None:
        """Close the box if it is still there: a code that was dialled since may have cleared it."""
        try:
            self._remote.do("ok")
        except RequestRefused:
            return


def _failed(events: list[dict[str, Any]]) -> bool:
    return any(event["kind"] == "screen" and event["screen"] in ("error", "local") for event in events)


def _screen(event: dict[str, Any]) -> ScreenShown:
    if event["screen"] in ("error", "local"):
        return ScreenShown(literal(event["text"]))
    facts = ScreenFacts("-", event["screen"], event["alphabet"], event["used"], event["allowed"])
    return ScreenShown(literal(event["text"]), facts)
