"""SMS of a link: text to PDUs and back, by the link's own tables."""

import pytest

from data.model import MessagePart, Outgoing
from gateway.smpp.long_messages import read_part
from gateway.smpp.pdu import DataSm, DeliverSm, SubmitSm, decode, encode
from gateway.smpp.text import data_coding_table, decode_text, sending_table
from gateway.smpp.user_data_header import Part
from gateway.smpp.vocabulary import MESSAGE_PAYLOAD
from gateway.turns.sms import ReceivedPart, SmsStyle, carried_in, relative_time

SENDER, MSISDN = "000105", "79260000003"
LONG = "Остаток по пакетам: " + "0123456789" * 12


def style(receive=None, send=None, form="udh8", receipts=False):
    return SmsStyle(
        data_coding_table("sms", receive or {}),
        sending_table(send or {"gsm7": 0, "ucs2": 8}),
        form,
        86_400,
        receipts,
    )


def frames(text, carrier=SubmitSm, **changes):
    return [decode(frame) for frame in style(**changes).frames(carrier, message(text))]


def message(text, id=1, address=""):
    return Outgoing(id, "ussdc", MSISDN, "sms", 0.0, 1.0, None, SENDER, text, address)


# --- out


def test_the_first_alphabet_that_has_every_letter_is_taken():
    send = {"latin1": 3, "gsm7": 0, "ucs2": 8}
    assert [frames(text, send=send)[0].data_coding for text in ("ü", "Ω", "Ж")] == [3, 0, 8]


def test_a_short_text_is_one_message_to_the_subscriber():
    (pdu,) = frames("Баланс 1")
    assert (pdu.source_addr, pdu.destination_addr, pdu.dest_addr_ton, pdu.dest_addr_npi) == (
        SENDER,
        MSISDN,
        1,
        1,
    )
    assert decode_text(pdu.short_message, "ucs2") == "Баланс 1"


@pytest.mark.parametrize("form", ["udh8", "udh16", "sar", "payload"])
@pytest.mark.parametrize("carrier", [SubmitSm, DeliverSm])
def test_a_long_text_in_each_form_comes_back_whole(form, carrier):
    here, store = style(form=form), {}
    for pdu in frames(LONG, carrier, form=form):
        read = here.read(pdu)
        if form == "payload":
            assert read == LONG
            return
        store[read.part.number] = read
    parts = [_kept(number, piece) for number, piece in sorted(store.items())]
    assert here.join(parts) == LONG


def _kept(number, piece, total=2):
    return MessagePart("l", "m", "t", "1", number, total, piece.data_coding, piece.octets, 0.0)


def test_what_only_a_submit_sm_may_say():
    (submitted,), (delivered,) = frames("hi", SubmitSm, receipts=True), frames("hi", DeliverSm, receipts=True)
    assert (submitted.validity_period, submitted.registered_delivery) == ("000001000000000R", 1)
    assert (delivered.validity_period, delivered.registered_delivery) == ("", 0)


def test_what_no_alphabet_of_the_link_has_is_a_question_mark():
    (pdu,) = frames("Баланс: 5 €", send={"ascii": 1, "gsm7": 0})
    assert decode_text(pdu.short_message, "gsm7") == "??????: 5 €"


@pytest.mark.parametrize(
    ("seconds", "period"),
    [
        (0, "000000000000000R"),
        (59.9, "000000000059000R"),
        (3_600, "000000010000000R"),
        (90_061, "000001010101000R"),
        (99 * 86_400 + 3_599, "000099005959000R"),
    ],
)
def test_relative_time(seconds, period):
    assert relative_time(seconds) == period


@pytest.mark.parametrize(("was", "now"), [(SubmitSm, DeliverSm), (DeliverSm, SubmitSm)])
def test_the_same_message_in_the_other_carrier(was, now):
    before = was(
        source_addr=SENDER,
        destination_addr=MSISDN,
        esm_class=0x40,
        data_coding=8,
        short_message=b"\x05\x00\x03\x01\x02\x01\x00A",
        tlvs={0x1401: b"x"},
    )
    after = decode(carried_in(encode(before), now))
    assert type(after) is now
    for name in ("source_addr", "destination_addr", "esm_class", "data_coding", "short_message", "tlvs"):
        assert getattr(after, name) == getattr(before, name), name


