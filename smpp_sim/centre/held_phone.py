"""A phone in the hand of whoever runs in the simulator's own loop.

>>> phone = simulator.phone("79260000003")
>>> phone.dial("*105*00#")
>>> assert "OK" in (await phone.screen()).text
>>> phone.press_ok()
"""

from typing import Any

from smpp_sim.centre.centre import Centre
from smpp_sim.phones.events import LogEvent
from smpp_sim.phones.facts import Box, ReceivedSms


class NothingCame(AssertionError):
    """What was waited for did not come in time; the message tells what the phone did show."""


class HeldPhone:
    """One phone of `Centre`. Each screen and each SMS that comes from now on is handed out once, in order.

    Actions raise `NotPossible` and act at once; `screen` and `sms` wait.
    """

    def __init__(self, centre: Centre, msisdn: str):
        self._centre = centre
        self._station = centre.network.station(msisdn)
        self.msisdn = self._station.msisdn
        self._seen = dict.fromkeys(("screen", "sms"), self._station.log.last)

    @property
    def state(self) -> str:
        """What the display shows: idle, running, asked or showing; off when the phone is."""
        return self._station.handset.state.value

    def dial(self, code: str) -> None:
        """Dial a code."""
        self._centre.dial(self.msisdn, code)

    def answer(self, text: str) -> None:
        """Answer the question on the display."""
        self._centre.answer(self.msisdn, text)

    def press_ok(self) -> None:
        """Close the box; under a question: answer with nothing."""
        self._centre.press_ok(self.msisdn)

    def cancel(self) -> None:
        """Give the dialogue up."""
        self._centre.cancel(self.msisdn)

    def hang_up(self) -> None:
        """Clear the display, whatever it shows."""
        self._centre.hang_up(self.msisdn)

    def lose(self) -> None:
        """Have the network lose the dialogue, as at a time-out."""
        self._centre.lose(self.msisdn)

    def send_sms(self, to: str, text: str = "") -> None:
        """Send an SMS."""
        self._centre.send_sms(self.msisdn, to, text)

    def switch_off(self) -> None:
        """Nothing reaches the phone any more: an SMS waits, a dialogue ends."""
        self._centre.switch(self.msisdn, on=False)

    def switch_on(self) -> None:
        """What has waited arrives."""
        self._centre.switch(self.msisdn, on=True)

    def read(self) -> None:
        """Read the SMS that came; senders that asked for it hear of it."""
        self._centre.read(self.msisdn)

    async def screen(self, timeout_s: float = 5.0) -> Box:
        """The next box that the display shows or has shown. Raises `NothingCame`."""
        return Box.of(await self._next("screen", timeout_s))

    async def sms(self, timeout_s: float = 5.0) -> ReceivedSms:
        """The next SMS that arrives or has arrived. Raises `NothingCame`."""
        return ReceivedSms.of(await self._next("sms", timeout_s))

    async def _next(self, kind: str, timeout_s: float) -> dict[str, Any]:
        found = await self._station.log.wait(self._seen[kind], frozenset({kind}), timeout_s)
        if not found:
            raise NothingCame(f"no {kind} on {self.msisdn} within {timeout_s:g} s; {self._so_far()}")
        self._seen[kind] = found[0].number
        return found[0].data

    def _so_far(self) -> str:
        last = self._station.log.after(self._station.log.last - 5)
        told = "; ".join(_tell(event) for event in last) or "nothing at all"
        links = ", ".join(link.system_id for link in self._centre.links if link.bind) or "nobody"
        return f"the display is {self.state}, bound is {links}, the last it did: {told}"


def _tell(event: LogEvent) -> str:
    words = [
        str(event.data[key]) for key in ("screen", "code", "sender", "to", "text") if event.data.get(key)
    ]
    return " ".join([event.kind, *words])
