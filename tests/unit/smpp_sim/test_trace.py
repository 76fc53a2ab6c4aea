"""The ring of PDUs: what is kept, in which order, what answers what; and that no password leaves it."""

import asyncio
import json

import pytest

from gateway.smpp.explain import as_json
from gateway.smpp.pdu import (
    BindTransceiver,
    BindTransceiverResp,
    DataSm,
    DeliverSm,
    EnquireLink,
    EnquireLinkResp,
    Outbind,
    SmeAddress,
    SubmitMulti,
    SubmitSm,
    SubmitSmResp,
    encode,
)
from smpp_sim.trace import MAX_WATCHERS, WireTrace, url_address
from smpp_sim.trace_facts import as_captured, concerns, explanation_of, facts, masked_octets
from smpp_sim.watching import TooManyWatchers
from tests.unit.smpp_sim.sim_scene import scene

PHONE = "79260000003"
PASSWORD = b"s3cr3t42"
BIND = BindTransceiver("gw", PASSWORD.decode(), interface_version=0x34, sequence_number=1)
MAX_PDU_OCTETS = 0x10000


def link(number):
    """An enquire_link with that sequence_number: 16 octets."""
    return encode(EnquireLink(sequence_number=number))


def traced(*received, max_pdus=100, max_octets=10_000):
    """A trace and its tap, after these reads."""
    trace = WireTrace(max_pdus, max_octets)
    tap = trace.tap(MAX_PDU_OCTETS)
    for data in received:
        tap.received(data, 1.0)
    return trace, tap


def octets(trace):
    return [pdu.octets for pdu in trace.pdus()]


def everything_said(pdu):
    """All that may leave the simulator about a PDU, as octets."""
    explanation = explanation_of(pdu)
    said = json.dumps([facts(pdu), as_json(explanation)], ensure_ascii=False).encode()
    hexed = "".join(row["hex"] for row in as_json(explanation)["fields"]).replace(" ", "").encode()
    return said + hexed + masked_octets(pdu) + masked_octets(pdu).hex().encode() + as_captured(pdu).octets


# --- what is kept -------------------------------------------------------------------------------------------------


def test_it_is_numbered_in_order_with_time_and_direction():
    trace, tap = traced(link(7) + link(8))
    tap.sent(encode(EnquireLinkResp(sequence_number=7)), 2.0)
    seen = [(pdu.number, pdu.at, pdu.direction, pdu.octets[-1]) for pdu in trace.pdus()]
    assert seen == [(1, 1.0, "in", 7), (2, 1.0, "in", 8), (3, 2.0, "out", 7)]


@pytest.mark.parametrize("size", [1, 3, 15, 16, 17, 40])
def test_however_it_was_split_on_the_way(size):
    stream = b"".join(link(number) for number in range(1, 6))
    trace, _ = traced(*(stream[at : at + size] for at in range(0, len(stream), size)))
    assert octets(trace) == [link(number) for number in range(1, 6)]


def test_the_oldest_go_when_there_are_too_many():
    trace, _ = traced(*(link(number) for number in range(1, 11)), max_pdus=4)
    assert [pdu.number for pdu in trace.pdus()] == [7, 8, 9, 10]
    assert (trace.last, trace.forgotten, trace.octets) == (10, 6, 4 * 16)
    assert trace.find(6) is None
    assert trace.find(7).octets == link(7)
    assert trace.find(11) is None


def test_the_oldest_go_when_they_are_too_long():
    trace, _ = traced(*(link(number) for number in range(1, 11)), max_octets=50)
    assert [pdu.number for pdu in trace.pdus()] == [8, 9, 10]
    assert trace.octets == 48


def test_one_that_is_longer_than_the_bound_is_kept_alone():
    long = encode(DataSm(sequence_number=1, tlvs={0x0424: bytes(500)}))
    trace, _ = traced(link(1), long, max_octets=100)
    assert octets(trace) == [long]


@pytest.mark.parametrize("after", [0, 1, 5, 9, 10, 99])
def test_those_after_a_number(after):
    trace, _ = traced(*(link(number) for number in range(1, 11)))
    assert [pdu.number for pdu in trace.pdus(after)] == list(range(after + 1, 11))


def test_switched_off_it_keeps_nothing():
    trace, tap = traced(encode(BIND), max_pdus=0)
    tap.sent(link(1), 1.0)
    tap.close(1.0)
    assert (trace.last, octets(trace), trace.find(1)) == (0, [], None)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (("127.0.0.1", 2775), "127.0.0.1:2775"),
        (("::1", 2775, 0, 0), "[::1]:2775"),
        (("fe80::1%eth0", 2775, 0, 2), "[fe80::1]:2775"),
        (None, "0.0.0.0:0"),
    ],
)
def test_addresses(address, shown):
    assert url_address(address) == shown


