"""The message centre: every SMS of an ESME with its id, its state and its lifetime, until it is on its phone.

An SMS to a phone that is switched off, or one with a schedule, waits; it is delivered when the phone comes back or
the time has come, and expires after its validity. What was sent can be asked for, taken back and replaced while it
waits (SMPP 3.4 §4.8 to §4.10). No I/O and no clock: `now` is a number, and so are `due` and `expires`.
"""

import heapq
import itertools
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from gateway.smpp.fields import SmeAddress
from gateway.smpp.pdu import AlertNotification, DeliverSm
from gateway.smpp.vocabulary import ESME_RCANCELFAIL, ESME_RINVMSGID, ESME_RMSGQFUL, ESME_RREPLACEFAIL
from smpp_sim.centre.delivery import DeliveryQueue, QueueFull
from smpp_sim.centre.messages import (
    ESM_CLASS_DELIVERY_ACK,
    ESM_CLASS_INTERMEDIATE,
    ESM_CLASS_USER_ACK,
    DeliveryReport,
    Submitted,
    alert,
    receipt,
    sme_acknowledgement,
)
from smpp_sim.centre.sent_sms import Copy, MessageState, Rejected, SentSms
from smpp_sim.centre.station import MobileStation, read_msisdn
from smpp_sim.phones.handset import NotPossible
from smpp_sim.settings import NetworkSettings

log = logging.getLogger("starpound.sim")

MAX_REMEMBERED = 10_000
"""Messages that are over and can still be asked for; the oldest goes first."""

UNKNOWN_SUBSCRIBER, ABSENT_SUBSCRIBER = 1, 27
"""The network's error codes (3GPP TS 29.002 §17.6.6)."""

_STORE_AND_FORWARD = (0x00, 0x03)
_DELIVERY_ACK, _USER_ACK, _INTERMEDIATE = 0x04, 0x08, 0x10

_RECEIPT_FOR: Mapping[int, Callable[[MessageState], bool]] = {
    0: lambda state: False,
    1: lambda state: True,
    2: lambda state: state is not MessageState.DELIVERED,
    3: lambda state: state is MessageState.DELIVERED,
}
"""The two lowest bits of registered_delivery (§5.2.17); 3 is reserved there, and means success alone in SMPP 5.0."""


