"""Received SMS: parts in any order, bounded."""

from gateway.smpp.text import Part
from smpp_sim.phones import inbox
from smpp_sim.phones.inbox import SmsInbox


def octets(text):
    return text.encode("utf-16-be")


def test_a_message_in_one_piece():
    sms = SmsInbox().receive("000110", b"hello", "gsm7", None, 5)
    assert (sms.number, sms.sender, sms.text, sms.parts, sms.at) == (1, "000110", "hello", 1, 5)


def test_parts_in_any_order_and_twice():
    box = SmsInbox()
    for number in (2, 2, 1):
        assert box.receive("a", octets(str(number)), "ucs2", Part(0, 3, number), 0) is None
    assert box.receive("a", octets("3"), "ucs2", Part(0, 3, 3), 0).text == "123"


def test_a_character_that_was_split_is_whole_again():
    whole = octets("😀")
    box = SmsInbox()
    box.receive("a", whole[:2], "ucs2", Part(1, 2, 1), 0)
    assert box.receive("a", whole[2:], "ucs2", Part(1, 2, 2), 0).text == "😀"


def test_parts_of_two_alphabets():
    box = SmsInbox()
    box.receive("a", b"x", "gsm7", Part(1, 2, 1), 0)
    assert box.receive("a", octets("я"), "ucs2", Part(1, 2, 2), 0).text == "xя"


def test_senders_and_references_do_not_mix():
    box = SmsInbox()
    assert box.receive("a", b"1", "gsm7", Part(1, 2, 1), 0) is None
    assert box.receive("b", b"2", "gsm7", Part(1, 2, 2), 0) is None
    assert box.receive("a", b"2", "gsm7", Part(2, 2, 2), 0) is None


def test_what_stays_incomplete_is_forgotten():
    box = SmsInbox()
    box.receive("a", b"1", "gsm7", Part(1, 2, 1), 0)
    assert box.receive("a", b"2", "gsm7", Part(1, 2, 2), inbox.PART_LIFE_S + 1) is None


def test_messages_and_incomplete_ones_are_bounded():
    box = SmsInbox()
    for number in range(inbox.MAX_MESSAGES + 1):
        box.receive("a", b"x", "gsm7", None, number)
    assert [box.messages[0].number, len(box.messages)] == [2, inbox.MAX_MESSAGES]
    for reference in range(inbox.MAX_INCOMPLETE + 1):
        box.receive("a", b"x", "gsm7", Part(reference, 2, 1), 0)
    assert box.receive("a", b"y", "gsm7", Part(0, 2, 2), 0) is None
    assert box.receive("a", b"y", "gsm7", Part(5, 2, 2), 0).text == "xy"
