"""Which dialect a centre speaks, told from its PDUs.

Every profile is tried on the same messages: what it can read, whether the name that it gives to a dialogue stays the
same from the dialled code to the last screen, whether the values are those that it knows. Points for and against add
up; each has its reason, because a number alone convinces nobody. Pure: PDUs in, candidates out.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from gateway.dialect import DialectError, Inbound, Message, Outbound, Profile, load_profile, profile_names
from gateway.smpp.errors import RemoteProtocolError
from gateway.smpp.pdu import DataSm, DeliverSm, SubmitSm, decode
from gateway.smpp.vocabulary import ESM_CLASS_TYPE_MASK, MESSAGE_PAYLOAD, TLV_NAMES, USSD_SERVICE_OP
from menus.turns import Begin

MOST_MESSAGES = 10_000
"""More than enough to know a dialect by; the rest of a long trace is not read."""

_SHOWN = 3
_CODE_BEGINS = (b"*", b"#")
_STEPS = 2  # between so many sessions at least
_MOST_STEP = 100  # other subscribers have dialogues, too


@dataclass(slots=True)
class Trace:
    """What was given: the messages among the PDUs, in their order, and how many PDUs were something else."""

    messages: list[Message] = field(default_factory=list)
    others: int = 0
    unreadable: list[str] = field(default_factory=list)
    """Why, for each PDU that is none."""


@dataclass(slots=True)
class Dialogue:
    """Messages of one subscriber from a dialled code to the next, as a profile reads them."""

    begun: bool
    inward: list[tuple[Message, Inbound]] = field(default_factory=list)
    outward: list[tuple[Message, Outbound]] = field(default_factory=list)


@dataclass(slots=True)
class Candidate:
    """A profile with what speaks for and against it. `inward` is the command that the subscriber's messages come in."""

    profile: Profile
    inward: type[Message]
    points: float = 0
    reasons: list[str] = field(default_factory=list)
    against: list[str] = field(default_factory=list)
    dialogues: list[Dialogue] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The profile's."""
        return self.profile.name

    @property
    def keys(self) -> list[str]:
        """The session keys of the dialogues, as they came."""
        return list(dict.fromkeys(inbound.key for one in self.dialogues for _, inbound in one.inward))

    def count(self, points: float, what: str) -> None:
        """Note something for (`points` above 0) or against it."""
        self.points += points
        (self.reasons if points > 0 else self.against).append(what)


def read_trace(pdus: Iterable[bytes]) -> Trace:
    """The messages among PDUs: deliver_sm, submit_sm, data_sm that are no receipts; the first `MOST_MESSAGES`."""
    trace = Trace()
    for octets in pdus:
        try:
            pdu = decode(octets)
        except RemoteProtocolError as error:
            trace.unreadable.append(str(error))
            continue
        if isinstance(pdu, Message) and not pdu.esm_class & ESM_CLASS_TYPE_MASK:
            trace.messages.append(pdu)
            if len(trace.messages) == MOST_MESSAGES:
                break
        else:
            trace.others += 1
    return trace


def rank(trace: Trace, names: Iterable[str] = ()) -> list[Candidate]:
    """All profiles that come along, or those named, the likeliest first. Empty when nothing in the trace is USSD."""
    profiles = [load_profile(name) for name in names or profile_names()]
    candidates = [_examined(profile, trace) for profile in profiles]
    if not any(candidate.dialogues for candidate in candidates):
        return []
    return sorted(candidates, key=lambda candidate: (-candidate.points, candidate.name))


def session_key(profile: Profile) -> str:
    """What names a dialogue in this dialect, in words."""
    parts: list[str] = [*profile.file.key]
    tlvs = [f"{tlv_name(one.tlv)} ({one.bits})" for one in profile.file.session]
    if tlvs:
        parts.append(" or ".join(tlvs))
    return " + ".join(parts)


def tlv_name(tag: int) -> str:
    """``its_session_info``, or the number of a tag without a name."""
    return TLV_NAMES.get(tag, f"TLV 0x{tag:04X}")


