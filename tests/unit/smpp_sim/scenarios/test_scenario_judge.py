"""ESMEs with one bad habit each, and one without: what a scenario says of them."""

from typing import Any

import pytest

from smpp_sim.centre.centre import Centre
from smpp_sim.scenarios.file import parse_scenario
from smpp_sim.scenarios.run import ScenarioRun, settings_for
from smpp_sim.scenarios.summary import Summary
from smpp_sim.settings import SimulatorSettings
from tests.unit.smpp_sim.turned_clock import SPEC, MemoryEsme, run_at_once

SCENARIO = """
duration_s: 120
subscribers: {count: 10}
arrivals: {rate_per_s: 1, pattern: constant}
scripts:
  - name: menu
    think: {least_s: 0.5, most_s: 2}
    steps: [{dial: "*105#"}, {answer: "3"}, cancel]
  - name: balance
    steps: [{dial: "*100#", expect: "5.40"}]
  - name: sms
    steps: [{sms: {to: 000100}, expect_sms: "Your balance is {money}"}]
"""


def played(esme_class: type[MemoryEsme], more: str = "") -> Summary:
    """What comes of the scenario with such an ESME."""
    scenario = parse_scenario(SCENARIO + more, "test.yaml")

    async def play() -> Any:
        centre = Centre(settings_for(scenario, SimulatorSettings(http_port=0, smpp_port=0)))
        esme_class(centre)
        summary = await ScenarioRun(centre, scenario).run()
        await centre.stop()
        return summary

    return run_at_once(play)


class AnswersTwice(MemoryEsme):
    def answer(self, pdu: Any) -> None:
        super().answer(pdu)
        if pdu.short_message == b"*105#":
            self._loop.call_later(0.1, super().answer, pdu)


class AnswersWhatIsOver(MemoryEsme):
    def answer(self, pdu: Any) -> None:
        super().answer(pdu)
        if pdu.short_message == b"*100#":
            self._loop.call_later(0.1, super().answer, pdu)


class SendsSmsTwice(MemoryEsme):
    def answer(self, pdu: Any) -> None:
        super().answer(pdu)
        if not SPEC.is_ussd(pdu):
            self._loop.call_later(0.1, super().answer, pdu)


class LosesSms(MemoryEsme):
    def answer(self, pdu: Any) -> None:
        if SPEC.is_ussd(pdu):
            super().answer(pdu)


class ForgetsToAnswer(MemoryEsme):
    def answer(self, pdu: Any) -> None:
        if pdu.short_message != b"3":
            super().answer(pdu)


class GivesUpWhatIsThrottled(MemoryEsme):
    def throttled(self, pdu: Any) -> None:
        pass


THROTTLE = "faults: [{kind: throttle, share: 0.2}]"
SLOW = "faults: [{kind: latency, delay: 3}]\ncentre: {peer_window: 2}"
CUT = "faults: [{kind: half_open, from_s: 119, for_s: 0.5}]\nexpect: {reconnect_s: 5}"


@pytest.mark.parametrize(
    ("esme_class", "more", "wrong"),
    [
        (AnswersTwice, "", "answered_twice"),
        (AnswersWhatIsOver, "", "answered_closed"),
        (SendsSmsTwice, "", "sms_twice"),
        (LosesSms, "", "sms_lost"),
        (ForgetsToAnswer, "", "not_answered"),
        (GivesUpWhatIsThrottled, THROTTLE, "not_retried"),
        (MemoryEsme, SLOW, "exceeded_window"),
        (MemoryEsme, CUT, "not_reconnected"),
    ],
)
def test_a_bad_habit_is_noticed(esme_class: type[MemoryEsme], more: str, wrong: str) -> None:
    summary = played(esme_class, more)

    assert set(summary.wrong) == {wrong}, f"\n{summary}"
    assert not summary.good
    assert wrong in str(summary)


FAULTS = ("throttle", "queue_full", "response_lost", "request_lost", "reorder", "receipt_first", "malformed")


@pytest.mark.parametrize("kind", FAULTS)
def test_what_the_centre_does_wrong_is_not_the_esmes_fault(kind: str) -> None:
    forms = ", forms: [unknown_command, cut_body, tlv_beyond_end]" if kind == "malformed" else ""

    summary = played(
        MemoryEsme, f"faults: [{{kind: {kind}, share: 0.2{forms}}}]\nexpect: {{done_share: 0.95}}"
    )

    assert summary.good, f"\n{summary}"
    assert summary.faults[kind] > 5, f"\n{summary}"


@pytest.mark.parametrize("by", ["user", "network"])
def test_an_end_in_mid_turn_is_nobodys_fault(by: str) -> None:
    fault = f"{{kind: abort, share: 0.3, by: {by}, delay: {{least_s: 0, most_s: 1}}}}"

    summary = played(MemoryEsme, f"faults: [{fault}]\nexpect: {{done_share: 0.5}}")

    assert summary.good, f"\n{summary}"
    assert summary.outcomes["lost"], f"\n{summary}"


def test_a_response_waits_for_the_receipt() -> None:
    """The octets tell: deliver_sm with the receipt, then submit_sm_resp of the message that it is about."""
    heard: list[bytes] = []

    class Listening(MemoryEsme):
        def hear(self, octets: bytes) -> None:
            heard.append(octets)
            super().hear(octets)

    played(Listening, "faults: [{kind: receipt_first, traffic: sms}]")

    commands = [int.from_bytes(octets[4:8], "big") for octets in heard]
    for place, octets in enumerate(heard):
        if b"id:" in octets:
            assert commands[place : place + 2] == [0x00000005, 0x80000004], commands[place : place + 2]
