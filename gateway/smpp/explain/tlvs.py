"""What the optional parameters say: SMPP 3.4 §5.3.2, and what USSD centres add to it."""

from collections.abc import Callable
from types import MappingProxyType

from gateway.smpp.explain.tables import NPI, STATES, TON, Meaning, quoted, version
from gateway.smpp.receipts import network_error
from gateway.smpp.vocabulary import TLV_NAMES

SECTIONS = MappingProxyType(
    {
        name: f"§5.3.2.{number}"
        for number, name in enumerate(
            (
                "dest_addr_subunit",
                "source_addr_subunit",
                "dest_network_type",
                "source_network_type",
                "dest_bearer_type",
                "source_bearer_type",
                "dest_telematics_id",
                "source_telematics_id",
                "qos_time_to_live",
                "payload_type",
                "additional_status_info_text",
                "receipted_message_id",
                "ms_msg_wait_facilities",
                "privacy_indicator",
                "source_subaddress",
                "dest_subaddress",
                "user_message_reference",
                "user_response_code",
                "language_indicator",
                "source_port",
                "destination_port",
                "sar_msg_ref_num",
                "sar_total_segments",
                "sar_segment_seqnum",
                "sc_interface_version",
                "display_time",
                "ms_validity",
                "dpf_result",
                "set_dpf",
                "ms_availability_status",
                "network_error_code",
                "message_payload",
                "delivery_failure_reason",
                "more_messages_to_send",
                "message_state",
                "callback_num",
                "callback_num_pres_ind",
                "callback_num_atag",
                "number_of_messages",
                "sms_signal",
                "alert_on_message_delivery",
                "its_reply_type",
                "its_session_info",
                "ussd_service_op",
            ),
            1,
        )
    }
)
"""The name of each standard TLV to its section; the chapter has them in this order."""

USSD_OPS = MappingProxyType(
    {
        0: ("PSSD indication", "the subscriber dialled (phase 1 network)"),
        1: ("PSSR indication", "the subscriber dialled"),
        2: ("USSR request", "a screen that waits for an answer"),
        3: ("USSN request", "a notice, no answer wanted"),
        16: ("PSSD response", "the last screen (phase 1 network)"),
        17: ("PSSR response", "the last screen, the dialogue is over"),
        18: ("USSR confirm", "the subscriber answered"),
        19: ("USSN confirm", "the notice was shown"),
    }
)
"""ussd_service_op, decimal: the name, and what it means (§5.3.2.44)."""

FROM_NETWORK_OPS = frozenset({0, 1, 18, 19})
"""What a USSD centre says to the application; 2, 3, 16 and 17 go the other way."""

_VENDOR_USSD_OPS = MappingProxyType(
    {
        32: "release (Huawei)",
        33: "abort (Huawei)",
        65: "end of the dialogue (Comverse)",
        66: "end of the dialogue (Comverse)",
        67: "end of the dialogue (Comverse)",
        128: "release (Comverse)",
        129: "the subscriber or the centre ended the dialogue (several vendors)",
        130: "ask, and end (Comverse)",
        131: "notify, and end (Comverse)",
        146: "the subscriber answered, and the dialogue is over (Comverse, Eyeline)",
    }
)
_NETWORKS = {1: "ANSI-136", 2: "IS-95", 3: "GSM"}
_NETWORK_TYPES = {
    0: "unknown",
    1: "GSM",
    2: "ANSI-136/TDMA",
    3: "IS-95/CDMA",
    4: "PDC",
    5: "PHS",
    6: "iDEN",
    7: "AMPS",
}
_BEARERS = {0: "unknown", 1: "SMS", 2: "circuit switched data", 3: "packet data", 4: "USSD", 5: "CDPD"}
_SUBUNITS = {0: "unknown", 1: "MS display", 2: "mobile equipment", 3: "smart card", 4: "external unit"}
_FAILURES = {0: "destination unavailable", 1: "destination address invalid", 2: "permanent network error"}
_FAILURES |= {3: "temporary network error"}
_LANGUAGES = {0: "unspecified", 1: "English", 2: "French", 3: "Spanish", 4: "German", 5: "Portuguese"}
_PRIVACY = {0: "not restricted", 1: "restricted", 2: "confidential", 3: "secret"}
_AVAILABILITY = {0: "available", 1: "denied", 2: "unavailable"}
_REPLIES = {0: "digit", 1: "number", 2: "telephone number", 3: "password", 4: "character line", 5: "menu"}
_REPLIES |= {6: "date", 7: "time", 8: "continue"}
_VALIDITIES = {0: "store indefinitely", 1: "until power down", 2: "in this area", 3: "display only"}
_WAITING = ("voicemail", "fax", "e-mail", "other messages")


def _integer(value: bytes) -> Meaning:
    return str(int.from_bytes(value, "big")), ""


def _reference(value: bytes) -> Meaning:
    return f"{int.from_bytes(value, 'big')} (0x{value.hex().upper()})", ""


def _named(names: dict[int, str] | MappingProxyType[int, str]) -> Callable[[bytes], Meaning]:
    def read(value: bytes) -> Meaning:
        number = int.from_bytes(value, "big")
        return str(number), names.get(number, "reserved")

    return read


def _characters(value: bytes) -> Meaning:
    return quoted(value.rstrip(b"\0").decode("latin-1")), ""


def _ussd_service_op(value: bytes) -> Meaning:
    op = int.from_bytes(value, "big")
    if op in USSD_OPS:
        return f"{op} {USSD_OPS[op][0]}", USSD_OPS[op][1]
    if op in _VENDOR_USSD_OPS:
        return str(op), f"vendor's: {_VENDOR_USSD_OPS[op]}"
    return str(op), "of the centre's vendor" if 32 <= op <= 255 else "reserved"


