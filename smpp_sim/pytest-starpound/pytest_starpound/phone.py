"""A phone in the hand of a test that is a plain function.

>>> phone.dial("*105#").expect("Service Guide").answer("1").expect("balance").ends()
>>> phone.sms("000110").receives(r"password \\S+")

Patterns are regular expressions, looked for anywhere in the text, as in ``pytest.raises(match=...)``. Whatever does not
come, or comes otherwise, is an `Unexpected`, and its message tells what the phone has seen and what the wire did.
"""

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_starpound.control import Json, RequestRefused, phone_path

if TYPE_CHECKING:
    from pytest_starpound.smsc import Smsc

TOLD_LINES = 30
"""Lines of what the phone saw in the message of a failure."""


class Unexpected(AssertionError):
    """Something else came than the test expects, or nothing; the message tells what was seen."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A box on the display: kind ask, end, notice, error or local; length in septets (gsm7) or UTF-16 units."""

    kind: str
    text: str
    alphabet: str
    used: int
    allowed: int

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Screen":
        """From an event of the control API."""
        return cls(event["screen"], event["text"], event["alphabet"], event["used"], event["allowed"])


@dataclass(frozen=True, slots=True)
class ReceivedSms:
    """A received SMS, and of how many parts it is."""

    sender: str
    text: str
    parts: int

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "ReceivedSms":
        """From an event of the control API."""
        return cls(event["sender"], event["text"], event["parts"])


class Phone:
    """One phone. It does one thing after the other; each returns what a test then looks at.

    What came before the last `dial`, `sms` or `forget` is not looked at any more.
    """

    def __init__(self, smsc: "Smsc", msisdn: str):
        self._smsc, self._path = smsc, phone_path(msisdn)
        now = smsc.control.ask(self._path)
        self.msisdn: str = now["msisdn"]
        self.seen: dict[str, int] = {}
        """Number of the last event, for screens and for SMS, that is not looked at any more."""
        self._began: int = now["last"]
        self.forget()

    def __call__(self, msisdn: str) -> "Phone":
        """Another phone of the same network."""
        return Phone(self._smsc, msisdn)

    # --- what its owner does ----------------------------------------------------------------------------------

    def dial(self, code: str) -> "Talk":
        """Dial a code; whatever the display shows is cleared first."""
        __tracebackhide__ = True
        self.do("hang-up")
        self.forget()
        self.do("dial", code=code)
        return Talk(self)

    def sms(self, to: str, text: str = "") -> "Texts":
        """Send an SMS, which may be empty."""
        __tracebackhide__ = True
        self.forget()
        self.do("sms", to=to, text=text)
        return Texts(self)

    def expects_push(self, pattern: str = "", *, within_s: float | None = None) -> "Talk":
        """A screen that comes by itself: a question or a notice that an application has sent."""
        __tracebackhide__ = True
        return Talk(self).expect(pattern, within_s=within_s)

    def receives(self, pattern: str = "", *, sender: str = "", within_s: float | None = None) -> ReceivedSms:
        """The next SMS that matches."""
        __tracebackhide__ = True
        return Texts(self).receives(pattern, sender=sender, within_s=within_s)

    def switch_off(self) -> None:
        """Nothing reaches the phone any more: an SMS waits, a dialogue ends."""
        self.do("off")

    def switch_on(self) -> None:
        """What has waited arrives."""
        self.do("on")

    def put_down(self) -> None:
        """Clear the display, as after a test; a phone that is switched off is switched on."""
        self.switch_on()
        self.do("hang-up")

    # --- what it shows ----------------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """What the display shows: idle, running, asked or showing; off when the phone is."""
        shown: str = self._now()["state"]
        return shown

    def transcript(self) -> str:
        """What happened since the phone was picked up, as a transcript."""
        return self._smsc.control.read(f"{self._path}/transcript", after=self._began)

    def forget(self) -> None:
        """Look only at what comes from now on."""
        last: int = self._now()["last"]
        self.seen = {"screen": last, "sms": last}

    # --- for Talk and Texts -----------------------------------------------------------------------------------

    def do(self, deed: str, **words: str) -> None:
        """Do something; `Unexpected` when the phone cannot."""
        __tracebackhide__ = True
        try:
            self._smsc.control.tell(f"{self._path}/{deed}", **words)
        except RequestRefused as problem:
            raise Unexpected(self.explain(f"{self.msisdn}: {problem}")) from None

    def next(self, kind: str, within_s: float) -> Json | None:
        """The next event of a kind, looked at from now on; None when there is none in time."""
        found = self._smsc.control.events(f"{self._path}/events", self.seen[kind], kind, within_s)
        if not found:
            return None
        self.seen[kind] = found[0]["number"]
        return found[0]

    def patience(self, within_s: float | None) -> float:
        """Seconds to wait."""
        return self._smsc.timeout_s if within_s is None else within_s

    def explain(self, problem: str) -> str:
        """The problem, and all that helps to understand it."""
        seen = self.transcript().splitlines()
        if len(seen) > TOLD_LINES:
            seen = [f"… {len(seen) - TOLD_LINES} lines before", *seen[-TOLD_LINES:]]
        return f"{problem}\n\nWhat the phone saw:\n{indented(seen)}\n\n{self._smsc.story()}"

    def _now(self) -> Json:
        return self._smsc.control.ask(self._path)