# --- one profile ------------------------------------------------------------------------------------------------


def _examined(profile: Profile, trace: Trace) -> Candidate:
    """Tried both ways round: the centre is an SMSC (deliver_sm comes from it), or an ESME (submit_sm does)."""
    ways = [_tried(profile, trace, inward) for inward in (DeliverSm, SubmitSm)]
    return max(ways, key=lambda candidate: candidate.points)


def _tried(profile: Profile, trace: Trace, inward: type[Message]) -> Candidate:
    candidate = Candidate(profile, inward)
    failures: Counter[str] = Counter()
    open_ones: dict[str, Dialogue] = {}
    understood = total = 0
    for pdu in trace.messages:
        if not profile.is_ussd(pdu):
            failures["messages that it takes for SMS"] += _looks_like_ussd(pdu)
            total += _looks_like_ussd(pdu)
            continue
        total += 1
        try:
            _place(candidate, open_ones, pdu, inward)
            understood += 1
        except DialectError as error:
            failures[str(error)] += 1
    if understood:
        candidate.count(3 * understood / total, f"reads {understood} of {total} messages of USSD")
    for reason, times in failures.items():
        if times:
            candidate.count(-3 * times / total, f"{reason} ({times}×)" if times > 1 else reason)
    _judge(candidate, trace)
    return candidate


def _looks_like_ussd(pdu: Message) -> bool:
    return USSD_SERVICE_OP in pdu.tlvs or pdu.service_type in _service_types()


@lru_cache
def _service_types() -> frozenset[str]:
    """All that any profile has as its service_type or as the words of its operations."""
    found: set[str] = {"USSD"}
    for name in profile_names():
        profile = load_profile(name)
        found |= profile.service_types
    return frozenset(found - {""})


def _place(candidate: Candidate, open_ones: dict[str, Dialogue], pdu: Message, inward: type[Message]) -> None:
    """Put a message into its dialogue. Raises `DialectError` when the profile does not understand it."""
    if _is_inward(candidate.profile, pdu, inward, open_ones):
        inbound = candidate.profile.read(pdu)
        dialogue = open_ones.get(inbound.msisdn)
        begins = isinstance(inbound.turn, Begin)
        if dialogue is None or begins:
            dialogue = open_ones[inbound.msisdn] = Dialogue(begins)
            candidate.dialogues.append(dialogue)
        dialogue.inward.append((pdu, inbound))
        return
    outbound = candidate.profile.interpret(pdu)
    if outbound is None:
        raise DialectError("a message of the gateway that it takes for an SMS")
    dialogue = open_ones.get(outbound.msisdn.removeprefix("+"))
    if dialogue is None:
        dialogue = open_ones[outbound.msisdn] = Dialogue(False)
        candidate.dialogues.append(dialogue)
    dialogue.outward.append((pdu, outbound))


def _is_inward(profile: Profile, pdu: Message, inward: type[Message], open_ones: dict[str, Dialogue]) -> bool:
    """A data_sm tells by whose dialogue is open, or else by its operation."""
    if type(pdu) is not DataSm:
        return type(pdu) is inward
    if pdu.destination_addr.removeprefix("+") in open_ones:
        return False
    if pdu.source_addr.removeprefix("+") in open_ones:
        return True
    means = profile.means_inward(pdu)
    return pdu.tlvs.get(MESSAGE_PAYLOAD, b"").lstrip(b"\0")[:1] in _CODE_BEGINS if means is None else means


# --- points -----------------------------------------------------------------------------------------------------


def _judge(candidate: Candidate, trace: Trace) -> None:
    if not candidate.dialogues:
        return
    _judge_codes(candidate)
    _judge_names(candidate)
    _judge_sessions(candidate, trace)
    _judge_numbers(candidate)
    _judge_units(candidate)
    _judge_last_screens(candidate)
    _judge_service_type(candidate)
    _judge_data_coding(candidate)
    _judge_addresses(candidate)


