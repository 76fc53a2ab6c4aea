"""A run without socket or clock: time is a number, the answers are made by hand."""

import struct

import pytest

from smpp_sim.load import pdu as wire
from smpp_sim.load.dialogue import Leftovers
from smpp_sim.load.pdu import LoadScript
from smpp_sim.load.run import LoadRun, LoadSettings

MS = 1_000_000
BALANCE = LoadScript(("*100#",))
MENU = LoadScript(("*105#", "3", "1"))


def make(script=BALANCE, **settings):
    run = LoadRun(script, LoadSettings(**{"window": 1, "subscribers": 10, **settings}))
    run.begin()
    run.measure()
    return run


def deliveries(octets):
    """Return (sequence, msisdn, session octet or None, text) of each deliver_sm in ``octets``."""
    found, start = [], 0
    while start < len(octets):
        length, command_id, _, sequence = wire.HEADER.unpack_from(octets, start)
        pdu = octets[start : start + length]
        if command_id == wire.DELIVER_SM:
            source = pdu.index(0, 16) + 3
            msisdn = pdu[source : pdu.index(0, source)]
            tlv = pdu.rfind(b"\x13\x83\0\x02")
            session = pdu[tlv + 4] if tlv > 0 else None
            text = pdu[: pdu.find(b"\x05\x01\0\x01")] if tlv > 0 else pdu
            found.append((sequence, msisdn, session, text[-text[::-1].index(0) :][1:].decode("latin-1")))
        start += length
    return found


def submit(msisdn, op=None, session=None, text=b"Balance", esm_class=0, unit=1):
    body = (
        b"USSD\0" + b"\0\x01105\0" + b"\0\x01" + msisdn + b"\0" + bytes((esm_class, 0, 0, 0, 0, 0, 0, 0, 0))
    )
    body += bytes((len(text),)) + text
    if op is not None:
        body += struct.pack(">HHB", 0x0501, 1, op)
    if session is not None:
        body += struct.pack(">HHBB", 0x1383, 2, session, unit << 1)
    return wire.HEADER.pack(16 + len(body), wire.SUBMIT_SM, 0, 77) + body


def answer(run, msisdn, op, session, now_ns, **fields):
    octets = submit(msisdn, op, session, **fields)
    run.answered(octets, 0, len(octets), 77, now_ns)


def turn(run, op, began_ms, ended_ms):
    """Write one turn, acknowledge it, answer it; return what was delivered."""
    octets = run.flush(began_ms * MS)
    [(sequence, msisdn, session, text)] = deliveries(octets)
    run.acknowledged(sequence, wire.ESME_ROK, began_ms * MS)
    answer(run, msisdn, op, session, ended_ms * MS, unit=(octets[-1] >> 1) + 1)
    return msisdn, text


def test_a_turn_is_timed_from_writing_to_its_answer():
    run = make()
    turn(run, wire.OP_LAST, 100, 107)
    assert run.histogram.count == run.dialogues == 1
    assert run.histogram.longest_ns == 7 * MS
    assert not run.errors


def test_the_answer_is_acknowledged_with_its_sequence_number_and_an_id_of_its_own():
    run = make()
    ids = []
    for _ in range(2):
        [(_, msisdn, session, _)] = deliveries(run.flush(0))
        answer(run, msisdn, wire.OP_LAST, session, 1)
        octets = run.flush(2)
        assert wire.HEADER.unpack_from(octets) == (25, wire.SUBMIT_SM_RESP, wire.ESME_ROK, 77)
        ids.append(octets[16:25])
        [(_, msisdn, session, _)] = deliveries(octets)
        answer(run, msisdn, wire.OP_LAST, session, 3)
    assert len(set(ids)) == 2


def test_a_script_goes_on_with_the_same_subscriber_and_ends_with_the_next():
    run = make(MENU)
    told = [turn(run, op, 0, 1) for op in (wire.OP_ASK, wire.OP_ASK, wire.OP_LAST, wire.OP_ASK)]
    assert [text for _, text in told] == ["*105#", "3", "1", "*105#"]
    subscribers = [msisdn for msisdn, _ in told]
    assert len(set(subscribers[:3])) == 1
    assert subscribers[3] != subscribers[0]
    assert (run.histogram.count, run.dialogues) == (4, 1)


