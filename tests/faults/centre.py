"""A scripted USSD centre: it does to the gateway what a test tells it to, and remembers all that passed.

It keeps what it was not told to be had: a deliver_sm without a response, or refused for now, is delivered again on the
next connection, before anything newer. It judges every submit_sm the moment it comes in, by the rule that
`tests.faults.messages` states; what breaks the rule stands in `Centre.complaints`.
"""

import asyncio
import socket
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gateway.dialect import ITS_SESSION_INFO
from gateway.smpp.pdu import DeliverSm
from gateway.smpp.text import encode_text, measure
from gateway.smpp.vocabulary import ESM_CLASS_RECEIPT, ESME_ROK
from tests.faults.messages import WITHHOLD, Answer, Key, Message, take
from tests.faults.wire import SPEC, Wire

SERVICE = "105"
_SMS_DCS = {"gsm7": 0, "ucs2": 8}


class Centre:
    """``async with Centre() as centre:`` has a `port`, on which `listen` listens.

    A `narrow` one keeps little on its way, so that a peer who is not read from feels it soon. `judge` is asked what to
    answer to each submit_sm: a command_status, or WITHHOLD. `on_answer` is told of each answer that is the first to
    its message: the one that a handset shows.
    """

    def __init__(self, window: int = 64, narrow: bool = False):
        self.window = window
        self.password = "secret"
        self.judge: Callable[[Answer], int | None] = take
        self.on_answer: Callable[[Answer], None] = lambda _: None
        self.messages: dict[Key, Message] = {}
        self.answers: list[Answer] = []
        """Every submit_sm, in the order of arrival, over all connections."""
        self.refused: list[Message] = []
        """Delivered and refused; they wait for `redeliver`, or for the next bind."""
        self.wires: list[Wire] = []
        self.counts: Counter[str] = Counter()
        """Of bound, refused_bind, unbound; delivered, acknowledged, lost; submitted, responded; stray."""
        self.complaints: list[str] = []
        self._together = False
        self._plans: list[tuple[str, int, Callable[[], None]]] = []
        self._queue: deque[Message] = deque()
        self._changed = asyncio.Event()
        self._narrow = narrow
        self._socket = _bound_socket(0, narrow)
        self.port: int = self._socket.getsockname()[1]
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "Centre":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.go_away()
        self._socket.close()

    async def listen(self) -> None:
        """Be there. Before this a connection is refused."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Wire(self), sock=self._socket)

    async def go_away(self) -> None:
        """Drop every connection and take no new one; the port is kept, for another `listen`."""
        if self._server:
            self._server.close()
            self._server = None
            self._socket = _bound_socket(self.port, self._narrow)
        for wire in self.wires:
            wire.reset()
        await asyncio.gather(*(wire.gone for wire in self.wires))

    # --- what subscribers do

    def dial(self, msisdn: str, code: str, session: int = 1) -> Message:
        """Deliver the beginning of a dialogue."""
        pdu = SPEC.indicate(msisdn, SERVICE, code, "new", session, 0)
        return self._deliver(Message((msisdn, session, 0), code, pdu))

    def reply(self, before: Message, text: str) -> Message:
        """Deliver the next answer of the dialogue that `before` is a turn of."""
        msisdn, session, unit = before.key
        pdu = SPEC.indicate(msisdn, SERVICE, text, "answer", session, unit + 1)
        return self._deliver(Message((msisdn, session, unit + 1), text, pdu))

    def text(self, msisdn: str, to: str, text: str) -> Message:
        """Deliver an SMS to a short number."""
        alphabet, _ = measure(text)
        pdu = DeliverSm(
            source_addr=msisdn,
            destination_addr=to,
            data_coding=_SMS_DCS[alphabet],
            short_message=encode_text(text, alphabet),
        )
        return self._deliver(Message((msisdn, to), text, pdu))

    def receipt(self) -> Message:
        """Deliver a delivery receipt: a message that nobody answers."""
        pdu = DeliverSm(
            source_addr="1", destination_addr=SERVICE, esm_class=ESM_CLASS_RECEIPT, short_message=b"id:1"
        )
        message = Message(("receipt", SERVICE), "", pdu)
        self._queue.append(message)
        self.pump()
        return message

    def expect_sms(self, msisdn: str, sender: str) -> Message:
        """Know that an SMS from `sender` will come which answers nothing that is delivered: a job's."""
        message = Message((msisdn, sender), "(follows by itself)", DeliverSm(), deliveries=1, status=ESME_ROK)
        self.messages[message.key] = message
        return message

    @contextmanager
    def together(self) -> Iterator[None]:
        """``with centre.together():`` all that is delivered leaves in one write, as far as the window reaches."""
        self._together = True
        yield
        self._together = False
        self.pump()

    def redeliver(self) -> None:
        """Deliver again what was refused."""
        self._queue.extendleft(reversed(self.refused))
        self.refused.clear()
        self.pump()

    # --- what happens to the wire

    @property
    def wire(self) -> Wire:
        """The newest connection."""
        return self.wires[-1]

    @property
    def bound(self) -> bool:
        """Whether the newest connection is."""
        return bool(self.wires) and self.wire.up

    def at(self, what: str, count: int, act: Callable[[], None]) -> None:
        """Have `act` called in the middle of it, when `what` (see `counts`) has happened `count` times more."""
        self._plans.append((what, self.counts[what] + count, act))

    def answer(self, answer: Answer, status: int = ESME_ROK) -> None:
        """Answer a submit_sm whose response was withheld; in silence if its connection is gone."""
        answer.wire.respond(answer, status)

    async def until(self, true: Callable[[], Any], what: str, timeout_s: float = 15) -> None:
        """Wait until `true()` holds; it is looked at whenever something has happened."""
        try:
            async with asyncio.timeout(timeout_s):
                while not true():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"waited {timeout_s:g} s in vain for: {what}\n{self.explain()}") from None

    def changed(self) -> None:
        """Have `until` look again."""
        self._changed.set()

    @property
    def open(self) -> list[Message]:
        """Messages that are not acknowledged, or not answered."""
        return [m for m in self.messages.values() if m.status != ESME_ROK or not m.answers]

    def explain(self) -> str:
        """How things stand, for a failure."""
        unfinished = self.open
        lines = [
            f"the centre counted {dict(self.counts)}, {len(self._queue)} waiting, {len(self.refused)} refused"
        ]
        lines += [f"{len(unfinished)} messages are not done, among them:", *map(str, unfinished[:8])]
        return "\n".join(lines + self.complaints[:8])

    # --- from here on: called by the wires

    def count(self, what: str) -> None:
        self.counts[what] += 1
        due = [plan for plan in self._plans if plan[0] == what and plan[1] <= self.counts[what]]
        for plan in due:
            self._plans.remove(plan)
            plan[2]()
        self._changed.set()

    def pump(self) -> None:
        """Deliver what waits, as far as the window reaches."""
        if self._together or not self.bound:
            return
        delivered = min(len(self._queue), self.wire.session.window_free)
        for _ in range(delivered):
            self.wire.deliver(self._queue.popleft())
        self.wire.flush()
        for _ in range(delivered):
            self.count("delivered")

    def forget_silent(self) -> None:
        """There is a new connection: what was under way on a silent one is to be delivered again."""
        for wire in self.wires[:-1]:
            wire.reset()

    def give_back(self, messages: list[Message]) -> None:
        """The connection is gone, and these had no response."""
        self._queue.extendleft(reversed(messages))
        self.counts["lost"] += len(messages)

    def take_in(self, answer: Answer) -> None:
        """Judge a submit_sm, and answer it as the test wants."""
        self.answers.append(answer)
        self.count("submitted")
        self._check(answer)
        if answer.message:
            answer.message.answers.append(answer)
        status = self.judge(answer)
        if status is not WITHHOLD:
            self.answer(answer, status)
        if answer.message and len(answer.message.answers) == 1:
            self.on_answer(answer)

    def _check(self, answer: Answer) -> None:
        message = answer.message
        if message is None:
            info = answer.pdu.tlvs.get(ITS_SESSION_INFO, b"").hex()
            self.complaints.append(
                f"an answer to nothing: {answer.pdu.destination_addr} {info} {answer.text!r}"
            )
            return
        if len(message.answers) >= message.entitled:
            self.complaints.append(
                f"answered again, although nothing was lost: {message}, now {answer.text!r}"
            )
        kinds = {earlier.octets for earlier in message.answers}
        if answer.octets not in kinds and len(kinds) >= message.deliveries:
            texts = [a.text for a in message.answers]
            self.complaints.append(f"answered differently: {message}, {texts}, now {answer.text!r}")

    def _deliver(self, message: Message) -> Message:
        assert message.key not in self.messages, f"the test says {message} twice"
        self.messages[message.key] = message
        self._queue.append(message)
        self.pump()
        return message


def _bound_socket(port: int, narrow: bool) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if narrow:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    bound.bind(("127.0.0.1", port))
    return bound
