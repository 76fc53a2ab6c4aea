"""The codec's own rows: PDUs a second, ours beside smpplib's and smpp34's, in one process, no socket.

To encode is to make the PDU from its fields, then its octets; to decode is to take the octets apart, then to read
what an answer is made of: addresses, data_coding, text, TLVs; or message_id. Whoever decodes lazily pays there. Before
it is timed each is checked: a codec that loses a TLV, or leaves a body as octets, has a remark instead of a number.
"""

import contextlib
import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import smpp34
import smpplib.smpp
from results import table
from smpplib.client import SimpleSequenceGenerator

from gateway.smpp import pdu as starpound

RUNS = 5
BATCH = 256
SEQUENCE = 7
QUESTION = b"*105*3#"
SCREEN = b"1 Balance\n2 Options\n3 Packages\n4 Settings\n0 Back"
SERVICE_OP, SESSION_INFO = b"\x01", b"\x5a\x02"
MESSAGE_ID = "0000BEEF"
ADDRESSES = {
    "source_addr_ton": 1,
    "source_addr_npi": 1,
    "source_addr": "79260000003",
    "dest_addr_ton": 0,
    "dest_addr_npi": 1,
    "destination_addr": "105",
}
USSD = {"service_type": "USSD", "data_coding": 0x0F, **ADDRESSES}

Encode: TypeAlias = Callable[[], bytes]
Decode: TypeAlias = Callable[[bytes], Any]
"""Returns what was read, in order, as the codec hands it out."""


@dataclass(frozen=True)
class Sample:
    """A PDU: its octets, and what has to be read in it."""

    title: str
    octets: bytes
    holds: tuple[bytes, ...]


@dataclass(frozen=True)
class Rate:
    """One codec and one PDU: a second (median of the runs), or the reason why not."""

    sample: str
    codec: str
    encode: float | str
    decode: float | str


# ------------------------------------------------------------------------------------------- ours

_TLVS = {0x0501: SERVICE_OP, 0x1383: SESSION_INFO}


def _our_deliver() -> bytes:
    pdu = starpound.DeliverSm(**USSD, short_message=QUESTION, tlvs=_TLVS, sequence_number=SEQUENCE)
    return starpound.encode(pdu)


def _our_submit() -> bytes:
    return starpound.encode(starpound.SubmitSm(**ADDRESSES, short_message=SCREEN, sequence_number=SEQUENCE))


def _our_resp() -> bytes:
    return starpound.encode(starpound.SubmitSmResp(message_id=MESSAGE_ID, sequence_number=SEQUENCE))


def _read_our_deliver(frame: bytes) -> Any:
    pdu = starpound.decode(frame)
    tlvs = pdu.tlvs
    return (
        pdu.source_addr,
        pdu.destination_addr,
        pdu.data_coding,
        pdu.short_message,
        tlvs[0x0501],
        tlvs[0x1383],
    )


def _read_our_submit(frame: bytes) -> Any:
    pdu = starpound.decode(frame)
    return pdu.source_addr, pdu.destination_addr, pdu.data_coding, pdu.short_message


def _read_our_resp(frame: bytes) -> Any:
    return (starpound.decode(frame).message_id,)


# ------------------------------------------------------------------------------------------- smpplib

_numbers = SimpleSequenceGenerator()


def _smpplib(command: str, **fields: Any) -> bytes:
    pdu = smpplib.smpp.make_pdu(command, client=_numbers, **fields)
    pdu.sequence = SEQUENCE
    return pdu.generate()


def _smpplib_deliver() -> bytes:
    tlvs = {"ussd_service_op": 1, "its_session_info": int.from_bytes(SESSION_INFO)}
    return _smpplib("deliver_sm", **USSD, short_message=QUESTION, **tlvs)


def _smpplib_submit() -> bytes:
    return _smpplib("submit_sm", **ADDRESSES, short_message=SCREEN)


def _smpplib_resp() -> bytes:
    return _smpplib("submit_sm_resp", message_id=MESSAGE_ID)


def _read_smpplib_deliver(frame: bytes) -> Any:
    pdu = smpplib.smpp.parse_pdu(frame, client=_numbers, allow_unknown_opt_params=True)
    read = pdu.source_addr, pdu.destination_addr, pdu.data_coding, pdu.short_message
    return *read, pdu.ussd_service_op, pdu.its_session_info


def _read_smpplib_submit(frame: bytes) -> Any:
    pdu = smpplib.smpp.parse_pdu(frame, client=_numbers, allow_unknown_opt_params=True)
    return pdu.source_addr, pdu.destination_addr, pdu.data_coding, pdu.short_message


def _read_smpplib_resp(frame: bytes) -> Any:
    return (smpplib.smpp.parse_pdu(frame, client=_numbers, allow_unknown_opt_params=True).message_id,)


# ------------------------------------------------------------------------------------------- smpp34


def _smpp34_deliver() -> bytes:
    tlvs = [
        smpp34.Tlv(smpp34.TLV_USSD_SERVICE_OP, SERVICE_OP),
        smpp34.Tlv(smpp34.TLV_ITS_SESSION_INFO, SESSION_INFO),
    ]
    return smpp34.DeliverSm(**USSD, short_message=QUESTION, tlvs=tlvs, sequence_number=SEQUENCE).encode()


