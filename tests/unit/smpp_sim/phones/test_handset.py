"""A phone behaves as a phone: one dialogue, boxes one behind the other."""

import contextlib

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from smpp_sim.phones.handset import (
    MAX_HIDDEN,
    DisplayState,
    Handset,
    Idle,
    NoRoom,
    NotPossible,
    Shown,
    ToNetwork,
)


@pytest.fixture
def phone():
    return Handset("79260000003")


def test_dialling_runs_until_the_network_answers(phone):
    assert phone.dial("*100#") == [Shown("running", "*100#"), ToNetwork("new", "*100#")]
    assert phone.receive("end", "5 руб.") == [Shown("end", "5 руб.")]
    assert phone.press_ok() == [Idle()]
    assert phone.state is DisplayState.IDLE


def test_a_question_is_answered_and_the_dialogue_goes_on(phone):
    phone.dial("*105#")
    assert phone.receive("ask", "1 Баланс") == [Shown("ask", "1 Баланс")]
    assert phone.answer("1") == [Shown("running", ""), ToNetwork("answer", "1")]
    assert phone.state is DisplayState.RUNNING


def test_ok_under_a_question_is_the_empty_answer_and_no_cancel(phone):
    phone.dial("*105*00#")
    phone.receive("ask", "Нажмите OK")
    assert phone.press_ok()[-1] == ToNetwork("answer", "")


def test_a_second_code_cannot_be_dialled_meanwhile(phone):
    phone.dial("*100#")
    with pytest.raises(NotPossible, match="busy"):
        phone.dial("*105#")


def test_cancel_tells_the_network(phone):
    phone.dial("*105#")
    phone.receive("ask", "1 Баланс")
    assert phone.cancel() == [ToNetwork("abort"), Idle()]
    with pytest.raises(NotPossible):
        phone.cancel()


def test_a_last_screen_has_ok_only(phone):
    phone.dial("*100#")
    phone.receive("end", "5 руб.")
    for deed in (phone.cancel, lambda: phone.answer("1")):
        with pytest.raises(NotPossible):
            deed()


def test_a_second_message_hides_behind_the_first(phone):
    phone.receive("notice", "один")
    assert phone.receive("notice", "два") == []
    assert phone.press_ok() == [Shown("notice", "два"), ToNetwork("notified")]
    assert phone.press_ok() == [Idle()]


def test_a_notice_within_a_dialogue_leads_back_to_it(phone):
    phone.dial("*100#")
    assert phone.receive("notice", "Подождите") == [Shown("notice", "Подождите"), ToNetwork("notified")]
    assert phone.press_ok() == [Shown("running", "")]
    phone.receive("end", "5 руб.")
    assert phone.press_ok() == [Idle()]


def test_an_answer_to_a_dialogue_that_has_ended_behind_the_box_is_not_sent(phone):
    phone.dial("*105#")
    phone.receive("ask", "1 Баланс")
    assert phone.receive("end", "Время вышло") == []
    assert phone.answer("1") == [Shown("end", "Время вышло")]


def test_the_same_question_twice_is_one_question(phone):
    phone.dial("*105#")
    phone.receive("ask", "1 Баланс")
    assert phone.receive("ask", "1 Баланс") == []
    assert not phone.hidden


def test_a_lost_dialogue_shows_an_error(phone):
    phone.dial("*105#")
    phone.receive("ask", "1 Баланс")
    assert phone.fail() == [Shown("error", "Connection problem or invalid MMI code")]
    assert phone.press_ok() == [Idle()]
    assert phone.fail() == []


def test_the_networks_codes_never_leave_the_phone(phone):
    effects = phone.dial("**21*79260000004#")
    assert [type(effect) for effect in effects] == [Shown]
    assert effects[0].kind == "local"
    assert "Call forwarding" in effects[0].text
    phone.press_ok()
    assert phone.dial("*#06#")[0].text.startswith("IMEI 35")


def test_a_phone_has_room_for_so_many_boxes(phone):
    for number in range(MAX_HIDDEN + 1):
        phone.receive("notice", str(number))
    with pytest.raises(NoRoom):
        phone.receive("notice", "one too many")


def test_hanging_up_clears_everything(phone):
    phone.dial("*105#")
    phone.receive("ask", "1 Баланс")
    phone.receive("notice", "SMS")
    assert phone.hang_up() == [ToNetwork("abort"), Idle()]
    assert phone.hang_up() == []


class AnyPhone(RuleBasedStateMachine):
    """Whatever owner and network do, in any order, the phone stays a phone."""

    def __init__(self):
        super().__init__()
        self.phone = Handset("79260000003")

    @rule(code=st.sampled_from(["*100#", "*#06#", "*21#", "12", ""]))
    def dial(self, code):
        self.attempt(lambda: self.phone.dial(code))

    @rule(text=st.sampled_from(["", "1"]))
    def answer(self, text):
        self.attempt(lambda: self.phone.answer(text))

    @rule()
    def press_ok(self):
        self.attempt(self.phone.press_ok)

    @rule()
    def cancel(self):
        self.attempt(self.phone.cancel)

    @rule()
    def hang_up(self):
        self.phone.hang_up()
        assert self.phone.state is DisplayState.IDLE

    @rule(kind=st.sampled_from(["ask", "end", "notice"]), text=st.sampled_from(["a", "b"]))
    def receive(self, kind, text):
        self.attempt(lambda: self.phone.receive(kind, text))

    @rule()
    def fail(self):
        self.phone.fail()

    def attempt(self, deed):
        with contextlib.suppress(NotPossible, NoRoom):
            deed()

    @invariant()
    def display_and_state_agree(self):
        phone = self.phone
        kind = phone.screen.kind if phone.screen else None
        expected = {None: DisplayState.IDLE, "running": DisplayState.RUNNING, "ask": DisplayState.ASKED}.get(
            kind, DisplayState.SHOWING
        )
        assert phone.state is expected
        assert len(phone.hidden) <= MAX_HIDDEN + 1
        assert not (phone.state is DisplayState.IDLE and phone.in_dialogue)
        assert not (phone.state is DisplayState.RUNNING and not phone.in_dialogue)
        assert not (phone.hidden and phone.state in (DisplayState.IDLE, DisplayState.RUNNING))


TestAnyPhone = AnyPhone.TestCase
