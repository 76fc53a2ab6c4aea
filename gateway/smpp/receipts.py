"""Delivery receipts: the text of Appendix B (p.167), the TLVs of §5.3.2, and message ids that differ in form.

Centres agree on neither: keys come in any order and case, some are missing, the TLVs are there or not. What is there
is read; the TLVs win, for they have one meaning.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from types import MappingProxyType

from gateway.smpp.errors import RemoteProtocolError
from gateway.smpp.pdu import DataSm, DeliverSm, SubmitSm, decode
from gateway.smpp.user_data_header import read_header
from gateway.smpp.vocabulary import (
    ESM_CLASS_RECEIPT,
    ESM_CLASS_TYPE_MASK,
    ESM_CLASS_UDHI,
    ESME_RINVOPTPARSTREAM,
    MESSAGE_PAYLOAD,
    MESSAGE_STATE,
    NETWORK_ERROR_CODE,
    RECEIPTED_MESSAGE_ID,
)

STATES = MappingProxyType(
    {
        1: "ENROUTE",
        2: "DELIVRD",
        3: "EXPIRED",
        4: "DELETED",
        5: "UNDELIV",
        6: "ACCEPTD",
        7: "UNKNOWN",
        8: "REJECTD",
    }
)
"""message_state (§5.2.28) to the word in the text (p.167)."""

RECEIPT_STATES = MappingProxyType(
    {
        "SCHEDULED": False,
        "ENROUTE": False,
        "BUFFERED": False,
        "ACCEPTD": False,
        "UNKNOWN": False,
        "DELIVRD": True,
        "EXPIRED": True,
        "DELETED": True,
        "UNDELIV": True,
        "REJECTD": True,
        "FAILED": True,
        "SKIPPED": True,
    }
)
"""Is nothing more to come after this state? By its description (§5.2.28) ACCEPTD would be final, yet many centres say
it first and DELIVRD later. A word that is not here counts as not final: a later receipt still finds its message.
"""

_STATES_OF_5_0 = MappingProxyType({b"\x00": "SCHEDULED", b"\x09": "SKIPPED"})
"""message_state of SMPP 5.0 (§4.7.15) that 3.4 reserves: some centres send 0 whatever has happened."""

_OTHER_SPELLINGS = {
    "DELIVERED": "DELIVRD",
    "UNDELIVERABLE": "UNDELIV",
    "UNDELIVERED": "UNDELIV",
    "UNDELIVRD": "UNDELIV",
    "ACCEPTED": "ACCEPTD",
    "REJECTED": "REJECTD",
    "EN_ROUTE": "ENROUTE",
    "BUFFRED": "BUFFERED",
}

MESSAGE_TYPES = MappingProxyType(
    {
        0x00: "message",
        ESM_CLASS_RECEIPT: "receipt",
        0x08: "delivery_acknowledgement",  # of the recipient's device
        0x10: "user_acknowledgement",  # of the recipient himself
        0x18: "abort",  # of a conversation, in Korean CDMA
        0x20: "intermediate",
    }
)
"""esm_class bits 5-2 in deliver_sm and data_sm (§5.2.12)."""

_RECEIPTS = ("receipt", "intermediate")
_STATE_NUMBERS = {word: number for number, word in STATES.items()}
_DECIMAL = re.compile(r"[0-9]{1,64}")
_HEXADECIMAL = re.compile(r"[0-9a-f]{1,64}")
_KEY = re.compile(
    r"(?:^|[\s,;])(id|sub|dlvrd|submit[\s_]*date|done[\s_]*date|stat|err|text)\s?:", re.IGNORECASE
)
_BETWEEN = " \t\r\n,;\0"
_WORD = re.compile(rf"\s*([^{_BETWEEN}]*)")
# Behind a blank only a short number is an error: with the key left empty, a message's text may stand there.
_ERROR = re.compile(
    rf"[^{_BETWEEN}]+|\s+(?:[0-9]{{1,3}}(?![^{_BETWEEN}])|(?:0x)?[0-9a-f]{{1,4}}(?=[{_BETWEEN}]*\Z))",
    re.IGNORECASE,
)
_IN_UTF16 = re.compile(rb"\0i\0d\0 ?:", re.IGNORECASE)
_LIKE_A_RECEIPT = re.compile(rb"i\0?d\0? ?:", re.IGNORECASE)
_BESIDES = frozenset({"submitdate", "donedate", "sub", "dlvrd"})
_DATE_FORMS = {10: ("%y%m%d%H%M",), 12: ("%y%m%d%H%M%S", "%Y%m%d%H%M"), 14: ("%Y%m%d%H%M%S",)}
_NUMBER_OCTETS = 4  # of a TLV's value: nobody sends more and means it
_MAX_DIGITS = 10
_MAX_QUARTERS = 48
_ABSOLUTE_TIME = re.compile(r"(?a)(\d{12})(\d)(\d{2})([+-])")  # §7.1.1: tenths, quarters of an hour from UTC


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message.

    ``state`` is a word of ``STATES`` or the centre's own, dates are as they came (see `receipt_date`), ``error``
    is the network's code in whatever form it came. ``intermediate``: a notification on the way (§5.2.12).
    """

    message_id: str
    state: str = "DELIVRD"
    error: str = "000"
    submitted: int = 1
    delivered: int = 0
    submit_date: str = ""
    done_date: str = ""
    text: str = ""
    intermediate: bool = False

    @property
    def final(self) -> bool:
        """Whether no other receipt is to be expected for this message."""
        return not self.intermediate and RECEIPT_STATES.get(self.state, False)


