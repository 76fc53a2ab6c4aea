"""Many subscribers at once, who know what they ought to see.

Each phone has one conversation at a time and says the next thing when the screen is there, as people do. A screen
that is not the expected one is a complaint: a step that was lost, done twice or answered by another node shows.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from data.model import Subscriber
from data.store import Unit
from handlers.password import verify
from tests.faults.centre import Centre
from tests.faults.messages import Answer
from tests.faults.scene import Stage, number
from tests.faults.screens import choice, read, shows, warns

Step = tuple[str, str]
"""What the subscriber says, and the node whose screen comes of it; MISS for the screen before with a hint."""

MISS = "(once more)"
OPTION, FEE = 11, 10_000
BY_MENU, FEE_BY_MENU = 12, 6_000
"""The first and the second option of the first category, for every tariff: one is ordered by its code, one by menu."""
TO_OPTIONS, TO_CATALOGUE = choice("root", "options"), choice("options", "options.categories")
CODE, ON = f"*105*503*{OPTION}*1#", "options.on.on*"
PASSWORD_SENDER = "000110"

BALANCE: list[Step] = [("*100#", "balance.*")]
ORDER: list[Step] = [(CODE, ON)]
ORDER_AGAIN: list[Step] = [(CODE, "options.already")]
POOR: list[Step] = [(CODE, "options.no_*")]
BLOCKED: list[Step] = [(CODE, "options.blocked")]
ORDER_BY_MENU: list[Step] = [
    ("*105*3#", "options"),
    (TO_CATALOGUE, "options.categories.list"),
    ("1", "options.catalogue.list"),
    ("2", "options.check.possible"),
    ("1", ON),
]
WALK: list[Step] = [
    ("*105#", "root"),
    (TO_OPTIONS, "options"),
    (TO_CATALOGUE, "options.categories.list"),
    ("0", "options"),
    ("00", "root"),
    (choice("root", "settings"), "settings"),
    (choice("settings", "settings.cyrillic"), "settings.cyrillic.*"),
]
# Three misses end a dialogue: a redelivered answer that counted twice would end it too early.
MISSES: list[Step] = [("*105#", "root"), ("7", MISS), ("7", MISS), ("7", "words.enough")]
PASSWORD: list[Step] = [("*105*00#", "password.confirm"), ("", "password.sent")]
SMS_ORDER = ("000105", f"ВКЛ {OPTION}")


@dataclass(slots=True)
class Phone:
    """One subscriber, what he still has in mind, and what he has seen."""

    subscriber: Subscriber
    conversations: list[list[Step]]
    texts: bool = False
    """He orders the option by SMS, and does nothing else."""
    session: int = 0
    now: list[Step] = field(default_factory=list)
    """The rest of the conversation under way; its first step is the one whose screen is waited for."""
    asked: bool = False
    """He has a screen before him that wants an answer."""

    @property
    def msisdn(self) -> str:
        return self.subscriber.msisdn


class Load:
    """``Load(centre, phones).start()``; it is over when `done`."""

    def __init__(self, centre: Centre, phones: Sequence[Phone]):
        self._centre = centre
        self._phones = {phone.msisdn: phone for phone in phones}
        self._busy = len(phones)
        self.turns = sum(len(steps) for phone in phones for steps in phone.conversations)
        centre.on_answer = self._on_answer

    def start(self) -> None:
        """Everybody dials."""
        for phone in self._phones.values():
            if phone.texts:
                self._centre.text(phone.msisdn, *SMS_ORDER)
            else:
                self._next_conversation(phone)

    @property
    def done(self) -> bool:
        """Everything is said, acknowledged and answered, and the passwords have come."""
        return not self._busy and not self._centre.open

    @property
    def in_dialogue(self) -> int:
        """Phones that have a screen before them which wants an answer."""
        return sum(phone.asked for phone in self._phones.values())

    def _next_conversation(self, phone: Phone) -> None:
        phone.asked = False
        if not phone.conversations:
            self._busy -= 1
            return
        phone.now = phone.conversations.pop(0)
        phone.session += 1
        if phone.now is PASSWORD:
            self._centre.expect_sms(phone.msisdn, PASSWORD_SENDER)
        self._centre.dial(phone.msisdn, phone.now[0][0], phone.session)

    def _on_answer(self, answer: Answer) -> None:
        phone = self._phones[answer.pdu.destination_addr]
        if answer.pdu.source_addr == SMS_ORDER[0]:
            self._compare(answer, ON, True)
            self._busy -= 1
        elif answer.pdu.source_addr != PASSWORD_SENDER:
            self._on_screen(phone, answer)

    def _on_screen(self, phone: Phone, answer: Answer) -> None:
        (_, expected), *rest = phone.now
        if self._compare(answer, expected, not rest) and rest:
            phone.asked, phone.now = True, rest
            self._centre.reply(answer.message, rest[0][0])
        else:
            self._next_conversation(phone)

    def _compare(self, answer: Answer, expected: str, last: bool) -> bool:
        text = answer.text
        right_screen = warns(text) if expected is MISS else shows(text, expected) and not warns(text)
        as_expected = right_screen and answer.last == last
        if not as_expected:
            wanted = f"{expected} as {'the last screen' if last else 'a screen that asks'}"
            self._centre.complaints.append(f"{answer.message} shows {text!r} instead of {wanted}")
        return as_expected


async def townspeople(seen: Unit, count: int, dice: random.Random) -> list[Phone]:
    """The seeded subscribers with things to do, in an order that `dice` give: some 25 turns each."""
    phones = [_phone(await seen.facts.subscriber(number(i)), dice) for i in range(count)]
    rich = [phone for phone in phones if len(phone.conversations) > 5]
    chosen = dice.sample(rich, 20)
    for phone in chosen[:5]:
        phone.conversations.insert(dice.randrange(5), PASSWORD)
    for phone in chosen[5:]:
        phone.texts, phone.conversations = True, []
    return phones


def _phone(subscriber: Subscriber, dice: random.Random) -> Phone:
    if subscriber.blocked:
        return Phone(subscriber, [BLOCKED, BALANCE, BLOCKED])
    if subscriber.available_kopecks < FEE:
        return Phone(subscriber, [POOR, BALANCE, POOR])
    conversations = [ORDER, ORDER, WALK, WALK, MISSES, BALANCE, BALANCE, BALANCE]
    if subscriber.available_kopecks >= FEE + FEE_BY_MENU:
        conversations.append(ORDER_BY_MENU)
    dice.shuffle(conversations)
    again = conversations.index(ORDER) + 1
    conversations[again:] = [ORDER_AGAIN if steps is ORDER else steps for steps in conversations[again:]]
    return Phone(subscriber, conversations)


def due(phone: Phone) -> list[tuple[str, int]]:
    """What the ledger has to say of a phone that has not begun yet, in the end: (what, kopecks)."""
    steps = [step for conversation in phone.conversations for step in conversation]
    lines = [(f"option:{OPTION}", FEE)] if phone.texts or ORDER[0] in steps else []
    return lines + ([(f"option:{BY_MENU}", FEE_BY_MENU)] if ORDER_BY_MENU[-1] in steps else [])


async def check_password(stage: Stage, msisdn: str) -> None:
    """Asked for once, it is one: however often the SMS came, it says the same, and that is the password which holds."""
    answers = stage.centre.messages[msisdn, PASSWORD_SENDER].answers
    passwords = {read(answer.text, "messages.password.issued")["password"] for answer in answers}
    assert len(passwords) == 1, f"{msisdn} asked once and was sent {len(passwords)} passwords"
    async with stage.opened() as store:
        assert await verify(store, msisdn, passwords.pop()), f"the password of {msisdn} does not hold"