def _smpp34_submit() -> bytes:
    return smpp34.SubmitSm(**ADDRESSES, short_message=SCREEN, sequence_number=SEQUENCE).encode()


def _smpp34_resp() -> bytes:
    raise NotImplementedError("no class of its own for it")


def _read_smpp34_deliver(frame: bytes) -> Any:
    pdu = smpp34.decode(frame)
    read = pdu.source_addr, pdu.destination_addr, pdu.data_coding, pdu.short_message
    return *read, *[tlv.value for tlv in pdu.tlvs]


def _read_smpp34_submit(frame: bytes) -> Any:
    pdu = smpp34.decode(frame)
    return pdu.source_addr, pdu.destination_addr, pdu.data_coding, pdu.short_message


def _read_smpp34_resp(frame: bytes) -> Any:
    return (smpp34.decode(frame).body,)


# ------------------------------------------------------------------------------------------- measuring

_ADDRESSED = (b"79260000003", b"105")
SAMPLES = (
    Sample(
        "deliver_sm, USSD, two TLVs",
        _our_deliver(),
        (*_ADDRESSED, b"\x0f", QUESTION, SERVICE_OP, SESSION_INFO),
    ),
    Sample("submit_sm", _our_submit(), (*_ADDRESSED, b"\x00", SCREEN)),
    Sample("submit_sm_resp", _our_resp(), (MESSAGE_ID.encode(),)),
)
CODECS: dict[str, tuple[tuple[Encode, Decode], ...]] = {
    "**starpound**": (
        (_our_deliver, _read_our_deliver),
        (_our_submit, _read_our_submit),
        (_our_resp, _read_our_resp),
    ),
    "smpplib": (
        (_smpplib_deliver, _read_smpplib_deliver),
        (_smpplib_submit, _read_smpplib_submit),
        (_smpplib_resp, _read_smpplib_resp),
    ),
    "smpp34": (
        (_smpp34_deliver, _read_smpp34_deliver),
        (_smpp34_submit, _read_smpp34_submit),
        (_smpp34_resp, _read_smpp34_resp),
    ),
}


def measure(seconds: float) -> Iterator[Rate]:
    """The rates of all, each over about so many seconds; the codecs take turns PDU by PDU."""
    for number, sample in enumerate(SAMPLES):
        for codec, work in CODECS.items():
            encode, decode = work[number]
            yield Rate(
                sample.title, codec, _encoding(sample, encode, seconds), _decoding(sample, decode, seconds)
            )


def _encoding(sample: Sample, encode: Encode, seconds: float) -> float | str:
    try:
        octets = encode()
    except Exception as problem:
        return _reason(problem)
    if octets != sample.octets:
        return f"writes {len(octets)} octets of {len(sample.octets)}"
    return _per_second(encode, seconds)


def _decoding(sample: Sample, decode: Decode, seconds: float) -> float | str:
    try:
        read = decode(sample.octets)
    except Exception as problem:
        return _reason(problem)
    if tuple(map(_as_octets, read)) != sample.holds:
        return "leaves the body as octets"
    return _per_second(lambda: decode(sample.octets), seconds)


def _reason(problem: Exception) -> str:
    return (
        str(problem) if isinstance(problem, NotImplementedError) else f"{type(problem).__name__}: {problem}"
    )


def _as_octets(value: str | bytes | int) -> bytes:
    match value:
        case int():
            return bytes([value])
        case str():
            return value.encode("latin-1")
    return bytes(value)


def _per_second(work: Callable[[], object], seconds: float) -> float:
    with _no_collection():
        return statistics.median(_run(work, seconds / RUNS) for _ in range(RUNS))


def _run(work: Callable[[], object], seconds: float) -> float:
    done, batch = 0, range(BATCH)
    began = time.perf_counter()
    while (taken := time.perf_counter() - began) < seconds:
        for _ in batch:
            work()
        done += BATCH
    return done / taken


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """As timeit has it: what others allocated is not to be collected on somebody's time."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def progress(rate: Rate) -> str:
    """Return a rate as a line for standard error."""
    encoded, decoded = map(_shown, (rate.encode, rate.decode))
    return f"codec: {rate.codec.strip('*')} {rate.sample}: encoded/s {encoded}, decoded/s {decoded}"


def rendered(rates: Sequence[Rate]) -> str:
    """The rates as a table in Markdown, each beside how often starpound does it in the same time."""
    ours = {rate.sample: rate for rate in rates if rate.codec == "**starpound**"}
    head = ("PDU", "Codec", "Encoded/s", "Decoded/s", "starpound encodes", "starpound decodes")
    return table(head, [_cells(rate, ours[rate.sample]) for rate in rates])


def _cells(rate: Rate, ours: Rate) -> tuple[str, ...]:
    figures = (rate.encode, rate.decode)
    pairs = zip((ours.encode, ours.decode), figures, strict=True)
    times = ("", "") if rate is ours else tuple(_times(*pair) for pair in pairs)
    return (rate.sample, rate.codec, *map(_shown, figures), *times)


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.0f}".replace(",", " ")


def _times(ours: float | str, theirs: float | str) -> str:
    return f"{ours / theirs:.2f} ×" if isinstance(ours, float) and isinstance(theirs, float) else ""
