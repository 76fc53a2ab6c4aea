"""The phone network behind the centre: phones, dialogues with their timers, what waits for each ESME.

No I/O and no clock: `now` comes in as seconds of any monotonic clock, `deadline` says when `on_deadline` is due.
The asyncio shell (`centre`) brings submit_sm in, takes deliveries out with `take`, and reports what became of them.
"""

import itertools
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable

from gateway.dialect import IndicationKind, Outbound, Profile, load_profile
from gateway.smpp.vocabulary import (
    ESME_RMSGQFUL,
    ESME_ROK,
    ESME_RSYSERR,
    ESME_RTHROTTLED,
    ESME_RX_T_APPN,
)
from smpp_sim.centre.deadlines import Deadlines
from smpp_sim.centre.delivery import Delivery, DeliveryQueue, QueueFull, UssdDialogue
from smpp_sim.centre.faults import Faults, NoFaults
from smpp_sim.centre.message_centre import MessageCentre
from smpp_sim.centre.messages import require_encodable, sms_from_phone
from smpp_sim.centre.routing import Owed, dialogue_of, route
from smpp_sim.centre.sent_sms import Rejected
from smpp_sim.centre.station import MobileStation, read_msisdn
from smpp_sim.phones.handset import (
    Effect,
    Handset,
    Idle,
    Incoming,
    NoRoom,
    NotPossible,
    Shown,
    ToNetwork,
    Upward,
)
from smpp_sim.settings import Account, NetworkSettings

log = logging.getLogger("starpound.sim")

BUSY = frozenset({ESME_RTHROTTLED, ESME_RMSGQFUL})
"""Statuses by which an ESME asks for everything later."""
TROUBLE = frozenset({ESME_RX_T_APPN, ESME_RSYSERR})
"""Statuses by which an ESME asks for the same message later."""

CLOSED = "The service has ended the dialogue"
"""What a phone shows of a dialogue that ends without a last screen."""


