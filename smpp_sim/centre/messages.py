"""SMS as PDUs: what a phone sends becomes deliver_sm, what an ESME submits becomes text, and receipts go back.

A message travels in three commands whose fields mean the same: deliver_sm, submit_sm (when the centre is the ESME)
and data_sm, whose text is always in message_payload. Here they are made of each other.
"""

import time
from dataclasses import dataclass, fields
from typing import TypeVar

from gateway.dialect import Message
from gateway.smpp.errors import LocalProtocolError
from gateway.smpp.fields import SmeAddress
from gateway.smpp.long_messages import LongForm, read_part, sms_parts
from gateway.smpp.pdu import AlertNotification, DataSm, DeliverSm, Pdu, SubmitMulti, SubmitSm, encode
from gateway.smpp.receipts import STATES, Receipt, encode_receipt, receipt_tlvs
from gateway.smpp.text import ALPHABET_BY_DCS, decode_text, measure
from gateway.smpp.user_data_header import National, Part
from gateway.smpp.vocabulary import (
    ESM_CLASS_RECEIPT,
    MESSAGE_PAYLOAD,
    NETWORK_ERROR_CODE,
    TLV_TAGS,
    USER_MESSAGE_REFERENCE,
)
from smpp_sim.phones.handset import NotPossible

MAX_SMS = 4000
"""Characters of the longest SMS that a phone sends."""

ESM_CLASS_DELIVERY_ACK = 0x08
ESM_CLASS_USER_ACK = 0x10
ESM_CLASS_INTERMEDIATE = 0x20

_SET_DPF = TLV_TAGS["set_dpf"]
_AVAILABILITY = TLV_TAGS["ms_availability_status"]
_MODE_MASK = 0x03
_GSM_NETWORK = b"\x03"
_DCS = {"gsm7": 0x00, "ucs2": 0x08}
_INTERNATIONAL, _ISDN = 1, 1

_Carrier = TypeVar("_Carrier", bound=Message)


@dataclass(frozen=True, slots=True)
class Submitted:
    """An SMS for phones, or a part of one, as an ESME submitted it; to whom stands elsewhere.

    `registered_delivery` is §5.2.17's octet, `mode` the two lowest bits of esm_class (§5.2.12); `wants_alert`: the
    ESME wants to hear when a phone that could not be reached is back (set_dpf, §5.3.2.29).
    """

    sender: str
    source_ton: int
    source_npi: int
    octets: bytes
    alphabet: str
    part: Part | None
    national: National | None = None
    service_type: str = ""
    registered_delivery: int = 0
    mode: int = 0
    wants_alert: bool = False
    user_reference: bytes = b""

    @property
    def text(self) -> str:
        """What it says; of a part, what that part says."""
        return decode_text(self.octets, self.alphabet, self.national)


def sms_from_phone(
    msisdn: str, to: str, text: str, reference: int, form: LongForm = "udh8"
) -> list[DeliverSm]:
    """The deliver_sm of an SMS, several for a long one; `reference` is 0–255.

    Raises `NotPossible` when it is longer than `MAX_SMS`.
    """
    if len(text) > MAX_SMS:
        raise NotPossible(f"an SMS has at most {MAX_SMS} characters here, this one has {len(text)}")
    alphabet, _ = measure(text)
    return [
        DeliverSm(
            source_addr_ton=_INTERNATIONAL,
            source_addr_npi=_ISDN,
            source_addr=msisdn,
            dest_addr_npi=_ISDN,
            destination_addr=to,
            esm_class=part.esm_class,
            data_coding=_DCS[alphabet],
            short_message=part.short_message,
            tlvs=part.tlvs,
        )
        for part in sms_parts(text, alphabet, reference, form)
    ]


def require_encodable(pdu: Message) -> None:
    """Raises `NotPossible` when the text cannot travel: better before it is queued than in the link."""
    try:
        encode(pdu)
    except LocalProtocolError as error:
        raise NotPossible(f"this cannot be sent: {error}") from None


