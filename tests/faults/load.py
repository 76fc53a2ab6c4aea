"""Many subscribers at once, who know what they ought to see.

Each phone has one conversation at a time and says the next thing when the screen is there, as people do. A screen
that is not the expected one is a complaint: a step that was lost, done twice or answered by another node shows.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from data.model import Subscriber
from data.sqlite import SqliteStore
from tests.faults.centre import Answer, Centre
from tests.faults.scene import number

Step = tuple[str, str]
"""What the subscriber says, and how the screen begins that comes of it."""

OPTION, FEE = 11, 10_000
BY_MENU, FEE_BY_MENU = 12, 6_000
"""«Где дети» is ordered by its code, «Детский интернет» by walking to it; both go with every tariff."""
PASSWORD_SENDER = "000110"

ORDER: list[Step] = [(f"*105*503*{OPTION}*1#", "«Где дети» подключена за 100 руб.")]
ORDER_AGAIN: list[Step] = [(f"*105*503*{OPTION}*1#", "«Где дети» уже подключена.")]
POOR: list[Step] = [(f"*105*503*{OPTION}*1#", "«Где дети» стоит 100 руб.")]
BLOCKED: list[Step] = [(f"*105*503*{OPTION}*1#", "Номер заблокирован")]
ORDER_BY_MENU: list[Step] = [
    ("*105*3#", "Опции\n1 Подключённые"),
    ("2", "Каталог опций"),
    ("1", "Подробнее о какой?"),
    ("2", "Детский интернет\n60 руб. в месяц\n1 Подключить"),
    ("1", "«Детский интернет» подключена за 60 руб."),
]
WALK: list[Step] = [
    ("*105#", "Сервис-Гид «Звезда»"),
    ("3", "Опции\n1 Подключённые"),
    ("2", "Каталог опций"),
    ("0", "Опции\n1 Подключённые"),
    ("00", "Сервис-Гид «Звезда»"),
    ("5", "Настройки"),
    ("3", "Готово, пишем кириллицей."),
]
# Three misses end a dialogue: a redelivered answer that counted twice would end it too early.
MISSES: list[Step] = [
    ("*105#", "Сервис-Гид «Звезда»"),
    ("7", "Такого пункта нет."),
    ("7", "Такого пункта нет."),
    ("7", "Не получилось."),
]
PASSWORD: list[Step] = [("*105*00#", "Ваш запрос обрабатывается."), ("", "Пароль отправлен.")]


SMS_ORDER = ("000105", f"ВКЛ {OPTION}", "«Где дети» подключена за 100 руб.")


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
                self._centre.text(phone.msisdn, *SMS_ORDER[:2])
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
            self._compare(answer, SMS_ORDER[2], True)
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
        as_expected = answer.text.startswith(expected) and answer.last == last
        if not as_expected:
            wanted = f"{expected!r}, the {'last word' if last else 'dialogue open'}"
            self._centre.complaints.append(f"{answer.message} shows {answer.text!r} instead of {wanted}")
        return as_expected


async def townspeople(store: SqliteStore, count: int, dice: random.Random) -> list[Phone]:
    """The seeded subscribers with things to do, in an order that `dice` give: some 25 turns each."""
    phones = [_phone(await store.subscriber(number(i)), dice) for i in range(count)]
    rich = [phone for phone in phones if len(phone.conversations) > 5]
    chosen = dice.sample(rich, 20)
    for phone in chosen[:5]:
        phone.conversations.insert(dice.randrange(5), PASSWORD)
    for phone in chosen[5:]:
        phone.texts, phone.conversations = True, []
    return phones


def _phone(subscriber: Subscriber, dice: random.Random) -> Phone:
    if subscriber.blocked:
        return Phone(subscriber, [BLOCKED, _balance(subscriber), BLOCKED])
    if subscriber.available_kopecks < FEE:
        return Phone(subscriber, [POOR, _balance(subscriber), POOR])
    conversations = [ORDER, ORDER, WALK, WALK, MISSES, *[_balance(subscriber)] * 3]
    if subscriber.available_kopecks >= FEE + FEE_BY_MENU:
        conversations.append(ORDER_BY_MENU)
    dice.shuffle(conversations)
    again = conversations.index(ORDER) + 1
    conversations[again:] = [ORDER_AGAIN if steps is ORDER else steps for steps in conversations[again:]]
    return Phone(subscriber, conversations)


def _balance(subscriber: Subscriber) -> list[Step]:
    return [("*100#", "У вас корпоративный номер." if subscriber.corporate else "На счёте ")]


def due(phone: Phone) -> list[tuple[str, int]]:
    """What the ledger has to say of a phone that has not begun yet, in the end: (what, kopecks)."""
    steps = [step for conversation in phone.conversations for step in conversation]
    lines = [(f"option:{OPTION}", FEE)] if phone.texts or ORDER[0] in steps else []
    return lines + ([(f"option:{BY_MENU}", FEE_BY_MENU)] if ORDER_BY_MENU[-1] in steps else [])
