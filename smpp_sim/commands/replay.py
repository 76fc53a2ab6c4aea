"""The command ``starpound replay``: plays transcripts against whatever is bound to the simulator."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from gateway.terminal import AS_JSON, Amount, Failure, decorated
from smpp_sim.commands import explained, simulator

FILE = click.Path(path_type=Path)
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@click.command(short_help="Play transcripts, show what differs.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)
@simulator
@click.option(
    "--timeout",
    "timeout_s",
    default=10.0,
    type=Amount(0.1, 600),
    show_default=True,
    help="Seconds to wait for each screen and SMS.",
)
@AS_JSON
@click.option("--update", is_flag=True, help="Write what was shown into the files; read the difference.")
@explained
def replay(
    files: tuple[Path, ...], url: str, token: str, timeout_s: float, as_json: bool, update: bool
) -> None:
    """Play transcripts (.ussd) on the simulator's phones and compare what comes. Exit status 1: something differs.

    \b
    Example: starpound replay tests/dialogues/balance.ru.ussd
    """
    from smpp_sim import remote

    parsed = [(file, *_parse(file)) for file in files]
    if update and not remote.links(url, token=token):
        raise Failure(f"nobody is bound to the simulator at {url}: there is nothing to write down")
    told = [
        _play(file, text, steps, (url, token), timeout_s, as_json, update) for file, text, steps in parsed
    ]
    wrong = sum(not one["right"] for one in told)
    if as_json:
        click.echo(json.dumps({"files": told, "wrong": wrong}, ensure_ascii=False, indent=2))
    elif len(told) > 1:
        click.secho(f"{len(told) - wrong} of {len(told)} went as written", fg="red" if wrong else "green")
    raise SystemExit(1 if wrong and not update else 0)


def _parse(file: Path) -> tuple[str, list[Any]]:
    from smpp_sim.transcripts.diff import DEED_STEPS
    from smpp_sim.transcripts.transcript import PickedUp, TranscriptError, parse

    try:
        octets = file.read_bytes()
        steps = parse(octets, str(file))
    except OSError as problem:
        raise Failure(f"{file}: {problem.strerror}") from None
    except TranscriptError as problem:
        raise Failure(str(problem)) from None
    first = next((step for step in steps if isinstance(step, DEED_STEPS)), None)
    if not isinstance(first, PickedUp):
        line = first.line if first else 1
        raise Failure(f"{file}:{line}: no phone yet (begin with a line like @ 79260000003)")
    return octets.decode("utf-8-sig"), steps


def _play(
    file: Path,
    text: str,
    steps: list[Any],
    at: tuple[str, str],
    timeout_s: float,
    as_json: bool,
    update: bool,
) -> dict[str, Any]:
    from smpp_sim.transcripts.replay import replay as play

    url, token = at
    with _progress(file, steps, as_json) as progress:
        done = play(steps, url, timeout_s=timeout_s, token=token, progress=progress, to_the_end=update)
    lines = done.difference(str(file))
    if update:
        _rewrite(file, text, done)
    told = {
        "file": str(file),
        "right": done.right,
        "exchanges": done.exchanges,
        "seconds": round(done.seconds, 3),
        "problem": done.problem,
        "line": done.line,
        "difference": lines,
    }
    if not as_json:
        _show(told, update)
    return told


def _rewrite(file: Path, text: str, done: Any) -> None:
    from smpp_sim.transcripts.transcript import write

    new = write(done.happened)
    if new != text:
        file.write_text(new, "utf-8")


@contextmanager
def _progress(file: Path, steps: list[Any], quiet: bool) -> Iterator[Callable[[Any], None] | None]:
    """On a terminal: a line that says how far it is, gone in the end."""
    if quiet or not decorated(sys.stdout):
        yield None
        return
    last = max((step.line for step in steps), default=0)
    erase = "\r\x1b[K"
    try:
        yield lambda step: click.echo(f"{erase}… {file}  {step.line}/{last}", nl=False)
    finally:
        click.echo(erase, nl=False)


def _show(told: dict[str, Any], update: bool) -> None:
    if told["right"]:
        sign, colour = "✓", "green"
    elif update:
        sign, colour = "↻", "yellow"
    else:
        sign, colour = "✗", "red"
    plural = "" if told["exchanges"] == 1 else "s"
    facts = f"{told['exchanges']} exchange{plural}, {told['seconds']:.1f} s"
    click.echo(f"{click.style(sign, fg=colour)} {told['file']}  {click.style(facts, dim=True)}")
    if not told["right"]:
        click.echo(f"  line {told['line']}: {told['problem']}" + ("; rewritten" if update else ""))
    for line in told["difference"]:
        click.secho(f"  {line}", fg=_COLOURS.get(line[:1]))