def read_sms(pdu: Message | SubmitMulti) -> Submitted:
    """What a submitted message says: payload or short_message, its parts by user data header or by SAR TLVs."""
    part, octets, national = read_part(pdu)
    return Submitted(
        sender=pdu.source_addr,
        source_ton=pdu.source_addr_ton,
        source_npi=pdu.source_addr_npi,
        octets=octets,
        alphabet=ALPHABET_BY_DCS["sms"].get(pdu.data_coding, "latin1"),
        part=part,
        national=national,
        service_type=pdu.service_type,
        registered_delivery=pdu.registered_delivery,
        mode=pdu.esm_class & _MODE_MASK,
        wants_alert=pdu.tlvs.get(_SET_DPF) == b"\x01",
        user_reference=pdu.tlvs.get(USER_MESSAGE_REFERENCE, b""),
    )


def recipient(pdu: Message) -> SmeAddress:
    """To whom it goes; submit_multi alone has several."""
    return SmeAddress(pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr)


# --- what goes back -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What is to be told of one copy of a message; times are Unix times, `error` is the network's code, 0 for none."""

    message_id: str
    state: int
    error: int
    submitted: float
    done: float


def receipt(
    sms: Submitted, to: SmeAddress, outcome: DeliveryReport, kind: int = ESM_CLASS_RECEIPT
) -> DeliverSm:
    """The receipt, or the intermediate notification, in text and in TLVs (SMPP 3.4, Appendix B)."""
    what = Receipt(
        outcome.message_id,
        state=STATES[outcome.state],
        error=f"{outcome.error:03}",
        delivered=int(STATES[outcome.state] == "DELIVRD"),
        submit_date=_minute(outcome.submitted),
        done_date=_minute(outcome.done),
        text=sms.text,
    )
    tlvs = receipt_tlvs(what)
    if outcome.error:
        tlvs[NETWORK_ERROR_CODE] = _GSM_NETWORK + outcome.error.to_bytes(2, "big")
    return _back(sms, to, kind, encode_receipt(what), tlvs)


def sme_acknowledgement(sms: Submitted, to: SmeAddress, kind: int, text: str) -> DeliverSm:
    """What the phone itself says to the sender: it has the message, or its owner has read it (§5.2.12)."""
    return _back(sms, to, kind, text.encode("ascii"), {})


def alert(msisdn: str, sms: Submitted) -> AlertNotification:
    """The phone can be reached again (§4.12.1)."""
    return AlertNotification(
        source_addr_ton=_INTERNATIONAL,
        source_addr_npi=_ISDN,
        source_addr=msisdn,
        esme_addr_ton=sms.source_ton,
        esme_addr_npi=sms.source_npi,
        esme_addr=sms.sender,
        tlvs={_AVAILABILITY: b"\x00"},
    )


def _back(sms: Submitted, to: SmeAddress, esm_class: int, text: bytes, tlvs: dict[int, bytes]) -> DeliverSm:
    if sms.user_reference:
        tlvs[USER_MESSAGE_REFERENCE] = sms.user_reference
    return DeliverSm(
        source_addr_ton=to.dest_addr_ton,
        source_addr_npi=to.dest_addr_npi,
        source_addr=to.destination_addr[:20],
        dest_addr_ton=sms.source_ton,
        dest_addr_npi=sms.source_npi,
        destination_addr=sms.sender[:20],
        esm_class=esm_class,
        short_message=text,
        tlvs=tlvs,
    )


def _minute(wall: float) -> str:
    return time.strftime("%y%m%d%H%M", time.gmtime(wall))


# --- the command that carries it ----------------------------------------------------------------------------------


def carried(pdu: Pdu, carrier: type[Message]) -> Pdu:
    """A deliver_sm as another command; alert_notification has no other form."""
    if type(pdu) is carrier or not isinstance(pdu, Message):
        return pdu
    if carrier is DataSm and not isinstance(pdu, DataSm):
        return _as_data_sm(pdu)
    return _with_fields_of(pdu, carrier)


def _as_data_sm(pdu: DeliverSm | SubmitSm) -> DataSm:
    converted = _with_fields_of(pdu, DataSm)
    if pdu.short_message:
        converted.tlvs = {**pdu.tlvs, MESSAGE_PAYLOAD: pdu.short_message}
    return converted


def _with_fields_of(pdu: Message, wanted: type[_Carrier]) -> _Carrier:
    known = {one.name for one in fields(wanted)}
    return wanted(**{one.name: getattr(pdu, one.name) for one in fields(pdu) if one.name in known})
