"""What a peer of SMPP 3.3 or older can read (case S10; specification §3.4, p.42, and §5.2.4).

It knows no optional parameters, and keeps message ids of eight characters.
"""

from dataclasses import replace
from typing import Any

from gateway.smpp.errors import LocalProtocolError
from gateway.smpp.pdu import Pdu, decode, encode
from gateway.smpp.vocabulary import MESSAGE_PAYLOAD

LONGEST_MESSAGE_ID = 8
"""Characters of a message id that such a peer keeps."""

_LONGEST_SHORT_MESSAGE = 254


def for_older_peer(pdu: Pdu) -> Pdu:
    """A copy of ``pdu`` without optional parameters, and with at most the last eight characters of its message id.

    The last ones, because ids count upwards: the first ones would be the same for many messages. A text in
    message_payload moves into short_message. LocalProtocolError when it cannot, for without it nothing would be
    left of the message.
    """
    changes: dict[str, Any] = {"tlvs": {}, **_text(pdu)}
    if hasattr(pdu, "message_id"):
        changes["message_id"] = pdu.message_id[-LONGEST_MESSAGE_ID:]
    return replace(pdu, **changes)


def frame_for_older_peer(frame: bytes) -> bytes:
    """``for_older_peer`` for a PDU that is encoded already."""
    return encode(for_older_peer(decode(frame)))


def _text(pdu: Pdu) -> dict[str, bytes]:
    payload = pdu.tlvs.get(MESSAGE_PAYLOAD, b"")
    short_message: bytes | None = getattr(pdu, "short_message", None)
    if not payload or short_message:
        return {}
    if short_message is None or len(payload) > _LONGEST_SHORT_MESSAGE:
        raise LocalProtocolError(
            f"{pdu.name}: message_payload of {len(payload)} octets for a peer older than SMPP 3.4"
        )
    return {"short_message": payload}
