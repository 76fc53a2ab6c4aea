"""The command ``starpound phone``: a phone in a terminal, or fed from a pipe.

On a terminal a second thread watches the phone and draws what comes above the line that is being typed. From a pipe
everything happens in turn: a line is done when the screen or the SMS that it asks for is there.
"""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

import click

from gateway.terminal import Failure, piped_lines, printable
from smpp_sim.commands import explained, simulator

WATCH_S = 20.0
SCREEN_S = 40.0
SMS_S = 5.0
WIDTH = 60
"""Columns of the widest box."""
_NARROWEST = 28
"""Columns of one that has room for how full it is."""

HELP = """\
  *105#            dial a code
  sms TO TEXT      send an SMS; without a text an empty one
  off, on          switch the phone
  wait             from a pipe: for an SMS, if none has come since the last thing that was done
  inbox            the SMS that have come
  save FILE        what happened here, as a transcript
  help             this
  quit             leave; Ctrl-D does too
While a question is on the display, a line is its answer, and an empty line is OK; commands have a / before them
then: /sms 000105 text. /cancel or Ctrl-C gives the dialogue up, Ctrl-C twice leaves."""


@click.command(short_help="A phone of the simulator in this terminal.")
@click.option("--from", "msisdn", required=True, help="The phone's number.")
@simulator
@explained
def phone(msisdn: str, url: str, token: str) -> None:
    """A phone of the simulator in this terminal: dial, answer, cancel, send SMS; or feed it lines from a pipe.

    \b
    Example: starpound phone --from 79260000003
    """
    from smpp_sim.remote import RemotePhone

    with RemotePhone(url, msisdn, token) as hand:
        held = TerminalPhone(hand)
        if sys.stdin.isatty() and sys.stdout.isatty():
            with RemotePhone(url, msisdn, token) as eye:
                _at_a_terminal(held, eye)
        else:
            _from_a_pipe(held, piped_lines())  # a line that is no text is refused, the others are done
    raise SystemExit(1 if held.refused and not sys.stdin.isatty() else 0)


