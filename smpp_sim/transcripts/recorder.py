"""What happened on a phone as a transcript: its log of events, written down step by step.

Everything here is pure. The node of a screen is ``-``: only the gateway knows it. Values that change from run to run
become ``{name}`` where a mask says so; a password does unless told otherwise, because in a file it is of no use and
lies about.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from smpp_sim.phones.events import LogEvent
from smpp_sim.transcripts.transcript import (
    PATTERNS,
    Blank,
    Comment,
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

MASKS: Mapping[str, re.Pattern[str]] = {
    # with a digit in it, or letters at the end of the text: "пароль придёт" and "password was sent" hold none
    "password": re.compile(
        r"(?i)\b(?:пароль|parol|password)[ :]+(?P<value>(?=[!-~]*\d)[!-~]{6,64}|[a-z]{8,64}(?=\s*\Z))"
    ),
    "date": re.compile(rf"(?<!\d)(?P<value>{PATTERNS['date']})(?!\d)"),
    "time": re.compile(rf"(?<!\d)(?P<value>{PATTERNS['time']})(?!\d)"),
    "number": re.compile(r"(?<!\d)(?P<value>\d{4,})(?!\d)"),
}
"""What is written as ``{name}`` when it is asked for: the group ``value`` of each."""

DEFAULT_MASKS = ("password",)

_CODE = re.compile(r"[*#][0-9*#]*#")
"""What a replay dials, whatever the phone shows."""


def record(
    msisdn: str, events: Iterable[LogEvent], *, missed: bool = False, masks: Sequence[str] = DEFAULT_MASKS
) -> list[Passage]:
    """The conversation in these events of one phone, ready for `smpp_sim.transcripts.transcript.write`.

    `missed` says that earlier events are already forgotten. Raises KeyError for a mask that is not in `MASKS`.
    """
    recorder = _Recorder(masks)
    if missed:
        recorder.steps.append(Comment("what happened before is no longer kept"))
    recorder.steps.append(PickedUp(msisdn))
    for event in events:
        write_down = _BY_KIND.get(event.kind)
        if write_down:
            write_down(recorder, event.data)
    return recorder.steps


def masked(text: str, masks: Sequence[str] = DEFAULT_MASKS) -> str:
    """The template of a text, with what each mask finds in it as ``{name}``.

    A name stands for one value: a second, different one of the same kind is left as it is.
    """
    found = sorted(
        (match.start("value"), match.end("value"), name, match["value"])
        for name in masks
        for match in MASKS[name].finditer(text)
    )
    parts: list[str] = []
    values: dict[str, str] = {}
    end = 0
    for start, stop, name, value in found:
        if start >= end and values.setdefault(name, value) == value:
            parts += [literal(text[end:start]), f"{{{name}}}"]
            end = stop
    return "".join([*parts, literal(text[end:])])


class _Recorder:
    """The steps so far, and how the dialogue stands."""

    def __init__(self, masks: Sequence[str]):
        self.steps: list[Passage] = []
        self._masks = masks
        self._ended = False
        """The owner or the network has ended the dialogue: the phone's own words about that are no screen."""

    def running(self, data: dict[str, Any]) -> None:
        """Dialled; without a code it only says that an answer is on its way."""
        if data["code"]:
            self._begin()
            self.steps.append(Typed(data["code"]))

    def answered(self, data: dict[str, Any]) -> None:
        """Answered, perhaps with nothing."""
        if _CODE.fullmatch(data["text"]):
            self.steps.append(Comment("the next line was an answer; a replay would dial it"))
        self.steps.append(Typed(data["text"]))

    def screen(self, data: dict[str, Any]) -> None:
        """A box; only those of an application have facts."""
        match data["screen"]:
            case "local":
                self._begin()
                self.steps.append(Comment(f"never left the phone: {' '.join(data['text'].split())}"))
            case "error":
                if not self._ended:
                    self._show(ScreenShown(literal(data["text"])))
                self._ended = False
            case kind:
                facts = ScreenFacts("-", kind, data["alphabet"], data["used"], data["allowed"])
                self._show(ScreenShown(masked(data["text"], self._masks), facts))

    def sent(self, data: dict[str, Any]) -> None:
        """An SMS has left the phone."""
        self._begin()
        self.steps.append(TextSent(data["to"], data["text"]))

    def sms(self, data: dict[str, Any]) -> None:
        """An SMS has arrived."""
        self.steps.append(TextReceived(data["sender"], masked(data["text"], self._masks)))

    def did(self, what: str) -> None:
        """The dialogue was ended, not by a screen."""
        self._ended = what != "cancel"
        self.steps.append(Did(what))

    def note(self, words: str) -> None:
        """Something that has no notation."""
        self.steps.append(Comment(words))

    def _begin(self) -> None:
        self._ended = False
        if not isinstance(self.steps[-1], (PickedUp, Blank)):
            self.steps.append(Blank())

    def _show(self, screen: ScreenShown) -> None:
        last = self.steps[-1]
        if isinstance(last, ScreenShown) and last.facts is None:
            self.steps.append(Blank())
        self.steps.append(screen)


_BY_KIND: Mapping[str, Callable[[_Recorder, dict[str, Any]], None]] = {
    "running": _Recorder.running,
    "answered": _Recorder.answered,
    "screen": _Recorder.screen,
    "sent": _Recorder.sent,
    "sms": _Recorder.sms,
    "cancelled": lambda recorder, _: recorder.did("cancel"),
    "timeout": lambda recorder, _: recorder.did("timeout"),
    "lost": lambda recorder, _: recorder.did("abort"),
    "off": lambda recorder, _: recorder.note("the phone is switched off"),
    "on": lambda recorder, _: recorder.note("the phone is switched on"),
}
