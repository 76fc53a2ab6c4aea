"""What the centre answers to each request. Pure: a request in, its response out; statuses as in Table 5-2."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gateway.dialect import DialectError, Message
from gateway.smpp.fields import DistributionList, SmeAddress, UnsuccessfulSme
from gateway.smpp.pdu import CancelSm, DataSm, DeliverSm, Pdu, QuerySm, ReplaceSm, SubmitMulti, SubmitSm
from gateway.smpp.vocabulary import (
    ESME_RDELIVERYFAILURE,
    ESME_RINVCMDID,
    ESME_RINVDSTADR,
    ESME_RINVNUMDESTS,
    ESME_RINVOPTPARAMVAL,
    ESME_RMSGQFUL,
    ESME_ROK,
    ESME_RSUBMITFAIL,
    ESME_RSYSERR,
    STATUS_CODES,
    TLV_TAGS,
)
from smpp_sim.centre.messages import Submitted, read_sms, recipient
from smpp_sim.centre.network import Network
from smpp_sim.centre.sent_sms import MessageState, Rejected, SentSms
from smpp_sim.centre.station import NotAnMsisdn, read_msisdn
from smpp_sim.centre.wire_time import TimeError, read_time, write_time
from smpp_sim.phones.handset import NotPossible

log = logging.getLogger("starpound.sim")

ESME_RINVPRTFLG = STATUS_CODES["ESME_RINVPRTFLG"]
ESME_RINVREGDLVFLG = STATUS_CODES["ESME_RINVREGDLVFLG"]
ESME_RINVDLNAME = STATUS_CODES["ESME_RINVDLNAME"]
ESME_RINVREPFLAG = STATUS_CODES["ESME_RINVREPFLAG"]
ESME_RINVSCHED = STATUS_CODES["ESME_RINVSCHED"]
ESME_RINVEXPIRY = STATUS_CODES["ESME_RINVEXPIRY"]
ESME_RINVDFTMSGID = STATUS_CODES["ESME_RINVDFTMSGID"]

_DPF_RESULT = TLV_TAGS["dpf_result"]
_FAILURE_REASON = TLV_TAGS["delivery_failure_reason"]
_TRANSACTION = 0x02
_MOST_RECIPIENTS = 254
_RECEIPT_BITS = 0x13


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


# --- messages -----------------------------------------------------------------------------------------------------


def _submit(network: Network, system_id: str, pdu: Message, now: float) -> Pdu:
    outbound = network.profile(system_id).interpret(pdu)
    if outbound is not None:
        return pdu.respond(message_id=network.screen(system_id, outbound, pdu.source_addr, now))
    message = _send(network, system_id, pdu, [recipient(pdu)], now)
    failed = message.sms.mode == _TRANSACTION and message.summary.state is MessageState.UNDELIVERABLE
    if isinstance(pdu, DataSm):
        status = ESME_RDELIVERYFAILURE if failed else ESME_ROK
        return pdu.respond(status, message_id=message.message_id, tlvs=_data_tlvs(message, failed))
    if failed:  # without an id (§4.4.2)
        return pdu.respond(ESME_RDELIVERYFAILURE)
    return pdu.respond(message_id=message.message_id)


def _deliver(network: Network, system_id: str, pdu: DeliverSm, now: float) -> Pdu:
    """From an SMSC when the centre is the ESME; no id goes back (§4.6.2), so that no receipt could name it."""
    wishes = pdu.registered_delivery & ~_RECEIPT_BITS
    response = _submit(network, system_id, replace(pdu, registered_delivery=wishes), now)
    return pdu.respond(response.command_status)


def _submit_multi(network: Network, system_id: str, pdu: SubmitMulti, now: float) -> Pdu:
    """One message to many, under one id; the response names those that were not even tried."""
    if not 1 <= len(pdu.dest_addresses) <= _MOST_RECIPIENTS:
        raise Rejected(ESME_RINVNUMDESTS)
    good, failed = _sort_out(network, pdu.dest_addresses)
    if not good:
        return pdu.respond(ESME_RSUBMITFAIL, unsuccess_smes=failed)
    message = _send(network, system_id, pdu, good, now)
    return pdu.respond(message_id=message.message_id, unsuccess_smes=failed)


def _sort_out(
    network: Network, to: list[SmeAddress | DistributionList]
) -> tuple[list[SmeAddress], list[UnsuccessfulSme]]:
    """Who can be sent to, with the members of lists, and who cannot."""
    good: list[SmeAddress] = []
    failed: list[UnsuccessfulSme] = []
    for one in to:
        if isinstance(one, DistributionList):
            members = network.settings.distribution_lists.get(one.dl_name)
            if members is None:
                failed.append(UnsuccessfulSme(0, 0, one.dl_name, ESME_RINVDLNAME))
            else:
                good += [SmeAddress(1, 1, member) for member in members]
        elif _is_msisdn(one.destination_addr):
            good.append(one)
        else:
            ton, npi = one.dest_addr_ton, one.dest_addr_npi
            failed.append(UnsuccessfulSme(ton, npi, one.destination_addr, ESME_RINVDSTADR))
    return good, failed


def _is_msisdn(address: str) -> bool:
    try:
        read_msisdn(address)
    except NotAnMsisdn:
        return False
    return True


def _send(
    network: Network, system_id: str, pdu: Message | SubmitMulti, to: list[SmeAddress], now: float
) -> SentSms:
    sms = read_sms(pdu)
    _check_flags(pdu)
    due, expires = _times(network, pdu, now)
    for address in to:
        read_msisdn(address.destination_addr)
    if _replaces(pdu):
        _make_room(network, system_id, sms, to, now)
    return network.sms.submit(system_id, sms, to, now, due or 0.0, expires)


def _replaces(pdu: Message | SubmitMulti) -> bool:
    return not isinstance(pdu, DataSm) and pdu.replace_if_present_flag == 1


def _make_room(network: Network, system_id: str, sms: Submitted, to: list[SmeAddress], now: float) -> None:
    for address in to:
        network.sms.replace_present(system_id, sms.service_type, sms.sender, address.destination_addr, now)


def _check_flags(pdu: Message | SubmitMulti) -> None:
    """Raises `Rejected` for values that the specification reserves (§5.2.14, §5.2.17, §5.2.18, §5.2.20)."""
    if pdu.registered_delivery > 0x1F:
        raise Rejected(ESME_RINVREGDLVFLG)
    if isinstance(pdu, DataSm):
        return
    if pdu.priority_flag > 3:
        raise Rejected(ESME_RINVPRTFLG)
    if pdu.replace_if_present_flag > 1:
        raise Rejected(ESME_RINVREPFLAG)
    if pdu.sm_default_msg_id:
        raise Rejected(ESME_RINVDFTMSGID)


def _times(
    network: Network, pdu: Message | SubmitMulti | ReplaceSm, now: float
) -> tuple[float | None, float | None]:
    """schedule_delivery_time and validity_period as the centre's seconds; None for one that is not given."""
    if isinstance(pdu, DataSm):
        return None, None
    due = _when(network, pdu.schedule_delivery_time, now, ESME_RINVSCHED)
    expires = _when(network, pdu.validity_period, now, ESME_RINVEXPIRY)
    if expires is not None and expires <= max(now, due or now):
        raise Rejected(ESME_RINVEXPIRY)
    return due, expires