class Network:
    """All phones, and a queue of deliver_sm for each account; `sms` has the messages that ESMEs send.

    `wall_offset_s` turns `now` into Unix time, for the events. Actions of owners raise `NotPossible` (a sentence
    for them), `NotAnMsisdn` and `QueueFull`.
    """

    def __init__(self, accounts: Iterable[Account], settings: NetworkSettings, wall_offset_s: float = 0.0):
        self.settings = settings
        self.accounts = {account.system_id: account for account in accounts}
        self.queues = {
            name: DeliveryQueue(settings.max_waiting, settings.retry_first_s, settings.retry_most_s)
            for name in self.accounts
        }
        self._profiles = {name: load_profile(account.dialect) for name, account in self.accounts.items()}
        self._wall_offset_s = wall_offset_s
        self.stations: OrderedDict[str, MobileStation] = OrderedDict()
        self._deadlines = Deadlines()
        self._sessions = itertools.count(1)
        self._owed = Owed(settings.max_phones)
        self.faults: Faults = NoFaults()
        self.sms = MessageCentre(self.queues, self.station, settings, self.wall)

    # --- what owners of phones do -----------------------------------------------------------------------------

    def station(self, msisdn: str) -> MobileStation:
        """The phone with this number; there is one for every number. Raises `NotAnMsisdn`."""
        msisdn = read_msisdn(msisdn)
        station = self.stations.get(msisdn)
        if station is None:
            self._forget_one()
            station = self.stations[msisdn] = MobileStation(msisdn, Handset(msisdn))
        self.stations.move_to_end(msisdn)
        return station

    def dial(self, msisdn: str, code: str, now: float) -> MobileStation:
        """Dial a code."""
        return self._act(msisdn, lambda handset: handset.dial(code), now)

    def answer(self, msisdn: str, text: str, now: float) -> MobileStation:
        """Answer what the network asks."""
        return self._act(msisdn, lambda handset: handset.answer(text), now)

    def press_ok(self, msisdn: str, now: float) -> MobileStation:
        """Close the box on the display."""
        return self._act(msisdn, Handset.press_ok, now)

    def cancel(self, msisdn: str, now: float) -> MobileStation:
        """Give the dialogue up."""
        return self._act(msisdn, Handset.cancel, now)

    def hang_up(self, msisdn: str, now: float) -> MobileStation:
        """Give everything up and clear the display."""
        station = self._act(msisdn, Handset.hang_up, now)
        station.notices.clear()
        return station

    def lose(self, msisdn: str, now: float) -> MobileStation:
        """The network loses the phone's dialogue, as at a time-out. Raises `NotPossible` without one."""
        station = self.station(msisdn)
        if station.dialogue is None:
            raise NotPossible("there is no dialogue to lose")
        station.log.add("lost", {}, self.wall(now))
        self._expire(station.dialogue, now)
        return station

    def send_sms(self, msisdn: str, to: str, text: str, now: float) -> MobileStation:
        """Send an SMS, which may be empty, to a short or a long number."""
        station = self.station(msisdn)
        station.handset.require_on()
        to = to.strip().removeprefix("+")
        if not re.fullmatch(r"[0-9]{1,20}", to):
            raise NotPossible(f"{to[:30]!r} is no number to send an SMS to: write 1 to 20 digits")
        name = route(self.accounts.values(), to)
        pdus = sms_from_phone(
            station.msisdn, to, text, station.next_reference(), self.accounts[name].long_form
        )
        self.queues[name].require_room(len(pdus), now)
        for pdu in pdus:
            self.queues[name].put(pdu, now, now + self.settings.sms_validity_s)
        station.log.add("sent", {"to": to, "text": text, "parts": len(pdus)}, self.wall(now))
        return station

    def switch(self, msisdn: str, on: bool, now: float) -> MobileStation:
        """Switch a phone on or off: an SMS waits for it, a dialogue ends."""
        station = self.station(msisdn)
        if on == station.on:
            return station
        if on:
            station.handset.switch_on()
        else:
            self._apply(station, station.handset.switch_off(), now)
            station.notices.clear()
        station.log.add("on" if on else "off", {}, self.wall(now))
        if on:
            self.sms.phone_is_on(station, now)
        return station

    def read(self, msisdn: str, now: float) -> MobileStation:
        """The owner reads the SMS that came."""
        station = self.station(msisdn)
        station.handset.require_on()
        self.sms.read(station, now)
        return station

    # --- what ESMEs do ----------------------------------------------------------------------------------------

    def screen(self, system_id: str, outbound: Outbound, source_addr: str, now: float) -> str:
        """Put a USSD message on a phone; its message id. Raises `Rejected`, `NotAnMsisdn`."""
        station = self.station(outbound.msisdn)
        may_be_late = not outbound.push and outbound.kind != "notify"
        late = may_be_late and self._owed.take((station.msisdn, system_id), now)
        dialogue = dialogue_of(station.dialogue, system_id, outbound, late)
        if dialogue is None:
            dialogue = self._open(station, system_id, source_addr, now)
        else:
            dialogue.unit = (dialogue.unit + 1) & 0x7F
        self._show(station, dialogue, outbound, now)
        return self.sms.note_screen(system_id, source_addr, now)

    def profile(self, system_id: str) -> Profile:
        """The dialect towards this ESME."""
        return self._profiles[system_id]

    # --- deliveries -------------------------------------------------------------------------------------------

    def take(self, system_id: str, now: float) -> Delivery | None:
        """The next deliver_sm for this ESME, from now on under way."""
        delivery = self.queues[system_id].take(now)
        if delivery and delivery.dialogue:
            delivery.dialogue.told = True
        return delivery

    def taken(self, system_id: str, delivery: Delivery, status: int, now: float) -> None:
        """The ESME answered the deliver_sm with this command_status."""
        queue = self.queues[system_id]
        if status in BUSY:
            queue.busy(delivery, now)
        elif status in TROUBLE:
            queue.trouble(delivery, now)
        else:
            queue.done(delivery)
            if status != ESME_ROK:
                self._refused(system_id, delivery, status, now)

    def came_back(self, system_id: str) -> None:
        """An ESME has bound: what waits for it is tried at once."""
        self.queues[system_id].fresh_start()

    def give_back(self, system_id: str, deliveries: Iterable[Delivery]) -> None:
        """Nobody knows whether the ESME took these; they are delivered again."""
        self.queues[system_id].give_back(deliveries)

    # --- time -------------------------------------------------------------------------------------------------

    def deadline(self, now: float) -> float | None:
        """When `on_deadline` is due next, or deliveries can be tried again; None: never."""
        deadlines = (queue.deadline(now) for queue in self.queues.values())
        times = [when for when in deadlines if when is not None]
        times += [when for when in (self._deadlines.first(), self.sms.deadline()) if when is not None]
        return min(times, default=None)

    def on_deadline(self, now: float) -> None:
        """End the dialogues whose time is up; deliver or give up the SMS whose time has come."""
        self.sms.on_deadline(now)
        for dialogue in self._deadlines.due(now):
            self._time_out(dialogue, now)

    def wall(self, now: float) -> float:
        """Unix time of `now`."""
        return now + self._wall_offset_s

    def close(self) -> None:
        """Let everybody go who waits for something to happen on a phone."""
        for station in self.stations.values():
            station.log.close()

    # --- inside -----------------------------------------------------------------------------------------------

    def _act(self, msisdn: str, deed: Callable[[Handset], list[Effect]], now: float) -> MobileStation:
        station = self.station(msisdn)
        effects = deed(station.handset)
        station.note_deeds(effects, self.wall(now))
        self._apply(station, effects, now)
        return station

    def _apply(self, station: MobileStation, effects: list[Effect], now: float) -> None:
        for effect in effects:
            match effect:
                case Shown():
                    station.note_shown(effect, self.wall(now))
                case Idle():
                    station.log.add("idle", {}, self.wall(now))
                case ToNetwork(kind, text):
                    self._upward(station, kind, text, now)
        if not effects and station.handset.hidden:
            station.note_hidden(self.wall(now))

    def _upward(self, station: MobileStation, kind: Upward, text: str, now: float) -> None:
        try:
            self._UPWARD[kind](self, station, text, now)
        except (QueueFull, NotPossible) as problem:
            log.warning("%s: %s", station.msisdn, problem)
            if station.dialogue:
                self._expire(station.dialogue, now)
            else:
                self._apply(station, station.handset.fail(), now)

    def _begin(self, station: MobileStation, code: str, now: float) -> None:
        name = route(self.accounts.values(), code)
        dialogue = self._open(station, name, self._profiles[name].service_addr(code), now)
        self._wait_for_application(dialogue, now)
        self._indicate(dialogue, "new", code, now)

    def _go_on(self, station: MobileStation, text: str, now: float) -> None:
        dialogue = station.dialogue
        assert dialogue, "a phone answers only while it is in a dialogue"
        dialogue.unit = (dialogue.unit + 1) & 0x7F
        if dialogue.closes and self._profiles[dialogue.system_id].says("answer_last"):
            self._close(station, dialogue, now)
            self._indicate(dialogue, "answer_last", text, now, farewell=True)
            return
        self._wait_for_application(dialogue, now)
        self._indicate(dialogue, "answer", text, now)

    def _confirm(self, station: MobileStation, _: str, now: float) -> None:
        if not station.notices:
            return
        dialogue = station.notices.popleft()
        if not self._profiles[dialogue.system_id].says("notified"):
            return
        dialogue.unit = (dialogue.unit + 1) & 0x7F
        self._indicate(dialogue, "notified", "", now)

    def _abort(self, station: MobileStation, _: str, now: float) -> None:
        if station.dialogue:
            self._end(station, station.dialogue, now, "abort")

    _UPWARD = {"new": _begin, "answer": _go_on, "notified": _confirm, "abort": _abort}  # noqa: RUF012

    def _indicate(
        self, dialogue: UssdDialogue, kind: IndicationKind, text: str, now: float, farewell: bool = False
    ) -> None:
        profile = self._profiles[dialogue.system_id]
        pdu = profile.indicate(
            dialogue.msisdn, dialogue.service_addr, text, kind, dialogue.session, dialogue.unit
        )
        require_encodable(pdu)
        self.queues[dialogue.system_id].put(pdu, now, dialogue=dialogue, farewell=farewell)

    def _refused(self, system_id: str, delivery: Delivery, status: int, now: float) -> None:
        """The ESME will never take it; a dialogue ends there, and the ESME need not be told."""
        log.warning("%s refused a message of %s with 0x%08x", system_id, delivery.pdu.source_addr, status)
        dialogue = delivery.dialogue
        if dialogue and not dialogue.over:
            dialogue.told = False
            self._expire(dialogue, now)

    def _open(self, station: MobileStation, system_id: str, address: str, now: float) -> UssdDialogue:
        self._owed.take((station.msisdn, system_id), now)
        profile = self._profiles[system_id]
        # Where the name of a dialogue has no number of a phone in it, no two phones may have the same session.
        alone = "source_addr" in profile.file.key
        session = self._next_session(station, system_id) if alone else next(self._sessions)
        until = now + self.settings.total_s
        return UssdDialogue(station.msisdn, system_id, address, session % profile.sessions, now, until)

    def _next_session(self, station: MobileStation, system_id: str) -> int:
        if station.sessions and self.faults.session_reused(system_id, station.msisdn):
            return station.sessions
        return station.next_session()

    def _show(self, station: MobileStation, dialogue: UssdDialogue, outbound: Outbound, now: float) -> None:
        if outbound.kind == "release":
            self._close(station, dialogue, now)
            return
        kind: Incoming = "end" if outbound.ends else "ask" if outbound.kind == "ask" else "notice"
        if kind == "notice":
            station.notices.append(dialogue)
        try:
            effects = station.handset.receive(kind, outbound.text)
        except NoRoom:
            if kind == "notice":
                station.notices.pop()
            raise Rejected(ESME_RX_T_APPN) from None
        dialogue.closes = outbound.last
        if kind == "end":
            dialogue.over, station.dialogue = True, None
        elif kind == "ask" or dialogue is station.dialogue:
            self._wait_for_owner(station, dialogue, now)
        self._apply(station, effects, now)

    def _close(self, station: MobileStation, dialogue: UssdDialogue, now: float) -> None:
        """The dialogue is over without a last screen; both sides know it."""
        dialogue.over, station.dialogue = True, None
        self._apply(station, station.handset.fail(CLOSED), now)

    def _wait_for_application(self, dialogue: UssdDialogue, now: float) -> None:
        dialogue.owed = True
        self._wait(dialogue, now + self.settings.answer_s)

    def _wait_for_owner(self, station: MobileStation, dialogue: UssdDialogue, now: float) -> None:
        station.dialogue, dialogue.told, dialogue.owed = dialogue, True, False
        self._wait(dialogue, now + self.settings.user_s)

    def _wait(self, dialogue: UssdDialogue, until: float) -> None:
        self.stations[dialogue.msisdn].dialogue = dialogue
        dialogue.deadline = min(until, dialogue.opened + self.settings.total_s)
        self._deadlines.note(dialogue, len(self.stations))

    def _time_out(self, dialogue: UssdDialogue, now: float) -> None:
        if not dialogue.owed:
            self.stations[dialogue.msisdn].log.add("timeout", {}, self.wall(now))
        self._expire(dialogue, now)

    def _expire(self, dialogue: UssdDialogue, now: float) -> None:
        """The network gives the dialogue up: the ESME hears of it, the phone shows an error."""
        station = self.stations[dialogue.msisdn]
        self._end(station, dialogue, now, "timeout")
        self._apply(station, station.handset.fail(), now)

    def _end(self, station: MobileStation, dialogue: UssdDialogue, now: float, how: IndicationKind) -> None:
        """End a dialogue; an ESME that knows of it is told, if there is a word for it."""
        dialogue.over = True
        if station.dialogue is dialogue:
            station.dialogue = None
        if not dialogue.told:
            return
        if dialogue.owed:
            self._owed.add((dialogue.msisdn, dialogue.system_id), now + self.settings.answer_s)
        if self._profiles[dialogue.system_id].says(how):
            dialogue.unit = (dialogue.unit + 1) & 0x7F
            try:
                self._indicate(dialogue, how, "", now, farewell=True)
            except QueueFull:
                log.warning("%s: no room to say that a dialogue is over", dialogue.system_id)

    def _forget_one(self) -> None:
        if len(self.stations) < self.settings.max_phones:
            return
        for msisdn, station in self.stations.items():
            if station.forgettable:
                del self.stations[msisdn]
                return
        raise NotPossible(f"all {self.settings.max_phones} phones of this network are in use")
