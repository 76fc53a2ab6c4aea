"""What the numbers in the mandatory fields mean: SMPP 3.4 §5.2, and TS 23.038 for data_coding."""

import re
from collections.abc import Callable
from types import MappingProxyType

from gateway.smpp.explain.model import escaped
from gateway.smpp.receipts import receipt_date
from gateway.smpp.vocabulary import STATUS_DESCRIPTIONS, STATUS_NAMES, command_name, status_name

Meaning = tuple[str, str]
"""The value in words, and a note (often empty)."""

SECTIONS = MappingProxyType(
    {
        **dict.fromkeys(("command_length", "command_id", "command_status", "sequence_number"), "§3.2"),
        "system_id": "§5.2.1",
        "password": "§5.2.2",
        "system_type": "§5.2.3",
        "interface_version": "§5.2.4",
        **dict.fromkeys(("addr_ton", "source_addr_ton", "dest_addr_ton", "esme_addr_ton"), "§5.2.5"),
        **dict.fromkeys(("addr_npi", "source_addr_npi", "dest_addr_npi", "esme_addr_npi"), "§5.2.6"),
        "address_range": "§5.2.7",
        "source_addr": "§5.2.8",
        "destination_addr": "§5.2.9",
        "esme_addr": "§5.2.10",
        "service_type": "§5.2.11",
        "esm_class": "§5.2.12",
        "protocol_id": "§5.2.13",
        "priority_flag": "§5.2.14",
        "schedule_delivery_time": "§5.2.15",
        "validity_period": "§5.2.16",
        "registered_delivery": "§5.2.17",
        "replace_if_present_flag": "§5.2.18",
        "data_coding": "§5.2.19",
        "sm_default_msg_id": "§5.2.20",
        "sm_length": "§5.2.21",
        "short_message": "§5.2.22",
        "message_id": "§5.2.23",
        "number_of_dests": "§5.2.24",
        "dest_flag": "§5.2.25",
        "no_unsuccess": "§5.2.26",
        "dl_name": "§5.2.27",
        "message_state": "§5.2.28",
        "error_status_code": "§4.5.2.1",
    }
)
"""Field to section of the specification, as far as known."""

TON = MappingProxyType(
    dict(
        enumerate(
            (
                "unknown",
                "international",
                "national",
                "network specific",
                "subscriber number",
                "alphanumeric",
                "abbreviated",
            )
        )
    )
)
NPI = MappingProxyType(
    {
        0: "unknown",
        1: "ISDN (E.163/E.164)",
        3: "data (X.121)",
        4: "telex (F.69)",
        6: "land mobile (E.212)",
        8: "national",
        9: "private",
        10: "ERMES",
        14: "internet (IP)",
        18: "WAP client id",
    }
)
STATES = MappingProxyType(
    {
        1: "ENROUTE",
        2: "DELIVERED",
        3: "EXPIRED",
        4: "DELETED",
        5: "UNDELIVERABLE",
        6: "ACCEPTED",
        7: "UNKNOWN",
        8: "REJECTED",
    }
)
"""message_state; 1 is not final, nor is 6 to some centres."""

_MODES = ("", "datagram mode", "transaction mode", "store and forward mode")
_TO_SMSC_TYPES = {2: "delivery acknowledgement of the ESME", 4: "manual acknowledgement of the user"}
_TO_ESME_TYPES = {
    1: "SMSC delivery receipt",
    2: "delivery acknowledgement of the handset",
    4: "manual acknowledgement of the user",
    6: "conversation abort",
    8: "intermediate notification",
}
_RECEIPTS = ("no receipt", "receipt, whatever the outcome", "receipt on failure", "receipt on success (5.0)")
_CBS_LANGUAGES = (
    "German",
    "English",
    "Italian",
    "French",
    "Spanish",
    "Dutch",
    "Swedish",
    "Danish",
    "Portuguese",
    "Finnish",
    "Norwegian",
    "Greek",
    "Turkish",
    "Hungarian",
    "Polish",
    "language unspecified",
)
_CBS_LANGUAGES_2 = ("Czech", "Hebrew", "Arabic", "Russian", "Icelandic")
_SMS_CODINGS = MappingProxyType(
    {
        0x00: "the SMSC's default alphabet: GSM 03.38 here",
        0x01: "IA5 (ASCII)",
        0x02: "octets, unspecified (8-bit binary)",
        0x03: "Latin-1 (ISO-8859-1)",
        0x04: "octets, unspecified (8-bit binary)",
        0x05: "JIS (X 0208-1990)",
        0x06: "Cyrillic (ISO-8859-5)",
        0x07: "Latin/Hebrew (ISO-8859-8)",
        0x08: "UCS-2",
        0x09: "pictograms",
        0x0A: "ISO-2022-JP (music codes)",
        0x0D: "extended Kanji JIS (X 0212-1990)",
        0x0E: "KS C 5601",
    }
)
_CHARSETS = ("GSM 03.38", "8-bit data", "UCS-2", "reserved")


