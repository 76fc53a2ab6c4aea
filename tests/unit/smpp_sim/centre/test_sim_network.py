"""The phone network: dialogues and their timers, queues and their order. Time is a number."""

import pytest

from gateway.dialect import load_profile
from gateway.smpp.pdu import SubmitSm
from gateway.smpp.vocabulary import (
    ESME_RINVDSTADR,
    ESME_RINVOPTPARAMVAL,
    ESME_ROK,
    ESME_RSYSERR,
    ESME_RTHROTTLED,
    ESME_RX_P_APPN,
    ESME_RX_T_APPN,
)
from menus.turns import Abort, Answer, Begin, Notified
from smpp_sim.centre.delivery import QueueFull
from smpp_sim.centre.network import Network
from smpp_sim.centre.requests import respond
from smpp_sim.phones.handset import NotPossible
from smpp_sim.settings import Account, NetworkSettings, SimulatorError

SPEC = load_profile("spec")
IVAN, OLGA = "79260000003", "79260000007"


def network(*accounts, **changes):
    return Network(
        accounts or [Account("gw", "secret")], NetworkSettings(**changes), wall_offset_s=1_700_000_000
    )


def take(net, now, system_id="gw"):
    delivery = net.take(system_id, now)
    assert delivery, "nothing waits for the ESME"
    net.taken(system_id, delivery, ESME_ROK, now)
    return SPEC.read(delivery.pdu)


def show(net, turn, text, kind, now):
    return respond(net, "gw", SPEC.write(turn.reply, text, kind), now).command_status


def screens(net, msisdn=IVAN):
    log = net.station(msisdn).log
    return [(event.data["screen"], event.data["text"]) for event in log.after(0, frozenset({"screen"}))]


def test_a_dialogue_from_the_code_to_the_last_screen():
    net = network()
    net.dial(IVAN, "*105*00#", 0)
    begin = take(net, 0)
    assert (begin.msisdn, begin.turn, begin.unit) == (IVAN, Begin("*105*00#"), 0)
    assert show(net, begin, "Нажмите OK", "ask", 1) == ESME_ROK
    net.answer(IVAN, "", 2)
    answer = take(net, 2)
    assert (answer.turn, answer.unit) == (Answer(""), 2)
    assert answer.key == begin.key
    assert show(net, answer, "Пароль отправлен.", "finish", 3) == ESME_ROK
    assert screens(net) == [("ask", "Нажмите OK"), ("end", "Пароль отправлен.")]
    assert net.station(IVAN).dialogue is None


def test_each_dialogue_of_a_phone_has_another_key():
    net = network()
    keys = set()
    for now in range(5):
        net.dial(IVAN, "*100#", now)
        keys.add(take(net, now).key)
        net.hang_up(IVAN, now)
        take(net, now)
    assert len(keys) == 5


def test_the_application_has_so_long():
    net = network(answer_s=30)
    net.dial(IVAN, "*100#", 0)
    begin = take(net, 0)
    assert net.deadline(0) == 30
    net.on_deadline(29)
    assert screens(net) == []
    net.on_deadline(30)
    assert screens(net) == [("error", "Connection problem or invalid MMI code")]
    assert isinstance(take(net, 30).turn, Abort)
    assert show(net, begin, "late", "finish", 31) == ESME_RINVOPTPARAMVAL
    assert len(screens(net)) == 1


def test_the_owner_has_so_long_and_the_dialogue_as_a_whole_too():
    net = network(answer_s=30, user_s=120, total_s=200)
    net.dial(IVAN, "*105#", 0)
    show(net, take(net, 0), "1 Баланс", "ask", 10)
    net.on_deadline(30)
    net.answer(IVAN, "1", 129)
    show(net, take(net, 129), "0 Назад", "ask", 130)
    net.on_deadline(199)
    assert net.station(IVAN).dialogue
    net.on_deadline(200)
    assert screens(net)[-1][0] == "error"


def test_what_the_application_was_never_told_needs_no_farewell():
    net = network()
    net.dial(IVAN, "*100#", 0)
    net.cancel(IVAN, 1)
    assert net.take("gw", 1) is None


def test_a_cancel_is_told_and_a_late_answer_opens_nothing():
    net = network()
    net.dial(IVAN, "*105#", 0)
    begin = take(net, 0)
    show(net, begin, "1 Баланс", "ask", 1)
    net.cancel(IVAN, 2)
    assert isinstance(take(net, 2).turn, Abort)
    assert show(net, begin, "late", "ask", 3) == ESME_RINVOPTPARAMVAL
    assert screens(net) == [("ask", "1 Баланс")]


