"""What the centre answers to each request of an ESME. Pure: a request in, its response out."""

import logging
import time
from collections.abc import Callable

from gateway.dialect import DialectError
from gateway.smpp.fields import SmeAddress, UnsuccessfulSme
from gateway.smpp.pdu import CancelSm, DataSm, Pdu, QuerySm, ReplaceSm, SubmitMulti, SubmitSm
from gateway.smpp.vocabulary import (
    ESME_RCANCELFAIL,
    ESME_RINVCMDID,
    ESME_RINVDSTADR,
    ESME_RINVMSGID,
    ESME_RINVOPTPARAMVAL,
    ESME_RMSGQFUL,
    ESME_RREPLACEFAIL,
    ESME_RSYSERR,
)
from smpp_sim.handset import NotPossible
from smpp_sim.messages import DELIVERED, read_sms
from smpp_sim.network import Network, Rejected
from smpp_sim.station import NotAnMsisdn

log = logging.getLogger("starpound.sim")


def respond(network: Network, system_id: str, pdu: Pdu, now: float) -> Pdu:
    """The response to any request; whatever goes wrong inside becomes a status."""
    answer = _ANSWERS.get(type(pdu), _not_offered)
    try:
        return answer(network, system_id, pdu, now)
    except Rejected as problem:
        return pdu.respond(problem.status)
    except NotAnMsisdn:
        return pdu.respond(ESME_RINVDSTADR)
    except DialectError as problem:
        log.warning("%s: %s", system_id, problem)
        return pdu.respond(ESME_RINVOPTPARAMVAL)
    except NotPossible as problem:
        log.warning("%s: %s", system_id, problem)
        return pdu.respond(ESME_RMSGQFUL)
    except Exception:
        log.exception("%s of %s", pdu.name, system_id)
        return pdu.respond(ESME_RSYSERR)


def _submit(network: Network, system_id: str, pdu: SubmitSm, now: float) -> Pdu:
    outbound = network.profile(system_id).interpret(pdu)
    if outbound is not None:
        return pdu.respond(message_id=network.screen(system_id, outbound, pdu.source_addr, now))
    return pdu.respond(message_id=network.message(system_id, read_sms(pdu, pdu.destination_addr), now))


def _data(network: Network, system_id: str, pdu: DataSm, now: float) -> Pdu:
    return pdu.respond(message_id=network.message(system_id, read_sms(pdu, pdu.destination_addr), now))


def _submit_multi(network: Network, system_id: str, pdu: SubmitMulti, now: float) -> Pdu:
    """One message to many; the message id is that of the last recipient who got it."""
    message_id, failed = "", []
    for recipient in pdu.dest_addresses:
        try:
            if not isinstance(recipient, SmeAddress):
                raise NotAnMsisdn("there are no distribution lists here")
            sms = read_sms(pdu, recipient.destination_addr)
            message_id = network.message(system_id, sms, now)
        except NotAnMsisdn:
            address = recipient.destination_addr if isinstance(recipient, SmeAddress) else ""
            failed.append(UnsuccessfulSme(0, 0, address, ESME_RINVDSTADR))
    return pdu.respond(message_id=message_id, unsuccess_smes=failed)


def _query(network: Network, _: str, pdu: QuerySm, now: float) -> Pdu:
    at = network.delivered_at(pdu.message_id)
    if at is None:
        return pdu.respond(ESME_RINVMSGID)
    final = time.strftime("%y%m%d%H%M%S000+", time.gmtime(at))  # absolute time, tenths and UTC (§7.1.1)
    return pdu.respond(message_id=pdu.message_id, final_date=final, message_state=DELIVERED)


def _cancel(network: Network, _: str, pdu: CancelSm, now: float) -> Pdu:
    """What was accepted is on the phone already."""
    return pdu.respond(ESME_RCANCELFAIL)


def _replace(network: Network, _: str, pdu: ReplaceSm, now: float) -> Pdu:
    return pdu.respond(ESME_RREPLACEFAIL)


def _not_offered(network: Network, _: str, pdu: Pdu, now: float) -> Pdu:
    return pdu.respond(ESME_RINVCMDID)


_ANSWERS: dict[type[Pdu], Callable[[Network, str, Pdu, float], Pdu]] = {
    SubmitSm: _submit,
    DataSm: _data,
    SubmitMulti: _submit_multi,
    QuerySm: _query,
    CancelSm: _cancel,
    ReplaceSm: _replace,
}
