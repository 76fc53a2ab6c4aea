"""Cases F3 and F5 to F10: PDUs that are odd, or none."""

import pytest

from gateway.smpp import pdu, vocabulary
from gateway.smpp.errors import RemoteProtocolError
from gateway.smpp.events import BindRefused, Bound, Closed, Quarantined, Request, Response, Stray
from gateway.smpp.pdu import decode, encode
from gateway.smpp.session import Role, Session, State
from tests.protocol.scene import SETTINGS, Joined, answers, check_password, events_of, feed, session
from tests.protocol.vectors import octets


def frame(command_id: int, body: str | bytes, sequence_number: int = 77, status: int = 0) -> bytes:
    body = octets(body) if isinstance(body, str) else body
    header = (16 + len(body), command_id, status, sequence_number)
    return b"".join(number.to_bytes(4, "big") for number in header) + body


# -------------------------------------------------------------------------------------- unknown commands


@pytest.mark.parametrize("state", [State.OPEN, State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX])
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("command_id", [0x00000000, 0x0000000A, 0x00000112, 0x00010200, 0x80000777])
def test_F3_unknown_command(role: Role, state: State, command_id: int):
    peer = session(role, state)
    unknown = frame(command_id, "01 02 03")
    [quarantined] = feed(peer, unknown)
    assert answers(peer) == [pdu.GenericNack(command_status=vocabulary.ESME_RINVCMDID, sequence_number=77)]
    assert (quarantined.octets, quarantined.status) == (unknown, vocabulary.ESME_RINVCMDID)
    feed(peer, pdu.EnquireLink(sequence_number=78))
    assert answers(peer) == [pdu.EnquireLinkResp(sequence_number=78)], "stays connected"


@pytest.mark.parametrize("sequence_number", [0, 0x80000000, 0xFFFFFFFF])
def test_F5_odd_sequence_numbers_of_a_peer_are_echoed(sequence_number: int):
    smsc = session(Role.SMSC, State.BOUND_TRX)
    [request] = feed(smsc, pdu.SubmitSm(short_message=b"x", sequence_number=sequence_number))
    smsc.acknowledge(request.pdu)
    feed(smsc, pdu.EnquireLink(sequence_number=sequence_number))
    assert answers(smsc) == [
        pdu.SubmitSmResp(sequence_number=sequence_number),
        pdu.EnquireLinkResp(sequence_number=sequence_number),
    ]


def test_F5_two_requests_with_one_sequence_number_both_get_their_answer():
    smsc = session(Role.SMSC, State.BOUND_TRX)
    requests = feed(smsc, *[pdu.SubmitSm(sequence_number=0)] * 2)
    for request in requests:
        smsc.acknowledge(request.pdu)
    assert answers(smsc) == [pdu.SubmitSmResp(sequence_number=0)] * 2


# ------------------------------------------------------------------------------------- malformed bodies

SUBMIT_TO_SHORT_MESSAGE = '"USSD" 00 01 01 "100" 00 01 01 "79260000003" 00 00 00 00 00 00 00 00 0F 00 '

