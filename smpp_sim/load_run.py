"""One measurement: dialogues in a closed window, without a socket or a clock.

Closed window: so many subscribers talk at once; each writes the next turn of his script as soon as the
answer to the last one is there, and the end of his dialogue makes place for the next subscriber. The time of
a turn runs from writing deliver_sm to reading the submit_sm that answers it; a turn that is sent again after
ESME_RTHROTTLED keeps its first time, since the subscriber has been waiting since then.

Subscribers are drawn in a scattered order that visits everyone once before anyone twice, so that a store
with a million of them is not read along its primary key.
"""

import math
import struct
import sys
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from smpp_sim import load_pdu as wire
from smpp_sim.load_histogram import Histogram

_MALFORMED = (ValueError, IndexError, struct.error)
_SUBMIT_SM_RESP = struct.Struct(">IIII")
_MESSAGE_ID_OCTETS = 9
_LAST_SEQUENCE = 0x7FFFFFFF


@dataclass(frozen=True)
class LoadSettings:
    """How a load is run. ``turns`` measured turns end it before ``seconds`` do; None: only time does."""

    window: int = 64
    pdu_window: int | None = None  # unacknowledged deliver_sm; None: as many as there are dialogues
    seconds: float = 5.0
    warmup_s: float = 1.0
    turns: int | None = None
    turn_timeout_s: float = 10.0
    throttle_pause_s: float = 0.02
    first_msisdn: int = 79260000000
    subscribers: int = 100_000

    def __post_init__(self) -> None:
        if self.window < 1 or (self.pdu_window is not None and self.pdu_window < 1):
            raise ValueError("a window holds at least 1")
        if self.subscribers < self.window:
            raise ValueError(
                f"{self.window} dialogues at once need as many subscribers, not {self.subscribers}"
            )
        if len(str(self.first_msisdn)) != len(str(self.first_msisdn + self.subscribers - 1)):
            raise ValueError("all MSISDNs of a load have the same number of digits")


class Dialogue:
    """One subscriber in mid-script; the object is used again for the next subscriber."""

    __slots__ = ("msisdn", "sequence", "session", "started_ns", "turn")

    def __init__(self) -> None:
        self.msisdn = b""
        self.session = wire.NO_SESSION
        self.turn = 0
        self.sequence = 0  # 0: the turn is not on the wire
        self.started_ns = 0  # 0: it never was


def _stride(subscribers: int) -> int:
    """Return a step near the golden section of ``subscribers`` that reaches all of them."""
    step = max(1, int(subscribers * 0.618))
    while math.gcd(step, subscribers) != 1:
        step += 1
    return step


