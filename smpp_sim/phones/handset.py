"""One phone: what its owner sees and does, without a clock, a network or a wire.

A phone has one dialogue at a time. After dialling it says "USSD code running" until the network answers; then a
box with OK stands on the display, with a text field and Cancel only when the network asks. A message that comes
while a box is open waits behind it. Every action returns what it brought about: `ToNetwork` leaves the phone,
`Shown` and `Idle` are what its owner sees. Reference: 3GPP TS 22.090, and phones as they are.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from smpp_sim.phones.keypad import Local, NotACode, read_code

MAX_HIDDEN = 8
"""Messages that wait behind the box on the display; the network is told of a further one that there is no room."""

Upward = Literal["new", "answer", "notified", "abort"]
Incoming = Literal["ask", "end", "notice"]
BoxKind = Literal["running", "ask", "end", "notice", "error", "local"]


class DisplayState(Enum):
    """What the display shows."""

    IDLE = "idle"
    RUNNING = "running"
    ASKED = "asked"
    SHOWING = "showing"
    OFF = "off"


class NotPossible(Exception):
    """The owner asks for something that this phone cannot do now; one clear sentence."""


class NoRoom(Exception):
    """A message that the phone has no room for: boxes enough are waiting, or a dialogue is on."""


@dataclass(frozen=True, slots=True)
class ToNetwork:
    """What leaves the phone: a dialled code, an answer (perhaps empty), "seen", or giving up."""

    kind: Upward
    text: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A box on the display, or "USSD code running" (kind ``running``, its text is the code)."""

    kind: BoxKind
    text: str


@dataclass(frozen=True, slots=True)
class Idle:
    """The display is free again."""


Effect = ToNetwork | Shown | Idle


class Handset:
    """A phone's display and its one dialogue.

    `state` is what the display shows, `screen` the box on it, `hidden` the boxes behind; `in_dialogue` tells
    whether the network still holds a dialogue with this phone.
    """

    def __init__(self, msisdn: str):
        self.msisdn = msisdn
        self.state = DisplayState.IDLE
        self.screen: Shown | None = None
        self.hidden: deque[Shown] = deque()
        self.in_dialogue = False

    # --- what the owner does ----------------------------------------------------------------------------------

    def dial(self, typed: str) -> list[Effect]:
        """Dial a code. Raises `NotPossible` while something is on the display, or when it is no code."""
        self.require_on()
        if self.state is not DisplayState.IDLE:
            raise NotPossible(f"the phone is busy ({self.state.value}): answer, press OK or cancel first")
        code = read_code(typed, self.msisdn)
        if isinstance(code, NotACode):
            raise NotPossible(code.why)
        if isinstance(code, Local):
            return self._display(Shown("local", code.why))
        self.in_dialogue = True
        self.state = DisplayState.RUNNING
        self.screen = Shown("running", code.code)
        return [self.screen, ToNetwork("new", code.code)]

    def answer(self, text: str) -> list[Effect]:
        """Send what stands in the text field, which may be empty. Raises `NotPossible` when nothing is asked."""
        if self.state is not DisplayState.ASKED:
            raise NotPossible("the network asks nothing now")
        if not self.in_dialogue:
            return self._next()
        return [*self._next(), ToNetwork("answer", text)]

    def press_ok(self) -> list[Effect]:
        """Close the box; under a question that is the empty answer. Raises `NotPossible` without a box."""
        if self.state is DisplayState.ASKED:
            return self.answer("")
        if self.state is not DisplayState.SHOWING:
            raise NotPossible("there is no box to close")
        return self._next()

    def cancel(self) -> list[Effect]:
        """Give the dialogue up, while it runs or asks. Raises `NotPossible` when there is nothing to give up."""
        if self.state not in (DisplayState.RUNNING, DisplayState.ASKED):
            raise NotPossible("there is nothing to cancel" + (", only OK" if self.screen else ""))
        return [*self._leave(), *self._next()]

    def hang_up(self) -> list[Effect]:
        """Back to an empty display, whatever it shows: the dialogue is given up, all boxes are closed."""
        if self.state in (DisplayState.IDLE, DisplayState.OFF):
            return []
        effects = self._leave()
        self.hidden.clear()
        return effects + self._next()

    def switch_off(self) -> list[Effect]:
        """Everything on the display is gone, the dialogue too; nothing reaches the phone until `switch_on`."""
        effects = self._leave()
        self.hidden.clear()
        self.screen = None
        self.state = DisplayState.OFF
        return effects

    def switch_on(self) -> None:
        """An empty display again; a phone that is on stays as it is."""
        if self.state is DisplayState.OFF:
            self.state = DisplayState.IDLE

    def require_on(self) -> None:
        """Raises `NotPossible` while the phone is switched off."""
        if self.state is DisplayState.OFF:
            raise NotPossible("the phone is switched off")

    # --- what the network does --------------------------------------------------------------------------------

    def receive(self, kind: Incoming, text: str) -> list[Effect]:
        """A message of the network: a question, a last screen, or a notice.

        A question opens a dialogue when there is none. The question that is on the display already, come once
        more, changes nothing. Raises `NoRoom` when `MAX_HIDDEN` boxes are waiting, or the phone is off.
        """
        if self.state is DisplayState.OFF:
            raise NoRoom("the phone is switched off")
        shown = Shown(kind, text)
        if self.state is DisplayState.ASKED and self.in_dialogue and shown == self.screen:
            return []
        boxed = self.state in (DisplayState.ASKED, DisplayState.SHOWING)
        if boxed and len(self.hidden) >= MAX_HIDDEN:
            raise NoRoom("boxes enough are waiting to be closed")
        if kind != "notice":
            self.in_dialogue = kind == "ask"
        if boxed:
            self.hidden.append(shown)
            return []
        return self._display(shown)

    def fail(self, text: str = "Connection problem or invalid MMI code") -> list[Effect]:
        """The network lost the dialogue: an error stands in its place. Nothing happens without a dialogue."""
        if not self.in_dialogue:
            return []
        self.in_dialogue = False
        self._drop_questions()
        error = Shown("error", text)
        if self.state is DisplayState.SHOWING:
            self.hidden.append(error)
            return []
        return self._display(error)

    # --- the display ------------------------------------------------------------------------------------------

    def _display(self, shown: Shown) -> list[Effect]:
        self.screen = shown
        self.state = DisplayState.ASKED if shown.kind == "ask" else DisplayState.SHOWING
        seen: list[Effect] = [shown]
        if shown.kind == "notice":
            seen.append(ToNetwork("notified"))
        return seen

    def _next(self) -> list[Effect]:
        """The box is gone: show the one behind it, or what lies under all boxes."""
        if self.hidden:
            return self._display(self.hidden.popleft())
        self.screen = None
        if self.in_dialogue:
            self.state = DisplayState.RUNNING
            self.screen = Shown("running", "")
            return [self.screen]
        self.state = DisplayState.IDLE
        return [Idle()]

    def _leave(self) -> list[Effect]:
        if not self.in_dialogue:
            return []
        self.in_dialogue = False
        self._drop_questions()
        return [ToNetwork("abort")]

    def _drop_questions(self) -> None:
        """Questions of a dialogue that is over can no longer be answered."""
        self.hidden = deque(shown for shown in self.hidden if shown.kind != "ask")