MALFORMED = {
    "empty": (0x04, "", "ESME_RINVPARLEN"),
    "cut in a C-string": (0x04, '"USS"', "ESME_RINVPARLEN"),
    "C-string without NUL": (0x04, '"SERVICETYPE WITHOUT END"', "ESME_RINVPARLEN"),
    "C-string too long": (0x04, '"USSDXX" 00' + SUBMIT_TO_SHORT_MESSAGE[9:] + "00", "ESME_RINVPARLEN"),
    "cut in integers": (0x04, '"USSD" 00 01', "ESME_RINVPARLEN"),
    "cut before sm_length": (0x04, SUBMIT_TO_SHORT_MESSAGE, "ESME_RINVPARLEN"),
    "sm_length beyond the body": (0x04, SUBMIT_TO_SHORT_MESSAGE + '06 "HELLO"', "ESME_RINVMSGLEN"),
    "TLV head cut": (0x04, SUBMIT_TO_SHORT_MESSAGE + "00 0501 00", "ESME_RINVOPTPARSTREAM"),
    "TLV value cut": (0x04, SUBMIT_TO_SHORT_MESSAGE + "00 0501 0002 01", "ESME_RINVOPTPARSTREAM"),
    "TLV length of 65535": (0x04, SUBMIT_TO_SHORT_MESSAGE + "00 0424 FFFF 01", "ESME_RINVOPTPARSTREAM"),
    "one octet behind": (0x04, SUBMIT_TO_SHORT_MESSAGE + "00 00", "ESME_RINVOPTPARSTREAM"),
    "submit_multi to nobody": (0x21, "00 00 00 00 00", "ESME_RINVNUMDESTS"),
    "submit_multi to a bad flag": (0x21, "00 00 00 00 01 03 00", "ESME_RINVDESTFLAG"),
    "submit_multi cut": (0x21, '00 00 00 00 02 01 01 01 "7926" 00', "ESME_RINVPARLEN"),
    "data_sm cut": (0x0103, "00 01 01 00", "ESME_RINVPARLEN"),
    "query_sm, id of 65 characters": (0x03, "41" * 65 + "00 00 00 00", "ESME_RINVPARLEN"),
    "cancel_sm cut": (0x08, "00", "ESME_RINVPARLEN"),
    "replace_sm cut": (0x07, '"1" 00', "ESME_RINVPARLEN"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_F6_malformed_body(case: str):
    command_id, body, status_name = MALFORMED[case]
    status = vocabulary.STATUS_CODES[status_name]
    bad = frame(command_id, body)
    smsc = session(Role.SMSC, State.BOUND_TRX)
    [quarantined] = feed(smsc, bad)
    assert isinstance(quarantined, Quarantined)
    assert (quarantined.octets, quarantined.status) == (bad, status), quarantined.reason
    [answer] = answers(smsc)
    assert answer.command_id == command_id | 0x80000000, "the response of the request itself"
    assert (answer.command_status, answer.sequence_number) == (status, 77)
    assert not smsc.closed
    assert smsc.owed == 0


def test_F6_a_good_pdu_behind_a_malformed_one_is_not_lost():
    smsc = session(Role.SMSC, State.BOUND_TRX)
    happened = feed(smsc, frame(0x04, ""), pdu.SubmitSm(short_message=b"fine", sequence_number=78))
    assert [type(event) for event in happened] == [Quarantined, Request]


def test_F6_malformed_enquire_link_and_unbind():
    smsc = session(Role.SMSC, State.BOUND_TRX)
    feed(smsc, frame(0x15, "01"), frame(0x06, "01"))
    bad = {"command_status": vocabulary.ESME_RINVOPTPARSTREAM, "sequence_number": 77}
    assert answers(smsc) == [pdu.EnquireLinkResp(**bad), pdu.UnbindResp(**bad)]
    assert smsc.bound


def test_F6_malformed_alert_notification_has_only_generic_nack():
    esme = session(Role.ESME, State.BOUND_TRX)
    feed(esme, frame(0x0102, "01"))
    assert answers(esme) == [pdu.GenericNack(command_status=vocabulary.ESME_RINVPARLEN, sequence_number=77)]


def test_F6_of_a_malformed_bind_only_the_header_is_kept():
    smsc = Session(Role.SMSC, SETTINGS, 0.0, check_password)
    bad = frame(0x09, '"gw" 00 "a password of many letters" 00 00 34 00 00 00')
    happened = feed(smsc, bad)
    assert [type(event) for event in happened] == [Quarantined, BindRefused]
    assert happened[0].octets == bad[:16]
    assert "letters" not in repr(happened)
    [answer] = answers(smsc)
    assert (answer.name, answer.command_status) == ("bind_transceiver_resp", vocabulary.ESME_RINVPARLEN)


def test_F6_malformed_response_counts_by_its_header():
    joined = Joined().bind()
    number = joined.esme.send(pdu.SubmitSm(short_message=b"x"), joined.now, "context")
    [quarantined, response] = feed(joined.esme, frame(0x80000004, "41 42", number))
    assert isinstance(quarantined, Quarantined)
    assert response == Response(pdu.SubmitSmResp(sequence_number=number), "context")
    assert joined.esme.pending == 0


def test_F6_every_cut_of_every_request_is_answered():
    whole = encode(
        pdu.SubmitSm("USSD", 1, 1, "100", 1, 1, "79260000003", short_message=b"hi", tlvs={0x501: b"\x02"})
    )
    for size in range(16, len(whole)):
        cut = size.to_bytes(4, "big") + whole[4:size]
        smsc = session(Role.SMSC, State.BOUND_TRX)
        happened = feed(smsc, cut)
        if isinstance(happened[0], Request):
            assert size == len(whole) - 5, "only the cut exactly before the TLV leaves a PDU"
        else:
            assert len(answers(smsc)) == 1, f"cut behind octet {size}"


# ---------------------------------------------------------------------------------------------- TLVs


@pytest.mark.parametrize("tag", [0x0501, 0x1383, 0x1400, 0x1501, 0x3FFF, 0x4001, 0x0000, 0xFFFF, 0x0007])
@pytest.mark.parametrize(
    "command", [pdu.DeliverSm, pdu.SubmitSm, pdu.EnquireLink, pdu.Unbind, pdu.DeliverSmResp]
)
def test_F7_any_tlv_in_any_pdu(tag: int, command: type[pdu.Pdu]):
    original = command(tlvs={tag: b"\x01\x00\xff", 0x0204: b""}, sequence_number=3)
    assert decode(encode(original)) == original


def test_F8_of_a_tlv_that_comes_twice_the_last_counts():
    esme = session(Role.ESME, State.BOUND_TRX)
    twice = frame(0x05, SUBMIT_TO_SHORT_MESSAGE + "00 0501 0001 01 1383 0002 5A00 0501 0001 12")
    [request] = feed(esme, twice)
    assert request.pdu.tlvs == {0x0501: b"\x12", 0x1383: b"\x5a\x00"}


# ----------------------------------------------------------------------------------------- responses


@pytest.mark.parametrize("status", [0x400, 0x4FF, 0x09, 0x500, 0xFFFFFFFF])
def test_F9_vendor_and_reserved_status_stays_a_number(status: int):
    joined = Joined().bind()
    number = joined.esme.send(pdu.SubmitSm(), joined.now)
    [response] = feed(joined.esme, frame(0x80000004, "", number, status))
    assert response.pdu.command_status == status
    assert f"0x{status:08X}" in repr(response.pdu)


@pytest.mark.parametrize("body", ["", "00", '"42" 00', "00 0425 0001 01"])
@pytest.mark.parametrize("status", [0, 0x58])
@pytest.mark.parametrize("request_class", [pdu.SubmitSm, pdu.DataSm])
def test_F10_response_with_and_without_body(request_class: type[pdu.Pdu], status: int, body: str):
    joined = Joined().bind()
    number = joined.esme.send(request_class(), joined.now, "mine")
    [response] = feed(joined.esme, frame(request_class.command_id | 0x80000000, body, number, status))
    assert isinstance(response, Response)
    assert (response.pdu.command_status, response.context) == (status, "mine")
    assert response.pdu.message_id == ("42" if '"42"' in body else "")


@pytest.mark.parametrize("body", ["", '"SMSC" 00', '"SMSC"'])
def test_F10_bind_response_with_and_without_body(body: str):
    esme = Session(Role.ESME, SETTINGS, 0.0)
    number = esme.send(pdu.BindTransceiver("gw", "secret"), 0.0)
    happened = feed(esme, frame(0x80000009, body, number))
    assert len(events_of(Bound, happened)) == 1
    assert esme.state is State.BOUND_TRX


def test_a_response_cut_short_of_nobody_is_only_stray():
    esme = session(Role.ESME, State.BOUND_TRX)
    assert feed(esme, frame(0x80000004, "41 42", 999)) == [Stray(0x80000004, 999, 0)]


# --------------------------------------------------------------------------------------- decode itself


@pytest.mark.parametrize("octets", [b"", b"\0" * 15, b"\0\0\0\x11" + bytes(12)])
def test_decode_wants_exactly_one_pdu(octets: bytes):
    with pytest.raises(RemoteProtocolError) as caught:
        decode(octets)
    assert caught.value.fatal
    assert caught.value.status == vocabulary.ESME_RINVCMDLEN


def test_decode_names_an_unknown_command():
    with pytest.raises(RemoteProtocolError, match="0x00000112") as caught:
        decode(frame(0x112, ""))
    assert (caught.value.status, caught.value.fatal) == (vocabulary.ESME_RINVCMDID, False)
    assert (caught.value.sequence_number, caught.value.command_id) == (77, 0x112)


def test_closed_says_nothing_of_the_body():
    smsc = Session(Role.SMSC, SETTINGS, 0.0, check_password)
    feed(smsc, pdu.EnquireLink())
    [closed] = events_of(Closed, feed(smsc, octets("FFFFFFFF 00000009 00000000 00000001") + b"gw\0hunter2\0"))
    assert "hunter2" not in closed.reason