def _number(value: int) -> Meaning:
    return str(value), ""


def _text(value: str) -> Meaning:
    return (quoted(value), "") if value else ("(empty)", "")


def quoted(text: str) -> str:
    """``text`` in quotes; what a terminal would act upon, or not show, as an escape sequence."""
    return f'"{escaped(text)}"'


def _named(names: MappingProxyType[int, str]) -> Callable[[int], Meaning]:
    return lambda value: (str(value), names.get(value, "reserved"))


def _status(value: int) -> Meaning:
    if value in STATUS_NAMES:
        return f"0x{value:08X} {status_name(value)}", STATUS_DESCRIPTIONS.get(value, "") if value else ""
    kind = "of the centre's vendor" if 0x400 <= value <= 0x4FF else "reserved"
    return f"0x{value:08X}", f"{kind}: kept as the number (F9)"


def _sequence_number(value: int) -> Meaning:
    if 1 <= value <= 0x7FFFFFFF:
        return str(value), ""
    return f"{value} (0x{value:08X})", "outside 1 to 0x7FFFFFFF: accepted and echoed (F5)"


def _interface_version(value: int) -> Meaning:
    return f"0x{value:02X}", version(value)


def version(value: int) -> str:
    """Of SMPP, in interface_version and sc_interface_version."""
    if value == 34:
        return "decimal 34, 0x34 is meant (S11): taken for less than 3.4"
    return f"SMPP {value >> 4}.{value & 0x0F}" if value >= 0x33 else "SMPP 3.3 or older: no TLVs to it (S10)"


def _esm_class(value: int, *, to_smsc: bool) -> Meaning:
    said = [_MODES[value & 0x03]]
    kind = value >> 2 & 0x0F
    types = _TO_SMSC_TYPES if to_smsc else _TO_ESME_TYPES
    said.append(types.get(kind, f"message type {kind}: reserved") if kind else "")
    said.append("user data header (UDHI)" if value & 0x40 else "")
    said.append("reply path" if value & 0x80 else "")
    return f"0x{value:02X}", ", ".join(filter(None, said)) or "default mode, ordinary message"


def _registered_delivery(value: int) -> Meaning:
    said = [_RECEIPTS[value & 0x03]]
    acknowledgements = ("", "delivery", "manual", "delivery and manual")[value >> 2 & 0x03]
    said.append(f"{acknowledgements} acknowledgement of the handset" if acknowledgements else "")
    said.append("intermediate notifications" if value & 0x10 else "")
    return f"0x{value:02X}", ", ".join(filter(None, said))


def _flag(value: int) -> Meaning:
    return str(value), ("no", "yes")[value] if value < 2 else "reserved"


def _priority(value: int) -> Meaning:
    return str(value), ("", "priority", "urgent", "very urgent")[value] if value < 4 else "reserved"


def _protocol_id(value: int) -> Meaning:
    return f"0x{value:02X}", ""


_TIME = re.compile(r"[0-9]{15}[R+-]")


