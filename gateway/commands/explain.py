"""``starpound explain``: octets in, what they mean out."""

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from gateway.commands import explained
from gateway.commands.quarantine import quarantined_one
from gateway.commands.store import ask
from gateway.terminal import Failure, is_file

if TYPE_CHECKING:
    from gateway.dumps.capture import Captured

_COLUMNS = 100
_LEAST_COLUMNS, _MOST_COLUMNS = 80, 140
_STYLES: dict[str, dict[str, Any]] = {
    "title": {"bold": True},
    "summary": {"fg": "cyan"},
    "problem": {"fg": "red", "bold": True},
    "dim": {"dim": True},
}


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some octets, and where they are from as far as that is known."""

    octets: bytes
    where: str = ""
    time: float | None = None
    source: str = ""
    destination: str = ""
    problem: str = ""


@click.command("explain", short_help="Explain PDUs, octet by octet.")
@click.argument("given", nargs=-1, metavar="[HEX]...")
@click.option(
    "--file",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Hex, a hex dump, a capture or raw octets.",
)
@click.option(
    "--quarantine",
    "number",
    type=click.IntRange(1, 2**63 - 1),
    help="The number of a record in the quarantine.",
)
@click.option("--store", "url", help="Where the quarantine is: sqlite:///PATH")
@click.option(
    "--table", type=click.Choice(["sms", "cbs"]), help="How data_coding is read; found out if not said."
)
@click.option("--pdu", "only", type=click.IntRange(1), help="Only this one, counted from 1.")
@click.option("--brief", is_flag=True, help="A line for each PDU, without any text of a message.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@explained
def explain_command(
    given: tuple[str, ...],
    path: Path | None,
    number: int | None,
    url: str | None,
    table: str | None,
    only: int | None,
    brief: bool,
    as_json: bool,
) -> None:
    """Explain PDUs octet by octet: fields, TLVs, text, what is wrong, and what each side should do next.

    HEX is hexadecimal in any usual form, also lines of xxd, tcpdump -X or Wireshark, or of a log; "-" reads it from
    standard input. A .pcap or .pcapng file, also .gz, may stand in its place. Passwords are masked, always.

    \b
    Example: starpound explain 00000010 00000015 00000000 00000007
             starpound explain centre.pcap --brief
             starpound explain --quarantine 17 --store sqlite:///var/starpound.db
    """
    pieces = list(_numbered(_pieces(given, path, number, url)))
    if not pieces:
        raise Failure("nothing to explain: no octets; give them in hex, with --file, or on standard input")
    if only is not None:
        pieces = [(at, piece) for at, piece in pieces if at == only]
        if not pieces:
            raise Failure(f"there is no PDU {only}")
    if as_json:
        click.echo(json.dumps([_as_json(piece, table) for _, piece in pieces], ensure_ascii=False, indent=2))
    elif brief:
        _print_brief(pieces)
    else:
        _print_all(pieces, table)


# ------------------------------------------------------------------------------------------- input


def _pieces(
    given: tuple[str, ...], path: Path | None, number: int | None, url: str | None
) -> Iterator[_Piece]:
    if sum((bool(given), path is not None, number is not None)) > 1:
        raise Failure("say one of: hex, --file, --quarantine")
    if number is not None:
        return _from_quarantine(number, url)
    if path is not None:
        return _from_file(path)
    if given in ((), ("-",)):
        return _from_stdin()
    if len(given) == 1 and _names_a_file(given[0]):
        return _from_file(Path(given[0]))
    return _from_text(" ".join(given))


def _names_a_file(word: str) -> bool:
    """What is hexadecimal names none, whatever the folder holds."""
    from gateway.dumps.files import names_a_capture
    from gateway.dumps.hex_text import is_hex

    return names_a_capture(word) or (not is_hex(word) and is_file(word))


def _from_file(path: Path) -> Iterator[_Piece]:
    from gateway.dumps.files import read_file

    return _from_recorded(lambda: read_file(path))


def _from_stdin() -> Iterator[_Piece]:
    from gateway.dumps.files import read_pipe

    if sys.stdin.isatty():
        raise Failure(
            "say what to explain: hex, a file, or --quarantine N; `starpound explain --help` shows how"
        )
    return _from_recorded(lambda: read_pipe(sys.stdin.buffer))


def _from_recorded(read: Callable[[], "Iterator[Captured] | str | bytes"]) -> Iterator[_Piece]:
    from gateway.dumps.capture import CaptureError

    try:
        recorded = read()
        if isinstance(recorded, str):
            yield from _from_text(recorded)
        elif isinstance(recorded, bytes):
            yield from _from_octets(recorded)
        else:
            yield from map(_from_capture, recorded)
    except CaptureError as error:
        raise Failure(str(error)) from None


def _from_text(text: str) -> Iterator[_Piece]:
    from gateway.dumps.hex_text import HexError, read_dumps
    from gateway.dumps.pasted import pasted

    try:
        dumps = read_dumps(text)
    except HexError as error:
        raise Failure(f"{error}; leave out what is no octet, or name a file with --file") from None
    for paste in pasted(dumps):
        yield from _from_octets(paste.octets, paste.problem)


def _from_octets(octets: bytes, problem: str = "") -> Iterator[_Piece]:
    """Each PDU; a problem is that of the last."""
    from gateway.smpp.explain import explain_all

    at = 0
    for explanation in explain_all(octets) if octets else ():
        end = at + explanation.octets
        yield _Piece(octets[at:end], problem=problem if end == len(octets) else "")
        at = end


def _from_capture(pdu: "Captured") -> _Piece:
    time = datetime.fromtimestamp(pdu.time, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    where = f"{time}Z  {pdu.source} → {pdu.destination}"
    return _Piece(pdu.octets, where, pdu.time, pdu.source, pdu.destination, pdu.problem)


def _from_quarantine(number: int, url: str | None) -> Iterator[_Piece]:
    from gateway.smpp.explain import escaped

    if url is None:
        raise Failure("--quarantine needs --store: where is it?")
    record = ask(url, lambda store: quarantined_one(store, number))
    if record is None:
        raise Failure(f"{url}: no record {number} in the quarantine")
    when = datetime.fromtimestamp(record.when, UTC).strftime("%Y-%m-%d %H:%M:%S")
    about = f"{when}Z  quarantine {record.id}, link {record.link}, peer {record.peer}: {record.reason}"
    yield _Piece(record.octets, escaped(about), record.when)


# ------------------------------------------------------------------------------------------ output


def _numbered(pieces: Iterable[_Piece]) -> Iterator[tuple[int, _Piece]]:
    return enumerate(pieces, 1)


def _explanation(piece: _Piece, table: str | None) -> Any:
    from gateway.smpp.explain import Table, explain

    return explain(piece.octets, table=cast(Table, table or "auto"))


def _as_json(piece: _Piece, table: str | None) -> dict[str, Any]:
    from gateway.smpp.explain import as_json

    capture = {"time": piece.time, "source": piece.source, "destination": piece.destination}
    known = {name: value for name, value in capture.items() if value not in ("", None)}
    return (
        known
        | ({"capture_problem": piece.problem} if piece.problem else {})
        | as_json(_explanation(piece, table))
    )


def _print_brief(pieces: list[tuple[int, _Piece]]) -> None:
    from gateway.smpp.explain import one_line

    digits = len(str(pieces[-1][0]))
    for number, piece in pieces:
        said = one_line(piece.octets) + (f" ({piece.problem})" if piece.problem else "")
        where = f"{piece.where.split(' ', 1)[-1]}  " if piece.where else ""
        click.echo(f"{number:{digits}}  {where}{said}")


def _print_all(pieces: list[tuple[int, _Piece]], table: str | None) -> None:
    from gateway.smpp.explain import render

    width = _columns()
    for number, piece in pieces:
        if number != pieces[0][0]:
            click.echo()
        if len(pieces) > 1 or piece.where:
            heading = "  ".join(filter(None, (f"PDU {number}", piece.where)))
            click.echo(click.style(f"── {heading} {'─' * (width - len(heading) - 4)}", dim=True))
        if piece.problem:
            click.echo(_style("problem", f"CAPTURE: {piece.problem}"))
        click.echo(render(_explanation(piece, table), width=width, style=_style))


def _columns() -> int:
    if not sys.stdout.isatty():
        return _COLUMNS
    return min(max(shutil.get_terminal_size((_COLUMNS, 24)).columns, _LEAST_COLUMNS), _MOST_COLUMNS)


def _style(kind: str, text: str) -> str:
    style = _STYLES.get(kind)
    return click.style(text, **style) if style else text
