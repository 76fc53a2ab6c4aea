"""One measurement: dialogues in a closed window or at an open rate, without a socket or a clock.

Closed window: so many subscribers talk at once; each writes the next turn of his script as soon as the
answer to the last one is there, and the end of his dialogue makes place for the next subscriber. The time of
a turn runs from writing deliver_sm to reading the submit_sm that answers it; a turn that is sent again after
ESME_RTHROTTLED keeps its first time, since the subscriber has been waiting since then.

Open rate: dialogues begin when they are due, whatever became of those before them, and the time of a first turn
runs from when it was due (``arrivals`` says why). Further turns follow their answers at once.

Every answer must belong to the turn that waits for it, by MSISDN, session and, where the dialect counts them,
unit: an answer to another session, to nobody, or given twice is an error and ends no turn.

Subscribers are drawn in a scattered order that visits everyone once before anyone twice, so that a store
with a million of them is not read along its primary key.
"""

import struct
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence

from smpp_sim.load import pdu as wire
from smpp_sim.load.arrivals import due_ns, opening_ns
from smpp_sim.load.dialogue import HELD, Leftovers, LoadDialogue, Plan
from smpp_sim.load.histogram import Histogram
from smpp_sim.load.settings import LoadSettings

_MALFORMED = (ValueError, IndexError, struct.error)
_LAST_SEQUENCE = 0x7FFFFFFF
_NEVER_NS = 1 << 62
_ARRIVALS_AT_ONCE = 500
# How long it may take to look for turns that wait too long, as a share of the time between two looks.
_SCAN_NS_PER_DIALOGUE = 10_000
UNANSWERED, LATE = "turn without an answer in time", "answer too late"
NOT_SENT = "not sent: every subscriber was in a dialogue"
OUTRUN = "not sent: due, and the load could not keep up"
_BEHIND_NS = 100_000_000


