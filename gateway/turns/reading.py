"""A PDU as a subscriber's message: whose it is, and what it says. The one edge at which an address becomes a number."""

from dataclasses import astuple
from typing import NamedTuple

from data.model import MessagePart
from gateway.dialect import DialectError, Inbound
from gateway.dialect.words import Message
from gateway.numbers import short_number
from gateway.smpp.framing import digest
from gateway.smpp.receipts import Receipt, read_receipt, receipt_by_form
from gateway.smpp.vocabulary import ESM_CLASS_TYPE_MASK, RECEIPTED_MESSAGE_ID, USSD_SERVICE_OP
from gateway.turns.sms import ReceivedPart
from gateway.turns.station import Station
from gateway.turns.work import Work
from menus.turns import Text

# Of one sender's long SMS that are not whole yet.
_PARTS_AT_MOST = 64


class Arrival(NamedTuple):
    """A message of a subscriber as it came: whose, and what tells it from any other. `arrive` makes one."""

    pdu: Message
    msisdn: str
    digest: int


def arrive(pdu: Message, octets: bytes, station: Station) -> Arrival:
    """Whose message it is, by the rules of its link; `octets` are the PDU as it came."""
    source = pdu.source_addr
    # An address that is nobody's number is answered as it stands: a handset must not be left waiting.
    msisdn = station.numbering.msisdn(pdu.source_addr_ton, source) or source.removeprefix("+")
    return Arrival(pdu, msisdn, digest(octets))


async def understand(arrival: Arrival, work: Work) -> Inbound | None:
    """None for what is nobody's turn: a receipt, a part of a long SMS. Raises `DialectError`."""
    pdu, station = arrival.pdu, work.station
    if pdu.esm_class & ESM_CLASS_TYPE_MASK or RECEIPTED_MESSAGE_ID in pdu.tlvs:
        await _note_receipt(read_receipt(pdu), pdu, work)
        return None
    profile = station.profile
    if profile.is_ussd(pdu):
        return profile.read(pdu, arrival.msisdn)
    if USSD_SERVICE_OP in pdu.tlvs:
        op = pdu.tlvs[USSD_SERVICE_OP].hex()
        raise DialectError(f"USSD (ussd_service_op {op}), but not in dialect {profile.name!r}")
    if station.sms.receipts and (receipt := receipt_by_form(pdu)):
        await _note_receipt(receipt, pdu, work)
        return None
    text = station.sms.read(pdu)
    if isinstance(text, ReceivedPart):
        text = await _put_together(pdu, text, work)
    if text is None:
        return None
    return Inbound(arrival.msisdn, "", Text(short_number(pdu.destination_addr), text), None, None)


async def _put_together(pdu: Message, piece: ReceivedPart, work: Work) -> str | None:
    """The text of a long SMS with its last part, None before that. The others are in the store, acknowledged."""
    if piece.part.total > _PARTS_AT_MOST:
        raise DialectError(f"an SMS of {piece.part.total} parts; {_PARTS_AT_MOST} are possible")
    (reference, total, number), name = astuple(piece.part), work.station.name
    part = MessagePart(
        name,
        pdu.source_addr,
        pdu.destination_addr,
        str(reference),
        number,
        total,
        piece.data_coding,
        piece.octets,
        work.now,
    )
    parts = await work.unit.inbox.keep_part(part, _PARTS_AT_MOST)
    if parts is None:
        return None
    # a long SMS of blanks is no empty one, which is a command
    return work.station.sms.join(parts).strip() or "…"


async def _note_receipt(receipt: Receipt | None, pdu: Message, work: Work) -> None:
    if receipt:
        ids, name = work.station.receipt_ids, work.station.name
        keys = ids.keys(receipt.message_id)
        sent = await work.unit.inbox.match_receipt(name, keys, receipt.final, pdu.source_addr)
        if sent:
            ids.matched(receipt, sent)
        work.receipts.append((receipt, pdu.source_addr, sent))
