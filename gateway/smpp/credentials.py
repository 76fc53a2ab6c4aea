"""The SMSC's check of who binds (case S4): in constant time, and with one answer or two for what is wrong."""

import hmac
from collections.abc import Mapping

from gateway.smpp.pdu import Pdu
from gateway.smpp.session import Authenticate
from gateway.smpp.vocabulary import ESME_RBINDFAIL, ESME_RINVPASWD, ESME_RINVSYSID, ESME_ROK


def authenticator(passwords: Mapping[str, str], *, one_answer: bool = False) -> Authenticate:
    """A check of system_id and password against ``passwords`` for ``Session(Role.SMSC, …)``.

    It answers ESME_RINVSYSID or ESME_RINVPASWD; with ``one_answer`` ESME_RBINDFAIL to both, so that nobody learns
    which names exist. An unknown name takes as long as a wrong password.
    """

    def authenticate(bind: Pdu) -> int:
        known = passwords.get(bind.system_id)
        right = hmac.compare_digest(_octets(known or ""), _octets(bind.password))
        if known is not None and right:
            return ESME_ROK
        if one_answer:
            return ESME_RBINDFAIL
        return ESME_RINVSYSID if known is None else ESME_RINVPASWD

    return authenticate


def _octets(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")  # compare_digest takes no other text than ASCII