def encode_receipt(receipt: Receipt) -> bytes:
    """The text form, for short_message; of the message's text the first 20 characters (p.167)."""
    return (
        f"id:{receipt.message_id} sub:{receipt.submitted:03} dlvrd:{receipt.delivered:03}"
        f" submit date:{receipt.submit_date} done date:{receipt.done_date}"
        f" stat:{receipt.state} err:{receipt.error} text:{receipt.text[:20]}"
    ).encode("latin-1", "replace")


def receipt_tlvs(receipt: Receipt) -> dict[int, bytes]:
    """The TLV form: receipted_message_id, and message_state when the word has a number."""
    tlvs = {RECEIPTED_MESSAGE_ID: receipt.message_id.encode("latin-1") + b"\0"}
    if receipt.state in _STATE_NUMBERS:
        tlvs[MESSAGE_STATE] = bytes([_STATE_NUMBERS[receipt.state]])
    return tlvs


def decode_receipt(octets: bytes) -> Receipt | None:
    """The receipt in a short_message of the text form; None when there is no ``id:`` in it."""
    receipt = _in_text(octets)
    return replace(receipt, state=receipt.state or "UNKNOWN") if receipt else None


def _in_text(octets: bytes) -> Receipt | None:
    """As `decode_receipt`; the state is empty where the text has none."""
    found = _values(octets)
    message_id = _unquoted(found.get("id", "").strip(_BETWEEN).partition(" ")[0])
    if not message_id:
        return None
    error, behind = _error(found.get("err", ""))
    return Receipt(
        message_id=message_id,
        state=_state(found.get("stat", "")),
        error=error or "000",
        submitted=_number(_word(found.get("sub", ""))),
        delivered=_number(_word(found.get("dlvrd", ""))),
        submit_date=_word(found.get("submitdate", "")),
        done_date=_word(found.get("donedate", "")),
        text=found.get("text", behind),
    )


