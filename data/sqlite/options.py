"""Options that are on, and what is left of the allowances."""
# ruff: noqa: D102 - the verbs are described where they are declared, in data.store

from data.model import ActiveOption, Catalogue, Option, Package
from data.sqlite.connection import Verbs

OPTIONS_ON = "SELECT option, since FROM subscriber_options WHERE msisdn = ? ORDER BY option"
IN_GROUP = "SELECT option FROM subscriber_options WHERE msisdn = ? AND exclusive_group = ? AND option <> ?"
SWITCH_ON = """
INSERT INTO subscriber_options (msisdn, option, exclusive_group, since) VALUES (?, ?, ?, ?)
ON CONFLICT (msisdn, option) DO NOTHING
"""
SWITCH_OFF = "DELETE FROM subscriber_options WHERE msisdn = ? AND option = ?"
ADD_PACKAGE = "INSERT INTO packages (msisdn, option, kind, remaining, total) VALUES (?, ?, ?, ?, ?)"
DROP_PACKAGES = "DELETE FROM packages WHERE msisdn = ? AND option = ?"
PACKAGES = "SELECT option, kind, remaining, total FROM packages WHERE msisdn = ? ORDER BY option, kind"


class OptionVerbs(Verbs):
    """Verbs about the options and packages of one number."""

    catalogue: Catalogue

    async def options_on(self, msisdn: str) -> list[ActiveOption]:
        return list(map(ActiveOption._make, self._read(OPTIONS_ON, (msisdn,))))

    async def switch_on(self, msisdn: str, number: int, since: float) -> bool:
        option = self.catalogue.options[number]
        self._make_room(msisdn, option)
        row = (msisdn, number, option.exclusive_group, since)
        if not self._write(SWITCH_ON, row).rowcount:
            return False
        allowances = option.allowances.items()
        self._write_many(ADD_PACKAGE, [(msisdn, number, kind, total, total) for kind, total in allowances])
        return True

    def _make_room(self, msisdn: str, option: Option) -> None:
        if option.exclusive_group is None:
            return
        others = self._read(IN_GROUP, (msisdn, option.exclusive_group, option.number)).fetchall()
        for (other,) in others:
            self._switch_off(msisdn, other)

    async def switch_off(self, msisdn: str, number: int) -> bool:
        return self._switch_off(msisdn, number)

    def _switch_off(self, msisdn: str, number: int) -> bool:
        self._write(DROP_PACKAGES, (msisdn, number))
        return self._write(SWITCH_OFF, (msisdn, number)).rowcount > 0

    async def packages(self, msisdn: str) -> list[Package]:
        return [
            Package(option or None, kind, left, total)
            for option, kind, left, total in self._read(PACKAGES, (msisdn,))
        ]
