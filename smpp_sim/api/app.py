"""Control over HTTP and WebSocket: what `starpound dial` and the phone in the browser use.

Described for its users in docs/reference/simulator-api.md. Every answer is JSON; an error is
``{"error": "one sentence"}``. It listens on a loopback address unless there is a token, and answers only to names of
its own in Host and Origin, so that no web page of somebody else's reaches it through the tester's browser.
"""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from smpp_sim.api.gateway import gateway_routes
from smpp_sim.api.guard import Guard
from smpp_sim.api.messages import message_routes
from smpp_sim.api.pages import PageHeaders, page_routes
from smpp_sim.api.requests import MAX_WAIT_S, error, kinds, number, words
from smpp_sim.api.streams import PING_S, reason, tell
from smpp_sim.api.trace import NotKept, trace_routes
from smpp_sim.api.transcript import transcript_routes
from smpp_sim.centre.centre import Centre, describe
from smpp_sim.centre.delivery import QueueFull
from smpp_sim.centre.station import MobileStation, NotAnMsisdn
from smpp_sim.mailbox import Mailbox
from smpp_sim.phones.events import EventLog
from smpp_sim.phones.facts import screen_facts, sms_facts
from smpp_sim.phones.handset import NotPossible
from smpp_sim.settings import SimulatorSettings
from smpp_sim.watching import TooManyWatchers

log = logging.getLogger("starpound.sim")

MAX_LISTED = 1000
"""Phones in a list."""

Endpoint = Callable[[Request], Awaitable[Response]]


def build_app(centre: Centre, mailbox: Mailbox, settings: SimulatorSettings) -> Starlette:
    """The ASGI application."""
    app = Starlette(
        routes=[
            Route("/api", _about),
            Route("/api/links", _links),
            Route("/api/links/events", _link_events),
            Route("/api/phones", _phones),
            Route("/api/phones/{msisdn}", _phone),
            Route("/api/phones/{msisdn}/inbox", _inbox),
            Route("/api/phones/{msisdn}/events", _phone_events),
            Route("/api/phones/{msisdn}/dial", _dial, methods=["POST"]),
            Route("/api/phones/{msisdn}/answer", _answer, methods=["POST"]),
            Route("/api/phones/{msisdn}/sms", _sms, methods=["POST"]),
            Route("/api/phones/{msisdn}/{deed:str}", _deed, methods=["POST"]),
            *message_routes(),
            *transcript_routes(),
            *page_routes(),
            *trace_routes(),
            *gateway_routes(),
            Route("/api/mail", _mail),
            Route("/api/mail/events", _mail_events),
            Route("/api/mail/{number:int}", _letter),
            WebSocketRoute("/api/phones/{msisdn}/stream", _stream),
        ],
        exception_handlers={HTTPException: _on_http_error, **dict.fromkeys(_STATUS_BY_ERROR, _on_refusal)},
    )
    app.state.centre, app.state.mailbox, app.state.settings = centre, mailbox, settings
    app.add_middleware(Guard, settings=settings)
    app.add_middleware(PageHeaders)
    return app


# --- answers ------------------------------------------------------------------------------------------------------

_STATUS_BY_ERROR: dict[type[Exception], int] = {
    NotAnMsisdn: 400,
    NotKept: 404,
    NotPossible: 409,
    QueueFull: 503,
    TooManyWatchers: 503,
}


async def _on_http_error(request: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, HTTPException), "registered for no other"
    reasons = {404: "there is nothing at this address", 405: "this address does not take that method"}
    return error(problem.status_code, reasons.get(problem.status_code, problem.detail), problem.headers)


async def _on_refusal(request: Request, problem: Exception) -> JSONResponse:
    return error(_STATUS_BY_ERROR[type(problem)], str(problem))


# --- the simulator ------------------------------------------------------------------------------------------------


async def _about(request: Request) -> JSONResponse:
    state = request.app.state
    return JSONResponse(
        {
            "name": "starpound simulator",
            "smpp_port": state.centre.port,
            "smtp_port": state.mailbox.port or None,
            "phones": len(state.centre.network.stations),
            "links": len(_bound(state.centre)),
        }
    )


def _bound(centre: Centre) -> list[dict[str, Any]]:
    return [describe(centre, link) for link in centre.links if link.bind]


async def _links(request: Request) -> JSONResponse:
    centre = request.app.state.centre
    strangers = [link.peer for link in centre.links if not link.bind]
    outbinds = [account.system_id for account in request.app.state.settings.accounts if account.outbind]
    known = {"links": _bound(centre), "not_bound": strangers, "outbind": outbinds, "last": centre.log.last}
    return JSONResponse(known)


async def _link_events(request: Request) -> JSONResponse:
    return await _events(request, request.app.state.centre.log)


# --- phones -------------------------------------------------------------------------------------------------------


