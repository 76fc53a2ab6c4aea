"""What happened on a phone, as a transcript, over HTTP."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from smpp_sim.api.requests import number
from smpp_sim.transcripts.recorder import DEFAULT_MASKS, MASKS, record
from smpp_sim.transcripts.transcript import write


def transcript_routes() -> list[Route]:
    """``/api/phones/MSISDN/transcript``."""
    return [Route("/api/phones/{msisdn}/transcript", _transcript)]


async def _transcript(request: Request) -> PlainTextResponse:
    station = request.app.state.centre.network.station(request.path_params["msisdn"])
    after = int(number(request, "after", 0, 2**53))
    steps = record(
        station.msisdn, station.log.after(after), missed=station.log.missed(after), masks=_masks(request)
    )
    return PlainTextResponse(write(steps))


def _masks(request: Request) -> tuple[str, ...]:
    given = request.query_params.get("mask")
    if given is None:
        return DEFAULT_MASKS
    names = tuple(filter(None, given.split(",")))
    for name in names:
        if name not in MASKS:
            raise HTTPException(400, f"no mask {name[:30]!r}; there are {', '.join(MASKS)}")
    return names