def test_answers_of_an_old_dialogue_do_not_reach_the_new_one():
    net = network()
    net.dial(IVAN, "*100#", 0)
    old = take(net, 0)
    net.cancel(IVAN, 1)
    net.dial(IVAN, "*105#", 2)
    assert show(net, old, "5 руб.", "finish", 3) == ESME_RINVOPTPARAMVAL
    assert screens(net) == []


def test_the_network_speaks_first():
    net = network()
    push = SubmitSm(
        source_addr="105", destination_addr=IVAN, short_message=b"Rate us", tlvs={0x0501: b"\x02"}
    )
    assert respond(net, "gw", push, 0).command_status == ESME_ROK
    net.answer(IVAN, "5", 1)
    answer = take(net, 1)
    assert (answer.turn, answer.reply.service_addr) == (Answer("5"), "105")
    assert show(net, answer, "Thanks", "finish", 2) == ESME_ROK
    assert screens(net) == [("ask", "Rate us"), ("end", "Thanks")]


def test_a_notice_is_confirmed_when_it_is_seen():
    net = network()
    notice = SubmitSm(source_addr="105", destination_addr=IVAN, short_message=b"Hi", tlvs={0x0501: b"\x03"})
    for _ in range(2):
        assert respond(net, "gw", notice, 0).command_status == ESME_ROK
    assert isinstance(take(net, 0).turn, Notified)
    assert net.take("gw", 0) is None
    net.press_ok(IVAN, 1)
    assert isinstance(take(net, 1).turn, Notified)


def test_a_busy_phone_takes_no_second_dialogue():
    net = network(Account("gw", "a"), Account("other", "b", serves=("222",)))
    net.dial(IVAN, "*100#", 0)
    push = SubmitSm(destination_addr=IVAN, short_message=b"Rate us", tlvs={0x0501: b"\x02"})
    assert respond(net, "other", push, 0).command_status == ESME_RX_T_APPN


@pytest.mark.parametrize(
    ("pdu", "status"),
    [
        (SubmitSm(destination_addr="x", short_message=b"hi"), ESME_RINVDSTADR),
        (SubmitSm(destination_addr="", short_message=b"hi", tlvs={0x0501: b"\x02"}), ESME_RINVDSTADR),
        (SubmitSm(destination_addr=IVAN, tlvs={0x0501: b"\x63"}), ESME_RINVOPTPARAMVAL),
        (SubmitSm(destination_addr=IVAN, tlvs={0x0501: b""}), ESME_RINVOPTPARAMVAL),
        (SubmitSm(destination_addr=IVAN, tlvs={0x0501: b"\x11"}), ESME_RX_P_APPN),
        (SubmitSm(destination_addr=IVAN, tlvs={0x0501: b"\x11", 0x1383: b"\x07\x02"}), ESME_RINVOPTPARAMVAL),
    ],
)
def test_what_cannot_be_shown_is_refused_with_a_reason(pdu, status):
    assert respond(network(), "gw", pdu, 0).command_status == status


def test_unacknowledged_turns_come_again_in_order():
    net = network()
    net.dial(IVAN, "*100#", 0)
    net.dial(OLGA, "*105#", 0)
    net.send_sms(IVAN, "000110", "", 0)
    first = [net.take("gw", 0) for _ in range(3)]
    assert net.take("gw", 0) is None
    net.give_back("gw", reversed(first))
    assert [net.take("gw", 1) for _ in range(3)] == first


def test_a_turn_whose_dialogue_died_meanwhile_does_not_come_again():
    net = network(answer_s=30)
    net.dial(IVAN, "*100#", 0)
    turn = net.take("gw", 0)
    net.on_deadline(30)
    net.give_back("gw", [turn])
    again = net.take("gw", 31)
    assert again.farewell
    assert net.take("gw", 31) is None


def test_a_busy_application_is_asked_again_later_and_order_is_kept():
    net = network(retry_first_s=1, retry_most_s=4)
    net.dial(IVAN, "*100#", 0)
    net.dial(OLGA, "*100#", 0)
    one, two = net.take("gw", 0), net.take("gw", 0)
    net.taken("gw", one, ESME_RTHROTTLED, 0)
    net.taken("gw", two, ESME_RTHROTTLED, 0)
    assert net.take("gw", 0.5) is None
    assert net.deadline(0.5) == 1
    assert net.take("gw", 1) is one
    net.taken("gw", one, ESME_RTHROTTLED, 1)
    assert net.deadline(1) == 3
    assert net.take("gw", 3) is one
    net.taken("gw", one, ESME_ROK, 3)
    assert net.take("gw", 3) is two


