"""The store's verbs: the only way to the facts. SQL lives behind them.

Everything happens in a *unit of work*, ``async with store.unit() as unit``: what one read of a socket brought, or one
job, becomes durable together or not at all. Inside it a *savepoint* for every turn, so that a failure takes back one
turn and no more. What only looks asks for a *view*. The verbs stand in four parts: ``facts`` are all that an operation
may see; ``outbox``, ``inbox`` and ``jobs`` are the gateway's own.

Any number of coroutines may ask for units of one store at once; how they are kept apart is the store's affair. Nobody
asks for one inside another: they may wait for each other. All verbs that reach for the facts are coroutines, so that
a server database can wait for its network. Whoever implements this runs through the contract tests in
``tests/unit/data``.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from data.model import (
    Acknowledged,
    ActiveOption,
    Catalogue,
    DialogueRecord,
    JobRecord,
    Language,
    LedgerEntry,
    MessagePart,
    NewSubscriber,
    Outgoing,
    OutgoingKind,
    Package,
    QuarantineRecord,
    Script,
    SentMessage,
    Subscriber,
)


class StoreError(Exception):
    """The store cannot be used: one line that says which and why, fit to be shown to the operator."""


class StoreBusy(StoreError):
    """Another process holds the store, or the disk refuses: the same unit may succeed later."""


class Store(Protocol):
    """Facts of one operator, and what is under way. Opened by :func:`data.opening.open_store`."""

    catalogue: Catalogue
    """What can be ordered; read when the store is opened and constant until it is closed."""

    def unit(self) -> AbstractAsyncContextManager["Unit"]:
        """A unit of work: committed at the end of the block, taken back as a whole if the block raises.

        When the block is left without an exception the unit is durable: it survives the loss of power. Raises
        StoreBusy when another writer does not let go, or the disk refuses: nothing of it may be acknowledged then.
        """

    def view(self) -> AbstractAsyncContextManager["Unit"]:
        """Read what is committed, and nothing that a unit has not committed yet.

        A verb that writes raises RuntimeError: that is an error of the program.
        """

    def claim(self) -> None:
        """Have the store for one gateway alone until it is closed; readers and ``seed`` are not kept out.

        Two at a time would send every answer twice. Raises StoreError when another one has it.
        """

    async def close(self) -> None:
        """Let go of the store. An open unit is rolled back. Closing twice is harmless."""

    async def erase_traces(self) -> bool:
        """Remove from the disk what has been deleted or replaced and may still lie in a journal.

        Call it outside a unit, some time after messages with secrets were ``taken``, and before closing. False:
        not everything was removed, because a unit is open or someone else is reading; call again later.
        """


class Unit(Protocol):
    """An open unit of work, or a view. It is of no use after its block."""

    facts: "Facts"
    outbox: "Outbox"
    inbox: "Inbox"
    jobs: "Jobs"

    def draw_id(self) -> int:
        """The id of the next message: greater than that of any before it that somebody may still know."""

    async def savepoint(self) -> None:
        """Mark where a turn begins. Savepoints are not nested."""

    async def release(self) -> bool:
        """The turn is done: keep what it wrote as a part of the unit. Whether it wrote anything."""

    async def rollback_savepoint(self) -> None:
        """The turn failed: take back what was written since ``savepoint``; the unit goes on.

        Raises StoreBusy when the failure was the disk's and has cost the unit: let it take the unit back.
        """


class Facts(Protocol):
    """Who the subscribers are, what they owe, what is on: all that operations see."""

    catalogue: Catalogue
    """The store's."""

    # --- subscribers and money

    async def subscriber(self, msisdn: str) -> Subscriber | None:
        """The subscriber with that number and the account that pays for it; None when it is not ours."""

    async def subscribers(self, msisdns: Sequence[str]) -> dict[str, Subscriber]:
        """The same for many numbers at once; those that are not ours are left out."""

    async def count_subscribers(self) -> int:
        """How many numbers are ours."""

    async def set_language(self, msisdn: str, language: Language) -> None:
        """Language of all texts to this number."""

    async def set_script(self, msisdn: str, script: Script) -> None:
        """Whether Russian is sent to this number in Cyrillic or in Latin letters."""

    async def charge(self, subscriber: Subscriber, what: str, amount_kopecks: int, when: float) -> int | None:
        """Take money from the account, for an employee within the personal budget; answer with the new balance.

        The balance, the budget and the line in the ledger change together. None, and nothing has changed: the
        account or the budget does not hold that much *now*, whatever ``subscriber`` says. An amount of 0
        moves nothing and leaves no line. ``what`` is a short code such as ``option:300``.
        """

    async def ledger(self, account_id: str) -> list[LedgerEntry]:
        """All movements of an account, oldest first. Its opening balance minus their sum is its balance."""

    async def import_subscribers(self, subscribers: Iterable[NewSubscriber]) -> int:
        """Add subscribers with contracts and packages; answers how many were new.

        A number that exists is left alone, and so is a contract: further numbers only join it. Of a tariff's
        allowances each new number gets its own. Raises StoreError for a tariff that is not in the catalogue; after
        an error some may have been added, and the unit is to be taken back.
        """

    # --- options and packages

    async def options_on(self, msisdn: str) -> list[ActiveOption]:
        """The options that are on, by number."""

    async def switch_on(self, msisdn: str, number: int, since: float) -> bool:
        """Switch an option of the catalogue on, with its allowances. False: it was on, and nothing has
        changed.

        Another option of the same exclusive group goes off. No money moves: see :meth:`charge`. Raises
        KeyError for a number that the catalogue does not know.
        """

    async def switch_off(self, msisdn: str, number: int) -> bool:
        """Switch an option off; what is left of its allowances is lost. False: it was not on."""

    async def packages(self, msisdn: str) -> list[Package]:
        """What is left of the allowances: the tariff's first, then those of options, by number."""

    # --- passwords

    async def record_password_issue(self, msisdn: str, when: float) -> None:
        """Note that a password was asked for, so that the requests of an hour can be counted."""

    async def password_issues_since(self, msisdn: str, since: float) -> list[float]:
        """The moments, from ``since`` on, at which this number asked for a password, oldest first."""

    async def forget_password_issues(self, before: float, limit: int = 10_000) -> int:
        """Forget the requests for a password before then, of whatever number; answers how many, at most ``limit``.

        The requests of an hour are counted, so ``before`` is more than an hour ago.
        """

    async def set_password_hash(self, msisdn: str, password_hash: str, when: float) -> None:
        """Keep the hash of a new password; the one before it is void."""

    async def password_hash(self, msisdn: str) -> str | None:
        """The hash of the password that holds; None when none was ever issued."""