class LoadRun:
    """The dialogues of one measurement.

    Feed it with ``answered`` and ``acknowledged`` for what was read, then write what ``flush`` returns; call
    ``tick`` and ``flush`` every now and then, ``arrive`` and ``flush`` at ``next_ns``. ``measure`` ends the
    warm-up, ``stop`` lets the dialogues in flight run out; ``drained`` says when they have, then ``finish``.
    ``on_stop`` is called when it stops, also by itself at ``settings.turns``; from then on ``measured`` holds
    what was counted. Times are nanoseconds of one monotonic clock. ``leftovers`` goes to the next run. With several
    scripts the subscribers take them in turn.
    """

    def __init__(
        self,
        script: wire.LoadScript | Sequence[wire.LoadScript],
        settings: LoadSettings,
        sequence: int = 1,
        on_stop: Callable[[], None] = lambda: None,
        link: wire.Wire | None = None,
        leftovers: Leftovers | None = None,
    ) -> None:
        self.settings = settings
        self.leftovers = leftovers or Leftovers(sequence)
        self.sequence = self.leftovers.sequence
        self.histogram, self.lag = Histogram(), Histogram()
        self.errors: Counter[str] = Counter()
        self.dialogues = self.throttled = self.unanswered = self.late = self.left_open = self.messages = 0
        self.measured: tuple[Histogram, int] | None = None
        self.measured_turns = 0
        self.measuring = False
        self.sample: list[str] = []
        self.next_ns = _NEVER_NS
        self._on_stop = on_stop
        self._prepare_wire(script, link or wire.Wire())
        self._pdu_window = settings.pdu_window or sys.maxsize
        self._limit = sys.maxsize
        self._stride = settings.stride
        self._subscriber = self._stride % settings.subscribers
        self._dialogues_per_s = 0.0
        self._behind_ns = 0
        self._began = self._message_id = self._next_scan_ns = self._began_ns = 0
        self._schedule: Iterator[int] = iter(())
        self._backlog: deque[int] = deque()
        self._free: deque[bytes] = deque()
        self._open: dict[bytes, LoadDialogue] = {}
        self._pending: dict[int, LoadDialogue] = {}
        self._ready: deque[LoadDialogue] = deque()
        self._held: deque[tuple[int, LoadDialogue]] = deque()
        self._given_up = self.leftovers.given_up
        self._out: list[bytes] = []
        self._sampling: bytes | None = None

    def _prepare_wire(self, script: wire.LoadScript | Sequence[wire.LoadScript], link: wire.Wire) -> None:
        scripts = (script,) if isinstance(script, wire.LoadScript) else tuple(script)
        digits = len(str(self.settings.first_msisdn))
        self._plans = [Plan(one, link.templates(one, digits, link.turn)) for one in scripts]
        self._in_dialogues = any(plan.ussd for plan in self._plans)
        self._read, self._sessions = link.read, link.sessions
        self._answer_command = link.answer
        self._names = wire.NAMES[link.turn], wire.NAMES[link.answer]
        # deliver_sm_resp has an empty message_id (§4.6.2), submit_sm_resp one of nine octets, its NUL among them.
        self._gives_ids = link.answer == wire.SUBMIT_SM
        octets = 16 + (9 if self._gives_ids else 1)
        self._resp_head = wire.HEADER.pack(octets, wire.RESPONSE | link.answer, wire.ESME_ROK, 0)[:12]

    @property
    def stopped(self) -> bool:
        """True when no further turn begins."""
        return self.measured is not None

    @property
    def drained(self) -> bool:
        """True when no dialogue is in flight and nothing waits for its acknowledgement."""
        return not self._open and not self._pending

    @property
    def in_flight(self) -> int:
        """How many dialogues are open, or due and without a subscriber who is free."""
        return len(self._open) + len(self._backlog)

    @property
    def problems(self) -> int:
        """How much has gone wrong so far, of all kinds."""
        return sum(self.errors.values()) + self.unanswered + self.late

    @property
    def kinds(self) -> dict[str, int]:
        """What has gone wrong so far, by kind."""
        rest = {UNANSWERED: self.unanswered, LATE: self.late}
        return dict(self.errors) | {kind: count for kind, count in rest.items() if count}

    def begin(self, now_ns: int = 0) -> None:
        """Dial with those who are due; of a closed window without a ramp all that it holds."""
        settings, self._began_ns = self.settings, now_ns
        if settings.rate is None:
            self._schedule = opening_ns(settings.window, settings.ramp_s)
        else:
            turns = sum(len(plan.turns) for plan in self._plans) / len(self._plans)
            seed = settings.seed if settings.arrivals == "poisson" else None
            self._dialogues_per_s = settings.rate / turns
            self._schedule = due_ns(self._dialogues_per_s, settings.ramp_s, seed=seed)
        self._plan_next()
        self.arrive(now_ns)

    def arrive(self, now_ns: int) -> None:
        """Let those begin who are due, and set ``next_ns``; cheap when nobody is.

        At a rate only so many at a time: where it is more than can be sent, answers and Ctrl-C must still get through.
        """
        for _ in range(self.settings.window if self.settings.rate is None else _ARRIVALS_AT_ONCE):
            if self.next_ns > now_ns:
                break
            if self.settings.rate is None:
                self._dial(LoadDialogue())
            else:
                self.lag.record(now_ns - self.next_ns)
                self._begin_due(self.next_ns)
            self._plan_next()
        self._behind_ns = now_ns - self.next_ns

    def _plan_next(self) -> None:
        after_ns = next(self._schedule, None)
        self.next_ns = _NEVER_NS if after_ns is None else self._began_ns + after_ns

    def _begin_due(self, due_at_ns: int) -> None:
        if len(self._open) >= self.settings.subscribers:
            self._backlog.append(due_at_ns)
        else:
            self._dial(LoadDialogue(), due_at_ns)

    def measure(self) -> None:
        """Forget what was counted so far: the warm-up is over. Errors are never forgotten."""
        self.histogram, self.lag = Histogram(), Histogram()
        self.dialogues = 0
        self.measuring = True
        self._limit = self.settings.turns or sys.maxsize

    def stop(self) -> None:
        """Start no further turn; ``measured`` becomes the durations and the count of dialogues until now.

        At an open rate the turns in flight still count among the durations: the slowest would be missing else.
        """
        if self.measured is None:
            settings, self._limit = self.settings, sys.maxsize
            self.measured, self.measured_turns = (self.histogram, self.dialogues), self.histogram.count
            if settings.rate is None:
                self.histogram = Histogram()
            self._schedule, self.next_ns = iter(()), _NEVER_NS
            if self._backlog:
                self.errors[NOT_SENT] += len(self._backlog)
                self._backlog.clear()
            if settings.rate is not None and self._behind_ns > _BEHIND_NS:
                self.errors[OUTRUN] += int(self._behind_ns / 1e9 * self._dialogues_per_s)
            self._forget_unwritten()
            self._on_stop()

    def finish(self) -> None:
        """Count what is still missing when nothing more is waited for."""
        if self._pending:
            self.errors[f"no {self._names[0]}_resp"] += len(self._pending)
        self._given_up.update(self._pending)
        self.leftovers.sequence = self.sequence
        self.leftovers.session += self._began // self.settings.subscribers + 1

    def answered(self, octets: bytes, start: int, end: int, sequence: int, now_ns: int) -> None:
        """Take the submit_sm in ``octets[start:end]``: acknowledge it, and end the turn that it answers."""
        try:
            destination, op, session, unit, more = self._read(octets, start, end)
        except _MALFORMED:
            self.errors[f"malformed {self._names[1]}"] += 1
            self._out.append(wire.response(self._answer_command, wire.ESME_RINVMSGLEN, sequence))
            return
        self._message_id += 1
        message_id = b"%08x\0" % self._message_id if self._gives_ids else b"\0"
        self._out += (self._resp_head, wire.SEQUENCE.pack(sequence), message_id)
        dialogue = self._open.get(destination)
        if (
            dialogue is None
            or dialogue.session != session
            or dialogue.sequence <= 0
            or (unit >= 0 and (unit - 2 * dialogue.turn) & 0x7F >= 0x40)
            or (op < 0 and session < 0 and dialogue.plan.ussd)
        ):
            self._stray(dialogue, destination, op, session)
            return
        if destination == self._sampling:
            self.sample.append(f"< {wire.read_screen(octets, start, end)}")
        if more:
            return
        self.histogram.record(now_ns - dialogue.started_ns)
        self._advance(dialogue, op)

    def _stray(self, dialogue: LoadDialogue | None, destination: bytes, op: int, session: int) -> None:
        """Count an answer that no turn waits for, by what is wrong with it; an SMS beside a dialogue is none."""
        if op < 0 and session < 0 and self._in_dialogues:
            self.messages += 1
        elif (destination, session) in self._given_up:
            self._given_up.discard((destination, session))
            self.late += 1
        elif dialogue is None:
            first, count = self.settings.first_msisdn, self.settings.subscribers
            ours = destination.isdigit() and first <= int(destination) < first + count
            self.errors["answer given twice" if ours else "answer to a number that never dialled"] += 1
        elif dialogue.session != session:
            named = session != wire.NO_SESSION
            self.errors["answer of another session" if named else "answer without a session"] += 1
        else:
            self.errors["answer given twice"] += 1

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
        if now_ns < self._next_scan_ns:
            return
        self._next_scan_ns = now_ns + len(self._open) * _SCAN_NS_PER_DIALOGUE
        oldest_ns = now_ns - int(self.settings.turn_timeout_s * 1e9)
        for dialogue in [open_ for open_ in self._open.values() if 0 < open_.started_ns < oldest_ns]:
            self.unanswered += 1
            self._abandon(dialogue)

    def lost(self, why: str) -> None:
        """Take the end of the connection: all turns in flight are unanswered and none follows."""
        self.errors[why] += 1
        self.unanswered += len(self._open)
        self._sampling = None
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
            template = dialogue.plan.templates[dialogue.turn]
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

    def _advance(self, dialogue: LoadDialogue, op: int) -> None:
        """Go on after an answer: the next turn of the script, or the next subscriber."""
        plan = dialogue.plan
        last = dialogue.turn == plan.last_turn
        if plan.ussd and (op != wire.OP_ASK or last):
            self._note_op(op, last)
        if last or (plan.ussd and op != wire.OP_ASK):
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

    def _turn(self, dialogue: LoadDialogue, turn: int, due_at_ns: int = 0) -> None:
        dialogue.turn = turn
        dialogue.sequence, dialogue.started_ns = 0, due_at_ns
        self._ready.append(dialogue)
        if dialogue.msisdn == self._sampling:
            self.sample.append(f"> {dialogue.plan.turns[turn]}")

    def _dial(self, dialogue: LoadDialogue, due_at_ns: int = 0) -> None:
        """Let the next subscriber who is not talking already begin."""
        settings = self.settings
        if self._began < settings.subscribers:
            msisdn = b"%d" % (settings.first_msisdn + self._subscriber)
            self._subscriber = (self._subscriber + self._stride) % settings.subscribers
        else:
            msisdn = self._free.popleft()
        plan = dialogue.plan = self._plans[self._began % len(self._plans)]
        dialogue.session = wire.NO_SESSION
        if plan.ussd and self._sessions > 1:
            # One more after each round: 256 divides many a number of subscribers, and each would keep his session.
            began = self.leftovers.session + self._began
            dialogue.session = (began + self._began // settings.subscribers) % self._sessions
        if not self._began:
            self._sampling = msisdn
        self._began += 1
        dialogue.msisdn = msisdn
        self._open[msisdn] = dialogue
        self._turn(dialogue, 0, due_at_ns)

    def _finish(self, dialogue: LoadDialogue) -> None:
        self._close(dialogue)
        dialogue.sequence = 0
        self._succeed(dialogue)

    def _succeed(self, dialogue: LoadDialogue) -> None:
        """Let somebody take the place of a dialogue that is over, if one waits for it."""
        if self.measured is not None:
            return
        if self.settings.rate is None:
            self._dial(dialogue)
        elif self._backlog:
            self._dial(dialogue, self._backlog.popleft())

    def _close(self, dialogue: LoadDialogue) -> None:
        if dialogue.msisdn == self._sampling:
            self._sampling = None
        del self._open[dialogue.msisdn]
        self._free.append(dialogue.msisdn)

    def _forget_unwritten(self) -> None:
        """Drop the turns that were never on the wire: nobody will answer them."""
        written = deque[LoadDialogue]()
        for dialogue in self._ready:
            if dialogue.sequence:
                written.append(dialogue)
            elif dialogue.msisdn:
                del self._open[dialogue.msisdn]
        self._ready = written

    def _refused(self, dialogue: LoadDialogue, status: int, now_ns: int) -> None:
        if status in (wire.ESME_RTHROTTLED, wire.ESME_RMSGQFUL):
            self.throttled += 1
            dialogue.sequence = HELD
            self._held.append((now_ns + int(self.settings.throttle_pause_s * 1e9), dialogue))
        else:
            self.errors[f"{self._names[0]}_resp 0x{status:08x}"] += 1
            self._abandon(dialogue)

    def _unexpected(self, sequence: int) -> None:
        if sequence in self._given_up:
            self._given_up.discard(sequence)
            self.late += 1
        else:
            self.errors[f"{self._names[0]}_resp to no {self._names[0]}"] += 1

    def _abandon(self, dialogue: LoadDialogue) -> None:
        """Give the dialogue up; its place goes to a new object, since this one may still be queued."""
        if self._pending.pop(dialogue.sequence, None):
            self._given_up.add(dialogue.sequence)
        if dialogue.sequence:
            self._given_up.add((dialogue.msisdn, dialogue.session))
        self._close(dialogue)
        dialogue.msisdn = b""
        self._succeed(LoadDialogue())