def _judge_codes(candidate: Candidate) -> None:
    """A dialled code looks like one; who reads answers as codes has the directions wrong."""
    codes = [
        inbound.turn.code
        for one in candidate.dialogues
        for _, inbound in one.inward
        if isinstance(inbound.turn, Begin)
    ]
    if not codes:
        candidate.count(-1, "finds no dialled code")
    elif all(len(code) <= 100 and code[1:-1].strip("*#0123456789") == "" for code in codes):
        candidate.count(1, f"finds the dialled code: {', '.join(list(dict.fromkeys(codes))[:_SHOWN])}")
    else:
        candidate.count(-2, f"takes {codes[0][:20]!r} for a dialled code")


def _judge_names(candidate: Candidate) -> None:
    """The name of a dialogue stays in all of its messages, and the next one has another."""
    changing = [names for one in candidate.dialogues if len(names := _names(one)) > 1]
    if changing:
        candidate.count(-5, f"the key changes within a dialogue: {', '.join(changing[0][:_SHOWN])}")
    elif any(len(one.inward) > 1 for one in candidate.dialogues):
        candidate.count(2, "the key stays the same within a dialogue")
    firsts = [_names(one)[0] for one in candidate.dialogues if one.begun]
    if len(firsts) > 1 and len(set(firsts)) == len(firsts):
        candidate.count(1, "the key is another one in each dialogue")


def _names(dialogue: Dialogue) -> list[str]:
    return list(dict.fromkeys(inbound.key for _, inbound in dialogue.inward))


def _judge_sessions(candidate: Candidate, trace: Trace) -> None:
    """A TLV that could name a dialogue is used, or ignored; one that should be there is there, or not."""
    seen = {tag for one in candidate.dialogues for pdu, _ in one.inward for tag in pdu.tlvs}
    used = [one.tlv for one in candidate.profile.file.session]
    for tag in used[:1]:
        if tag in seen:
            candidate.count(2, f"{tlv_name(tag)} is there")
        else:
            candidate.count(-2, f"{tlv_name(tag)} is missing")
    for tag in sorted(session_tags(candidate.dialogues) - set(used)):
        candidate.count(-2, f"ignores {tlv_name(tag)}, which looks like the name of a dialogue")


def session_tags(dialogues: list[Dialogue]) -> set[int]:
    """TLVs that look as if they name a dialogue: in all messages of the centre, and the answers have them, too."""
    inward = [pdu.tlvs.keys() for one in dialogues for pdu, _ in one.inward]
    outward = [pdu.tlvs.keys() for one in dialogues if one.inward for pdu, _ in one.outward]
    common = set.intersection(*map(set, [*inward, *outward])) if inward else set()
    first = {tag: {pdu.tlvs[tag][:1] for one in dialogues for pdu, _ in one.inward} for tag in common}
    constant = {tag for tag in common if _is_constant(tag, dialogues) and len(first[tag]) == 1}
    several = len({inbound.key for one in dialogues for _, inbound in one.inward}) > 1
    plain = {USSD_SERVICE_OP, MESSAGE_PAYLOAD} | (constant if several else set())
    return {
        tag
        for tag in common - plain
        if any(len(pdu.tlvs[tag]) > 1 for one in dialogues for pdu, _ in one.inward)
    }


def _is_constant(tag: int, dialogues: list[Dialogue]) -> bool:
    return len({pdu.tlvs[tag] for one in dialogues for pdu, _ in one.inward}) == 1


def _judge_numbers(candidate: Candidate) -> None:
    """Most centres number their sessions one after the other; with the octets the wrong way round they leap."""
    numbers = [candidate.profile.session_of(one.inward[0][0])[0] for one in candidate.dialogues if one.begun]
    steps = [b - a for a, b in pairwise(numbers) if a is not None and b is not None]
    if len(steps) >= _STEPS and all(0 < step <= _MOST_STEP for step in steps):
        candidate.count(1, f"the sessions are numbered in turn: {', '.join(map(str, numbers[:_SHOWN]))}")