class Run:
    """The dialogues of one measurement.

    Feed it with ``answered`` and ``acknowledged`` for what was read, then write what ``flush`` returns; call
    ``tick`` and ``flush`` every now and then. ``measure`` ends the warm-up, ``stop`` lets the dialogues in
    flight run out; ``drained`` says when they have. ``on_stop`` is called when it stops, also by itself at
    ``settings.turns``; from then on ``measured`` holds what was counted. Times are nanoseconds of one
    monotonic clock. Sequence numbers begin at ``sequence``: the one attribute to hand to the next run.
    """

    def __init__(
        self,
        script: wire.Script,
        settings: LoadSettings,
        sequence: int = 1,
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        self.settings = settings
        self.sequence = sequence
        self.histogram = Histogram()
        self.errors: Counter[str] = Counter()
        self.dialogues = self.throttled = self.unanswered = self.late = self.left_open = 0
        self.measured: tuple[Histogram, int] | None = None
        self.sample: list[str] = []
        self._on_stop = on_stop
        self._ussd = script.kind == "ussd"
        self._script = script
        self._templates = wire.templates(script, len(str(settings.first_msisdn)))
        self._last_turn = len(script.turns) - 1
        self._pdu_window = settings.pdu_window or sys.maxsize
        self._limit = sys.maxsize
        self._stride = _stride(settings.subscribers)
        self._subscriber = self._stride % settings.subscribers
        self._message_id = 0
        self._open: dict[bytes, Dialogue] = {}
        self._pending: dict[int, Dialogue] = {}
        self._ready: deque[Dialogue] = deque()
        self._held: deque[tuple[int, Dialogue]] = deque()
        self._given_up: set[int] = set()
        self._out: list[bytes] = []
        self._sampling: bytes | None = None

    @property
    def stopped(self) -> bool:
        """True when no further turn begins."""
        return self.measured is not None

    @property
    def drained(self) -> bool:
        """True when no dialogue is in flight and nothing waits for its acknowledgement."""
        return not self._open and not self._pending

    def begin(self) -> None:
        """Dial with as many subscribers as the window holds; ``flush`` then has their first PDUs."""
        for _ in range(self.settings.window):
            self._dial(Dialogue())
        self._sampling = next(iter(self._open))
        self.sample.append(f"> {self._script.turns[0]}")

    def measure(self) -> None:
        """Forget what was counted so far: the warm-up is over. Errors are never forgotten."""
        self.histogram = Histogram()
        self.dialogues = 0
        self._limit = self.settings.turns or sys.maxsize

    def stop(self) -> None:
        """Start no further turn; ``measured`` becomes the durations and the count of dialogues until now."""
        if self.measured is None:
            self._limit = sys.maxsize
            self.measured, self.histogram = (self.histogram, self.dialogues), Histogram()
            self._forget_unwritten()
            self._on_stop()

    def answered(self, octets: bytes, start: int, end: int, sequence: int, now_ns: int) -> None:
        """Take the submit_sm in ``octets[start:end]``: acknowledge it, and end the turn that it answers."""
        try:
            destination, op, session, more = wire.read_submit_sm(octets, start, end)
        except _MALFORMED:
            self.errors["malformed submit_sm"] += 1
            self._out.append(wire.response(wire.SUBMIT_SM, wire.ESME_RINVMSGLEN, sequence))
            return
        self._message_id += 1
        self._out.append(_SUBMIT_SM_RESP.pack(16 + _MESSAGE_ID_OCTETS, wire.SUBMIT_SM_RESP, 0, sequence))
        self._out.append(b"%08x\0" % self._message_id)
        dialogue = self._open.get(destination)
        if dialogue is None or dialogue.session != session:
            self.late += 1
            return
        if destination == self._sampling:
            self.sample.append(f"< {wire.read_screen(octets, start, end)}")
        if more:
            return
        self.histogram.record(now_ns - dialogue.started_ns)
        self._advance(dialogue, op)

    def acknowledged(self, sequence: int, status: int, now_ns: int) -> None:
        """Take a deliver_sm_resp: a throttled turn is held and sent again, another error ends the dialogue."""
        dialogue = self._pending.pop(sequence, None)
        if dialogue is None:
            self._unexpected(sequence)
        elif status and dialogue.sequence == sequence:
            self._refused(dialogue, status, now_ns)

    def tick(self, now_ns: int) -> None:
        """Release what was held after a throttle, and give up turns that waited ``turn_timeout_s``."""
        while self._held and self._held[0][0] <= now_ns:
            self._ready.append(self._held.popleft()[1])
        oldest_ns = now_ns - int(self.settings.turn_timeout_s * 1e9)
        for dialogue in [open_ for open_ in self._open.values() if 0 < open_.started_ns < oldest_ns]:
            self.unanswered += 1
            self._abandon(dialogue)

    def lost(self, why: str) -> None:
        """Take the end of the connection: all turns in flight are unanswered and none follows."""
        self.errors[why] += 1
        self.unanswered += len(self._open)
        self._open.clear()
        self._pending.clear()
        self._ready.clear()
        self._held.clear()
        self.stop()

    def flush(self, now_ns: int) -> bytes:
        """Return the octets to write now; the turns among them count from ``now_ns``."""
        ready, pending, out = self._ready, self._pending, self._out
        while ready and len(pending) < self._pdu_window:
            dialogue = ready.popleft()
            if not dialogue.msisdn:
                continue
            sequence = dialogue.sequence = self.sequence
            self.sequence = sequence + 1 if sequence < _LAST_SEQUENCE else 1
            pending[sequence] = dialogue
            if not dialogue.started_ns:
                dialogue.started_ns = now_ns
            template = self._templates[dialogue.turn]
            out += (
                template.head,
                wire.SEQUENCE.pack(sequence),
                template.before,
                dialogue.msisdn,
                template.after[dialogue.session],
            )
        octets = b"".join(out)
        out.clear()
        return octets

    def _advance(self, dialogue: Dialogue, op: int) -> None:
        """Go on after an answer: the next turn of the script, or the next subscriber."""
        last = dialogue.turn == self._last_turn
        if self._ussd and (op != wire.OP_ASK or last):
            self._note_op(op, last)
        if last or (self._ussd and op != wire.OP_ASK):
            self.dialogues += 1
            self._finish(dialogue)
        elif self.measured is not None:
            self._finish(dialogue)
        else:
            self._turn(dialogue, dialogue.turn + 1)
        if self.histogram.count >= self._limit:
            self.stop()

    def _note_op(self, op: int, last: bool) -> None:
        """Count an answer that is not what the script expects at this turn."""
        if op == wire.OP_ASK:
            self.left_open += 1
        elif op != wire.OP_LAST:
            self.errors["answer without ussd_service_op" if op < 0 else f"ussd_service_op {op}"] += 1
        elif not last:
            self.errors["dialogue ended before its script"] += 1

    def _turn(self, dialogue: Dialogue, turn: int) -> None:
        dialogue.turn = turn
        dialogue.sequence = dialogue.started_ns = 0
        self._ready.append(dialogue)
        if dialogue.msisdn == self._sampling:
            self.sample.append(f"> {self._script.turns[turn]}")

    def _dial(self, dialogue: Dialogue) -> None:
        """Let the next subscriber who is not talking already begin."""
        settings = self.settings
        while True:
            msisdn = b"%d" % (settings.first_msisdn + self._subscriber)
            self._subscriber = (self._subscriber + self._stride) % settings.subscribers
            if msisdn not in self._open:
                break
        if self._ussd:
            dialogue.session = (dialogue.session + 1) & 0xFF
        dialogue.msisdn = msisdn
        self._open[msisdn] = dialogue
        self._turn(dialogue, 0)

    def _finish(self, dialogue: Dialogue) -> None:
        self._close(dialogue)
        dialogue.sequence = 0
        if self.measured is None:
            self._dial(dialogue)

    def _close(self, dialogue: Dialogue) -> None:
        if dialogue.msisdn == self._sampling:
            self._sampling = None
        del self._open[dialogue.msisdn]

    def _forget_unwritten(self) -> None:
        """Drop the turns that were never on the wire: nobody will answer them."""
        written = deque[Dialogue]()
        for dialogue in self._ready:
            if dialogue.started_ns:
                written.append(dialogue)
            elif dialogue.msisdn:
                del self._open[dialogue.msisdn]
        self._ready = written

    def _refused(self, dialogue: Dialogue, status: int, now_ns: int) -> None:
        if status in (wire.ESME_RTHROTTLED, wire.ESME_RMSGQFUL):
            self.throttled += 1
            dialogue.sequence = 0
            self._held.append((now_ns + int(self.settings.throttle_pause_s * 1e9), dialogue))
        else:
            self.errors[f"deliver_sm_resp 0x{status:08x}"] += 1
            self._abandon(dialogue)

    def _unexpected(self, sequence: int) -> None:
        if sequence in self._given_up:
            self.late += 1
        else:
            self.errors["deliver_sm_resp to no deliver_sm"] += 1

    def _abandon(self, dialogue: Dialogue) -> None:
        """Give the dialogue up; its place goes to a new object, since this one may still be queued."""
        if self._pending.pop(dialogue.sequence, None):
            self._given_up.add(dialogue.sequence)
        session = dialogue.session
        self._close(dialogue)
        dialogue.msisdn = b""
        if self.measured is None:
            successor = Dialogue()
            successor.session = session
            self._dial(successor)
