"""A scenario, played on a running centre: phones that follow their scripts, and faults that come and go.

Time is that of the loop, so that a test may run it on a loop whose clock it turns itself.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import fields, replace

from smpp_sim.centre.centre import Centre
from smpp_sim.centre.delivery import QueueFull
from smpp_sim.centre.faults import NoFaults
from smpp_sim.centre.station import MobileStation
from smpp_sim.phones.events import LogEvent
from smpp_sim.phones.handset import DisplayState, NotPossible
from smpp_sim.scenarios.arrivals import Visit, visits
from smpp_sim.scenarios.faults import FaultTable
from smpp_sim.scenarios.faults_link import LinkFaults
from smpp_sim.scenarios.judge import Judge
from smpp_sim.scenarios.scenario import PERIODS, Chance, Fault, MoSms, Scenario, Spread, VisitStep
from smpp_sim.scenarios.summary import Summary, VisitOutcome, begin
from smpp_sim.settings import SimulatorError, SimulatorSettings
from smpp_sim.transcripts.transcript import matches

_SETTLE_S = 15.0
"""Seconds after the last visit in which an ESME may still send again what it has to."""
_LOOK_S = 0.05
_SEEN = frozenset({"screen", "idle"})


def settings_for(scenario: Scenario, settings: SimulatorSettings) -> SimulatorSettings:
    """The settings with what the scenario says about the centre. Raises `SimulatorError` for unknown accounts."""
    known = [account.system_id for account in settings.accounts]
    for at, fault in enumerate(scenario.faults):
        if fault.account is not None and fault.account not in known:
            raise SimulatorError(
                f"faults.{at}.account: nobody binds as {fault.account}; known: {', '.join(known)}"
            )
    changes = {
        one.name: value
        for one in fields(scenario.centre)
        if (value := getattr(scenario.centre, one.name)) is not None
    }
    of_network = {name: changes.pop(name) for name in ("answer_s", "user_s") if name in changes}
    return replace(settings, **changes, network=replace(settings.network, **of_network))


class _Off(Exception):
    """A visit does not go as its script says."""

    def __init__(self, outcome: VisitOutcome, what: str):
        super().__init__(what)
        self.outcome: VisitOutcome = outcome


class ScenarioRun:
    """One run: `await run()` once, with an ESME bound or about to bind. `summary` may be looked at meanwhile.

    `seed` stands in for the scenario's own.
    """

    def __init__(self, centre: Centre, scenario: Scenario, seed: int | None = None):
        self.scenario = scenario
        self._centre, self._network = centre, centre.network
        self._loop = asyncio.get_running_loop()
        self._chance = Chance(scenario.seed if seed is None else seed)
        self.summary = begin(scenario, self._chance.seed)
        self.judge = Judge(self._network.profile, centre.settings.peer_window, self._loop.time)
        self._table = FaultTable(scenario.faults, self._chance)
        self.summary.faults, self.summary.wrong = self._table.injected, self.judge.wrong
        self._phones: dict[str, asyncio.Lock] = {}
        self._rebinds: set[asyncio.Task[None]] = set()

    async def run(self) -> Summary:
        """Play it to its end: all visits over, everybody back, nothing left to be sent again.

        Cancelled, it leaves a summary of what was until then, which is not good.
        """
        started = self._loop.time()
        faults = LinkFaults(self._table, self._centre, self.judge, self._loop.time)
        self._centre.suffer(faults)
        periods = [
            self._loop.create_task(self._period(fault, faults))
            for fault in self.scenario.faults
            if fault.kind in PERIODS or fault.kind == "bind_refused"
        ]
        try:
            await self._visit_all(started)
            await self._see_off(periods)
            await self._settle()
            self.judge.finish()
        except asyncio.CancelledError:
            self.summary.problems.append("it was interrupted")
            raise
        finally:
            await _cancelled([*periods, *self._rebinds])
            faults.stop()
            self._centre.suffer(NoFaults())
            self.summary.examples += self.judge.examples
            self.summary.seconds = self._loop.time() - started
        self.summary.judge(self.scenario.expect)
        return self.summary

    # --- faults that last -------------------------------------------------------------------------------------

    async def _period(self, fault: Fault, faults: LinkFaults) -> None:
        """Begin and end it, again and again if it is to come again."""
        begins = faults.started + fault.from_s
        while fault.from_s < self.scenario.duration_s:
            await self._until(begins)
            accounts = {link.system_id for link in self._centre.links if link.bind}
            await _unbroken(self._one_period(fault, faults, begins, accounts))
            if fault.every_s is None:
                return
            begins += fault.every_s
            if begins - faults.started >= self.scenario.duration_s:
                return

    async def _one_period(self, fault: Fault, faults: LinkFaults, begins: float, accounts: set[str]) -> None:
        if fault.kind in PERIODS:
            faults.begin(fault)
        if fault.for_s is not None:
            await self._until(begins + fault.for_s)
        if fault.kind in PERIODS:
            await faults.end(fault)
        for account in accounts:
            self._rebinds.add(self._loop.create_task(self._see_bound(account)))

    async def _see_bound(self, account: str) -> None:
        if not await self._wait(lambda: self._is_bound(account), self.scenario.expect.reconnect_s):
            self.judge.not_reconnected(account)

    def _is_bound(self, account: str) -> bool:
        return any(
            link.system_id == account and link.bind and not self._centre.faults.deaf(link)
            for link in self._centre.links
        )

    # --- visits -----------------------------------------------------------------------------------------------

    async def _visit_all(self, started: float) -> None:
        async with asyncio.TaskGroup() as group:
            for visit in visits(self.scenario, self._chance):
                await self._until(started + visit.at_s)
                group.create_task(self._visit(visit))

    async def _visit(self, visit: Visit) -> None:
        """One after the other on the same phone, in the order in which they came."""
        async with self._phones.setdefault(visit.msisdn, asyncio.Lock()):
            self.summary.begun += 1
            player = _Player(self._centre, self.judge, self.summary, visit, self._chance)
            try:
                await player.play()
            except _Off as off:
                self.summary.note(off.outcome, f"{off.outcome}: {visit.msisdn} in {visit.script.name}: {off}")
            else:
                self.summary.note("done")

    # --- the end ----------------------------------------------------------------------------------------------

    async def _see_off(self, periods: list[asyncio.Task[None]]) -> None:
        """Wait for periods that have begun; those that would only come after the last visit do not come.

        Raises what a period has failed of: `SimulatorError` when somebody else has the port of a centre that restarts.
        """
        for task in periods:
            task.cancel()
        for ended in await asyncio.gather(*periods, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended
        if self._rebinds:
            await asyncio.wait(self._rebinds)

    async def _settle(self) -> None:
        await self._wait(lambda: not self.judge.unsettled, _SETTLE_S)

    async def _until(self, when: float) -> None:
        await asyncio.sleep(max(when - self._loop.time(), 0))

    async def _wait(self, true: Callable[[], bool], seconds: float) -> bool:
        """Whether something becomes true in that time. Nobody tells, so it is looked at now and then."""
        deadline = self._loop.time() + seconds
        while not true():
            if self._loop.time() >= deadline:
                return False
            await asyncio.sleep(_LOOK_S)
        return True


async def _unbroken(work: Awaitable[None]) -> None:
    """See it through, also when cancelled meanwhile: a centre that went away has to come back."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