# --- in


def test_the_data_coding_of_a_link_says_what_the_octets_are():
    pdu = DeliverSm(data_coding=0, short_message=b"\xfc")
    assert style(receive={"0x00": "latin1"}).read(pdu) == "ü"
    assert style(receive={"0x00": "binary"}).read(pdu) is None


@pytest.mark.parametrize("data_coding", [2, 4, 0x0B])
def test_what_is_no_text_is_none(data_coding):
    assert style().read(DeliverSm(data_coding=data_coding, short_message=b"\x00\x01")) is None


def test_a_payload_and_a_data_sm_are_read_as_well():
    tlvs = {MESSAGE_PAYLOAD: "Ж".encode("utf-16-be")}
    assert style().read(DeliverSm(data_coding=8, tlvs=tlvs)) == "Ж"
    assert style().read(DataSm(data_coding=8, tlvs=tlvs)) == "Ж"
    assert style().read(DataSm()) == ""


def test_one_part_of_one_is_whole():
    pdu = DeliverSm(esm_class=0x40, short_message=b"\x05\x00\x03\x01\x01\x01hi")
    assert style().read(pdu) == "hi"


def test_a_piece_is_what_comes_behind_the_header():
    pdu = DeliverSm(esm_class=0x40, short_message=b"\x06\x08\x04\x00\x00\x03\x02hi")
    assert style().read(pdu) == ReceivedPart(Part(0, 3, 2), b"hi", 0)


def test_a_character_may_be_cut_between_two_parts():
    """Some handsets cut a surrogate pair; others an escape from its letter."""
    smile = "😀".encode("utf-16-be")
    pieces = [ReceivedPart(Part(1, 2, 1), smile[:2], 8), ReceivedPart(Part(1, 2, 2), smile[2:], 8)]
    assert style().join(_kept(i + 1, piece) for i, piece in enumerate(pieces)) == "😀"
    pieces = [ReceivedPart(Part(1, 2, 1), b"5 \x1b", 0), ReceivedPart(Part(1, 2, 2), b"e", 0)]
    assert style().join(_kept(i + 1, piece) for i, piece in enumerate(pieces)) == "5 €"


def test_packed_parts_are_joined_by_septets():
    here = style(receive={"0x0F": "gsm7-packed"}, send={"gsm7-packed": 0x0F})
    text = "0123456789" * 20
    pdus = [decode(frame) for frame in here.frames(SubmitSm, message(text))]
    pieces = [here.read(pdu) for pdu in pdus]
    assert here.join(_kept(i + 1, piece) for i, piece in enumerate(pieces)) == text


def test_a_part_whose_alphabet_is_unknown_takes_no_other_with_it():
    pieces = [ReceivedPart(Part(1, 2, 1), b"\x00\x01", 4), ReceivedPart(Part(1, 2, 2), b"hi", 0)]
    assert style().join(_kept(i + 1, piece) for i, piece in enumerate(pieces)) == "hi"


def reference(id):
    (part, _, _) = read_part(decode(style(form="udh16").frames(SubmitSm, message(LONG, id))[0]))
    return part.reference


def test_a_message_that_is_sent_again_has_its_reference_and_another_one_has_not():
    """A handset that had some of the parts already goes on with them."""
    assert reference(70_000) == reference(70_000)
    assert reference(70_000) != reference(70_001)


@pytest.mark.parametrize(
    ("address", "there"),
    [
        ("", (1, 1, MSISDN)),
        ("2/1/9260000003", (2, 1, "9260000003")),
        ("0/0/+79260000003", (0, 0, "+79260000003")),
        ("3/0/900", (3, 0, "900")),
    ],
)
def test_an_answer_goes_to_the_number_as_the_question_wrote_it(address, there):
    (frame,) = style().frames(SubmitSm, message("hi", address=address))
    pdu = decode(frame)
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == there
