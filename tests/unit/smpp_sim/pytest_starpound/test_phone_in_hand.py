"""The phone of the pytest plugin, in plain functions, with an application at the other end of a real socket."""

import re
import socket
from collections.abc import Iterator

import pytest
from pytest_starpound.phone import Phone, Unexpected
from pytest_starpound.process import StarpoundError
from pytest_starpound.smsc import Smsc

from gateway.smpp.pdu import BindTransceiver, encode
from tests.unit.smpp_sim.answering import Application, answering

SHORT_S = 0.05


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Smsc, Application]]:
    with Smsc(timeout_s=5) as smsc, answering(smsc) as application:
        yield smsc, application


@pytest.fixture
def centre(running: tuple[Smsc, Application]) -> Smsc:
    return running[0]


@pytest.fixture
def application(running: tuple[Smsc, Application]) -> Application:
    return running[1]


@pytest.fixture
def held(centre: Smsc) -> Iterator[Phone]:
    phone = centre.phone()
    yield phone
    phone.put_down()


def test_a_dialogue_to_its_end(held: Phone):
    talk = held.dial("*105#").expect("Balance").answer("1").ends(r"\d+\.\d\d RUB")
    assert talk.receives("password", sender="000110").text.startswith("Login")
    assert [screen.kind for screen in talk.screens] == ["ask", "end"]
    assert held.state == "idle"


def test_answers_without_a_look_at_the_screens(held: Phone):
    assert held.dial("*105#").answer("2").answer("1").ends().text.startswith("5.40")


def test_an_sms_that_came_before_the_screen_is_not_lost(held: Phone):
    held.dial("*105#").answer("1").ends("RUB").receives("Login")


def test_ok_is_an_empty_answer(held: Phone):
    held.dial("*105#").expect("^1 Balance$").ok().expect("Anything else").cancels()
    assert held.state == "idle"


def test_a_phone_that_is_dialled_anew_is_cleared_first(held: Phone):
    held.dial("*105#").expect("Menu")
    assert held.dial("*100#").ends().text == "5.40 RUB"


def test_an_empty_sms(held: Phone):
    assert held.sms("000110").receives(r"password \S+").sender == "000110"
    held.sms("000110", "LONG").receives("this one$", sender="000110")


def test_nothing_comes(held: Phone):
    held.sms("000110").receives("Login")
    with pytest.raises(Unexpected, match="no SMS was expected, one came"):
        held.sms("000110").receives_nothing(within_s=5)


def test_a_push(application: Application, held: Phone):
    application.push(held.msisdn, "Will you?")
    held.expects_push("Will you", within_s=5).answer("2").expect("Anything else").cancels()
    application.push(held.msisdn, "Just so", "push_notify")
    held.expects_push("Just so").ok()
    assert held.state == "idle"


def test_another_phone(held: Phone):
    other = held("79260000004")
    talk = held.dial("*105#").expect("Menu")
    other.dial("*100#").ends("RUB")
    talk.answer("1").ends()
    assert (held.msisdn, other.msisdn) == ("79260000003", "79260000004")


def test_the_subscriber_is_slow(held: Phone):
    held.dial("*105#").expect("Menu").times_out()
    assert held.state == "idle"


def test_a_phone_that_is_off(held: Phone):
    held.switch_off()
    with pytest.raises(Unexpected, match="switched off"):
        held.dial("*100#")
    held.switch_on()
    held.dial("*100#").ends()


def test_another_screen_is_shown_in_the_failure(held: Phone):
    with pytest.raises(Unexpected) as failure:
        held.dial("*105#").expect("Welcome")
    said = str(failure.value)
    assert "'Welcome' was expected, this came:\n  Menu\n" in said
    assert "  > *105#\n  < Menu\n" in said
    assert "bound: gw (transceiver" in said
    assert "→ gw  deliver_sm" in said
    assert "← gw  submit_sm" in said


