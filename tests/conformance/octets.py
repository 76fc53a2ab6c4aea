"""PDUs written by hand with struct, after the tables of the specification: nothing of our own codec is in here."""

import struct
from typing import NamedTuple

BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER = 0x01, 0x02, 0x09
OUTBIND, UNBIND, ENQUIRE_LINK = 0x0B, 0x06, 0x15
SUBMIT_SM, DELIVER_SM, DATA_SM, QUERY_SM = 0x04, 0x05, 0x0103, 0x03
SUBMIT_MULTI, CANCEL_SM, REPLACE_SM, ALERT_NOTIFICATION = 0x21, 0x08, 0x07, 0x0102
RESPONSE = 0x80000000
GENERIC_NACK = RESPONSE

# Table 5-2, p.112
ROK, RINVMSGLEN, RINVCMDLEN, RINVCMDID, RINVBNDSTS, RALYBND = 0x00, 0x01, 0x02, 0x03, 0x04, 0x05
RSYSERR, RINVDSTADR, RINVPASWD, RINVSYSID, RMSGQFUL = 0x08, 0x0B, 0x0E, 0x0F, 0x14
RTHROTTLED, RINVOPTPARSTREAM, RINVPARLEN = 0x58, 0xC0, 0xC2

USSD_SERVICE_OP, ITS_SESSION_INFO, SC_INTERFACE_VERSION, MESSAGE_PAYLOAD = 0x0501, 0x1383, 0x0210, 0x0424


class Raw(NamedTuple):
    """A PDU as it came: the fields of its header, and its body."""

    command_id: int
    status: int
    number: int
    body: bytes

    def __repr__(self) -> str:
        return f"<0x{self.command_id:08X} status 0x{self.status:X} number {self.number} {self.body.hex()}>"


def frame(command_id: int, number: int, body: bytes = b"", status: int = ROK) -> bytes:
    """A PDU with a right command_length."""
    return struct.pack(">LLLL", 16 + len(body), command_id, status, number) + body


def response(request: Raw, status: int = ROK, body: bytes = b"") -> bytes:
    """What answers `request`."""
    return frame(request.command_id | RESPONSE, request.number, body, status)


def c_string(text: str) -> bytes:
    return text.encode("latin-1") + b"\0"


def tlv(tag: int, value: bytes) -> bytes:
    return struct.pack(">HH", tag, len(value)) + value


def bind(system_id: str = "gw", password: str = "secret", version: int = 0x34) -> bytes:
    """The body of a bind of any kind (§4.1.1)."""
    return c_string(system_id) + c_string(password) + c_string("") + bytes([version, 0, 0]) + c_string("")


def message(
    source: str, destination: str, text: bytes, tlvs: bytes = b"", esm_class: int = 0, receipt: int = 0
) -> bytes:
    """The body of a submit_sm or deliver_sm (§4.4.1)."""
    return (
        c_string("USSD" if tlvs else "")
        + bytes([1, 1])
        + c_string(source)
        + bytes([1, 1])
        + c_string(destination)
        + bytes([esm_class, 0, 0])
        + c_string("")
        + c_string("")
        + bytes([receipt, 0, 0x0F if tlvs else 0, 0, len(text)])
        + text
        + tlvs
    )


def dial(msisdn: str = "79260000003", code: bytes = b"*105#", session: int = 1) -> bytes:
    """The body of what a USSD centre sends when a code is dialled: PSSR indication, session in its_session_info."""
    tlvs = tlv(USSD_SERVICE_OP, b"\x01") + tlv(ITS_SESSION_INFO, bytes([session, 0]))
    return message(msisdn, "105", code, tlvs)


def fields(body: bytes) -> tuple[list[str], bytes, dict[int, bytes]]:
    """Of a submit_sm or deliver_sm: service_type, source and destination; the short message; the TLVs."""
    service_type, at = _c_string(body, 0)
    source, at = _c_string(body, at + 2)
    destination, at = _c_string(body, at + 2)
    _, at = _c_string(body, at + 3)
    _, at = _c_string(body, at)
    length = body[at + 4]
    text = body[at + 5 : at + 5 + length]
    return [service_type, source, destination], text, tlvs_of(body[at + 5 + length :])


def tlvs_of(octets: bytes) -> dict[int, bytes]:
    found = {}
    while octets:
        tag, length = struct.unpack(">HH", octets[:4])
        found[tag] = octets[4 : 4 + length]
        octets = octets[4 + length :]
    return found


def _c_string(body: bytes, at: int) -> tuple[str, int]:
    end = body.index(0, at)
    return body[at:end].decode("latin-1"), end + 1
