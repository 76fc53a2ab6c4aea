"""``starpound dialect``: the dialects that come along, and which one a trace is in."""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.commands import explained
from gateway.terminal import AS_JSON, Failure, is_file

if TYPE_CHECKING:
    from gateway.dialect import Profile
    from gateway.dialect.detect import Candidate, Trace
    from gateway.dumps.capture import Captured

_SHOWN = 3


@click.group(short_help="USSD dialects: list, show, detect in a trace.")
def dialect() -> None:
    """How centres of USSD differ: the profiles that come along, and which one fits a trace."""


@dialect.command("list", short_help="List all dialects that come along.")
@AS_JSON
@explained
def list_(as_json: bool) -> None:
    """All dialects that come along: what names a dialogue, and how the profile is known.

    \b
    Example: starpound dialect list
    """
    from gateway.dialect import load_profile, profile_names

    told = [_told(load_profile(name)) for name in profile_names()]
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    width = max(len(one["name"]) for one in told)
    for one in told:
        click.echo(f"{click.style(one['name'].ljust(width), bold=True)}  {one['title']}")
        click.echo(f"{'':{width}}  key {one['key']}; operation in {one['operation_in']}")
        click.echo(click.style(f"{'':{width}}  trust: {one['trust']}", dim=True))


def _told(profile: "Profile") -> dict[str, str]:
    from gateway.dialect.detect import session_key

    file = profile.file
    return {
        "name": profile.name,
        "title": file.title,
        "key": session_key(profile),
        "operation_in": file.op_from,
        "trust": file.trust,
    }


@dialect.command(short_help="Show a profile file, comments and all.")
@click.argument("name")
@explained
def show(name: str) -> None:
    """A profile file, comments and all; NAME is a dialect or the path of a file. What is printed can be edited.

    \b
    Example: starpound dialect show spec > my-centre.yaml
    """
    from gateway.dialect import load_profile, profile_names, profile_source

    load_profile(name)
    click.echo(profile_source(name) if name in profile_names() else Path(name).read_text("utf-8"), nl=False)


@dialect.command(short_help="Name the dialect of a trace.")
@click.argument("sources", metavar="[HEX|FILE]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Show all profiles, not only the likeliest.")
@click.option("--port", type=int, help="Of a capture, only connections with this TCP port.")
@click.option(
    "--write", type=click.Path(dir_okay=False, path_type=Path), help="Write a new profile to this file."
)
@explained
def detect(sources: tuple[str, ...], every: bool, port: int | None, write: Path | None) -> None:
    """Name the dialect of a trace: PDUs in hex, or a .pcap or .pcapng file, also .gz. Without arguments they come from
    stdin.

    The hex may be plain, lines of a log, or a dump of hexdump -C, xxd, tcpdump -X or Wireshark, one PDU or many. Give
    at least one whole dialogue: a code, an answer, the screens between them; better also a cancel. Exit status 1:
    nothing in it is USSD.

    \b
    Example: starpound dialect detect trace.pcap --write my-centre.yaml
    """
    from gateway.dialect.detect import rank, read_trace

    trace = read_trace(_pdus(sources, port))
    candidates = rank(trace)
    _say_what_came(trace)
    if not candidates:
        click.echo(
            "nothing in it is USSD in any dialect; give at least a dialled code and the screen that answers it"
        )
        raise SystemExit(1)
    for place, candidate in enumerate(candidates if every else candidates[:_SHOWN]):
        _describe(candidate, "likeliest" if place == 0 else "then")
    if write:
        _write(candidates[0], write)


def _pdus(sources: Iterable[str], port: int | None) -> Iterator[bytes]:
    from gateway.dumps.files import read_pipe

    sources = list(sources)
    if sources in ([], ["-"]):
        yield from _recorded(lambda: read_pipe(sys.stdin.buffer), port)
        return
    for source in sources:
        yield from _from_source(source, port)


def _from_source(source: str, port: int | None) -> Iterable[bytes]:
    """Of a word that is hexadecimal, whatever the folder holds; otherwise of a file; otherwise of a line of a log."""
    from gateway.dumps.files import names_a_capture, read_file
    from gateway.dumps.hex_text import is_hex
    from gateway.dumps.hexdump import read_hexdump

    if names_a_capture(source) or (not is_hex(source) and is_file(source)):
        return _recorded(lambda: read_file(Path(source)), port)
    found = read_hexdump(source)
    if not found:
        looks_like_a_file = re.search(r"[./]", source)
        wrong = "No such file or directory" if looks_like_a_file else "no file, and no PDU in hex"
        raise Failure(f"{source[:60]}: {wrong}")
    return found


def _recorded(read: Callable[[], "Iterator[Captured] | str | bytes"], port: int | None) -> Iterator[bytes]:
    from gateway.dumps.capture import CaptureError
    from gateway.dumps.hexdump import find_pdus, read_hexdump

    try:
        recorded = read()
        if isinstance(recorded, str):
            yield from read_hexdump(recorded)
        elif isinstance(recorded, bytes):
            yield from find_pdus(recorded)
        else:
            yield from (one.octets for one in recorded if not one.problem and _is_at(port, one))
    except CaptureError as error:
        raise Failure(str(error)) from None


def _is_at(port: int | None, one: "Captured") -> bool:
    ends = (one.source.rpartition(":")[2], one.destination.rpartition(":")[2])
    return port is None or str(port) in ends


def _say_what_came(trace: "Trace") -> None:
    what = [_count(len(trace.messages), "message"), _count(trace.others, "other PDU")]
    if trace.unreadable:
        what.append(f"{len(trace.unreadable)} that cannot be read ({trace.unreadable[0]})")
    click.echo(", ".join(what))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _describe(candidate: "Candidate", word: str) -> None:
    from gateway.dialect.detect import session_key
    from gateway.smpp.explain import escaped

    file = candidate.profile.file
    title = click.style(candidate.name, bold=True)
    click.echo(f"\n{word}: {title}, {candidate.points:.1f} points  ({file.title}; trust: {file.trust})")
    if candidate.dialogues:
        keys = escaped(", ".join(candidate.keys[:_SHOWN]))
        click.echo(f"  key      {session_key(candidate.profile)}" + (f": {keys}" if keys else ""))
    for reason in candidate.reasons:
        click.echo(f"  for      {escaped(reason)}")
    for reason in candidate.against:
        click.echo(f"  against  {escaped(reason)}")


def _write(candidate: "Candidate", path: Path) -> None:
    from gateway.dialect import read_profile
    from gateway.dialect.derive import write_profile

    text = write_profile(candidate, path.stem)
    read_profile(text, str(path))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        hint = "; remove it, or choose another name" if isinstance(error, FileExistsError) else ""
        raise Failure(f"{path}: {error.strerror or error}{hint}") from error
    click.echo(
        f'\nwritten: {path}, derived from {candidate.name}. Read its comments, then: dialect = "{path}"'
    )
