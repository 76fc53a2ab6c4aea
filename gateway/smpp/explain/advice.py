"""What a PDU is about, and what each side should do next."""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.smpp.codec import HEADER_OCTETS
from gateway.smpp.errors import RemoteProtocolError
from gateway.smpp.explain.tables import STATES, data_coding, quoted
from gateway.smpp.explain.text import ESM_CLASS_NOTIFICATION, MessageText
from gateway.smpp.explain.tlvs import FROM_NETWORK_OPS, USSD_OPS
from gateway.smpp.explain.walk import WITH_PASSWORD, Walk
from gateway.smpp.pdu import DataSm, DeliverSm
from gateway.smpp.receipts import STATES as RECEIPT_WORDS
from gateway.smpp.receipts import Receipt, read_receipt, receipt_in_spite_of
from gateway.smpp.states import TABLE_2_1, WITHOUT_RESPONSE, Role
from gateway.smpp.vocabulary import (
    COMMAND_IDS,
    COMMAND_NAMES,
    ESM_CLASS_RECEIPT,
    ESM_CLASS_TYPE_MASK,
    ESME_RALYBND,
    ESME_RINVBNDSTS,
    ESME_RINVPASWD,
    ESME_RINVSYSID,
    ESME_RMSGQFUL,
    ESME_RSUBMITFAIL,
    ESME_RSYSERR,
    ESME_RTHROTTLED,
    ESME_RX_T_APPN,
    GENERIC_NACK,
    ITS_SESSION_INFO,
    MESSAGE_PAYLOAD,
    RESPONSE_BIT,
    SAR_SEGMENT_SEQNUM,
    SAR_TOTAL_SEGMENTS,
    STATUS_DESCRIPTIONS,
    USER_MESSAGE_REFERENCE,
    USSD_SERVICE_OP,
    command_name,
    status_name,
)

_THROTTLED = frozenset({ESME_RTHROTTLED, ESME_RMSGQFUL})
_TEMPORARY = frozenset({ESME_RSYSERR, ESME_RX_T_APPN, ESME_RSUBMITFAIL})
_SECRETS = frozenset({ESME_RINVPASWD, ESME_RINVSYSID})
_MESSAGES = frozenset(COMMAND_IDS[name] for name in ("submit_sm", "deliver_sm", "data_sm", "submit_multi"))
_RECEIPT_NUMBERS = {word: number for number, word in RECEIPT_WORDS.items()}


@dataclass(frozen=True, slots=True)
class Found:
    """A PDU that was walked, and how it has to be read."""

    walk: Walk
    sender: Role | None
    message: MessageText
    error: RemoteProtocolError | None = None
    """What a receiver finds wrong with it."""
    missing: int = 0
    """Octets that command_length announces and that are not here."""

    @property
    def command_id(self) -> int:
        """As in the header."""
        return int(self.walk.values.get("command_id", 0))

    @property
    def command(self) -> str:
        """Its name, or number."""
        return command_name(self.command_id)

    @property
    def status(self) -> int:
        """command_status."""
        return int(self.walk.values.get("command_status", 0))

    @property
    def number(self) -> int:
        """sequence_number."""
        return int(self.walk.values.get("sequence_number", 0))

    @property
    def is_header_of_bind(self) -> bool:
        """Whether it is all that the quarantine keeps of a bind or outbind."""
        frame = self.walk.frame
        return self.missing > 0 and len(frame) == HEADER_OCTETS and frame[4:8] in WITH_PASSWORD

    @property
    def op(self) -> int | None:
        """ussd_service_op, None without one."""
        value = self.walk.tlvs.get(USSD_SERVICE_OP)
        return int.from_bytes(value, "big") if value else None

    @property
    def octets(self) -> bytes:
        """Of the message, user data header and all."""
        return self.walk.short_message or self.walk.tlvs.get(MESSAGE_PAYLOAD, b"")

    def field(self, name: str) -> str:
        """A C-string; ``(none)`` for one that is empty or not there."""
        return str(self.walk.values.get(name, "")) or "(none)"


