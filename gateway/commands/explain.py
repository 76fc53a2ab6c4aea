"""``starpound explain``: octets in, what they mean out."""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import click

from gateway.commands import explained
from gateway.commands.quarantine import quarantined_one
from gateway.commands.store import ask
from gateway.terminal import Failure, is_file

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

    HEX is hexadecimal in any usual form, also lines of xxd, tcpdump -X or Wireshark; "-" reads it from standard
    input. A .pcap or .pcapng file may stand in its place. Passwords are masked, always.

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
    return _from_octets(_from_hex(" ".join(given)))


def _names_a_file(word: str) -> bool:
    """What is hexadecimal names none, whatever the folder holds."""
    from gateway.dumps.hex_text import is_hex

    return word.endswith((".pcap", ".pcapng", ".cap")) or (not is_hex(word) and is_file(word))


def _from_hex(text: str) -> bytes:
    from gateway.dumps.hex_text import HexError, read_dumps

    try:
        return b"".join(map(_inside, read_dumps(text)))
    except HexError as error:
        raise Failure(str(error)) from None


def _inside(octets: bytes) -> bytes:
    """What a packet carries, if ``octets`` are one, as tcpdump and Wireshark show them; otherwise themselves."""
    from gateway.dumps.capture import tcp_payload
    from gateway.smpp.explain import MAX_PDU_OCTETS

    if 16 <= int.from_bytes(octets[:4], "big") <= MAX_PDU_OCTETS:
        return octets
    payload = tcp_payload(octets)
    return octets if payload is None else payload


def _from_octets(octets: bytes) -> Iterator[_Piece]:
    from gateway.smpp.explain import explain_all

    at = 0
    for explanation in explain_all(octets) if octets else ():
        yield _Piece(octets[at : at + explanation.octets])
        at += explanation.octets


def _from_stdin() -> Iterator[_Piece]:
    from gateway.dumps.capture import is_capture

    if sys.stdin.isatty():
        raise Failure(
            "say what to explain: hex, a file, or --quarantine N; `starpound explain --help` shows how"
        )
    octets = sys.stdin.buffer.read()
    if not is_capture(octets):
        yield from _from_octets(_hex_or_raw(octets))
        return
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        file.write(octets)
        file.flush()
        yield from _from_capture(Path(file.name))


def _from_file(path: Path) -> Iterator[_Piece]:
    from gateway.dumps.capture import is_capture

    try:
        with path.open("rb") as file:
            begin = file.read(4)
            if is_capture(begin) or path.suffix in (".pcap", ".pcapng", ".cap"):
                return _from_capture(path)
            return _from_octets(_hex_or_raw(begin + file.read()))
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from None


def _hex_or_raw(octets: bytes) -> bytes:
    """Text is hexadecimal; what is no text is taken as it is."""
    if b"\0" in octets:
        return octets
    try:
        return _from_hex(octets.decode("utf-8"))
    except UnicodeDecodeError:
        return octets


def _from_capture(path: Path) -> Iterator[_Piece]:
    from gateway.dumps.capture import CaptureError, read_capture

    try:
        for pdu in read_capture(path):
            time = datetime.fromtimestamp(pdu.time, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
            where = f"{time}Z  {pdu.source} → {pdu.destination}"
            yield _Piece(pdu.octets, where, pdu.time, pdu.source, pdu.destination, pdu.problem)
    except CaptureError as error:
        raise Failure(str(error)) from None


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
