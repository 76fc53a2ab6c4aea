"""Conversations as text: read aloud by a product person, compared by a test, recorded and replayed.

A line begins with its marker and one space; a blank line separates steps. All that follows the marker counts:
the remarks on the right are only here, in a file they go on a line of their own::

    # a comment
    @ 79260000003 private ru cyrillic      a phone, and words about its owner
    > *105*00#                             dialled or answered; a bare ``>`` is an empty answer
    > 000110: text                         an SMS that the phone sends
    < one line of the screen               the next line of the same screen has a ``<`` too
    = password.confirm ask ucs2 61/80      node (``-`` when unknown), ask | end | notice, alphabet, used/allowed
    ~ 000110: text                         an SMS that arrives
    ! cancel                               or timeout, or abort

``>>`` and ``~~`` carry the further lines of an SMS. What screens and arriving SMS say is a template:
``{password}`` stands for whatever the pattern of that name matches, ``{{`` and ``}}`` for braces. A backslash
escapes: ``\\\\``, ``\\:`` (an answer that would read as an SMS), ``\\u0020`` (a space at the end of a line,
a control character). Everything here is pure.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

PATTERNS: Mapping[str, str] = {
    "any": r".*",
    "date": r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}",
    "money": r"-?\d[\d \u00a0]*(?:[.,]\d{2})?",
    "number": r"\d+",
    "password": r"\S{6,64}?",
    "reference": r"[0-9A-Za-z-]{4,40}",
    "time": r"\d{1,2}:\d{2}(?::\d{2})?",
    "word": r"\S+",
}
"""What a ``{name}`` in a screen or an SMS may stand for: regular expressions by name."""

KINDS = ("ask", "end", "notice")
ALPHABETS = ("gsm7", "ucs2")
INTERRUPTIONS = ("cancel", "timeout", "abort")


class TranscriptError(Exception):
    """A transcript that does not parse: ``file``, ``line`` (from 1), ``what`` is wrong, ``hint`` to mend it."""

    def __init__(self, file: str, line: int, what: str, hint: str = ""):
        super().__init__(f"{file}:{line}: {what}" + (f" ({hint})" if hint else ""))
        self.file, self.line, self.what, self.hint = file, line, what, hint


@dataclass(frozen=True, slots=True)
class Passage:
    """One thing said or done; ``line`` is where it stood in the file (0: nowhere), and no part of equality."""

    line: int = field(default=0, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Comment(Passage):
    """``# text``; one line, without blanks at its end."""

    text: str


@dataclass(frozen=True, slots=True)
class Blank(Passage):
    """An empty line."""


@dataclass(frozen=True, slots=True)
class PickedUp(Passage):
    """``@ msisdn word word``: what follows happens on this phone."""

    msisdn: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Typed(Passage):
    """``> text``: a code dialled, or the answer to the screen before it."""

    text: str


@dataclass(frozen=True, slots=True)
class TextSent(Passage):
    """``> to: text``: an SMS from the phone; ``to`` is digits, perhaps after a ``+``."""

    to: str
    text: str


@dataclass(frozen=True, slots=True)
class ScreenFacts:
    """``= node kind alphabet used/allowed``, in septets (gsm7) or UTF-16 code units (ucs2)."""

    node: str
    kind: str
    alphabet: str
    used: int
    allowed: int


@dataclass(frozen=True, slots=True)
class ScreenShown(Passage):
    """``<`` lines: what the phone shows, a template, and its facts where they are stated."""

    text: str
    facts: ScreenFacts | None = None


@dataclass(frozen=True, slots=True)
class TextReceived(Passage):
    """``~ sender: text``: an SMS that arrives, a template."""

    sender: str
    text: str


@dataclass(frozen=True, slots=True)
class Did(Passage):
    """``! what``: cancel, timeout or abort."""

    what: str


def parse(
    text: str | bytes, file: str = "<transcript>", patterns: Mapping[str, str] = PATTERNS
) -> list[Passage]:
    """The steps of a transcript, comments and blank lines among them.

    `file` is only named in errors. Raises `TranscriptError`, also for a ``{name}`` that `patterns` lacks.
    """
    if isinstance(text, bytes):
        text = _decode(text, file)
    parser = _Parser(file, patterns)
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    for number, line in enumerate(lines, 1):
        parser.read(number, line.rstrip(" \t\r"))
    return parser.steps


def write(steps: Iterable[Passage]) -> str:
    """The transcript of these steps, each line ended; `parse` gives the same steps back.

    Two screens in a row, the first without facts, need a `Blank` between them or they read as one.
    Raises ValueError for a step that has no notation (a comment of two lines, an SMS to a name).
    """
    return "".join(_WRITERS[type(step)](step) for step in steps)


