"""What the ESME does wrong in a scenario, judged by what passes between it and the centre.

Where the centre itself was at fault, the ESME is given the benefit of it: what had no answer, or a late one, may be
sent again; each copy of a dialled code may be answered; what crosses an end of the network on the wire is no mistake.
No I/O; the clock is the caller's.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.dialect import DialectError, Profile
from gateway.smpp.pdu import DataSm, DeliverSm, Pdu, SubmitSm
from gateway.smpp.vocabulary import ESM_CLASS_TYPE_MASK, ESME_RMSGQFUL, ESME_ROK, ESME_RTHROTTLED

WRONGS: Mapping[str, str] = {
    "answered_twice": "answered a turn that was answered, and confirmed, already",
    "answered_closed": "answered a dialogue that it had ended itself",
    "sms_twice": "sent an SMS again that was confirmed, and nobody had asked for another",
    "sms_lost": "did not send the SMS that was asked for",
    "not_answered": "took a turn and never answered it",
    "not_retried": "did not send again what was throttled, or had no response",
    "exceeded_window": "had more requests under way than the centre allows",
    "not_reconnected": "did not bind again in time",
}
"""The mistakes, in words."""

MAX_WRONGS_TOLD = 20
"""Mistakes that are told one by one."""

_LATE_S = 1.0
"""A response that comes later may find an ESME that has given it up."""
_PATIENCE_S = 12.0
"""A screen that was lost or throttled so long ago should have come again."""
_BUSY = (ESME_RTHROTTLED, ESME_RMSGQFUL)
_MESSAGES = (DeliverSm, SubmitSm, DataSm)
_Body = tuple[str, bytes]


@dataclass(slots=True)
class _Phone:
    """One ESME and one phone. `entitled`: answers to turns that the ESME may still give; `credit`: how often it may say
    something again.
    """

    entitled: int = 0
    key: str = ""
    last_turn: tuple[str, int | None] | None = None
    finished: bool = False
    messages: int = 0
    under_way: Counter[_Body] = field(default_factory=Counter)
    credit: Counter[_Body] = field(default_factory=Counter)
    confirmed: dict[_Body, int] = field(default_factory=dict)
    again: dict[_Body, tuple[bool, float]] = field(default_factory=dict)
    """What has to be sent again: whether it is a screen, and since when."""
    refused: bool = False


class Judge:
    """Told of everything that passes. `wrong` counts mistakes by kind, `examples` tells of the first ones.

    `profile` finds the dialect of an account, `peer_window` is the centre's.
    """

    def __init__(self, profile: Callable[[str], Profile], peer_window: int, clock: Callable[[], float]):
        self.wrong: Counter[str] = Counter()
        self.examples: list[str] = []
        self._profile, self._peer_window, self._clock = profile, peer_window, clock
        self._phones: dict[tuple[str, str], _Phone] = {}
        self._touched: dict[str, float] = {}
        self._all_touched = -1.0

    # --- told by the links ------------------------------------------------------------------------------------

    def delivered(self, account: str, pdu: Pdu, copy: bool = False) -> None:
        """A message of a phone left for the ESME; `copy`: once more, without a reason."""
        if not isinstance(pdu, _MESSAGES) or pdu.esm_class & ESM_CLASS_TYPE_MASK:
            return
        phone = self._phone(account, pdu.source_addr)
        phone.messages += 1
        profile = self._profile(account)
        if not profile.is_ussd(pdu):
            return
        inbound = profile.read(pdu)
        turn = (inbound.key, inbound.unit)
        match type(inbound.turn).__name__:
            case "Begin":
                late = phone.under_way.total() + phone.credit.total() + 1  # of the dialogue before
                phone.entitled = min(phone.entitled, late) + 1
                phone.finished = False
                phone.key = inbound.key
            case "Answer" if phone.finished or inbound.key != phone.key:
                phone.entitled += 1  # to say that there is no such dialogue any more
            case "Answer" if not copy and (inbound.unit is None or turn != phone.last_turn):
                phone.entitled += 1
        if not copy:
            phone.last_turn = turn

    def asked(self, account: str, pdu: Pdu, outstanding: int) -> None:
        """A request of the ESME has come; `outstanding` of its requests have no response now."""
        if outstanding > self._peer_window:
            self._note("exceeded_window", account, f"{outstanding} of {self._peer_window}")
        if not isinstance(pdu, _MESSAGES):
            return
        phone, body, screen = (
            self._phone(account, pdu.destination_addr),
            _body(pdu),
            self._is_answer(account, pdu),
        )
        phone.again.pop(body, None)
        if not phone.under_way[body]:
            if screen and phone.entitled <= 0:
                self._find_credit(
                    phone, body, account, "answered_closed" if phone.finished else "answered_twice"
                )
            elif screen is None and phone.confirmed.get(body) == phone.messages:
                self._find_credit(phone, body, account, "sms_twice")
        phone.under_way[body] += 1

    def answered(self, account: str, pdu: Pdu, status: int, held_s: float) -> None:
        """The response has left, `held_s` seconds after the request came."""
        if not isinstance(pdu, _MESSAGES):
            return
        phone, body, screen = (
            self._phone(account, pdu.destination_addr),
            _body(pdu),
            self._is_answer(account, pdu),
        )
        if status in _BUSY:
            self._owe(phone, body, screen)
            return
        phone.under_way[body] -= 1
        if status == ESME_ROK and held_s > _LATE_S:
            phone.credit[body] += 1
            return
        if screen:
            phone.entitled = max(phone.entitled - 1, 0)
            phone.finished = screen == "finish"
        elif screen is None:
            phone.confirmed[body] = phone.messages
        phone.refused |= status != ESME_ROK

    def unanswered(self, account: str, pdu: Pdu) -> None:
        """The ESME will never have a response to this."""
        if isinstance(pdu, _MESSAGES):
            phone = self._phone(account, pdu.destination_addr)
            self._owe(phone, _body(pdu), self._is_answer(account, pdu))

    def may_come_again(self, account: str, pdu: Pdu) -> None:
        """It is answered, but perhaps the ESME does not know."""
        if isinstance(pdu, _MESSAGES):
            self._phone(account, pdu.destination_addr).credit[_body(pdu)] += 1

    def too_many(self, account: str) -> None:
        """The centre has refused a request because the window was full."""
        self._note("exceeded_window", account, "refused")

    # --- told by the faults and by the run --------------------------------------------------------------------

    def touch(self, msisdn: str) -> None:
        """A fault has hit a message of this phone: what becomes of its dialogue is not the ESME's doing alone."""
        self._touched[msisdn] = self._clock()

    def touch_all(self) -> None:
        """A fault has hit everybody."""
        self._all_touched = self._clock()

    def touched(self, msisdn: str, since: float) -> bool:
        """Whether a fault has hit this phone since then."""
        return max(self._all_touched, self._touched.get(msisdn, -1.0)) >= since

    def timed_out(self, msisdn: str, since: float) -> None:
        """A subscriber has waited for a screen in vain, in a visit that began then."""
        waiting = [
            (account, phone)
            for (account, number), phone in self._phones.items()
            if number == msisdn and any(self._overdue(phone))
        ]
        for account, phone in waiting:
            self._note("not_retried", account, msisdn)
            phone.again = {body: owed for body, owed in phone.again.items() if not owed[0]}
        if not waiting and not self.touched(msisdn, since):
            self._note("not_answered", "", msisdn)

    def sms_missing(self, msisdn: str) -> None:
        """An SMS that a subscriber has asked for has not come."""
        mine = [phone for (_, number), phone in self._phones.items() if number == msisdn]
        if not any(phone.refused or phone.again for phone in mine):
            self._note("sms_lost", "", msisdn)

    def not_reconnected(self, account: str) -> None:
        """The ESME could have bound, and has not."""
        self._note("not_reconnected", account, "")

    @property
    def unsettled(self) -> int:
        """SMS that have to be sent again."""
        return sum(not screen for phone in self._phones.values() for screen, _ in phone.again.values())

    def finish(self) -> None:
        """Nothing more will come."""
        for (account, msisdn), phone in self._phones.items():
            for screen, _ in phone.again.values():
                if not screen:
                    self._note("not_retried", account, msisdn)

    # --- inside -----------------------------------------------------------------------------------------------

    def _phone(self, account: str, address: str) -> _Phone:
        return self._phones.setdefault((account, address.removeprefix("+")), _Phone())

    def _is_answer(self, account: str, pdu: Any) -> str | None:
        """ask or finish, for the answer to a turn; None for an SMS; empty for what opens something of its own."""
        try:
            outbound = self._profile(account).interpret(pdu)
        except DialectError:
            return ""
        if outbound is None:
            return None
        own = outbound.push or outbound.kind not in ("ask", "finish")
        return "" if own else "finish" if outbound.ends else "ask"

    def _owe(self, phone: _Phone, body: _Body, screen: str | None) -> None:
        phone.under_way[body] -= 1
        phone.credit[body] += 1
        phone.again[body] = (bool(screen), self._clock())

    def _overdue(self, phone: _Phone) -> list[bool]:
        """Screens that should have been sent again by now."""
        return [
            screen for screen, since in phone.again.values() if screen and since < self._clock() - _PATIENCE_S
        ]

    def _find_credit(self, phone: _Phone, body: _Body, account: str, wrong: str) -> None:
        if phone.credit[body]:
            phone.credit[body] -= 1
        else:
            self._note(wrong, account, body[0])

    def _note(self, kind: str, account: str, what: str) -> None:
        self.wrong[kind] += 1
        if len(self.examples) < MAX_WRONGS_TOLD:
            self.examples.append(" ".join(filter(None, (kind, account, what))))


def _body(pdu: Any) -> _Body:
    """What a message is known by when it comes again."""
    octets = b"".join(tag.to_bytes(2, "big") + value for tag, value in sorted(pdu.tlvs.items()))
    text = b"" if isinstance(pdu, DataSm) else pdu.short_message
    return pdu.destination_addr, text + octets