class Outbox(Protocol):
    """What waits until its SMSC has taken it, and a line about what was given up."""

    async def enqueue(self, messages: Sequence[Outgoing]) -> None:
        """Put messages in the outbox, under ids from :meth:`Unit.draw_id`."""

    async def taken(self, ids: Sequence[int]) -> None:
        """The SMSC has them: delete them, text and all. Ids that are gone already are passed over.

        The text is gone from the database itself; see :meth:`Store.erase_traces` for the journal.
        """

    async def unsent(
        self, link: str, after_id: int, limit: int, kind: OutgoingKind | None = None
    ) -> list[Outgoing]:
        """The messages of a link with an id above ``after_id``, oldest first; of one kind, or of whatever kind."""

    async def holds(self, id: int) -> bool:
        """Whether the message is still there: neither taken nor given up nor withdrawn."""

    async def withdraw(self, msisdn: str, topic: str, before_id: int) -> list[int]:
        """Delete the messages of a topic to a number that have an id below ``before_id``; answers their ids.

        A newer message makes them worthless. One that is on its way at this moment cannot be called back.
        """

    async def move(self, ids: Sequence[int], to: str) -> None:
        """Have these messages of the outbox leave by the link ``to``; ids that are gone are passed over.

        A message that is on its way at this moment must not be among them: its answer is yet to come.
        """

    async def waiting(self) -> dict[str, int]:
        """How many messages each link has in the outbox; links without any are left out."""

    async def fail(self, id: int, reason: str, when: float) -> None:
        """Give a message up: it leaves the outbox, and a line without its text says what became of it."""

    async def fail_expired(self, now: float) -> int:
        """Give up what is of no use any more, whatever its link; answers how many."""

    async def prune_undelivered(self, before: float, limit: int = 10_000) -> int:
        """Forget the messages that were given up before then; answers how many, at most ``limit``.

        Nobody waits long for so many: call again while it is not 0.
        """


