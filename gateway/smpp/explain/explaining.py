"""What a PDU says, octet by octet: for the command line, the quarantine, the log and web pages.

Whatever the octets: nothing is raised, every octet lands in exactly one row, and no password in any.

    >>> print(render(explain(bytes.fromhex("00000010000000150000000000000007"))))
"""

import re
from collections.abc import Iterator
from typing import Literal

from gateway.smpp import fields
from gateway.smpp.codec import HEADER_OCTETS
from gateway.smpp.errors import RemoteProtocolError
from gateway.smpp.explain.advice import Found, advice, sender_of, summary
from gateway.smpp.explain.model import Explanation, Row, escaped
from gateway.smpp.explain.tables import SECTIONS, meaning, quoted
from gateway.smpp.explain.text import MessageText, message_pieces
from gateway.smpp.explain.tlvs import SECTIONS as TLV_SECTIONS
from gateway.smpp.explain.tlvs import tlv_meaning, tlv_name
from gateway.smpp.explain.walk import REST, Secret, Span, Walk, find_binds, find_secrets, holds_together, walk
from gateway.smpp.fields import COctetString
from gateway.smpp.framing import foreign_protocol
from gateway.smpp.pdu import PDU_CLASSES, decode
from gateway.smpp.states import Role
from gateway.smpp.vocabulary import (
    COMMAND_NAMES,
    ESME_RINVCMDLEN,
    ITS_SESSION_INFO,
    MESSAGE_PAYLOAD,
    MESSAGE_STATE,
    NETWORK_ERROR_CODE,
    RESPONSE_BIT,
    SAR_MSG_REF_NUM,
    SAR_SEGMENT_SEQNUM,
    SAR_TOTAL_SEGMENTS,
    SC_INTERFACE_VERSION,
    USER_MESSAGE_REFERENCE,
    USSD_SERVICE_OP,
    status_name,
)

Table = Literal["auto", "sms", "cbs"]
"""How data_coding is read; ``auto``: as USSD centres do it (cbs) if the PDU is USSD, otherwise as in SMS."""

MAX_PDU_OCTETS = 0x10000
"""Above it a command_length is taken for a fault (F2), as by a link with the default settings."""

_FOREIGN_OCTETS = 16
_HEADER_FIELDS = ("command_length", "command_id", "command_status", "sequence_number")
_USSD_SERVICE_TYPES = ("USSD", "PSSR", "PSSD", "USSR", "USSN")

Secrets = list[Secret]


def explain(octets: bytes, *, role_of_sender: Role | None = None, table: Table = "auto") -> Explanation:
    """The PDU at the beginning of ``octets``; what comes behind it is a row of its own (see `explain_all`).

    ``role_of_sender`` is found by the command unless both sides send it. Never raises, whatever the octets.
    """
    secrets = find_secrets(octets)
    size = int.from_bytes(octets[:4], "big")
    if len(octets) >= 4 and not HEADER_OCTETS <= size <= MAX_PDU_OCTETS:
        return _out_of_step(octets, size, secrets)
    if len(octets) < HEADER_OCTETS:
        return _short(octets, secrets)
    found = _read(octets[:size], max(size - len(octets), 0), role_of_sender, table)
    rows = [_masked(row, secrets) for span in found.walk.spans for row in _rows(found, span)]
    if len(octets) > size:
        rest = octets[size:]
        rows.append(
            _masked(Row(size, rest, "further octets", f"{len(rest)} octets", "behind this PDU"), secrets)
        )
    problem, case = _problem(found)
    hidden = found.walk.fault or any(row.masked and row.name != "password" for row in rows)
    return Explanation(
        command=found.command,
        sequence_number=found.number,
        summary="" if hidden else summary(found),
        fields=tuple(rows),
        problem=problem,
        case=case,
        advice=advice(found),
    )


