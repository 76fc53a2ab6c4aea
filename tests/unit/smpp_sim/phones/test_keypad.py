"""What leaves a phone as USSD and what does not (TS 22.030 Annex B)."""

import pytest

from smpp_sim.phones.keypad import Local, NotACode, Ussd, imei, read_code


@pytest.mark.parametrize(
    "typed",
    [
        "*100#",
        "*105*00#",
        "*105*503*1*1#",
        "*115#100#9220000000#",
        "#100#",
        "100#",
        "5",
        "25",
        "*22#",
        "*1234#",
    ],
)
def test_codes_of_applications_go_to_the_network(typed):
    assert read_code(typed) == Ussd(typed)


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("**21*79260000003#", "Call forwarding"),
        ("*21#", "Call forwarding"),
        ("*#21#", "Call forwarding"),
        ("##002#", "Call forwarding"),
        ("*43#", "Call waiting"),
        ("*#33#", "Call barring"),
        ("*371#", "busy number"),
        ("*597*1#", "Selected number"),
        ("*752#", "Priority"),
        ("**04*1111*2222*2222#", "PIN"),
        ("*#06#", "IMEI"),
    ],
)
def test_the_networks_own_services_stay_in_the_phone(typed, why):
    local = read_code(typed, "79260000003")
    assert isinstance(local, Local)
    assert why in local.why


@pytest.mark.parametrize(
    ("typed", "why"),
    [("", "digits"), ("*100", "call"), ("12", "call"), ("79260000003", "call"), ("*1a#", "digits")],
)
def test_what_is_no_code_is_explained(typed, why):
    refused = read_code(typed)
    assert isinstance(refused, NotACode)
    assert why in refused.why


def test_a_code_is_bounded():
    assert isinstance(read_code("1" * 182 + "#"), NotACode)
    assert isinstance(read_code("1" * 181 + "#"), Ussd)


def test_the_serial_number_ends_with_its_check_digit():
    number = imei("79260000003")
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(number)]
    assert len(number) == 15
    assert sum(value // 10 + value % 10 for value in doubled) % 10 == 0
