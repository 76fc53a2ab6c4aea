"""Plays scenes between the simulator's network and the gateway's side of a profile, and writes them down.

No socket and no clock: every PDU is encoded, decoded and then understood by the other side; time is a number.
"""

from gateway.dialect import Inbound, load_profile
from gateway.smpp.pdu import DataSm, DeliverSm, Pdu, SubmitSm, decode, encode
from gateway.smpp.text import decode_text
from gateway.smpp.vocabulary import ESME_ROK, MESSAGE_PAYLOAD, TLV_NAMES, USSD_SERVICE_OP, status_name
from smpp_sim.centre.messages import carried
from smpp_sim.centre.network import Network
from smpp_sim.centre.requests import respond
from smpp_sim.settings import Account, NetworkSettings

PHONE, CODE = "79260000003", "*105#"
MENU, BYE, NOTICE, QUESTION = (
    "1 Баланс\n2 Опции",
    "Balance: 120.50",
    "Your package ends today",
    "Rate us: 1-5",
)
ANSWER_S, USER_S = 30, 120


class Stage:
    """A centre and a gateway; `lines` is what passed between them.

    `towards_gateway` is what the centre's messages travel in: deliver_sm of an SMSC, submit_sm of an ESME, or data_sm.
    """

    def __init__(self, name: str, lines: list[str], towards_gateway=DeliverSm):
        self.profile = load_profile(name)
        self.lines = lines
        self.now = 0
        self._network = Network(
            [Account("gw", "secret", dialect=name)], NetworkSettings(answer_s=ANSWER_S, user_s=USER_S)
        )
        self._towards_gateway = towards_gateway
        self._carrier = DeliverSm if towards_gateway is SubmitSm else SubmitSm
        self._sequence = 0
        self._seen = 0

    # --- what people do

    def dial(self) -> Inbound:
        self._network.dial(PHONE, CODE, self.now)
        return self.arrives()

    def answer(self, text: str) -> Inbound:
        self._network.answer(PHONE, text, self.now)
        return self.arrives()

    def cancel(self) -> None:
        self._network.cancel(PHONE, self.now)
        self._note_phone()

    def wait(self, seconds: int) -> None:
        self.now += seconds
        self.lines.append(f"   … {seconds} s pass")
        self._network.on_deadline(self.now)
        self._note_phone()

    # --- what travels

    def arrives(self) -> Inbound | None:
        """The next message of the centre, read by the gateway; None when there is none."""
        delivery = self._network.take("gw", self.now)
        if delivery is None:
            self.lines.append("   the centre says nothing")
            return None
        pdu = self._travel("->", carried(delivery.pdu, self._towards_gateway))
        assert self.profile.is_ussd(pdu)
        inbound = self.profile.read(pdu)
        self.lines.append(reading(inbound))
        self._network.taken("gw", delivery, ESME_ROK, self.now)
        return inbound

    def show(self, turn: Inbound, text: str, kind: str) -> None:
        self._leaves(self.profile.write(turn.reply, text, kind, self._carrier))

    def push(self, text: str, kind: str) -> None:
        self._leaves(self.profile.push(PHONE, "105", text, kind, self._carrier))

    def release(self, turn: Inbound) -> None:
        self._leaves(self.profile.release(turn.reply, self._carrier))

    def _leaves(self, pdu: Pdu) -> None:
        pdu = self._travel("<-", pdu)
        status = respond(self._network, "gw", pdu, self.now).command_status
        self.lines.append(f"   centre: {status_name(status)}")
        self._note_phone()

    def _travel(self, arrow: str, pdu: Pdu) -> Pdu:
        self._sequence += 1
        pdu.sequence_number = self._sequence
        octets = encode(pdu)
        self.lines += [f"{arrow} {octets.hex()}", described(decode(octets))]
        return decode(octets)

    def _note_phone(self) -> None:
        log = self._network.station(PHONE).log
        for event in log.after(self._seen, frozenset({"screen", "idle"})):
            self._seen = event.number
            if event.kind == "screen":
                self.lines.append(
                    f"   phone: {event.data['screen']} «{event.data['text'].replace(chr(10), ' / ')}»"
                )


def reading(inbound: Inbound) -> str:
    """What the gateway makes of a message, in a line."""
    unit = "" if inbound.unit is None else f", unit {inbound.unit}"
    last = ", the last" if inbound.last else ""
    return f"   gateway: {inbound.turn!r} of {inbound.msisdn}, dialogue {inbound.key}{unit}{last}"


def described(pdu: Pdu) -> str:
    """The fields of a message that dialects differ in, in a line."""
    octets = pdu.tlvs.get(MESSAGE_PAYLOAD, b"") if type(pdu) is DataSm else pdu.short_message
    text = decode_text(octets, "ucs2" if pdu.data_coding in (0x08, 0x48) else "gsm7").replace("\n", " / ")
    tlvs = [_tlv(tag, value) for tag, value in pdu.tlvs.items() if tag != MESSAGE_PAYLOAD]
    where = f"{pdu.source_addr or '(empty)'} to {pdu.destination_addr or '(empty)'}"
    fields = [
        where,
        f"service_type {pdu.service_type or '(empty)'}",
        f"data_coding 0x{pdu.data_coding:02X}",
        *tlvs,
    ]
    return f"   {pdu.name} {pdu.sequence_number}: {', '.join(fields)}, «{text}»"


def _tlv(tag: int, value: bytes) -> str:
    """Operations in decimal, as the tables of the vendors have them; everything else in hex."""
    if tag == USSD_SERVICE_OP:
        return f"ussd_service_op {int.from_bytes(value)}"
    return f"{TLV_NAMES.get(tag, f'0x{tag:04X}')} {value.hex()}"
