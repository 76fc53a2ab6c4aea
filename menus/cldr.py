"""Numbers, dates and plural forms as each language writes them, read from CLDR (by Babel) once.

Babel answers a question in tens of microseconds because it parses patterns each time; a turn has fewer than twenty
for everything. So the answers are put into tables at load: separators, 366 days, plural categories. Nothing below
the class's constructor calls Babel again.

English is `en_001`, the English of the world: a Russian operator's reader expects "1 June", not "June 1".
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from functools import cache

from babel import Locale
from babel.dates import format_date, format_skeleton

from menus.letters import spelling

LOCALES = {"ru": "ru", "en": "en_001"}

# Rules of both languages look at the last two digits, or at the whole number when it is small: a table of the
# first thousand, repeated by hundreds, answers for every whole number (a test compares it with Babel).
_PLURAL_TABLE = 1000

# CLDR puts one before «г.»; hardly a telephone has it.
_THIN_SPACE, NO_BREAK_SPACE = "\u202f", "\u00a0"

_YEAR = "9996"  # a leap year far from any real date; in the table of dates it stands for the year


class Conventions:
    """What CLDR says of one language, as tables, spelled in the letters of one script."""

    def __init__(self, language: str, letters: Callable[[str], str]):
        def spell(text: str) -> str:
            return letters(text.replace(_THIN_SPACE, NO_BREAK_SPACE))

        locale = Locale.parse(LOCALES[language])
        symbols = locale.number_symbols["latn"]
        self.group: str = spell(symbols["group"])
        self.decimal: str = spell(symbols["decimal"])
        self.minus: str = spell(symbols["minusSign"])
        self._plurals = tuple(map(locale.plural_form, range(_PLURAL_TABLE)))
        self._days = {_key(day): spell(_day_and_month(day, locale)) for day in _every_day()}
        self._dates = {_key(day): spell(_in_full(day, locale)) for day in _every_day()}

    def plural(self, number: int) -> str:
        """The plural category of a whole number: "one", "few", "many", "other"."""
        number = abs(number)
        return self._plurals[number if number < _PLURAL_TABLE else 900 + number % 100]

    def whole(self, number: int) -> str:
        """1234567 -> "1 234 567" with the language's separators (no-break spaces included)."""
        digits = f"{abs(number):,}"
        if len(digits) > 3:
            digits = digits.replace(",", self.group)
        return self.minus + digits if number < 0 else digits

    def amount(self, kopecks: int) -> str:
        """125050 kopecks -> "1 250,50"."""
        roubles, rest = divmod(abs(kopecks), 100)
        shown = f"{self.whole(roubles)}{self.decimal}{rest:02d}"
        return self.minus + shown if kopecks < 0 else shown

    def price(self, kopecks: int) -> str:
        """30000 kopecks -> "300"; 175 kopecks -> "1,75": kopecks are shown when there are any."""
        return self.amount(kopecks) if kopecks % 100 else self.whole(kopecks // 100)

    def day(self, iso_date: str) -> str:
        """ "2026-06-01" -> "1 июня". Raises KeyError for what is not a date."""
        return self._days[iso_date[5:]]

    def date(self, iso_date: str) -> str:
        """ "2026-06-01" -> "1 июня 2026 г.". Raises KeyError for what is not a date."""
        return self._dates[iso_date[5:]].replace(_YEAR, iso_date[:4])


@cache
def conventions(language: str, script: str) -> Conventions:
    """The tables of a language in a script; built on first use (about 0.1 s), then shared."""
    return Conventions(language, spelling(language, script))


@cache
def plural_categories(language: str) -> frozenset[str]:
    """The categories that whole numbers of the language need: {"one", "few", "many"} in Russian."""
    return frozenset(map(Locale.parse(LOCALES[language]).plural_form, range(_PLURAL_TABLE)))


def _every_day() -> list[datetime.date]:
    first = datetime.date(int(_YEAR), 1, 1)
    return [first + datetime.timedelta(days=days) for days in range(366)]


def _key(day: datetime.date) -> str:
    return day.isoformat()[5:]


def _day_and_month(day: datetime.date, locale: Locale) -> str:
    return format_skeleton("MMMMd", day, locale=locale)


def _in_full(day: datetime.date, locale: Locale) -> str:
    return format_date(day, format="long", locale=locale)