def test_an_early_end_is_an_error_and_the_next_subscriber_dials():
    run = make(MENU)
    turn(run, wire.OP_LAST, 0, 1)
    assert run.errors == {"dialogue ended before its script": 1}
    assert deliveries(run.flush(0))[0][3] == "*105#"


def test_a_last_screen_that_asks_is_noted_but_no_error():
    run = make()
    turn(run, wire.OP_ASK, 0, 1)
    assert (run.left_open, run.errors) == (1, {})


@pytest.mark.parametrize(
    ("op", "error"), [(None, "answer without ussd_service_op"), (3, "ussd_service_op 3")]
)
def test_other_operations_are_errors(op, error):
    run = make()
    turn(run, op, 0, 1)
    assert run.errors == {error: 1}


def test_the_window_is_full_and_never_fuller():
    run = make(window=4)
    first = deliveries(run.flush(0))
    assert len({msisdn for _, msisdn, _, _ in first}) == 4
    assert deliveries(run.flush(0)) == []
    answer(run, first[2][1], wire.OP_LAST, first[2][2], 1)
    assert len(deliveries(run.flush(1))) == 1


def test_the_pdu_window_holds_turns_back_until_an_acknowledgement():
    run = make(window=3, pdu_window=2)
    (sequence, *_), _ = deliveries(run.flush(0))
    assert deliveries(run.flush(0)) == []
    run.acknowledged(sequence, wire.ESME_ROK, 0)
    assert len(deliveries(run.flush(0))) == 1


def test_everybody_is_visited_once_before_anybody_twice():
    run = make(subscribers=10)
    visited = [turn(run, wire.OP_LAST, 0, 1)[0] for _ in range(20)]
    assert set(visited[:10]) == {b"%d" % (79260000000 + number) for number in range(10)}
    assert visited[:10] == visited[10:]


def test_a_throttled_turn_is_sent_again_and_keeps_its_time():
    run = make(throttle_pause_s=0.02)
    [(sequence, msisdn, session, _)] = deliveries(run.flush(1))
    run.acknowledged(sequence, wire.ESME_RTHROTTLED, 1 * MS)
    run.tick(20 * MS)
    assert run.flush(20 * MS) == b""
    run.tick(21 * MS)
    [(again, *rest)] = deliveries(run.flush(21 * MS))
    assert again != sequence
    assert rest == [msisdn, session, "*100#"]
    run.acknowledged(again, wire.ESME_ROK, 22 * MS)
    answer(run, msisdn, wire.OP_LAST, session, 25 * MS)
    assert (run.throttled, run.histogram.longest_ns, run.errors) == (1, 25 * MS - 1, {})


def test_another_error_ends_the_dialogue():
    run = make(MENU)
    [(sequence, msisdn, *_)] = deliveries(run.flush(0))
    run.acknowledged(sequence, 0x08, 1)
    assert run.errors == {"deliver_sm_resp 0x00000008": 1}
    [(_, successor, _, text)] = deliveries(run.flush(2))
    assert successor != msisdn
    assert text == "*105#"


def test_a_turn_without_an_answer_is_given_up_and_its_answer_is_late():
    run = make(turn_timeout_s=1)
    [(sequence, msisdn, session, _)] = deliveries(run.flush(5))
    run.tick(1000 * MS)
    assert run.unanswered == 0
    run.tick(1001 * MS)
    assert run.unanswered == 1
    answer(run, msisdn, wire.OP_LAST, session, 1002 * MS)
    run.acknowledged(sequence, wire.ESME_ROK, 1002 * MS)
    assert (run.late, run.histogram.count, run.errors) == (2, 0, {})
    assert len(deliveries(run.flush(1003 * MS))) == 1


