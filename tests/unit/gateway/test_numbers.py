"""Whose number an address is, by the rules of the link it came by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from gateway.numbers import Address, Numbering, Numbers, is_msisdn, short_number

UNKNOWN, INTERNATIONAL, NATIONAL, NETWORK, SUBSCRIBER, ALPHANUMERIC, ABBREVIATED = range(7)
NO_RULES, RUSSIA = Numbering(Numbers()), Numbering(Numbers(region="RU"))
NOBODY = ""


def read(numbering: Numbering, ton: int, digits: str) -> str:
    return numbering.msisdn(ton, digits)


@pytest.mark.parametrize(
    ("ton", "digits", "msisdn"),
    [
        (INTERNATIONAL, "79260000003", "79260000003"),
        (UNKNOWN, "79260000003", "79260000003"),
        (UNKNOWN, "+79260000003", "79260000003"),
        (INTERNATIONAL, "+79260000003", "79260000003"),
        (NETWORK, "900", "900"),
        (SUBSCRIBER, "1234567", "1234567"),
        (ABBREVIATED, "105", "105"),
        # the digits say nothing of a country, and no rule does
        (NATIONAL, "9260000003", "9260000003"),
        (UNKNOWN, "89260000003", "89260000003"),
        (UNKNOWN, "7" * 15, "7" * 15),
        # nobody's
        (ALPHANUMERIC, "79260000003", NOBODY),
        (ALPHANUMERIC, "+79260000003", NOBODY),
        (ALPHANUMERIC, "MTN", NOBODY),
        (INTERNATIONAL, "079260000003", NOBODY),
        (UNKNOWN, "0079260000003", NOBODY),
        (NETWORK, "0900", NOBODY),
        (UNKNOWN, "7" * 16, NOBODY),
        (UNKNOWN, "", NOBODY),
        (UNKNOWN, "+", NOBODY),
        (UNKNOWN, "++79260000003", NOBODY),
        (UNKNOWN, "7926 0000003", NOBODY),
        (UNKNOWN, "79260000003\n", NOBODY),
        (UNKNOWN, "7926000000x", NOBODY),
        (UNKNOWN, "٧٩٢٦٠٠٠٠٠٠٣", NOBODY),
    ],
)
def test_without_rules_digits_stay_as_they_are(ton: int, digits: str, msisdn: str):
    assert read(NO_RULES, ton, digits) == msisdn


@pytest.mark.parametrize("ton", [UNKNOWN, NATIONAL])
@pytest.mark.parametrize(
    "digits",
    [
        "79260000003",
        "9260000003",
        "89260000003",
        "+79260000003",
        "0079260000003",
        "81079260000003",
        "+7 (926) 000-00-03",
        "8 926 000 00 03",
        "926 000-00-03",
    ],
)
def test_every_form_of_a_number_is_one_subscriber(ton: int, digits: str):
    assert read(RUSSIA, ton, digits) == "79260000003"


@pytest.mark.parametrize(
    ("ton", "digits", "msisdn"),
    [
        # one zero is no prefix of this region
        (UNKNOWN, "079260000003", NOBODY),
        (INTERNATIONAL, "079260000003", NOBODY),
        # what is international is not national as well
        (INTERNATIONAL, "89260000003", "89260000003"),
        (INTERNATIONAL, "9260000003", "9260000003"),
        (UNKNOWN, "+9260000003", "9260000003"),
        (UNKNOWN, "009260000003", "9260000003"),
        # nor is a number abroad that only has as many digits, or begins as one here
        (UNKNOWN, "4512345678", "4512345678"),
        (UNKNOWN, "8613800138000", "8613800138000"),
        # short numbers of the network
        (NETWORK, "900", "900"),
        (UNKNOWN, "900", "900"),
        (NATIONAL, "900", "900"),
        (SUBSCRIBER, "9260000003", "9260000003"),
        # a number that says it is national, newer than the tables
        (NATIONAL, "1260000003", "71260000003"),
        (ALPHANUMERIC, "89260000003", NOBODY),
        (ALPHANUMERIC, "9260000003", NOBODY),
        (UNKNOWN, "926GAZETA03", NOBODY),
        (UNKNOWN, "9260000003 ext. 5", NOBODY),
        (UNKNOWN, "()", NOBODY),
    ],
)
def test_a_rule_explains_what_it_can_and_nothing_else(ton: int, digits: str, msisdn: str):
    assert read(RUSSIA, ton, digits) == msisdn


@pytest.mark.parametrize(
    ("rules", "digits", "msisdn"),
    [
        (Numbers(region="DE"), "01711234567", "491711234567"),
        (Numbers(region="DE"), "00491711234567", "491711234567"),
        (Numbers(region="IT"), "0612345678", "390612345678"),
        (Numbers(region="US"), "0114915112345678", "4915112345678"),
        (Numbers(region="RU", trunk_prefix="0"), "09260000003", "79260000003"),
        (Numbers(region="RU", international_prefixes=("9",)), "979260000003", "79260000003"),
        (Numbers(country_code="7", trunk_prefix="8"), "89260000003", "79260000003"),
        (Numbers(country_code="7", trunk_prefix="8"), "79260000003", "79260000003"),
        (Numbers(country_code="7", trunk_prefix="8"), "0079260000003", "79260000003"),
        (
            Numbers(country_code="7", trunk_prefix="8", international_prefixes=("8", "810")),
            "81079260000003",
            "79260000003",
        ),
        (Numbers(international_prefixes=("810",)), "81079260000003", "79260000003"),
        (Numbers(international_prefixes=("810",)), "0079260000003", NOBODY),
        (Numbers(country_code="7"), "9260000003", "9260000003"),
    ],
)
def test_rules_of_other_links(rules: Numbers, digits: str, msisdn: str):
    assert read(Numbering(rules), UNKNOWN, digits) == msisdn


def test_a_country_code_stands_before_what_is_national():
    assert read(Numbering(Numbers(country_code="7")), NATIONAL, "9260000003") == "79260000003"


RULES = [
    Numbers(),
    Numbers(region="RU"),
    Numbers(region="DE"),
    Numbers(country_code="7", trunk_prefix="8", international_prefixes=("00", "810")),
]
ANYTHING = (
    st.text(max_size=20)
    | st.text("+0123456789 -()", max_size=20)
    | st.from_regex(r"\A(\+|00|8|810)?7?[0-9]{0,12}\Z")
)


@given(st.sampled_from([Numbering(rules) for rules in RULES]), st.integers(0, 255), ANYTHING)
def test_whatever_stands_there_is_a_number_or_nobodys(numbering: Numbering, ton: int, digits: str):
    msisdn = read(numbering, ton, digits)
    assert msisdn == NOBODY or (
        msisdn.isascii() and msisdn.isdigit() and msisdn[0] != "0" and len(msisdn) <= 15
    )
    assert is_msisdn(msisdn) is bool(msisdn)
    assert read(numbering, INTERNATIONAL, msisdn) == msisdn, "a number that was read once is read as itself"
    if ton == ALPHANUMERIC:
        assert msisdn == NOBODY


@given(st.integers(0, 255), st.integers(0, 255), st.text(max_size=20))
def test_the_text_of_an_address_tells_all_of_it(ton: int, npi: int, digits: str):
    address = Address(ton, npi, digits)
    assert Address.parse(address.text) == address


def test_the_text_of_an_address():
    assert Address(2, 1, "9260000003").text == "2/1/9260000003"


@pytest.mark.parametrize("text", ["", "79260000003", "1/1", "a/1/79260000003", "1//79260000003"])
def test_what_is_no_text_of_an_address(text: str):
    with pytest.raises(ValueError):
        Address.parse(text)


@pytest.mark.parametrize("address", ["000100", "+000100", "000100 ", " 000 100"])
def test_our_own_number_however_it_is_written(address: str):
    assert short_number(address) == "000100"


def test_a_code_is_left_alone():
    assert short_number("*100#") == "*100#"


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({"region": "Russia"}, "no country of ISO 3166"),
        ({"region": "ru"}, "no country of ISO 3166"),
        ({"region": "RU", "country_code": "7"}, "the region has one"),
        ({"trunk_prefix": "8"}, "needs region or country_code"),
        ({"country_code": "+7"}, "country_code"),
        ({"international_prefixes": [""]}, "international_prefixes"),
        ({"national_prefix": "8"}, "national_prefix"),
    ],
)
def test_rules_that_make_no_sense(table: dict[str, object], complaint: str):
    with pytest.raises(ValidationError, match=complaint):
        TypeAdapter(Numbers).validate_python(table)
