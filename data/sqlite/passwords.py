"""Passwords: the hash of the one that holds, and how often one was asked for."""
# ruff: noqa: D102 - the verbs are described where they are declared, in data.store

from data.sqlite.connection import GREATEST_ID, Verbs, upsert

RECORD_ISSUE = "INSERT INTO password_issues (msisdn, requested) VALUES (?, ?)"
ISSUES_SINCE = "SELECT requested FROM password_issues WHERE msisdn = ? AND requested >= ? ORDER BY requested"
# Ids are in the order of time: only those that go are looked at, and the first that stays.
FORGET_ISSUES = f"""
DELETE FROM password_issues WHERE id IN (
    SELECT id FROM password_issues WHERE id < coalesce(
        (SELECT id FROM password_issues WHERE requested >= ? ORDER BY id LIMIT 1), {GREATEST_ID})
    ORDER BY id LIMIT ?)
"""
SET_HASH = upsert("passwords", "msisdn, hash, issued", key="msisdn")
HASH = "SELECT hash FROM passwords WHERE msisdn = ?"


class PasswordVerbs(Verbs):
    """Verbs about passwords."""

    async def record_password_issue(self, msisdn: str, when: float) -> None:
        self._write(RECORD_ISSUE, (msisdn, when))

    async def password_issues_since(self, msisdn: str, since: float) -> list[float]:
        return [when for (when,) in self._read(ISSUES_SINCE, (msisdn, since))]

    async def forget_password_issues(self, before: float, limit: int = 10_000) -> int:
        return self._write(FORGET_ISSUES, (before, limit)).rowcount

    async def set_password_hash(self, msisdn: str, password_hash: str, when: float) -> None:
        self._write(SET_HASH, (msisdn, password_hash, when))

    async def password_hash(self, msisdn: str) -> str | None:
        row = self._read(HASH, (msisdn,)).fetchone()
        return None if row is None else str(row[0])
