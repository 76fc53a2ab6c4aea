"""Messages that are longer than one: cut into parts on the way out, read part by part on the way in.
Whoever receives them puts them together: the gateway in its store, a handset in its inbox.

Four forms are in use, and the link says which one its centre takes:

* ``udh8``, ``udh16``: the parts carry a user data header with a reference of 8 or 16 bits (TS 23.040 §9.2.3.24);
* ``sar``: the parts carry TLVs instead, and the centre makes the header (SMPP §5.3.2.22 to .24);
* ``payload``: one PDU with everything in message_payload, and the centre cuts it (§5.3.2.32).

A cut never goes through an escape pair, a surrogate pair, or a letter and the marks that belong to it.
"""

from dataclasses import dataclass, field
from typing import Literal

from gateway.smpp import gsm7
from gateway.smpp.graphemes import belongs_to_previous
from gateway.smpp.pdu import DataSm, DeliverSm, SubmitMulti, SubmitSm
from gateway.smpp.text import encode_text
from gateway.smpp.user_data_header import NO_HEADER, National, Part, encode_udh, fill_bits, read_header
from gateway.smpp.vocabulary import (
    ESM_CLASS_UDHI,
    MESSAGE_PAYLOAD,
    SAR_MSG_REF_NUM,
    SAR_SEGMENT_SEQNUM,
    SAR_TOTAL_SEGMENTS,
)

LongForm = Literal["udh8", "udh16", "sar", "payload"]

MAX_PARTS = 255
"""The number of parts is one octet in every form."""

MAX_PAYLOAD_OCTETS = 64_000
"""Of message_payload: with the other fields it still fits into a PDU of 64 KiB, where many peers end."""

_SMS_OCTETS = 140
_SMS_SEPTETS = 160
_HEADER_OCTETS = {"udh8": 6, "udh16": 7, "sar": 6}  # for sar: the one that the centre will make
_LONGEST_CLUSTER_OCTETS = 32  # marks are kept with their letter as far as this
_LOOKAHEAD_OCTETS = 4  # one character in UTF-16


@dataclass(frozen=True, slots=True)
class SmsPart:
    """What one PDU carries of a message; ``esm_class`` is to be or-ed to whatever else the PDU says in it."""

    short_message: bytes
    esm_class: int = 0
    tlvs: dict[int, bytes] = field(default_factory=dict)


def sms_parts(text: str, alphabet: str, reference: int, form: LongForm) -> list[SmsPart]:
    """``text`` as one part without header or TLVs if it fits into one SMS, otherwise in the link's long form.

    One SMS holds 160 septets, 70 characters of UCS-2 or 140 octets; a part of a long one 153, 67 or 134 (with
    ``udh16`` 152, 66 or 133). ``reference`` is reduced to its 8 bits (``udh8``) or 16. UnicodeEncodeError: the
    alphabet lacks a character; KeyError: no such alphabet or form; ValueError: more than `MAX_PARTS` parts, or more
    than `MAX_PAYLOAD_OCTETS`.
    """
    octets = encode_text(text, alphabet)
    if len(octets) <= (_SMS_SEPTETS if alphabet == "gsm7" else _SMS_OCTETS):
        return [SmsPart(octets)]
    if form == "payload":
        return [_payload(octets)]
    pieces = _pieces(text, octets, alphabet, form)
    if len(pieces) > MAX_PARTS:
        raise ValueError(f"{len(pieces)} parts, {MAX_PARTS} are possible")
    parts = (Part(reference, len(pieces), number) for number in range(1, len(pieces) + 1))
    write = _sar_part if form == "sar" else _udh8_part if form == "udh8" else _udh16_part
    return [write(part, piece) for part, piece in zip(parts, pieces, strict=True)]


def _payload(octets: bytes) -> SmsPart:
    if len(octets) > MAX_PAYLOAD_OCTETS:
        raise ValueError(f"{len(octets)} octets, message_payload takes {MAX_PAYLOAD_OCTETS}")
    return SmsPart(b"", tlvs={MESSAGE_PAYLOAD: octets})


def _udh8_part(part: Part, piece: bytes) -> SmsPart:
    return SmsPart(encode_udh(part) + piece, ESM_CLASS_UDHI)


def _udh16_part(part: Part, piece: bytes) -> SmsPart:
    return SmsPart(encode_udh(part, wide=True) + piece, ESM_CLASS_UDHI)


def _sar_part(part: Part, piece: bytes) -> SmsPart:
    return SmsPart(
        piece,
        tlvs={
            SAR_MSG_REF_NUM: (part.reference & 0xFFFF).to_bytes(2, "big"),
            SAR_TOTAL_SEGMENTS: bytes([part.total]),
            SAR_SEGMENT_SEQNUM: bytes([part.number]),
        },
    )