class TerminalPhone:
    """What is typed becomes actions, what happens becomes boxes.

    `seen` is the number of the last event that was drawn, `refused` counts lines that could not be done.
    """

    def __init__(self, hand: Any):
        self._hand = hand
        now = hand.state()
        self.msisdn = now["msisdn"]
        self.state: str = now["state"]
        self.began = self.seen = now["last"]
        self.title = ""
        self.refused = 0
        self._texts = 0
        """SMS since the last thing that was done."""
        self._commands: dict[str, Callable[[str], None]] = {
            "sms": self._sms,
            "off": lambda _: self._do("off"),
            "on": lambda _: self._do("on"),
            "cancel": lambda _: self._do("cancel"),
            "inbox": self._inbox,
            "save": self._save,
            "help": lambda _: click.echo(HELP),
        }

    def open(self) -> None:
        """Draw the box that is on the display already."""
        now = self._hand.state()
        if now["display"]:
            self.draw({"kind": "screen", **now["display"]})

    def events(self, wait_s: float, eye: Any = None) -> list[dict[str, Any]]:
        """What has happened since the last time; waits for the first event. `eye`: another connection to look with."""
        events: list[dict[str, Any]] = (eye or self._hand).events(self.seen, "", wait_s)
        if events:
            self.seen = events[-1]["number"]
        return events

    def obey(self, line: str) -> str:
        """Do what a line says; what to wait for: ``screen``, ``sms``, ``leave``, or nothing."""
        from smpp_sim.remote import RequestRefused

        line = line.strip("\r\n")
        asked = self._hand.state()["state"] == "asked"
        word, _, rest = line.strip().removeprefix("/").partition(" ")
        if not asked or line.startswith("/"):
            if not line.strip():
                return ""
            if word in ("quit", "exit"):
                return "leave"
            if word == "wait":
                return "" if self._texts else "sms"
        try:
            if asked and not line.startswith("/"):
                self._do("answer", text=line)
                return "screen"
            if word in self._commands:
                self._commands[word](rest)
                return "sms" if word == "sms" else ""
            return self._dial(line.strip())
        except RequestRefused as problem:
            self.refused += 1
            click.secho(f"{problem} (help: what can be typed)", fg="red", err=True)
            return ""

    def give_up(self) -> bool:
        """Cancel the dialogue; False when there is none."""
        from smpp_sim.remote import RequestRefused

        try:
            self._do("cancel")
        except RequestRefused:
            return False
        return True

    def draw(self, event: dict[str, Any]) -> None:
        """Show what happened; a box that asks nothing is closed at once, so that the next one can come."""
        match event["kind"]:
            case "running":
                self.state, self.title = "running", event["code"] or self.title
            case "screen":
                self._draw_screen(event)
            case "sms":
                self._texts += 1
                parts = f"{event['parts']} parts" if event["parts"] > 1 else "SMS"
                click.echo(box(event["text"], f"✉ {event['sender']}", parts))
            case "idle" | "on":
                self.state = "idle"
            case "cancelled":
                click.secho("cancelled", dim=True)
            case "sent":
                click.secho(f"SMS sent to {event['to']}", dim=True)
            case "off":
                self.state = "off"
                click.secho("the phone is off", dim=True)

    def _draw_screen(self, event: dict[str, Any]) -> None:
        from smpp_sim.remote import RequestRefused

        kind = event["screen"]
        self.state = "asked" if kind == "ask" else "showing"
        foot = f"{kind} {event['used']}/{event['allowed']} {event['alphabet']}"
        click.echo(box(event["text"], self.title, foot, "red" if kind == "error" else None))
        if kind == "ask":
            return
        try:
            self._hand.do("ok")
        except RequestRefused:
            return

    def _do(self, deed: str, **words: str) -> None:
        self._texts = 0
        self._hand.do(deed, **words)

    def _dial(self, code: str) -> str:
        self._do("dial", code=code)
        return "screen"

    def _sms(self, rest: str) -> None:
        to, _, text = rest.partition(" ")
        self._do("sms", to=to, text=text)

    def _inbox(self, _: str) -> None:
        messages = self._hand.inbox()
        for message in messages:
            click.echo(printable(f"{message['sender']}: {message['text']}"))
        if not messages:
            click.echo("no SMS yet")

    def _save(self, name: str) -> None:
        from smpp_sim.remote import RequestRefused

        if not name:
            raise RequestRefused("save needs the name of a file, as in save talk.ussd")
        try:
            Path(name).write_text(self._hand.transcript(self.began), "utf-8")
        except OSError as problem:
            raise RequestRefused(f"{name}: {problem.strerror}") from None
        click.secho(f"written: {name}", dim=True)


# --- from a pipe ------------------------------------------------------------------------------------------------


def _from_a_pipe(held: TerminalPhone, lines: Iterable[str]) -> None:
    held.open()
    for line in lines:
        waits_for = held.obey(line)
        if waits_for == "leave":
            break
        _until_there(held, waits_for)
    held.give_up()
    _until_there(held, "")


def _until_there(held: TerminalPhone, kind: str) -> None:
    """Draw what comes until a screen or an SMS is there, or what is there already."""
    patience_s = {"screen": SCREEN_S, "sms": SMS_S}.get(kind, 0.0)
    while True:
        events = held.events(patience_s)
        for event in events:
            held.draw(event)
        if not events and patience_s:
            click.secho(f"nothing came within {patience_s:g} s", fg="red", err=True)
            held.refused += 1
        if not events:
            return
        if any(event["kind"] == kind for event in events):
            patience_s = 0.0


# --- on a terminal ----------------------------------------------------------------------------------------------


def _at_a_terminal(held: TerminalPhone, eye: Any) -> None:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.patch_stdout import patch_stdout

    session: Any = PromptSession()
    click.echo(f"Phone {held.msisdn}. Dial a code (*105#), or help.")
    with patch_stdout(raw=True):
        held.open()
        watcher = Watcher(held, eye, session.app.invalidate)
        watcher.start()
        _type(held, session, watcher)
        watcher.end()