def literal(text: str) -> str:
    """The template that matches exactly `text`."""
    return text.replace("{", "{{").replace("}", "}}")


def slip_in(template: str, patterns: Mapping[str, str] = PATTERNS) -> tuple[str, str] | None:
    """What is wrong with a template, and a hint; None for one that `matches` can work with."""
    for found in _TEMPLATE.finditer(template):
        if found[3]:
            return f"a lone {found[3]}", f"write {found[3] * 2} for a brace"
        if found[2] and found[2] not in patterns:
            return _none_of(found[2], tuple(patterns), "pattern")
    return None


def matches(template: str, seen: str, patterns: Mapping[str, str] = PATTERNS) -> dict[str, str] | None:
    """What each ``{name}`` of `template` stood for in `seen`; None when they differ.

    A name used twice must stand for the same text both times.
    """
    found = re.fullmatch(_expression(template, patterns), seen, re.DOTALL)
    return found.groupdict() if found else None


# --- reading --------------------------------------------------------------------------------------------------

_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|\\|:|)")
_TEMPLATE = re.compile(r"(\{\{|\}\})|\{([A-Za-z_][A-Za-z0-9_]*)\}|([{}])")
_SMS = re.compile(r"(\+?[0-9]{1,20}):(?: (.*))?", re.DOTALL)
_SENDER = re.compile(r"((?:[^\\:]|\\.)*):(?: (.*))?", re.DOTALL)
_COUNT = re.compile(r"(\d{1,6})/(\d{1,6})")
_MSISDN = re.compile(r"\+?\d{1,20}")


def _decode(octets: bytes, file: str) -> str:
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise TranscriptError(file, line, "not UTF-8 text", "save the file as UTF-8") from None


class _Parser:
    def __init__(self, file: str, patterns: Mapping[str, str]):
        self.file, self.patterns = file, patterns
        self.steps: list[Passage] = []
        self.line = 0
        self._readers: dict[str, Callable[[str], None]] = {
            "": lambda rest: self._add(Blank()),
            "#": lambda rest: self._add(Comment(rest)),
            "@": self._phone,
            ">": self._typed,
            ">>": self._more_typed,
            "<": self._screen,
            "=": self._facts,
            "~": self._received,
            "~~": self._more_received,
            "!": self._did,
        }

    def read(self, number: int, line: str) -> None:
        self.line = number
        marker, _, rest = line.partition(" ")
        if marker not in self._readers:
            raise self._error(f"no line begins with {marker[:20]!r}", self._marker_hint(marker))
        self._readers[marker](rest)

    def _add(self, step: Passage) -> None:
        self.steps.append(replace(step, line=self.line))

    def _error(self, what: str, hint: str = "") -> TranscriptError:
        return TranscriptError(self.file, self.line, what, hint)

    def _marker_hint(self, marker: str) -> str:
        for known in (">>", "~~", "#", "@", ">", "<", "=", "~", "!"):
            if marker.startswith(known):
                return f"put a space after {known!r}"
        return "begin it with one of # @ > < = ~ ! and a space"

    def _phone(self, rest: str) -> None:
        msisdn, *words = rest.split() or [""]
        if not _MSISDN.fullmatch(msisdn):
            raise self._error(
                f"{msisdn[:30]!r} is no phone number", "write @ 79260000003 private ru cyrillic"
            )
        self._add(PickedUp(msisdn, tuple(words)))

    def _typed(self, rest: str) -> None:
        sms = _SMS.fullmatch(rest)
        if sms:
            self._add(TextSent(sms[1], self._unescape(sms[2] or "")))
        else:
            self._add(Typed(self._unescape(rest)))

    def _more_typed(self, rest: str) -> None:
        self._continue(TextSent, ">>", "> 000110: text", self._unescape(rest))

    def _screen(self, rest: str) -> None:
        line = self._template(self._unescape(rest))
        last = self.steps[-1] if self.steps else None
        if isinstance(last, ScreenShown) and last.facts is None:
            self.steps[-1] = replace(last, text=f"{last.text}\n{line}")
        else:
            self._add(ScreenShown(line))

    def _facts(self, rest: str) -> None:
        last = self.steps[-1] if self.steps else None
        if not isinstance(last, ScreenShown) or last.facts is not None:
            raise self._error("facts without a screen", "put the = line right after its < lines")
        self.steps[-1] = replace(last, facts=self._read_facts(rest.split()))

    def _read_facts(self, words: list[str]) -> ScreenFacts:
        if len(words) != 4:
            raise self._error(
                f"{len(words)} words after =", "write = node ask|end|notice gsm7|ucs2 used/allowed"
            )
        node, kind, alphabet, count = words
        self._one_of(kind, KINDS, "kind of screen")
        self._one_of(alphabet, ALPHABETS, "alphabet")
        counted = _COUNT.fullmatch(count)
        if not counted:
            raise self._error(f"{count!r} is no count", "write used/allowed, as in 61/80")
        return ScreenFacts(node, kind, alphabet, int(counted[1]), int(counted[2]))

    def _received(self, rest: str) -> None:
        found = _SENDER.fullmatch(rest)
        if not found:
            raise self._error("an SMS without its sender", "write ~ 000110: text")
        sender, text = self._unescape(found[1]), self._template(self._unescape(found[2] or ""))
        self._add(TextReceived(sender, text))

    def _more_received(self, rest: str) -> None:
        self._continue(TextReceived, "~~", "~ 000110: text", self._template(self._unescape(rest)))

    def _did(self, rest: str) -> None:
        self._one_of(rest, INTERRUPTIONS, "deed")
        self._add(Did(rest))

    def _continue(
        self, kind: type[TextSent] | type[TextReceived], marker: str, first: str, text: str
    ) -> None:
        last = self.steps[-1] if self.steps else None
        if not isinstance(last, kind):
            raise self._error(f"{marker} continues nothing", f"it carries on an SMS, after a line {first!r}")
        self.steps[-1] = replace(last, text=f"{last.text}\n{text}")

    def _one_of(self, word: str, allowed: tuple[str, ...], what: str) -> None:
        if word not in allowed:
            raise self._error(*_none_of(word, allowed, what))

    def _unescape(self, text: str) -> str:
        def one(found: re.Match[str]) -> str:
            if found[1] == "":
                raise self._error("a backslash that escapes nothing", r"write \\ for a backslash")
            return chr(int(found[1][1:], 16)) if found[1][0] == "u" else found[1]

        return _ESCAPE.sub(one, text)

    def _template(self, text: str) -> str:
        if wrong := slip_in(text, self.patterns):
            raise self._error(*wrong)
        return text


