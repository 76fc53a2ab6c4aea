"""Cases F1, F2 and F4: the stream and its end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.smpp import pdu
from gateway.smpp.events import Bound, Closed, Quarantined, Request
from gateway.smpp.framing import Framer, digest
from gateway.smpp.pdu import encode
from gateway.smpp.session import Role, Session, SessionSettings, State
from gateway.smpp.vocabulary import ESME_RINVCMDLEN
from tests.protocol.scene import SETTINGS, Joined, answers, check_password, events_of, feed, session
from tests.protocol.vectors import octets

FOREIGN = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: example\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": octets("16 03 01 02 00 01 00 01 FC 03 03") + bytes(300),
    "RDP": octets("03 00 00 13 0E E0 00 00 00 00 00 01 00 08 00 03 00 00 00"),
    "AMQP": b"AMQP\x00\x00\x09\x01",
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
}


def test_F1_split_at_every_octet_during_the_bind():
    for cut in range(1, 31):
        smsc = Session(Role.SMSC, SETTINGS, 0.0, check_password)
        frame = encode(pdu.BindTransceiver("gw", "secret", sequence_number=1))
        smsc.receive_data(frame[:cut], 0.0)
        assert (smsc.events(), smsc.data_to_send()) == ([], b"")
        [bound] = feed(smsc, frame[cut:])
        assert isinstance(bound, Bound)


def test_F1_messages_in_the_same_read_as_the_bind_response():
    joined = Joined()
    joined.esme.send(pdu.BindTransceiver("gw", "secret"), joined.now)
    joined.smsc.receive_data(joined.esme.data_to_send(), joined.now)
    for number in range(3):
        joined.smsc.send(pdu.DeliverSm(short_message=b"*%d#" % number), joined.now)
    joined.esme.receive_data(joined.smsc.data_to_send(), joined.now)
    happened = joined.esme.events()
    assert [type(event) for event in happened] == [Bound, Request, Request, Request]
    assert [event.pdu.short_message for event in happened[1:]] == [b"*0#", b"*1#", b"*2#"]


def test_F1_thousands_of_pdus_in_one_read():
    settings = SessionSettings(peer_window=10_000)
    frame = encode(pdu.DeliverSm(short_message=b"*100#", sequence_number=5))
    happened = feed(session(Role.ESME, State.BOUND_TRX, settings), frame * 5000 + frame[:20])
    assert len(happened) == 5000


@pytest.mark.parametrize("length", [0, 1, 15, 65537, 0xFFFFFFFF])
def test_F2_wrong_command_length_is_nacked_and_closed(length: int):
    smsc = session(Role.SMSC, State.BOUND_TRX)
    good = encode(pdu.EnquireLink(sequence_number=7))
    happened = feed(smsc, good, length.to_bytes(4, "big") + octets("00000004 00000000 00000009 00"), good)
    assert answers(smsc) == [
        pdu.EnquireLinkResp(sequence_number=7),
        pdu.GenericNack(command_status=ESME_RINVCMDLEN, sequence_number=9),
    ]
    assert [type(event) for event in happened] == [Quarantined, Closed]
    assert happened[0].octets[:4] == length.to_bytes(4, "big")
    assert smsc.closed
    assert smsc.state is State.CLOSED


def test_F2_four_octets_are_enough_to_see_it():
    smsc = session(Role.SMSC, State.BOUND_TRX)
    feed(smsc, octets("00 10 00 01"))
    assert answers(smsc) == [pdu.GenericNack(command_status=ESME_RINVCMDLEN, sequence_number=0)]
    assert smsc.closed


def test_F2_the_limit_is_a_setting_and_belongs_to_it():
    settings = SessionSettings(max_pdu_octets=100)
    largest = encode(pdu.DataSm(tlvs={0x0424: bytes(70)}, sequence_number=1))
    assert len(largest) == 100
    assert len(events_of(Request, feed(session(Role.SMSC, State.BOUND_TRX, settings), largest))) == 1
    one_more = encode(pdu.DataSm(tlvs={0x0424: bytes(71)}, sequence_number=1))
    smsc = session(Role.SMSC, State.BOUND_TRX, settings)
    feed(smsc, one_more[:4])
    assert smsc.closed


@pytest.mark.parametrize("protocol", FOREIGN)
@pytest.mark.parametrize("size", [4, 5, 8, 1000])
def test_F4_another_protocol_is_named_and_closed(protocol: str, size: int):
    smsc = Session(Role.SMSC, SETTINGS, 0.0, check_password)
    quarantined, closed = feed(smsc, FOREIGN[protocol][:size])
    assert isinstance(closed, Closed)
    assert quarantined.octets == FOREIGN[protocol][: min(size, 16)]
    assert protocol in quarantined.reason
    assert closed.reason.startswith(f"the peer speaks {protocol}, not SMPP")
    assert smsc.closed
    assert smsc.data_to_send() == b"", "nobody there understands a generic_nack"


@pytest.mark.parametrize("protocol", FOREIGN)
def test_F4_octet_by_octet(protocol: str):
    smsc = Session(Role.SMSC, SETTINGS, 0.0, check_password)
    for octet in FOREIGN[protocol]:
        smsc.receive_data(bytes([octet]), 0.0)
    _, closed = smsc.events()
    assert protocol in closed.reason


def test_F4_in_the_middle_of_a_session_it_is_only_a_wrong_length():
    smsc = session(Role.SMSC, State.BOUND_TRX)
    feed(smsc, FOREIGN["HTTP"])
    assert [type(answer) for answer in answers(smsc)] == [pdu.GenericNack]


def test_an_unfinished_pdu_is_counted_when_the_connection_ends():
    smsc = session(Role.SMSC, State.BOUND_TRX)
    smsc.receive_data(encode(pdu.EnquireLink())[:9], 0.0)
    smsc.receive_eof(0.0)
    [closed] = smsc.events()
    assert "in the middle of a PDU (9 octets)" in closed.reason


def test_a_large_pdu_octet_by_octet_is_kept_in_one_buffer():
    framer = Framer(65536)
    frame = encode(pdu.DataSm(tlvs={0x0424: bytes(60000)}))
    before = [found for octet in frame[:-1] for found in framer.receive(bytes([octet]))]
    assert (before, framer.waiting) == ([], len(frame) - 1)
    assert [found[0] for found in framer.receive(frame[-1:])] == [frame]


ONE_DELIVERY = encode(pdu.DeliverSm(source_addr="79260000003", short_message=b"1", sequence_number=7))


@pytest.mark.parametrize("sequence_number", [0, 1, 8, 0x7FFFFFFF])
def test_a_message_that_is_delivered_again_has_the_same_digest(sequence_number: int):
    again = ONE_DELIVERY[:12] + sequence_number.to_bytes(4, "big") + ONE_DELIVERY[16:]
    assert digest(again) == digest(ONE_DELIVERY)


def test_any_other_octet_makes_another_digest():
    for place in [*range(12), *range(16, len(ONE_DELIVERY))]:
        changed = bytearray(ONE_DELIVERY)
        changed[place] ^= 1
        assert digest(bytes(changed)) != digest(ONE_DELIVERY), f"octet {place}"


def test_one_octet_more_or_fewer_makes_another_digest():
    longer, shorter = ONE_DELIVERY + b"\0", ONE_DELIVERY[:-1]
    assert len({digest(ONE_DELIVERY), digest(longer), digest(shorter)}) == 3


@given(st.binary(min_size=16, max_size=200))
def test_a_digest_is_a_signed_integer_of_64_bits(frame: bytes):
    assert -(2**63) <= digest(frame) < 2**63
