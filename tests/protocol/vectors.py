"""PDUs as octets, each with where it comes from. Text in quotes stands for its ASCII octets, the rest is hex.

"Tables" means: put together by hand from the field tables of the specification (Issue 1.2), never by our encoder.
"""

import re
from dataclasses import dataclass

from gateway.smpp import pdu
from gateway.smpp.pdu import DistributionList, Pdu, SmeAddress, UnsuccessfulSme


def octets(notation: str) -> bytes:
    parts = re.findall(r'"([^"]*)"|([0-9A-Fa-f]{2})', notation)
    return b"".join(text.encode("ascii") if text else bytes.fromhex(pair) for text, pair in parts)


@dataclass(frozen=True)
class Vector:
    id: str
    origin: str
    frame: bytes
    pdu: Pdu


def vector(id: str, origin: str, notation: str, pdu: Pdu) -> Vector:
    return Vector(id, origin, octets(notation), pdu)


VECTORS = [
    vector(
        "bind_transmitter-specification",
        "specification §3.2.2: the worked example, 47 octets",
        """0000002F 00000002 00000000 00000001
        "SMPP3TEST" 00 "secret08" 00 "SUBMIT1" 00 00 01 01 00""",
        pdu.BindTransmitter("SMPP3TEST", "secret08", "SUBMIT1", 0x00, 1, 1, "", sequence_number=1),
    ),
    vector(
        "deliver_sm-ussd-capture",
        "captured from a USSD centre, jasmin issue 842",
        """0000004400000005000000000000000250320001013636393737303931323035000101363639323330313131323100
        000000000000000f00062a34303036230501000101""",
        pdu.DeliverSm(
            service_type="P2",
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr="66977091205",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr="66923011121",
            data_coding=0x0F,
            short_message=b"*4006#",
            tlvs={0x0501: b"\x01"},
            sequence_number=2,
        ),
    ),
    vector(
        "bind_receiver",
        "tables §4.1.3",
        """00000030 00000001 00000000 00000002
        "ESME01" 00 "pw" 00 "VMS" 00 34 05 09 "^7926[0-9]{7}$" 00""",
        pdu.BindReceiver("ESME01", "pw", "VMS", 0x34, 5, 9, "^7926[0-9]{7}$", sequence_number=2),
    ),
    vector(
        "bind_transceiver",
        "tables §4.1.5; interface_version is the octet 0x34 (case S11)",
        """0000001F 00000009 00000000 00000003
        "gw" 00 "secret" 00 00 34 00 00 00""",
        pdu.BindTransceiver("gw", "secret", sequence_number=3),
    ),
    vector(
        "bind_transmitter_resp-error",
        "§4.1.2: no body beside an error",
        "00000010 80000002 0000000E 00000001",
        pdu.BindTransmitterResp(command_status=0x0E, sequence_number=1),
    ),
    vector(
        "bind_receiver_resp",
        "tables §4.1.4, with sc_interface_version (§5.3.2.25)",
        '0000001D 80000001 00000000 00000002 "SMSC-01" 00 0210 0001 34',
        pdu.BindReceiverResp("SMSC-01", tlvs={0x0210: b"\x34"}, sequence_number=2),
    ),
    vector(
        "bind_receiver_resp-error-with-tlv",
        "tables §4.1.4, found by Hypothesis: without a body nobody could tell where the TLV begins",
        "00000016 80000001 0000000D 00000002 00 0210 0001 34",
        pdu.BindReceiverResp(command_status=0x0D, tlvs={0x0210: b"\x34"}, sequence_number=2),
    ),
    vector(
        "bind_transceiver_resp",
        "tables §4.1.6",
        '00000015 80000009 00000000 00000003 "SMSC" 00',
        pdu.BindTransceiverResp("SMSC", sequence_number=3),
    ),
    vector(
        "outbind",
        "tables §4.1.7",
        '0000001C 0000000B 00000000 00000001 "SMSC" 00 "secret" 00',
        pdu.Outbind("SMSC", "secret", sequence_number=1),
    ),
    vector(
        "unbind",
        "§4.2.1",
        "00000010 00000006 00000000 7FFFFFFF",
        pdu.Unbind(sequence_number=0x7FFFFFFF),
    ),
    vector("unbind_resp", "§4.2.2", "00000010 80000006 00000000 00000009", pdu.UnbindResp(sequence_number=9)),
    vector(
        "generic_nack",
        "§4.3.1, p.57, ESME_RINVCMDID",
        "00000010 80000000 00000003 00000011",
        pdu.GenericNack(command_status=0x03, sequence_number=0x11),
    ),
    vector(
        "submit_sm",
        "tables §4.4.1; ussd_service_op and its_session_info after §5.3.2.44 and §5.3.2.43",
        """00000062 00000004 00000000 0000000A
        "USSD" 00 01 01 "100" 00 01 01 "79260000003" 00
        40 7F 03 "240131235959040+" 00 "000001000000000R" 00
        11 01 08 05 04 0411 0430
        0501 0001 02  1383 0002 5A02""",
        pdu.SubmitSm(
            "USSD",
            1,
            1,
            "100",
            1,
            1,
            "79260000003",
            0x40,
            0x7F,
            3,
            "240131235959040+",
            "000001000000000R",
            0x11,
            1,
            0x08,
            5,
            "Ба".encode("utf-16-be"),
            tlvs={0x0501: b"\x02", 0x1383: b"\x5a\x02"},
            sequence_number=10,
        ),
    ),
    vector(
        "submit_sm_resp",
        "tables §4.4.2, p.67",
        '00000019 80000004 00000000 0000000A "1D305B4C" 00',
        pdu.SubmitSmResp("1D305B4C", sequence_number=10),
    ),
    vector(
        "submit_sm_resp-error",
        "§4.4.2, p.67: no body beside an error",
        "00000010 80000004 00000058 0000000B",
        pdu.SubmitSmResp(command_status=0x58, sequence_number=11),
    ),
    vector(
        "submit_multi",
        "tables §4.5.1, §4.5.1.1 and §4.5.1.2: one address, one distribution list",
        """00000043 00000021 00000000 00000005
        "CMT" 00 05 00 "STAR" 00
        02  01 01 01 "79260000004" 00  02 "FRIENDS" 00
        00 00 00 00 00 00 00 00 00 05 "HELLO" """,
        pdu.SubmitMulti(
            service_type="CMT",
            source_addr_ton=5,
            source_addr="STAR",
            dest_addresses=[SmeAddress(1, 1, "79260000004"), DistributionList("FRIENDS")],
            short_message=b"HELLO",
            sequence_number=5,
        ),
    ),
    vector(
        "submit_multi_resp",
        "tables §4.5.2 and §4.5.2.1: one recipient failed with ESME_RINVDSTADR",
        """00000026 80000021 00000000 00000005
        "7F" 00 01  01 01 "79260000004" 00 0000000B""",
        pdu.SubmitMultiResp("7F", [UnsuccessfulSme(1, 1, "79260000004", 0x0B)], sequence_number=5),
    ),
    vector(
        "deliver_sm-receipt",
        "tables §4.6.1; text of appendix B, p.167; esm_class 0x04 after §5.2.12",
        """00000087 00000005 00000000 00000006
        00 01 01 "79260000003" 00 00 00 "100" 00
        04 00 00 00 00 00 00 00 00
        58 "id:7F sub:001 dlvrd:001 submit date:2401312359 done date:2402010000 stat:DELIVRD err:000"
        """,
        pdu.DeliverSm(
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr="79260000003",
            destination_addr="100",
            esm_class=0x04,
            short_message=(
                b"id:7F sub:001 dlvrd:001 submit date:2401312359 done date:2402010000 stat:DELIVRD err:000"
            ),
            sequence_number=6,
        ),
    ),
    vector(
        "deliver_sm_resp",
        "§4.6.2: message_id is a NUL",
        "00000011 80000005 00000000 00000006 00",
        pdu.DeliverSmResp(sequence_number=6),
    ),
    vector(
        "data_sm",
        "tables §4.7.1; text in message_payload (§5.3.2.32)",
        """00000034 00000103 00000000 00000008
        "WAP" 00 00 01 "100" 00 01 01 "79260000003" 00 00 01 F5
        0424 0005 "HELLO" """,
        pdu.DataSm(
            "WAP", 0, 1, "100", 1, 1, "79260000003", 0, 1, 0xF5, tlvs={0x0424: b"HELLO"}, sequence_number=8
        ),
    ),
    vector(
        "data_sm_resp",
        "tables §4.7.2; delivery_failure_reason (§5.3.2.33)",
        '00000018 80000103 000000FE 00000008 "42" 00 0425 0001 01',
        pdu.DataSmResp("42", command_status=0xFE, tlvs={0x0425: b"\x01"}, sequence_number=8),
    ),
    vector(
        "query_sm",
        "tables §4.8.1",
        '00000019 00000003 00000000 0000000C "7F" 00 01 01 "100" 00',
        pdu.QuerySm("7F", 1, 1, "100", sequence_number=12),
    ),
    vector(
        "query_sm_resp",
        "tables §4.8.2",
        '00000026 80000003 00000000 0000000C "7F" 00 "240131235959040+" 00 02 00',
        pdu.QuerySmResp("7F", "240131235959040+", 2, 0, sequence_number=12),
    ),
    vector(
        "cancel_sm",
        "tables §4.9.1",
        '0000002B 00000008 00000000 0000000D "CMT" 00 "7F" 00 01 01 "100" 00 01 01 "79260000003" 00',
        pdu.CancelSm("CMT", "7F", 1, 1, "100", 1, 1, "79260000003", sequence_number=13),
    ),
    vector(
        "cancel_sm_resp",
        "§4.9.2",
        "00000010 80000008 00000011 0000000D",
        pdu.CancelSmResp(command_status=0x11, sequence_number=13),
    ),
    vector(
        "replace_sm",
        "tables §4.10.1",
        """00000031 00000007 00000000 0000000E
        "7F" 00 01 01 "100" 00 00 "000001000000000R" 00 01 00 03 "NEW" """,
        pdu.ReplaceSm("7F", 1, 1, "100", "", "000001000000000R", 1, 0, b"NEW", sequence_number=14),
    ),
    vector(
        "replace_sm_resp",
        "§4.10.2",
        "00000010 80000007 00000000 0000000E",
        pdu.ReplaceSmResp(sequence_number=14),
    ),
    vector(
        "enquire_link",
        "§4.11.1",
        "00000010 00000015 00000000 0000000F",
        pdu.EnquireLink(sequence_number=15),
    ),
    vector(
        "enquire_link_resp",
        "§4.11.2",
        "00000010 80000015 00000000 0000000F",
        pdu.EnquireLinkResp(sequence_number=15),
    ),
    vector(
        "alert_notification",
        "tables §4.12.1; ms_availability_status (§5.3.2.30)",
        """00000029 00000102 00000000 00000010
        01 01 "79260000003" 00 00 00 "100" 00 0422 0001 00""",
        pdu.AlertNotification(1, 1, "79260000003", 0, 0, "100", tlvs={0x0422: b"\x00"}, sequence_number=16),
    ),
]
