"""Whatever the octets: all of them explained, none twice, nothing raised, no password shown."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.smpp.errors import RemoteProtocolError
from gateway.smpp.explain import Explanation, as_json, explain, explain_all, one_line, render
from gateway.smpp.fields import (
    COctetString,
    Destinations,
    FieldKind,
    Integer,
    OctetString,
    SmeAddress,
    UnsuccessfulSme,
    rows,
)
from gateway.smpp.pdu import (
    PDU_CLASSES,
    BindReceiver,
    BindTransceiver,
    Outbind,
    Pdu,
    SubmitSm,
    decode,
    encode,
)
from tests.protocol.vectors import VECTORS

PASSWORD = "pa$$w0rd"
octet = st.integers(0, 0xFF)
latin1 = st.characters(min_codepoint=1, max_codepoint=0xFF)
tlvs = st.dictionaries(
    st.integers(0, 0xFFFF) | st.sampled_from([0x0424, 0x0501, 0x1383]), st.binary(max_size=9), max_size=4
)


def values_of(kind: FieldKind) -> st.SearchStrategy:
    match kind:
        case Integer():
            return octet
        case COctetString(size):
            return st.text(latin1, max_size=size - 1)
        case OctetString(size):
            return st.binary(max_size=size)
        case Destinations():
            return st.lists(
                st.builds(SmeAddress, octet, octet, st.text(latin1, max_size=20)), min_size=1, max_size=3
            )
    return st.lists(st.builds(UnsuccessfulSme, octet, octet, st.text(latin1, max_size=20), octet), max_size=3)


def pdus_of(pdu_class: type[Pdu]) -> st.SearchStrategy[Pdu]:
    fields = {name: values_of(kind) for name, kind in rows(pdu_class)}
    return st.builds(
        pdu_class, **fields, tlvs=tlvs, command_status=octet, sequence_number=st.integers(0, 2**32 - 1)
    )


frames = st.sampled_from(sorted(PDU_CLASSES)).flatmap(lambda id: pdus_of(PDU_CLASSES[id])).map(encode)


def with_right_length(frame: bytes | bytearray) -> bytes:
    return len(frame).to_bytes(4, "big") + bytes(frame[4:])


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A PDU with some octets changed, or with its end missing, or with something behind it."""
    frame = bytearray(draw(frames | st.sampled_from([vector.frame for vector in VECTORS])))
    for _ in range(draw(st.integers(0, 3))):
        frame[draw(st.integers(0, len(frame) - 1))] = draw(octet)
    if draw(st.booleans()):
        del frame[draw(st.integers(0, len(frame))) :]
    if draw(st.booleans()) and len(frame) >= 16:
        frame = with_right_length(frame)
    return bytes(frame) + draw(st.binary(max_size=20))


@st.composite
def with_a_password(draw: st.DrawFn) -> bytes:
    """A bind somewhere in a stream of anything, cut off or with a wrong command_length in front of it."""
    kind = draw(st.sampled_from([BindReceiver, BindTransceiver, Outbind]))
    bind = encode(kind(system_id=draw(st.text("abc", max_size=15)), password=PASSWORD))
    before = draw(st.just(b"") | frames | st.binary(max_size=40))
    if draw(st.booleans()):
        most = len(bind) + 20 if before else 2**32 - 1
        bind = draw(st.integers(16, most)).to_bytes(4, "big") + bind[4:]
    if len(before) >= 16 and draw(st.booleans()):
        before = draw(st.integers(0, len(before) + len(bind))).to_bytes(4, "big") + before[4:]
    return before + bind + draw(st.just(b"") | frames | st.binary(max_size=20))


@st.composite
def damaged_binds(draw: st.DrawFn) -> bytes:
    """A bind of which some octets behind the header are changed, missing or too many, in one place."""
    kind = draw(st.sampled_from([BindReceiver, BindTransceiver, Outbind]))
    texts = {"system_id": st.text("abc", max_size=7), "system_type": st.sampled_from(["", "x", "USSD"])}
    texts |= {"address_range": st.text("0123456789", max_size=9)}
    numbers = {"interface_version": st.sampled_from([0, 0x33, 0x34, 34])}
    numbers |= {"addr_ton": st.integers(0, 6), "addr_npi": st.sampled_from([0, 1, 8, 18])}
    there = {name for name, _ in rows(kind)}
    values = {name: draw(value) for name, value in (texts | numbers).items() if name in there}
    version = draw(st.sampled_from([{}, {0x0210: b"\x34"}]))
    bind = bytearray(encode(kind(**values, password=PASSWORD, tlvs=version)))
    at = draw(st.integers(16, len(bind)))
    bind[at : at + draw(st.integers(0, 4))] = draw(st.just(b"") | st.just(b"\0") | st.binary(max_size=4))
    return with_right_length(bind) if draw(st.booleans()) else bytes(bind)


def check_cover(explanation: Explanation, octets: bytes) -> None:
    at = 0
    for row in explanation.fields:
        assert row.offset == at, f"{row} does not begin where the row before it ends"
        assert row.octets, f"{row} is empty"
        expected = b"*" * len(row.octets) if row.masked else octets[at : at + len(row.octets)]
        assert row.octets == expected
        at = row.end
    assert at == len(octets)