def _values(octets: bytes) -> dict[str, str]:
    """What stands behind each key. The text is a subscriber's: nothing in it is a key, unless it begins with one
    and no state came before it; then there is no text.
    """
    found = _before_text(octets.decode("utf-16-be" if _IN_UTF16.search(octets) else "latin-1", "replace"))
    text = found.get("text", "").lstrip(_BETWEEN)
    if _state(found.get("stat", "")) or not _KEY.match(text):
        return found
    behind = _before_text(text)
    if "stat" not in behind:
        return found
    return {**behind, **found, "stat": behind["stat"], "text": behind.get("text", "")}


def _before_text(text: str) -> dict[str, str]:
    found = dict(_pairs(text))
    _, _, behind = found.get("donedate", "").strip().partition(" ")
    if "stat" not in found and _state(behind) in RECEIPT_STATES:  # some leave "stat:" out, and only that
        found["stat"] = behind
    return found


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    keys = list(_KEY.finditer(text))
    for at, key in enumerate(keys):
        name = re.sub(r"[\s_]", "", key[1]).lower()
        if name == "text":
            yield name, text[key.end() :].rstrip("\0")
            return
        end = keys[at + 1].start() if at + 1 < len(keys) else len(text)
        yield name, text[key.end() : end]


def _word(value: str) -> str:
    match = _WORD.match(value)
    return match[1] if match else ""


def _error(value: str) -> tuple[str, str]:
    """The error, and what follows it: a message's text without its key, which no log may show."""
    match = _ERROR.match(value)
    end = match.end() if match else 0
    return value[:end].strip(), value[end:].strip(_BETWEEN)


def _unquoted(message_id: str) -> str:
    return message_id.strip().strip("\"'").strip()


def _state(value: str) -> str:
    word = _word(value).strip("\"'").upper()
    return _OTHER_SPELLINGS.get(word, word)


def _number(digits: str) -> int:
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < _MAX_DIGITS else 0


def receipt_date(date: str) -> datetime | None:
    """A receipt's date: YYMMDDhhmm as in Appendix B, with seconds or the century, or an absolute time (§7.1.1).

    Only the absolute time has a zone; the others are in whatever zone the centre lives. None: no such date.
    """
    zone = None
    if absolute := _ABSOLUTE_TIME.fullmatch(date):
        date, _, quarters, sign = absolute.groups()
        zone = (
            timezone(timedelta(minutes=15 * int(f"{sign}{quarters}")))
            if int(quarters) <= _MAX_QUARTERS
            else None
        )
    for form in _DATE_FORMS.get(len(date), ()) if date.isascii() and date.isdigit() else ():
        try:
            return datetime.strptime(date, form).replace(tzinfo=zone)
        except ValueError:
            continue
    return None


def message_type(pdu: DeliverSm | DataSm | SubmitSm) -> str:
    """A word of `MESSAGE_TYPES`, or ``reserved``. Only a ``message`` is somebody's text."""
    return MESSAGE_TYPES.get(pdu.esm_class & ESM_CLASS_TYPE_MASK, "reserved")


def read_receipt(pdu: DeliverSm | DataSm | SubmitSm) -> Receipt | None:
    """The receipt that ``pdu`` is, or None: esm_class says so (§5.2.12), or the receipted_message_id TLV is there.

    An acknowledgement of the recipient's (0x08, 0x10) is none, whatever TLVs it has. None as well when there is no
    message id: nobody could tell which message it is about.
    """
    kind = message_type(pdu)
    if kind not in _RECEIPTS and not (kind == "message" and RECEIPTED_MESSAGE_ID in pdu.tlvs):
        return None
    octets = _octets(pdu)
    found = _in_text(octets)
    if found is None and pdu.esm_class & ESM_CLASS_UDHI:  # the header of the part that the receipt is for
        found = _in_text(octets[read_header(octets).octets :])
    receipt = _with_tlvs(found, pdu.tlvs)
    return replace(receipt, intermediate=True) if receipt and kind == "intermediate" else receipt