class MessageCentre:
    """All messages of all ESMEs. What goes back to them is put into `queues`; `station` finds a phone."""

    def __init__(
        self,
        queues: Mapping[str, DeliveryQueue],
        station: Callable[[str], MobileStation],
        settings: NetworkSettings,
        wall: Callable[[float], float],
    ):
        self._queues, self._station, self._settings, self._wall = queues, station, settings, wall
        self._messages: dict[str, SentSms] = {}
        self._over: deque[str] = deque()
        self._waiting: dict[str, dict[Copy, None]] = {}
        self._waiting_count = 0
        self._times: list[tuple[float, int, Copy]] = []
        self._numbers = itertools.count(1)
        self._tie = itertools.count()

    # --- what ESMEs do ----------------------------------------------------------------------------------------

    def submit(
        self,
        system_id: str,
        sms: Submitted,
        to: Iterable[SmeAddress],
        now: float,
        due: float = 0.0,
        expires: float | None = None,
    ) -> SentSms:
        """Take a message in and try to deliver it, unless it is not due yet. `expires`: None is what the settings say.

        Raises `NotAnMsisdn` for the first recipient that is none, `NotPossible`, and `Rejected` when too many wait.
        """
        if self._waiting_count >= self._settings.max_waiting:
            raise Rejected(ESME_RMSGQFUL)
        if expires is None:
            expires = max(now, due) + self._settings.sms_validity_s
        message = SentSms(self._new_id(), system_id, sms, now, due, expires)
        message.copies = [Copy(message, address, read_msisdn(address.destination_addr)) for address in to]
        for copy in message.copies:
            self._station(copy.msisdn)  # raises NotPossible before anything has happened
        self._messages[message.message_id] = message
        for copy in message.copies:
            self._wait(copy)
            self._try(copy, now)
        return message

    def note_screen(self, system_id: str, source: str, now: float) -> str:
        """The id of a message that was no SMS and is on its phone already."""
        sms = Submitted(source, 0, 0, b"", "gsm7", None)
        message = SentSms(self._new_id(), system_id, sms, now, now, now, is_screen=True)
        message.copies = [Copy(message, SmeAddress(), "", MessageState.DELIVERED, final=self._wall(now))]
        self._messages[message.message_id] = message
        self._remember(message)
        return message.message_id

    def query(self, system_id: str, message_id: str, source: str) -> SentSms:
        """A message of this ESME. Raises `Rejected` when there is none, or none from this source."""
        message = self._find(system_id, message_id, source)
        if message is None:
            raise Rejected(ESME_RINVMSGID)
        return message

    def cancel(self, system_id: str, message_id: str, source: str, now: float) -> None:
        """Take a message back from the phones that do not have it. Raises `Rejected` when all do."""
        message = self._find(system_id, message_id, source)
        self._delete(message.waiting if message else [], now)

    def cancel_all(
        self, system_id: str, service_type: str, source: str, destination: str, now: float
    ) -> None:
        """Take back what waits for this phone from this source (§4.9.1). Raises `Rejected` when nothing does."""
        self._delete(self._matching(system_id, service_type, source, destination), now)

    def replace_present(
        self, system_id: str, service_type: str, source: str, destination: str, now: float
    ) -> None:
        """Make room for a message that takes the place of those that wait (replace_if_present_flag, §5.2.18)."""
        for copy in self._matching(system_id, service_type, source, destination):
            self._finish(copy, MessageState.DELETED, now)

    def replace(
        self,
        system_id: str,
        message_id: str,
        source: str,
        octets: bytes,
        registered_delivery: int,
        now: float,
        due: float | None = None,
        expires: float | None = None,
    ) -> None:
        """Another text for a message that waits; times that are None stay. Raises `Rejected` when none waits."""
        message = self._find(system_id, message_id, source)
        if message is None or not message.waiting:
            raise Rejected(ESME_RREPLACEFAIL)
        message.sms = replace(
            message.sms, octets=octets, registered_delivery=registered_delivery, part=None, national=None
        )
        message.due = message.due if due is None else due
        message.expires = message.expires if expires is None else expires
        for copy in message.waiting:
            self._try(copy, now)

    # --- what happens to phones -------------------------------------------------------------------------------

    def phone_is_on(self, station: MobileStation, now: float) -> None:
        """A phone was switched on: what waits for it arrives, and ESMEs that asked for it are told."""
        for copy in list(self._waiting.get(station.msisdn, ())):
            self._try(copy, now)
        for (system_id, _), sms in station.take_alerts():
            self._tell(system_id, alert(station.msisdn, sms), now)

    def read(self, station: MobileStation, now: float) -> None:
        """The owner has read what is in the phone; senders that asked for it are told."""
        while station.unread:
            self._acknowledge(station.unread.popleft(), ESM_CLASS_USER_ACK, "read", now)

    # --- what testers do --------------------------------------------------------------------------------------

    def messages(self) -> Iterator[SentSms]:
        """All that are known, newest first; USSD screens are not among them."""
        return (message for message in reversed(self._messages.values()) if not message.is_screen)

    def message(self, message_id: str) -> SentSms | None:
        """The message with this id."""
        message = self._messages.get(message_id)
        return None if message is None or message.is_screen else message

    def settle(self, message: SentSms, state: MessageState, now: float) -> None:
        """Have a message that waits end like this. Raises `NotPossible` when it has ended already."""
        if not message.waiting:
            raise NotPossible(f"message {message.message_id} is {message.summary.state.name} already")
        for copy in message.waiting:
            self._finish(copy, state, now)

    # --- time -------------------------------------------------------------------------------------------------

    def deadline(self) -> float | None:
        """When `on_deadline` is due; None: nothing waits."""
        return self._times[0][0] if self._times else None

    def on_deadline(self, now: float) -> None:
        """Deliver what is due, give up what is too old."""
        while self._times and self._times[0][0] <= now:
            _, _, copy = heapq.heappop(self._times)
            if copy.state is MessageState.ENROUTE:
                self._try(copy, now)

    # --- inside -----------------------------------------------------------------------------------------------

    def _new_id(self) -> str:
        """Eight octets, which fit peers of any version (SMPP 3.4 §3.5.1 on version 3.3)."""
        return f"{next(self._numbers) & 0xFFFFFFFF:08x}"

    def _find(self, system_id: str, message_id: str, source: str) -> SentSms | None:
        """The message, if it is this ESME's; a source that is given has to be the right one."""
        message = self._messages.get(message_id)
        if message is None or message.system_id != system_id:
            return None
        return message if not source or source == message.sms.sender else None

    def _matching(self, system_id: str, service_type: str, source: str, destination: str) -> list[Copy]:
        waiting = self._waiting.get(destination.removeprefix("+"), ())
        return [
            copy
            for copy in waiting
            if copy.message.system_id == system_id
            and copy.message.sms.sender == source
            and service_type in ("", copy.message.sms.service_type)
        ]

    def _delete(self, copies: list[Copy], now: float) -> None:
        if not copies:
            raise Rejected(ESME_RCANCELFAIL)
        for copy in copies:
            self._finish(copy, MessageState.DELETED, now)

    def _wait(self, copy: Copy) -> None:
        self._waiting.setdefault(copy.msisdn, {})[copy] = None
        self._waiting_count += 1

    def _try(self, copy: Copy, now: float) -> None:
        """Deliver it if that can be; if not, see to it that it is tried again."""
        message = copy.message
        if now >= message.expires:
            self._finish(copy, MessageState.EXPIRED, now, ABSENT_SUBSCRIBER if copy.tried else 0)
        elif now < message.due:
            self._set_times(copy, now)
        elif copy.msisdn.startswith(self._settings.unknown_numbers):
            self._finish(copy, MessageState.UNDELIVERABLE, now, UNKNOWN_SUBSCRIBER)
        else:
            self._attempt(copy, now)

    def _attempt(self, copy: Copy, now: float) -> None:
        try:
            station = self._station(copy.msisdn)
        except NotPossible as problem:
            log.warning("message %s: %s", copy.message.message_id, problem)
            self._finish(copy, MessageState.UNDELIVERABLE, now)
            return
        if station.on:
            self._deliver(copy, station, now)
        else:
            self._miss(copy, station, now)

    def _deliver(self, copy: Copy, station: MobileStation, now: float) -> None:
        sms, wall = copy.message.sms, self._wall(now)
        complete = station.inbox.receive(sms.sender, sms.octets, sms.alphabet, sms.part, wall, sms.national)
        if complete:
            station.note_sms(complete, wall)
        self._finish(copy, MessageState.DELIVERED, now)
        if sms.registered_delivery & _DELIVERY_ACK:
            self._acknowledge(copy, ESM_CLASS_DELIVERY_ACK, "delivered", now)
        if sms.registered_delivery & _USER_ACK:
            station.unread.append(copy)

    def _miss(self, copy: Copy, station: MobileStation, now: float) -> None:
        """The phone is off."""
        message = copy.message
        if message.sms.wants_alert:
            message.alert_is_set = station.add_alert(message.system_id, message.sms)
        if message.sms.mode not in _STORE_AND_FORWARD:
            self._finish(copy, MessageState.UNDELIVERABLE, now, ABSENT_SUBSCRIBER)
            return
        if not copy.tried and message.sms.registered_delivery & _INTERMEDIATE:
            self._report(copy, now, ABSENT_SUBSCRIBER, ESM_CLASS_INTERMEDIATE)
        copy.tried = True
        self._set_times(copy, now)

    def _finish(self, copy: Copy, state: MessageState, now: float, error: int = 0) -> None:
        copy.state, copy.error, copy.final = state, error, self._wall(now)
        self._waiting_count -= 1
        of_phone = self._waiting[copy.msisdn]
        del of_phone[copy]
        if not of_phone:
            del self._waiting[copy.msisdn]
        if _RECEIPT_FOR[copy.message.sms.registered_delivery & 0x03](state):
            self._report(copy, now, error)
        if not copy.message.waiting:
            self._remember(copy.message)

    def _remember(self, message: SentSms) -> None:
        self._over.append(message.message_id)
        if len(self._over) > MAX_REMEMBERED:
            self._messages.pop(self._over.popleft(), None)

    def _report(self, copy: Copy, now: float, error: int, *kind: int) -> None:
        message = copy.message
        outcome = DeliveryReport(
            message.message_id, copy.state, error, self._wall(message.submitted), self._wall(now)
        )
        self._tell(message.system_id, receipt(message.sms, copy.to, outcome, *kind), now)

    def _acknowledge(self, copy: Copy, kind: int, text: str, now: float) -> None:
        message = copy.message
        self._tell(message.system_id, sme_acknowledgement(message.sms, copy.to, kind, text), now)

    def _tell(self, system_id: str, pdu: DeliverSm | AlertNotification, now: float) -> None:
        try:
            self._queues[system_id].put(pdu, now, now + self._settings.sms_validity_s)
        except QueueFull:
            log.warning("%s: no room for a %s", system_id, pdu.name)

    def _set_times(self, copy: Copy, now: float) -> None:
        for entry in self._times_of(copy, now):
            heapq.heappush(self._times, entry)
        if len(self._times) > 1000 + 4 * self._waiting_count:  # mostly of messages that are over
            live = {copy for _, _, copy in self._times if copy.state is MessageState.ENROUTE}
            self._times = [entry for copy in live for entry in self._times_of(copy, now)]
            heapq.heapify(self._times)

    def _times_of(self, copy: Copy, now: float) -> list[tuple[float, int, Copy]]:
        times = {copy.message.due, copy.message.expires}
        return [(when, next(self._tie), copy) for when in times if when > now]
