"""The load in the dialects of the vendors: templates and a reader out of a profile.

`pdu` has the dialect of the specification, written by hand. For every other one a template is what the profile
and the codec make of a turn, taken apart at the MSISDN, once for each number that a session can have. What an answer
means hangs on its service_type, data_coding and TLVs, which repeat: the profile is asked once for each combination
and the reply is remembered, so that a dialect costs no more than a dict.
"""

from collections.abc import Callable

from gateway.dialect import DialectError, IndicationKind, Message, Outbound, Profile, load_profile
from gateway.smpp.errors import SmppError
from gateway.smpp.pdu import DeliverSm, SubmitSm, decode, encode
from smpp_sim.load import pdu as wire

_MOST_MEANINGS = 100_000
_CARRIERS: dict[int, type[DeliverSm] | type[SubmitSm]] = {
    wire.DELIVER_SM: DeliverSm,
    wire.SUBMIT_SM: SubmitSm,
}
_OPS = {"ask": wire.OP_ASK, "notify": wire.OP_NOTICE, "finish": wire.OP_LAST, "release": wire.OP_LAST}
AnswerMeaning = tuple[int, int, int]
"""Operation, session, unit."""


def wire_of(profile: Profile, *, connects: bool = False) -> wire.Wire:
    """Return the wire of ``profile``; ``connects``: the load is the ESME, and its turns travel in submit_sm.

    Raises ValueError when the dialect travels in data_sm, which a load does not speak.
    """
    if profile.carrier is not None:
        raise ValueError(f"dialect {profile.name!r} travels in data_sm, which a load does not speak")
    turn, answer = (wire.SUBMIT_SM, wire.DELIVER_SM) if connects else (wire.DELIVER_SM, wire.SUBMIT_SM)
    if profile.file == load_profile("spec").file:
        return wire.Wire(turn=turn, answer=answer)
    sessions = min(profile.sessions, wire.SESSIONS)
    return wire.Wire(_templates_of(profile, sessions), _Reader(profile).read, sessions, turn, answer)


def _templates_of(
    profile: Profile, sessions: int
) -> Callable[[wire.LoadScript, int, int], list[wire.PduTemplate]]:
    def templates(script: wire.LoadScript, msisdn_octets: int, command_id: int) -> list[wire.PduTemplate]:
        if script.kind != "ussd":
            return wire.templates(script, msisdn_octets, command_id)
        return [
            _template(profile, sessions, script, turn, msisdn_octets, command_id)
            for turn in range(len(script.turns))
        ]

    return templates


def _template(
    profile: Profile, sessions: int, script: wire.LoadScript, turn: int, msisdn_octets: int, command_id: int
) -> wire.PduTemplate:
    kind: IndicationKind = "answer" if turn else "new"
    msisdn = "9" * msisdn_octets
    frames = [
        encode(
            profile.indicate(
                msisdn, script.service, script.turns[turn], kind, session, 2 * turn, _CARRIERS[command_id]
            )
        )
        for session in range(sessions)
    ]
    # source_addr follows service_type and two octets; a service_type of digits cannot be taken for it.
    at = frames[0].index(0, 16) + 3
    return wire.PduTemplate(
        frames[0][16:at], [frame[at + msisdn_octets :] for frame in frames], msisdn_octets, command_id
    )


class _Reader:
    """Reads answers; remembers what each combination of service_type, data_coding and TLVs meant."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._meanings: dict[bytes, AnswerMeaning] = {}

    def read(self, octets: bytes, start: int, end: int) -> wire.ReadAnswer:
        """As `load_pdu.read_submit_sm`."""
        destination, message, more = wire.read_addresses(octets, start, end)
        service_type = octets[start + 16 : octets.index(0, start + 16, end) + 1]
        coding = octets[message - 3 : message - 2]
        key = coding + service_type + octets[message + octets[message - 1] : end]
        meaning = self._meanings.get(key)
        if meaning is None:
            meaning = self._ask(octets[start:end])
            if len(self._meanings) < _MOST_MEANINGS:
                self._meanings[key] = meaning
        return destination, *meaning, more

    def _ask(self, frame: bytes) -> AnswerMeaning:
        """Raises ValueError for a PDU that the codec refuses."""
        try:
            outbound = self._profile.interpret(_message(frame))
        except SmppError as error:
            raise ValueError(str(error)) from error
        except DialectError:
            return wire.NO_OP, wire.NO_SESSION, wire.NO_UNIT
        if outbound is None:
            return wire.NO_OP, wire.NO_SESSION, wire.NO_UNIT
        return _op(outbound), self._session(outbound), wire.NO_UNIT

    def _session(self, outbound: Outbound) -> int:
        """The session as the load counts them; a dialect without numbers names none."""
        if self._profile.sessions == 1 or outbound.session is None:
            return wire.NO_SESSION
        return outbound.session


def _message(frame: bytes) -> Message:
    pdu = decode(frame)
    if not isinstance(pdu, Message):
        raise ValueError(f"{pdu.name} answers no turn")
    return pdu


def _op(outbound: Outbound) -> int:
    if outbound.ends and outbound.kind != "notify":
        return wire.OP_LAST
    return _OPS[outbound.kind]
