"""The command ``starpound load``: a centre that waits for a bind, puts load on it, and says what came of it."""

import asyncio
import contextlib
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from gateway.terminal import Amount, Failure, about_ports, decorated, printable, run
from smpp_sim.commands import explained

FILE = click.Path(dir_okay=False, path_type=Path, allow_dash=True)
_PLAIN_EVERY_S = 5
_INTERRUPTED = 130
_BUILT_IN = "five"
# Further apart than the rounds through all subscribers that a load makes in a second; odd, to reach all 256.
_SESSIONS_A_SECOND = 61


@click.command(short_help="Put load on a gateway, and report.")
@click.option(
    "--listen", default="127.0.0.1:2775", show_default=True, help="Where the ESME binds; port 0: a free one."
)
@click.option("--connect", help="HOST:PORT of a gateway in the role of the SMSC: bind to it, and load it.")
@click.option("--ceiling", is_flag=True, help="Load a trivial answerer of our own: how far can this go here?")
@click.option(
    "--wait", "wait_s", default=60.0, type=Amount(0), show_default=True, help="Seconds to wait for the bind."
)
@click.option("--system-id", help="Who may bind (anybody), or, with --connect, who we are (gw).")
@click.option("--password", help="The password asked for (none), or, with --connect, ours (secret).")
@click.option(
    "--dialect", default="spec", show_default=True, help="USSD dialect: a name, or the path of a profile."
)
@click.option("--dial", "codes", multiple=True, help="Single turns: dial this.  [default: *100#]")
@click.option(
    "--script", "scripts", multiple=True, help="Dialogues: a transcript (.ussd), or 'five', built in."
)
@click.option("--sms", "texts", multiple=True, help="SMS: NUMBER or NUMBER:TEXT.  [text: ?]")
@click.option(
    "--window", type=click.IntRange(1), help="Closed window: so many dialogues at once.  [default: 64]"
)
@click.option(
    "--rate", type=Amount(0, 10_000_000, min_open=True), help="Open rate: turns a second, come what may."
)
@click.option(
    "--arrivals",
    type=click.Choice(["poisson", "constant"]),
    default="poisson",
    show_default=True,
    help="Gaps at an open rate.",
)
@click.option("--seed", default=1, show_default=True, help="Of the gaps.")
@click.option(
    "--phones", default=100_000, type=click.IntRange(1), show_default=True, help="How many subscribers."
)
@click.option(
    "--first",
    default=79_260_000_000,
    type=click.IntRange(100, 10**15 - 1),
    show_default=True,
    help="The first one's number.",
)
@click.option("--ramp", default=0.0, type=Amount(0), help="Seconds in which the load grows.  [default: 0]")
@click.option("--warmup", default=1.0, type=Amount(0), show_default=True, help="Seconds not counted.")
@click.option("--seconds", default=10.0, type=Amount(0, min_open=True), show_default=True, help="Measured.")
@click.option(
    "--timeout",
    "timeout_s",
    default=10.0,
    type=Amount(0, min_open=True),
    show_default=True,
    help="Seconds after which a turn counts as unanswered.",
)
@click.option("--max-p99", type=Amount(0), help="Fail when the 99th percentile is above this (ms).")
@click.option("--min-rate", type=Amount(0), help="Fail below so many turns a second.")
@click.option("--json", "json_file", type=FILE, help="Write the report as JSON; - is standard output.")
@click.option("--html", "html_file", type=FILE, help="Write the report as a page with charts.")
@click.option("--text", "plain", is_flag=True, help="Plain lines while it runs, on a terminal, too.")
@explained
def load(**options: Any) -> None:
    """Put load on a gateway: wait until it binds, send turns, time the answers.

    Every answer must belong to its turn; wrong, missing and repeated ones are errors. Ctrl-C ends it early, with a
    report. Exit status 1 when there were errors, or when --max-p99 or --min-rate is not met.

    \b
    Example: starpound load --rate 5000 --seconds 30 --html load.html
    """
    if options["rate"] and options["window"]:
        raise Failure("--rate or --window, not both: an open rate does not wait for answers")
    if options["ceiling"] and (options["connect"] or options["dialect"] != "spec"):
        raise Failure("--ceiling has an answerer of its own: no --connect, and no dialect but spec")
    _require_writable(options["json_file"], options["html_file"])
    command = _Load(options)
    gc.collect()
    gc.freeze()
    run(command.run())
    sys.exit(command.status)


