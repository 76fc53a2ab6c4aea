"""The pages: the phone in the browser, from the folder ``static``, and the headers that keep everything else out.

The files are the same for everybody and hold no secret, so they need no token; what they show comes from the control
API, which does. No page has a script or a style of its own inside, so the Content-Security-Policy allows none: a text
that a gateway sends stays a text. Reference: https://www.w3.org/TR/CSP3/.
"""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smpp_sim.api.requests import error

FOLDER = Path(__file__).resolve().parents[1] / "static"
"""Where the files are."""

TYPE_BY_SUFFIX: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
"""What is served; a file with another ending is not."""

_FIXED_HEADERS: Mapping[str, str] = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")


def page_routes() -> list[Route]:
    """``/``, ``/static/...`` and the phone book."""
    return [
        Route("/", _index),
        Route("/static/{path:path}", _file),
        Route("/api/book", _book),
    ]


def is_page(scope: Scope) -> bool:
    """Whether a request is for one of the files, which are for everybody."""
    path = scope["path"]
    return (
        scope["type"] == "http"
        and scope["method"] in ("GET", "HEAD")
        and (path == "/" or path.startswith("/static/"))
    )


def content_security_policy(host: str) -> str:
    """The policy for a page under this ``Host``; browsers differ in whether 'self' holds for WebSockets."""
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            f"connect-src 'self'{sockets}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


class PageHeaders:
    """Puts the headers on every answer, refusals included."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and add the headers on the way back."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        host = Headers(scope=scope).get("host", "")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_FIXED_HEADERS)
                headers["content-security-policy"] = content_security_policy(host)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self.app(scope, receive, send_with_headers)


def static_file(path: str) -> Path | None:
    """The file that is served under this path below ``/static/``; None: there is none, or it lies elsewhere."""
    try:
        found = (FOLDER / path).resolve()
        inside = found.is_relative_to(FOLDER) and found.suffix in TYPE_BY_SUFFIX and found.is_file()
    except (OSError, ValueError):
        return None
    return found if inside else None


async def _index(request: Request) -> Response:
    return _served("index.html")


async def _file(request: Request) -> Response:
    return _served(request.path_params["path"])


def _served(path: str) -> Response:
    found = static_file(path)
    if found is None:
        return error(404, "there is nothing at this address")
    # Asked for anew each time: after an update nobody sees half of the old page.
    headers = {"content-type": TYPE_BY_SUFFIX[found.suffix], "cache-control": "no-cache"}
    return Response(found.read_bytes(), headers=headers)


async def _book(request: Request) -> JSONResponse:
    book = request.app.state.settings.book
    return JSONResponse({"subscribers": [dataclasses.asdict(entry) for entry in book]})