def sender_of(command_id: int) -> Role | None:
    """Who sends this command (Table 2-1); None if both do, or nobody knows it."""
    _, roles = TABLE_2_1.get(COMMAND_NAMES.get(command_id & ~RESPONSE_BIT, ""), (None, frozenset()))
    if len(roles) != 1:
        return None
    (role,) = roles
    return role.peer if command_id & RESPONSE_BIT else role


# ------------------------------------------------------------------------------------------- summary


def summary(found: Found) -> str:
    """One sentence; quotes the text of a message."""
    if found.command_id & RESPONSE_BIT:
        return _response_summary(found)
    if found.command_id in _MESSAGES:
        return _message_summary(found)
    return _REQUEST_SUMMARIES.get(found.command, "").format(
        who=found.field("system_id"), id=found.field("message_id"), source=found.field("source_addr")
    )


_REQUEST_SUMMARIES = {
    "bind_transmitter": "The ESME {who} asks to bind as a transmitter: it wants to send.",
    "bind_receiver": "The ESME {who} asks to bind as a receiver: it wants to receive.",
    "bind_transceiver": "The ESME {who} asks to bind as a transceiver: it wants to send and to receive.",
    "outbind": "The SMSC {who} asks the ESME to bind as a receiver.",
    "unbind": "The sender wants to end the session.",
    "enquire_link": "The sender asks whether the other side is alive.",
    "query_sm": "What became of message {id}?",
    "cancel_sm": "Message {id} is to be taken back.",
    "replace_sm": "Message {id} is to get another text.",
    "alert_notification": "The handset {source} can be reached again.",
}


def _response_summary(found: Found) -> str:
    if found.command_id == GENERIC_NACK:
        return f"A PDU was not understood: {status_name(found.status)}, {_status_words(found.status)}."
    request = command_name(found.command_id & ~RESPONSE_BIT)
    if found.status:
        return f"{request} was refused: {status_name(found.status)}, {_status_words(found.status)}."
    message_id = found.walk.values.get("message_id")
    state = STATES.get(int(found.walk.values.get("message_state", 0)))
    words = [f"{request} is accepted", f"message_id {found.field('message_id')}" if message_id else ""]
    return ", ".join(filter(None, [*words, f"state {state}" if state else ""])) + "."


def _status_words(status: int) -> str:
    words = STATUS_DESCRIPTIONS.get(status, "a status of the vendor's own")
    return words[0].lower() + words[1:]


def _message_summary(found: Found) -> str:
    receipt = _receipt(found)
    if receipt is not None:
        return _receipt_summary(found, receipt)
    text = found.message.text(found.octets)
    coding = data_coding(found.message.data_coding, found.message.table)
    shown = quoted(text) if text is not None else f"{len(found.octets)} octets, {coding}"
    if found.op is not None:
        return f"USSD: {_ussd_summary(found, shown)}"
    kind = f"SMS{_part(found)}" if found.message.table == "sms" else "USSD"
    return f"{kind} from {found.field('source_addr')} to {_recipient(found)}: {shown}"


def _recipient(found: Found) -> str:
    count = int(found.walk.values.get("number_of_dests", 0))
    return f"{count} recipients" if count else found.field("destination_addr")


def _part(found: Found) -> str:
    part = found.message.header(found.octets).part
    if part:
        return f", part {part.number} of {part.total},"
    total, number = (found.walk.tlvs.get(tag) for tag in (SAR_TOTAL_SEGMENTS, SAR_SEGMENT_SEQNUM))
    return f", part {number[0]} of {total[0]}," if total and number else ""


def _ussd_summary(found: Found, shown: str) -> str:
    op = found.op
    source, destination = found.field("source_addr"), found.field("destination_addr")
    match op:
        case 0 | 1:
            dialled = shown if found.octets else destination
            return f"{source} dialled {dialled}"
        case 18:
            return f"{source} answered {shown}"
        case 19:
            return f"{source} was shown the notice"
        case 2:
            return f"screen for {destination} that waits for an answer: {shown}"
        case 3:
            return f"notice for {destination}: {shown}"
        case 16 | 17:
            return f"last screen for {destination}: {shown}"
    return f"operation {op} from {source} to {destination}: {shown}"


