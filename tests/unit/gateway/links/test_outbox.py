"""The queue of one link: order, back-off, what waits in the store. Time is a number."""

import pytest

from data.model import Outgoing
from gateway.backoff import Backoff
from gateway.links.flow import Flow
from gateway.links.outbox import Fragment, SendQueue, Verdict
from gateway.smpp.vocabulary import (
    ESME_RINVDSTADR,
    ESME_RMSGQFUL,
    ESME_ROK,
    ESME_RSYSERR,
    ESME_RTHROTTLED,
)


def message(number: int, expires: float = 1000.0) -> Outgoing:
    return Outgoing(number, "ussdc", "79260000003", "ussd", 0.0, expires, b"frame")


def bound_outbox(limit: int = 100) -> SendQueue:
    """The queue of a link that has read the store and found nothing there."""
    outbox = SendQueue(limit, Flow(10), Backoff(first_s=1, max_s=8))
    while (lane := outbox.wanting()) is not None:
        lane.refill([], more=False)
    return outbox


def drain(outbox: SendQueue, now: float = 0.0) -> list[int]:
    ids = []
    while (popped := outbox.pop(now)) is not None:
        ids.append(popped.id)
    return ids


def test_leaves_in_the_order_of_the_store():
    outbox = bound_outbox()
    for number in (1, 2, 3):
        outbox.put(message(number))
    assert drain(outbox) == [1, 2, 3]


@pytest.mark.parametrize("status", [ESME_RTHROTTLED, ESME_RMSGQFUL])
def test_W2_a_throttled_queue_waits_as_a_whole_and_keeps_its_order(status):
    outbox = bound_outbox()
    for number in range(1, 6):
        outbox.put(message(number))
    sent = [outbox.pop(0) for _ in range(3)]
    # the centre took 1, had no room for 2, and answered 3 before it
    assert outbox.settle(sent[2], status, now=0, wall=0) is Verdict.RETRY
    assert outbox.settle(sent[1], status, now=0, wall=0) is Verdict.RETRY
    assert drain(outbox, now=0.5) == []
    assert outbox.due() == 1, "two refusals of one window are one"
    again = outbox.pop(1)
    assert outbox.settle(again, status, now=1, wall=1) is Verdict.RETRY
    assert outbox.due() == 3, "the next one doubles the wait"
    assert drain(outbox, now=3) == [2, 3, 4, 5]


def test_W2_a_message_that_is_taken_ends_the_backing_off():
    outbox = bound_outbox()
    outbox.put(message(1))
    first = outbox.pop(0)
    outbox.settle(first, ESME_RTHROTTLED, now=0, wall=0)
    outbox.settle(outbox.pop(1), ESME_ROK, now=1, wall=1)
    outbox.put(message(2))
    outbox.settle(outbox.pop(1), ESME_RTHROTTLED, now=1, wall=1)
    assert outbox.due() == 2, "the wait begins at the first step again"


def test_W3_a_temporary_error_delays_one_message_only():
    outbox = bound_outbox()
    outbox.put(message(1))
    outbox.put(message(2))
    assert outbox.settle(outbox.pop(0), ESME_RSYSERR, now=0, wall=0) is Verdict.RETRY
    assert drain(outbox, now=0) == [2]
    assert drain(outbox, now=1) == [1]


def test_W3_a_temporary_error_is_final_once_the_message_is_of_no_use():
    outbox = bound_outbox()
    outbox.put(message(1, expires=50))
    assert outbox.settle(outbox.pop(0), ESME_RSYSERR, now=0, wall=51) is Verdict.FAILED
    assert len(outbox) == 0


def test_W3_a_permanent_error_is_final():
    outbox = bound_outbox()
    outbox.put(message(1))
    assert outbox.settle(outbox.pop(0), ESME_RINVDSTADR, now=0, wall=0) is Verdict.FAILED


def test_W4_without_a_response_it_is_sent_again_later_and_later():
    outbox = bound_outbox()
    outbox.put(message(1))
    now, waits = 0.0, []
    for _ in range(5):
        outbox.retry(outbox.pop(now), now)
        waits.append(outbox.due() - now)
        now = outbox.due()
    assert waits == [1, 2, 4, 8, 8]