# --- what is no PDU -----------------------------------------------------------------------------------------------


def test_another_protocol_is_named_and_not_followed():
    trace, _ = traced(b"GET /admin HTTP/1.1\r\nAuthorization: Basic c2VjcmV0\r\n\r\n", b"more", link(1))
    (seen,) = map(facts, trace.pdus())
    assert (seen["command"], seen["problem"]) == ("HTTP", "HTTP, not SMPP")
    assert b"c2VjcmV0" not in everything_said(trace.find(1))


def test_a_wrong_length_ends_what_can_be_followed():
    trace, _ = traced(link(1) + b"\0\0\0\1" + bytes(20) + link(2), link(3))
    first, second = map(facts, trace.pdus())
    assert first["problem"] is None
    assert "command_length 1" in second["problem"]


def test_what_we_send_is_followed_again_after_a_fault():
    trace, tap = traced()
    tap.sent(b"\0\0\0\1" + bytes(20), 1.0)
    tap.sent(link(2), 2.0)
    assert [facts(pdu)["command"] for pdu in trace.pdus()] == ["out of step", "enquire_link"]


def test_a_malformed_pdu_is_shown_with_its_fault():
    trace, _ = traced(bytes.fromhex("00000018 00000103 00000000 00000009 00 00 01 37 39 00 00 01"))
    (seen,) = map(facts, trace.pdus())
    assert seen["command"] == "data_sm"
    assert "destination_addr" in seen["problem"]


def test_the_beginning_of_a_pdu_whose_end_never_came():
    trace, tap = traced(link(1) + encode(BIND)[:9], encode(BIND)[9:20])
    tap.close(2.0)
    _, cut = trace.pdus()
    assert cut.octets == encode(BIND)[:20]
    assert facts(cut)["problem"] == f"cut off: 20 of {len(encode(BIND))} octets are here"
    assert cut.note == "the connection ended here"


# --- what belongs together ----------------------------------------------------------------------------------------


def conversation():
    """A dialled code, its response, the screen, its response; another phone's SMS; a probe."""
    trace, tap = traced()
    tap.connection.account = "gw"
    ussd = {0x0501: b"\1"}
    tap.sent(
        encode(
            DeliverSm(
                sequence_number=1,
                source_addr=PHONE,
                destination_addr="105",
                short_message=b"*105#",
                tlvs=ussd,
            )
        ),
        1.0,
    )
    tap.received(bytes.fromhex("00000011 80000005 00000000 00000001 00"), 1.1)
    tap.received(
        encode(
            SubmitSm(
                sequence_number=1,
                source_addr="105",
                destination_addr=PHONE,
                data_coding=0x48,
                short_message="Баланс".encode("utf-16-be"),
                tlvs={0x0501: b"\2"},
            )
        ),
        1.2,
    )
    tap.sent(encode(SubmitSmResp(sequence_number=1, command_status=0x58, message_id="")), 1.3)
    tap.received(encode(SubmitSm(sequence_number=2, source_addr="105", destination_addr="79260000004")), 1.4)
    tap.received(link(3), 1.5)
    return trace


def test_a_response_names_its_request():
    seen = [facts(pdu) for pdu in conversation().pdus()]
    assert [(one["answers"], one["answered_by"]) for one in seen[:4]] == [
        (None, 2),
        (1, None),
        (None, 4),
        (3, None),
    ]
    assert [one["status"] for one in seen[:4]] == [None, "ESME_ROK", None, "ESME_RTHROTTLED"]


def test_two_links_with_the_same_numbers_are_not_mixed_up():
    trace, tap = traced(link(1))
    other = trace.tap(MAX_PDU_OCTETS)
    other.sent(encode(EnquireLinkResp(sequence_number=1)), 1.0)
    tap.sent(encode(EnquireLinkResp(sequence_number=1)), 1.0)
    assert [pdu.answers for pdu in trace.pdus()] == [0, 0, 1]


def test_requests_that_nobody_answers_do_not_pile_up():
    trace, tap = traced(max_pdus=4)
    for number in range(1, 101):
        tap.received(link(number), 1.0)
        assert trace.find(trace.last).octets == link(number)
    assert len(trace._requests) <= 2 * 4


def test_ussd_and_the_length_of_its_text():
    seen = [facts(pdu) for pdu in conversation().pdus()]
    assert [(one["ussd_op"], one["ussd_op_name"], one["characters"]) for one in seen[:4]] == [
        (1, "PSSR indication", 5),
        (None, "", None),
        (2, "USSR request", 6),
        (None, "", None),
    ]