def _receipt(found: Found) -> Receipt | None:
    tlvs = found.walk.tlvs
    esm_class = ESM_CLASS_RECEIPT if _is_notification(found) else found.message.esm_class
    match found.command:
        case "deliver_sm":
            octets = found.walk.short_message
            return read_receipt(DeliverSm(esm_class=esm_class, short_message=octets, tlvs=tlvs))
        case "data_sm":
            return read_receipt(DataSm(esm_class=esm_class, tlvs=tlvs))
    return None


def _is_notification(found: Found) -> bool:
    return found.message.esm_class & ESM_CLASS_TYPE_MASK == ESM_CLASS_NOTIFICATION


def _receipt_summary(found: Found, receipt: Receipt) -> str:
    kind = "Intermediate notification" if _is_notification(found) else "Receipt"
    error = f", error {receipt.error}" if receipt.error.strip("0") else ""
    return f"{kind}: message {receipt.message_id} to {found.field('source_addr')} is {receipt.state}{error}."


# -------------------------------------------------------------------------------------------- advice


def advice(found: Found) -> tuple[str, ...]:
    """What each side should do next, the more urgent first."""
    if found.is_header_of_bind:
        return ("If it is from the quarantine, the reason there says what was wrong with the rest.",)
    if found.missing:
        return (
            f"The receiver waits for the other {found.missing} octets; until they are here nothing is answered.",
        )
    if found.error is not None:
        return tuple(_malformed_advice(found, found.error))
    if found.command_id & RESPONSE_BIT:
        return (_response_advice(found),)
    return tuple(_request_advice(found))


def _malformed_advice(found: Found, error: RemoteProtocolError) -> Iterator[str]:
    if found.command_id not in COMMAND_NAMES:
        yield f"The receiver answers generic_nack {status_name(error.status)} with sequence_number {found.number}."
    elif found.command_id & RESPONSE_BIT:
        yield "The receiver answers nothing: it is a response. The request that it belongs to runs into response_timer."
    elif receipt_in_spite_of(error):
        yield "The receipt counts all the same, by what comes before the fault; the receiver answers ESME_ROK."
    elif found.command_id in WITHOUT_RESPONSE:
        yield "The receiver answers generic_nack, for this command has no response of its own."
    else:
        response = f"{found.command}_resp {status_name(error.status)}"
        yield f"The receiver answers {response} with sequence_number {found.number}."
    yield "The link stays connected; the octets go into quarantine. The sender has to put its encoder right."


def _response_advice(found: Found) -> str:
    status = found.status
    if status == 0:
        return _ACCEPTED.get(
            found.command, f"The sender of {found.command[: -len('_resp')]} is done with it."
        )
    if status in _THROTTLED:
        return (
            "Throttle: keep the message and the order of all behind it, pause, then go on more slowly (W2)."
        )
    if status in _TEMPORARY:
        return "Try again: the same message with back-off, until its validity runs out (W3)."
    if status == ESME_RINVBNDSTS:
        return "Bind first, or with another kind of bind: this session may not send that request (S1, S3)."
    if status == ESME_RALYBND:
        return "Nothing to do: the session is bound already, and lives (S2)."
    if status in _SECRETS:
        return "Do not try again as it is: system_id and password have to be agreed with the operator first (S4)."
    if found.command.startswith("bind_"):
        return "The ESME closes the connection and tries again after a pause."
    if found.command_id == GENERIC_NACK:
        return "Give up the request with this sequence_number, if there is one: the peer could not read it (F2, F3)."
    return "Give up: the same request would be refused again. Mark it as failed, with this status."