def test_a_message_that_fails_steps_aside_for_the_others():
    net = network(retry_first_s=1, retry_most_s=4)
    net.send_sms(IVAN, "000110", "poison", 0)
    net.send_sms(OLGA, "000110", "fine", 0)
    poison = net.take("gw", 0)
    net.taken("gw", poison, ESME_RSYSERR, 0)
    fine = net.take("gw", 0)
    assert fine.pdu.short_message == b"fine"
    net.taken("gw", fine, ESME_ROK, 0)
    assert net.take("gw", 0.9) is None
    assert net.deadline(0.9) == 1
    assert net.take("gw", 1) is poison
    net.taken("gw", poison, ESME_RX_T_APPN, 1)
    assert net.deadline(1) == 3
    net.came_back("gw")
    assert net.take("gw", 1) is poison


def test_a_turn_that_is_refused_for_good_ends_in_an_error_on_the_phone():
    net = network()
    net.dial(IVAN, "*100#", 0)
    net.taken("gw", net.take("gw", 0), ESME_RX_P_APPN, 0)
    assert screens(net)[0][0] == "error"
    assert net.take("gw", 0) is None


def test_sms_wait_for_an_application_and_not_for_ever():
    net = network(sms_validity_s=60)
    net.send_sms(IVAN, "000110", "one", 0)
    net.send_sms(IVAN, "000110", "two", 30)
    assert net.take("gw", 70).pdu.short_message == b"two"


def test_what_waits_is_bounded_and_the_phone_says_so():
    net = network(max_waiting=2)
    net.send_sms(IVAN, "000110", "one", 0)
    net.send_sms(IVAN, "000110", "two", 0)
    with pytest.raises(QueueFull, match="2 messages are waiting"):
        net.send_sms(IVAN, "000110", "three", 0)
    net.dial(IVAN, "*100#", 0)
    assert screens(net)[0][0] == "error"
    assert net.station(IVAN).dialogue is None


def test_phones_are_bounded_and_the_one_in_use_stays():
    net = network(max_phones=2)
    net.dial(IVAN, "*100#", 0)
    net.station(OLGA)
    net.station("79260000011")
    assert IVAN in net.stations
    assert OLGA not in net.stations
    net.dial("79260000011", "*100#", 0)
    with pytest.raises(NotPossible, match="all 2 phones"):
        net.station(OLGA)


def test_codes_go_to_who_serves_them():
    net = network(Account("rest", "a"), Account("bank", "b", serves=("*900#", "900")))
    net.dial(IVAN, "*900*1#", 0)
    net.dial(OLGA, "*100#", 0)
    assert take(net, 0, "bank").msisdn == IVAN
    assert take(net, 0, "rest").msisdn == OLGA


def test_nobody_serves_it():
    net = network(Account("bank", "b", serves=("900",)))
    net.dial(IVAN, "*100#", 0)
    assert screens(net)[0][0] == "error"
    with pytest.raises(NotPossible, match="no application serves 000110"):
        net.send_sms(IVAN, "000110", "", 0)


@pytest.mark.parametrize("text", ["x" * 4001])
def test_an_sms_is_bounded(text):
    with pytest.raises(NotPossible, match="4000"):
        network().send_sms(IVAN, "000110", text, 0)


def test_an_answer_that_does_not_fit_a_pdu_ends_the_dialogue_for_both():
    net = network()
    net.dial(IVAN, "*105#", 0)
    show(net, take(net, 0), "1 Баланс", "ask", 0)
    net.answer(IVAN, "я" * 300, 1)
    assert screens(net)[-1][0] == "error"
    assert isinstance(take(net, 1).turn, Abort)
    assert net.take("gw", 1) is None


def test_timers_of_dialogues_that_are_over_do_not_pile_up():
    net = network(answer_s=1_000)
    for now in range(3_000):
        net.dial(IVAN, "*100#", now / 1_000)
        show(net, take(net, now / 1_000), "5 руб.", "finish", now / 1_000)
        net.press_ok(IVAN, now / 1_000)
    assert len(net._deadlines) < 1_100


def test_settings_that_cannot_be():
    with pytest.raises(SimulatorError, match="at most 8"):
        Account("gw", "much-too-long")


def test_a_notice_that_was_hung_up_is_not_confirmed_in_place_of_a_later_one():
    net = network()
    net.dial(IVAN, "*100#", 0)
    show(net, take(net, 0), "1 Balance", "ask", 0)
    push = [SPEC.push(IVAN, "100", text, "push_notify") for text in ("never seen", "seen")]
    assert respond(net, "gw", push[0], 1).command_status == ESME_ROK
    net.hang_up(IVAN, 2)
    assert isinstance(take(net, 2).turn, Abort)
    assert respond(net, "gw", push[1], 3).command_status == ESME_ROK
    assert len(net.station(IVAN).notices) == 0, "the one that was seen is confirmed, no other one waits"
