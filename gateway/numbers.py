"""Whose number it is: what a centre writes into an address becomes the E.164 digits of a subscriber, or nobody's.

An address has a type of number (TON, SMPP 3.4 §5.2.5), a numbering plan (NPI, §5.2.6) and up to 20 characters, and
centres fill them in as they like. One edge reads them, by the rules of the link; behind it a number is its text, so
that 079260000003 is not 79260000003. The address itself is kept for the answer, which goes back as the question came.

A guess would be dear: it gives one subscriber's account to another. So a number that does not say what it is counts as
national only where the numbering plan of the region has it; what no rule explains stays as it stands.
"""

import re
from functools import lru_cache
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

TON_UNKNOWN, TON_INTERNATIONAL, TON_NATIONAL, TON_ALPHANUMERIC = 0, 1, 2, 5

_USUAL_PREFIX = "00"  # before a number abroad (ITU-T E.164, Annex A)
_REMEMBERED = 10_000  # numbers that had to be looked up
_E164 = re.compile(r"[1-9][0-9]{0,14}")
_NONE = re.compile(r"(?!)")
_NOBODYS = {TON_ALPHANUMERIC: _NONE}
# The others say what they are: international, or numbers of one network only.
_REWRITTEN = (TON_UNKNOWN, TON_NATIONAL)
_SEPARATORS = str.maketrans("", "", " -()\N{NO-BREAK SPACE}")


class Address(NamedTuple):
    """An address as it stands in a PDU: source_addr or destination_addr with its TON and NPI."""

    ton: int
    npi: int
    digits: str
    """The characters of the address; whether they are digits is another matter."""

    @property
    def text(self) -> str:
        """``TON/NPI/digits``: ``1/1/79260000003``."""
        return f"{self.ton}/{self.npi}/{self.digits}"

    @classmethod
    def parse(cls, text: str) -> "Address":
        """What ``text`` was made of. ValueError when it is no such text."""
        ton, npi, digits = text.split("/", 2)
        return cls(int(ton), int(npi), digits)


# ----------------------------------------------------------------------------------------------- settings


def _known_region(region: str) -> str:
    if region:
        import phonenumbers  # only where it is needed: its tables take a while to load

        if region not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(f'{region!r} is no country of ISO 3166, such as "RU"')
    return region


Digits = Annotated[str, Field(pattern=r"^[0-9]*$")]


@dataclass(config=ConfigDict(extra="forbid", frozen=True), kw_only=True)
class Numbers:
    """How a centre writes subscribers' numbers. Without any of these they count as they stand, but for a leading +."""

    region: Annotated[str, AfterValidator(_known_region)] = ""
    """Country whose numbering plan explains them, by ISO 3166: "RU" reads 9260000003 and 89260000003 as 79260000003."""
    country_code: Annotated[Digits, Field(max_length=3)] = ""
    """Instead of a region: what goes before a national number (TON 2, or behind trunk_prefix), such as "7"."""
    trunk_prefix: Digits = ""
    """What stands before a national number, such as "8"; left out: as in the region."""
    international_prefixes: tuple[Annotated[Digits, Field(min_length=1)], ...] = ()
    """What stands before an international number, such as ["810"]; left out: "00", and as in the region."""

    def __post_init__(self) -> None:
        if self.region and self.country_code:
            raise ValueError("country_code beside region: the region has one")
        if self.trunk_prefix and not (self.region or self.country_code):
            raise ValueError("trunk_prefix needs region or country_code: what takes its place?")


# -------------------------------------------------------------------------------------------------- rules


class Numbering:
    """The rules of one link at work."""

    def __init__(self, rules: Numbers):
        self._has_rules = rules != Numbers()
        self._region = Region(rules.region) if rules.region else None
        self._country_code, self._trunk_prefix = rules.country_code, rules.trunk_prefix
        # The longest first: 8 may be one, and 810 another.
        self._abroad = sorted(rules.international_prefixes or (_USUAL_PREFIX,), key=len, reverse=True)
        self._looked_up = lru_cache(_REMEMBERED)(self._look_up)
        if self._has_rules:
            clear = self._region.unmistakable if self._region else _NONE
            self._clear = {**_NOBODYS, **dict.fromkeys(_REWRITTEN, clear)}
        else:
            self._clear = _NOBODYS

    def msisdn(self, ton: int, digits: str) -> str:
        """The E.164 digits of a subscriber, by TON and characters of an address; ``""`` for what is nobody's."""
        if self._clear.get(ton, _E164).fullmatch(digits):
            return digits
        return self._looked_up(ton, digits)

    def _look_up(self, ton: int, digits: str) -> str:
        if ton == TON_ALPHANUMERIC:
            return ""
        if self._has_rules:
            digits = digits.translate(_SEPARATORS)
        if digits.startswith("+"):
            digits = digits[1:]
        elif self._has_rules and ton in _REWRITTEN and digits.isascii() and digits.isdigit():
            digits = self._rewritten(ton, digits)
        return digits if is_msisdn(digits) else ""

    def _rewritten(self, ton: int, digits: str) -> str:
        for prefix in self._abroad:
            if digits.startswith(prefix):
                return digits.removeprefix(prefix)
        national = digits.removeprefix(self._trunk_prefix)
        if self._region:
            return self._region.international(national, said_to_be_national=ton == TON_NATIONAL) or digits
        if self._country_code and (ton == TON_NATIONAL or national != digits):
            return self._country_code + national
        return digits


class Region:
    """The numbering plan of a country, as Google's libphonenumber has it."""

    def __init__(self, name: str):
        import phonenumbers

        self._name, self._library = name, phonenumbers
        self.unmistakable = self._unmistakable()
        """International digits of the region's numbers, where they are too many for a national one."""

    def _unmistakable(self) -> re.Pattern[str]:
        code = str(self._library.country_code_for_region(self._name))
        plan = self._library.PhoneMetadata.metadata_for_region(self._name)
        lengths = frozenset(plan.general_desc.possible_length if plan and plan.general_desc else ())
        clear = {length for length in lengths if len(code) + length not in lengths}
        return re.compile("|".join(f"{code}[0-9]{{{length}}}" for length in clear)) if clear else _NONE

    def international(self, digits: str, *, said_to_be_national: bool) -> str:
        """The international digits of a number as it is dialled in the region; ``""`` when the plan has no such number.

        Of a number that is said to be national only the length has to be right: plans grow, and tables age.
        """
        library = self._library
        try:
            number = library.parse(digits, self._name)
        except library.NumberParseException:
            return ""
        is_one = library.is_possible_number if said_to_be_national else library.is_valid_number
        return f"{number.country_code}{library.national_significant_number(number)}" if is_one(number) else ""


def is_msisdn(digits: str) -> bool:
    """Whether it can be a subscriber's number: 1 to 15 digits, the first of them no zero (ITU-T E.164 §6)."""
    return _E164.fullmatch(digits) is not None


def short_number(address: str) -> str:
    """A number of our own as the menu knows it: ``000100`` for ``+000100`` and ``000100 ``."""
    return "".join(address.split()).removeprefix("+")
