"""One encoder and one decoder for each command, written from its field table.

A loop over the table would cost a call a field, some twenty a PDU, and double the time of the whole. So the
loop runs once, when the class is registered, and writes down as source what it would have done: the way
dataclasses write ``__init__``. ``print(decoder_source(SubmitSm))`` shows the result.

What makes the written functions fast: the frame becomes Latin-1 text once, and every C-string is a slice of
it; positions are the end of the last C-string plus a constant; and no octet is asked whether it may be read.
Reading beyond the end, or finding no NUL within the size of the field, raises, and ``reading`` then says where.
"""

import struct
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from gateway.smpp import fields
from gateway.smpp.errors import LocalProtocolError, RemoteProtocolError
from gateway.smpp.fields import COctetString, FieldError, Integer, OctetString, Table
from gateway.smpp.vocabulary import (
    ESME_RINVMSGLEN,
    ESME_RINVOPTPARSTREAM,
    ESME_RINVPARLEN,
    RESPONSE_BIT,
    command_name,
)

HEADER = struct.Struct(">LLLL")
"""command_length, command_id, command_status, sequence_number (§3.2)."""

HEADER_OCTETS = HEADER.size

_TLV_HEAD = struct.Struct(">HH")
_LONGEST_RUN = 8  # no command has more integers in a row

Decoder = Callable[[bytes, int, int], Any]  # which class of PDU comes out is a matter of the command
Encoder = Callable[[Any], bytes]


class PduClass(Protocol):
    """What is asked of a class of PDUs, beside its field table."""

    command_id: ClassVar[int]
    bodiless_on_error: ClassVar[bool]


def compile_decoder(pdu_class: type[PduClass]) -> Decoder:
    """``decode(frame, command_status, sequence_number)``; raises RemoteProtocolError, never a fatal one."""
    namespace: dict[str, Any] = {
        "pdu_class": pdu_class,
        "decode_tlvs": decode_tlvs,
        "malformed": _malformed,
        "UNREADABLE": (ValueError, IndexError, struct.error),
    }
    for count in range(2, _LONGEST_RUN):
        namespace[f"unpack_{count}"] = struct.Struct(f">{count}B").unpack_from
    for name, kind in fields.rows(pdu_class):
        if isinstance(kind, fields.Destinations | fields.UnsuccessfulSmes):
            namespace[f"read_{name}"] = kind.read
    decoder: Decoder = _define("decode", decoder_source(pdu_class), pdu_class, namespace)
    return decoder


def compile_encoder(pdu_class: type[PduClass]) -> Encoder:
    """``encode(pdu)``; raises LocalProtocolError that names the field at fault."""
    namespace = {
        "pack_header": HEADER.pack,
        "encode_tlvs": encode_tlvs,
        "unfit": _unfit,
        "FieldError": FieldError,
        "UNWRITABLE": (ValueError, TypeError, OverflowError, struct.error),
    }
    for name, kind in fields.rows(pdu_class):
        namespace[f"write_{name}"] = kind.write
    encoder: Encoder = _define("encode", encoder_source(pdu_class), pdu_class, namespace)
    return encoder


def _define(function: str, source: str, pdu_class: type[PduClass], namespace: dict[str, Any]) -> Any:
    code = compile(source, f"<{function} {command_name(pdu_class.command_id)}>", "exec")
    exec(code, namespace)  # noqa: S102 — the source is made of the names of our own fields
    return namespace[function]


# ------------------------------------------------------------------------------------------- decoding


def decoder_source(pdu_class: type[PduClass]) -> str:
    """The Python text of the decoder of ``pdu_class``."""
    table = fields.rows(pdu_class)
    reading, at = _reading(table)
    header = "command_status=command_status, sequence_number=sequence_number"
    arguments = "".join(f"{name}, " for name, _ in table)
    lines = ["def decode(frame, command_status, sequence_number):"]
    if table and pdu_class.command_id & RESPONSE_BIT:
        # F10: an error may come without the body (p.67); some peers leave it out of a good response, too.
        lines += [f"    if len(frame) == {HEADER_OCTETS}:", f"        return pdu_class({header})"]
    if table:
        lines += ["    text = frame.decode('latin-1')", "    try:"]
        lines += [f"        {line}" for line in reading]
        lines += ["    except UNREADABLE as problem:"]
        lines += ["        raise malformed(frame, reading, problem) from None"]
    lines += [f"    tlvs = {{}} if {at} == len(frame) else decode_tlvs(frame, {at})"]
    lines += [f"    return pdu_class({arguments}tlvs=tlvs, {header})"]
    return "\n".join(lines) + "\n"


def _reading(table: Table) -> tuple[list[str], str]:
    """The lines that read the mandatory part, and the expression for where it ends."""
    lines: list[str] = []
    base, offset = "", HEADER_OCTETS  # the next field begins at base + offset
    run: list[str] = []  # integers that stand side by side and are read at once
    for name, kind in table:
        if isinstance(kind, Integer):
            run.append(name)
            continue
        if isinstance(kind, OctetString):
            run.append("octets")
        lines += _read_run(run, _position(base, offset))
        offset += len(run)
        run = []
        lines += [f"reading = {name!r}", *_read_field(name, kind, _position(base, offset))]
        base, offset = "end", 1 if isinstance(kind, COctetString) else 0
    lines += _read_run(run, _position(base, offset))
    return lines, _position(base, offset + len(run))


def _position(base: str, offset: int) -> str:
    return f"{base} + {offset}" if base and offset else base or str(offset)