_ACCEPTED = {
    **dict.fromkeys(
        ("bind_transmitter_resp", "bind_receiver_resp", "bind_transceiver_resp"),
        "The session is bound: both sides may send what this kind of bind allows (Table 2-1).",
    ),
    "unbind_resp": "Both sides close the connection; nothing else may be sent (S8).",
    "submit_sm_resp": "The ESME keeps message_id if it asked for a receipt: the receipt will name it.",
    "deliver_sm_resp": "The SMSC forgets the message: the ESME has it.",
    "enquire_link_resp": "Nothing: the link is alive.",
}


def _request_advice(found: Found) -> Iterator[str]:
    if found.command_id in WITHOUT_RESPONSE:
        yield _WITHOUT_RESPONSE_ADVICE[found.command]
        return
    answerer = {Role.ESME: "SMSC", Role.SMSC: "ESME", None: "receiver"}[found.sender]
    before = _BEFORE_ANSWER.get(found.command, "")
    yield f"The {answerer} {before}answers {found.command}_resp with the same sequence_number {found.number}."
    if found.command.startswith("bind_"):
        yield "Until then the ESME sends nothing else (S1)."
    if found.command in ("submit_sm", "data_sm", "submit_multi") and _wants_receipt(found):
        yield "A receipt comes later in a deliver_sm or data_sm of its own, perhaps before the response (W8)."
    if found.op is not None:
        yield from _ussd_advice(found, found.op)
    elif (receipt := _receipt(found)) is not None:
        yield from _receipt_advice(receipt)
    elif _part(found):
        yield "The receiver keeps the part until all are here; the text is whole only then."


_WITHOUT_RESPONSE_ADVICE = {
    "outbind": "No response: the ESME sends bind_receiver on this connection (S9).",
    "alert_notification": "No response: the ESME may send what it kept for this handset.",
}
_BEFORE_ANSWER = {
    "deliver_sm": "stores what follows from it, then ",
    "unbind": "finishes what is in hand, then ",
    **dict.fromkeys(
        ("bind_transmitter", "bind_receiver", "bind_transceiver"), "checks system_id and password, then "
    ),
}


def _wants_receipt(found: Found) -> bool:
    return bool(int(found.walk.values.get("registered_delivery", 0)) & 0x13)


def _receipt_advice(receipt: Receipt) -> Iterator[str]:
    number = _RECEIPT_NUMBERS.get(receipt.state)
    final = number not in (1, 6) if number else receipt.final
    outcome = (
        "is final: the message can be closed" if final else "may not be final: another receipt can follow"
    )
    yield f"The ESME finds the message by its id, in any form (W9); {receipt.state} {outcome}."


def _ussd_advice(found: Found, op: int) -> Iterator[str]:
    answer = (
        "deliver_sm" if found.command == "submit_sm" else found.command.replace("deliver_sm", "submit_sm")
    )
    source = found.field("source_addr")
    echoed = _echoed(found)
    match op:
        case 0 | 1 | 18:
            yield f"The screen does not travel in that response: it is a {answer} of its own to {source}."
            yield f"In it ussd_service_op 2 asks, 17 ends the dialogue{echoed}."
        case 2:
            yield f"The subscriber's answer comes in a {_mirror(found)} of its own, ussd_service_op 18{echoed}."
        case 3:
            yield f"That it was shown comes in a {_mirror(found)} of its own, ussd_service_op 19."
        case 16 | 17:
            yield "The dialogue is over: nothing more is to be expected from the subscriber."
        case 129 | 33 | 65 | 66 | 67:
            yield "The dialogue is over: forget it, and send no screen."
    if (
        op in USSD_OPS
        and found.sender is not None
        and (op in FROM_NETWORK_OPS) != (found.sender is Role.SMSC)
    ):
        yield "Note: an operation of the other direction. The centre is the ESME of this link, or the value is wrong."


def _mirror(found: Found) -> str:
    return {"submit_sm": "deliver_sm", "deliver_sm": "submit_sm"}.get(found.command, found.command)


def _echoed(found: Found) -> str:
    names = {ITS_SESSION_INFO: "its_session_info", USER_MESSAGE_REFERENCE: "user_message_reference"}
    there = [name for tag, name in names.items() if tag in found.walk.tlvs]
    return f", with the {' and '.join(there)} of this dialogue" if there else ""
