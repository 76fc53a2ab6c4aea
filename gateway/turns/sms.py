"""SMS on a link: what `gateway.dialect` is for USSD. Text in and out of PDUs, as the link's settings say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from itertools import groupby
from typing import NamedTuple

from data.model import MessagePart, Outgoing
from gateway.numbers import Address
from gateway.smpp.long_messages import LongForm, read_part, sms_parts
from gateway.smpp.pdu import DataSm, DeliverSm, SubmitSm, decode, encode
from gateway.smpp.text import alphabet_for, decode_text, encode_text
from gateway.smpp.user_data_header import Part

_DAY_S = 86_400
_LONGEST_DAYS = 99  # two digits of a relative time
_RECEIPT_OF_ANY_OUTCOME = 0x01  # registered_delivery (SMPP §5.2.17)

Carrier = type[SubmitSm] | type[DeliverSm]
"""What our messages to subscribers travel in: submit_sm to an SMSC, deliver_sm to an ESME."""


class ReceivedPart(NamedTuple):
    """A part of a long message: which one, and its octets without any header."""

    part: Part
    octets: bytes
    data_coding: int


@dataclass(frozen=True, slots=True)
class SmsStyle:
    """How SMS travel on a link."""

    alphabet_by_dcs: Mapping[int, str]
    """What the centre's data_coding means; one that is missing is no text."""
    dcs_by_alphabet: Mapping[str, int]
    """What is sent, in the order in which it is tried."""
    long_form: LongForm
    validity_s: float
    """How long the centre is to try."""
    receipts: bool
    """Whether it is asked to tell what became of a message."""

    def frames(self, carrier: Carrier, message: Outgoing) -> list[bytes]:
        """The encoded PDUs (sequence number 0) of a message, one a part: the same ones whenever it is sent again."""
        alphabet, text = self._alphabet(message.text)
        asks = self.receipts and carrier is SubmitSm  # an ESME gives no delivery receipts (SMPP §4.6.1)
        ton, npi, digits = Address.parse(message.address) if message.address else (1, 1, message.msisdn)
        parts = sms_parts(text, alphabet, message.id & 0xFFFF, self.long_form)
        return [
            encode(
                carrier(
                    source_addr=message.sender,
                    dest_addr_ton=ton,
                    dest_addr_npi=npi,
                    destination_addr=digits,
                    esm_class=part.esm_class,
                    validity_period=relative_time(self.validity_s) if carrier is SubmitSm else "",
                    registered_delivery=_RECEIPT_OF_ANY_OUTCOME if asks else 0,
                    data_coding=self.dcs_by_alphabet[alphabet],
                    short_message=part.short_message,
                    tlvs=part.tlvs,
                )
            )
            for part in parts
        ]

    def _alphabet(self, text: str) -> tuple[str, str]:
        """What to write a text in, and the text: a centre that takes no alphabet for it gets question marks."""
        try:
            return alphabet_for(text, self.dcs_by_alphabet), text
        except UnicodeEncodeError:
            widest = [*self.dcs_by_alphabet][-1]
            return widest, "".join(letter if _has(widest, letter) else "?" for letter in text)

    def read(self, pdu: DeliverSm | SubmitSm | DataSm) -> "str | ReceivedPart | None":
        """The text of a message, or what one of the many parts of a long one brings; None when it is no text."""
        alphabet = self.alphabet_by_dcs.get(pdu.data_coding)
        part, octets, national = read_part(pdu, alphabet)
        if alphabet == "gsm7-packed":
            alphabet = "gsm7"
        if part is None or part.total == 1:
            return decode_text(octets, alphabet, national) if alphabet else None
        if alphabet and national:  # its tables are named in this part only
            octets = decode_text(octets, alphabet, national).encode("utf-16-be")
            alphabet = "ucs2"
        return ReceivedPart(part, octets, self._data_coding(pdu, alphabet))

    def _data_coding(self, pdu: DeliverSm | SubmitSm | DataSm, alphabet: str | None) -> int:
        """One that stands for what the octets of a piece are in now."""
        if self.alphabet_by_dcs.get(pdu.data_coding) == alphabet:
            return pdu.data_coding
        like = (dcs for dcs, other in self.alphabet_by_dcs.items() if other == alphabet)
        return next(like, pdu.data_coding)

    def join(self, parts: Iterable[MessagePart]) -> str:
        """The text of a whole message. Octets are joined before they are read: a part may end in half a character."""
        text = ""
        for data_coding, those in groupby(parts, key=lambda part: part.data_coding):
            alphabet = self.alphabet_by_dcs.get(data_coding)
            if alphabet:
                text += decode_text(b"".join(part.octets for part in those), alphabet)
        return text


def _has(alphabet: str, letter: str) -> bool:
    try:
        encode_text(letter, alphabet)
    except UnicodeEncodeError:
        return False
    return True


def carried_in(frame: bytes, carrier: Carrier) -> bytes:
    """An encoded submit_sm as deliver_sm, or the other way round: their fields are the same, not their meaning.

    A deliver_sm tells of no validity and asks for no receipt (SMPP §4.6.1).
    """
    pdu = decode(frame)
    values = {field.name: getattr(pdu, field.name) for field in fields(pdu)}
    if carrier is DeliverSm:
        values |= {"validity_period": "", "registered_delivery": 0}
    return encode(carrier(**values))


def relative_time(seconds: float) -> str:
    """A validity_period of so many seconds from now: ``000001000000000R`` is a day (SMPP 3.4 §7.1.1)."""
    days, rest = divmod(int(seconds), _DAY_S)
    hours, rest = divmod(rest, 3600)
    return f"0000{min(days, _LONGEST_DAYS):02}{hours:02}{rest // 60:02}{rest % 60:02}000R"
