"""Who may bind: first the credentials, then what the account allows. One answer for each reason (Table 5-2)."""

from collections.abc import Callable, Iterable
from typing import Protocol

from gateway.smpp.credentials import authenticator
from gateway.smpp.pdu import BindRequest
from gateway.smpp.vocabulary import ESME_RALYBND, ESME_RBINDFAIL, ESME_ROK
from smpp_sim.settings import Account


class Applicant(Protocol):
    """What admission asks about a connection; `called` names the account that it was opened for by outbind."""

    system_id: str
    host: str
    called: str


class Admission:
    """The rules of all accounts; `connections` tells who is there."""

    def __init__(
        self,
        accounts: Iterable[Account],
        one_bind_error: bool,
        connections: Callable[[], Iterable[Applicant]],
    ):
        self._accounts = {account.system_id: account for account in accounts}
        passwords = {account.system_id: account.password for account in self._accounts.values()}
        self._authenticate = authenticator(passwords, one_answer=one_bind_error)
        self._connections = connections

    def decide(self, applicant: Applicant, bind: BindRequest) -> int:
        """The command_status that a bind is answered with."""
        status = self._authenticate(bind)
        if status:
            return status
        account = self._accounts[bind.system_id]
        kind = bind.name.removeprefix("bind_")
        if kind not in account.binds or not account.allows(applicant.host):
            return ESME_RBINDFAIL
        if applicant.called and (applicant.called != account.system_id or kind == "transmitter"):
            return ESME_RBINDFAIL
        return ESME_RALYBND if self._is_full(account) else ESME_ROK

    def _is_full(self, account: Account) -> bool:
        here = sum(one.system_id == account.system_id for one in self._connections())
        return bool(account.max_sessions) and here >= account.max_sessions
