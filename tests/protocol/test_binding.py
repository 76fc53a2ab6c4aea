"""Cases S4 and S11: who is let in, and which version is spoken."""

import pytest

from gateway.smpp import pdu, vocabulary
from gateway.smpp.credentials import authenticator
from gateway.smpp.errors import LocalProtocolError
from gateway.smpp.events import (
    BindRefused,
    Bound,
    Closed,
)
from gateway.smpp.pdu import Pdu, encode
from gateway.smpp.session import Role, Session, SessionSettings, State
from gateway.smpp.vocabulary import RESPONSE_BIT
from tests.protocol.scene import BINDS, SETTINGS, answers, check_password, feed

# ------------------------------------------------------------------------------------------ credentials


@pytest.mark.parametrize(
    ("system_id", "password", "one_answer", "status"),
    [
        ("gw", "secret", False, "ESME_ROK"),
        ("gw", "Secret", False, "ESME_RINVPASWD"),
        ("gw", "", False, "ESME_RINVPASWD"),
        ("gw", "s\xe9cret", False, "ESME_RINVPASWD"),
        ("", "secret", False, "ESME_RINVSYSID"),
        ("nobody", "secret", False, "ESME_RINVSYSID"),
        ("nobody", "", False, "ESME_RINVSYSID"),
        ("nobody", "secret", True, "ESME_RBINDFAIL"),
        ("gw", "wrong", True, "ESME_RBINDFAIL"),
        ("gw", "secret", True, "ESME_ROK"),
    ],
)
@pytest.mark.parametrize("bind", BINDS.values())
def test_S4_credentials(bind: type[Pdu], system_id: str, password: str, one_answer: bool, status: str):
    authenticate = authenticator({"gw": "secret"}, one_answer=one_answer)
    smsc = Session(Role.SMSC, SETTINGS, 0.0, authenticate)
    [event] = feed(smsc, bind(system_id, password, sequence_number=8))
    code = vocabulary.STATUS_CODES[status]
    [answer] = answers(smsc)
    assert answer.command_id == bind.command_id | RESPONSE_BIT
    assert (answer.command_status, answer.sequence_number) == (code, 8)
    assert event == (BindRefused(code) if code else Bound(bind(system_id, password, sequence_number=8)))


def test_S4_closed_after_the_number_of_tries_that_is_set():
    smsc = Session(Role.SMSC, SessionSettings(bind_tries=2), 0.0, check_password)
    feed(smsc, pdu.BindTransceiver("gw", "wrong"))
    assert not smsc.closed
    happened = feed(smsc, pdu.BindTransceiver("gw", "wrong"), pdu.BindTransceiver("gw", "secret"))
    assert [type(event) for event in happened] == [BindRefused, Closed]
    assert [answer.command_status for answer in answers(smsc)] == [vocabulary.ESME_RINVPASWD] * 2


def test_S4_malformed_binds_are_tries_too():
    smsc = Session(Role.SMSC, SETTINGS, 0.0, check_password)
    bad = bytes.fromhex("00000011 00000009 00000000 00000001 41")
    feed(smsc, bad, bad, bad)
    assert smsc.closed


def test_S4_a_right_try_after_a_wrong_one_binds():
    smsc = Session(Role.SMSC, SETTINGS, 0.0, check_password)
    feed(smsc, pdu.BindTransceiver("gw", "wrong"), pdu.BindTransceiver("gw", "secret"))
    assert smsc.bound


def test_S4_an_smsc_must_say_whom_it_lets_in():
    with pytest.raises(ValueError, match="authenticate"):
        Session(Role.SMSC, SETTINGS, 0.0)


@pytest.mark.parametrize("refusal", [pdu.BindTransceiverResp, pdu.GenericNack])
def test_S4_a_refused_esme_stays_open_and_may_try_again(refusal: type[Pdu]):
    esme = Session(Role.ESME, SETTINGS, 0.0)
    number = esme.send(pdu.BindTransceiver("gw", "wrong"), 0.0)
    status = vocabulary.ESME_RINVPASWD
    assert feed(esme, refusal(command_status=status, sequence_number=number)) == [BindRefused(status)]
    assert (esme.state, esme.closed) == (State.OPEN, False)
    number = esme.send(pdu.BindReceiver("gw", "secret"), 0.0)
    feed(esme, pdu.BindReceiverResp("SMSC", sequence_number=number))
    assert esme.state is State.BOUND_RX


def test_a_second_bind_is_not_sent_while_the_first_is_under_way():
    esme = Session(Role.ESME, SETTINGS, 0.0)
    esme.send_encoded(encode(pdu.BindTransceiver("gw", "secret")), 0.0)
    with pytest.raises(LocalProtocolError, match="binding"):
        esme.send(pdu.BindReceiver("gw", "secret"), 0.0)


# --------------------------------------------------------------------------------------- interface_version


def test_S11_our_interface_version_is_the_octet_0x34():
    esme = Session(Role.ESME, SETTINGS, 0.0)
    esme.send(pdu.BindTransceiver("gw", "secret"), 0.0)
    octets = esme.data_to_send()
    assert octets[16:] == b"gw\0secret\0\0" + b"\x34" + b"\0\0\0"
    smsc = Session(Role.SMSC, SETTINGS, 0.0, check_password)
    smsc.receive_data(octets, 0.0)
    assert smsc.data_to_send()[16:] == b"starpound\0" + b"\x02\x10\x00\x01\x34"


@pytest.mark.parametrize(("version", "tlvs"), [(0x34, {0x0210: b"\x34"}), (0x33, {}), (0x00, {}), (34, {})])
def test_S11_what_the_esme_says_of_itself_is_kept_and_an_old_one_gets_no_tlv(version: int, tlvs: dict):
    smsc = Session(Role.SMSC, SETTINGS, 0.0, check_password)
    feed(smsc, pdu.BindTransceiver("gw", "secret", interface_version=version))
    [answer] = answers(smsc)
    assert (answer.tlvs, smsc.peer_version) == (tlvs, version)


@pytest.mark.parametrize(("tlvs", "version"), [({0x0210: b"\x33"}, 0x33), ({0x0210: b""}, 0x34), ({}, 0x34)])
def test_S11_what_the_smsc_says_of_itself_is_kept(tlvs: dict, version: int):
    esme = Session(Role.ESME, SETTINGS, 0.0)
    number = esme.send(pdu.BindTransceiver("gw", "secret"), 0.0)
    feed(esme, pdu.BindTransceiverResp("SMSC", tlvs=tlvs, sequence_number=number))
    assert esme.peer_version == version
