"""Which ESME a code or a number goes to, and which dialogue a message of an ESME."""

from collections.abc import Iterable

from gateway.dialect import Outbound
from gateway.smpp.vocabulary import ESME_RINVOPTPARAMVAL, ESME_RX_P_APPN, ESME_RX_T_APPN
from smpp_sim.centre.delivery import UssdDialogue
from smpp_sim.centre.sent_sms import Rejected
from smpp_sim.phones.handset import NotPossible
from smpp_sim.settings import Account


def route(accounts: Iterable[Account], code: str) -> str:
    """The system_id of the account that serves this code or number.

    The longest beginning wins, then who serves all the rest. Raises `NotPossible` when nobody does.
    """
    digits = code.lstrip("*#")
    fitting = [(_fit(account, digits), account.system_id) for account in accounts]
    best, system_id = max(fitting, key=lambda fit: fit[0], default=(-1, ""))
    if best < 0:
        raise NotPossible(f"no application serves {code}")
    return system_id


def _fit(account: Account, digits: str) -> int:
    """Digits that the account's beginnings share with these; 0: it serves the rest, -1: it does not serve them."""
    if not account.serves:
        return 0
    starts = [start.lstrip("*#") for start in account.serves]
    return max((len(start) for start in starts if digits.startswith(start)), default=-1)


def dialogue_of(
    open_one: UssdDialogue | None, system_id: str, outbound: Outbound, late: bool = False
) -> UssdDialogue | None:
    """The dialogue that a message belongs to; None when it opens one of its own (network-initiated).

    `open_one` is the phone's. `late`: a dialogue of this ESME died while its answer was awaited, and this may be the
    answer; then it opens nothing. Raises `Rejected` for what belongs nowhere.
    """
    named = outbound.session is not None
    if open_one and open_one.system_id == system_id and _fits(open_one, outbound):
        return open_one
    if named:
        raise Rejected(ESME_RINVOPTPARAMVAL)
    if outbound.push is False or late or outbound.ends:
        raise Rejected(ESME_RX_P_APPN)
    if open_one and outbound.kind == "ask":
        raise Rejected(ESME_RX_T_APPN)
    return None


def _fits(dialogue: UssdDialogue, outbound: Outbound) -> bool:
    """A notice that does not say what it belongs to stands for itself."""
    if outbound.push:
        return False
    if outbound.session is not None:
        return outbound.session == dialogue.session
    return outbound.push is False or outbound.kind != "notify"


class Owed:
    """Whose answer is still awaited although its dialogue is dead: (msisdn, system_id), at most `limit` of them."""

    def __init__(self, limit: int):
        self._limit = limit
        self._until: dict[tuple[str, str], float] = {}

    def add(self, whose: tuple[str, str], until: float) -> None:
        """Expect an answer up to a time. Beyond the limit the oldest one is forgotten."""
        self._until[whose] = until
        if len(self._until) > self._limit:
            del self._until[next(iter(self._until))]

    def take(self, whose: tuple[str, str], now: float) -> bool:
        """Whether an answer was expected; from now on it is not."""
        return now < self._until.pop(whose, now)