async def _cancelled(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class _Player:
    """One subscriber going through one script."""

    def __init__(self, centre: Centre, judge: Judge, summary: Summary, visit: Visit, chance: Chance):
        self._centre, self._judge, self._summary, self._visit = centre, judge, summary, visit
        self._chance = chance.of("visit", visit.number)
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._station: MobileStation = centre.network.station(visit.msisdn)
        centre.hang_up(visit.msisdn)
        self._first = self._seen = self._seen_sms = self._station.log.last

    async def play(self) -> None:
        """All steps. Raises `_Off`."""
        try:
            for step in self._visit.script.steps:
                await self._do(step)
                if step.expect_sms is not None:
                    await self._await_sms(step.expect_sms, step.within_s)
        except (NotPossible, QueueFull) as problem:
            touched = self._judge.touched(self._visit.msisdn, self._began)
            raise _Off("lost" if touched else "failed", str(problem)) from None
        finally:
            self._count_sms()
            self._centre.hang_up(self._visit.msisdn)

    async def _do(self, step: VisitStep) -> None:
        match step:
            case VisitStep(dial=str(code)):
                await self._show(step, lambda: self._centre.dial(self._visit.msisdn, code))
            case VisitStep(answer=str(text)):
                await self._answer(step, text)
            case VisitStep(ok=True):
                await self._press_ok(step)
            case VisitStep(cancel=True):
                await self._think()
                self._centre.cancel(self._visit.msisdn)
            case VisitStep(wait=Spread() as pause):
                await asyncio.sleep(pause.draw(self._chance))
            case VisitStep(sms=MoSms() as sms):
                self._centre.send_sms(self._visit.msisdn, sms.to, sms.text)
                self._summary.sms_sent += 1

    async def _answer(self, step: VisitStep, text: str) -> None:
        await self._think()
        self._require_question()
        await self._show(step, lambda: self._centre.answer(self._visit.msisdn, text))

    async def _press_ok(self, step: VisitStep) -> None:
        await self._think()
        if self._station.handset.state is DisplayState.ASKED:
            await self._show(step, lambda: self._centre.press_ok(self._visit.msisdn))
        else:
            self._centre.press_ok(self._visit.msisdn)

    async def _think(self) -> None:
        await asyncio.sleep(self._visit.script.think.draw(self._chance))

    def _require_question(self) -> None:
        """Raises `_Off` when the dialogue ended while its owner was thinking, or earlier than the script knows."""
        handset = self._station.handset
        if handset.state is not DisplayState.ASKED:
            shown = handset.screen.text if handset.screen else "nothing"
            ended = self._judge.touched(self._visit.msisdn, self._began)
            raise _Off("lost" if ended else "failed", f"no question any more, the display shows {shown!r}")

    async def _show(self, step: VisitStep, deed: Callable[[], MobileStation]) -> None:
        """Do it, and see what the display says then."""
        self._seen = self._station.log.last
        deed()
        event = await self._next_screen(step)
        text = event.data["text"]
        if event.data["screen"] == "error":
            raise self._lost(text)
        if step.expect is not None and matches(step.expect, text) is None:
            raise _Off("failed", f"after {step.deed} expected {step.expect!r}, saw {text!r}")

    async def _next_screen(self, step: VisitStep) -> LogEvent:
        found = await self._station.log.wait(self._seen, _SEEN, step.within_s)
        if not found:
            self._judge.timed_out(self._visit.msisdn, self._began)
            raise _Off("timed_out", f"no screen within {step.within_s:g} s of {step.deed}")
        self._seen = found[0].number
        if found[0].kind == "idle":
            raise _Off("lost", "the subscriber gave up")
        return found[0]

    def _lost(self, text: str) -> _Off:
        """The network shows an error: because of a fault, or because the ESME has let the time pass."""
        if self._judge.touched(self._visit.msisdn, self._began):
            return _Off("lost", text)
        self._judge.timed_out(self._visit.msisdn, self._began)
        return _Off("timed_out", text)

    async def _await_sms(self, expected: str, within_s: float) -> None:
        found = await self._station.log.wait(self._seen_sms, frozenset({"sms"}), within_s)
        if not found:
            self._judge.sms_missing(self._visit.msisdn)
            raise _Off("timed_out", f"no SMS within {within_s:g} s")
        self._seen_sms = found[0].number
        if matches(expected, found[0].data["text"]) is None:
            raise _Off("failed", f"expected the SMS {expected!r}, got {found[0].data['text']!r}")

    def _count_sms(self) -> None:
        self._summary.sms_received += len(self._station.log.after(self._first, frozenset({"sms"})))