def test_a_throttled_turn_does_not_wait_for_ever():
    run = make(turn_timeout_s=1, throttle_pause_s=0.02)
    [(sequence, *_)] = deliveries(run.flush(5))
    run.acknowledged(sequence, wire.ESME_RTHROTTLED, 990 * MS)
    run.tick(1005 * MS)
    assert run.unanswered == 1
    run.tick(1010 * MS)
    assert len(deliveries(run.flush(1010 * MS))) == 1, "only the successor is sent, not the turn given up"


def test_the_answer_before_its_acknowledgement_counts():
    run = make()
    [(sequence, msisdn, session, _)] = deliveries(run.flush(0))
    answer(run, msisdn, wire.OP_LAST, session, 3 * MS)
    run.flush(3 * MS)
    run.acknowledged(sequence, wire.ESME_RTHROTTLED, 4 * MS)
    assert (run.histogram.count, run.throttled, run.errors) == (1, 0, {})


@pytest.mark.parametrize(
    ("session", "error"), [(None, "answer without a session"), (255, "answer of another session")]
)
def test_an_answer_of_another_session_ends_no_turn(session, error):
    run = make()
    [(_, msisdn, ours, _)] = deliveries(run.flush(0))
    assert ours == 0
    answer(run, msisdn, wire.OP_LAST, session, 1)
    assert (run.errors, run.late, run.histogram.count) == ({error: 1}, 0, 0)


@pytest.mark.parametrize(
    ("msisdn", "error"),
    [
        (b"79260000003", "answer given twice"),  # a subscriber of the load whose dialogue is over
        (b"79260000010", "answer to a number that never dialled"),
        (b"", "answer to a number that never dialled"),
    ],
)
def test_an_answer_to_nobody_is_an_error(msisdn, error):
    run = make()
    run.flush(0)
    answer(run, msisdn, wire.OP_LAST, 0, 1)
    assert (run.errors, run.histogram.count) == ({error: 1}, 0)


def test_an_answer_twice_in_one_read_ends_one_turn():
    run = make(MENU)
    [(_, msisdn, session, _)] = deliveries(run.flush(0))
    answer(run, msisdn, wire.OP_ASK, session, 1)
    answer(run, msisdn, wire.OP_ASK, session, 1)
    assert (run.errors, run.histogram.count) == ({"answer given twice": 1}, 1)


@pytest.mark.parametrize(("unit", "counted"), [(1, 1), (2, 2), (3, 2)])
def test_an_answer_to_an_earlier_turn_is_told_by_its_unit(unit, counted):
    run = make(MENU)
    turn(run, wire.OP_ASK, 0, 1)
    [(_, msisdn, session, _)] = deliveries(
        run.flush(2)
    )  # unit 2; the answer is 3, or 2 where it is only echoed
    answer(run, msisdn, wire.OP_ASK, session, 3, unit=unit)
    assert run.histogram.count == counted
    assert run.errors == ({"answer given twice": 1} if counted == 1 else {})


@pytest.mark.parametrize("busy", [True, False])
def test_an_sms_beside_a_dialogue_is_neither_answer_nor_error(busy):
    run = make()
    [(_, msisdn, session, _)] = deliveries(run.flush(0))
    answer(run, msisdn if busy else b"79260000003", None, None, 1, text=b"Your password")
    assert (run.messages, run.errors, run.histogram.count) == (1, {}, 0)
    answer(run, msisdn, wire.OP_LAST, session, 2)
    assert run.histogram.count == 1


def test_an_answer_to_an_sms_twice_is_an_error():
    run = make(LoadScript(("?",), kind="sms", service="000100"))
    [(_, msisdn, *_)] = deliveries(run.flush(0))
    for _ in range(2):
        answer(run, msisdn, None, None, 1)
    assert (run.messages, run.errors, run.histogram.count) == (0, {"answer given twice": 1}, 1)


def test_the_last_answer_twice_is_an_error():
    run = make(subscribers=2)
    [(_, msisdn, session, _)] = deliveries(run.flush(0))
    for _ in range(2):
        answer(run, msisdn, wire.OP_LAST, session, 1)
    assert (run.errors, run.histogram.count) == ({"answer given twice": 1}, 1)


