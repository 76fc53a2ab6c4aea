"""GET /healthz and GET /metrics, for those who watch the daemon; GET /menu and GET /dialogues/MSISDN, for a tester.

The last two say which screens there are, and before which one a subscriber is just now: never what was said on it. They
answer this machine only, whatever address the page listens at, and no web page of somebody else's.
"""

import contextlib
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from data.model import DialogueRecord
from gateway.watch.metrics import Metrics
from menus.diagram import graph
from menus.model import Menu

FindDialogue = Callable[[str], Awaitable[DialogueRecord | None]]
"""The open dialogue of an MSISDN, as `data.store.Store.dialogue`."""


class AdminServer(uvicorn.Server):
    """A uvicorn server that leaves the signals to the daemon."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def admin_app(
    metrics: Metrics,
    problems: Callable[[], Mapping[str, str | None]],
    menu: Menu | None = None,
    find_dialogue: FindDialogue | None = None,
) -> Starlette:
    """The pages. `problems` maps each link's name to why it is down, None for one that is bound.

    Those for a tester are there when `menu` and `find_dialogue` are given.
    """

    async def healthz(_: Request) -> Response:
        links = problems()
        up = all(problem is None for problem in links.values())
        body = {
            "status": "ok" if up else "degraded",
            "links": {name: problem or "bound" for name, problem in links.items()},
        }
        return JSONResponse(body, 200 if up else 503)

    async def exposition(_: Request) -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    routes = [Route("/healthz", healthz), Route("/metrics", exposition)]
    if menu is not None and find_dialogue is not None:
        routes += _tester_routes(menu, find_dialogue)
    return Starlette(routes=routes)


def _tester_routes(menu: Menu, find_dialogue: FindDialogue) -> list[Route]:
    async def menu_graph(request: Request) -> Response:
        return JSONResponse(graph(menu)) if _is_from_here(request) else _NOT_FROM_HERE

    async def node(request: Request) -> Response:
        if not _is_from_here(request):
            return _NOT_FROM_HERE
        record = await find_dialogue(request.path_params["msisdn"])
        if record is None or not record.node:
            return JSONResponse({"error": "there is no open dialogue of this number"}, 404)
        return JSONResponse({"node": record.node, "page": record.page})

    return [Route("/menu", menu_graph), Route("/dialogues/{msisdn}", node)]


_NOT_FROM_HERE = JSONResponse({"error": "this page is for the machine that the gateway runs on"}, 403)


def _is_from_here(request: Request) -> bool:
    """From this machine, under its own name: a name that leads here is what a foreign web page would use."""
    client = request.client.host if request.client else ""
    return _is_loopback(client) and _is_loopback(request.url.hostname or "")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 picks a free one. Raises OSError."""
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)


def admin_server(app: Starlette) -> AdminServer:
    """The server; run it with ``await server.serve(sockets=[listen(...)])``."""
    return AdminServer(
        uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    )
