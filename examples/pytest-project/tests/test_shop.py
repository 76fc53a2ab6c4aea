"""An application on smpplib, by SMS."""

import pytest


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("hours", "open 9 to 18"),
        ("order 42", "Order 42 is on its way"),
        ("", "Send HOURS"),
        ("?", "Send HOURS"),
    ],
)
def test_answers(shop, phone, text, answer):
    phone.sms("000777", text).receives(answer, sender="000777")


def test_two_customers(shop, phone):
    other = phone("79260000004")
    phone.sms("000777", "order 1")
    other.sms("000777", "order 2")
    assert phone.receives().text == "Order 1 is on its way."
    assert other.receives().text == "Order 2 is on its way."