@given(octets=st.binary(max_size=200) | spoiled() | frames | with_a_password())
@example(octets=b"")
@example(octets=b"\x00\x00\x00\x10")
@example(octets=bytes(16))
def test_every_octet_is_in_one_row(octets):
    check_cover(explain(octets), octets)
    each = explain_all(octets)
    at = 0
    for explanation in each:
        check_cover(explanation, octets[at : at + explanation.octets])
        at += explanation.octets
    assert at == len(octets)


@st.composite
def with_control_characters(draw: st.DrawFn) -> bytes:
    """A PDU that is sound, with something in it that a terminal would act upon."""
    frame = bytearray(draw(frames))
    for _ in range(draw(st.integers(1, 4))):
        frame[draw(st.integers(16, len(frame) - 1)) if len(frame) > 16 else 15] = draw(
            st.sampled_from(CONTROLS)
        )
    return bytes(frame)


CONTROLS = (0x01, 0x07, 0x0A, 0x0D, 0x1B, 0x7F, 0x85, 0x9B, 0xAD)
A_TIME = "0000002b000000040000000000000000000000000000000000303030303030303030303030300130300100"


@given(octets=st.binary(max_size=200) | spoiled() | frames | with_control_characters())
@example(octets=bytes.fromhex(A_TIME))
@example(octets=bytes.fromhex(A_TIME).replace(b"0\x0100", b"0\x1b00"))
@example(octets=bytes.fromhex(A_TIME).replace(b"0\x0100", b"0\xb900"))
def test_what_is_shown_has_no_control_characters_and_fits(octets):
    for explanation in explain_all(octets):
        shown = render(explanation, width=100)
        assert all(char.isprintable() or char == "\n" for char in shown)
        assert max(map(len, shown.splitlines())) <= 100
        assert json.dumps(as_json(explanation), ensure_ascii=False).isprintable()
    assert one_line(octets).isprintable()


def test_a_time_that_is_none_is_shown_as_text():
    [row] = [row for row in explain(bytes.fromhex(A_TIME)).fields if row.name == "schedule_delivery_time"]
    assert (row.value, row.note) == (r'"000000000000\x0100\x01"', "not of the form YYMMDDhhmmsstnnp")
    frame = encode(SubmitSm(schedule_delivery_time="991399999999000+", validity_period="000000003000000R"))
    notes = {row.name: row.note for row in explain(frame).fields}
    assert notes["schedule_delivery_time"] == "no such time"
    assert notes["validity_period"] == "in 30m"


@given(octets=with_a_password())
@example(octets=b"\x7f\0\0\x2f" + encode(BindReceiver(system_id="a", password=PASSWORD))[4:])
@example(octets=b"\0\0\0\x17\0\0\0\x15" + bytes(8) + encode(Outbind(system_id="a", password=PASSWORD)))
def test_no_password_is_shown(octets):
    for explanation in (explain(octets), *explain_all(octets)):
        shown = render(explanation) + json.dumps(as_json(explanation)) + repr(explanation) + one_line(octets)
        for secret in (PASSWORD, PASSWORD[1:], PASSWORD.encode().hex(" "), PASSWORD.encode().hex()):
            assert secret not in shown


@given(octets=damaged_binds(), before=st.just(b"") | frames)
@example(octets=encode(Outbind("gw", PASSWORD)).replace(b"\0pa", b"pa"), before=b"")
@example(octets=encode(BindReceiver("gw", "", PASSWORD, interface_version=0)), before=b"")
@example(octets=encode(BindReceiver("", "gw", PASSWORD, interface_version=0)), before=b"")
@example(
    octets=with_right_length(
        encode(BindReceiver("gw", PASSWORD, addr_npi=1, address_range="79")).replace(b"\0pa", b"pa")
    ),
    before=b"",
)
@example(octets=encode(BindReceiver("", "", system_type=PASSWORD)), before=b"")
def test_no_piece_of_a_password_is_shown_when_a_bind_is_damaged(octets, before):
    pieces = [PASSWORD[at : at + 4] for at in range(len(PASSWORD) - 3)]
    pieces += [form for piece in pieces for form in (piece.encode().hex(), piece.encode().hex(" "))]
    for stream in (octets, before + octets):
        for explanation in (explain(stream), *explain_all(stream)):
            shown = (
                render(explanation) + json.dumps(as_json(explanation)) + repr(explanation) + one_line(stream)
            )
            assert not [piece for piece in pieces if piece in shown]


@given(octets=spoiled() | frames)
def test_a_problem_is_told_exactly_when_a_receiver_finds_one(octets):
    size = int.from_bytes(octets[:4], "big")
    if not 16 <= size <= len(octets):
        assert explain(octets).problem
        return
    assert explain(octets).problem == fault(octets[:size])


def fault(frame: bytes) -> str | None:
    try:
        decode(frame)
    except RemoteProtocolError as error:
        return str(error)
    return None


@given(octets=spoiled() | frames)
def test_unreadable_octets_are_told_only_of_what_cannot_be_read(octets):
    explanation = explain(octets)
    unreadable = [row.name for row in explanation.fields if row.name.startswith("unreadable")]
    assert not unreadable or explanation.problem