def test_what_is_beyond_the_limit_stays_in_the_store_until_there_is_room():
    outbox = bound_outbox(limit=2)
    store = [message(number) for number in range(1, 6)]
    for waiting in store:
        outbox.put(waiting)
    assert len(outbox) == 2
    assert outbox.full
    assert drain(outbox) == [1, 2]
    lane = outbox.wanting()
    assert lane.kind == "ussd"
    lane.refill([waiting for waiting in store if waiting.id > lane.last_id], more=False)
    assert drain(outbox) == [3, 4, 5]
    assert outbox.wanting() is None


def test_nothing_is_queued_past_what_is_still_in_the_store():
    outbox = SendQueue(100, Flow(10))
    outbox.put(message(7))
    assert len(outbox) == 0, "the store holds older ones: order"
    outbox.wanting().refill([message(5), message(6), message(7)], more=True)
    assert drain(outbox) == [5, 6, 7]
    assert outbox.wanting() is not None, "there may be more"


def test_a_message_from_another_link_is_sent_although_younger_ones_were_read_already():
    outbox = bound_outbox()
    outbox.put(message(7))
    outbox.put(message(3))
    assert drain(outbox) == [3, 7]


def test_a_link_that_went_down_begins_with_the_store_again():
    outbox = bound_outbox()
    outbox.put(message(1))
    outbox.restart()
    assert len(outbox) == 0
    assert outbox.wanting().last_id == 0


def test_it_stays_full_until_what_it_left_in_the_store_has_had_its_turn():
    outbox = bound_outbox(limit=2)
    for number in (1, 2, 3):
        outbox.put(message(number))
    outbox.pop(0)
    assert outbox.full, "3 is in the store, and what comes after it must wait"
    outbox.pop(0)
    assert not outbox.full
    assert outbox.wanting() is not None


def test_dialogues_go_before_notices_and_notices_before_mailings():
    outbox = bound_outbox()
    for number, kind in enumerate(("mailing", "sms", "ussd", "mailing", "sms", "ussd"), 1):
        outbox.put(message(number)._replace(kind=kind))
    assert drain(outbox) == [3, 6, 2, 5, 1, 4]


def test_a_mailing_that_fills_its_lane_holds_no_dialogue_up():
    outbox = bound_outbox(limit=2)
    for number in range(1, 6):
        outbox.put(message(number)._replace(kind="mailing"))
    outbox.put(message(6))
    assert not outbox.full
    assert drain(outbox) == [6, 1, 2]


def test_the_store_fills_the_most_urgent_lane_first():
    outbox = SendQueue(100, Flow(10))
    asked = []
    while (lane := outbox.wanting()) is not None:
        asked.append(lane.kind)
        lane.refill([], more=False)
    assert asked == ["ussd", "reply", "sms", "mailing"]


def test_W2_the_window_shrinks_when_throttled_and_grows_again():
    flow = Flow(10)
    outbox = SendQueue(100, flow, Backoff(first_s=1, max_s=8))
    while (lane := outbox.wanting()) is not None:
        lane.refill([], more=False)
    for number in range(1, 30):
        outbox.put(message(number))
    window = [outbox.pop(0) for _ in range(10)]
    for refused in window:
        outbox.settle(refused, ESME_RTHROTTLED, now=0, wall=0)
    assert flow.window == 5, "halved once for the whole window"
    now = 1.0
    while (sent := outbox.pop(now)) is not None:
        outbox.settle(sent, ESME_ROK, now=now, wall=1)
    assert flow.window == 9, "after five it is 6, after six more 7, then 8, then 9"


def test_W2_a_screen_is_tried_again_soon_however_long_the_rest_waits():
    """Somebody looks at his display; and one recipient's full queue must not hold up everybody for half a minute."""
    outbox = bound_outbox()
    outbox.put(message(1)._replace(kind="sms"))
    now = 0.0
    for _ in range(4):  # pauses of 1, 2, 4, 8 s
        outbox.settle(outbox.pop(now), ESME_RMSGQFUL, now=now, wall=0)
        now = outbox.due()
    assert now == 15
    outbox.settle(outbox.pop(now), ESME_RMSGQFUL, now=now, wall=0)
    outbox.put(message(2))
    assert (outbox.due(), outbox.pop(16.9)) == (17, None)
    screen = outbox.pop(17)
    assert screen.id == 2
    outbox.settle(screen, ESME_RMSGQFUL, now=17, wall=0)
    assert outbox.pop(18.9) is None, "refused again, it waits again"
    assert outbox.pop(19).id == 2
    assert outbox.pop(22.9) is None
    assert outbox.pop(23).id == 1


