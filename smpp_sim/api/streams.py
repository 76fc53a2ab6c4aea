"""What the WebSockets of the control API have in common: they tell, and do not listen."""

import asyncio
from collections.abc import Coroutine

from starlette.websockets import WebSocket

PING_S = 20.0
"""Seconds of silence after which a stream says that it is still there."""

_DEAF = (
    "a stream only tells: dial, answer and the rest are POST requests, see docs/reference/simulator-api.md"
)


async def tell(websocket: WebSocket, telling: Coroutine[None, None, None]) -> None:
    """Run `telling` until it ends or the client has gone; a client that talks hears once that nobody listens."""
    tasks = {asyncio.ensure_future(telling), asyncio.ensure_future(_until_closed(websocket))}
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _until_closed(websocket: WebSocket) -> None:
    talked = False
    while (await websocket.receive())["type"] != "websocket.disconnect":
        if not talked:
            talked = True
            await websocket.send_json({"kind": "error", "error": _DEAF})


def reason(words: str) -> str:
    """What fits a close frame (RFC 6455 §5.5: 123 octets)."""
    return words.encode()[:120].decode(errors="ignore")
