"""The dumps of one paste: what of them belongs together, and what is not here."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.dumps.capture import cut_off, tcp_payload
from gateway.dumps.lines import begins_like_a_pdu
from gateway.dumps.streams import told_of_a_cut
from gateway.smpp.codec import HEADER_OCTETS


@dataclass(frozen=True, slots=True)
class Pasted:
    """PDUs one behind the other. ``problem``: what was cut off at the end; empty if nothing was."""

    octets: bytes
    problem: str = ""


def pasted(dumps: Iterable[bytes]) -> Iterator[Pasted]:
    """The PDUs in dumps; of packets, what they carry over TCP.

    The rest of a PDU is looked for in the next dump, unless that begins with a PDU, or its packet was cut off.
    """
    waiting = b""
    for dump in dumps:
        octets, missing = _carried(dump)
        if waiting and (_is_whole(waiting) or begins_like_a_pdu(octets)):
            yield Pasted(waiting)
            waiting = b""
        waiting += octets
        if missing:
            yield Pasted(waiting, told_of_a_cut(len(octets), missing))
            waiting = b""
    if waiting:
        yield Pasted(waiting)


def _carried(dump: bytes) -> tuple[bytes, int]:
    """The octets of SMPP in a dump, and how many of them are missing at its end."""
    payload = None if begins_like_a_pdu(dump) else tcp_payload(dump)
    return (dump, 0) if payload is None else (payload, cut_off(dump))


def _is_whole(octets: bytes) -> bool:
    """Whether no PDU goes on behind them; what is out of step does not."""
    at = 0
    while at < len(octets):
        size = int.from_bytes(octets[at : at + 4], "big")
        if len(octets) - at >= 4 and size < HEADER_OCTETS:
            return True
        at += max(size, HEADER_OCTETS)
    return at == len(octets)
