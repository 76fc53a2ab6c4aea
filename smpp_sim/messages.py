"""SMS as PDUs: what a phone sends becomes deliver_sm, what an ESME submits becomes text, and a receipt goes back."""

import time
from dataclasses import dataclass

from gateway.smpp.pdu import DataSm, DeliverSm, SubmitMulti, SubmitSm
from gateway.smpp.receipts import Receipt, encode_receipt, receipt_tlvs
from gateway.smpp.text import ALPHABET_BY_DCS, Part, decode_text, measure, parse_udh, segments
from gateway.smpp.vocabulary import (
    ESM_CLASS_RECEIPT,
    ESM_CLASS_UDHI,
    MESSAGE_PAYLOAD,
    SAR_MSG_REF_NUM,
    SAR_SEGMENT_SEQNUM,
    SAR_TOTAL_SEGMENTS,
)
from smpp_sim.handset import NotPossible

DELIVERED = 2
"""message_state of a message that is on its phone (SMPP 3.4 §5.2.28)."""

MAX_SMS = 4000
"""Characters of the longest SMS that a phone sends."""

_DCS = {"gsm7": 0x00, "ucs2": 0x08}
_RECEIPT_ON_SUCCESS = 0x01
_RECEIPT_MASK = 0x03
_INTERNATIONAL, _ISDN = 1, 1


@dataclass(frozen=True, slots=True)
class Submitted:
    """An SMS for a phone, or a part of one, as an ESME submitted it."""

    sender: str
    destination: str
    octets: bytes
    alphabet: str
    part: Part | None
    receipt_wanted: bool
    source_ton: int
    source_npi: int
    dest_ton: int
    dest_npi: int


def sms_from_phone(msisdn: str, to: str, text: str, reference: int) -> list[DeliverSm]:
    """The deliver_sm of an SMS, several for a long one (8-bit references, `reference` 0–255).

    Raises `NotPossible` when it is longer than `MAX_SMS`.
    """
    if len(text) > MAX_SMS:
        raise NotPossible(f"an SMS has at most {MAX_SMS} characters here, this one has {len(text)}")
    alphabet, _ = measure(text)
    parts = segments(text, alphabet, reference)
    return [
        DeliverSm(
            source_addr_ton=_INTERNATIONAL,
            source_addr_npi=_ISDN,
            source_addr=msisdn,
            dest_addr_npi=_ISDN,
            destination_addr=to,
            esm_class=ESM_CLASS_UDHI if len(parts) > 1 else 0,
            data_coding=_DCS[alphabet],
            short_message=part,
        )
        for part in parts
    ]


def read_sms(pdu: SubmitSm | SubmitMulti | DataSm, destination: str) -> Submitted:
    """What a submitted message says: payload or short_message, its parts by user data header or by SAR TLVs."""
    octets = pdu.tlvs.get(MESSAGE_PAYLOAD, b"")
    if not isinstance(pdu, DataSm):
        octets = pdu.short_message or octets
    part = _sar_part(pdu.tlvs)
    if pdu.esm_class & ESM_CLASS_UDHI:
        in_header, octets = parse_udh(octets)
        part = in_header or part
    multi = isinstance(pdu, SubmitMulti)
    return Submitted(
        sender=pdu.source_addr,
        destination=destination,
        octets=octets,
        alphabet=ALPHABET_BY_DCS["sms"].get(pdu.data_coding, "latin1"),
        part=part,
        receipt_wanted=pdu.registered_delivery & _RECEIPT_MASK == _RECEIPT_ON_SUCCESS,
        source_ton=pdu.source_addr_ton,
        source_npi=pdu.source_addr_npi,
        dest_ton=0 if multi else pdu.dest_addr_ton,
        dest_npi=0 if multi else pdu.dest_addr_npi,
    )


def receipt(sms: Submitted, message_id: str, wall: float) -> DeliverSm:
    """The delivery receipt that says DELIVRD, in text and in TLVs; `wall` is Unix time (SMPP 3.4, Appendix B)."""
    date = time.strftime("%y%m%d%H%M", time.gmtime(wall))
    what = Receipt(
        message_id, delivered=1, submit_date=date, done_date=date, text=decode_text(sms.octets, sms.alphabet)
    )
    return DeliverSm(
        source_addr_ton=sms.dest_ton,
        source_addr_npi=sms.dest_npi,
        source_addr=sms.destination[:20],
        dest_addr_ton=sms.source_ton,
        dest_addr_npi=sms.source_npi,
        destination_addr=sms.sender[:20],
        esm_class=ESM_CLASS_RECEIPT,
        short_message=encode_receipt(what),
        tlvs=receipt_tlvs(what),
    )


def _sar_part(tlvs: dict[int, bytes]) -> Part | None:
    """The part that the SAR TLVs tell of (SMPP 3.4 §5.3.2.22 to .24)."""
    numbers = [
        int.from_bytes(tlvs.get(tag, b""), "big")
        for tag in (SAR_MSG_REF_NUM, SAR_TOTAL_SEGMENTS, SAR_SEGMENT_SEQNUM)
    ]
    _, total, number = numbers
    return Part(*numbers) if 1 <= number <= total <= 255 else None
