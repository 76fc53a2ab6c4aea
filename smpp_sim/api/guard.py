"""Who may use the control API: nobody through somebody else's web page, nobody without the token if there is one."""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from smpp_sim.api.pages import is_page
from smpp_sim.api.requests import error
from smpp_sim.settings import SimulatorSettings, is_loopback, same_secret


class Guard:
    """Keeps out requests that come through somebody else's web page, and those without the token.

    The files of the pages need no token: a browser cannot send one before there is a page to ask for it.
    """

    def __init__(self, app: ASGIApp, settings: SimulatorSettings):
        self.app, self.token = app, settings.http_token
        self.names = {"localhost", "127.0.0.1", "::1", settings.http_host}
        self.any_name = not is_loopback(settings.http_host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        problem = self._problem(HTTPConnection(scope))
        if problem is None:
            return await self.app(scope, receive, send)
        if scope["type"] == "websocket":
            return await WebSocket(scope, receive, send).close(1008, problem[1])
        return await error(*problem)(scope, receive, send)

    def _problem(self, connection: HTTPConnection) -> tuple[int, str] | None:
        host, origin = connection.headers.get("host", ""), connection.headers.get("origin")
        if not self.any_name and _host_name(f"//{host}") not in self.names:
            return 403, f"this is not {host[:60]}: use the address that the simulator printed"
        if origin is not None and _place(origin) != host:
            return 403, f"pages of {origin[:60]} may not use this simulator"
        if self.token and not is_page(connection.scope) and not self._has_token(connection):
            return 401, "a token is needed: Authorization: Bearer TOKEN, ?token=TOKEN, or the option --token"
        return None

    def _has_token(self, connection: HTTPConnection) -> bool:
        scheme, _, given = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            given = connection.query_params.get("token", "")
        return same_secret(given, self.token)


def _place(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _host_name(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
