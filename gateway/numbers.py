"""Stand-in until the numbers branch lands."""

from typing import NamedTuple

from pydantic.dataclasses import dataclass

ALPHANUMERIC = 5


@dataclass(kw_only=True)
class Numbers:
    """None."""

    region: str = ""


class Address(NamedTuple):
    ton: int
    npi: int
    digits: str

    @property
    def text(self):
        return f"{self.ton}/{self.npi}/{self.digits}"

    @classmethod
    def parse(cls, text):
        ton, npi, digits = text.split("/", 2)
        return cls(int(ton), int(npi), digits)


class Numbering:
    def __init__(self, settings):
        pass

    def msisdn(self, address):
        d = address.digits.removeprefix("+")
        return d if address.ton != 5 and d.isascii() and d.isdigit() and len(d) <= 15 and d[0] != "0" else ""


def short_number(address):
    return address.replace(" ", "").removeprefix("+")