def _none_of(word: str, allowed: tuple[str, ...], what: str) -> tuple[str, str]:
    near = get_close_matches(word, allowed, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(allowed)}"
    return f"no {what} {word[:30]!r}", hint


# --- writing --------------------------------------------------------------------------------------------------

_UNWRITABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff]| (?=\n|\Z)|\\")


def _escape(text: str) -> str:
    return _UNWRITABLE.sub(lambda found: r"\\" if found[0] == "\\" else f"\\u{ord(found[0]):04x}", text)


def _lines(first: str, further: str, text: str) -> str:
    head, *tail = text.split("\n")
    lines = [f"{first} {head}" if head else first]
    lines += [f"{further} {line}" if line else further for line in tail]
    return "\n".join(lines) + "\n"


def _write_comment(step: Comment) -> str:
    if "\n" in step.text:
        raise ValueError("a comment is one line")
    return f"# {step.text}".rstrip(" \t\r") + "\n"


def _write_typed(step: Typed) -> str:
    text = _escape(step.text).replace("\n", r"\u000a")
    if _SMS.fullmatch(text):
        text = text.replace(":", r"\:", 1)
    return _lines(">", ">>", text)


def _write_text_sent(step: TextSent) -> str:
    if not _MSISDN.fullmatch(step.to):
        raise ValueError(f"an SMS goes to a number, not to {step.to!r}")
    return _lines(f"> {step.to}:", ">>", _escape(step.text))


def _write_screen(step: ScreenShown) -> str:
    facts = step.facts
    tail = f"= {facts.node} {facts.kind} {facts.alphabet} {facts.used}/{facts.allowed}\n" if facts else ""
    return _lines("<", "<", _escape(step.text)) + tail


def _write_text_received(step: TextReceived) -> str:
    sender = _escape(step.sender).replace(":", r"\:").replace("\n", r"\u000a")
    return _lines(f"~ {sender}:", "~~", _escape(step.text))


_WRITERS: dict[type[Passage], Callable[[Any], str]] = {
    Comment: _write_comment,
    Blank: lambda step: "\n",
    PickedUp: lambda step: " ".join(["@", step.msisdn, *step.words]) + "\n",
    Typed: _write_typed,
    TextSent: _write_text_sent,
    ScreenShown: _write_screen,
    TextReceived: _write_text_received,
    Did: lambda step: f"! {step.what}\n",
}


def _expression(template: str, patterns: Mapping[str, str]) -> str:
    seen: set[str] = set()

    def one(name: str) -> str:
        if name in seen:
            return f"(?P={name})"
        seen.add(name)
        return f"(?P<{name}>{patterns[name]})"

    parts, end = [], 0
    for found in _TEMPLATE.finditer(template):
        parts.append(re.escape(template[end : found.start()]))
        parts.append(one(found[2]) if found[2] else re.escape(found[0][0]))
        end = found.end()
    return "".join([*parts, re.escape(template[end:])])