class Inbox(Protocol):
    """What came, as far as it must be known later: dialogues, parts, receipts to come, what nobody understood."""

    # --- dialogues

    async def dialogue(self, msisdn: str) -> DialogueRecord | None:
        """The open dialogue of a number, if it has one."""

    async def dialogues(self, msisdns: Sequence[str]) -> dict[str, DialogueRecord]:
        """The open dialogues of many numbers at once."""

    async def save_dialogues(self, records: Sequence[DialogueRecord]) -> None:
        """Keep dialogues; one that a number had before is replaced."""

    async def close_dialogues(self, msisdns: Sequence[str]) -> None:
        """Forget the dialogues of these numbers. Harmless where there is none."""

    async def expire_dialogues(self, idle_before: float) -> int:
        """Forget the dialogues not touched since ``idle_before``; answers how many of them were not over."""

    # --- what has been acknowledged

    async def note_acknowledged(self, record: Acknowledged) -> None:
        """These requests are acknowledged, in the unit that holds what came of them."""

    async def acknowledged(self, link: str) -> list[Acknowledged]:
        """What was acknowledged on the link and has not been forgotten, oldest first."""

    async def forget_acknowledged(self, link: str, before: float) -> int:
        """Forget what was acknowledged on the link before then; answers how many records."""

    # --- receipts

    async def note_sent(self, messages: Sequence[SentMessage]) -> None:
        """The SMSC has taken these and will tell what became of them.

        An SMSC that uses an id of its own again means the newer message.
        """

    async def match_receipt(
        self, link: str, keys: Sequence[str], final: bool, number: str = ""
    ) -> SentMessage | None:
        """The message that a receipt on this link is about, by the first of ``keys`` that is known; None: no one's.

        ``number``: of the subscriber; the last nine digits must be those of the message, empty: any are.
        ``final``: nothing more will be heard under this key, and it is forgotten.
        """

    async def forget_sent(self, before: float, limit: int = 10_000) -> int:
        """Stop waiting for the receipts of what was sent before then; answers how many, at most ``limit``.

        One that was sent long after messages with later ids may hold them here for as long again.
        """

    # --- parts of long messages

    async def keep_part(
        self, part: MessagePart, limit: int = 64, total_limit: int = 10_000
    ) -> list[MessagePart] | None:
        """Keep a part of a long message, in the unit that acknowledges it; None while others are missing.

        With the last of them, whichever that is, the message is forgotten here and answered with: all its parts
        in order. A part that is there already is replaced; one with another ``total`` begins its message anew.

        A part of a message that was put together within the last minute is passed over: it was delivered twice. A
        sender (a number on a link) has at most ``limit`` parts here and everybody together ``total_limit``: then the
        oldest messages go, first the sender's own. A message of more parts than ``limit`` can never become
        whole, and nothing of it is kept. Raises ValueError for a number that is not in 1 … ``total``.
        """

    async def expire_parts(self, before: float) -> int:
        """Forget the messages of which a part came before then and others are missing; answers how many parts.

        Those that were put together before then are forgotten altogether.
        """

    # --- quarantine

    async def quarantine(self, records: Sequence[QuarantineRecord], limit: int) -> None:
        """Keep what could not be used; of all records the newest ``limit`` stay.

        The store numbers the records: ``id`` and ``replay`` of those given here are not looked at.
        """

    async def quarantined(self, limit: int, before_id: int | None = None) -> list[QuarantineRecord]:
        """The newest records, those with an id below ``before_id`` if one is given, newest first."""

    async def quarantined_one(self, id: int) -> QuarantineRecord | None:
        """The record with that number; None when it is gone or never was."""

    async def drop_quarantined(self, ids: Sequence[int] | None = None) -> int:
        """Forget these records, octets and all, or every one; answers how many there were."""

    async def ask_replay(self, ids: Sequence[int] | None = None) -> int:
        """Ask the gateway to handle these records again, or every one; answers how many of them came by a link.

        The others came from somebody who had not bound: there is nobody to handle them for.
        """

    async def refuse_replay(self, ids: Sequence[int]) -> None:
        """Nobody can handle them, for their link is gone: they stay, and are asked for no longer."""

    async def replays(self, limit: int = 100) -> list[QuarantineRecord]:
        """The records that somebody has asked to have handled again, oldest first."""

    async def replayed(self, ids: Sequence[int]) -> None:
        """They have been handled, in the unit that holds the result: forget them.

        What could still not be used is a new record then, with a number of its own.
        """


class Jobs(Protocol):
    """Slow work that was promised, and what of it was set aside after a last attempt."""

    async def add(
        self, name: str, msisdn: str, link: str, address: str, args_json: str, due: float, created: float
    ) -> int:
        """Promise a job, to be begun at ``due`` or later; answers its id, which never means another job."""

    async def due(self, now: float, limit: int) -> list[JobRecord]:
        """Jobs whose time has come, the longest due first. Each stays here, also while it runs, until finished."""

    async def finish(self, id: int) -> bool:
        """The job is done, in the unit that holds its result. False: it was done before; take all back."""

    async def retry(self, id: int, due: float, attempts: int) -> None:
        """The job failed: try again at ``due``."""

    async def set_aside(self, id: int, when: float, reason: str, attempts: int) -> None:
        """The job failed for the last time: it stays here for a person to look at, and is due no more."""

    async def held(self, limit: int, before_id: int | None = None) -> list[JobRecord]:
        """The newest jobs that were set aside, those with an id below ``before_id`` if one is given, newest first."""

    async def count_held(self) -> int:
        """How many jobs are set aside."""

    async def try_again(self, ids: Sequence[int] | None, now: float) -> int:
        """Have these jobs, or all, due at ``now`` as if they had never failed; answers how many were set aside."""

    async def drop(self, ids: Sequence[int] | None) -> int:
        """Forget these jobs, or all, as far as they are set aside; answers how many."""
