"""The load in every dialect that ships: its turns are what the profile reads, and it reads what the profile writes."""

import pytest

from gateway.dialect import load_profile, profile_names
from gateway.smpp.pdu import DeliverSm, SubmitSm, decode, encode
from menus.turns import Answer, Begin
from smpp_sim.load import pdu as wire
from smpp_sim.load.dialect import wire_of
from smpp_sim.load.run import LoadRun, LoadSettings

MSISDN = b"79260000003"


def told(octets):
    """The PDUs in ``octets``."""
    start = 0
    while start < len(octets):
        length = wire.HEADER.unpack_from(octets, start)[0]
        yield decode(octets[start : start + length])
        start += length


@pytest.mark.parametrize("connects", [False, True])
@pytest.mark.parametrize("name", profile_names())
def test_a_dialogue_between_the_load_and_the_profile(name, connects):
    profile = load_profile(name)
    script = wire.LoadScript(("*105#", "1", "2"), service=profile.service_addr("*105#"))
    run = LoadRun(script, LoadSettings(window=2, subscribers=4), link=wire_of(profile, connects=connects))
    run.begin()
    turns, carrier = [], DeliverSm if connects else SubmitSm
    for at in range(6):
        answers = []
        for pdu in told(run.flush(at)):
            if type(pdu) in (DeliverSm, SubmitSm):
                read = profile.read(pdu)
                turns.append((read.msisdn, read.turn))
                run.acknowledged(pdu.sequence_number, wire.ESME_ROK, at)
                ends = read.turn == Answer("2")
                answers.append(encode(profile.write(read.reply, "Да", "finish" if ends else "ask", carrier)))
        for octets in answers:
            run.answered(octets, 0, len(octets), 7, at + 1)
    assert (run.errors, run.late) == ({}, 0)
    assert (run.dialogues, run.histogram.count) == (4, 12)
    first = [turn for msisdn, turn in turns if msisdn == turns[0][0]]
    assert first == [Begin("*105#"), Answer("1"), Answer("2")]


@pytest.mark.parametrize("name", [one for one in profile_names() if load_profile(one).sessions > 1])
def test_an_answer_of_another_session_is_an_error(name):
    profile = load_profile(name)
    run = LoadRun(wire.LoadScript(("*105#",)), LoadSettings(window=1, subscribers=4), link=wire_of(profile))
    run.begin()
    list(told(run.flush(0)))
    [msisdn] = run._open
    other = profile.read(profile.indicate(msisdn.decode(), "105", "*105#", "new", 7, 0)).reply
    octets = encode(profile.write(other, "no", "finish"))
    run.answered(octets, 0, len(octets), 7, 1)
    assert (run.errors, run.histogram.count) == ({"answer of another session": 1}, 0)


def test_an_operation_without_a_meaning_is_no_answer_of_the_dialect():
    read = wire_of(load_profile("its15")).read
    octets = encode(SubmitSm(destination_addr="79260000003", short_message=b"x", tlvs={0x0501: b"\x63"}))
    assert read(octets, 0, len(octets)) == (MSISDN, wire.NO_OP, wire.NO_SESSION, wire.NO_UNIT, False)


def test_a_cut_answer_raises_value_error_or_index_error():
    profile = load_profile("its15")
    read = wire_of(profile).read
    octets = encode(SubmitSm(destination_addr="79260000003", short_message=b"x", tlvs={0x0501: b"\x02"}))
    for length in range(16, len(octets)):
        with pytest.raises((ValueError, IndexError)):
            read(octets[:length], 0, length)
