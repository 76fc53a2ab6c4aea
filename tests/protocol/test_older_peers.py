"""Case S10: a peer whose interface_version is below 0x34 gets what it can read."""

import pytest

from gateway.smpp import pdu
from gateway.smpp.errors import LocalProtocolError
from gateway.smpp.events import Request
from gateway.smpp.pdu import Pdu, decode, encode
from gateway.smpp.session import Role, Session
from tests.protocol.scene import SETTINGS, answers, check_password, feed

USSD = {0x0501: b"\x02", 0x1383: b"\x5a\x02"}


def towards(role: Role, version: int) -> Session:
    """A session of ``role``, bound as a transceiver to a peer of this version."""
    if role is Role.SMSC:
        ours = Session(role, SETTINGS, 0.0, check_password)
        feed(ours, pdu.BindTransceiver("gw", "secret", interface_version=version, sequence_number=1))
    else:
        ours = Session(role, SETTINGS, 0.0)
        number = ours.send(pdu.BindTransceiver("gw", "secret"), 0.0)
        said = {0x0210: bytes([version])}
        feed(ours, pdu.BindTransceiverResp("SMSC", tlvs=said, sequence_number=number))
    ours.data_to_send()
    return ours


def request_of(role: Role, **fields: object) -> Pdu:
    return pdu.DeliverSm(**fields) if role is Role.SMSC else pdu.SubmitSm(**fields)


@pytest.mark.parametrize("version", [0x33, 34])  # 34 in decimal: the mistake of case S11, made by a peer
@pytest.mark.parametrize("role", Role)
def test_S10_requests_carry_no_tlvs(role: Role, version: int):
    ours = towards(role, version)
    given = request_of(role, short_message=b"*100#", tlvs=dict(USSD))
    number = ours.send(given, 0.0, "mine")
    encoded = ours.send_encoded(encode(given), 0.0, "mine, too")
    first, second = answers(ours)
    assert (first.tlvs, first.short_message, first.sequence_number) == ({}, b"*100#", number)
    assert (second.tlvs, second.short_message, second.sequence_number) == ({}, b"*100#", encoded)
    assert given.tlvs == USSD, "the program's PDU is its own"


def test_S10_an_esme_that_says_version_0_is_an_old_one():
    smsc = towards(Role.SMSC, 0x00)
    smsc.send(pdu.DeliverSm(tlvs=dict(USSD)), 0.0)
    assert answers(smsc)[0].tlvs == {}


@pytest.mark.parametrize("role", Role)
def test_S10_a_peer_of_our_version_gets_all(role: Role):
    ours = towards(role, 0x34)
    ours.send(request_of(role, tlvs=dict(USSD)), 0.0)
    ours.send_encoded(encode(request_of(role, tlvs=dict(USSD))), 0.0)
    assert [sent.tlvs for sent in answers(ours)] == [USSD, USSD]


def test_S10_responses_carry_no_tlvs_and_ids_of_eight_characters():
    smsc = towards(Role.SMSC, 0x33)
    [asked, queried] = feed(smsc, pdu.SubmitSm(sequence_number=1), pdu.QuerySm("1", sequence_number=2))
    smsc.send(asked.pdu.respond(message_id="2026112200000007", tlvs={0x1400: b"x"}), 0.0)
    smsc.send(queried.pdu.respond(message_id="short", message_state=2), 0.0)
    submitted, state = answers(smsc)
    assert submitted == pdu.SubmitSmResp("00000007", sequence_number=1), "the end of the id, where ids differ"
    assert state == pdu.QuerySmResp("short", message_state=2, sequence_number=2)


def test_S10_questions_about_messages_use_the_short_id_as_well():
    esme = towards(Role.ESME, 0x33)
    esme.send(pdu.QuerySm("2026112200000007"), 0.0)
    assert answers(esme)[0].message_id == "00000007"


@pytest.mark.parametrize("role", Role)
def test_S10_a_text_in_message_payload_moves_into_short_message(role: Role):
    ours = towards(role, 0x33)
    ours.send(request_of(role, tlvs={0x0424: b"a" * 254}), 0.0)
    [sent] = answers(ours)
    assert (sent.short_message, sent.tlvs) == (b"a" * 254, {})


@pytest.mark.parametrize(
    "homeless",
    [pdu.SubmitSm(tlvs={0x0424: b"a" * 255}), pdu.DataSm(tlvs={0x0424: b"a"})],
    ids=["too long", "data_sm"],
)
def test_S10_a_text_that_has_no_place_is_refused_to_the_program_and_not_lost(homeless: Pdu):
    esme = towards(Role.ESME, 0x33)
    with pytest.raises(LocalProtocolError, match="older than SMPP"):
        esme.send(homeless, 0.0)
    with pytest.raises(LocalProtocolError, match="older than SMPP"):
        esme.send_encoded(encode(homeless), 0.0)
    assert (esme.pending, esme.data_to_send()) == (0, b"")


def test_S10_what_an_old_peer_sends_is_read_all_the_same():
    smsc = towards(Role.SMSC, 0x33)
    [request] = feed(smsc, pdu.SubmitSm(tlvs=dict(USSD), sequence_number=1))
    assert isinstance(request, Request)
    assert request.pdu.tlvs == USSD
    smsc.acknowledge(request.pdu)
    assert decode(smsc.data_to_send()) == pdu.SubmitSmResp(sequence_number=1)