def _type(held: TerminalPhone, session: Any, watcher: "Watcher") -> None:
    """Lines, until it is enough."""
    interrupted = False
    while not watcher.problem:
        try:
            line = session.prompt(lambda: _prompt(held))
        except EOFError:
            held.give_up()
            return
        except KeyboardInterrupt:
            gave_up = held.give_up()
            if interrupted:
                return
            interrupted = True
            if not gave_up:
                click.secho("Ctrl-C once more leaves", dim=True)
            continue
        interrupted = False
        if held.obey(line) == "leave":
            held.give_up()
            return
    raise Failure(watcher.problem)


_PROMPTS = {"asked": "answer > ", "running": "running … > ", "off": "off > "}


def _prompt(held: TerminalPhone) -> str:
    return _PROMPTS.get(held.state, f"{held.msisdn} > ")


class Watcher(threading.Thread):
    """Draws what happens. `problem` is why it has stopped, if the simulator is gone."""

    def __init__(self, held: TerminalPhone, eye: Any, changed: Callable[[], None]):
        super().__init__(name="phone", daemon=True)
        self.problem = ""
        self._held, self._eye, self._changed = held, eye, changed
        self._context = click.get_current_context()
        self._over = False

    def end(self) -> None:
        """Draw nothing any more. The thread itself ends with its last request, or with the program."""
        self._over = True

    def run(self) -> None:
        """Wait for events, draw them, until `end`; with the colours, or without, of the command."""
        with self._context.scope(cleanup=False):
            self._watch()

    def _watch(self) -> None:
        from smpp_sim.settings import SimulatorError

        while not self._over:
            try:
                for event in self._held.events(WATCH_S, self._eye):
                    if not self._over:
                        self._held.draw(event)
            except SimulatorError as problem:
                if not self._over:
                    self.problem = str(problem)
                    click.secho(f"{problem}; press Enter", fg="red")
                return
            # Between two lines the prompt has no loop; the next one is drawn anew.
            with contextlib.suppress(RuntimeError):
                self._changed()


# --- boxes --------------------------------------------------------------------------------------------------------


def box(text: str, title: str = "", foot: str = "", colour: str | None = None) -> str:
    """A text in a box, `title` in its upper edge, `foot` in its lower one; wide characters count as two columns."""
    wide = max(min(WIDTH, get_terminal_size().columns), _NARROWEST)
    said = [printable(line) for line in text.splitlines() or [""]]
    lines = [piece for line in said for piece in _folded(line, wide - 4)]
    title = _folded(printable(title), wide - 6)[0]
    inside = max(_columns(line) for line in [*lines, f" {title} ", f" {foot} "]) + 2
    body = [f"│ {line}{' ' * (inside - 2 - _columns(line))} │" for line in lines]
    drawn = [_edge("╭", "╮", title, inside), *body, _edge("╰", "╯", foot, inside)]
    return click.style("\n".join(drawn), fg=colour) if colour else "\n".join(drawn)


def _edge(left: str, right: str, words: str, inside: int) -> str:
    words = f" {words} " if words else ""
    return f"{left}─{words}{'─' * (inside - 1 - _columns(words))}{right}"


def _columns(text: str) -> int:
    from prompt_toolkit.utils import get_cwidth

    return get_cwidth(text)


def _folded(line: str, columns: int) -> list[str]:
    """A line as lines of at most so many columns, parted at blanks where there are any."""
    pieces = [""]
    for word in line.split(" "):
        longer = f"{pieces[-1]} {word}" if pieces[-1] else word
        if _columns(longer) <= columns:
            pieces[-1] = longer
            continue
        pieces += [""] if pieces[-1] else []
        for character in word:
            if _columns(pieces[-1] + character) > columns:
                pieces.append("")
            pieces[-1] += character
    return pieces
