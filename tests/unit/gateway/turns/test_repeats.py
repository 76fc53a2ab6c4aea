"""What a centre may deliver again: only what it cannot have read, only soon, and each once. Time is a number."""

import pytest

from data.model import Acknowledged
from gateway.turns.repeats import AGAIN_S, ReadMark, Repeats, pack, unpack

ONE, OTHER = "first", "second"


class Link:
    """A link whose connections acknowledge messages, named by numbers."""

    def __init__(self):
        self.now = 0.0
        self.repeats = Repeats(lambda: self.now)
        self.responses = dict.fromkeys((ONE, OTHER), 0)

    def acknowledge(self, *digests, on=ONE, read=0):
        self.responses[on] += len(digests)
        self.repeats.acknowledged(ReadMark(on, self.responses[on], read), digests)

    def lose(self, on=ONE, read=0, others=False):
        self.repeats.lost(ReadMark(on, self.responses[on], read), others)

    def claims(self, *digests):
        return [self.repeats.claim(digest) for digest in digests]


@pytest.fixture
def link():
    return Link()


def test_what_was_on_its_way_when_the_connection_was_lost_comes_again_and_counts_once(link):
    link.acknowledge(11, 12)
    link.lose()
    link.repeats.bound()
    assert link.claims(11, 12, 11) == [True, True, False]


def test_two_that_are_equal_come_again_twice(link):
    link.acknowledge(11, 11)
    link.lose()
    link.repeats.bound()
    assert link.claims(11, 11, 11) == [True, True, False]


def test_nothing_is_a_repeat_while_the_connection_is_there(link):
    link.acknowledge(11)
    assert link.claims(11) == [False]


def test_what_the_centre_has_read_it_does_not_deliver_again(link):
    link.acknowledge(11)
    link.acknowledge(12)
    link.lose(read=1)
    link.repeats.bound()
    assert link.claims(11, 12) == [False, True]


def test_a_repeat_comes_soon_after_the_bind_however_long_the_centre_was_away(link):
    link.acknowledge(11, 12)
    link.lose()
    link.now = 5000
    link.repeats.bound()
    link.now += AGAIN_S
    assert link.claims(11) == [True]
    link.now += 1
    assert link.claims(12) == [False]
    assert not link.repeats.doubted


def test_a_connection_that_is_lost_while_others_are_there_is_not_waited_for(link):
    link.acknowledge(11)
    link.lose(others=True)
    assert link.claims(11) == [True]
    link.acknowledge(12, on=OTHER)
    link.lose(on=OTHER, others=True)
    link.now = AGAIN_S + 1
    assert link.claims(12) == [False]


def test_a_repeat_whose_response_is_lost_again_is_still_one(link):
    link.acknowledge(11)
    link.lose()
    link.repeats.bound()
    assert link.claims(11) == [True]
    link.acknowledge(11, on=OTHER)
    link.lose(on=OTHER)
    link.repeats.bound()
    assert link.claims(11, 11) == [True, False]


def test_a_bind_that_is_lost_before_anything_came_takes_nothing_away(link):
    link.acknowledge(11)
    link.lose()
    link.repeats.bound()
    link.now = 30
    link.lose(on=OTHER)
    link.now = 600
    link.repeats.bound()
    assert link.claims(11) == [True]


def test_a_connection_that_is_dead_and_has_not_been_noticed_is_doubted_when_another_is_bound(link):
    link.acknowledge(11, 12)
    link.acknowledge(13)
    link.repeats.bound([ReadMark(ONE, 3, 2)])
    assert link.claims(11, 13) == [False, True], "what it has read, it has read"
    link.lose(read=2, others=True)
    assert link.claims(13) == [False], "in doubt once is in doubt once"


def test_what_a_live_connection_has_carried_long_ago_has_been_read(link):
    link.acknowledge(11)
    link.now = 11
    link.acknowledge(12)
    link.lose()
    link.repeats.bound()
    assert link.claims(11, 12) == [False, True]


def test_who_leaves_in_good_order_has_read_everything(link):
    link.acknowledge(11)
    link.repeats.left(ONE)
    link.lose()
    link.repeats.bound()
    assert link.claims(11) == [False]


def test_a_unit_of_work_that_fails_gives_its_repeats_back(link):
    link.acknowledge(11)
    link.lose()
    link.repeats.bound()
    assert link.claims(11) == [True]
    link.repeats.give_back([11])
    assert link.claims(11, 11) == [True, False]


def row(connection, responses, read, *digests, when=0.0):
    return Acknowledged("ussdc", connection, responses, read, pack(digests), when)


def test_a_process_takes_up_what_the_one_before_it_had_not_heard_of(link):
    link.repeats.restore(
        [
            row(ONE, 1, 0, 11),
            row(OTHER, 1, 0, 21),
            row(ONE, 2, 1, 12),
            row(OTHER, 2, 2),
            row(ONE, 3, 1, 13, 13),
        ]
    )
    link.now = 1000
    link.repeats.bound()
    assert link.claims(11, 12, 13, 13, 13, 21) == [False, True, True, True, False, False]


def test_of_a_connection_only_the_last_seconds_are_taken_up(link):
    link.repeats.restore([row(ONE, 1, 0, 11, when=100), row(ONE, 2, 0, 12, when=111)])
    link.repeats.bound()
    assert link.claims(11, 12) == [False, True]


def test_digests_are_kept_in_eight_octets_each():
    digests = [0, 1, -1, 2**63 - 1, -(2**63)]
    assert [*unpack(pack(digests))] == digests
    assert len(pack(digests)) == 40
