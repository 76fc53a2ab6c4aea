"""Delivery receipts: the text of Appendix B (p.167), the TLVs of §5.3.2, and message ids that differ in form.

Centres agree on neither: keys come in any order and case, some are missing, the TLVs are there or not. What is there
is read; the TLVs win, for they have one meaning.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType

from gateway.smpp.pdu import DataSm, DeliverSm
from gateway.smpp.vocabulary import (
    ESM_CLASS_RECEIPT,
    ESM_CLASS_TYPE_MASK,
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

_STATE_NUMBERS = {word: number for number, word in STATES.items()}
_DECIMAL = re.compile(r"[0-9]{1,64}")
_HEXADECIMAL = re.compile(r"[0-9a-f]{1,64}")
_KEY = re.compile(r"(?:^|\s)(id|sub|dlvrd|submit date|done date|stat|err|text):", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message.

    ``state`` is a word of ``STATES`` or the centre's own, dates are YYMMDDhhmm (some centres add seconds), ``error``
    is the network's code in whatever form it came.
    """

    message_id: str
    state: str = "DELIVRD"
    error: str = "000"
    submitted: int = 1
    delivered: int = 0
    submit_date: str = ""
    done_date: str = ""
    text: str = ""


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
    found = dict(_pairs(octets.decode("latin-1")))
    if not found.get("id"):
        return None
    return Receipt(
        message_id=found["id"],
        state=found.get("stat", "UNKNOWN").upper(),
        error=found.get("err", "000"),
        submitted=_number(found.get("sub", "")),
        delivered=_number(found.get("dlvrd", "")),
        submit_date=found.get("submit date", ""),
        done_date=found.get("done date", ""),
        text=found.get("text", ""),
    )


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    keys = list(_KEY.finditer(text))
    for at, key in enumerate(keys):
        name = key[1].lower()
        if name == "text":  # the rest is a subscriber's: nothing in it is a key
            yield name, text[key.end() :]
            return
        end = keys[at + 1].start() if at + 1 < len(keys) else len(text)
        yield name, text[key.end() : end].strip()


def _number(digits: str) -> int:
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def read_receipt(pdu: DeliverSm | DataSm) -> Receipt | None:
    """The receipt that ``pdu`` is, or None: esm_class says so (§5.2.12), or the receipted_message_id TLV is there."""
    if pdu.esm_class & ESM_CLASS_TYPE_MASK != ESM_CLASS_RECEIPT and RECEIPTED_MESSAGE_ID not in pdu.tlvs:
        return None
    octets = pdu.tlvs.get(MESSAGE_PAYLOAD, b"")
    if isinstance(pdu, DeliverSm):
        octets = pdu.short_message or octets
    return _with_tlvs(decode_receipt(octets), pdu.tlvs)


def _with_tlvs(receipt: Receipt | None, tlvs: dict[int, bytes]) -> Receipt | None:
    receipt = receipt or Receipt(message_id="", state="UNKNOWN")
    known = {}
    if RECEIPTED_MESSAGE_ID in tlvs:
        known["message_id"] = tlvs[RECEIPTED_MESSAGE_ID].rstrip(b"\0").decode("latin-1")
    if MESSAGE_STATE in tlvs:
        number = int.from_bytes(tlvs[MESSAGE_STATE], "big")
        known["state"] = STATES.get(number, f"STATE{number}")
    if NETWORK_ERROR_CODE in tlvs and receipt.error == "000":
        known["error"] = str(int.from_bytes(tlvs[NETWORK_ERROR_CODE][1:], "big"))
    receipt = replace(receipt, **known)
    return receipt if receipt.message_id else None


# ---------------------------------------------------------------------------------------- message ids


def message_key(message_id: str) -> str:
    """A message id as the key of a table: small letters, no zeros in front (W9)."""
    return message_id.strip().lower().lstrip("0") or "0"


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
