"""A scripted USSD centre: it does to the gateway what a test tells it to, and remembers all that passed.

It keeps what it was not told to be had: a deliver_sm without a response, or refused for now, is delivered again on the
next connection, before anything newer. It judges every submit_sm the moment it comes in, by the rule that
`Message.entitled` states; what breaks the rule stands in `Centre.complaints`.
"""

import asyncio
import socket
import struct
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.dialect import ITS_SESSION_INFO, load_profile
from gateway.smpp import events
from gateway.smpp.pdu import DeliverSm, Pdu, SubmitSm, Unbind, encode
from gateway.smpp.session import Role, Session, SessionSettings
from gateway.smpp.text import ALPHABET_BY_DCS, decode_text, encode_text, measure
from gateway.smpp.vocabulary import ESM_CLASS_RECEIPT, ESME_RINVPASWD, ESME_ROK, status_name

SPEC = load_profile("spec")
SERVICE = "105"
WITHHOLD = None
"""What `Centre.judge` says when a submit_sm is to have no response, or a later one."""
_SMS_DCS = {"gsm7": 0, "ucs2": 8}

Key = tuple[str, int, int] | tuple[str, str]
"""(MSISDN, session, unit) of a turn by USSD; (MSISDN, short number) of an SMS."""


@dataclass(eq=False, slots=True)
class Message:
    """What a subscriber did, however often it has to be delivered, and every answer to it."""

    key: Key
    says: str
    pdu: DeliverSm
    deliveries: int = 0
    """Times that it went out and was not refused: each entitles to one answer."""
    status: int | None = None
    """command_status of its deliver_sm_resp; None: not acknowledged."""
    answers: list["Answer"] = field(default_factory=list)

    def __str__(self) -> str:
        ack = "not acknowledged" if self.status is None else status_name(self.status)
        key, answers = "/".join(map(str, self.key)), len(self.answers)
        return f"{key} {self.says!r}: delivered {self.deliveries}x, {ack}, {answers} answers"

    @property
    def entitled(self) -> int:
        """How many answers may have come by now.

        One for each delivery; and one more for each answer whose positive response the gateway is not known to have
        taken note of, because such an answer has to be sent again (at least once, W4).
        """
        return self.deliveries + sum(not answer.settled for answer in self.answers)


@dataclass(eq=False, slots=True)
class Answer:
    """One submit_sm, as it came."""

    wire: "Wire"
    pdu: SubmitSm
    text: str
    last: bool
    message: Message | None
    status: int | None = None
    """What it was answered with; None: not answered."""
    settled: bool = False
    """A positive response was written, and so was, after it and on the same connection, a deliver_sm that the gateway
    has acknowledged. A gateway acknowledges after the commit that holds all it read before: it has the response."""

    def same_as(self, other: "Answer") -> bool:
        """The same octets, but for the sequence number."""
        return _octets(self.pdu) == _octets(other.pdu)


def _octets(pdu: Pdu) -> bytes:
    return encode(replace(pdu, sequence_number=0))


def take(_: Answer) -> int | None:
    """Judge every answer to be all right."""
    return ESME_ROK


def withhold(_: Answer) -> int | None:
    """Respond to nothing for now."""
    return WITHHOLD


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
        self.repeats = 0
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
    def wire(self) -> "Wire":
        """The newest connection."""
        return self.wires[-1]

    @property
    def bound(self) -> bool:
        """Whether the newest connection is."""
        return bool(self.wires) and self.wire.session.bound

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
        while self._queue and self.wire.session.window_free:
            self.wire.deliver(self._queue.popleft())
        self.wire.flush()

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
        self.repeats += bool(message.answers)
        if len(message.answers) >= message.entitled:
            self.complaints.append(
                f"answered again, although nothing was lost: {message}, now {answer.text!r}"
            )
        kinds = [
            a for i, a in enumerate(message.answers) if not any(a.same_as(b) for b in message.answers[:i])
        ]
        if not any(answer.same_as(a) for a in kinds) and len(kinds) >= message.deliveries:
            self.complaints.append(
                f"answered differently: {message}, {[a.text for a in kinds]}, now {answer.text!r}"
            )

    def _deliver(self, message: Message) -> Message:
        assert message.key not in self.messages, f"the test says {message} twice"
        self.messages[message.key] = message
        self._queue.append(message)
        self.pump()
        return message