def test_an_answer_to_a_throttled_turn_is_an_error():
    run = make()
    [(sequence, msisdn, session, _)] = deliveries(run.flush(0))
    run.acknowledged(sequence, wire.ESME_RTHROTTLED, 1)
    answer(run, msisdn, wire.OP_LAST, session, 2)
    assert (run.errors, run.histogram.count) == ({"answer given twice": 1}, 0)


def test_a_subscribers_next_dialogue_has_another_session():
    run = make(subscribers=256, window=1)
    first, second = ([(m, s) for _, m, s, _ in told] for told in (_dialled(run, 256), _dialled(run, 256)))
    assert {m for m, _ in first} == {m for m, _ in second}
    assert not set(first) & set(second)


def _dialled(run, count):
    told = []
    for _ in range(count):
        [delivery] = deliveries(run.flush(0))
        told.append(delivery)
        run.acknowledged(delivery[0], wire.ESME_ROK, 0)
        answer(run, delivery[1], wire.OP_LAST, delivery[2], 1)
    return told


def test_a_turn_that_is_never_acknowledged_is_an_error_at_the_end():
    run = make()
    [(_, msisdn, session, _)] = deliveries(run.flush(0))
    run.stop()
    answer(run, msisdn, wire.OP_LAST, session, 1)
    assert not run.drained
    run.finish()
    assert run.errors == {"no deliver_sm_resp": 1}


def test_what_was_given_up_is_known_to_the_next_run():
    first = make(turn_timeout_s=1)
    [(sequence, msisdn, session, _)] = deliveries(first.flush(5))
    first.stop()
    first.tick(1001 * MS)
    first.finish()
    second = LoadRun(BALANCE, LoadSettings(window=1, subscribers=10), leftovers=first.leftovers)
    answer(second, msisdn, wire.OP_LAST, session, 1002 * MS)
    second.acknowledged(sequence, wire.ESME_ROK, 1002 * MS)
    assert (second.late, second.errors, second.sequence) == (2, {}, sequence + 1)


def test_several_scripts_are_taken_in_turn():
    run = make([BALANCE, LoadScript(("?",), kind="sms", service="000100"), MENU], window=6)
    assert [text for *_, text in deliveries(run.flush(0))] == ["*100#", "?", "*105#"] * 2


# --- an open rate ------------------------------------------------------------------------------------------------


def opened(script=BALANCE, **settings):
    run = LoadRun(
        script,
        LoadSettings(**{"rate": 10, "arrivals": "constant", "subscribers": 10, "ramp_s": 0, **settings}),
    )
    run.begin(0)
    run.measure()
    return run


def test_dialogues_begin_when_they_are_due_whatever_became_of_the_others():
    run = opened()
    begun = []
    for at_ms in range(0, 401, 50):
        run.arrive(at_ms * MS)
        begun.append(len(deliveries(run.flush(at_ms * MS))))
    assert begun == [1, 0, 1, 0, 1, 0, 1, 0, 1]
    assert run.next_ns == 500 * MS


def test_a_turn_that_leaves_late_is_timed_from_when_it_was_due():
    run = opened()
    told = deliveries(run.flush(0))
    run.arrive(350 * MS)  # the generator was away: those of 100, 200 and 300 ms leave now
    told += deliveries(run.flush(350 * MS))
    for _, msisdn, session, _ in told:
        answer(run, msisdn, wire.OP_LAST, session, 360 * MS)
    assert run.histogram.count == 4
    assert run.histogram.longest_ns == 360 * MS
    assert run.lag.longest_ns == 250 * MS
    assert 60 * MS <= run.histogram.percentile_ns(25) <= 61 * MS


def test_a_rate_is_one_of_turns_so_long_scripts_begin_less_often():
    run = opened(MENU, rate=30, subscribers=100)
    run.arrive(1000 * MS)
    assert len(deliveries(run.flush(1000 * MS))) == 11


def test_further_turns_follow_their_answers_at_once():
    run = opened(MENU, rate=3)
    turn(run, wire.OP_ASK, 0, 70)
    assert [text for *_, text in deliveries(run.flush(70 * MS))] == ["3"]