class _Load:
    """One call of the command; ``status`` is its exit status."""

    def __init__(self, options: dict[str, Any]) -> None:
        from gateway.dialect import DialectError, load_profile
        from gateway.smpp.errors import SmppError
        from smpp_sim.load.dialect import wire_of
        from smpp_sim.load.run import LoadRun
        from smpp_sim.load.settings import LoadSettings

        self.status = _INTERRUPTED
        self.options = options
        profile = load_profile(options["dialect"])
        try:
            self.settings = LoadSettings(
                window=options["window"] or 64,
                seconds=options["seconds"],
                warmup_s=options["warmup"],
                turn_timeout_s=options["timeout_s"],
                first_msisdn=options["first"],
                subscribers=options["phones"],
                rate=options["rate"],
                arrivals=options["arrivals"],
                ramp_s=options["ramp"],
                seed=options["seed"],
            )
            self.scripts = _scripts(options, profile.service_addr)
            self.wire = wire_of(profile, connects=bool(options["connect"]))
            LoadRun(
                self.scripts, self.settings, link=self.wire
            )  # what cannot be sent shows before anybody has bound
        except (ValueError, DialectError, SmppError) as error:
            raise Failure(str(error)) from error

    async def run(self) -> None:
        """Wait for the bind, load, report; Ctrl-C before the bind ends it without a report."""
        from smpp_sim.load.smsc import LoadSmsc

        options = self.options
        admits_anybody = options["connect"] or options["ceiling"]
        listens = {} if admits_anybody else {"password": options["password"], "admits": options["system_id"]}
        smsc = LoadSmsc(**listens, link=self.wire, first_session=int(time.time()) * _SESSIONS_A_SECOND)
        with contextlib.ExitStack() as children:
            try:
                with _interrupts(smsc.stop):
                    peer = await self._bound(smsc, children)
                    with _watching(f"load on {peer}", plain=options["plain"]) as watch:
                        began = datetime.now().astimezone().isoformat(timespec="seconds")
                        report = await smsc.run(self.scripts, self.settings, watch)
            except asyncio.CancelledError:
                return
            finally:
                await smsc.close()
        self._tell(report, began, peer)

    async def _bound(self, smsc: Any, children: contextlib.ExitStack) -> str:
        """Return the system_id of whoever is at the other end."""
        options = self.options
        host, port = _address("--connect", options["connect"]) if options["connect"] else ("", 0)
        if host:
            await _connected(smsc, host, port, options["system_id"] or "gw", options["password"] or "secret")
            where = options["connect"]
        else:
            where = await _listening(smsc, "127.0.0.1:0" if options["ceiling"] else options["listen"])
        if options["ceiling"]:
            children.enter_context(_answerer(int(where.rpartition(":")[2])))
        elif not host:
            click.echo(f"waiting for an ESME on {where}, bound as a transceiver", err=True)
        try:
            peer = await smsc.wait_for_bind(options["wait_s"])
        except TimeoutError:
            raise Failure(
                f"nobody is bound on {where} after {options['wait_s']:g} s{_refused(smsc)}"
            ) from None
        except ConnectionRefusedError:
            raise Failure(f"{where} does not let us bind{_refused(smsc)}") from None
        peer = printable(peer)
        click.echo(f"{peer or 'an ESME without a name'} is bound", err=True)
        return peer or where

    def _tell(self, report: Any, began: str, peer: str) -> None:
        from smpp_sim.load.html import as_html
        from smpp_sim.load.output import RunFacts, as_text, remarks_of, report_as_json
        from smpp_sim.load.report import machine

        options = self.options
        shortfalls = report.shortfalls(options["max_p99"], options["min_rate"])
        facts = RunFacts(began, peer, self._settings(), machine(), shortfalls, remarks_of(report))
        on_stdout = str(options["json_file"]) == "-" or str(options["html_file"]) == "-"
        click.echo(as_text(report, facts), err=on_stdout)
        for file, form in ((options["json_file"], report_as_json), (options["html_file"], as_html)):
            if file is not None:
                _write(file, form(report, facts))
        self.status = 1 if shortfalls else 0

    def _settings(self) -> dict[str, Any]:
        """What the report says of how it was run; no password."""
        options, settings = self.options, self.settings
        turns = [
            "; ".join(script.turns) + (f" to {script.service}" if script.kind == "sms" else "")
            for script in self.scripts
        ]
        how = f"{settings.rate:g} turns/s, {settings.arrivals}, seed {settings.seed}" if settings.rate else ""
        return {
            "load": f"open rate of {how}" if how else f"closed window of {settings.window}",
            "turns": " | ".join(turns),
            "dialect": options["dialect"],
            "subscribers": f"{settings.subscribers} from {settings.first_msisdn}",
            "ramp, warm-up, measured": f"{settings.ramp_s:g} s, {settings.warmup_s:g} s, {settings.seconds:g} s",
            "a turn is given up after": f"{settings.turn_timeout_s:g} s",
            "event loop": type(asyncio.get_running_loop()).__module__.partition(".")[0],
        }


def _require_writable(*files: Path | None) -> None:
    """Say before the load, not after it, that its report has no place."""
    named = [file for file in files if file is not None]
    if len(set(named)) < len(named):
        raise Failure(f"--json and --html both to {named[0]}: only one of them has room there")
    for file in named:
        if str(file) == "-":
            continue
        there = file if file.exists() else file.parent
        if not there.exists():
            raise Failure(f"cannot write {file}: there is no folder {file.parent}")
        if not os.access(there, os.W_OK):
            raise Failure(f"cannot write {file}: Permission denied")