def _read_run(names: list[str], at: str) -> list[str]:
    if not names:
        return []
    value = f"frame[{at}]" if len(names) == 1 else f"unpack_{len(names)}(frame, {at})"
    return [f"reading = {names[0]!r}", f"{', '.join(names)} = {value}"]


def _read_field(name: str, kind: fields.FieldKind, at: str) -> list[str]:
    match kind:
        case COctetString(size):
            return [
                f"start = {at}",
                f"end = text.index('\\0', start, start + {size})",
                f"{name} = text[start:end]",
            ]
        case OctetString():
            return [
                f"start = {at}",
                "end = start + octets",
                "if end > len(frame): raise IndexError",
                f"{name} = frame[start:end]",
            ]
    return [f"{name}, end = read_{name}(frame, text, {at})"]


def decode_tlvs(frame: bytes, at: int) -> dict[int, bytes]:
    """The optional parameters from octet ``at`` to the end: tag to value.

    Any tag in any PDU, the value as it came (F7); of a tag that comes twice the last one counts (F8).
    RemoteProtocolError with ESME_RINVOPTPARSTREAM when a length points beyond the PDU (p.43).
    """
    tlvs: dict[int, bytes] = {}
    size = len(frame)
    while at + 4 <= size:
        tag, octets = _TLV_HEAD.unpack_from(frame, at)
        start = at + 4
        at = start + octets
        tlvs[tag] = frame[start:at]
    if at != size:
        problem = _malformed(frame, "optional part", FieldError("cut off", ESME_RINVOPTPARSTREAM))
        problem.sound_octets = at if at < size else start - 4
        raise problem
    return tlvs


def _malformed(frame: bytes, reading: str, problem: Exception) -> RemoteProtocolError:
    _, command_id, _, sequence_number = HEADER.unpack_from(frame)
    if isinstance(problem, FieldError):
        status, why = problem.status, str(problem)
    elif reading == "short_message":
        status, why = ESME_RINVMSGLEN, "longer than what is left of the PDU"
    else:
        status, why = ESME_RINVPARLEN, "too long, without its NUL, or cut off"
    return RemoteProtocolError(
        f"{command_name(command_id)}: {reading} {why}",
        status=status,
        sequence_number=sequence_number,
        command_id=command_id,
        octets=frame,
    )


# ------------------------------------------------------------------------------------------- encoding


def encoder_source(pdu_class: type[PduClass]) -> str:
    """The Python text of the encoder of ``pdu_class``."""
    table = fields.rows(pdu_class)
    form = "".join(_form(kind) for _, kind in table)
    values = "".join(f"{_value(name, kind)}, " for name, kind in table)
    lines = ["def encode(pdu):", "    try:"]
    lines += [f"        {name} = pdu.{name}" for name, _ in table]
    lines += [f"        {line}" for line in _checks(table)]
    lines += [f"        body = b'{form}' % ({values})" if table else "        body = b''"]
    if pdu_class.bodiless_on_error:
        # But for TLVs: they stand behind a body, and an empty one tells where.
        there = " or ".join([*(name for name, _ in table), "pdu.tlvs"])
        lines += [f"        if pdu.command_status and not ({there}): body = b''"]
    lines += ["        if pdu.tlvs: body += encode_tlvs(pdu.tlvs)"]
    lines += [f"        size, command_id = {HEADER_OCTETS} + len(body), {pdu_class.command_id:#010x}"]
    lines += ["        return pack_header(size, command_id, pdu.command_status, pdu.sequence_number) + body"]
    lines += ["    except UNWRITABLE as problem:", "        raise unfit(pdu, problem) from None"]
    return "\n".join(lines) + "\n"


def _checks(table: Table) -> list[str]:
    """What the formatting itself would let through: lengths, and NULs in C-strings, all at once."""
    c_strings = [name for name, kind in table if isinstance(kind, COctetString)]
    wrong = [f"len({name}) >= {kind.size}" for name, kind in table if isinstance(kind, COctetString)]
    wrong += [f"len({name}) > {kind.size}" for name, kind in table if isinstance(kind, OctetString)]
    if c_strings:
        together = "".join(f"{{{name}}}" for name in c_strings)
        wrong.append(f"'\\0' in f'{together}'")
    return [f"if {' or '.join(wrong)}: raise FieldError('')"] if wrong else []


def _form(kind: fields.FieldKind) -> str:
    match kind:
        case Integer():
            return "%c"
        case COctetString():
            return "%b\\0"
        case OctetString():
            return "%c%b"
    return "%b"


def _value(name: str, kind: fields.FieldKind) -> str:
    match kind:
        case Integer():
            return name
        case COctetString():
            return f"{name}.encode('latin-1')"
        case OctetString():
            return f"len({name}), {name}"
    return f"write_{name}({name})"


def encode_tlvs(tlvs: dict[int, bytes]) -> bytes:
    """The optional parameters in the order of the dict; struct.error, TypeError when one does not fit."""
    octets = b""
    for tag, value in tlvs.items():
        octets += _TLV_HEAD.pack(tag, len(value)) + value
    return octets


def _unfit(pdu: Any, problem: Exception) -> LocalProtocolError:
    """Which field it was, what the fast path could not tell. Never its value: that may be a password."""
    command = command_name(pdu.command_id)
    for name, kind in fields.rows(type(pdu)):
        try:
            kind.write(getattr(pdu, name))
        except (ValueError, TypeError, OverflowError, AttributeError, struct.error) as fault:
            why = "not Latin-1" if isinstance(fault, UnicodeError) else fault
            return LocalProtocolError(f"{command}: {name}: {why}")
    return LocalProtocolError(f"{command}: header or TLVs: {problem}")