class Talk:
    """A dialogue. `screen` is the box that came last, `screens` are all of them."""

    def __init__(self, phone: Phone):
        self._phone = phone
        self._answered = True
        """Nothing is asked that has no answer yet: another box may come."""
        self.screens: list[Screen] = []

    @property
    def screen(self) -> Screen:
        """The box that came last; waits for the first one."""
        __tracebackhide__ = True
        if not self.screens:
            self.expect()
        return self.screens[-1]

    @property
    def text(self) -> str:
        """What it says."""
        __tracebackhide__ = True
        return self.screen.text

    def expect(self, pattern: str = "", *, kind: str = "", within_s: float | None = None) -> "Talk":
        """The next box says this. `kind` is ask, end or notice; unless given, any of them."""
        __tracebackhide__ = True
        screen = self._take(pattern, within_s)
        allowed = (kind,) if kind else ("ask", "end", "notice")
        if screen.kind not in allowed:
            self._fail(f"a screen of kind {' or '.join(allowed)} was expected, {_named(screen)} came")
        if not re.search(pattern, screen.text, re.MULTILINE):
            self._fail(
                f"a screen with {pattern!r} was expected, this came:\n{indented(screen.text.splitlines())}"
            )
        return self

    def answer(self, text: str = "") -> "Talk":
        """Answer the question on the display; an empty answer is legal."""
        __tracebackhide__ = True
        self._wait_for_a_question()
        self._phone.do("answer", text=text)
        self._answered = True
        return self

    def ok(self) -> "Talk":
        """Press OK: close the box, or answer a question with nothing."""
        __tracebackhide__ = True
        if not self.screens or (self._answered and self.screens[-1].kind == "ask"):
            self.expect()
        self._phone.do("ok")
        self._answered = True
        return self

    def cancels(self) -> Phone:
        """Give the dialogue up; the display must be free then."""
        __tracebackhide__ = True
        self._phone.do("cancel")
        self._check_idle()
        return self._phone

    def ends(self, pattern: str = "", *, within_s: float | None = None) -> "Talk":
        """The last box has come, or comes now, and leaves the display free when it is closed."""
        __tracebackhide__ = True
        if pattern or not self.screens or self.screens[-1].kind == "ask":
            self._wait_for_the_end(pattern, within_s)
        if self.screens[-1].kind != "end":
            self._fail(f"the dialogue should be over; {_named(self.screens[-1])} came last")
        if self._phone.state == "showing":
            self._phone.do("ok")
        self._check_idle()
        return self

    def fails(self, pattern: str = "", *, within_s: float | None = None) -> "Talk":
        """The network loses the dialogue: no answer in time, a refusal, a link that is gone."""
        __tracebackhide__ = True
        return self.expect(pattern, kind="error", within_s=within_s)

    def times_out(self) -> Phone:
        """The subscriber does not answer: the network gives the dialogue up, without the wait for it."""
        __tracebackhide__ = True
        self._phone.do("lose")
        self._phone.do("hang-up")
        return self._phone

    def receives(self, pattern: str = "", *, sender: str = "", within_s: float | None = None) -> ReceivedSms:
        """An SMS that comes since the dialling."""
        __tracebackhide__ = True
        return self._phone.receives(pattern, sender=sender, within_s=within_s)

    def _wait_for_the_end(self, pattern: str, within_s: float | None) -> None:
        __tracebackhide__ = True
        if self.screens and not self._answered:
            self._fail("the dialogue should be over, and the last question still waits for its answer")
        self.expect(pattern, kind="end", within_s=within_s)

    def _wait_for_a_question(self) -> None:
        """A notice may stand before it."""
        __tracebackhide__ = True
        while self._answered or self.screens[-1].kind == "notice":
            self.expect()

    def _take(self, wanted: str, within_s: float | None) -> Screen:
        __tracebackhide__ = True
        patience_s = self._phone.patience(within_s)
        self._make_way()
        event = self._phone.next("screen", patience_s)
        if event is None:
            wish = f"; {wanted!r} was expected" if wanted else ""
            raise Unexpected(self._phone.explain(f"no screen within {patience_s:g} s{wish}"))
        screen = Screen.of(event)
        self.screens.append(screen)
        self._answered = screen.kind != "ask"
        return screen

    def _make_way(self) -> None:
        """A box that has been looked at and asks nothing is closed, or the next one stays hidden behind it."""
        __tracebackhide__ = True
        if self.screens and self.screens[-1].kind != "ask" and self._phone.state == "showing":
            self._phone.do("ok")

    def _check_idle(self) -> None:
        __tracebackhide__ = True
        state = self._phone.state
        if state != "idle":
            self._fail(f"the display should be free, it is {state}")

    def _fail(self, problem: str) -> None:
        __tracebackhide__ = True
        raise Unexpected(self._phone.explain(problem))


