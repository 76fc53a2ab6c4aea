"""Plays a transcript against the real thing: menu, operations, store and jobs, everything but the sockets.

Turns go in as the deliver_sm PDUs of a USSD centre, screens and SMS come out of submit_sm PDUs, so what is compared
is what a handset would have got. Three rules besides those of `smpp_sim.transcripts.transcript`:

- Every ``@`` line picks up a phone: with words it tells of the owner, bare it goes back to a phone told of before.
  All owners are there before the first step; of the seeded numbers only these.
- What is typed and looks like a code (``*…#``) is dialled, also in the middle of a dialogue; anything else answers
  the screen while one asks, even if that was given up for idle long ago.
- ``! timeout`` moves the clock beyond the time to answer. Otherwise it stands still.
"""

import asyncio
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from data.model import LANGUAGES, SCRIPTS, NewSubscriber, Outgoing
from data.opening import open_store
from data.seed import subscribers
from gateway.daemon import load_menu
from gateway.dialect import Inbound, load_profile
from gateway.settings import JobSettings, LinkSettings, Service
from gateway.smpp.pdu import DeliverSm, SubmitSm, decode, encode
from gateway.smpp.text import ALPHABET_BY_DCS, decode_text, encode_text, measure
from gateway.smpp.vocabulary import ESM_CLASS_UDHI
from gateway.turns.dialogues import Dialogues
from gateway.turns.jobs import Workers
from gateway.turns.post import Post
from gateway.turns.reading import arrive
from gateway.turns.station import station_of
from gateway.turns.work import Outcomes
from gateway.watch.metrics import Metrics
from handlers import registry
from handlers.password import ALPHABET
from handlers.registry import Operation
from menus.model import Menu
from menus.turns import End, Show
from smpp_sim.transcripts import transcript
from smpp_sim.transcripts.diff import compare
from smpp_sim.transcripts.transcript import (
    Did,
    Passage,
    PickedUp,
    ScreenFacts,
    ScreenShown,
    TextReceived,
    TextSent,
    Typed,
)
from tests.dialogues.visits import Visits, noting

START = 1_790_000_000.0  # 21 September 2026, 17:13:20 in Moscow: what the clock says when a transcript begins
SEEDED = 100  # the numbers of one contract
STORE = "golden.db"
_PASSWORD = re.compile(rf"(пароль|parol|password) [{ALPHABET}]{{{Service().password_length}}}(?!\S)")


@dataclass(slots=True)
class Handset:
    """A phone in somebody's hand. `session` counts its dialogues, `unit` the messages of the one it is in."""

    msisdn: str
    words: tuple[str, ...]
    session: int = 0x59
    unit: int = 0
    asked: bool = False


class Played(NamedTuple):
    """A transcript as it was written, as it went, and what of the menu it has seen."""

    said: list[Passage]
    happened: list[Passage]
    visits: Visits

    def difference(self, name: str) -> str:
        """Where the two part, as a unified diff; empty when they agree."""
        return "\n".join(compare(self.said, self.happened, name, nodes=True))


@cache
def _selfcare() -> Menu:
    registry.load_all()
    return load_menu(None)