def test_nobody_answers(held: Phone):
    with pytest.raises(Unexpected) as failure:
        held.dial("*999#").expect("anything", within_s=SHORT_S)
    said = str(failure.value)
    assert said.startswith("no screen within 0.05 s; 'anything' was expected")
    assert "  > *999#" in said


def test_the_other_ways_to_be_wrong(held: Phone):
    with pytest.raises(Unexpected, match="the last question still waits"):
        held.dial("*105#").expect("Menu").ends()
    with pytest.raises(Unexpected, match="a screen of kind end was expected, ask"):
        held.dial("*105#").ends()
    with pytest.raises(Unexpected, match=r"no SMS with .gold. within 0\.5 s; 1 other"):
        held.sms("000110").receives("gold", within_s=0.5)
    with pytest.raises(Unexpected, match="without # at its end this is a call"):
        held.dial("12345")
    with pytest.raises(Unexpected, match="a screen of kind ask or end or notice was expected, local"):
        held.dial("*#06#").expect("IMEI")


def test_a_failure_keeps_secrets(held: Phone):
    with pytest.raises(Unexpected) as failure:
        held.sms("000110").receives("gold", within_s=0.5)
    assert "Login 9, password {password}" in str(failure.value)
    assert "s3cret-word" not in str(failure.value)


def test_a_transcript_is_replayed(centre: Smsc, tmp_path):
    file = tmp_path / "menu.ussd"
    file.write_text(
        "@ 79260000005\n> *105#\n< Menu\n< 1 Balance\n< 2 Nothing\n> 1\n< 5.40 RUB on {date}\n", "utf-8"
    )
    with pytest.raises(Unexpected, match=r"menu\.ussd:6: it went otherwise"):
        centre.replay(file)
    file.write_text(file.read_text("utf-8") + "~ 000110: Login 9, password {password}\n", "utf-8")
    centre.replay(file)


def test_nobody_is_bound():
    with Smsc(timeout_s=SHORT_S) as smsc:
        with pytest.raises(Unexpected, match=rf"gw did not bind within 0.05 s to 127.0.0.1:{smsc.port}"):
            smsc.wait_bound(timeout_s=SHORT_S)
        with pytest.raises(Unexpected, match="bound: nobody"):
            smsc.phone().dial("*100#").ends()


def test_a_bind_that_is_refused_is_told():
    with Smsc() as smsc, socket.create_connection((smsc.host, smsc.port)) as esme:
        bind = BindTransceiver(sequence_number=1, system_id="gw", password="wrong", interface_version=0x34)
        esme.sendall(encode(bind))
        assert esme.recv(4)
        with pytest.raises(Unexpected) as failure:
            smsc.wait_bound(timeout_s=SHORT_S)
    said = str(failure.value)
    assert "bind_transceiver_resp 1 ESME_RINVPASWD" in said
    assert re.search(r"^127\.0\.0\.1:\d+ is connected and has not bound$", said, re.MULTILINE)
    assert "The simulator's log:\n  bind from 127.0.0.1" in said


def test_of_very_much_the_end_is_told(held: Phone):
    for _ in range(40):
        held.dial("*100#").ends()
    with pytest.raises(Unexpected) as failure:
        held.sms("000999", "the last").receives("gold", within_s=SHORT_S)
    said = str(failure.value)
    assert re.search(r"What the phone saw:\n  … \d+ lines before\n", said)
    assert said.count("  > *100#") < 40
    assert "  > 000999: the last" in said


def test_a_port_in_use_is_one_line():
    with (
        Smsc() as smsc,
        pytest.raises(StarpoundError, match=r"^starpound sim: SMPP: cannot listen on .* the port is in use"),
    ):
        Smsc({"smpp_port": smsc.port}).start()


def test_after_the_end_a_phone_says_so():
    with Smsc() as smsc:
        phone = smsc.phone()
    with pytest.raises(StarpoundError, match="not running"):
        phone.dial("*100#")
