"""Which fault hits which message: decided from the scenario, the time and the seed, without a wire or a clock.

A fault draws for each phone on its own, by the number of the occasion: whatever other phones do meanwhile, the same
seed hits the same messages of a phone.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from random import Random

from gateway.dialect import Message
from gateway.smpp.pdu import encode
from gateway.smpp.vocabulary import ESME_RMSGQFUL, ESME_RTHROTTLED, USSD_SERVICE_OP
from smpp_sim.scenarios.scenario import Chance, Fault

REFUSAL_STATUSES: Mapping[str, Callable[[Fault, Random], int]] = {
    "throttle": lambda fault, chance: ESME_RTHROTTLED,
    "queue_full": lambda fault, chance: ESME_RMSGQFUL,
    "vendor_status": lambda fault, chance: fault.status or chance.randint(0x400, 0x4FF),
    "request_lost": lambda fault, chance: 0xFF,  # ESME_RUNKNOWNERR; it never leaves
}
"""Faults by which a request of the ESME is not done, with the command_status that its response has."""

LOSSES = frozenset({"request_lost", "response_lost"})
"""Faults after which the ESME has no response."""

ON_REQUEST = (*REFUSAL_STATUSES, "response_lost", "receipt_first", "reorder")
"""Faults of a request, of which one at most hits it; the latency comes beside them."""

ON_DELIVERY = {"ussd": ("malformed", "duplicate", "abort"), "sms": ("malformed", "duplicate")}
"""Faults of what goes to the ESME, by what it is; all of them may hit the same message."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something that a fault may hit; what is not known of it is empty."""

    account: str
    command: str = ""
    traffic: str = ""
    phone: str = ""

    def fits(self, fault: Fault) -> bool:
        """Whether it is one of those that the fault is meant for."""
        return (
            fault.account in (None, self.account)
            and fault.command in (None, self.command)
            and fault.traffic in (None, self.traffic)
            and (fault.phone is None or self.phone.startswith(fault.phone))
        )


@dataclass(frozen=True, slots=True)
class Hit:
    """A fault that happens, with the chance to draw its details from."""

    fault: Fault
    chance: Random

    @property
    def kind(self) -> str:
        """What goes wrong."""
        return self.fault.kind

    def delay_s(self, otherwise: float = 0.0) -> float:
        """Seconds, as the fault says."""
        return self.fault.delay.draw(self.chance) if self.fault.delay else otherwise


class FaultTable:
    """The faults of a scenario. `injected` counts those that happened, by kind."""

    def __init__(self, faults: Iterable[Fault], chance: Chance):
        self.faults = tuple(faults)
        self.injected: Counter[str] = Counter()
        self._chance = chance
        self._occasions: Counter[tuple[int, str]] = Counter()

    def first(self, kinds: Iterable[str], occasion: Occasion, at_s: float) -> Hit | None:
        """The first fault of these kinds that hits, in the order of the file."""
        return next(iter(self._hits(frozenset(kinds), occasion, at_s)), None)

    def all(self, kinds: Iterable[str], occasion: Occasion, at_s: float) -> list[Hit]:
        """All faults of these kinds that hit."""
        return list(self._hits(frozenset(kinds), occasion, at_s))

    def _hits(self, kinds: frozenset[str], occasion: Occasion, at_s: float) -> Iterable[Hit]:
        for index, fault in enumerate(self.faults):
            if fault.kind in kinds and fault.active(at_s) and occasion.fits(fault):
                self._occasions[index, occasion.phone] += 1
                chance = self._chance.of(
                    "fault", index, occasion.phone, self._occasions[index, occasion.phone]
                )
                if chance.random() < fault.share:
                    yield Hit(fault, chance)


# --- PDUs that are wrong ------------------------------------------------------------------------------------------


def malformed(pdu: Message, form: str, sequence_number: int) -> bytes:
    """A PDU like this one that nobody should take: see `_FORMS`. It does not replace the right one."""
    return _FORMS[form](replace(pdu, sequence_number=sequence_number))


def _of_length(body: bytes) -> bytes:
    return (len(body) + 4).to_bytes(4, "big") + body


def _unknown_command(pdu: Message) -> bytes:
    return _of_length(encode(pdu)[4:].replace(pdu.command_id.to_bytes(4, "big"), b"\x00\x00\x0a\xbc", 1))


def _cut_body(pdu: Message) -> bytes:
    frame = encode(pdu)
    return _of_length(frame[4 : 16 + (len(frame) - 16) // 2])


def _tlv_beyond_end(pdu: Message) -> bytes:
    return _of_length(encode(pdu)[4:] + b"\x04\x24\x00\xff\x01")


def _bad_op(pdu: Message) -> bytes:
    return encode(replace(pdu, tlvs={**pdu.tlvs, USSD_SERVICE_OP: b"\x63"}))


def _empty_source(pdu: Message) -> bytes:
    return encode(replace(pdu, source_addr=""))


def _bad_length(pdu: Message) -> bytes:
    return b"\x00\x00\x00\x0a" + encode(pdu)[4:]


_FORMS: Mapping[str, Callable[[Message], bytes]] = {
    "unknown_command": _unknown_command,
    "cut_body": _cut_body,
    "tlv_beyond_end": _tlv_beyond_end,
    "bad_op": _bad_op,
    "empty_source": _empty_source,
    "bad_length": _bad_length,
}
