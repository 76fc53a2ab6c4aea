"""The messages of ESMEs over HTTP: their states, and how a tester has one end as he likes."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from smpp_sim.api.requests import error, number, words
from smpp_sim.centre.centre import Centre
from smpp_sim.centre.sent_sms import Copy, MessageState, SentSms

MAX_LISTED = 1000
"""Messages in a list."""

_ENDS: Mapping[str, MessageState] = {
    state.name: state
    for state in MessageState
    if state not in (MessageState.ENROUTE, MessageState.DELIVERED, MessageState.UNKNOWN)
}


def message_routes() -> list[Route]:
    """``/api/messages`` and what is below it."""
    return [
        Route("/api/messages", _messages),
        Route("/api/messages/{message_id}", _message),
        Route("/api/messages/{message_id}", _settle, methods=["POST"]),
    ]


async def _messages(request: Request) -> JSONResponse:
    centre = request.app.state.centre
    most = int(number(request, "limit", 100, MAX_LISTED))
    return JSONResponse(
        {"messages": [_facts(centre, one) for one in islice(centre.network.sms.messages(), most)]}
    )


async def _message(request: Request) -> JSONResponse:
    centre = request.app.state.centre
    message = centre.network.sms.message(request.path_params["message_id"])
    return JSONResponse(_facts(centre, message)) if message else error(404, "there is no such message")


async def _settle(request: Request) -> JSONResponse:
    centre: Centre = request.app.state.centre
    state = (await words(request, "state"))["state"]
    message = centre.network.sms.message(request.path_params["message_id"])
    if message is None:
        return error(404, "there is no such message")
    if state not in _ENDS:
        return error(400, f"a message cannot end as {state[:30]!r}; it can as {', '.join(_ENDS)}")
    centre.settle(message, _ENDS[state])
    return JSONResponse(_facts(centre, message))


def _facts(centre: Centre, message: SentSms) -> dict[str, Any]:
    wall = centre.network.wall
    waiting = bool(message.waiting)
    return {
        "id": message.message_id,
        "system_id": message.system_id,
        "source": message.sms.sender,
        "text": message.sms.text,
        "submitted": round(wall(message.submitted), 3),
        "due": round(wall(message.due), 3) if waiting and message.due else None,
        "expires": round(wall(message.expires), 3) if waiting else None,
        "copies": [_copy_facts(copy) for copy in message.copies],
    }


def _copy_facts(copy: Copy) -> dict[str, Any]:
    final = round(copy.final, 3) if copy.final is not None else None
    return {"to": copy.msisdn, "state": copy.state.name, "error": copy.error, "final": final}
