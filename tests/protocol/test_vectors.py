"""Every vector: read whole, octet by octet, with octets behind it, and written again."""

import pytest

from gateway.smpp.framing import Framer
from gateway.smpp.pdu import PDU_CLASSES, decode, encode
from tests.protocol.vectors import VECTORS, Vector

each = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.id)


@each
def test_whole(vector: Vector):
    assert decode(vector.frame) == vector.pdu


@each
def test_encoded_again(vector: Vector):
    assert encode(vector.pdu).hex(" ") == vector.frame.hex(" ")


@each
def test_octet_by_octet(vector: Vector):
    framer = Framer(65536)
    early = [frame for octet in vector.frame[:-1] for frame in framer.receive(bytes([octet]))]
    assert early == []
    [(frame, *_)] = framer.receive(vector.frame[-1:])
    assert decode(frame) == vector.pdu


@each
def test_split_in_two_anywhere(vector: Vector):
    for cut in range(len(vector.frame) + 1):
        framer = Framer(65536)
        parts = vector.frame[:cut], vector.frame[cut:]
        frames = [frame for part in parts for frame, *_ in framer.receive(part)]
        assert frames == [vector.frame], f"split behind octet {cut}"


@each
def test_with_trailing_octets(vector: Vector):
    framer = Framer(65536)
    [(frame, *_)] = framer.receive(vector.frame + b"\x00\x00\x00")
    assert (decode(frame), framer.waiting) == (vector.pdu, 3)


def test_all_vectors_in_one_read():
    stream = b"".join(vector.frame for vector in VECTORS)
    frames = [frame for frame, *_ in Framer(65536).receive(stream)]
    assert [decode(frame) for frame in frames] == [vector.pdu for vector in VECTORS]


def test_every_command_has_a_vector():
    assert {vector.pdu.command_id for vector in VECTORS} == set(PDU_CLASSES)


def test_worked_example_of_the_specification_has_47_octets():
    assert len(VECTORS[0].frame) == 47
