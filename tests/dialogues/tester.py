"""Plays a transcript against the real thing: menu, operations, store and jobs, everything but the sockets.

Turns go in as the deliver_sm PDUs of a USSD centre, screens and SMS come out of submit_sm PDUs, so what is compared
is what a handset would have got.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from data.seed import seed
from data.sqlite import open_store
from gateway.daemon import load_menu
from gateway.dialect import load_profile
from gateway.dialogues import Dialogues, Message, Station, UnitOfWork
from gateway.jobs import Jobs
from gateway.metrics import Metrics
from gateway.settings import Jobs as JobSettings
from gateway.settings import Service
from gateway.smpp.pdu import DeliverSm, SubmitSm, decode
from gateway.smpp.text import ALPHABET_BY_DCS, decode_text, encode_text, measure
from gateway.smpp.vocabulary import ESM_CLASS_UDHI
from handlers import registry
from menus.turns import End, Show
from smpp_sim import transcript
from smpp_sim.transcript import Did, Facts, Phone, Screen, Step, TextReceived, TextSent, Typed

NOON = 1_790_000_000.0  # 2026-09-21 14:13:20 UTC: what the clock says at the first turn of every transcript
FIRST = "79260000000"
SESSION = 0x5A
_SECRETS = {"password": re.compile(r"(?<=пароль )\S+|(?<=parol' )\S+|(?<=parol )\S+|(?<=password )\S+")}


class Tester:
    """One subscriber's world: a fresh store with twenty seeded subscribers, and a clock that stands still."""

    def __init__(self, folder: Path):
        registry.load_all()
        self.now = NOON
        self.profile = load_profile("spec")
        self.store = open_store(f"sqlite:///{folder / 'golden.db'}")
        self.station = Station("ussdc", self.profile, 86_400)
        self.jobs_sent: list[bytes] = []
        unit, menu, limits = UnitOfWork(self.store), load_menu(None), Service()
        self.dialogues = Dialogues(self.store, unit, menu, registry.OPERATIONS, limits, lambda: self.now)
        self.dialogues.watch = self._watch
        self.jobs = Jobs(
            self.store,
            unit,
            menu,
            registry.JOBS,
            {"ussdc": self.station},
            lambda _, answers: self.jobs_sent.extend(answer.frame for answer in answers),
            JobSettings(),
            limits,
            Metrics(),
            lambda: self.now,
        )
        self.phone = ""
        self.unit = 0
        self.asked = False
        self.seen: Show | End | None = None

    async def prepare(self, phone: Phone) -> None:
        """Make the subscriber what the words after his number say he is."""
        await seed(self.store, 20, FIRST)
        self.phone = phone.msisdn
        subscriber = await self.store.subscriber(phone.msisdn)
        kind, language, script = phone.words
        assert subscriber is None or subscriber.kind == kind, f"{phone.msisdn} is seeded as {subscriber.kind}"
        await self.store.set_language(phone.msisdn, language)
        await self.store.set_script(phone.msisdn, script)

    async def do(self, step: Step) -> list[Step]:
        """Do what a step says; what the phone shows then."""
        match step:
            case Typed(text=text):
                kind = "answer" if self.asked else "new"
                self.unit = self.unit + 1 if self.asked else 0
                return await self._turn(self.profile.indicate(self.phone, "105", text, kind, SESSION, self.unit))
            case TextSent(to=to, text=text):
                alphabet, _ = measure(text)
                dcs = {"gsm7": 0, "ucs2": 8}[alphabet]
                return await self._turn(
                    DeliverSm(
                        source_addr=self.phone,
                        destination_addr=to,
                        data_coding=dcs,
                        short_message=encode_text(text, alphabet),
                    )
                )
            case Did(what="timeout"):
                self.now += self.profile.limits.idle_s + 1
                return []
            case Did():
                self.asked = False
                return await self._turn(
                    self.profile.indicate(self.phone, "105", "", "abort", SESSION, self.unit + 1)
                )
            case _:
                raise AssertionError(f"{step} is nothing that one does")

    async def _turn(self, pdu: DeliverSm) -> list[Step]:
        self.seen = None
        batch = await self.dialogues.handle(self.station, [pdu])
        ((_, status),) = batch.acknowledgements
        assert status == 0, f"refused with status {status:#x}"
        while await self.jobs.run_due():
            pass
        frames = [answer.frame for answer in batch.answers] + self.jobs_sent
        self.jobs_sent = []
        return list(self._shown(frames))

    def _shown(self, frames: list[bytes]) -> Iterator[Step]:
        parts = ""
        for frame in frames:
            pdu = decode(frame)
            screen = self.profile.interpret(pdu)
            if screen:
                yield self._screen(screen.text, screen.kind)
                continue
            text, last = _sms(pdu)
            parts += text
            if last:
                yield TextReceived(pdu.source_addr, transcript.literal(parts))
                parts = ""

    def _screen(self, text: str, kind: str) -> Screen:
        alphabet, used = measure(text)
        self.asked = kind == "ask"
        allowed = self.profile.septets if alphabet == "gsm7" else self.profile.ucs2
        assert used <= allowed, f"{used} of {allowed} {alphabet}: {text!r}"
        node = (self.seen.node if self.seen else "") or "-"
        facts = Facts(node, "ask" if self.asked else "end", alphabet, used, allowed)
        return Screen(transcript.literal(text), facts)

    def _watch(self, _: Message, step: Show | End) -> None:
        self.seen = step


def _sms(pdu: SubmitSm) -> tuple[str, bool]:
    """The text of an SMS or of a part of one, and whether it is the last part."""
    octets, last = pdu.short_message, True
    if pdu.esm_class & ESM_CLASS_UDHI:
        total, number = octets[4], octets[5]
        octets, last = octets[octets[0] + 1 :], number == total
    return decode_text(octets, ALPHABET_BY_DCS["sms"][pdu.data_coding]), last


def play(path: Path, folder: Path) -> tuple[list[Step], list[Step]]:
    """Play a transcript: (what it says, what happened), both without secrets."""
    steps = transcript.parse(path.read_bytes(), path.name)
    return steps, asyncio.run(_play(steps, folder))


async def _play(steps: list[Step], folder: Path) -> list[Step]:
    tester = Tester(folder)
    happened: list[Step] = []
    try:
        for step in steps:
            if isinstance(step, (Screen, TextReceived)):
                continue
            happened.append(step)
            if isinstance(step, Phone):
                await tester.prepare(step)
            elif isinstance(step, (Typed, TextSent, Did)):
                happened.extend(_masked(seen) for seen in await tester.do(step))
    finally:
        await tester.store.close()
    return happened


def _masked(step: Step) -> Step:
    """What changes from run to run becomes a {name}."""
    if not isinstance(step, TextReceived):
        return step
    text = step.text
    for name, pattern in _SECRETS.items():
        text = pattern.sub(f"{{{name}}}", text)
    return replace(step, text=text)