def test_those_who_find_no_free_subscriber_wait_and_their_time_runs():
    run = opened(subscribers=2)
    first = deliveries(run.flush(0))
    run.arrive(300 * MS)
    first += deliveries(run.flush(300 * MS))
    assert (len(first), run.in_flight) == (2, 4)
    for _, msisdn, session, _ in first:
        answer(run, msisdn, wire.OP_LAST, session, 310 * MS)
    then = deliveries(run.flush(310 * MS))
    assert (len(then), run.in_flight) == (2, 2)
    answer(run, then[0][1], wire.OP_LAST, then[0][2], 1200 * MS)
    assert run.histogram.longest_ns == 1000 * MS, "due at 200 ms"


def test_those_who_never_found_one_are_errors():
    run = opened(subscribers=1)
    run.flush(0)
    run.arrive(300 * MS)
    run.stop()
    assert run.errors == {"not sent: every subscriber was in a dialogue": 3}


@pytest.mark.parametrize("rate", [1e7, 1e300])
def test_a_rate_that_nobody_can_keep_up_with_leaves_time_for_everything_else(rate):
    run = opened(rate=rate, subscribers=100)
    run.arrive(60_000 * MS)
    assert run.in_flight < 10_000
    assert run.next_ns <= 60_000 * MS, "the others are still due"


def test_those_that_were_due_and_could_not_leave_are_errors():
    run = opened(rate=1e6, subscribers=1_000_000)
    run.arrive(2000 * MS)
    run.stop()
    [(kind, count)] = run.errors.items()
    assert kind == "not sent: due, and the load could not keep up"
    assert count == pytest.approx(2_000_000, rel=0.01)


def test_a_window_opens_at_once_however_large():
    run = LoadRun(BALANCE, LoadSettings(window=3000, subscribers=3000))
    run.begin(0)
    assert len(deliveries(run.flush(0))) == 3000


def test_a_second_load_numbers_its_dialogues_otherwise():
    """A dial that comes again under the same number soon after its dialogue is a copy, to a good gateway."""
    numbers = []
    for first in (7, 7 + 61):
        run = LoadRun(BALANCE, LoadSettings(window=2, subscribers=2), leftovers=Leftovers(session=first))
        run.begin(0)
        numbers.append([session for _, _, session, _ in deliveries(run.flush(0))])
    assert numbers == [[7, 8], [68, 69]]


def test_the_next_run_on_a_bind_numbers_them_otherwise_too():
    first = LoadRun(BALANCE, LoadSettings(window=2, subscribers=256))
    first.begin(0)
    before = [session for _, _, session, _ in deliveries(first.flush(0))]
    first.finish()
    second = LoadRun(BALANCE, LoadSettings(window=2, subscribers=256), leftovers=first.leftovers)
    second.begin(0)
    assert (before, [session for _, _, session, _ in deliveries(second.flush(0))]) == ([0, 1], [1, 2])


def test_the_slow_ones_at_the_end_of_an_open_load_count():
    run = opened()
    [(sequence, msisdn, session, _)] = deliveries(run.flush(0))
    run.acknowledged(sequence, wire.ESME_ROK, 1)
    run.stop()
    answer(run, msisdn, wire.OP_LAST, session, 4000 * MS)
    durations, _ = run.measured
    assert (run.measured_turns, durations.count, durations.longest_ns) == (0, 1, 4000 * MS)
    assert run.drained
    assert deliveries(run.flush(4000 * MS)) == []


def test_a_ramp_opens_the_window_bit_by_bit():
    run = LoadRun(BALANCE, LoadSettings(window=3, ramp_s=2, subscribers=10))
    run.begin(5)
    assert len(deliveries(run.flush(5))) == 1
    run.arrive(1000 * MS + 5)
    assert len(deliveries(run.flush(6))) == 1
    run.arrive(9000 * MS)
    assert len(deliveries(run.flush(7))) == 1


def test_an_acknowledgement_of_nothing_is_an_error():
    run = make()
    run.flush(0)
    run.acknowledged(4711, wire.ESME_ROK, 0)
    assert run.errors == {"deliver_sm_resp to no deliver_sm": 1}


