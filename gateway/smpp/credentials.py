"""The SMSC's check of who binds (case S4): in constant time, and with one answer or two for what is wrong."""

import hashlib
import hmac
from collections.abc import Callable, Mapping

from gateway.smpp.pdu import BindRequest
from gateway.smpp.vocabulary import ESME_RBINDFAIL, ESME_RINVPASWD, ESME_RINVSYSID, ESME_ROK

Authenticate = Callable[[BindRequest], int]
"""The bind request in, the command_status of its response out; 0 lets the ESME in."""


def authenticator(passwords: Mapping[str, str], *, one_answer: bool = False) -> Authenticate:
    """A check of system_id and password against ``passwords`` for ``Session(Role.SMSC, …)``.

    It answers ESME_RINVSYSID or ESME_RINVPASWD; with ``one_answer`` ESME_RBINDFAIL to both, so that nobody learns
    which names exist. An unknown name takes as long as a wrong password.
    """

    def authenticate(bind: BindRequest) -> int:
        known = passwords.get(bind.system_id)
        right = hmac.compare_digest(_digest(known or ""), _digest(bind.password))
        if known is not None and right:
            return ESME_ROK
        if one_answer:
            return ESME_RBINDFAIL
        return ESME_RINVSYSID if known is None else ESME_RINVPASWD

    return authenticate


def _digest(password: str) -> bytes:
    """Of one length for all, so that the comparison does not tell how long the right one is."""
    return hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest()
