"""The faults of a scenario at the port that the centre has for them: `smpp_sim.centre.faults.Faults`."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from gateway.dialect import DialectError, Message, Profile
from gateway.smpp.pdu import BindRequest, EnquireLinkResp, Pdu, decode
from gateway.smpp.vocabulary import ESM_CLASS_TYPE_MASK, ESME_RBINDFAIL, ESME_RTHROTTLED, RESPONSE_BIT
from smpp_sim.centre.centre import Centre
from smpp_sim.centre.faults import FaultyLink
from smpp_sim.phones.handset import NotPossible
from smpp_sim.scenarios.faults import (
    LOSSES,
    ON_DELIVERY,
    ON_REQUEST,
    REFUSAL_STATUSES,
    FaultTable,
    Hit,
    Occasion,
    malformed,
)
from smpp_sim.scenarios.judge import Judge
from smpp_sim.scenarios.scenario import Fault

_LONGEST_HOLD_S = 1.0
_ON_THE_WAY_S = 1.0
"""A response that left so shortly before the link was gone may not have arrived."""
_EXTRA = 0x7FF00000
"""Sequence numbers from here on are those of PDUs that no session knows of; their responses are nobody's."""


@dataclass(slots=True, eq=False)
class _Asked:
    """A request of an ESME on its way through the centre, and what goes wrong with it."""

    pdu: Pdu
    hit: Hit | None
    delay_s: float
    arrived: float
    frame: bytes = b""
    waits_for: Callable[[Message], bool] | None = None


@dataclass(slots=True)
class _Wire:
    """One link: requests by their sequence number, responses that are held back, and those that have left."""

    asked: dict[int, list[_Asked]] = field(default_factory=dict)
    held: list[_Asked] = field(default_factory=list)
    answered: deque[tuple[float, Pdu]] = field(default_factory=lambda: deque(maxlen=1000))
    deaf: bool = False


