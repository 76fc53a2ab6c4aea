"""Naming the dialect of a trace, and writing a profile from it."""

import re
from pathlib import Path

import pytest

from gateway.dialect import load_profile, profile_names, read_profile
from gateway.dialect.derive import write_profile
from gateway.dialect.detect import MOST_MESSAGES, rank, read_trace, session_key
from gateway.dumps.hexdump import read_hexdump
from gateway.smpp.pdu import DataSm, DeliverSm, EnquireLink, SubmitSm, decode, encode
from menus.turns import Answer, Begin

EXCHANGES = Path(__file__).parents[2] / "dialects"


def scenes(name):
    """The golden scenes of a dialect, by title."""
    parts = re.split(r"^== (.*)$", (EXCHANGES / f"{name}.pdus").read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def candidates(text):
    return rank(read_trace(read_hexdump(text)))


@pytest.mark.parametrize("name", profile_names())
def test_a_dialogue_and_a_cancel_name_the_dialect(name):
    played = scenes(name)
    ranked = candidates(played["dial, ask, answer, finish"] + played["the subscriber cancels"])
    assert ranked[0].name == name, [(one.name, one.points, one.against) for one in ranked[:3]]
    assert ranked[0].inward is DeliverSm
    assert not ranked[0].against


@pytest.mark.parametrize("name", profile_names())
def test_a_centre_that_binds_as_an_esme_is_seen_as_such(name):
    played = scenes(name)
    ranked = candidates(played["the centre is the ESME: submit_sm to the gateway, deliver_sm back"])
    assert (ranked[0].name, ranked[0].inward) == (name, SubmitSm)


@pytest.mark.parametrize("name", profile_names())
def test_messages_in_data_sm_are_told_apart_by_what_they_mean(name):
    """In its15 and in letters an operation means one thing to the gateway and another from it."""
    likeliest = candidates(scenes(name)["by data_sm, both ways"])[0]
    assert likeliest.name == name
    assert [(len(one.inward), len(one.outward)) for one in likeliest.dialogues] == [(2, 2)]


@pytest.mark.parametrize("service", ["105", "*105#", "*105*1#"])
@pytest.mark.parametrize("in_text", [True, False])
def test_a_service_type_and_a_destination_that_a_profile_leaves_out_speak_against_nothing(service, in_text):
    """Mica's centres send both, though the code that its profile is from asks for neither."""
    pdus = [decode(octets) for octets in read_hexdump(scenes("mica")["dial, ask, answer, finish"])]
    for pdu in pdus:
        pdu.service_type = "USSD"
        if isinstance(pdu, DeliverSm):
            pdu.destination_addr = service
        else:
            pdu.source_addr = service
    if not in_text:
        pdus[0].short_message = b""
    likeliest = rank(read_trace(map(encode, pdus)))[0]
    assert likeliest.name == "mica"
    assert not likeliest.against


@pytest.mark.parametrize(
    ("data_coding", "counts"), [(0x0F, True), (0x48, True), (0x08, False), (0x00, False)]
)
def test_data_coding_of_texts_speaks_for_a_dialect_or_against_it(data_coding, counts):
    pdus = [decode(octets) for octets in read_hexdump(scenes("spec")["dial, ask, answer, finish"])]
    for pdu in pdus:
        pdu.data_coding = data_coding
    spec = next(one for one in rank(read_trace(map(encode, pdus))) if one.name == "spec")
    said = spec.reasons if counts else spec.against
    assert [one for one in said if one.startswith(f"data_coding is 0x{data_coding:02X}")]


@pytest.mark.parametrize(("name", "other"), [("its15", "huawei"), ("huawei", "its15")])
def test_the_order_of_the_octets_shows_in_several_sessions(name, other):
    """The two differ in nothing else that a short trace shows."""
    profile = load_profile(name)
    pdus = []
    for session in (300, 301, 305):
        for text, kind in (("*105#", "new"), ("1", "answer")):
            pdu = profile.indicate("79260000003", "105", text, kind, session, 0)
            pdu.service_type = "XX"
            pdus.append(encode(pdu))
    ranked = rank(read_trace(pdus), [name, other])
    assert ranked[0].name == name
    assert "the sessions are numbered in turn: 300, 301, 305" in ranked[0].reasons


def test_the_captured_pdu():
    likeliest = candidates((EXCHANGES / "captured.pdus").read_text("utf-8"))[0]
    assert (likeliest.name, likeliest.keys) == ("bare", ["66977091205"])
    assert "service_type is P2" in likeliest.reasons


def test_what_speaks_against_a_profile_is_said():
    ranked = {one.name: one for one in candidates(scenes("spec")["dial, ask, answer, finish"])}
    assert any("the key changes within a dialogue" in reason for reason in ranked["sixdee"].against)
    assert "user_message_reference is missing" in ranked["mica"].against
    assert any("its_session_info" in reason and "ignores" in reason for reason in ranked["bare"].against)


def test_nothing_of_ussd():
    sms = encode(DeliverSm(source_addr="79260000003", destination_addr="105", short_message=b"hello"))
    receipt = encode(DeliverSm(source_addr="105", esm_class=0x04, short_message=b"id:1 stat:DELIVRD"))
    trace = read_trace([sms, receipt, encode(EnquireLink()), b"\x00" * 16])
    assert (len(trace.messages), trace.others, len(trace.unreadable)) == (1, 2, 1)
    assert rank(trace) == []


def test_the_session_key_in_words():
    assert session_key(load_profile("sixdee")) == "source_addr + its_session_info (SSSSSSSS SSSSSSSE)"
    assert session_key(load_profile("bare")) == "source_addr"


@pytest.mark.parametrize("name", profile_names())
def test_the_profile_that_is_written_speaks_the_dialect_of_the_trace(name):
    played = scenes(name)
    text = played["dial, ask, answer, finish"] + played["the subscriber cancels"]
    written = write_profile(candidates(text)[0], "mine")
    profile, pdus = read_profile(written, "mine.yaml"), read_trace(read_hexdump(text)).messages
    assert profile.name == "mine"
    for pdu in pdus:
        if isinstance(pdu, DeliverSm):
            original = load_profile(name).read(pdu)
            assert profile.read(pdu)[:4] == original[:4]
        else:
            assert profile.interpret(pdu) == load_profile(name).interpret(pdu)
    assert "not seen" in written


def test_what_the_trace_shows_goes_into_the_profile():
    """A centre with a TLV of its own for the session, another service_type, and alphabets of SMS."""

    def inward(op, text, session):
        return DeliverSm(
            service_type="XU",
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr="79260000003",
            destination_addr="*105#",
            data_coding=0xF8,
            short_message=text,
            tlvs={0x0501: op, 0x1402: session, 0x1403: b"cell"},
        )

    def outward(op, session):
        return SubmitSm(
            service_type="XU",
            source_addr="105",
            destination_addr="79260000003",
            data_coding=0x08,
            short_message="Да".encode("utf-16-be"),
            tlvs={0x0501: op, 0x1402: session, 0x1500: b"\x09"},
        )

    pdus = []
    for session in (b"\x00\x01\x10", b"\x00\x01\x11"):
        pdus += [inward(b"\x01", b"*105#", session), outward(b"\x02", session)]
        pdus += [inward(b"\x12", b"1", session), outward(b"\x11", session)]
    written = write_profile(rank(read_trace(map(encode, pdus)))[0], 'our "centre"')
    profile = read_profile(written, "ours.yaml")
    assert profile.name == 'our "centre"'
    assert profile.file.service_type == "XU"
    assert profile.file.session[0].tlv == 0x1402
    assert profile.file.extra_tlvs == {0x1500: "09"}
    assert (profile.file.dcs.ucs2, profile.file.addr.ton, profile.file.destination) == (0x08, 1, "code")
    assert "0x1403" in written, "a TLV that nothing is done with is named"
    begun, answered = profile.read(pdus[0]), profile.read(pdus[2])
    assert (begun.turn, answered.turn) == (Begin("*105#"), Answer("1"))
    assert begun.key == answered.key != profile.read(pdus[4]).key


def test_whatever_a_trace_holds_cannot_break_the_file():
    pdu = DeliverSm(
        service_type="A\n:", source_addr="7\n#", destination_addr="#\n- x", tlvs={0x0501: b"\x01"}
    )
    written = write_profile(rank(read_trace([encode(pdu)]))[0], "mine")
    assert read_profile(written, "mine.yaml").file.service_type == "A\n:"


def test_an_empty_data_sm():
    assert rank(read_trace([encode(DataSm())])) == []


def test_of_a_long_trace_only_the_beginning_is_read():
    sms = encode(DeliverSm(source_addr="79260000003", short_message=b"hello"))
    assert len(read_trace(sms for _ in range(MOST_MESSAGES + 5)).messages) == MOST_MESSAGES