def _judge_units(candidate: Candidate) -> None:
    """Where the dialect numbers the messages of a dialogue, the numbers grow."""
    numbers = [[inbound.unit for _, inbound in one.inward] for one in candidate.dialogues]
    counted = [[unit for unit in units if unit is not None] for units in numbers if None not in units]
    several = [units for units in counted if len(units) > 1]
    if not several:
        return
    if all(units == sorted(set(units)) for units in several):
        candidate.count(1, "the numbers of the messages count up")
    else:
        candidate.count(-2, f"the numbers of the messages do not count up: {several[0]}")


def _judge_last_screens(candidate: Candidate) -> None:
    """The last screen comes with the operation that the dialect has for it, not only with the bit E."""
    out = candidate.profile.file.outward
    last = [
        operation(pdu) for one in candidate.dialogues for pdu, shown in one.outward if shown.kind == "finish"
    ]
    wrong = [word for word in last if word not in (out.finish, out.notify_last)]
    if wrong:
        candidate.count(-1, f"the last screen has operation {wrong[0]}, not {out.finish}")


def operation(pdu: Message) -> int | str:
    """ussd_service_op of a message, or its service_type where it has none."""
    word = pdu.tlvs.get(USSD_SERVICE_OP)
    return word[0] if word else pdu.service_type


def _judge_service_type(candidate: Candidate) -> None:
    """A dialect that asks for no service_type is not contradicted by one."""
    file = candidate.profile.file
    if file.op_from == "service_type":
        candidate.count(2, "service_type has the operation")
        return
    seen = {pdu.service_type for one in candidate.dialogues for pdu, _ in one.inward}
    if seen == {file.service_type}:
        candidate.count(1, f"service_type is {file.service_type or '(empty)'}")
    elif seen and file.service_type:
        shown = ", ".join(one or "(empty)" for one in sorted(seen))
        candidate.count(-1, f"service_type is {shown}, not {file.service_type}")


def _judge_data_coding(candidate: Candidate) -> None:
    """Text has the values that the dialect writes it with; only where all have, or none, it says something."""
    dcs = candidate.profile.file.dcs
    known = {dcs.gsm7, dcs.ucs2, *dcs.alphabets}
    seen = {pdu.data_coding for one in candidate.dialogues for pdu, _ in one.inward if has_text(pdu)}
    seen |= {pdu.data_coding for one in candidate.dialogues for pdu, _ in one.outward if has_text(pdu)}
    if seen and seen <= known:
        candidate.count(1, f"data_coding is {_hexadecimal(seen)}")
    elif seen and not seen & known:
        candidate.count(-1, f"data_coding is {_hexadecimal(seen)}, not {_hexadecimal({dcs.gsm7, dcs.ucs2})}")


def has_text(pdu: Message) -> bool:
    """Whether there is anything that data_coding could be about."""
    return bool((not isinstance(pdu, DataSm) and pdu.short_message) or pdu.tlvs.get(MESSAGE_PAYLOAD))


def _hexadecimal(values: set[int]) -> str:
    return ", ".join(f"0x{value:02X}" for value in sorted(values))


def _judge_addresses(candidate: Candidate) -> None:
    """Only where a dialect is peculiar: an empty destination, a destination that is part of the name."""
    addresses = [pdu.destination_addr for one in candidate.dialogues for pdu, _ in one.inward]
    in_key = "destination_addr" in candidate.profile.file.key
    if not addresses:
        return
    if in_key and not all(addresses):
        candidate.count(-2, "destination_addr is empty, and should be part of the key")
    elif in_key and any(address[:1] in ("*", "#") for address in addresses):
        candidate.count(-2, "destination_addr is a dialled code, and should be the address of a service")
    elif candidate.profile.file.destination == "empty" and not any(addresses):
        candidate.count(1, "destination_addr is empty")
