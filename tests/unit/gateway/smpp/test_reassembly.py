from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.smpp.long_messages import (
    LongForm,
    Reassembly,
    read_part,
)
from gateway.smpp.text import decode_text, measure
from gateway.smpp.user_data_header import Part
from tests.unit.gateway.smpp.long_texts import FORMS, joined, messages, texts


def reassembly(**limits: float) -> Reassembly:
    return Reassembly(**{"limit_messages": 16, "limit_octets": 10_000, "timeout_s": 60.0} | limits)


@given(texts, st.integers(0, 0xFFFF), st.sampled_from(FORMS), st.data())
def test_parts_in_any_order_give_the_text(
    sample: tuple[str, str], reference: int, form: LongForm, data: st.DataObject
):
    alphabet, text = sample
    carried = messages(text, alphabet, reference, form)
    order = data.draw(st.permutations(range(len(carried))))
    waiting = reassembly()
    for at in order:
        part, octets, _ = read_part(carried[at], alphabet)
        whole = octets if part is None else waiting.add("79260000001", part, octets, now=0.0)
        if at != order[-1]:
            assert whole is None
    assert decode_text(whole, joined(alphabet)) == text
    assert (len(waiting), waiting.octets, waiting.dropped) == (0, 0, 0)


def parts_of(text: str, reference: int) -> Iterator[tuple[Part, bytes]]:
    for message in messages(text, measure(text)[0], reference, "udh8"):
        part, octets, _ = read_part(message)
        yield part, octets


@given(st.data())
def test_interleaved_and_duplicated_parts_of_several_senders_give_every_text(data: st.DataObject):
    senders = {
        "alice": ("a" * 400, 0),
        "bob": ("b" * 400, 0),
        "carol": ("яд" * 80, 1),
        "carol too": ("c" * 200, 2),
    }
    parts = [
        (sender, *one) for sender, (text, reference) in senders.items() for one in parts_of(text, reference)
    ]
    twice = data.draw(st.lists(st.sampled_from(parts), max_size=4))
    waiting, whole = reassembly(), {}
    for sender, part, octets in data.draw(st.permutations([*parts, *twice])):
        message = waiting.add(sender, part, octets, now=0.0)
        if message is not None:
            whole[sender] = message
    assert {
        sender: decode_text(octets, measure(senders[sender][0])[0]) for sender, octets in whole.items()
    } == {sender: text for sender, (text, _) in senders.items()}


def test_a_surrogate_pair_that_a_sender_cut_in_two():
    waiting = reassembly()
    assert waiting.add("x", Part(0, 2, 2), b"\xde\x00", 0) is None
    assert waiting.add("x", Part(0, 2, 1), b"\xd8\x3d", 1).decode("utf-16-be") == "😀"


def test_a_message_of_one_part_is_whole():
    waiting = reassembly()
    assert waiting.add("x", Part(0, 1, 1), b"all", 0) == b"all"
    assert len(waiting) == 0


def test_a_part_that_comes_again_replaces_itself():
    waiting = reassembly()
    for octets in (b"a", b"aa", b"aaa"):
        assert waiting.add("x", Part(0, 2, 1), octets, 0) is None
    assert waiting.octets == 3
    assert waiting.add("x", Part(0, 2, 2), b"b", 0) == b"aaab"


def test_another_total_begins_a_new_message():
    waiting = reassembly()
    waiting.add("x", Part(5, 3, 1), b"old", 0)
    waiting.add("x", Part(5, 3, 2), b"old", 0)
    assert waiting.add("x", Part(5, 2, 2), b"new2", 1) is None
    assert (len(waiting), waiting.octets, waiting.dropped) == (1, 4, 1)
    assert waiting.add("x", Part(5, 2, 1), b"new1", 1) == b"new1new2"


def test_references_of_one_sender_are_kept_apart():
    waiting = reassembly()
    waiting.add("x", Part(0, 2, 1), b"a1", 0)
    waiting.add("x", Part(1, 2, 1), b"b1", 0)
    assert waiting.add("x", Part(1, 2, 2), b"b2", 0) == b"b1b2"
    assert waiting.add("x", Part(0, 2, 2), b"a2", 0) == b"a1a2"


def test_what_waits_too_long_is_given_up():
    waiting = reassembly(timeout_s=60)
    waiting.add("x", Part(0, 2, 1), b"x1", 100)
    waiting.add("y", Part(0, 2, 1), b"y1", 130)
    assert waiting.expire(159.9) == []
    assert waiting.expire(160) == ["x"]
    assert (len(waiting), waiting.octets) == (1, 2)
    assert waiting.add("x", Part(0, 2, 2), b"x2", 161) is None  # a new one with this reference


def test_a_late_part_does_not_complete_what_nobody_has_expired_yet():
    waiting = reassembly(timeout_s=60)
    waiting.add("x", Part(0, 2, 1), b"stale", 0)
    assert waiting.add("x", Part(0, 2, 2), b"new2", 60) is None
    assert waiting.add("x", Part(0, 2, 1), b"new1", 61) == b"new1new2"
    assert waiting.dropped == 1


def test_the_oldest_goes_first_when_there_are_too_many():
    waiting = reassembly(limit_messages=2)
    for sender in "abc":
        assert waiting.add(sender, Part(0, 2, 1), b"1", 0) is None
    assert (len(waiting), waiting.dropped) == (2, 1)
    assert waiting.add("b", Part(0, 2, 2), b"2", 0) == b"12"
    assert waiting.add("a", Part(0, 2, 2), b"2", 0) is None  # its first part is gone


def test_the_oldest_goes_first_when_they_are_too_long():
    waiting = reassembly(limit_octets=250)
    waiting.add("a", Part(0, 3, 1), b"a" * 100, 0)
    waiting.add("b", Part(0, 3, 1), b"b" * 100, 1)
    waiting.add("a", Part(0, 3, 2), b"a" * 100, 2)
    assert (len(waiting), waiting.octets, waiting.dropped) == (1, 100, 1)
    waiting.add("b", Part(0, 3, 2), b"b" * 300, 3)  # more than all there is room for
    assert (len(waiting), waiting.octets, waiting.dropped) == (0, 0, 2)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 9), st.integers(0, 3), st.integers(2, 5), st.integers(1, 5), st.integers(0, 200)
        ),
        max_size=120,
    )
)
def test_memory_is_bounded_whatever_comes(arrivals: list[tuple[int, int, int, int, int]]):
    waiting = reassembly(limit_messages=5, limit_octets=500)
    for now, (sender, reference, total, number, size) in enumerate(arrivals):
        waiting.add(sender, Part(reference, total, min(number, total)), bytes(size), now)
        assert len(waiting) <= 5
        assert waiting.octets <= 500
    waiting.expire(10_000)
    assert (len(waiting), waiting.octets) == (0, 0)


@pytest.mark.parametrize("part", [Part(0, 2, 3), Part(0, 2, 0), Part(0, 0, 0), Part(0, 256, 1)])
def test_impossible_parts_are_our_own_mistake(part: Part):
    with pytest.raises(ValueError, match="not possible"):
        reassembly().add("x", part, b"", 0)