def test_a_phone_has_its_requests_and_their_responses():
    trace = conversation()
    assert [pdu.number for pdu in trace.pdus() if concerns(pdu, PHONE)] == [1, 2, 3, 4]
    assert [facts(pdu)["msisdn"] for pdu in trace.pdus()] == [*[PHONE] * 4, "79260000004", None]
    assert not any(concerns(pdu, PHONE[:-1]) for pdu in trace.pdus()), "part of a number is another number"


def test_a_phone_among_several_recipients():
    both = [SmeAddress(1, 1, "79260000001"), SmeAddress(1, 1, f"+{PHONE}")]
    multi = SubmitMulti(sequence_number=1, source_addr="105", dest_addresses=both)
    trace, _ = traced(encode(multi))
    assert concerns(trace.find(1), PHONE)


def test_a_number_in_a_text_is_no_address():
    trace, _ = traced(encode(SubmitSm(sequence_number=1, destination_addr="1", short_message=PHONE.encode())))
    assert not concerns(trace.find(1), PHONE)


@pytest.mark.parametrize(("name", "right"), [("1", True), ("gw", True), ("2", False), ("g", False)])
def test_a_link_is_called_by_number_or_account(name, right):
    assert conversation().find(1).connection.is_called(name) is right


# --- passwords ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "reads"),
    [
        ("a bind", [encode(BIND)]),
        ("an outbind", [encode(Outbind("centre", PASSWORD.decode(), sequence_number=1))]),
        (
            "a bind without the NUL before its password",
            [b"\0\0\0\x24" + encode(BIND)[4:18] + encode(BIND)[19:]],
        ),
        ("a bind that never ends", [encode(BIND)[:26]]),
        ("a bind whose length is too short", [b"\0\0\0\x14" + encode(BIND)[4:]]),
        ("a bind whose length is too long", [b"\0\0\0\xff" + encode(BIND)[4:] + bytes(300)]),
        ("a bind torn by the PDU before it", [b"\0\0\0\x14" + link(1)[4:] + encode(BIND)]),
        ("the same, in two reads", [b"\0\0\0\x1c" + link(1)[4:] + encode(BIND)[:20], encode(BIND)[20:]]),
        ("a bind inside another PDU", [b"\0\0\0\x40" + link(1)[4:] + encode(BIND) + bytes(60)]),
        ("a bind behind octets that are none", [bytes(8) + encode(BIND)]),
    ],
)
def test_no_password_leaves_the_trace(case, reads):
    trace, tap = traced(*reads)
    tap.close(2.0)
    assert trace.last, case
    for pdu in trace.pdus():
        said = everything_said(pdu)
        for secret in (PASSWORD, PASSWORD.hex().encode(), PASSWORD[:4], PASSWORD[:4].hex().encode()):
            assert secret not in said, f"{case}: {said!r}"


def test_a_masked_bind_is_still_a_bind_of_the_same_length():
    trace, _ = traced(encode(BIND))
    masked = masked_octets(trace.find(1))
    assert masked == encode(BIND).replace(PASSWORD, b"*" * len(PASSWORD))


def test_what_comes_after_a_refused_bind_is_shown():
    long_name = encode(BIND).replace(b"gw\0", b"g" * 20 + b"\0")
    bad = len(long_name).to_bytes(4, "big") + long_name[4:]
    trace, _ = traced(bad, link(2))
    assert facts(trace.find(2))["command"] == "enquire_link"


def test_octets_just_behind_other_pdus_are_no_bind():
    """What is remembered of the PDUs before may begin anywhere in one of them."""
    pdu = encode(SubmitSm(sequence_number=2, destination_addr=PHONE, short_message=b"x" * 40))
    trace, tap = traced(pdu * 5)
    tap.sent(encode(BindTransceiverResp(sequence_number=9)), 1.0)
    assert {facts(one)["command"] for one in trace.pdus()} == {"submit_sm", "bind_transceiver_resp"}


# --- waiting ------------------------------------------------------------------------------------------------------


@scene
async def test_whoever_waits_is_woken():
    trace, tap = traced(link(1))
    assert await trace.wait(0, 0)
    waiting = asyncio.ensure_future(trace.wait(1, 5))
    await asyncio.sleep(0)
    tap.received(link(2), 1.0)
    assert await waiting
    assert not await trace.wait(2, 0)


@scene
async def test_the_end_wakes_everybody():
    trace, _ = traced()
    waiting = asyncio.ensure_future(trace.wait(0, 60))
    await asyncio.sleep(0)
    trace.close()
    assert not await waiting


@scene
async def test_watchers_are_bounded():
    trace, _ = traced()
    watchers = [asyncio.ensure_future(trace.wait(0, 60)) for _ in range(MAX_WATCHERS)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyWatchers):
        await trace.wait(0, 60)
    trace.close()
    await asyncio.gather(*watchers)