class LinkFaults:
    """The faults of a scenario at work on the links of a centre. `started` is the scenario's zero, in loop time."""

    def __init__(self, table: FaultTable, centre: Centre, judge: Judge, clock: Callable[[], float]):
        self.table, self.judge = table, judge
        self.started = clock()
        self._centre, self._clock = centre, clock
        self._wires: dict[FaultyLink, _Wire] = {}
        self._extra = 0

    @property
    def at_s(self) -> float:
        """Seconds since the beginning."""
        return self._clock() - self.started

    def stop(self) -> None:
        """No fault any more; responses that are still held back leave."""
        self.table.faults = ()
        for link, wire in self._wires.items():
            for asked in list(wire.held):
                self._release(link, asked)

    # --- asked by the centre ----------------------------------------------------------------------------------

    def on_bind(self, bind: BindRequest) -> int:
        """The command_status by which a bind is refused; 0 when it is not."""
        hit = self.table.first(["bind_refused"], Occasion(bind.system_id), self.at_s)
        if hit is None:
            return 0
        self._count(hit)
        return hit.fault.status or ESME_RBINDFAIL

    def session_reused(self, system_id: str, msisdn: str) -> bool:
        """Whether a new dialogue gets the number of the one before it."""
        hit = self.table.first(["session_reuse"], Occasion(system_id, phone=msisdn), self.at_s)
        if hit:
            self._count(hit, msisdn)
        return hit is not None

    # --- asked by a link --------------------------------------------------------------------------------------

    def deaf(self, link: FaultyLink) -> bool:
        """Whether the link neither hears nor speaks."""
        wire = self._wires.get(link)
        return wire is not None and wire.deaf

    def on_request(self, link: FaultyLink, pdu: Pdu) -> int | None:
        """The command_status of a request that is not to be done; None: it is."""
        occasion = self._occasion(link, pdu)
        hit = self.table.first(ON_REQUEST, occasion, self.at_s)
        if hit and hit.kind == "receipt_first" and not getattr(pdu, "registered_delivery", 0):
            hit = None
        slow = self.table.first(["latency"], occasion, self.at_s)
        for one in filter(None, (hit, slow)):
            self._count(one, occasion.phone)
        asked = _Asked(pdu, hit, slow.delay_s() if slow else 0.0, self._clock())
        wire = self._wire(link)
        wire.asked.setdefault(pdu.sequence_number, []).append(asked)
        self.judge.asked(link.system_id, pdu, sum(map(len, wire.asked.values())) + len(wire.held))
        return (
            REFUSAL_STATUSES[hit.kind](hit.fault, hit.chance)
            if hit and hit.kind in REFUSAL_STATUSES
            else None
        )

    def on_refused(self, link: FaultyLink, status: int) -> None:
        """The session itself has refused a request."""
        if status == ESME_RTHROTTLED:
            self.judge.too_many(link.system_id)

    def after_read(self, link: FaultyLink) -> None:
        """The centre has read something."""
        hit = self.table.first(["slow_reading"], Occasion(link.system_id), self.at_s)
        if hit:
            self._count(hit)
            link.rest(hit.delay_s())

    def write(self, link: FaultyLink, octets: bytes) -> None:
        """Send what the session wants to be sent, or what becomes of it."""
        if self.deaf(link):
            return
        for frame in _frames(octets):
            command_id, sequence_number = (
                int.from_bytes(frame[4:8], "big"),
                int.from_bytes(frame[12:16], "big"),
            )
            asked = self._taken_out(link, sequence_number) if command_id & RESPONSE_BIT else None
            if asked:
                asked.frame = frame
                self._respond(link, asked)
            elif command_id == EnquireLinkResp.command_id:
                self._on_enquire_link(link, frame)
            else:
                self._send(link, frame)

    def left(self, link: FaultyLink) -> None:
        """The link is gone: who asked something on it has no answer."""
        wire = self._wires.pop(link, None)
        if wire:
            unanswered = [one for several in wire.asked.values() for one in several] + wire.held
            for asked in unanswered:
                self.judge.unanswered(link.system_id, asked.pdu)
            for when, pdu in wire.answered:
                if when > self._clock() - _ON_THE_WAY_S:
                    self.judge.may_come_again(link.system_id, pdu)

    # --- whole links ------------------------------------------------------------------------------------------

    def begin(self, fault: Fault) -> None:
        """A period begins in which a link is half open, or the centre away."""
        self.table.injected[fault.kind] += 1
        self.judge.touch_all()
        if fault.kind == "half_open":
            for link in self._centre.links:
                if link.system_id and fault.account in (None, link.system_id):
                    self._wire(link).deaf = True
            return
        self._centre.interrupt()
        if fault.forget_dialogues:
            open_ones = [
                station.msisdn for station in self._centre.network.stations.values() if station.dialogue
            ]
            for msisdn in open_ones:
                self._centre.lose(msisdn)

    async def end(self, fault: Fault) -> None:
        """It is over."""
        if fault.kind == "restart":
            await self._centre.resume()
        for link in [link for link, wire in self._wires.items() if wire.deaf]:
            link.abort()
        self.judge.touch_all()

    # --- inside -----------------------------------------------------------------------------------------------

    def _wire(self, link: FaultyLink) -> _Wire:
        return self._wires.setdefault(link, _Wire())

    def _taken_out(self, link: FaultyLink, sequence_number: int) -> _Asked | None:
        several = self._wire(link).asked.get(sequence_number)
        if not several:
            return None
        asked = several.pop(0)
        if not several:
            del self._wire(link).asked[sequence_number]
        return asked

    def _occasion(self, link: FaultyLink, pdu: Pdu, outward: bool = False) -> Occasion:
        if not isinstance(pdu, Message):
            return Occasion(link.system_id, pdu.name)
        ussd = _is_ussd(self._centre.network.profile(link.system_id), pdu, outward)
        phone = (pdu.source_addr if outward else pdu.destination_addr).removeprefix("+")
        return Occasion(link.system_id, pdu.name, "ussd" if ussd else "sms", phone)

    def _count(self, hit: Hit, msisdn: str = "") -> None:
        self.table.injected[hit.kind] += 1
        if msisdn:
            self.judge.touch(msisdn)

    def _respond(self, link: FaultyLink, asked: _Asked) -> None:
        hit = asked.hit
        if hit and hit.kind in LOSSES:
            self.judge.unanswered(link.system_id, asked.pdu)
        elif hit and hit.kind in _WAITS_FOR:
            asked.waits_for = _WAITS_FOR[hit.kind](asked.pdu)
            self._hold(link, asked, hit.delay_s(_LONGEST_HOLD_S))
        elif asked.delay_s:
            self._hold(link, asked, asked.delay_s)
        else:
            self._answer(link, asked)

    def _hold(self, link: FaultyLink, asked: _Asked, seconds: float) -> None:
        self._wire(link).held.append(asked)
        self._later(seconds, lambda: self._release(link, asked))

    def _release(self, link: FaultyLink, asked: _Asked) -> None:
        wire = self._wires.get(link)
        if wire and asked in wire.held:
            wire.held.remove(asked)
            self._answer(link, asked)

    def _answer(self, link: FaultyLink, asked: _Asked) -> None:
        if self.deaf(link):
            self.judge.unanswered(link.system_id, asked.pdu)
            return
        status = int.from_bytes(asked.frame[8:12], "big")
        self.judge.answered(link.system_id, asked.pdu, status, self._clock() - asked.arrived)
        self._wire(link).answered.append((self._clock(), asked.pdu))
        link.put(asked.frame)

    def _on_enquire_link(self, link: FaultyLink, frame: bytes) -> None:
        hit = self.table.first(["enquire_link_unanswered"], Occasion(link.system_id), self.at_s)
        if hit:
            self._count(hit)
            self.judge.touch_all()
        else:
            link.put(frame)

    def _send(self, link: FaultyLink, frame: bytes) -> None:
        pdu = decode(frame)
        if not isinstance(pdu, Message):
            link.put(frame)
            return
        occasion = self._occasion(link, pdu, outward=True)
        kinds = ON_DELIVERY[occasion.traffic]
        hits = {hit.kind: hit for hit in self.table.all(kinds, occasion, self.at_s)}
        for hit in hits.values():
            self._count(hit, occasion.phone)
        if "malformed" in hits:
            hit = hits["malformed"]
            link.put(malformed(pdu, hit.chance.choice(hit.fault.forms), self._next_extra()))
        self.judge.delivered(link.system_id, pdu)
        link.put(frame)
        if "duplicate" in hits:
            self._duplicate(link, pdu, frame, hits["duplicate"])
        if "abort" in hits:
            self._abort(occasion.phone, hits["abort"])
        for asked in [one for one in self._wire(link).held if one.waits_for and one.waits_for(pdu)]:
            self._release(link, asked)

    def _duplicate(self, link: FaultyLink, pdu: Message, frame: bytes, hit: Hit) -> None:
        def act() -> None:
            self.judge.delivered(link.system_id, pdu, copy=True)
            link.put(frame[:12] + self._next_extra().to_bytes(4, "big") + frame[16:])

        self._later(hit.delay_s(), act)

    def _abort(self, msisdn: str, hit: Hit) -> None:
        by: str = hit.fault.by or hit.chance.choice(("user", "network"))
        deed = {"user": self._centre.cancel, "network": self._centre.lose}[by]

        def act() -> None:
            with suppress(NotPossible):  # it is over already
                deed(msisdn)

        self._later(hit.delay_s(), act)

    def _next_extra(self) -> int:
        self._extra += 1
        return _EXTRA + self._extra % 0xFFFFF

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        if seconds > 0:
            asyncio.get_running_loop().call_later(seconds, act)
        else:
            act()


def _waits_for_message(request: Any) -> Callable[[Message], bool]:
    return lambda pdu: pdu.source_addr == request.destination_addr


def _waits_for_receipt(request: Any) -> Callable[[Message], bool]:
    return lambda pdu: (
        bool(pdu.esm_class & ESM_CLASS_TYPE_MASK) and pdu.source_addr == request.destination_addr
    )


_WAITS_FOR = {"reorder": _waits_for_message, "receipt_first": _waits_for_receipt}
"""What has to leave before the response may."""


def _is_ussd(profile: Profile, pdu: Message, outward: bool) -> bool:
    if outward:
        return profile.is_ussd(pdu)
    try:
        return profile.interpret(pdu) is not None
    except DialectError:
        return True


def _frames(octets: bytes) -> Iterator[bytes]:
    """Our own octets, cut into PDUs."""
    start = 0
    while start < len(octets):
        end = start + int.from_bytes(octets[start : start + 4], "big")
        yield octets[start:end]
        start = end