def explain_all(
    octets: bytes, *, role_of_sender: Role | None = None, table: Table = "auto"
) -> tuple[Explanation, ...]:
    """Each PDU of a stream that begins with one; offsets count from the beginning of the PDU.

    What cannot be followed any more (F2, F4) is the last explanation.
    """
    return tuple(explain(frame, role_of_sender=role_of_sender, table=table) for frame in _frames(octets))


def _frames(octets: bytes) -> Iterator[bytes]:
    """The pieces to be explained one by one. Never cut where a password would lose what marks it as one."""
    secrets = find_secrets(octets)
    at = 0
    while True:
        size = int.from_bytes(octets[at : at + 4], "big")
        end = at + size
        torn = any(secret.bind < end < secret.end for secret in secrets)
        if size < HEADER_OCTETS or size > MAX_PDU_OCTETS or end >= len(octets) or torn:
            yield octets[at:]
            return
        yield octets[at:end]
        at = end


# ------------------------------------------------------------------------------------- what is no PDU


def _out_of_step(octets: bytes, size: int, secrets: Secrets) -> Explanation:
    protocol = foreign_protocol(octets)
    if protocol:
        return _foreign(octets, protocol)
    found = walk(octets[:HEADER_OCTETS])
    rows = [_header_row(found, span) for span in found.spans]
    if len(octets) > HEADER_OCTETS:
        rows.append(
            Row(HEADER_OCTETS, octets[HEADER_OCTETS:], "unreadable", f"{len(octets) - HEADER_OCTETS} octets")
        )
    return Explanation(
        command="out of step",
        sequence_number=int(found.values["sequence_number"]) if "sequence_number" in found.values else None,
        summary="",
        fields=tuple(_masked(row, secrets) for row in rows),
        problem=f"command_length {size} is none: {HEADER_OCTETS} to {MAX_PDU_OCTETS} are possible",
        case="F2",
        advice=(
            f"The receiver answers generic_nack {status_name(ESME_RINVCMDLEN)} and closes the connection.",
            "If the octets were cut out of a stream: they have to begin with the first octet of a PDU.",
        ),
    )


def _foreign(octets: bytes, protocol: str) -> Explanation:
    """Only the beginning is shown: what follows may hold anybody's secrets."""
    first, rest = octets[:_FOREIGN_OCTETS], octets[_FOREIGN_OCTETS:]
    line = re.split(rb"[\r\n]", first)[0].decode("latin-1")
    rows = [Row(0, first, protocol, quoted(line))]
    if rest:
        rows.append(
            Row(len(first), b"*" * len(rest), protocol, f"{len(rest)} octets", "not shown", masked=True)
        )
    return Explanation(
        command=protocol,
        sequence_number=None,
        summary=f"The peer speaks {protocol}.",
        fields=tuple(rows),
        problem=f"{protocol}, not SMPP",
        case="F4",
        advice=(
            "The receiver closes the connection at once and answers nothing in SMPP.",
            "Look who connects: a port scanner, a health check of the wrong kind, or TLS on only one side.",
        ),
    )


def _short(octets: bytes, secrets: Secrets) -> Explanation:
    found = walk(octets)
    rows = [_header_row(found, span) for span in found.spans]
    problem = f"{len(octets)} octets: a header has {HEADER_OCTETS}" if octets else "no octets"
    return Explanation(
        command="cut-off header",
        sequence_number=None,
        summary="",
        fields=tuple(_masked(row, secrets) for row in rows),
        problem=problem,
        case="F1",
        advice=("The receiver waits for the rest.",),
    )


# ---------------------------------------------------------------------------------------------- a PDU


def _read(frame: bytes, missing: int, sender: Role | None, table: Table) -> Found:
    found = walk(frame)
    command_id = int(found.values["command_id"])
    message = MessageText(
        data_coding=int(found.values.get("data_coding", 0)),
        esm_class=int(found.values.get("esm_class", 0)),
        table=_table(found) if table == "auto" else table,
    )
    error = None if missing else _error(frame)
    return Found(found, sender or sender_of(command_id), message, error, missing)


