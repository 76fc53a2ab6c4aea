"""A phone with everything that the network keeps about it: display, inbox, log of events, its one dialogue."""

import re
from collections import deque
from dataclasses import dataclass, field

from smpp_sim.centre.delivery import UssdDialogue
from smpp_sim.centre.messages import Submitted
from smpp_sim.centre.sent_sms import Copy
from smpp_sim.phones.events import EventLog
from smpp_sim.phones.facts import screen_facts, sms_facts
from smpp_sim.phones.handset import DisplayState, Effect, Handset, Shown, ToNetwork
from smpp_sim.phones.inbox import Sms, SmsInbox

MAX_ALERTS = 100
"""Senders that are told when a phone is back; a further one is not."""
MAX_UNREAD = 100
"""Messages whose senders can still be told that they were read."""

_MSISDN = re.compile(r"\+?([0-9]{3,15})")


class NotAnMsisdn(Exception):
    """Something given for a phone number that is none; one clear sentence."""


def read_msisdn(text: str) -> str:
    """The digits of a phone number, 3 to 15 of them (ITU-T E.164), a ``+`` left out. Raises `NotAnMsisdn`."""
    found = _MSISDN.fullmatch(text)
    if not found:
        raise NotAnMsisdn(f"{text[:30]!r} is no phone number: write 3 to 15 digits, as in 79260000003")
    return found[1]


@dataclass(slots=True, eq=False)
class MobileStation:
    """One phone on the network (a *mobile station*, in the words of the specifications).

    `dialogue` is the one that is open; `notices` the notices on the display that are not yet confirmed; `unread` the
    SMS whose senders want to hear that they were read; `alerts` who wants to hear that the phone is back.
    """

    msisdn: str
    handset: Handset
    inbox: SmsInbox = field(default_factory=SmsInbox)
    log: EventLog = field(default_factory=EventLog)
    dialogue: UssdDialogue | None = None
    notices: deque[UssdDialogue] = field(default_factory=deque)
    unread: deque[Copy] = field(default_factory=lambda: deque(maxlen=MAX_UNREAD))
    alerts: dict[tuple[str, str], Submitted] = field(default_factory=dict)
    sessions: int = 0
    references: int = 0

    @property
    def on(self) -> bool:
        """Whether the phone is switched on."""
        return self.handset.state is not DisplayState.OFF

    def add_alert(self, system_id: str, sms: Submitted) -> bool:
        """Note that the sender of `sms` wants to hear when the phone is back; False when too many do."""
        known = (system_id, sms.sender) in self.alerts
        if not known and len(self.alerts) >= MAX_ALERTS:
            return False
        self.alerts[system_id, sms.sender] = sms
        return True

    def take_alerts(self) -> list[tuple[tuple[str, str], Submitted]]:
        """Who is to be told that the phone is back, this one time."""
        alerts = list(self.alerts.items())
        self.alerts.clear()
        return alerts

    @property
    def forgettable(self) -> bool:
        """Whether nobody would notice, except that its inbox is gone."""
        return self.handset.state is DisplayState.IDLE and self.dialogue is None and not self.log.watchers

    def next_session(self) -> int:
        """A number for a dialogue, 0–255 in turn."""
        self.sessions = (self.sessions + 1) & 0xFF
        return self.sessions

    def next_reference(self) -> int:
        """A number for a long SMS, 0–255 in turn."""
        self.references = (self.references + 1) & 0xFF
        return self.references

    def note_deeds(self, effects: list[Effect], at: float) -> None:
        """Log what its owner has sent: an event ``answered`` or ``cancelled``, before what either brings about."""
        for effect in effects:
            match effect:
                case ToNetwork("answer", text):
                    self.log.add("answered", {"text": text}, at)
                case ToNetwork("abort"):
                    self.log.add("cancelled", {}, at)

    def note_shown(self, shown: Shown, at: float) -> None:
        """Log what the display shows: an event ``running`` or ``screen``."""
        if shown.kind == "running":
            self.log.add("running", {"code": shown.text}, at)
        else:
            self.log.add("screen", screen_facts(shown), at)

    def note_hidden(self, at: float) -> None:
        """Log that a box waits behind the one on the display: an event ``hidden``."""
        self.log.add("hidden", {"hidden": len(self.handset.hidden)}, at)

    def note_sms(self, sms: Sms, at: float) -> None:
        """Log an SMS that is complete: an event ``sms``."""
        self.log.add("sms", sms_facts(sms), at)