def test_a_malformed_answer_is_refused_and_the_dialogue_waits_on():
    run = make()
    [(_, msisdn, session, _)] = deliveries(run.flush(0))
    octets = submit(msisdn, wire.OP_LAST, session)[:-3]
    run.answered(octets, 0, len(octets), 77, 1)
    assert run.errors == {"malformed submit_sm": 1}
    assert wire.HEADER.unpack(run.flush(1)) == (16, wire.SUBMIT_SM_RESP, wire.ESME_RINVMSGLEN, 77)


def test_sms_turns_need_no_session_and_end_with_the_last_part():
    run = make(LoadScript(("?",), kind="sms", service="000100"))
    [(_, msisdn, session, text)] = deliveries(run.flush(0))
    assert (session, text) == (None, "?")
    answer(run, msisdn, None, None, 1 * MS, text=b"\x05\0\x03\x09\x02\x01Long", esm_class=0x40)
    assert run.histogram.count == 0
    answer(run, msisdn, None, None, 2 * MS, text=b"\x05\0\x03\x09\x02\x02text", esm_class=0x40)
    assert (run.histogram.count, run.histogram.longest_ns, run.errors) == (1, 2 * MS, {})


def test_the_number_of_turns_ends_the_run():
    stops = []
    run = LoadRun(BALANCE, LoadSettings(window=1, subscribers=10, turns=3), on_stop=lambda: stops.append(1))
    run.begin()
    turn(run, wire.OP_LAST, 0, 1)
    run.measure()
    for _ in range(3):
        turn(run, wire.OP_LAST, 0, 1)
    assert stops == [1]
    assert run.drained
    durations, dialogues = run.measured
    assert (durations.count, dialogues) == (3, 3)
    assert deliveries(run.flush(9)) == []


def test_what_comes_after_the_stop_is_not_counted():
    run = make(MENU, window=2)
    (first, msisdn, session, _), (second, other, other_session, _) = deliveries(run.flush(0))
    run.acknowledged(first, wire.ESME_ROK, 0)
    run.acknowledged(second, wire.ESME_ROK, 0)
    answer(run, msisdn, wire.OP_LAST, session, 1)
    run.stop()
    answer(run, other, wire.OP_ASK, other_session, 2)
    assert run.measured[0].count == 1
    assert run.drained, "a script is not gone on with after the stop"


def test_a_lost_connection_leaves_all_unanswered():
    run = make(window=3)
    run.flush(0)
    run.lost("connection lost")
    assert (run.unanswered, run.errors, run.drained, run.stopped) == (3, {"connection lost": 1}, True, True)


def test_the_first_dialogue_is_kept_to_look_at():
    run = make(MENU)
    for op in (wire.OP_ASK, wire.OP_ASK, wire.OP_LAST, wire.OP_ASK):
        turn(run, op, 0, 1)
    assert run.sample == ["> *105#", "< Balance", "> 3", "< Balance", "> 1", "< Balance"]


def test_a_first_dialogue_that_is_refused_stays_a_single_line():
    run = make(subscribers=1)
    for _ in range(3):
        [(sequence, *_)] = deliveries(run.flush(0))
        run.acknowledged(sequence, 0x64, 0)
    assert run.sample == ["> *100#"]


def test_sequence_numbers_go_round_to_1():
    run = LoadRun(BALANCE, LoadSettings(window=2, subscribers=10), sequence=0x7FFFFFFF)
    run.begin()
    assert [sequence for sequence, *_ in deliveries(run.flush(0))] == [0x7FFFFFFF, 1]
    assert run.sequence == 2


@pytest.mark.parametrize(
    "settings",
    [
        {"window": 0},
        {"pdu_window": 0},
        {"window": 11, "subscribers": 10},
        {"rate": 0},
        {"rate": float("nan")},
        {"rate": 5, "subscribers": 0},
        {"first_msisdn": 99_999, "subscribers": 100},
    ],
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ValueError):
        LoadSettings(**settings)