# ------------------------------------------------------------------------------------------- cutting


def _pieces(text: str, octets: bytes, alphabet: str, form: LongForm) -> list[bytes]:
    header_octets = _HEADER_OCTETS[form]
    free = _SMS_OCTETS - header_octets
    if alphabet == "gsm7":
        return split_octets(octets, alphabet, 8 * free // 7)
    if alphabet == "gsm7-packed":
        fill = 0 if form == "sar" else fill_bits(header_octets)  # the centre's header, the centre's filling
        septets = split_octets(gsm7.encode_gsm7(text), alphabet, 8 * free // 7)
        return [gsm7.pack_septets(piece, fill) for piece in septets]
    return split_octets(octets, alphabet, free)


def split_octets(octets: bytes, alphabet: str, limit_octets: int) -> list[bytes]:
    """``octets`` in pieces of at most ``limit_octets``; always at least one.

    In gsm7 no escape pair is cut, in ucs2 no surrogate pair nor the marks from a letter (as long as they do not
    fill a piece alone). In gsm7-packed, where ``octets`` are the septets yet to be packed, no piece but the last
    ends with a CR: at the end of packed text it may be taken for filling (TS 23.038 §6.1.2.3.1).
    """
    pieces = []
    while not _fits(octets, alphabet, limit_octets):
        end = _end(octets, alphabet, limit_octets)
        pieces.append(octets[:end])
        octets = octets[end:]
    return [*pieces, octets]


def _fits(octets: bytes, alphabet: str, limit: int) -> bool:
    return len(octets) <= limit - (alphabet == "gsm7-packed" and octets.endswith(b"\r"))


def _end(octets: bytes, alphabet: str, limit: int) -> int:
    match alphabet:
        case "gsm7":
            return limit - (octets[limit - 1] == gsm7.ESCAPE)
        case "gsm7-packed":
            return len(octets[:limit].rstrip(b"\r\x1b")) or limit - 1
        case "ucs2":
            return _end_of_cluster(octets, limit - limit % 2)
    return limit


def _end_of_cluster(octets: bytes, limit: int) -> int:
    """The last place up to ``limit`` where a cut hurts nothing; no farther back than `_LONGEST_CLUSTER_OCTETS`."""
    whole = limit - 2 * (octets[limit - 2] & 0xFC == 0xD8)  # behind the first half of a pair
    end = whole
    while end > max(0, whole - _LONGEST_CLUSTER_OCTETS):
        if not _belong_together(octets, end):
            return end
        end -= 2
        end -= 2 * (end > 1 and octets[end] & 0xFC == 0xDC)  # over both halves of a pair
    return whole


def _belong_together(octets: bytes, at: int) -> bool:
    before = octets[:at].decode("utf-16-be", "replace")
    behind = octets[at : at + _LOOKAHEAD_OCTETS].decode("utf-16-be", "replace")
    return belongs_to_previous(before + behind, len(before))


# ------------------------------------------------------------------------------------------- reading


def read_part(
    pdu: DeliverSm | SubmitSm | DataSm | SubmitMulti, alphabet: str | None = None
) -> tuple[Part | None, bytes, National | None]:
    """Which part of a long message ``pdu`` carries (None: it is whole), the octets of its text, its tables.

    The octets are those of short_message, or else of message_payload, without the user data header. Its part wins
    over that of the SAR TLVs. With ``alphabet`` ``gsm7-packed`` they come unpacked, one septet an octet, so that
    parts can be joined: they are to be decoded as ``gsm7`` then.
    """
    octets = b"" if isinstance(pdu, DataSm) else pdu.short_message
    octets = octets or pdu.tlvs.get(MESSAGE_PAYLOAD, b"")
    header = read_header(octets) if pdu.esm_class & ESM_CLASS_UDHI else NO_HEADER
    if header.octets:
        octets = octets[header.octets :]
    if alphabet == "gsm7-packed":
        octets = gsm7.unpack_septets(octets, header.fill_bits)
    return header.part or (_read_sar(pdu.tlvs) if pdu.tlvs else None), octets, header.national


def _read_sar(tlvs: dict[int, bytes]) -> Part | None:
    """The part that the SAR TLVs tell of; None where one is missing, too long, or impossible."""
    reference = tlvs.get(SAR_MSG_REF_NUM, b"")
    total = tlvs.get(SAR_TOTAL_SEGMENTS, b"")
    number = tlvs.get(SAR_SEGMENT_SEQNUM, b"")
    if not (1 <= len(reference) <= 2 and len(total) == len(number) == 1 and 1 <= number[0] <= total[0]):
        return None
    return Part(int.from_bytes(reference, "big"), total[0], number[0])
