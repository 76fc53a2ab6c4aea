"""What our own gateway at the other end tells of its menu: the graph, and at which node a dialogue is.

Passed on from its admin page, so that a page of the simulator need not know where that is; nothing else of it can be
reached through here. Another gateway has none: then the answer is 404.
"""

import ssl
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from smpp_sim.api.requests import error
from smpp_sim.centre.station import NotAnMsisdn

_TIMEOUT_S = 3.0
_MAX_OCTETS = 4 * 1024 * 1024
_NUMBER_DIGITS = 15


def gateway_routes() -> list[Route]:
    """``/api/gateway/menu`` and ``/api/gateway/dialogue``."""
    return [Route("/api/gateway/menu", _menu), Route("/api/gateway/dialogue", _dialogue)]


async def _menu(request: Request) -> JSONResponse:
    return await _passed_on(request, "/menu")


async def _dialogue(request: Request) -> JSONResponse:
    msisdn = request.query_params.get("msisdn", "")
    if not (msisdn.isascii() and msisdn.isdecimal() and len(msisdn) <= _NUMBER_DIGITS):
        raise NotAnMsisdn(f"{msisdn[:30]!r} is no phone number: give ?msisdn= and its digits")
    return await _passed_on(request, f"/dialogues/{msisdn}", none={"node": None})


async def _passed_on(request: Request, path: str, none: dict[str, Any] | None = None) -> JSONResponse:
    """What the admin page says; ``none`` is the answer when there is no such page, or no dialogue."""
    admin = request.app.state.centre.gateway_admin
    if not admin and none is not None:
        return JSONResponse(none)
    if not admin:
        return error(404, "nobody has said where the gateway's admin page is: gateway_admin in the settings")
    try:
        status, body = await _get(admin.rstrip("/") + path)
    except (httpx.HTTPError, ValueError) as problem:
        reason = str(problem) or type(problem).__name__
        return error(502, f"the gateway's admin page at {admin} does not answer as it should: {reason}")
    if status == 404 and none is not None:
        return JSONResponse(none)
    if status != 200:
        return error(502, f"the gateway's admin page at {admin} answered {status}")
    return JSONResponse(body)


async def _get(url: str) -> tuple[int, dict[str, Any]]:
    """Status and object. httpx.HTTPError, ValueError."""
    trust = (
        ssl.create_default_context() if url.startswith("https:") else False
    )  # slow, and for nothing without TLS
    async with (
        httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False, verify=trust) as client,
        client.stream("GET", url) as answer,
    ):
        octets = b""
        async for piece in answer.aiter_bytes():
            octets += piece
            if len(octets) > _MAX_OCTETS:
                raise ValueError(f"more than {_MAX_OCTETS} octets")
    body = httpx.Response(answer.status_code, content=octets).json()
    if not isinstance(body, dict):
        raise ValueError("no JSON object")
    return answer.status_code, body