def _when(network: Network, text: str, now: float, status: int) -> float | None:
    wall = network.wall(now)
    try:
        moment = read_time(text, wall)
    except TimeError as problem:
        log.warning("%s", problem)
        raise Rejected(status) from None
    return None if moment is None else now + (moment - wall)


def _data_tlvs(message: SentSms, failed: bool) -> dict[int, bytes]:
    """What data_sm_resp says beside the status (§4.7.2)."""
    tlvs = {_DPF_RESULT: bytes([message.alert_is_set])} if message.sms.wants_alert else {}
    if failed:
        tlvs[_FAILURE_REASON] = b"\x00"  # destination unavailable (§5.3.2.33)
    return tlvs


# --- questions about messages -------------------------------------------------------------------------------------


def _query(network: Network, system_id: str, pdu: QuerySm, now: float) -> Pdu:
    copy = network.sms.query(system_id, pdu.message_id, pdu.source_addr).summary
    return pdu.respond(
        message_id=pdu.message_id,
        final_date=write_time(copy.final) if copy.final is not None else "",
        message_state=copy.state,
        error_code=copy.error,
    )


def _cancel(network: Network, system_id: str, pdu: CancelSm, now: float) -> Pdu:
    if pdu.message_id:
        network.sms.cancel(system_id, pdu.message_id, pdu.source_addr, now)
    else:
        network.sms.cancel_all(system_id, pdu.service_type, pdu.source_addr, pdu.destination_addr, now)
    return pdu.respond()


def _replace(network: Network, system_id: str, pdu: ReplaceSm, now: float) -> Pdu:
    if pdu.registered_delivery > 0x1F:
        raise Rejected(ESME_RINVREGDLVFLG)
    if pdu.sm_default_msg_id:
        raise Rejected(ESME_RINVDFTMSGID)
    due, expires = _times(network, pdu, now)
    network.sms.replace(
        system_id,
        pdu.message_id,
        pdu.source_addr,
        pdu.short_message,
        pdu.registered_delivery,
        now,
        due,
        expires,
    )
    return pdu.respond()


def _not_offered(network: Network, _: str, pdu: Pdu, now: float) -> Pdu:
    return pdu.respond(ESME_RINVCMDID)


_ANSWERS: dict[type[Pdu], Callable[[Network, str, Any, float], Pdu]] = {
    SubmitSm: _submit,
    DataSm: _submit,
    DeliverSm: _deliver,
    SubmitMulti: _submit_multi,
    QuerySm: _query,
    CancelSm: _cancel,
    ReplaceSm: _replace,
}
