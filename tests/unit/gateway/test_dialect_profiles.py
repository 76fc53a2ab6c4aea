"""Every profile that comes along: what one side writes the other side reads, whatever it is."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialect import DialectError, load_profile, profile_names
from gateway.smpp.pdu import DataSm, DeliverSm, SubmitSm, decode, encode
from menus.turns import Abort, Answer, Begin, Notified

MSISDN, SERVICE = "79260000003", "105"
CARRIERS = (DeliverSm, SubmitSm, DataSm)
PROFILES = [load_profile(name) for name in profile_names()]
every_profile = pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
codes = st.from_regex(r"\*[0-9]{1,8}(\*[0-9]{1,4})?#", fullmatch=True)
sessions = st.integers(0, 2**32 - 1)
units = st.integers(0, 127)


def over_the_wire(pdu):
    return decode(encode(pdu))


def indicated(profile, text, kind, session=7, unit=0, carrier=DeliverSm):
    pdu = profile.indicate(MSISDN, profile.service_addr("*105#"), text, kind, session, unit, carrier)
    return over_the_wire(pdu)


def read(profile, text, kind, *rest):
    pdu = indicated(profile, text, kind, *rest)
    assert profile.is_ussd(pdu)
    return profile.read(pdu)


@every_profile
@given(code=codes, text=texts, session=sessions, unit=units, carrier=st.sampled_from(CARRIERS))
@settings(max_examples=30, deadline=None)
def test_the_gateway_reads_what_a_centre_indicates(profile, code, text, session, unit, carrier):
    begun = read(profile, code, "new", session, 0, carrier)
    assert (begun.msisdn, begun.turn, begun.last) == (MSISDN, Begin(code), False)
    answered = read(profile, text, "answer", session, unit, carrier)
    assert (answered.msisdn, answered.turn, answered.key) == (MSISDN, Answer(text), begun.key)
    if answered.unit is not None:
        assert answered.unit == unit


@every_profile
@pytest.mark.parametrize(
    ("kind", "turn"), [("notified", Notified), ("abort", Abort), ("timeout", Abort), ("answer_last", Answer)]
)
def test_the_gateway_reads_the_rarer_turns_where_there_is_a_word_for_them(profile, kind, turn):
    if not profile.says(kind):
        with pytest.raises(DialectError, match=f"cannot say {kind}"):
            indicated(profile, "", kind)
        return
    inbound = read(profile, "", kind, 7, 3)
    assert type(inbound.turn) is turn
    assert inbound.key == read(profile, "*105#", "new", 7, 0).key
    assert inbound.last == (kind == "answer_last")


@every_profile
@given(
    text=texts, session=sessions, kind=st.sampled_from(["ask", "finish", "notify", "ask_last", "notify_last"])
)
@settings(max_examples=30, deadline=None)
def test_a_centre_reads_what_the_gateway_writes(profile, text, session, kind):
    reply = read(profile, "*105#", "new", session, 0).reply
    outbound = profile.interpret(over_the_wire(profile.write(reply, text, kind)))
    assert (outbound.msisdn, outbound.text) == (MSISDN, text)
    assert outbound.push is not True, "an answer is no push"
    if profile.file.session:
        assert outbound.session == session % profile.sessions
    ends = kind in ("finish", "notify_last") or (kind == "notify" and profile.file.outward.notify is None)
    assert outbound.ends == ends
    assert outbound.last == (kind == "ask_last" and profile.file.outward.ask_last is not None)
    if kind in ("ask", "finish"):
        assert outbound.kind == kind


@every_profile
@given(
    text=texts,
    kind=st.sampled_from(["push_ask", "push_notify"]),
    carrier=st.sampled_from([SubmitSm, DeliverSm]),
)
@settings(max_examples=20, deadline=None)
def test_a_push_names_no_session(profile, text, kind, carrier):
    if kind not in profile.pushes:
        with pytest.raises(DialectError, match=f"has no {kind}"):
            profile.push(MSISDN, SERVICE, text, kind, carrier)
        return
    pdu = over_the_wire(profile.push(MSISDN, SERVICE, text, kind, carrier))
    assert type(pdu) is carrier
    outbound = profile.interpret(pdu)
    assert (outbound.msisdn, outbound.text, outbound.session) == (MSISDN, text, None)
    assert outbound.kind == {"push_ask": "ask", "push_notify": "notify"}[kind]
    assert outbound.push is not False, "it may open something"
    assert not outbound.ends


@every_profile
def test_a_release_shows_nothing_and_ends_everything(profile):
    released = profile.release(read(profile, "*105#", "new").reply)
    if released is None:
        assert profile.file.outward.release is None
        return
    outbound = profile.interpret(over_the_wire(released))
    assert (outbound.kind, outbound.text, outbound.ends) == ("release", "", True)


@every_profile
@pytest.mark.parametrize(
    ("asked_in", "carrier", "answered_in"),
    [(DeliverSm, SubmitSm, SubmitSm), (SubmitSm, DeliverSm, DeliverSm), (DataSm, SubmitSm, DataSm)],
)
def test_an_answer_travels_in_what_fits_the_question(profile, asked_in, carrier, answered_in):
    reply = profile.read(indicated(profile, "*105#", "new", 7, 0, asked_in)).reply
    assert type(profile.write(reply, "Баланс", "ask", carrier)) is answered_in


tlvs = st.dictionaries(
    st.sampled_from([0x0501, 0x1383, 0x0204, 0x1501, 0x0424, 0x0007, 0x4001]),
    st.binary(max_size=6),
    max_size=5,
)
service_types = st.sampled_from(["", "USSD", "P2", "PSSRR", "USSRC", "BR", "CA", "EF", "XX", "RELC"])
numbers = st.sampled_from(["", "79260000003", "+79260000003", "105", "*105#"])


@every_profile
@given(
    carrier=st.sampled_from(CARRIERS),
    service_type=service_types,
    source=numbers,
    destination=numbers,
    data_coding=st.integers(0, 255),
    octets=st.binary(max_size=20),
    values=tlvs,
)
@settings(max_examples=100, deadline=None)
def test_whatever_comes_only_a_dialect_error_is_raised(
    profile, carrier, service_type, source, destination, data_coding, octets, values
):
    fields = {} if carrier is DataSm else {"short_message": octets}
    pdu = over_the_wire(
        carrier(
            service_type=service_type,
            source_addr=source,
            destination_addr=destination,
            data_coding=data_coding,
            tlvs=values,
            **fields,
        )
    )
    profile.is_ussd(pdu)
    with contextlib.suppress(DialectError):
        profile.interpret(pdu)
    try:
        inbound = profile.read(pdu)
    except DialectError:
        return
    for kind in ("ask", "finish"):
        over_the_wire(profile.write(inbound.reply, "ok", kind, SubmitSm))


@every_profile
def test_a_profile_says_where_it_is_from(profile):
    assert profile.file.title
    assert profile.file.trust != "unverified", "say what the knowledge is from, also when it is unverified"
    assert profile.limits.idle_s <= profile.limits.total_s
