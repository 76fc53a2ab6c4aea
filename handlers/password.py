"""The password of the web account: made here, sent by SMS, kept as a hash only.

Asking for it is a turn and takes no time: the request is counted and a job is promised. The job makes the password
and its argon2id hash in a thread (some 50 to 150 ms and 64 MiB, by design), then stores the hash and queues the SMS
in one transaction. The text of the password exists nowhere else: when the process dies in between, the job makes
another one. The hash before it is overwritten, which is what voids the old password.
"""

import math
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from data.model import Subscriber
from data.store import Store
from handlers.registry import Outcome, Refusal, Work, job, operation

# Typed from the screen of a phone: one case, and nothing that looks like something else (i l 1, o 0).
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
LOGIN_DIGITS = 10
HOUR_S = 3600

_hasher = PasswordHasher()  # argon2id, the second recommended setting of RFC 9106, section 4


class Prepared(NamedTuple):
    """A new password and its hash, between the two halves of the job; in memory only."""

    password: str
    hash: str


@operation("password.issue", outcomes={"accepted": (), "too_often": ("minutes",), "blocked": ()})
async def issue(work: Work, subscriber: Subscriber, args: dict[str, Any]) -> Outcome:
    """Promise a new password by SMS; the one that holds stays good until that is sent."""
    if subscriber.blocked:
        raise Refusal("blocked")
    await _check_rate(work, subscriber)
    await work.facts.record_password_issue(subscriber.msisdn, work.now)
    await work.defer(
        "password.generate", {"msisdn": subscriber.msisdn, "length": work.limits.password_length}
    )
    return Outcome("accepted")


def generate(args: Mapping[str, Any]) -> Prepared:
    """Make a password of ``length`` characters and hash it."""
    password = new_password(args["length"])
    return Prepared(password, _hasher.hash(password))


def new_password(length: int) -> str:
    """Characters of ALPHABET from the system's source of randomness: just under 5 bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


@job("password.generate", prepare=generate, messages={"password.issued": ("login", "password")})
async def keep_password(work: Work, subscriber: Subscriber, prepared: Prepared) -> None:
    """Let the new password hold and send it. A number that was blocked meanwhile gets none."""
    if subscriber.blocked:
        return
    await work.facts.set_password_hash(subscriber.msisdn, prepared.hash, work.now)
    values = {"login": login(subscriber.msisdn), "password": prepared.password}
    await work.send_sms("password.issued", values, replaces=True)


def login(msisdn: str) -> str:
    """The login of the web account: the number without its country code."""
    return msisdn[-LOGIN_DIGITS:]


async def verify(store: Store, msisdn: str, password: str) -> bool:
    """Whether this is the password that holds. Takes as long as hashing: not for the path of a turn."""
    async with store.view() as view:
        kept = await view.facts.password_hash(msisdn)
    if kept is None:
        return False
    try:
        return _hasher.verify(kept, password)
    except (VerificationError, ValueError):  # ValueError: the hash is damaged, or the text is no Unicode
        return False


async def _check_rate(work: Work, subscriber: Subscriber) -> None:
    """Refuse the request that would be one too many in 60 minutes, with the minutes still to wait."""
    limit = work.limits.password_issues_per_hour
    issues = await work.facts.password_issues_since(subscriber.msisdn, work.now - HOUR_S)
    recent = [when for when in issues if when <= work.now]  # the clock may have been set back
    if len(recent) < limit:
        return
    free_again = recent[-limit] + HOUR_S
    raise Refusal("too_often", minutes=max(1, math.ceil((free_again - work.now) / 60)))
