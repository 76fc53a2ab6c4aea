"""Which fault hits which message, and PDUs that nobody should take."""

from dataclasses import replace

import pytest

from gateway.dialect import DialectError, load_profile
from gateway.smpp.errors import RemoteProtocolError
from gateway.smpp.framing import Framer
from gateway.smpp.pdu import decode, encode
from smpp_sim.scenarios.faults import FaultTable, Occasion, malformed
from smpp_sim.scenarios.scenario import MALFORMED_FORMS, Chance, Fault

SPEC = load_profile("spec")
TURN = SPEC.indicate("79260000003", "105", "*105#", "new", 1, 0)
SUBMIT = Occasion("gw", "submit_sm", "ussd", "79260000003")


def hits(
    fault: Fault, occasion: Occasion = SUBMIT, at_s: float = 0.0, times: int = 1000, seed: int = 1
) -> int:
    table = FaultTable([fault], Chance(seed))
    return sum(table.first([fault.kind], occasion, at_s) is not None for _ in range(times))


def test_a_share_of_the_occasions() -> None:
    assert hits(Fault(kind="throttle", share=0.3)) == pytest.approx(300, abs=50)
    assert hits(Fault(kind="throttle", share=0)) == 0
    assert hits(Fault(kind="throttle")) == 1000


@pytest.mark.parametrize(
    ("at_s", "hit"), [(0, 0), (9.9, 0), (10, 1), (11.9, 1), (12, 0), (20, 1), (22, 0), (31, 1)]
)
def test_a_schedule(at_s: float, hit: int) -> None:
    fault = Fault(kind="throttle", from_s=10, for_s=2, every_s=10)

    assert hits(fault, at_s=at_s, times=1) == hit


@pytest.mark.parametrize(
    ("only", "hit"),
    [
        ({"account": "gw"}, 1),
        ({"account": "other"}, 0),
        ({"command": "submit_sm"}, 1),
        ({"command": "data_sm"}, 0),
        ({"traffic": "ussd"}, 1),
        ({"traffic": "sms"}, 0),
        ({"phone": "7926"}, 1),
        ({"phone": "7927"}, 0),
    ],
)
def test_it_is_meant_for_some(only: dict, hit: int) -> None:
    assert hits(Fault(kind="throttle", **only), times=1) == hit


def test_other_phones_change_nothing_for_this_one() -> None:
    fault, other = Fault(kind="throttle", share=0.5), Occasion("gw", "submit_sm", "ussd", "79260000004")
    alone, crowded = FaultTable([fault], Chance(1)), FaultTable([fault], Chance(1))

    def hit(table: FaultTable) -> bool:
        return table.first(["throttle"], SUBMIT, 0.0) is not None

    mine = [hit(alone) for _ in range(100)]
    among_others = []
    for _ in range(100):
        crowded.first(["throttle"], other, 0.0)
        among_others.append(hit(crowded))
    assert mine == among_others
    assert len(set(mine)) == 2


def test_the_first_in_the_file_wins() -> None:
    table = FaultTable([Fault(kind="queue_full"), Fault(kind="throttle")], Chance(1))

    assert table.first(["throttle", "queue_full"], SUBMIT, 0.0).kind == "queue_full"


@pytest.mark.parametrize("form", MALFORMED_FORMS)
def test_a_malformed_pdu_cannot_be_taken(form: str) -> None:
    assert not taken(malformed(TURN, form, 7))


def test_the_right_one_can() -> None:
    assert taken(encode(replace(TURN, sequence_number=7)))


def taken(octets: bytes) -> bool:
    try:
        frame, _, _, sequence_number = next(iter(Framer(65536).receive(octets)))
        assert sequence_number == 7
        pdu = decode(frame)
        SPEC.read(pdu)
    except (RemoteProtocolError, DialectError):
        return False
    return bool(pdu.source_addr)
