"""What docs/explanation/why-own-codec.md says of smpplib. Should one of these fail, revise that page."""

import socket
from collections.abc import Iterator

import pytest
from smpplib import client, consts, exceptions, smpp

from gateway.smpp.pdu import DeliverSm, EnquireLink, Unbind, decode, encode

USSD_SERVICE_OP = 0x0501


@pytest.fixture
def wire() -> Iterator[tuple[client.Client, socket.socket]]:
    """An ESME of smpplib, and the centre's end of its connection."""
    esme = client.Client("127.0.0.1", 1, timeout=0.05, allow_unknown_opt_params=True)
    esme._socket, centre = socket.socketpair()
    esme._socket.settimeout(0.05)
    esme.state = consts.SMPP_CLIENT_STATE_BOUND_TRX
    yield esme, centre
    esme._socket.close()
    esme._socket = None
    centre.close()


def test_ussd_service_op_in_a_deliver_sm_is_a_key_error(wire) -> None:
    esme, centre = wire
    centre.sendall(encode(DeliverSm(source_addr="1", tlvs={USSD_SERVICE_OP: b"\x01"}, sequence_number=1)))
    with pytest.raises(KeyError):
        esme.read_once()


def test_generated_it_is_left_out(wire) -> None:
    esme, _ = wire
    pdu = smpp.make_pdu("deliver_sm", client=esme, source_addr="1", short_message=b"", ussd_service_op=1)
    assert decode(pdu.generate()).tlvs == {}


def test_what_was_read_of_a_pdu_is_lost_when_the_socket_times_out(wire) -> None:
    esme, centre = wire
    frame = encode(EnquireLink(sequence_number=1))
    centre.sendall(frame[:10])
    esme.read_once()  # times out, and asks whether the centre is there
    centre.sendall(frame[10:] + encode(EnquireLink(sequence_number=2)))
    with pytest.raises(Exception):  # noqa: B017 - whatever it makes of the middle of a PDU
        esme.read_once(auto_send_enquire_link=False)


def test_an_unknown_command_raises_and_gets_no_generic_nack(wire) -> None:
    esme, centre = wire
    centre.sendall(bytes.fromhex("00000010 00000077 00000000 00000001"))
    with pytest.raises(exceptions.UnknownCommandError):
        esme.read_once()
    _says_nothing(centre)


def test_an_unbind_is_not_answered(wire) -> None:
    esme, centre = wire
    centre.sendall(encode(Unbind(sequence_number=1)))
    esme.read_once()
    _says_nothing(centre)


def _says_nothing(centre: socket.socket) -> None:
    centre.setblocking(False)
    with pytest.raises(BlockingIOError):
        centre.recv(1)
