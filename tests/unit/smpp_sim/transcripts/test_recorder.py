"""A phone's log as a transcript."""

import httpx
import pytest
from pytest_starpound.smsc import Smsc

from menus.turns import Begin
from smpp_sim.phones.events import LogEvent
from smpp_sim.simulator import Simulator
from smpp_sim.transcripts import transcript
from smpp_sim.transcripts.recorder import MASKS, masked, record
from tests.unit.smpp_sim.answering import answering
from tests.unit.smpp_sim.sim_scene import WireEsme, scene, settings

IVAN = "79260000003"


def written(*events, **how):
    numbered = [LogEvent(number, 0.0, kind, data) for number, (kind, data) in enumerate(events, 1)]
    return transcript.write(record(IVAN, numbered, **how))


def screen(kind, text, used=1):
    return "screen", {"screen": kind, "text": text, "alphabet": "gsm7", "used": used, "allowed": 182}


def test_a_conversation():
    with Smsc() as smsc, answering(smsc):
        phone = smsc.phone(IVAN)
        phone.dial("*105#").expect("Menu").ok().expect("else").cancels()
        phone.sms("000110", "a\nb").receives()
        assert phone.transcript() == (
            "@ 79260000003\n> *105#\n< Menu\n< 1 Balance\n< 2 Nothing\n= - ask gsm7 24/182\n>\n< Anything else?\n"
            "= - ask gsm7 14/182\n! cancel\n\n> 000110: a\n>> b\n~ 000110: Login 9, password {password}\n"
        )


def test_what_ends_a_dialogue_is_no_screen():
    error = screen("error", "Connection problem")
    assert written(
        ("running", {"code": "*1#"}),
        screen("ask", "Who?"),
        ("lost", {}),
        error,
        ("running", {"code": "*2#"}),
        error,
    ) == ("@ 79260000003\n> *1#\n< Who?\n= - ask gsm7 1/182\n! abort\n\n> *2#\n< Connection problem\n")
    assert "! timeout\n" in written(("running", {"code": "*1#"}), ("timeout", {}), error)


def test_what_has_no_notation_is_a_remark():
    said = written(("off", {}), ("on", {}), screen("local", "IMEI\n35"), missed=True)
    assert said == (
        "# what happened before is no longer kept\n@ 79260000003\n# the phone is switched off\n"
        "# the phone is switched on\n\n# never left the phone: IMEI 35\n"
    )


def test_an_answer_that_a_replay_would_dial():
    said = written(("running", {"code": "*1#"}), screen("ask", "Code?"), ("answered", {"text": "*5#"}))
    assert said.endswith("# the next line was an answer; a replay would dial it\n> *5#\n")


def test_screens_in_a_row_stay_apart():
    steps = transcript.parse(
        written(screen("error", "One"), screen("error", "Two"), screen("notice", "{3}\\ "))
    )
    assert [step.text for step in steps if isinstance(step, transcript.ScreenShown)] == [
        "One",
        "Two",
        "{{3}}\\ ",
    ]


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("Логин 9, пароль hr3kk9xw2p", "Логин 9, пароль {password}"),
        ("Login 9, password: abcdefgh", "Login 9, password: {password}"),
        ("Пароль отправлен.", "Пароль отправлен."),
        ("и пароль придёт в SMS", "и пароль придёт в SMS"),
        ("The password will come by SMS.", "The password will come by SMS."),
        ("A password was sent", "A password was sent"),
        ("{x} parol a1b2c3 {y}", "{{x}} parol {password} {{y}}"),
    ],
)
def test_passwords_are_masked(text, template):
    assert masked(text) == template
    assert transcript.matches(template, text) is not None


def test_other_masks_are_asked_for():
    text = "12345 roubles until 04.12.2026 17:13, then 12345 or 99999"
    assert masked(text, ("number",)) == "{number} roubles until 04.12.2026 17:13, then {number} or 99999"
    assert masked(text, tuple(MASKS)).startswith(
        "{number} roubles until {date} {time}, then {number} or 99999"
    )
    assert transcript.matches(masked(text, tuple(MASKS)), text)


@scene
async def test_time_outs_are_told_apart():
    patience = {"answer_s": 0.05, "user_s": 0.05}
    async with Simulator(settings(patience)) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        phone = sim.phone(IVAN)
        phone.dial("*1#")
        assert (await phone.screen()).kind == "error"
        phone.press_ok()
        await esme.deliver_sm()
        phone.dial("*2#")
        turn = None
        while turn is None or not isinstance(turn.turn, Begin):
            turn = await esme.turn()
        await esme.show(turn, "Who?")
        assert (await phone.screen()).kind == "ask"
        assert (await phone.screen()).kind == "error"
        station = sim.centre.network.station(IVAN)
        said = transcript.write(record(IVAN, station.log.after(0)))
        await esme.cut()
    assert said == (
        "@ 79260000003\n> *1#\n< Connection problem or invalid MMI code\n\n"
        "> *2#\n< Who?\n= - ask gsm7 4/182\n! timeout\n"
    )


def test_the_api_writes_it_and_names_unknown_masks():
    with Smsc() as smsc, answering(smsc):
        smsc.phone(IVAN).sms("000110").receives()
        with httpx.Client(base_url=smsc.url, trust_env=False) as http:
            path = f"/api/phones/{IVAN}/transcript"
            plain = http.get(path, params={"mask": ""})
            assert plain.headers["content-type"] == "text/plain; charset=utf-8"
            assert plain.text == f"@ {IVAN}\n> 000110:\n~ 000110: Login 9, password s3cret-word\n"
            assert http.get(path, params={"after": 99}).text == f"@ {IVAN}\n"
            assert http.get(path, params={"mask": "cat"}).status_code == 400
            assert http.get("/api/phones/x/transcript").status_code == 400