def test_a_link_that_binds_again_is_not_throttled_yet():
    outbox = bound_outbox()
    outbox.put(message(1))
    outbox.settle(outbox.pop(0), ESME_RTHROTTLED, now=0, wall=0)
    outbox.restart()
    outbox.wanting().refill([message(1)], more=False)
    assert outbox.pop(0).id == 1


def screen(number: int, msisdn: str) -> Outgoing:
    return message(number)._replace(msisdn=msisdn)


def test_a_screen_without_a_response_is_not_sent_again_over_a_newer_one():
    outbox = bound_outbox()
    outbox.put(screen(1, "one"))
    outbox.put(screen(2, "two"))
    first, other = outbox.pop(0), outbox.pop(0)
    outbox.put(screen(3, "one"))  # the subscriber has answered: he has seen the first
    outbox.settle(outbox.pop(0), ESME_ROK, now=0, wall=0)
    outbox.retry(first, now=10)
    outbox.retry(other, now=10)
    assert [(one.id, outbox.is_stale(one)) for one in (outbox.pop(11), outbox.pop(11))] == [
        (1, True),
        (2, False),
    ]


def test_two_screens_that_were_never_sent_are_both_sent():
    outbox = bound_outbox()
    outbox.put(screen(1, "one"))
    outbox.put(screen(2, "one"))
    assert not outbox.is_stale(outbox.pop(0))


def test_an_sms_is_sent_again_whatever_is_on_the_display():
    outbox = bound_outbox()
    outbox.put(screen(1, "one")._replace(kind="reply"))
    outbox.retry(outbox.pop(0), now=0)
    outbox.put(screen(2, "one"))
    assert [outbox.is_stale(one) for one in (outbox.pop(1), outbox.pop(1))] == [False, False]


def test_what_is_put_while_the_store_is_read_is_not_left_there():
    """It was committed after the read and handed in before its end."""
    outbox = bound_outbox()
    outbox.restart()
    lane = outbox.wanting()
    outbox.put(message(2))
    lane.refill([message(1)], more=False)
    assert drain(outbox) == [1]
    assert outbox.wanting() is lane, "2 is in the store"


def test_a_link_that_went_down_has_forgotten_which_screens_are_the_newest():
    """What the store holds at the bind is sent, whatever was sent before: nobody knows what has been seen."""
    outbox = bound_outbox()
    outbox.put(screen(1, "one"))
    outbox.put(screen(2, "one"))
    outbox.restart()
    outbox.wanting().refill([screen(1, "one")], more=False)
    again = outbox.pop(0)
    outbox.retry(again, now=0)
    assert not outbox.is_stale(outbox.pop(1))


def test_a_withdrawn_message_is_not_sent_nor_sent_again():
    outbox = bound_outbox()
    for number in (1, 2, 3):
        outbox.put(message(number)._replace(kind="sms"))
    refused = outbox.pop(0)
    outbox.withdraw([1, 2])
    outbox.retry(refused, now=0)
    assert drain(outbox, now=1) == [3]
    assert len(outbox) == 0


def test_the_parts_of_a_message_take_its_place_in_their_order():
    outbox = bound_outbox()
    outbox.put(message(1)._replace(kind="sms"))
    outbox.put(message(2)._replace(kind="sms"))
    long = outbox.pop(0)
    outbox.push([Fragment(1, number, long, bytes([9 - number])) for number in (1, 2, 3)])
    parts = [outbox.pop(0) for _ in range(3)]
    assert [part.number for part in parts] == [1, 2, 3]
    outbox.retry(parts[1], now=0)
    assert outbox.settle(parts[0], ESME_RTHROTTLED, now=0, wall=0) is Verdict.RETRY
    assert [(one.id, getattr(one, "number", 0)) for one in (outbox.pop(1), outbox.pop(1), outbox.pop(1))] == [
        (1, 1),
        (1, 2),
        (2, 0),
    ]
