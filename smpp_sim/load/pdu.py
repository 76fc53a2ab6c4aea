"""The few PDUs of a load, made from templates and read by offset.

Why not ``gateway.smpp``: its codec knows every command, every field and every TLV, makes an object of each
PDU and refuses what is malformed with a status of its own. That is right for a gateway and too slow for a
ruler: the generator has to cost a fraction of what it measures. A load sends one command (``deliver_sm``)
whose octets differ from turn to turn in three places only (sequence number, source_addr, session octet) and
reads three fields of another (``submit_sm``). So the constant octets are made once for a script, and a
submit_sm is walked by its NULs, without an object. It also means that the load shares no code with the
gateway it measures: an error in the codec cannot cancel itself out here.

Layouts: SMPP 3.4 §4.4.1 (submit_sm), §4.6.1 (deliver_sm), §5.3.2.44 (ussd_service_op); 0x1383 is
its_session_info, §5.3.2.43: session number, then the number of the dialogue unit and the end bit.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

HEADER = struct.Struct(">IIII")
SEQUENCE = struct.Struct(">I")
_TLV = struct.Struct(">HH")

BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER = 0x01, 0x02, 0x09
SUBMIT_SM, DELIVER_SM, UNBIND, ENQUIRE_LINK = 0x04, 0x05, 0x06, 0x15
RESPONSE = 0x80000000
GENERIC_NACK = 0x80000000
SUBMIT_SM_RESP, DELIVER_SM_RESP = RESPONSE | SUBMIT_SM, RESPONSE | DELIVER_SM

NAMES = {SUBMIT_SM: "submit_sm", DELIVER_SM: "deliver_sm"}

ESME_ROK, ESME_RINVMSGLEN, ESME_RINVCMDLEN, ESME_RINVCMDID = 0x00, 0x01, 0x02, 0x03
ESME_RINVBNDSTS, ESME_RALYBND, ESME_RBINDFAIL, ESME_RINVPASWD = 0x04, 0x05, 0x0D, 0x0E
ESME_RMSGQFUL, ESME_RINVSYSID, ESME_RTHROTTLED = 0x14, 0x0F, 0x58

OP_NEW, OP_ASK, OP_NOTICE, OP_LAST, OP_ANSWER = 1, 2, 3, 17, 18
NO_OP = NO_SESSION = NO_UNIT = -1
SESSIONS = 256

_USSD_SERVICE_OP, _ITS_SESSION_INFO = 0x0501, 0x1383
_UDHI = 0x40
# The characters that GSM 03.38 and ASCII have at the same place.
_PLAIN = frozenset(" !\"#%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz\r\n")


ReadAnswer: TypeAlias = tuple[bytes, int, int, int, bool]
"""destination_addr, operation (OP_ASK, OP_LAST, another), session, unit, more parts to come."""


@dataclass(frozen=True)
class LoadScript:
    """What one subscriber sends in one dialogue, in order; the answers to it are whatever comes.

    ``kind`` "ussd": the first text is dialled, the others answer the screens in between; "sms": each text is
    a message to ``service`` and a dialogue is one message. ``service`` is the destination_addr.
    """

    turns: tuple[str, ...]
    kind: str = "ussd"
    service: str = "105"

    def __post_init__(self) -> None:
        if self.kind not in ("ussd", "sms"):
            raise ValueError(f"kind is 'ussd' or 'sms', not {self.kind!r}")
        if not self.turns or (self.kind == "sms" and len(self.turns) != 1):
            raise ValueError("a ussd script has one turn or more, an sms script exactly one")


class PduTemplate:
    """A deliver_sm of one turn of a script, complete but for sequence, MSISDN and session.

    On the wire: ``head`` + sequence number + ``before`` + MSISDN + ``after[session]``. For an SMS there is no
    session and ``after`` has one entry.
    """

    __slots__ = ("after", "before", "head")

    def __init__(self, before: bytes, after: list[bytes], msisdn_octets: int, command_id: int) -> None:
        self.before = before
        self.after = after
        length = 16 + len(before) + msisdn_octets + len(after[0])
        self.head = HEADER.pack(length, command_id, 0, 0)[:12]

    def frame(self, sequence: int, msisdn: bytes, session: int = 0) -> bytes:
        """Return the whole PDU; the hot path writes its pieces instead of joining them here."""
        return b"".join((self.head, SEQUENCE.pack(sequence), self.before, msisdn, self.after[session]))


def templates(script: LoadScript, msisdn_octets: int, command_id: int = DELIVER_SM) -> list[PduTemplate]:
    """Return a template for each turn of ``script``, for MSISDNs of exactly ``msisdn_octets`` digits."""
    return [_template(script, turn, msisdn_octets, command_id) for turn in range(len(script.turns))]


def _template(script: LoadScript, turn: int, msisdn_octets: int, command_id: int) -> PduTemplate:
    ussd = script.kind == "ussd"
    coding, text = encode_turn(script.turns[turn], ussd)
    middle = b"\0\0\1" + script.service.encode("ascii") + b"\0" + bytes((0, 0, 0, 0, 0, 0, 0, coding, 0))
    middle += bytes((len(text),)) + text
    after = [middle + tlvs for tlvs in (_ussd_tlvs(turn) if ussd else [b""])]
    return PduTemplate((b"USSD" if ussd else b"") + b"\0\0\1", after, msisdn_octets, command_id)


def encode_turn(text: str, ussd: bool) -> tuple[int, bytes]:
    """Return data_coding and octets: the default alphabet for plain digits and letters, else UCS-2.

    ValueError when the text is longer than 160 octets.
    """
    if _PLAIN.issuperset(text):
        coding, octets = (0x0F if ussd else 0x00), text.encode("ascii")
    else:
        coding, octets = (0x48 if ussd else 0x08), text.encode("utf-16-be")
    if len(octets) > 160:
        raise ValueError(f"{text[:20]!r}…: {len(octets)} octets do not fit one message of 160")
    return coding, octets


def _ussd_tlvs(turn: int) -> list[bytes]:
    """Return the TLVs of a turn for each of the 256 session numbers.

    Units are counted in both directions, as in the specification's example: our turn k is unit 2k.
    """
    op = OP_ANSWER if turn else OP_NEW
    unit = (2 * turn & 0x7F) << 1
    head = _TLV.pack(_USSD_SERVICE_OP, 1) + bytes((op,)) + _TLV.pack(_ITS_SESSION_INFO, 2)
    return [head + bytes((session, unit)) for session in range(SESSIONS)]


def read_submit_sm(octets: bytes, start: int, end: int) -> ReadAnswer:
    """Read what a turn needs of the submit_sm (or deliver_sm) in ``octets[start:end]``.

    Returns destination_addr, ussd_service_op (NO_OP when absent), the session octet of its_session_info
    (NO_SESSION when absent), its number of the dialogue unit (NO_UNIT), and whether this is a part of a long
    message with more parts to come.
    Raises ValueError, IndexError or struct.error for a body that does not hold together.
    """
    destination, message, more = read_addresses(octets, start, end)
    at = message + octets[message - 1]
    op, session, unit = NO_OP, NO_SESSION, NO_UNIT
    while at < end:
        tag, size = _TLV.unpack_from(octets, at)
        at += 4
        if tag == _USSD_SERVICE_OP:
            op = octets[at]
        elif tag == _ITS_SESSION_INFO:
            session, unit = octets[at], octets[at + 1] >> 1
        at += size
    if at != end:
        raise ValueError("a TLV runs over the end of the PDU")
    return destination, op, session, unit, more


def read_addresses(octets: bytes, start: int, end: int) -> tuple[bytes, int, bool]:
    """Walk a submit_sm: destination_addr, where short_message begins, whether more parts come.

    Raises as `read_submit_sm` does.
    """
    at = octets.index(0, start + 16, end) + 3  # service_type; source_addr_ton, source_addr_npi
    at = octets.index(0, at, end) + 3  # source_addr; dest_addr_ton, dest_addr_npi
    stop = octets.index(0, at, end)
    destination = octets[at:stop]
    # _message_at(), written out: this is the hot path.
    message = octets.index(0, octets.index(0, stop + 4, end) + 1, end) + 6
    if message + octets[message - 1] > end:
        raise ValueError("sm_length runs over the end of the PDU")
    return destination, message, bool(octets[stop + 1] & _UDHI) and _more_parts(octets, message)


def read_screen(octets: bytes, start: int, end: int) -> str:
    """Return the text of the submit_sm in ``octets[start:end]``, for a person to look at."""
    stop = start + 16
    for skip in (3, 3, 0):
        stop = octets.index(0, stop, end) + skip
    message = _message_at(octets, stop, end)
    text = octets[message : message + octets[message - 1]]
    if octets[stop + 1] & _UDHI:
        text = text[1 + text[0] :]
    return text.decode("utf-16-be" if octets[message - 3] in (0x08, 0x48) else "latin-1", "replace")


def read_bind(octets: bytes, start: int, end: int) -> tuple[str, str]:
    """Return system_id and password of the bind request in ``octets[start:end]`` (ValueError if cut)."""
    stop = octets.index(0, start + 16, end)
    system_id = octets[start + 16 : stop]
    password = octets[stop + 1 : octets.index(0, stop + 1, end)]
    return system_id.decode("latin-1"), password.decode("latin-1")


def response(command_id: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    """Return the response PDU to a request of ``command_id``."""
    return HEADER.pack(16 + len(body), RESPONSE | command_id, status, sequence) + body


def _message_at(octets: bytes, destination_end: int, end: int) -> int:
    """Return where short_message begins; the octet before it is sm_length, the third before data_coding."""
    at = octets.index(0, destination_end + 4, end) + 1  # esm_class, protocol_id, priority_flag; schedule
    return octets.index(0, at, end) + 6  # validity_period; four flags, sm_length


def _more_parts(octets: bytes, message: int) -> bool:
    """Whether the user data header at ``message`` says that this is not the last part (8-bit reference)."""
    return octets[message + 1] == 0x00 and octets[message + 5] < octets[message + 4]


@dataclass(frozen=True)
class Wire:
    """How turns and answers look on this link, and which way they go.

    ``templates(script, msisdn_octets, command_id)`` and ``read(octets, start, end)`` are those of the dialect;
    a dialogue has one of ``sessions`` numbers, 1 where the dialect gives none. A centre sends deliver_sm and
    is answered in submit_sm; where the gateway is the SMSC, and the centre its ESME, it is the other way round.
    """

    templates: Callable[[LoadScript, int, int], Sequence[PduTemplate]] = templates
    read: Callable[[bytes, int, int], ReadAnswer] = read_submit_sm
    sessions: int = SESSIONS
    turn: int = DELIVER_SM
    answer: int = SUBMIT_SM
