"""GET /healthz and GET /metrics, for those who watch the daemon."""

import contextlib
import socket
from collections.abc import Callable, Iterator, Mapping

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.metrics import Metrics


class AdminServer(uvicorn.Server):
    """A uvicorn server that leaves the signals to the daemon."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def admin_app(metrics: Metrics, problems: Callable[[], Mapping[str, str | None]]) -> Starlette:
    """The two pages. `problems` maps each link's name to why it is down, None for one that is bound."""

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

    return Starlette(routes=[Route("/healthz", healthz), Route("/metrics", exposition)])


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 picks a free one. Raises OSError."""
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)


def admin_server(app: Starlette) -> AdminServer:
    """The server; run it with ``await server.serve(sockets=[listen(...)])``."""
    return AdminServer(
        uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    )