def _state(station: MobileStation) -> dict[str, Any]:
    handset = station.handset
    box = handset.screen if handset.screen and handset.screen.kind != "running" else None
    return {
        "msisdn": station.msisdn,
        "state": handset.state.value,
        "display": screen_facts(box) if box else None,
        "hidden": len(handset.hidden),
        "inbox": len(station.inbox.messages),
        "last": station.log.last,
    }


def _station(request: HTTPConnection) -> MobileStation:
    station: MobileStation = request.app.state.centre.network.station(request.path_params["msisdn"])
    return station


async def _phones(request: Request) -> JSONResponse:
    stations = request.app.state.centre.network.stations
    latest = list(stations.values())[-MAX_LISTED:]
    return JSONResponse({"phones": [_state(station) for station in reversed(latest)], "all": len(stations)})


async def _phone(request: Request) -> JSONResponse:
    return JSONResponse(_state(_station(request)))


async def _inbox(request: Request) -> JSONResponse:
    messages = _station(request).inbox.messages
    return JSONResponse({"messages": [{**sms_facts(sms), "at": round(sms.at, 3)} for sms in messages]})


async def _phone_events(request: Request) -> JSONResponse:
    return await _events(request, _station(request).log)


async def _dial(request: Request) -> JSONResponse:
    given = await words(request, "code")
    return _acted(request, request.app.state.centre.dial, given["code"])


async def _answer(request: Request) -> JSONResponse:
    given = await words(request, text="")
    return _acted(request, request.app.state.centre.answer, given["text"])


async def _sms(request: Request) -> JSONResponse:
    given = await words(request, "to", text="")
    return _acted(request, request.app.state.centre.send_sms, given["to"], given["text"])


_DEEDS: dict[str, Callable[[Centre, str], MobileStation]] = {
    "ok": Centre.press_ok,
    "cancel": Centre.cancel,
    "hang-up": Centre.hang_up,
    "lose": Centre.lose,
    "on": partial(Centre.switch, on=True),
    "off": partial(Centre.switch, on=False),
    "read": Centre.read,
}


async def _deed(request: Request) -> JSONResponse:
    deed = _DEEDS.get(request.path_params["deed"])
    if deed is None:
        known = ", ".join(["dial", "answer", "sms", *_DEEDS])
        return error(404, f"a phone cannot {request.path_params['deed'][:30]!r}; it can {known}")
    await words(request)
    return _acted(request, lambda msisdn: deed(request.app.state.centre, msisdn))


def _acted(request: Request, deed: Callable[..., MobileStation], *words: str) -> JSONResponse:
    """Do it; the phone's state, and the number after which to look for what it brings about."""
    before = _station(request).log.last
    station = deed(request.path_params["msisdn"], *words)
    return JSONResponse({**_state(station), "before": before})


# --- mail ---------------------------------------------------------------------------------------------------------


async def _mail(request: Request) -> JSONResponse:
    mailbox = request.app.state.mailbox
    return JSONResponse(
        {"letters": [letter.as_dict() for letter in mailbox.letters], "last": mailbox.log.last}
    )


async def _mail_events(request: Request) -> JSONResponse:
    return await _events(request, request.app.state.mailbox.log)


async def _letter(request: Request) -> JSONResponse:
    letter = request.app.state.mailbox.letter(request.path_params["number"])
    return JSONResponse(letter.as_dict()) if letter else error(404, "there is no such letter")


# --- watching -----------------------------------------------------------------------------------------------------


async def _events(request: Request, events: EventLog) -> JSONResponse:
    """What happened after number ``after``; with ``wait`` it waits so many seconds for the first one."""
    after = int(number(request, "after", 0, 2**53))
    wait_s = number(request, "wait", 0, MAX_WAIT_S)
    found = await events.wait(after, kinds(request), wait_s)
    last = found[-1].number if found else max(after, 0)
    missed = events.missed(after)
    return JSONResponse({"events": [event.as_dict() for event in found], "last": last, "missed": missed})


async def _stream(websocket: WebSocket) -> None:
    """All events of a phone as they happen, one JSON object a message."""
    await websocket.accept()
    try:
        events = _station(websocket).log
        after = int(number(websocket, "after", events.last, 2**53))
    except (NotAnMsisdn, NotPossible) as problem:
        await websocket.close(1008, reason(str(problem)))
        return
    except HTTPException as problem:
        await websocket.close(1008, reason(problem.detail))
        return
    await tell(websocket, _send_events(websocket, events, after))


async def _send_events(websocket: WebSocket, events: EventLog, after: int) -> None:
    try:
        while not events.closed:
            if events.missed(after):
                after = events.forgotten
                await websocket.send_json({"kind": "missed"})
            found = await events.wait(after, kinds(websocket), PING_S)
            for event in found:
                await websocket.send_json(event.as_dict())
                after = event.number
            if not found and not events.closed:
                await websocket.send_json({"kind": "ping"})
        await websocket.close(1001, "the simulator stops")
    except TooManyWatchers as problem:
        await websocket.close(1013, reason(str(problem)))
    except (WebSocketDisconnect, RuntimeError):
        return
