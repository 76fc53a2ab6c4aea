"""A phone of a simulator that runs elsewhere, over its control API: what `starpound dial` and `starpound sms` do.

Plain functions, plain results. `SimulatorError` says in one line that the simulator is not there or refuses.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

from smpp_sim.phones.facts import Box, ReceivedSms
from smpp_sim.settings import SimulatorError

DEFAULT_URL = "http://127.0.0.1:8105"
"""Where `starpound sim` and `starpound demo` listen unless told otherwise."""

SCREEN_S = 40.0
"""Seconds to wait for a screen: longer than the network gives an application."""

_GOOD = ("ask", "end", "notice")


class RequestRefused(SimulatorError):
    """The simulator is there and says no: this phone cannot do that now, or the request makes no sense."""


@dataclass(slots=True)
class Conversation:
    """What `dial` saw. `problem` is empty when an answer came, or a sentence."""

    msisdn: str
    code: str
    screens: list[Box] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    messages: list[ReceivedSms] = field(default_factory=list)
    problem: str = ""


@dataclass(slots=True)
class Texting:
    """What `send_sms` saw. `problem` is empty when an SMS came back, or a sentence."""

    msisdn: str
    to: str
    text: str
    messages: list[ReceivedSms] = field(default_factory=list)
    problem: str = ""


def dial(
    url: str,
    msisdn: str,
    code: str,
    answers: Iterable[str] = (),
    *,
    ask: Callable[[Box], str | None] | None = None,
    shown: Callable[[Box], None] | None = None,
    wait_sms_s: float = 0.0,
    token: str = "",
) -> Conversation:
    """Dial `code` and go through the dialogue; whatever the phone still showed before is cleared first.

    Questions get the `answers` in turn; when there are none left, what `ask` returns, and a cancel for None or
    without `ask`; an exception on the way, Ctrl-C too, leaves no dialogue open. `shown` sees each screen as it
    comes; none is waited for where no application is bound. With `wait_sms_s` the first SMS that comes since the
    dialling is waited for after the dialogue. Raises `SimulatorError`.
    """
    with RemotePhone(url, msisdn, token) as phone:
        talk = Conversation(phone.msisdn, code)
        phone.do("hang-up")
        with _hanging_up(phone):
            dialled = phone.do("dial", code=code)
            if dialled["state"] == "running" and not phone.somebody_answers():
                talk.problem = (
                    f"no application is bound to the simulator at {phone.url}; start one: starpound serve"
                )
                phone.do("hang-up")
            else:
                _converse(phone, talk, iter(answers), ask, shown)
        if wait_sms_s and not talk.problem:
            talk.messages = phone.messages(dialled["before"], wait_sms_s)
        return talk


def send_sms(
    url: str, msisdn: str, to: str, text: str = "", *, wait_s: float = 5.0, token: str = ""
) -> Texting:
    """Send an SMS, which may be empty, and wait for the first one that comes back. Raises `SimulatorError`."""
    with RemotePhone(url, msisdn, token) as phone:
        talk = Texting(phone.msisdn, to, text)
        sent = phone.do("sms", to=to, text=text)["before"]
        talk.messages = phone.messages(sent, wait_s)
        if not talk.messages:
            talk.problem = f"no SMS came within {wait_s:g} s"
        return talk


def links(url: str, *, token: str = "") -> list[dict[str, Any]]:
    """Who is bound: a dict each, as GET /api/links has them. Raises `SimulatorError`."""
    with RemotePhone(url, "", token) as remote:
        return remote.listed("links", "/api/links")


def switch(url: str, msisdn: str, on: bool, *, token: str = "") -> dict[str, Any]:
    """Switch a phone on or off; its state, as GET /api/phones/MSISDN has it. Raises `SimulatorError`."""
    with RemotePhone(url, msisdn, token) as phone:
        return phone.do("on" if on else "off")


def sent_messages(url: str, limit: int = 100, *, token: str = "") -> list[dict[str, Any]]:
    """The SMS of applications with their states, newest first, as GET /api/messages has them."""
    with RemotePhone(url, "", token) as remote:
        return remote.listed("messages", "/api/messages", params={"limit": limit})


@contextmanager
def _hanging_up(phone: "RemotePhone") -> Iterator[None]:
    """Whoever is interrupted, or cannot go on, leaves no dialogue behind."""
    try:
        yield
    except BaseException:
        with suppress(SimulatorError):
            phone.do("hang-up")
        raise


def _converse(
    phone: "RemotePhone",
    talk: Conversation,
    answers: Iterator[str],
    ask: Callable[[Box], str | None] | None,
    shown: Callable[[Box], None] | None,
) -> None:
    while True:
        screen = phone.next_screen()
        if screen is None:
            talk.problem = f"no answer within {SCREEN_S:g} s"
            return
        talk.screens.append(screen)
        if shown:
            shown(screen)
        if screen.kind == "ask":
            answer = next(answers, None)
            if answer is None and ask:
                answer = ask(screen)
            if answer is None:
                phone.do("cancel")
                return
            talk.answers.append(answer)
            phone.do("answer", text=answer)
            continue
        phone.do("ok")
        if screen.kind == "notice":
            continue
        if screen.kind not in _GOOD:
            talk.problem = screen.text
        return


class RemotePhone:
    """A phone over the control API; a context manager. Everything raises `SimulatorError`, one line."""

    def __init__(self, url: str, msisdn: str, token: str):
        self.url, self.msisdn = url.rstrip("/"), msisdn
        self._path = f"/api/phones/{quote(msisdn, safe='')}"
        self._seen = 0
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # A proxy of the environment has no business between two ends of one machine.
        self._http = httpx.Client(headers=headers, timeout=10, trust_env=False)

    def __enter__(self) -> "RemotePhone":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def do(self, deed: str, **words: str) -> dict[str, Any]:
        """Have the phone do something; its state."""
        state = self.ask("POST", f"{self._path}/{deed}", json=words)
        if deed == "dial":
            self._seen = state["before"]
        return state

    def state(self) -> dict[str, Any]:
        """The phone as it is now, as GET /api/phones/MSISDN has it."""
        return self.ask("GET", self._path)

    def next_screen(self) -> Box | None:
        """The next screen since the dialling, None when none comes."""
        events = self.events(self._seen, "screen", SCREEN_S)
        if not events:
            return None
        first = events[0]
        self._seen = first["number"]
        return Box.of(first)

    def messages(self, after: int, wait_s: float) -> list[ReceivedSms]:
        """SMS since that event, at least one unless the time is over."""
        return [ReceivedSms.of(one) for one in self.events(after, "sms", wait_s)]

    def events(self, after: int, kind: str, wait_s: float) -> list[dict[str, Any]]:
        """Events of a kind since that one."""
        query = {"after": after, "kind": kind, "wait": wait_s}
        return self.listed("events", f"{self._path}/events", params=query, timeout=wait_s + 10)

    def inbox(self) -> list[dict[str, Any]]:
        """The SMS that it has received, as GET /api/phones/MSISDN/inbox has them."""
        return self.listed("messages", f"{self._path}/inbox")

    def transcript(self, after: int = 0) -> str:
        """What happened on the phone after that event, as a transcript."""
        response = self._request("GET", f"{self._path}/transcript", params={"after": after})
        if not response.is_success:
            _answer_in(response, self.url)
        return response.text

    def somebody_answers(self) -> bool:
        """Whether an application is bound, or binds when there is something for it (outbind)."""
        known = self.ask("GET", "/api/links")
        return bool(known["links"] or known["outbind"])

    def listed(self, what: str, path: str, **how: Any) -> list[dict[str, Any]]:
        """What an address lists under that name."""
        found: list[dict[str, Any]] = self.ask("GET", path, **how)[what]
        return found

    def ask(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        """One request; its JSON. Raises `SimulatorError`."""
        return _answer_in(self._request(method, path, **how), self.url)

    def _request(self, method: str, path: str, **how: Any) -> httpx.Response:
        try:
            return self._http.request(method, self.url + path, **how)
        except httpx.HTTPError as problem:
            raise SimulatorError(
                f"no simulator at {self.url} ({problem}); start one: starpound sim"
            ) from None
        except (httpx.InvalidURL, ValueError) as problem:
            raise SimulatorError(f"{self.url!r} is no address of a simulator: {problem}") from None


def _answer_in(response: httpx.Response, url: str) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = response.json()
        words = "" if response.is_success else answer["error"]
    except (ValueError, KeyError, TypeError):
        raise SimulatorError(f"{url} is something else, not a simulator of starpound") from None
    if words:
        raise RequestRefused(words)
    return answer