class Wire(asyncio.Protocol):
    """One connection of the gateway."""

    def __init__(self, centre: Centre):
        loop = asyncio.get_running_loop()
        self._centre = centre
        self._now = loop.time
        settings = SessionSettings(
            window=centre.window,
            peer_window=1_000_000,
            session_init_timer_s=None,
            enquire_link_timer_s=None,
            response_timer_s=None,
        )
        self.session = Session(Role.SMSC, settings, self._now(), self._authenticate)
        self.gone: asyncio.Future[None] = loop.create_future()
        self.reason = ""
        self._transport: Any = None
        self._responded: list[Answer] = []
        self._settled = 0
        self._mute = False

    # --- faults

    def close(self) -> None:
        """The centre says goodbye to TCP only: what was written still arrives."""
        self._transport.close()

    def reset(self) -> None:
        """The connection is torn: what is under way, either way, is lost."""
        if not self._transport.is_closing():
            linger = struct.pack("ii", 1, 0)
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._transport.abort()

    def leave(self) -> None:
        """Unbind, as a centre does before its maintenance."""
        self.session.send(Unbind(), self._now())
        self.flush()

    def fall_silent(self, reads: bool) -> None:
        """The peer is gone and nobody says so: it writes nothing any more, and does not even read unless `reads`."""
        self._mute = True
        if not reads:
            self._transport.pause_reading()

    def write(self, octets: bytes) -> None:
        """Octets that the session knows nothing of."""
        self._transport.write(octets)

    # --- messages

    def deliver(self, message: Message) -> None:
        message.deliveries += 1
        self.session.send(message.pdu, self._now(), (message, len(self._responded)))
        self._centre.count("delivered")

    def respond(self, answer: Answer, status: int) -> None:
        if self.session.closed or self._mute or self._transport.is_closing():
            return
        fields = {"message_id": f"{len(self._centre.answers):x}"} if status == ESME_ROK else {}
        self.session.send(answer.pdu.respond(status, **fields), self._now())
        answer.status = status
        self._responded.append(answer)
        self.flush()
        self._centre.count("responded")

    def flush(self) -> None:
        data = self.session.data_to_send()
        if data and not self._mute:
            self._transport.write(data)
        if self.session.closed:
            self._transport.close()

    # --- called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._centre.wires.append(self)

    def data_received(self, data: bytes) -> None:
        self.session.receive_data(data, self._now())
        self._dispatch()
        self._centre.pump()
        self.flush()

    def connection_lost(self, error: Exception | None) -> None:
        self.session.receive_eof(self._now())
        self._dispatch()
        self.gone.set_result(None)
        self._centre.changed()

    def _dispatch(self) -> None:
        centre, lost = self._centre, []
        for event in self.session.events():
            match event:
                case events.Request(SubmitSm() as pdu):
                    centre.take_in(self._read(pdu))
                case events.Response(pdu, (message, responded)):
                    self._acknowledged(message, responded, pdu.command_status)
                case events.Unanswered((message, _)):
                    lost.append(message)
                case events.Bound():
                    centre.forget_silent()
                    centre.redeliver()
                    centre.count("bound")
                case events.UnbindRequest(pdu):
                    self.session.send(pdu.respond(), self._now())
                    centre.count("unbound")
                case events.BindRefused():
                    centre.count("refused_bind")
                case events.Closed(reason):
                    self.reason = reason
                case events.Stray():
                    centre.count("stray")
                case other:
                    centre.complaints.append(f"the gateway sent what it should not: {other}")
        if lost:
            centre.give_back(lost)

    def _acknowledged(self, message: Message, responded: int, status: int) -> None:
        message.status = status
        if status == ESME_ROK:
            for answer in self._responded[self._settled : responded]:
                answer.settled = answer.status == ESME_ROK
            self._settled = max(self._settled, responded)
        else:
            message.deliveries -= 1
            self._centre.refused.append(message)
        self._centre.count("acknowledged")

    def _read(self, pdu: SubmitSm) -> Answer:
        messages = self._centre.messages
        screen = SPEC.interpret(pdu)
        if screen is None:
            text = decode_text(pdu.short_message, ALPHABET_BY_DCS["sms"][pdu.data_coding])
            return Answer(self, pdu, text, True, messages.get((pdu.destination_addr, pdu.source_addr)))
        unit = pdu.tlvs[ITS_SESSION_INFO][1] >> 1
        asked = messages.get((screen.msisdn, screen.session, unit - 1))
        return Answer(self, pdu, screen.text, screen.ends, asked)

    def _authenticate(self, bind: Pdu) -> int:
        return ESME_ROK if bind.password == self._centre.password else ESME_RINVPASWD


def _bound_socket(port: int, narrow: bool) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if narrow:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    bound.bind(("127.0.0.1", port))
    return bound
