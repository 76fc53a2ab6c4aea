"""The control API of a simulator (docs/reference/simulator-api.md), over the standard library."""

import json
import time
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from pytest_starpound.process import StarpoundError

POLL_S = 30.0
"""The longest single wait; the API allows 60."""
_PATIENCE_S = 10.0

Json = dict[str, Any]


class RequestRefused(StarpoundError):
    """The phone cannot do that now, or the request makes no sense."""


@dataclass(frozen=True, slots=True)
class Control:
    """A simulator at `url`, and the bearer token that it wants, if any. Everything raises `StarpoundError`."""

    url: str
    token: str = ""

    def ask(self, path: str, wait_s: float = 0.0, **query: Any) -> Json:
        """What stands at an address, which may take `wait_s` to answer."""
        answer: Json = json.loads(self.read(path, wait_s, **query))
        return answer

    def read(self, path: str, wait_s: float = 0.0, **query: Any) -> str:
        """The same, as text."""
        return self._send("GET", f"{path}?{urlencode(query)}", wait_s + _PATIENCE_S)

    def tell(self, path: str, **words: str) -> Json:
        """Have something done. Raises `RequestRefused` too."""
        answer: Json = json.loads(self._send("POST", path, _PATIENCE_S, json.dumps(words)))
        return answer

    def events(self, path: str, after: int, kind: str, wait_s: float) -> list[Json]:
        """Events of a kind after that number; waits for the first one, so many seconds at most."""
        deadline = time.monotonic() + wait_s
        while True:
            left_s = min(max(deadline - time.monotonic(), 0.0), POLL_S)
            found: list[Json] = self.ask(path, left_s, after=after, kind=kind, wait=left_s)["events"]
            if found or time.monotonic() >= deadline:
                return found

    def _send(self, method: str, path: str, patience_s: float, body: str | None = None) -> str:
        headers = {"Content-Type": "application/json"} if body else {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            with closing(HTTPConnection(urlsplit(self.url).netloc, timeout=patience_s)) as connection:
                connection.request(method, path, body, headers)
                response = connection.getresponse()
                answer = response.read().decode()
        except (HTTPException, OSError) as problem:
            raise StarpoundError(f"the simulator at {self.url} does not answer: {problem}") from None
        if response.status >= 400:
            raise RequestRefused(_reason(answer))
        return answer


def phone_path(msisdn: str) -> str:
    """Where a phone is."""
    return f"/api/phones/{quote(msisdn, safe='')}"


def _reason(answer: str) -> str:
    try:
        return str(json.loads(answer)["error"])
    except (ValueError, KeyError, TypeError):
        return answer