def _time(value: str) -> Meaning:
    if not value:
        return "(empty)", "the SMSC's default"
    if not _TIME.fullmatch(value):
        return quoted(value), "not of the form YYMMDDhhmmsstnnp"
    years, months, days, hours, minutes, seconds = (value[at : at + 2] for at in range(0, 12, 2))
    if value[15] == "R":
        parts = zip((years, months, days, hours, minutes, seconds), "yMdhms", strict=True)
        return quoted(value), "in " + (" ".join(f"{int(n)}{unit}" for n, unit in parts if int(n)) or "0s")
    if receipt_date(value) is None:
        return quoted(value), "no such time"
    quarters = int(value[13:15])
    offset = f"{value[15]}{quarters // 4:02}:{quarters % 4 * 15:02}"
    return quoted(value), f"20{years}-{months}-{days} {hours}:{minutes}:{seconds} {offset}"


def _dest_flag(value: int) -> Meaning:
    return str(value), {1: "an address", 2: "a distribution list"}.get(value, "reserved")


def _schedule(value: str) -> Meaning:
    return (_time(value)) if value else ("(empty)", "at once")


_MEANINGS: dict[str, Callable[..., Meaning]] = {
    "command_id": lambda value: (f"0x{value:08X} {command_name(value)}".split(" command")[0], ""),
    "command_status": _status,
    "error_status_code": _status,
    "sequence_number": _sequence_number,
    "interface_version": _interface_version,
    **dict.fromkeys(("addr_ton", "source_addr_ton", "dest_addr_ton", "esme_addr_ton"), _named(TON)),
    **dict.fromkeys(("addr_npi", "source_addr_npi", "dest_addr_npi", "esme_addr_npi"), _named(NPI)),
    "message_state": _named(STATES),
    "registered_delivery": _registered_delivery,
    "replace_if_present_flag": _flag,
    "priority_flag": _priority,
    "protocol_id": _protocol_id,
    "validity_period": _time,
    "schedule_delivery_time": _schedule,
    "dest_flag": _dest_flag,
}


def meaning(field: str, value: int | str, *, to_smsc: bool, table: str) -> Meaning:
    """Of any mandatory field but short_message; ``table`` is the one for data_coding, ``"sms"`` or ``"cbs"``."""
    if field == "esm_class" and isinstance(value, int):
        return _esm_class(value, to_smsc=to_smsc)
    if field == "data_coding" and isinstance(value, int):
        return f"0x{value:02X}", data_coding(value, table)
    return _MEANINGS.get(field, _text if isinstance(value, str) else _number)(value)


# --------------------------------------------------------------------------------------- data_coding


def data_coding(value: int, table: str) -> str:
    """In words, by the table of SMS (§5.2.19) or that of cell broadcast and USSD (TS 23.038 §5)."""
    return f"{(_cbs_coding if table == 'cbs' else _sms_coding)(value)} ({table} table)"


def _sms_coding(value: int) -> str:
    if value < 0x10:
        return _SMS_CODINGS.get(value, "reserved")
    match value >> 4:
        case 0x1:
            return f"{_CHARSETS[value >> 2 & 3]}, class {value & 3}"
        case 0xC | 0xD:
            return "message waiting, GSM 03.38"
        case 0xE:
            return "message waiting, UCS-2"
        case 0xF:
            return f"{_CHARSETS[value >> 2 & 1]}, class {value & 3}"
    return "reserved"


def _cbs_coding(value: int) -> str:
    match value >> 4:
        case 0x0:
            return "UCS-2 on SMPP links" if value == 0x08 else f"GSM 03.38, {_CBS_LANGUAGES[value]}"
        case 0x1:
            return {0: "GSM 03.38, language in front", 1: "UCS-2, language in front"}.get(
                value & 0xF, "reserved"
            )
        case 0x2:
            language = value & 0x0F
            known = language < len(_CBS_LANGUAGES_2)
            return f"GSM 03.38, {_CBS_LANGUAGES_2[language] if known else 'language unspecified'}"
        case 0x4 | 0x5:
            return _CHARSETS[value >> 2 & 3] + (f", class {value & 3}" if value & 0x10 else "")
        case 0x6 | 0x7:
            return f"compressed {_CHARSETS[value >> 2 & 3]}"
        case 0x9:
            return f"{_CHARSETS[value >> 2 & 3]} with a user data header, class {value & 3}"
        case 0xF:
            return f"{_CHARSETS[value >> 2 & 1]}, class {value & 3}"
    return "reserved"