class Texts:
    """SMS that come since something was done."""

    def __init__(self, phone: Phone):
        self._phone = phone

    def receives(self, pattern: str = "", *, sender: str = "", within_s: float | None = None) -> ReceivedSms:
        """The next SMS that matches, from that sender if one is named; others are passed over."""
        __tracebackhide__ = True
        patience_s, passed = self._phone.patience(within_s), 0
        deadline = time.monotonic() + patience_s
        while event := self._phone.next("sms", max(deadline - time.monotonic(), 0)):
            sms = ReceivedSms.of(event)
            if sender in ("", sms.sender) and re.search(pattern, sms.text, re.MULTILINE):
                return sms
            passed += 1
        wanted = f"{pattern!r}" + (f" from {sender}" if sender else "")
        others = f"; {passed} other SMS came" if passed else ""
        raise Unexpected(self._phone.explain(f"no SMS with {wanted} within {patience_s:g} s{others}"))

    def receives_nothing(self, *, within_s: float) -> None:
        """No SMS comes in that time."""
        __tracebackhide__ = True
        event = self._phone.next("sms", within_s)
        if event:
            raise Unexpected(self._phone.explain(f"no SMS was expected, one came: {event['text']!r}"))


def _named(screen: Screen) -> str:
    return f"{screen.kind}: {' / '.join(screen.text.splitlines())!r}"


def indented(lines: Iterable[str]) -> str:
    """As a part of the message of a failure."""
    return "\n".join(f"  {line}" for line in lines)