def _table(found: Walk) -> str:
    service_type = str(found.values.get("service_type", "")).upper()
    ussd = USSD_SERVICE_OP in found.tlvs or service_type.startswith(_USSD_SERVICE_TYPES)
    return "cbs" if ussd else "sms"


def _error(frame: bytes) -> RemoteProtocolError | None:
    try:
        decode(frame)
    except RemoteProtocolError as error:
        return error
    return None


def _problem(found: Found) -> tuple[str | None, str | None]:
    if found.missing:
        here = len(found.walk.frame)
        octets = f"{here} of {here + found.missing} octets are here"
        if found.is_header_of_bind:
            return f"{octets}: of a bind the quarantine keeps the header only", "F1"
        return f"cut off: {octets}", "F1"
    if found.error is None:
        return None, None
    return str(found.error), "F6" if found.command_id in PDU_CLASSES else "F3"


def _rows(found: Found, span: Span) -> Iterator[Row]:
    octets = found.walk.frame[span.start : span.end]
    match span.field:
        case "short_message":
            yield from _message_rows(found, "short_message", span.start, octets)
        case "tlv":
            yield from _tlv_rows(found, span, octets)
        case field if field == REST:
            yield _rest_row(found, span, octets)
        case field if field in _HEADER_FIELDS:
            yield _header_row(found.walk, span)
        case _:
            yield _field_row(found, span, octets)


def _header_row(found: Walk, span: Span) -> Row:
    octets = found.frame[span.start : span.end]
    if span.field not in found.values:  # cut off
        return Row(span.start, octets, span.label, f"{len(octets)} octets")
    value, note = meaning(span.field, int(found.values[span.field]), to_smsc=False, table="sms")
    command_id = int(found.values.get("command_id", 0))
    if span.field == "command_status" and not command_id & RESPONSE_BIT and found.values[span.field]:
        note = "a request, where it should be 0"
    if span.field == "command_id" and int(found.values["command_id"]) not in COMMAND_NAMES:
        note = "no command of SMPP 3.4"
    return Row(span.start, octets, span.label, value, note, SECTIONS[span.field])


def _field_row(found: Found, span: Span, octets: bytes) -> Row:
    section = SECTIONS.get(span.field, "")
    if span.secret:
        shown = "***" if len(octets) > 1 else "(empty)"
        return Row(span.start, b"*" * len(octets), span.label, shown, "masked", section, masked=True)
    text = octets.endswith(b"\0") and span.field in _TEXT_FIELDS
    value = octets[:-1].decode("latin-1") if text else int.from_bytes(octets, "big")
    to_smsc = found.sender is Role.ESME
    said, note = meaning(span.field, value, to_smsc=to_smsc, table=found.message.table)
    return Row(span.start, octets, span.label, said, note, section)


_TEXT_FIELDS = frozenset(
    name
    for pdu_class in PDU_CLASSES.values()
    for name, kind in fields.rows(pdu_class)
    if isinstance(kind, COctetString)
) | {"dl_name"}


def _rest_row(found: Found, span: Span, octets: bytes) -> Row:
    if span.secret:
        note = "masked: there may be a password in it"
        return Row(span.start, b"*" * len(octets), span.label, f"{len(octets)} octets", note, masked=True)
    note = "the rest is not here" if found.missing else ""
    return Row(span.start, octets, span.label, f"{len(octets)} octets", note)


def _message_rows(found: Found, name: str, start: int, octets: bytes) -> Iterator[Row]:
    for piece in message_pieces(name, octets, found.message):
        end = start + piece.octets
        own = octets[: piece.octets]
        yield Row(start, own, piece.name, piece.value, piece.note, piece.section)
        start, octets = end, octets[piece.octets :]


