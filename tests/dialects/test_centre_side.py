"""The simulator's network where dialects differ: late answers, numbers of sessions, pushes, last answers, releases."""

import pytest

from gateway.dialect import load_profile, profile_names
from gateway.smpp.pdu import SubmitSm, encode
from gateway.smpp.vocabulary import ESME_RINVOPTPARAMVAL, ESME_ROK, ESME_RX_P_APPN, ESME_RX_T_APPN
from menus.turns import Abort
from smpp_sim.centre.network import CLOSED, Network
from smpp_sim.centre.requests import respond
from smpp_sim.centre.routing import Owed
from smpp_sim.settings import Account, NetworkSettings

IVAN, OLGA = "79260000003", "79260000007"
WITHOUT_SESSION = [name for name in profile_names() if not load_profile(name).file.session]


class Centre:
    """The network, and a gateway that reads what comes from it."""

    def __init__(self, dialect, **changes):
        self.profile = load_profile(dialect)
        self.network = Network([Account("gw", "secret", dialect=dialect)], NetworkSettings(**changes))

    def take(self, now=0):
        delivery = self.network.take("gw", now)
        if delivery is None:
            return None
        self.network.taken("gw", delivery, ESME_ROK, now)
        encode(delivery.pdu)
        return self.profile.read(delivery.pdu)

    def dial(self, now=0, msisdn=IVAN):
        self.network.dial(msisdn, "*105#", now)
        return self.take(now)

    def show(self, turn, text, kind, now=0):
        return self.submit(self.profile.write(turn.reply, text, kind), now)

    def push(self, text, kind, now=0):
        return self.submit(self.profile.push(IVAN, "105", text, kind), now)

    def submit(self, pdu, now=0):
        return respond(self.network, "gw", pdu, now).command_status

    @property
    def screens(self):
        log = self.network.station(IVAN).log
        return [event.data["text"] for event in log.after(0, frozenset({"screen"}))]


@pytest.mark.parametrize("dialect", profile_names())
@pytest.mark.parametrize("end", ["cancelled", "timed out"])
@pytest.mark.parametrize("kind", ["ask", "finish"])
def test_a_late_answer_opens_nothing(dialect, end, kind):
    centre = Centre(dialect, answer_s=30)
    begun = centre.dial()
    if end == "cancelled":
        centre.network.cancel(IVAN, 29)
    else:
        centre.network.on_deadline(30)
    before = centre.screens
    assert centre.show(begun, "late", kind, 31) in (ESME_RINVOPTPARAMVAL, ESME_RX_P_APPN)
    assert centre.screens == before
    assert centre.network.station(IVAN).dialogue is None


@pytest.mark.parametrize("dialect", [name for name in WITHOUT_SESSION if load_profile(name).pushes])
def test_after_a_late_answer_the_gateway_may_open_a_dialogue(dialect):
    centre = Centre(dialect)
    begun = centre.dial()
    centre.network.cancel(IVAN, 1)
    assert centre.show(begun, "late", "ask", 2) == ESME_RX_P_APPN
    assert centre.push("Rate us", "push_ask", 3) == ESME_ROK
    assert centre.screens[-1] == "Rate us"


def test_an_answer_that_never_comes_is_not_waited_for_forever():
    centre = Centre("huawei-words", answer_s=30)
    centre.dial()
    centre.network.cancel(IVAN, 1)
    assert centre.push("Rate us", "push_ask", 20) == ESME_RX_P_APPN, "it could be the answer"
    centre.network.hang_up(IVAN, 21)
    assert centre.push("Rate us", "push_ask", 40) == ESME_ROK


def test_what_is_owed_is_bounded():
    owed = Owed(limit=2)
    for number in range(3):
        owed.add((str(number), "gw"), until=10)
    assert [owed.take((str(number), "gw"), now=1) for number in range(3)] == [False, True, True]
    owed.add(("3", "gw"), until=10)
    assert not owed.take(("3", "gw"), now=10)


@pytest.mark.parametrize("dialect", profile_names())
def test_two_phones_never_share_a_dialogue(dialect):
    centre = Centre(dialect)
    ivan, olga = centre.dial(), centre.dial(msisdn=OLGA)
    assert ivan.key != olga.key
    assert centre.show(olga, "1 Баланс", "ask") == ESME_ROK
    assert centre.screens == []
    assert centre.show(ivan, "2 Опции", "ask") == ESME_ROK
    assert centre.screens == ["2 Опции"]


@pytest.mark.parametrize("dialect", profile_names())
def test_who_cancels_is_told_of_if_there_is_a_word_for_it(dialect):
    centre = Centre(dialect)
    centre.show(centre.dial(), "1 Баланс", "ask")
    centre.network.cancel(IVAN, 1)
    told = centre.take(1)
    assert (told is not None) == centre.profile.says("abort")
    assert told is None or isinstance(told.turn, Abort)


@pytest.mark.parametrize(
    "dialect", ["eyeline", "letters"]
)  # the others cannot tell such a push from an answer
def test_a_busy_phone_takes_no_pushed_question(dialect):
    centre = Centre(dialect)
    centre.show(centre.dial(), "1 Баланс", "ask")
    assert centre.push("Rate us", "push_ask") == ESME_RX_T_APPN
    assert centre.screens == ["1 Баланс"]


def test_an_unknown_reference_is_an_error_and_none_is_a_push():
    centre = Centre("eyeline")
    begun = centre.dial()
    wrong = centre.profile.write(begun.reply, "?", "ask")
    wrong.tlvs[0x0204] = b"\x77\x77"
    assert centre.submit(wrong) == ESME_RINVOPTPARAMVAL
    ending = SubmitSm(destination_addr=IVAN, service_type="USSD", tlvs={0x0501: b"\x11"})
    assert centre.submit(ending) == ESME_RX_P_APPN, "what ends nothing is no push either"
    assert centre.show(begun, "1 Баланс", "ask") == ESME_ROK


def test_the_answer_to_a_last_question_ends_the_dialogue():
    centre = Centre("smpp-plus")
    centre.show(centre.dial(), "Rate us", "ask_last")
    centre.network.answer(IVAN, "5", 1)
    answer = centre.take(1)
    assert (answer.turn.text, answer.last) == ("5", True)
    assert centre.network.station(IVAN).dialogue is None
    assert centre.screens[-1] == CLOSED
    assert centre.show(answer, "Thanks", "finish", 2) == ESME_RINVOPTPARAMVAL
    centre.network.press_ok(IVAN, 3)
    assert centre.dial(4), "the phone is free again"


def test_where_there_is_no_word_for_the_last_answer_it_is_an_answer():
    centre = Centre("spec")
    centre.show(centre.dial(), "Rate us", "ask_last")
    centre.network.answer(IVAN, "5", 1)
    assert not centre.take(1).last
    assert centre.network.station(IVAN).dialogue


@pytest.mark.parametrize("dialect", ["smpp-plus", "huawei", "huawei-words", "letters"])
def test_a_release_ends_the_dialogue_without_a_screen(dialect):
    centre = Centre(dialect)
    begun = centre.dial()
    assert centre.submit(centre.profile.release(begun.reply)) == ESME_ROK
    assert centre.screens == [CLOSED]
    assert centre.network.station(IVAN).dialogue is None
    assert centre.take() is None, "the gateway knows"


def test_numbers_of_sessions_wrap_where_the_tlv_is_full():
    centre = Centre("spec")
    keys = []
    for now in range(300):
        keys.append(centre.dial(now).key)
        centre.network.hang_up(IVAN, now)
        centre.take(now)
    assert len(set(keys)) == 256
    assert len(set(keys[:200])) == 200
