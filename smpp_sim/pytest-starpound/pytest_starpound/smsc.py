"""A simulator for tests that are plain functions: started, asked, stopped.

>>> with Smsc() as smsc:
...     start_my_application(smsc.host, smsc.port, smsc.system_id, smsc.password)
...     smsc.wait_bound()
...     smsc.phone().dial("*100#").expect("Balance").ends()
"""

import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pytest_starpound.control import Control, Json
from pytest_starpound.phone import Phone, Unexpected, indented
from pytest_starpound.process import Process, StarpoundError

COMMAND = "starpound"
DEFAULT_PHONE = "79260000003"
ACCOUNT = {"system_id": "gw", "password": "secret"}
"""Who may bind unless the settings say otherwise."""
TOLD_PDUS = 12
"""PDUs in the message of a failure."""


class Smsc:
    """`start`, or use it as a context manager; then `port` says where an application may bind.

    `settings` are those of the simulator's file; ports that they leave out are free ones. `timeout_s` is how long
    phones wait for a screen or an SMS unless told otherwise.
    """

    def __init__(
        self,
        settings: Mapping[str, Any] | None = None,
        *,
        command: str = COMMAND,
        timeout_s: float = 5.0,
        default_phone: str = DEFAULT_PHONE,
    ):
        self.settings: Json = {"accounts": [ACCOUNT], **(settings or {})}
        self.timeout_s, self.default_phone = timeout_s, default_phone
        self._process = Process(command, self.settings)

    def __enter__(self) -> "Smsc":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen. Raises `StarpoundError`, one line."""
        self._process.start()

    def stop(self) -> None:
        """Unbind everybody and close; harmless when it is stopped already."""
        self._process.stop()

    # --- where to bind ----------------------------------------------------------------------------------------

    @property
    def host(self) -> str:
        """Address to connect to."""
        return self._process.place.smpp_host

    @property
    def port(self) -> int:
        """Port to connect to."""
        return self._process.place.smpp_port

    @property
    def system_id(self) -> str:
        """Name to bind with: of the first account, if there are several."""
        name: str = self.settings["accounts"][0]["system_id"]
        return name

    @property
    def password(self) -> str:
        """Password to bind with."""
        secret: str = self.settings["accounts"][0]["password"]
        return secret

    @property
    def url(self) -> str:
        """The control API, for `starpound dial --sim` while a test waits, and for everything else."""
        return self._process.place.url

    @property
    def smtp_port(self) -> int | None:
        """The mailbox, if the settings have one."""
        return self._process.place.smtp_port

    # --- what there is ----------------------------------------------------------------------------------------

    @property
    def control(self) -> Control:
        """The simulator, to be asked and told. Raises `StarpoundError` when it is not running."""
        if not self._process.running:
            raise StarpoundError("the simulator is not running")
        return Control(self.url, self.settings.get("http_token", ""))

    def wait_bound(self, system_id: str = "", timeout_s: float = 10.0) -> None:
        """Wait until that application (unless given: the one of the first account) is bound. Raises `Unexpected`."""
        __tracebackhide__ = True
        system_id, deadline = system_id or self.system_id, time.monotonic() + timeout_s
        while True:
            known = self.control.ask("/api/links")
            if any(link["system_id"] == system_id for link in known["links"]):
                return
            left_s = max(deadline - time.monotonic(), 0)
            if not self.control.events("/api/links/events", known["last"], "bound", left_s):
                said = f"{system_id} did not bind within {timeout_s:g} s to {self.host}:{self.port}"
                raise Unexpected(f"{said}\n\n{self.story()}")

    @property
    def links(self) -> list[Json]:
        """Who is bound, as GET /api/links has it."""
        bound: list[Json] = self.control.ask("/api/links")["links"]
        return bound

    @property
    def letters(self) -> list[Json]:
        """Letters in the mailbox, as GET /api/mail has them."""
        letters: list[Json] = self.control.ask("/api/mail")["letters"]
        return letters

    def phone(self, msisdn: str = "") -> Phone:
        """A phone, from now on: what came to it before is not looked at."""
        return Phone(self, msisdn or self.default_phone)

    def replay(self, file: str | Path, *, timeout_s: float | None = None) -> None:
        """Play a transcript; `Unexpected` with the difference when it goes otherwise.

        Raises `StarpoundError` for a file that does not parse.
        """
        __tracebackhide__ = True
        patience_s = self.timeout_s if timeout_s is None else timeout_s
        control = self.control
        options = ["--sim", control.url, "--token", control.token, "--timeout", str(patience_s), "--json"]
        done = self._process.output("replay", str(file), *options)
        if done.returncode not in (0, 1):
            raise StarpoundError(done.stderr.strip().removeprefix("Error: "))
        played = json.loads(done.stdout)["files"][0]
        if not played["right"]:
            lines = "\n".join(played["difference"])
            raise Unexpected(f"{file}:{played['line']}: {played['problem']}\n{lines}\n\n{self.story()}")

    def story(self) -> str:
        """Who has bound, who has gone, the last PDUs, and the simulator's log, for the message of a failure."""
        control = self.control
        known = control.ask("/api/links")
        came = control.events("/api/links/events", max(known["last"] - 10, 0), "", 0)
        wire = _wire(control.ask("/api/trace", limit=TOLD_PDUS)["pdus"])
        told = [
            *_bound(known),
            *map(_event, came),
            "",
            "The wire, newest last:",
            indented(wire or ["nothing"]),
        ]
        if said := self._process.log():
            told += ["", "The simulator's log:", indented(said)]
        return "\n".join(told)


def _bound(known: Json) -> list[str]:
    bound = [f"{link['system_id']} ({link['bind']}, from {link['peer']})" for link in known["links"]]
    strangers = [f"{peer} is connected and has not bound" for peer in known["not_bound"]]
    return [f"bound: {', '.join(bound) or 'nobody'}", *strangers]


def _event(event: Json) -> str:
    return f"  {event['kind']} {event['system_id']} {event['peer']} {event.get('reason', '')}".rstrip()


def _wire(pdus: Iterable[Json]) -> list[str]:
    arrows = {"out": "→", "in": "←"}
    return [f"{arrows[pdu['direction']]} {pdu['account'] or pdu['peer']}  {pdu['one_line']}" for pdu in pdus]
