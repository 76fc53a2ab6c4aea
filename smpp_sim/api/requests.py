"""What comes in at the control API, read and checked, and the form of every error."""

import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse

MAX_BODY_OCTETS = 64 * 1024
"""Octets of a request's body; a larger one is answered 413."""
MAX_WAIT_S = 60.0
"""Seconds that one request may wait."""


def error(status: int, sentence: str, headers: Any = None) -> JSONResponse:
    """An answer that says what is wrong."""
    return JSONResponse({"error": sentence}, status, headers=headers)


async def words(request: Request, *required: str, **optional: str) -> dict[str, str]:
    """The texts in a JSON body; no others are allowed."""
    body = await _body(request)
    if body and not request.headers.get("content-type", "").startswith("application/json"):
        raise HTTPException(415, "send JSON, and say so: Content-Type: application/json")
    given = _object(body)
    for name, value in given.items():
        if name not in required and name not in optional:
            raise HTTPException(400, f"unknown {name[:30]!r}; expected {_expected(required, optional)}")
        if not isinstance(value, str) or not _encodable(value):
            raise HTTPException(400, f"{name!r} must be a text")
    missing = [name for name in required if name not in given]
    if missing:
        raise HTTPException(400, f"{missing[0]!r} is missing; expected {_expected(required, optional)}")
    return {**optional, **given}


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_OCTETS:
            raise HTTPException(413, f"a body has at most {MAX_BODY_OCTETS} octets", {"connection": "close"})
    return body


def _object(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise HTTPException(400, f"this is not JSON: {problem}") from None
    if not isinstance(given, dict):
        raise HTTPException(400, 'send an object, as in {"code": "*100#"}')
    return given


def _expected(required: tuple[str, ...], optional: dict[str, str]) -> str:
    return ", ".join([*required, *(f"{name} (may be left out)" for name in optional)]) or "nothing"


def _encodable(text: str) -> bool:
    """JSON can carry half a surrogate pair, which is no text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def number(connection: HTTPConnection, name: str, default: float, most: float) -> float:
    """A number, 0 to `most`, in the query."""
    given = connection.query_params.get(name)
    try:
        value = default if given is None else float(given)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise HTTPException(400, f"{name} must be a number, 0 or more")
    return min(value, most)


def kinds(connection: HTTPConnection) -> frozenset[str]:
    """The kinds of event that the query names."""
    return frozenset(filter(None, connection.query_params.get("kind", "").split(",")))