def _its_session_info(value: bytes) -> Meaning:
    session, unit = value[0], value[1]
    end = "E=1, the session ends" if unit & 1 else "E=0, the session goes on"
    return f"session 0x{session:02X}, N={unit >> 1}", end


def _network_error_code(value: bytes) -> Meaning:
    network = _NETWORKS.get(value[0], f"network type {value[0]}")
    return network_error(value) or "0", f"error of the network, {network}"


def _sc_interface_version(value: bytes) -> Meaning:
    return f"0x{value[0]:02X}", version(value[0])


def _more_messages(value: bytes) -> Meaning:
    return str(value[0]), "more to come" if value[0] else "no more to come"


def _waiting(value: bytes) -> Meaning:
    state = "waiting" if value[0] & 0x80 else "none waiting"
    return f"0x{value[0]:02X}", f"{_WAITING[value[0] & 3]}: {state}"


def _callback_num(value: bytes) -> Meaning:
    ton, npi = TON.get(value[1], value[1]), NPI.get(value[2], value[2])
    return quoted(value[3:].decode("latin-1")), f"digit mode {value[0]}, TON {ton}, NPI {npi}"


def _qos_time_to_live(value: bytes) -> Meaning:
    return f"{int.from_bytes(value, 'big')} s", ""


_ONE, _TWO = range(1, 2), range(2, 3)
_ANY = range(65_536)

_READERS: dict[str, tuple[range, Callable[[bytes], Meaning]]] = {
    "dest_addr_subunit": (_ONE, _named(_SUBUNITS)),
    "source_addr_subunit": (_ONE, _named(_SUBUNITS)),
    "dest_network_type": (_ONE, _named(_NETWORK_TYPES)),
    "source_network_type": (_ONE, _named(_NETWORK_TYPES)),
    "dest_bearer_type": (_ONE, _named(_BEARERS)),
    "source_bearer_type": (_ONE, _named(_BEARERS)),
    "dest_telematics_id": (_TWO, _integer),
    "source_telematics_id": (_ONE, _integer),
    "qos_time_to_live": (range(4, 5), _qos_time_to_live),
    "payload_type": (_ONE, _named({0: "default", 1: "WCMP"})),
    "additional_status_info_text": (_ANY, _characters),
    "receipted_message_id": (_ANY, _characters),
    "ms_msg_wait_facilities": (_ONE, _waiting),
    "privacy_indicator": (_ONE, _named(_PRIVACY)),
    "user_message_reference": (_TWO, _reference),
    "user_response_code": (_ONE, _integer),
    "language_indicator": (_ONE, _named(_LANGUAGES)),
    "source_port": (_TWO, _integer),
    "destination_port": (_TWO, _integer),
    "sar_msg_ref_num": (_TWO, _reference),
    "sar_total_segments": (_ONE, _integer),
    "sar_segment_seqnum": (_ONE, _integer),
    "sc_interface_version": (_ONE, _sc_interface_version),
    "display_time": (_ONE, _named({0: "temporary", 1: "default", 2: "until the user acts"})),
    "ms_validity": (
        _ONE,
        _named(_VALIDITIES),
    ),
    "dpf_result": (_ONE, _named({0: "delivery pending flag not set", 1: "delivery pending flag set"})),
    "set_dpf": (_ONE, _named({0: "not asked for", 1: "asked for"})),
    "ms_availability_status": (_ONE, _named(_AVAILABILITY)),
    "network_error_code": (range(3, 4), _network_error_code),
    "delivery_failure_reason": (_ONE, _named(_FAILURES)),
    "more_messages_to_send": (_ONE, _more_messages),
    "message_state": (_ONE, _named(STATES)),
    "callback_num": (range(3, 20), _callback_num),
    "number_of_messages": (_ONE, _integer),
    "its_reply_type": (_ONE, _named(_REPLIES)),
    "its_session_info": (_TWO, _its_session_info),
    "ussd_service_op": (_ONE, _ussd_service_op),
}
"""The lengths that a TLV may have, and what reads it. Others are shown as octets."""


def tlv_name(tag: int) -> str:
    """``ussd_service_op``; of an unknown one its range and number: ``vendor TLV 0x1501``."""
    if tag in TLV_NAMES:
        return TLV_NAMES[tag]
    return f"{'vendor ' if 0x1400 <= tag <= 0x3FFF else ''}TLV 0x{tag:04X}"


def tlv_meaning(tag: int, value: bytes) -> Meaning:
    """The value in words and a note. Not for message_payload: its text depends on the mandatory fields."""
    if tag not in TLV_NAMES:
        kind = "of a vendor" if 0x1400 <= tag <= 0x3FFF else "not in the specification"
        return _octets(value), f"{kind}: accepted and kept (F7)"
    lengths, read = _READERS.get(TLV_NAMES[tag], (_ANY, _plain_octets))
    if len(value) not in lengths:
        wanted = f"{lengths.start}" + (f" to {lengths.stop - 1}" if len(lengths) > 1 else "")
        return _octets(value), f"length {len(value)}, {wanted} expected"
    return read(value)


def _plain_octets(value: bytes) -> Meaning:
    return _octets(value), ""


def _octets(value: bytes) -> str:
    if not value:
        return "(empty)"
    hexed = f"0x{value.hex().upper()}" if len(value) <= 8 else f"{len(value)} octets"
    text = value.rstrip(b"\0").decode("latin-1")
    return f"{hexed} {quoted(text)}" if len(text) > 3 and text.isascii() and text.isprintable() else hexed
