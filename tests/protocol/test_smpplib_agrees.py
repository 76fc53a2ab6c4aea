"""smpplib, which shares nothing with our codec, reads what we write and writes what we read."""

import pytest
from smpplib import smpp
from smpplib.client import SimpleSequenceGenerator

from gateway.smpp import pdu
from gateway.smpp.pdu import Pdu, decode, encode

MESSAGE = {
    "service_type": "USSD",
    "source_addr_ton": 1,
    "source_addr_npi": 1,
    "source_addr": "100",
    "dest_addr_ton": 1,
    "dest_addr_npi": 1,
    "destination_addr": "79260000003",
    "esm_class": 0x40,
    "protocol_id": 0x7F,
    "priority_flag": 2,
    "schedule_delivery_time": "240131235959040+",
    "validity_period": "000001000000000R",
    "registered_delivery": 1,
    "replace_if_present_flag": 1,
    "data_coding": 8,
    "sm_default_msg_id": 3,
    "short_message": "Баланс".encode("utf-16-be"),
}
BIND = {
    "system_id": "gw",
    "password": "secret",
    "system_type": "VMS",
    "interface_version": 0x34,
    "addr_ton": 1,
    "addr_npi": 2,
    "address_range": "^79",
}
ADDRESS = {"source_addr_ton": 1, "source_addr_npi": 1, "source_addr": "100"}
CASES = [
    ("bind_transmitter", BIND),
    ("bind_receiver", BIND),
    ("bind_transceiver", BIND),
    ("submit_sm", MESSAGE),
    ("deliver_sm", MESSAGE),
    ("query_sm", {"message_id": "7F", **ADDRESS}),
    ("submit_sm_resp", {"message_id": "7F"}),
    ("deliver_sm_resp", {"message_id": ""}),
    ("unbind", {}),
    ("unbind_resp", {}),
    ("enquire_link", {}),
    ("enquire_link_resp", {}),
]


def ours(name: str, fields: dict) -> Pdu:
    command = next(one for one in pdu.PDU_CLASSES.values() if one().name == name)
    return command(**fields, sequence_number=42)


@pytest.mark.parametrize(("name", "fields"), CASES, ids=[name for name, _ in CASES])
def test_we_read_what_smpplib_writes(name: str, fields: dict):
    theirs = smpp.make_pdu(name, sequence=42, **fields)
    theirs.sequence = 42
    assert decode(theirs.generate()) == ours(name, fields)


@pytest.mark.parametrize(("name", "fields"), CASES, ids=[name for name, _ in CASES])
def test_smpplib_reads_what_we_write(name: str, fields: dict):
    theirs = smpp.parse_pdu(encode(ours(name, fields)), client=SimpleSequenceGenerator())
    assert (theirs.command, theirs.sequence) == (name, 42)
    for field, value in fields.items():
        read = getattr(theirs, field)
        assert read == (value.encode("latin-1") if isinstance(value, str) else value), field
