"""The cheapest ESME: it binds, and answers every turn with patched octets. ``starpound load --ceiling`` starts it.

It understands nothing, so that what is measured against it is the load generator and the machine, not an ESME:
whoever loads a real gateway can see beforehand how far the generator can go. Dialect ``spec`` only; it answers
``*100#`` with a last screen, everything else with one that asks.

    python -m smpp_sim.load.answerer PORT
"""

import asyncio
import sys
from typing import Any

from smpp_sim.load import pdu as wire

TEXT = b"Balance: 123.45 rub"
_BIND = b"ceiling\0secret\0\0\x34\0\0\0"
_OPERATION = b"\x05\x01\0\x01"
_ASKS = _OPERATION + b"\x02"
_ENDS = _OPERATION + b"\x11"
_LAST_CODE = b"\x05*100#"


class Answerer(asyncio.Protocol):
    """One read, one write."""

    def __init__(self, gone: asyncio.Event) -> None:
        self._gone = gone
        self._tail = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bind."""
        self._transport = transport
        self._transport.write(wire.HEADER.pack(16 + len(_BIND), wire.BIND_TRANSCEIVER, 0, 0x7FFFFFFF) + _BIND)

    def connection_lost(self, error: Exception | None) -> None:
        """Nothing more to do."""
        self._gone.set()

    def data_received(self, data: bytes) -> None:
        """Answer every deliver_sm in it."""
        octets = self._tail + data
        out: list[bytes] = []
        start, end, unpack = 0, len(octets), wire.HEADER.unpack_from
        while end - start >= 16:
            length, command_id, _, sequence = unpack(octets, start)
            if start + length > end:
                break
            if command_id == wire.DELIVER_SM:
                _answer(out, octets, start, start + length, sequence)
            elif command_id == wire.ENQUIRE_LINK:
                out.append(wire.response(command_id, wire.ESME_ROK, sequence))
            start += length
        self._tail = octets[start:]
        self._transport.write(b"".join(out))


_RESP_HEAD = wire.HEADER.pack(17, wire.DELIVER_SM_RESP, 0, 0)[:12]
_SUBMIT_HEAD = wire.HEADER.pack(0, wire.SUBMIT_SM, 0, 0)[4:12]
_BEFORE = b"USSD\0\0\x01105\0\0\x01"
_AFTER = bytes(10) + bytes((len(TEXT),)) + TEXT


def _answer(out: list[bytes], octets: bytes, start: int, end: int, sequence: int) -> None:
    """Acknowledge and answer: MSISDN and session are taken over, the unit is one more."""
    number = wire.SEQUENCE.pack(sequence)
    at = octets.index(0, start + 16) + 3
    msisdn = octets[at : octets.index(0, at)]
    is_last = octets.find(_LAST_CODE, at, end) > 0
    tlvs = b""
    if octets.startswith(_OPERATION, end - 11, end):
        unit = bytes(((octets[end - 1] + 2) & 0xFE,))
        tlvs = (_ENDS if is_last else _ASKS) + octets[end - 6 : end - 1] + unit
    length = 16 + len(_BEFORE) + len(msisdn) + len(_AFTER) + len(tlvs)
    submit = (wire.SEQUENCE.pack(length), _SUBMIT_HEAD, number, _BEFORE, msisdn, _AFTER)
    out += (_RESP_HEAD, number, b"\0", *submit, tlvs)


async def answer(port: int, host: str = "127.0.0.1") -> None:
    """Bind to the load on ``port`` and answer until it closes the connection."""
    gone = asyncio.Event()
    await asyncio.get_running_loop().create_connection(lambda: Answerer(gone), host, port)
    await gone.wait()


if __name__ == "__main__":
    try:
        import uvloop

        uvloop.run(answer(int(sys.argv[1])))
    except ImportError:
        asyncio.run(answer(int(sys.argv[1])))