class Tester:
    """The world of one transcript: a fresh store, the owners of its phones, a clock."""

    def __init__(self, folder: Path, operations: Mapping[str, Operation] = registry.OPERATIONS):
        self.now = START
        self.profile = load_profile("spec")
        self.store = open_store(f"sqlite:///{folder / STORE}")
        self.station = station_of(
            LinkSettings(name="ussdc", connect="127.0.0.1:2775", system_id="gw", password="secret")
        )
        self.jobs_sent: list[Outgoing] = []
        self.visits = Visits()
        self.menu = noting(_selfcare(), self.visits)
        post, limits = Post(), Service()
        post.join(self)
        self.dialogues = Dialogues(self.store, post, self.menu, operations, limits, lambda: self.now)
        self.dialogues.watch = self._watch
        self.jobs = Workers(
            self.store,
            post,
            self.menu,
            registry.JOBS,
            JobSettings(),
            limits,
            Metrics(),
            lambda: self.now,
        )
        self.handsets: dict[str, Handset] = {}
        self.handset = Handset("", ())
        self.seen: Show | End | None = None

    # --- the link of the post office

    name, down_since = "ussdc", None

    def deliver(self, messages: Sequence[Outgoing]) -> None:
        self.jobs_sent += messages

    def withdraw(self, ids: Collection[int]) -> None:
        assert not ids, "what was sent has been taken"

    # --- the world

    async def settle(self, phones: Iterable[PickedUp]) -> None:
        """Make the owners of these phones what the words after their numbers say they are."""
        for phone in phones:
            self.handsets[phone.msisdn] = Handset(phone.msisdn, phone.words)
        owners = (
            owner(handset.msisdn, handset.words)
            for handset in self.handsets.values()
            if handset.words != ("unknown",)
        )
        async with self.store.unit() as unit:
            await unit.facts.import_subscribers(owners)

    async def do(self, step: Passage) -> list[Passage]:
        """Do what a step says; what the phone shows then."""
        match step:
            case PickedUp(msisdn=msisdn):
                assert msisdn in self.handsets, f"line {step.line}: nothing was told of {msisdn} before"
                self.handset = self.handsets[msisdn]
                return []
            case Typed(text=text):
                return await self._turn(self._typed(text))
            case TextSent(to=to, text=text):
                return await self._turn(self._texted(to, text))
            case Did(what="timeout"):
                self.now += self.profile.limits.idle_s + 1
                return []
            case Did():
                self.handset.asked = False
                return await self._turn(self._indicate("abort", ""))
            case _:
                raise AssertionError(f"{step} is nothing that one does")

    def _typed(self, text: str) -> DeliverSm:
        handset = self.handset
        if handset.asked and not re.fullmatch(r"[*#].*#", text):
            handset.unit += 2  # ours, and the screen's before it
            return self._indicate("answer", text)
        handset.session, handset.unit = (handset.session + 1) % 256, 0
        return self._indicate("new", text)

    def _indicate(self, kind: str, text: str) -> DeliverSm:
        handset = self.handset
        return self.profile.indicate(handset.msisdn, "105", text, kind, handset.session, handset.unit)

    def _texted(self, to: str, text: str) -> DeliverSm:
        alphabet, _ = measure(text)
        return DeliverSm(
            source_addr=self.handset.msisdn,
            destination_addr=to,
            data_coding={"gsm7": 0, "ucs2": 8}[alphabet],
            short_message=encode_text(text, alphabet),
        )

    async def _turn(self, pdu: DeliverSm) -> list[Passage]:
        self.seen = None
        batch = await self.dialogues.handle(self.station, [arrive(pdu, encode(pdu), self.station)])
        ((_, status),) = batch.acknowledgements
        assert status == 0, f"refused with status {status:#x}"
        assert not batch.counted["failure"], "the turn failed; the log says why"
        while await self.jobs.run_due():
            pass
        async with self.store.view() as view:
            assert not await view.jobs.due(math.inf, 1), "a job failed; the log says why"
        messages, self.jobs_sent = batch.answers + self.jobs_sent, []
        await self.dialogues.handle(self.station, [], Outcomes([message.id for message in messages]))
        frames = [frame for message in messages for frame in self._frames(message)]
        return list(self._shown(frames))

    def _frames(self, message: Outgoing) -> list[bytes]:
        return [message.frame] if message.frame else self.station.sms.frames(SubmitSm, message)

    def _shown(self, frames: list[bytes]) -> Iterator[Passage]:
        parts = ""
        for frame in frames:
            pdu = decode(frame)
            assert pdu.destination_addr == self.handset.msisdn, f"sent to {pdu.destination_addr}"
            screen = self.profile.interpret(pdu)
            if screen:
                yield self._screen(screen.text, screen.kind)
                continue
            text, last = _sms(pdu)
            parts += text
            if last:
                yield TextReceived(pdu.source_addr, transcript.literal(parts))
                parts = ""

    def _screen(self, text: str, kind: str) -> ScreenShown:
        alphabet, used = measure(text)
        self.handset.asked = kind == "ask"
        allowed = self.profile.septets if alphabet == "gsm7" else self.profile.ucs2
        assert used <= allowed, f"{used} of {allowed} {alphabet}: {text!r}"
        node = (self.seen.node if self.seen else "") or "-"
        facts = ScreenFacts(node, "ask" if self.handset.asked else "end", alphabet, used, allowed)
        return ScreenShown(transcript.literal(text), facts)

    def _watch(self, message: Inbound, step: Show | End) -> None:
        self.seen = step
        self.visits.see(self.menu, self.handset.words, message.turn, step)