def receipt_in_spite_of(problem: RemoteProtocolError) -> DeliverSm | DataSm | SubmitSm | None:
    """The receipt in a PDU of which only the optional part is wrong, as far as it is sound, and marked as one.

    A TLV that is longer than the PDU is a fault that some centres make in every receipt. None: it is no receipt, or
    its text does not say of which message.
    """
    if problem.status != ESME_RINVOPTPARSTREAM:
        return None
    sound = problem.octets[: problem.sound_octets]
    pdu = decode(len(sound).to_bytes(4, "big") + sound[4:])
    if not isinstance(pdu, DeliverSm | DataSm | SubmitSm) or not (read_receipt(pdu) or receipt_by_form(pdu)):
        return None
    return (
        pdu if message_type(pdu) in _RECEIPTS else replace(pdu, esm_class=pdu.esm_class | ESM_CLASS_RECEIPT)
    )


def receipt_by_form(pdu: DeliverSm | DataSm | SubmitSm) -> Receipt | None:
    """The receipt that a message without any mark of one has the text of; None for a person's message.

    Some SMSCs send receipts as if they were somebody's SMS: esm_class 0 and no TLV. Nobody types an id, a state and
    a date or a count, each behind its key.
    """
    octets = _octets(pdu)
    if not _LIKE_A_RECEIPT.search(octets):
        return None
    keys = _values(octets).keys()
    return decode_receipt(octets) if {"id", "stat"} <= keys and keys & _BESIDES else None


def _octets(pdu: DeliverSm | DataSm | SubmitSm) -> bytes:
    octets = b"" if isinstance(pdu, DataSm) else pdu.short_message
    return octets or pdu.tlvs.get(MESSAGE_PAYLOAD, b"")


def _with_tlvs(receipt: Receipt | None, tlvs: dict[int, bytes]) -> Receipt | None:
    receipt = receipt or Receipt(message_id="", state="")
    given = _unquoted(tlvs.get(RECEIPTED_MESSAGE_ID, b"").rstrip(b"\0").decode("latin-1"))
    message_id = given or receipt.message_id
    state = _state_of_tlv(tlvs[MESSAGE_STATE], receipt.state) if MESSAGE_STATE in tlvs else receipt.state
    error = receipt.error
    if error == "000":
        error = network_error(tlvs.get(NETWORK_ERROR_CODE, b"")) or error
    found = replace(receipt, message_id=message_id, state=state or "UNKNOWN", error=error)
    return found if message_id else None


def _state_of_tlv(value: bytes, in_text: str) -> str:
    """A reserved number says nothing where the text has a state."""
    number = int.from_bytes(value[:_NUMBER_OCTETS], "big")
    return STATES.get(number) or in_text or _STATES_OF_5_0.get(value, f"STATE{number}")


def network_error(value: bytes) -> str:
    """The code in a network_error_code TLV (§5.3.2.31), without the type of the network; empty for none.

    A number; where all octets are ASCII digits, they are the code as it is written.
    """
    digits = value.rstrip(b"\0")
    code = digits[-3:] if digits.isdigit() else digits[1:]
    if code.isdigit():
        return code[:_MAX_DIGITS].decode("ascii")
    number = int.from_bytes(value[1:][:_NUMBER_OCTETS], "big")
    return str(number) if number else ""


# ---------------------------------------------------------------------------------------- message ids


def message_key(message_id: str) -> str:
    """A message id as the key of a table: small letters, no zeros in front (W9)."""
    return _unquoted(message_id).lower().removeprefix("0x").lstrip("0") or "0"


def message_keys(message_id: str) -> list[str]:
    """The keys under which the message of a receipt may have been filed, most likely first.

    A centre may give an id in hexadecimal in submit_sm_resp and the same number in decimal in the receipt, or the
    other way round.
    """
    key = message_key(message_id)
    keys = [key]
    if _DECIMAL.fullmatch(key):
        keys.append(f"{int(key):x}")
    if _HEXADECIMAL.fullmatch(key):
        keys.append(str(int(key, 16)))
    return list(dict.fromkeys(keys))