def _scripts(options: dict[str, Any], service_addr: Callable[[str], str]) -> list[Any]:
    """Return what the subscribers say: of all options together, in turn. ValueError for what cannot be sent."""
    from smpp_sim.load import scripts as load_scripts
    from smpp_sim.phones.keypad import NotACode, read_code
    from smpp_sim.transcripts.transcript import TranscriptError, parse

    for code in options["codes"]:
        if isinstance(read := read_code(code), NotACode):
            raise Failure(f"--dial {code[:30]}: {read.why}")
    found = [load_scripts.dialled((code,), service_addr) for code in options["codes"]]
    for name in options["scripts"]:
        if name == _BUILT_IN:
            found.append(load_scripts.dialled(load_scripts.FIVE_TURNS, service_addr))
            continue
        try:
            inside = load_scripts.of_transcript(parse(Path(name).read_bytes(), name), service_addr)
        except OSError as error:
            raise Failure(f"--script {name}: {error.strerror}; a file, or {_BUILT_IN!r}") from error
        except TranscriptError as error:
            raise Failure(str(error)) from error
        if not inside:
            raise Failure(f"--script {name}: nothing is dialled in it")
        found += inside
    for text in options["texts"]:
        to, _, said = text.partition(":")
        if not to.removeprefix("+").isdecimal():
            raise Failure(f"--sms {text}: write NUMBER or NUMBER:TEXT, as 000100:?")
        found.append(load_scripts.sent(to, said.strip() or "?"))
    return found or [load_scripts.dialled(("*100#",), service_addr)]


def _address(option: str, text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise Failure(f"{option} {text}: write HOST:PORT, as 127.0.0.1:2775")
    return host.strip("[]"), int(port)


async def _listening(smsc: Any, address: str) -> str:
    from smpp_sim.settings import cannot_listen

    host, port = _address("--listen", address)
    try:
        return f"{host}:{await smsc.listen(host, port)}"
    except OSError as error:
        raise Failure(about_ports(cannot_listen("load", host, port, error), "--listen HOST:PORT")) from error


async def _connected(smsc: Any, host: str, port: int, system_id: str, password: str) -> None:
    try:
        await smsc.connect(host, port, system_id, password)
    except OSError as error:
        raise Failure(f"cannot connect to {host}:{port}: {error.strerror or error}") from error


def _refused(smsc: Any) -> str:
    """What was wrong with those who tried."""
    from gateway.smpp.vocabulary import status_name

    if not smsc.refusals:
        return ""
    reasons = ", ".join(f"{count} × {status_name(status)}" for status, count in smsc.refusals.items())
    return f"; binds refused: {reasons} (one transceiver, --system-id and --password say whose)"


def _write(file: Path, text: str) -> None:
    if str(file) == "-":
        click.echo(text, nl=False)
        return
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise Failure(f"cannot write {file}: {error.strerror}") from error


@contextlib.contextmanager
def _interrupts(stop: Callable[[], bool]) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) ends the measurement, and the second one everything."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def interrupted() -> None:
        if not stop():
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def _answerer(port: int) -> Iterator[None]:
    """The trivial answerer, in a process of its own."""
    child = subprocess.Popen(  # noqa: S603 (this interpreter, a module of ours)
        [sys.executable, "-P", "-m", "smpp_sim.load.answerer", str(port)], start_new_session=True
    )
    try:
        yield
    finally:
        child.terminate()
        child.wait(10)


@contextlib.contextmanager
def _watching(title: str, *, plain: bool) -> Iterator[Callable[[Any, dict[str, int]], None]]:
    """What shows the seconds: a panel on a terminal, lines elsewhere."""
    from smpp_sim.load.output import told

    if plain or not decorated(sys.stderr):
        yield _say_line
        return
    view = subprocess.Popen(  # noqa: S603 (this interpreter, a module of ours)
        [sys.executable, "-P", "-m", "smpp_sim.load.view", title], stdin=subprocess.PIPE
    )
    assert view.stdin is not None
    descriptor = view.stdin.fileno()
    os.set_blocking(descriptor, False)

    def tell(second: Any, problems: dict[str, int]) -> None:
        # A terminal that is held up (Ctrl-S) must not hold up the load.
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(descriptor, told(second, problems).encode())

    try:
        yield tell
    finally:
        with contextlib.suppress(BrokenPipeError):
            view.stdin.close()
        view.wait(10)


def _say_line(second: Any, problems: dict[str, int]) -> None:
    from smpp_sim.load.output import line

    if round(second.at_s) == 1 or round(second.at_s) % _PLAIN_EVERY_S == 0:
        click.echo(line(second, problems), err=True)