# ------------------------------------------------------------------------------------------ owners


def _kopecks(roubles: str) -> int:
    whole, _, rest = roubles.partition(".")
    return int(whole) * 100 + int(rest.ljust(2, "0"))


_FACTS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "balance": ("balance_kopecks", _kopecks),  # of the contract, when that has no number on an earlier @ line
    "limit": ("budget_limit_kopecks", lambda roubles: None if roubles == "none" else _kopecks(roubles)),
    "spent": ("budget_spent_kopecks", _kopecks),
    "tariff": ("tariff", str),
    "packages": ("packages_left_percent", lambda percent: int(percent.removesuffix("%"))),
}


def owner(msisdn: str, words: Sequence[str]) -> NewSubscriber:
    """The seeded subscriber of that number, changed to what the words say: KIND LANGUAGE SCRIPT, then facts.

    A fact is ``blocked`` or one of ``balance=12.50 limit=1500 limit=none spent=420 tariff=start packages=62%``.
    """
    kind, language, script, *facts = words
    assert language in LANGUAGES, f"{msisdn}: no language {language!r}"
    assert script in SCRIPTS, f"{msisdn}: no script {script!r}"
    seeded = next((new for new in subscribers(SEEDED) if new.msisdn == msisdn), None)
    assert seeded, f"{msisdn} is none of the {SEEDED} seeded numbers; say `unknown` for a stranger"
    assert kind == ("private" if seeded.contract is None else "corporate"), (
        f"{msisdn} is seeded as no {kind} one"
    )
    changes = {"blocked": False, **dict(map(_fact, facts))}
    return seeded._replace(language=language, script=script, **changes)


def _fact(word: str) -> tuple[str, Any]:
    if word == "blocked":
        return word, True
    name, _, value = word.partition("=")
    assert name in _FACTS, f"no fact {name!r}; there are blocked, {', '.join(_FACTS)}"
    key, read = _FACTS[name]
    return key, read(value)


# ----------------------------------------------------------------------------------------- playing


def _sms(pdu: SubmitSm) -> tuple[str, bool]:
    """The text of an SMS or of a part of one, and whether it is the last part."""
    octets, last = pdu.short_message, True
    if pdu.esm_class & ESM_CLASS_UDHI:
        total, number = octets[4], octets[5]
        octets, last = octets[octets[0] + 1 :], number == total
    return decode_text(octets, ALPHABET_BY_DCS["sms"][pdu.data_coding]), last


def play(text: str | bytes, name: str, folder: Path, **changed: Any) -> Played:
    """Play a transcript with its store in a folder. What is secret is masked in what happened."""
    return asyncio.run(_play(transcript.parse(text, name), Tester(folder, **changed)))


async def _play(steps: list[Passage], tester: Tester) -> Played:
    happened: list[Passage] = []
    try:
        await tester.settle(step for step in steps if isinstance(step, PickedUp) and step.words)
        for step in steps:
            if isinstance(step, (ScreenShown, TextReceived)):
                continue
            happened.append(step)
            if isinstance(step, (PickedUp, Typed, TextSent, Did)):
                happened.extend(_masked(seen) for seen in await tester.do(step))
    finally:
        await tester.store.close()
    return Played(steps, happened, tester.visits)


def _masked(step: Passage) -> Passage:
    """What changes from run to run becomes a {name}."""
    if isinstance(step, TextReceived):
        return replace(step, text=_PASSWORD.sub(r"\1 {password}", step.text))
    return step
