"""The trace over HTTP and WebSocket: what the wire did, a line for each PDU, and every field of one of them.

Nothing that leaves here holds a password. A stream tells of at most so many PDUs a second: whoever puts load on the
simulator is not to be slowed down by a page that somebody left open.
"""

import asyncio
import io
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.dumps.capture import write_capture
from gateway.dumps.streams import Captured
from gateway.smpp.explain import as_json
from smpp_sim.api.requests import MAX_WAIT_S, number
from smpp_sim.api.streams import PING_S, reason, tell
from smpp_sim.trace import TracedPdu, WireTrace
from smpp_sim.trace_facts import as_captured, concerns, explanation_of, facts, masked_octets
from smpp_sim.watching import TooManyWatchers

LISTED = 100
"""PDUs in a list unless the request says otherwise."""
MAX_LISTED = 1000
"""PDUs in a list at most."""
BEAT_S = 0.1
"""Seconds between two looks of a stream at what is new."""
BEAT_PDUS = 30
"""PDUs that it tells of at one look."""
BEHIND_PDUS = 500
"""PDUs that it may be behind; then it leaves some out, and says so."""
PCAP_BATCH = 200
"""PDUs prepared for a capture before others have their turn."""

_NUMBER_DIGITS = 16

Wanted = Callable[[TracedPdu], bool]


class NotKept(Exception):
    """The ring does not hold this PDU."""


def trace_routes() -> list[BaseRoute]:
    """``/api/trace`` and what is below it."""
    return [
        Route("/api/trace", _list),
        Route("/api/trace.pcap", _pcap),
        Route("/api/trace/{number}.hex", _hex),
        Route("/api/trace/{number}", _one),
        WebSocketRoute("/api/trace/stream", _stream),
    ]


def _trace(connection: HTTPConnection) -> WireTrace:
    trace: WireTrace = connection.app.state.centre.trace
    return trace


def _wanted(connection: HTTPConnection) -> Wanted:
    """By phone and by link, as the query says."""
    msisdn = connection.query_params.get("msisdn", "").removeprefix("+")
    link = connection.query_params.get("link", "")
    return lambda pdu: (not link or pdu.connection.is_called(link)) and (not msisdn or concerns(pdu, msisdn))


async def _list(request: Request) -> JSONResponse:
    """What came after number ``after``, or the newest; with ``wait`` it waits for the first one."""
    trace, wanted = _trace(request), _wanted(request)
    most = max(int(number(request, "limit", LISTED, MAX_LISTED)), 1)
    wait_s = number(request, "wait", 0, MAX_WAIT_S)
    if "after" not in request.query_params:
        found = list(islice(filter(wanted, trace.newest()), most))[::-1]
        return _listed(found, trace.last, missed=False)
    after = int(number(request, "after", 0, 2**53))
    found = await _found(trace, wanted, after, most, wait_s)
    last = found[-1].number if len(found) == most else max(trace.last, after)
    return _listed(found, last, missed=after < trace.forgotten)


async def _found(trace: WireTrace, wanted: Wanted, after: int, most: int, wait_s: float) -> list[TracedPdu]:
    """Those after ``after``; none that is wanted: wait for one."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_s
    while not (found := list(islice(filter(wanted, trace.pdus(after)), most))):
        after = max(trace.last, after)
        if not await trace.wait(after, deadline - loop.time()):
            break
    return found


def _listed(found: list[TracedPdu], last: int, missed: bool) -> JSONResponse:
    return JSONResponse({"pdus": [facts(pdu) for pdu in found], "last": last, "missed": missed})


def _asked(request: Request) -> TracedPdu:
    given = request.path_params["number"]
    known = given.isascii() and given.isdecimal() and len(given) <= _NUMBER_DIGITS
    pdu = _trace(request).find(int(given)) if known else None
    if pdu is None:
        raise NotKept("there is no such PDU in the trace, or not any more")
    return pdu


async def _one(request: Request) -> JSONResponse:
    pdu = _asked(request)
    explanation = explanation_of(pdu)
    return JSONResponse(
        {**facts(pdu), **as_json(explanation), "hex": masked_octets(pdu, explanation).hex(), "note": pdu.note}
    )


async def _hex(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{masked_octets(_asked(request)).hex()}\n")


async def _pcap(request: Request) -> Response:
    wanted = _wanted(request)
    kept = [pdu for pdu in _trace(request).pdus() if wanted(pdu)]
    captured: list[Captured] = []
    for pdus in _batches(kept, PCAP_BATCH):
        captured += map(as_captured, pdus)
        await asyncio.sleep(0)  # the phones go on
    file = io.BytesIO()
    await asyncio.to_thread(write_capture, file, captured)
    headers = {"content-disposition": 'attachment; filename="starpound.pcap"'}
    return Response(file.getvalue(), media_type="application/vnd.tcpdump.pcap", headers=headers)


def _batches(pdus: list[TracedPdu], size: int) -> Iterator[list[TracedPdu]]:
    return (pdus[at : at + size] for at in range(0, len(pdus), size))


# --- as a stream --------------------------------------------------------------------------------------------------


async def _stream(websocket: WebSocket) -> None:
    """All PDUs as they pass, one JSON object a message."""
    await websocket.accept()
    try:
        after = int(number(websocket, "after", _trace(websocket).last, 2**53))
    except HTTPException as problem:
        await websocket.close(1008, reason(problem.detail))
        return
    await tell(websocket, _send(websocket, _trace(websocket), after))


async def _send(websocket: WebSocket, trace: WireTrace, after: int) -> None:
    wanted = _wanted(websocket)
    try:
        while not trace.closed:
            if not await trace.wait(after, PING_S):
                if not trace.closed:
                    await websocket.send_json({"kind": "ping"})
                continue
            if (behind := max(trace.forgotten, trace.last - BEHIND_PDUS)) > after:
                after = behind
                await websocket.send_json({"kind": "missed"})
            for pdu in list(islice(trace.pdus(after), BEAT_PDUS)):
                after = pdu.number
                if wanted(pdu):
                    await websocket.send_json(_event(pdu))
            await asyncio.sleep(BEAT_S)
        await websocket.close(1001, "the simulator stops")
    except TooManyWatchers as problem:
        await websocket.close(1013, reason(str(problem)))
    except (WebSocketDisconnect, RuntimeError):
        return


def _event(pdu: TracedPdu) -> dict[str, Any]:
    return {"kind": "pdu", **facts(pdu)}
