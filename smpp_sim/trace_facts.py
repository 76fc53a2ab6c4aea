"""A traced PDU for people: what it is about in a line, every field, and its octets, without any password.

Octets that follow a bind that was torn apart, by a wrong command_length before it, are hidden as a whole: nothing in
them tells any more where a password begins.
"""

from dataclasses import dataclass
from typing import Any

from gateway.dumps.streams import Captured
from gateway.smpp.explain import Explanation, Row, explain, one_line
from gateway.smpp.explain.text import MessageText
from gateway.smpp.explain.tlvs import tlv_meaning
from gateway.smpp.explain.walk import Walk, find_secrets, walk
from gateway.smpp.vocabulary import MESSAGE_PAYLOAD, RESPONSE_BIT, USSD_SERVICE_OP, status_name
from smpp_sim.trace import TracedPdu

_ADDRESSES = ("source_addr", "destination_addr")
_PHONE_IS = {"out": "source_addr", "in": "destination_addr"}
_MASKED = "masked: there may be a password in it"
_NO_PDU = b"\xff" * 16
"""What came before is cut anywhere: its first octets are not to be taken for the beginning of a PDU."""


@dataclass(frozen=True, slots=True)
class UssdFacts:
    """ussd_service_op, and the characters of the text, None when it is no text."""

    op: int | None
    op_name: str
    characters: int | None


def explanation_of(pdu: TracedPdu) -> Explanation:
    """Every field, passwords masked. Never raises."""
    if not _is_torn(pdu):
        return explain(pdu.octets)
    row = Row(0, b"*" * len(pdu.octets), "octets", f"{len(pdu.octets)} octets", _MASKED, masked=True)
    return Explanation(
        command="part of a bind",
        sequence_number=None,
        summary="",
        fields=(row,),
        problem="a wrong command_length has torn a bind apart",
        case="F2",
        advice=("Look at the PDU before this one: its command_length is wrong.",),
    )


def _is_torn(pdu: TracedPdu) -> bool:
    """Whether a password may stand here whose bind began before. Not if this is a PDU without a fault."""
    begin = len(_NO_PDU) + len(pdu.before)
    secrets = find_secrets(_NO_PDU + pdu.before + pdu.octets)
    return any(secret.bind < begin < secret.end for secret in secrets) and bool(explain(pdu.octets).problem)


def masked_octets(pdu: TracedPdu, explanation: Explanation | None = None) -> bytes:
    """As many octets, an asterisk for each one of a password. A password keeps its NUL, so that it can be read on."""
    octets = bytearray()
    for row in (explanation or explanation_of(pdu)).fields:
        ends = row.masked and row.name == "password" and pdu.octets[row.end - 1 : row.end] == b"\0"
        octets += row.octets[:-1] + b"\0" if ends else row.octets
    return bytes(octets)


def numbers(pdu: TracedPdu) -> tuple[str, ...]:
    """Source and destinations, without a plus. Those of the request, for a response."""
    octets = (pdu.about or pdu).octets
    found = walk(octets)
    return tuple(
        octets[span.start : span.end - 1].decode("latin-1").removeprefix("+")
        for span in found.spans
        if span.field in _ADDRESSES
    )


def concerns(pdu: TracedPdu, msisdn: str) -> bool:
    """Whether it is from or to this phone, or answers such a one."""
    return msisdn.encode() in (pdu.about or pdu).octets and msisdn in numbers(pdu)


def facts(pdu: TracedPdu) -> dict[str, Any]:
    """One line of the list, for JSON."""
    explanation, found = explanation_of(pdu), walk(pdu.octets)
    torn = _is_torn(pdu)
    ussd = UssdFacts(None, "", None) if torn else _ussd(found)
    return {
        "number": pdu.number,
        "at": round(pdu.at, 6),
        "link": pdu.connection.number,
        "account": pdu.connection.account,
        "peer": pdu.connection.peer,
        "direction": pdu.direction,
        "octets": len(pdu.octets),
        "command": explanation.command,
        "sequence_number": explanation.sequence_number,
        "one_line": f"no PDU: {explanation.problem}" if torn else one_line(pdu.octets),
        "summary": explanation.summary,
        "msisdn": _msisdn(pdu),
        "ussd_op": ussd.op,
        "ussd_op_name": ussd.op_name,
        "characters": ussd.characters,
        "status": None if torn else _status(found),
        "problem": explanation.problem or pdu.note or None,
        "answers": pdu.answers or None,
        "answered_by": pdu.answered_by or None,
    }


def as_captured(pdu: TracedPdu) -> Captured:
    """For a pcap file, passwords masked."""
    there, here = pdu.connection.peer, pdu.connection.local
    source, destination = (there, here) if pdu.direction == "in" else (here, there)
    return Captured(pdu.at, source, destination, masked_octets(pdu))


def _msisdn(pdu: TracedPdu) -> str | None:
    request = pdu.about or pdu
    address = walk(request.octets).values.get(_PHONE_IS[request.direction])
    return str(address).removeprefix("+") if address else None


def _ussd(found: Walk) -> UssdFacts:
    value = found.tlvs.get(USSD_SERVICE_OP, b"")
    op = value[0] if len(value) == 1 else None
    name = "" if op is None else tlv_meaning(USSD_SERVICE_OP, value)[0].partition(" ")[2]
    octets = found.values.get("short_message") or found.tlvs.get(MESSAGE_PAYLOAD)
    if not isinstance(octets, bytes):
        return UssdFacts(op, name, None)
    text = MessageText(
        int(found.values.get("data_coding", 0)),
        int(found.values.get("esm_class", 0)),
        "sms" if op is None else "cbs",
    ).text(octets)
    return UssdFacts(op, name, None if text is None else len(text))


def _status(found: Walk) -> str | None:
    if not int(found.values.get("command_id", 0)) & RESPONSE_BIT or "sequence_number" not in found.values:
        return None
    return status_name(int(found.values["command_status"]))
