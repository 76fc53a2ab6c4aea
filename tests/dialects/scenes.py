"""The scenes that are played in every dialect, as far as it has words for them."""

from gateway.dialect import load_profile
from gateway.smpp.pdu import DataSm, SubmitSm
from tests.dialects.stage import ANSWER_S, BYE, MENU, NOTICE, QUESTION, USER_S, Stage


def dialogue(stage: Stage) -> None:
    begun = stage.dial()
    stage.show(begun, MENU, "ask")
    stage.show(stage.answer("1"), BYE, "finish")


def empty_answer(stage: Stage) -> None:
    stage.show(stage.dial(), MENU, "ask")
    stage.show(stage.answer(""), BYE, "finish")


def cancelled(stage: Stage) -> None:
    stage.show(stage.dial(), MENU, "ask")
    stage.cancel()
    stage.arrives()


def application_too_slow(stage: Stage) -> None:
    begun = stage.dial()
    stage.wait(ANSWER_S)
    stage.arrives()
    stage.lines.append("   the answer comes all the same, and opens nothing:")
    stage.show(begun, MENU, "ask")


def subscriber_too_slow(stage: Stage) -> None:
    stage.show(stage.dial(), MENU, "ask")
    stage.wait(USER_S)
    stage.arrives()


def opened_by_the_gateway(stage: Stage) -> None:
    stage.push(QUESTION, "push_ask")
    stage.show(stage.answer("5"), BYE, "finish")


def notice(stage: Stage) -> None:
    stage.push(NOTICE, "push_notify")
    stage.arrives()


def notice_in_a_dialogue(stage: Stage) -> None:
    stage.show(stage.dial(), NOTICE, "notify")
    stage.arrives()


def last_question(stage: Stage) -> None:
    stage.show(stage.dial(), QUESTION, "ask_last")
    stage.answer("5")


def last_notice(stage: Stage) -> None:
    stage.show(stage.dial(), NOTICE, "notify_last")


def released(stage: Stage) -> None:
    stage.show(stage.dial(), MENU, "ask")
    stage.release(stage.answer("1"))


def scenes_of(name: str) -> list[str]:
    """Everything that is played in a dialect, written down."""
    profile = load_profile(name)
    out = profile.file.outward
    played = [
        ("dial, ask, answer, finish", dialogue, True),
        ("an empty answer is an answer", empty_answer, True),
        ("the subscriber cancels", cancelled, True),
        ("the application is too slow", application_too_slow, True),
        ("the subscriber is too slow", subscriber_too_slow, True),
        ("a dialogue that the gateway opens", opened_by_the_gateway, "push_ask" in profile.pushes),
        ("a notice", notice, "push_notify" in profile.pushes),
        ("a notice in a dialogue", notice_in_a_dialogue, out.notify is not None),
        ("a question whose answer is the last", last_question, out.ask_last is not None),
        ("a notice that ends the dialogue", last_notice, out.notify_last is not None),
        ("the gateway releases", released, out.release is not None),
    ]
    lines: list[str] = []
    for title, scene, possible in played:
        if possible:
            lines += ["", f"== {title}"]
            scene(Stage(name, lines))
    lines += ["", "== the centre is the ESME: submit_sm to the gateway, deliver_sm back"]
    dialogue(Stage(name, lines, SubmitSm))
    lines += ["", "== by data_sm, both ways"]
    dialogue(Stage(name, lines, DataSm))
    return lines
