"""Responses with nothing in them but a status, without a PDU object: most of what a session ever answers."""

from gateway.smpp.codec import HEADER, HEADER_OCTETS
from gateway.smpp.pdu import PDU_CLASSES, encode
from gateway.smpp.vocabulary import GENERIC_NACK, RESPONSE_BIT


def _bodies(status: int) -> dict[int, bytes]:
    """The body of each response with all fields empty, by the command_id of its request."""
    return {
        command_id & ~RESPONSE_BIT: encode(pdu_class(command_status=status))[HEADER_OCTETS:]
        for command_id, pdu_class in PDU_CLASSES.items()
        if command_id & RESPONSE_BIT and command_id != GENERIC_NACK
    }


_GOOD = _bodies(status=0)
_BAD = _bodies(status=1)


def encode_answer(command_id: int, status: int, sequence_number: int) -> bytes:
    """The response to request ``command_id``; what has none (unknown, outbind, …) gets a generic_nack (p.57)."""
    body = (_BAD if status else _GOOD).get(command_id)
    if body is None:
        return HEADER.pack(HEADER_OCTETS, GENERIC_NACK, status, sequence_number)
    return HEADER.pack(HEADER_OCTETS + len(body), command_id | RESPONSE_BIT, status, sequence_number) + body