def _tlv_rows(found: Found, span: Span, octets: bytes) -> Iterator[Row]:
    tag, value = int.from_bytes(octets[:2], "big"), octets[4:]
    name = tlv_name(tag)
    section = TLV_SECTIONS.get(name, "")
    if tag == MESSAGE_PAYLOAD and value:
        yield Row(span.start, octets[:4], name, f"{len(value)} octets", "tag and length", section)
        yield from _message_rows(found, name, span.start + 4, value)
        return
    said, note = tlv_meaning(tag, value)
    if span.start != found.walk.last[tag]:
        note = "; ".join(filter(None, (note, "comes again below: the last one counts (F8)")))
    yield Row(span.start, octets, name, said, note, section)


def _masked(row: Row, secrets: Secrets) -> Row:
    """``row``, without anything of it if there is a password in it, or a part of one."""
    if row.masked or not any(secret.start < row.end and row.offset < secret.end for secret in secrets):
        return row
    note = "masked: there may be a password in it"
    return Row(row.offset, b"*" * len(row.octets), row.name, "***", note, row.section, masked=True)


# ---------------------------------------------------------------------------------------- for the log

_LINE_TLVS = 8  # a line stays a line, whatever a peer sends
_DIALLED = re.compile(r"(?<![*#])([*#]++\d++)[*#].+")


def one_line(octets: bytes) -> str:
    """For logs and traces: who, to whom, how much, what is wrong. No text of a message, no password, no control
    character; of a dialled code only the service. Never raises.
    """
    size = int.from_bytes(octets[:4], "big")
    if len(octets) < HEADER_OCTETS or not HEADER_OCTETS <= size <= MAX_PDU_OCTETS:
        protocol = foreign_protocol(octets)
        wrong = "cut-off header, F1" if len(octets) < 4 or HEADER_OCTETS <= size <= MAX_PDU_OCTETS else ""
        wrong = wrong or (f"{protocol}, F4" if protocol else f"command_length {size}, F2")
        return f"no PDU: {len(octets)} octets ({wrong})"
    found = _read(octets[:size], max(size - len(octets), 0), None, "auto")
    binds = find_binds(found.walk.frame)
    if any(binds):
        return f"{found.command} {found.number} ({len(octets)} octets, not to be shown: a bind in the middle of it)"
    return escaped(" ".join(_words(found, whole=not binds or holds_together(found.walk))))


def _words(found: Found, *, whole: bool) -> Iterator[str]:
    yield f"{found.command} {found.number}"
    if found.status:
        yield status_name(found.status)
    if whole:
        yield from _words_of_body(found)
    problem, case = _problem(found)
    if problem:
        yield f"({problem}, {case})"


def _words_of_body(found: Found) -> Iterator[str]:
    values = found.walk.values
    for name in ("system_id", "source_addr", "destination_addr", "message_id"):
        if values.get(name):
            yield f"{name}={_without_dialled_text(escaped(str(values[name])))}"
    for name in ("esm_class", "data_coding"):
        if values.get(name):
            yield f"{name}=0x{int(values[name]):02X}"
    if "short_message" in values:
        yield f"short_message={len(found.walk.short_message)} octets"
    tlvs = list(found.walk.tlvs.items())
    yield from (_tlv_word(tag, value) for tag, value in tlvs[:_LINE_TLVS])
    if len(tlvs) > _LINE_TLVS:
        yield f"and {len(tlvs) - _LINE_TLVS} other TLVs"


def _without_dialled_text(address: str) -> str:
    return _DIALLED.sub(r"\1…", address)


_SHOWN_TLVS = frozenset(
    {
        USSD_SERVICE_OP,
        ITS_SESSION_INFO,
        USER_MESSAGE_REFERENCE,
        SAR_MSG_REF_NUM,
        SAR_TOTAL_SEGMENTS,
        SAR_SEGMENT_SEQNUM,
        MESSAGE_STATE,
        NETWORK_ERROR_CODE,
        SC_INTERFACE_VERSION,
    }
)
"""Numbers, and short ones."""


def _tlv_word(tag: int, value: bytes) -> str:
    name = tlv_name(tag).replace(" ", "-")
    shown = tag in _SHOWN_TLVS and len(value) <= 8
    return f"{name}=0x{value.hex()}" if shown else f"{name}={len(value)} octets"
