"""The dialect `spec`: PDUs to turns and back, and the mirror image that the simulator's centre uses."""

from pathlib import Path

import pytest

from gateway.dialect import DialectError, load_profile, profile_names
from gateway.smpp.pdu import DeliverSm, SubmitSm, decode, encode
from menus.turns import Abort, Answer, Begin, Notified

# A deliver_sm captured on a live link: issue 842 of the jasmin project.
CAPTURED = bytes.fromhex(
    "0000004400000005000000000000000250320001013636393737303931323035000101363639323330313131323100000000000000000f"
    "00062a34303036230501000101"
)
MSISDN = "79260000003"


@pytest.fixture(scope="module")
def spec():
    return load_profile("spec")


def test_the_captured_pdu(spec):
    inbound = spec.read(decode(CAPTURED))
    assert (inbound.msisdn, inbound.turn) == ("66977091205", Begin("*4006#"))
    assert inbound.key == "66977091205", "no session in the PDU: the number alone names the dialogue"


@pytest.mark.parametrize(
    ("kind", "text", "turn"),
    [
        ("new", "*105#", Begin("*105#")),
        ("answer", "1", Answer("1")),
        ("answer", "", Answer("")),
        ("answer", "привет", Answer("привет")),
        ("notified", "", Notified()),
    ],
)
def test_what_a_centre_indicates_is_the_turn_that_the_gateway_reads(spec, kind, text, turn):
    pdu = decode(encode(spec.indicate(MSISDN, "105", text, kind, session=0x5A, unit=1)))
    inbound = spec.read(pdu)
    assert inbound.turn == turn
    assert inbound.key == f"{MSISDN}/5a00"
    assert inbound.unit == 1


@pytest.mark.parametrize("name", profile_names())
def test_whoever_knows_whose_number_it_is_says_so_and_the_answer_goes_where_it_came_from(name: str):
    profile = load_profile(name)
    pdu = profile.indicate("89260000003", "105", "*105#", "new", session=1, unit=0)
    pdu.source_addr_ton, pdu.source_addr_npi = 2, 8
    inbound = profile.read(pdu, MSISDN)
    answer = profile.write(inbound.reply, "?", "ask")
    assert inbound.msisdn == MSISDN
    assert (answer.dest_addr_ton, answer.dest_addr_npi, answer.destination_addr) == (2, 8, "89260000003")


def test_a_cancel_is_an_abort(spec):
    pdu = spec.indicate(MSISDN, "105", "", "abort", session=0x5A, unit=1)
    assert isinstance(spec.read(pdu).turn, Abort)
    assert pdu.tlvs[0x1383] == bytes.fromhex("5a03"), "E is set"


def test_session_info_is_counted_up_and_marked_on_the_last(spec):
    """Session 0x5A, unit numbers in the upper seven bits, E in the lowest."""
    reply = spec.read(spec.indicate(MSISDN, "105", "*105#", "new", session=0x5A, unit=0)).reply
    assert spec.write(reply, "?", "ask").tlvs == {0x0501: b"\x02", 0x1383: bytes.fromhex("5a02")}
    assert spec.write(reply, ".", "finish").tlvs == {0x0501: b"\x11", 0x1383: bytes.fromhex("5a03")}


def test_user_message_reference_names_the_dialogue_and_comes_back(spec):
    pdu = DeliverSm(source_addr=MSISDN, short_message=b"*105#", tlvs={0x0501: b"\x01", 0x0204: b"\x00\x2a"})
    inbound = spec.read(pdu)
    assert inbound.key == f"{MSISDN}/2a"
    assert spec.write(inbound.reply, "?", "ask").tlvs[0x0204] == b"\x00\x2a"


@pytest.mark.parametrize(
    ("text", "destination", "code"),
    [
        (b"*105*00#", "105", "*105*00#"),
        (b"", "*100#", "*100#"),
        (b"", "105", "*105#"),
        (b"105", "105", "*105#"),
    ],
)
def test_the_code_is_in_the_text_or_else_in_the_address(spec, text, destination, code):
    pdu = DeliverSm(
        source_addr=MSISDN, destination_addr=destination, short_message=text, tlvs={0x0501: b"\x01"}
    )
    assert spec.read(pdu).turn == Begin(code)


def test_an_answer_goes_to_the_phone_from_the_code_that_was_dialled(spec):
    reply = spec.read(spec.indicate(MSISDN, "105", "*105#", "new", session=1, unit=0)).reply
    pdu = spec.write(reply, "Баланс", "finish")
    assert (pdu.destination_addr, pdu.source_addr, pdu.data_coding) == (MSISDN, "105", 0x48)
    assert spec.write(reply, "Balance", "finish").data_coding == 0x0F


def test_the_centre_reads_what_the_gateway_writes(spec):
    reply = spec.read(spec.indicate(MSISDN, "105", "*105#", "new", session=7, unit=0)).reply
    for kind, ends in (("ask", False), ("finish", True), ("notify", False)):
        outbound = spec.interpret(decode(encode(spec.write(reply, "€ и {}", kind))))
        assert (outbound.text, outbound.kind, outbound.ends) == ("€ и {}", kind, ends)
        assert (outbound.msisdn, outbound.session) == (MSISDN, 7)


def test_an_sms_is_no_screen(spec):
    assert spec.interpret(SubmitSm(short_message=b"hello")) is None
    assert not spec.is_ussd(DeliverSm(source_addr=MSISDN, short_message=b"hello"))


@pytest.mark.parametrize("value", [b"\x2a", b""])
def test_an_operation_without_a_meaning(spec, value):
    with pytest.raises(DialectError, match="means nothing"):
        spec.read(DeliverSm(source_addr=MSISDN, tlvs={0x0501: value}))


def test_a_screen_holds_182_septets_or_80_characters(spec):
    assert (spec.septets, spec.ucs2) == (182, 80)


def test_an_unknown_dialect_names_the_known_ones():
    with pytest.raises(DialectError, match=r"no dialect 'klingon'; there are: .*spec"):
        load_profile("klingon")


@pytest.mark.parametrize(
    ("mend", "said"),
    [
        (lambda text: text.replace("\nout:", "\noutt:"), r"unknown key outt; did you mean out\?"),
        (lambda text: text.replace("ask: 2", "ask: two"), r"out\.ask"),
        (
            lambda text: text.replace("SSSS NNNNNNNE", "SSSS NNNNNNNX"),
            "write 8 letters an octet",
        ),
        (lambda text: text + "\n  - [", "expected"),
    ],
)
def test_a_profile_with_a_fault_is_refused_with_its_place(tmp_path: Path, mend, said):
    import gateway.dialect

    text = (Path(gateway.dialect.__file__).parent.parent / "dialects" / "spec.yaml").read_text("utf-8")
    path = tmp_path / "mine.yaml"
    path.write_text(mend(text), "utf-8")
    with pytest.raises(DialectError, match=said) as error:
        load_profile(str(path))
    assert "mine.yaml" in str(error.value)


def test_every_profile_that_comes_along_loads():
    assert [load_profile(name).name for name in profile_names()] == profile_names()
