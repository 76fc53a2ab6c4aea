"""``starpound menu``: what is wrong with a menu file, and what it looks like."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.commands import explained
from gateway.terminal import AS_JSON

if TYPE_CHECKING:
    from menus.problems import Problem


@click.group()
def menu() -> None:
    """Look at a menu file."""


MENU_FILE = click.argument("file", required=False, type=click.Path(dir_okay=False))


@menu.command(short_help="Find the faults of a menu file.")
@MENU_FILE
@AS_JSON
@explained
def check(file: str | None, as_json: bool) -> None:
    """Check FILE (left out: the self-care menu) against the operations; exit status 1 when it has problems.

    \b
    Example: starpound menu check my-menu.yaml
    """
    from gateway.daemon import SELFCARE
    from handlers import registry
    from menus.loader import examine

    registry.load_all()
    path = file or SELFCARE
    problems = examine(path, registry.OPERATIONS, registry.JOBS)
    if as_json:
        told = {"file": str(path), "problems": [dataclasses.asdict(problem) for problem in problems]}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        _tell(path, problems)
    raise SystemExit(1 if problems else 0)


def _tell(path: str | Path, problems: "list[Problem]") -> None:
    for problem in problems:
        click.echo(str(problem), err=True)
    click.echo(
        f"{path}: {len(problems) or 'no'} problem{'' if len(problems) == 1 else 's'}", err=bool(problems)
    )


@menu.command(short_help="Draw a menu file as a Mermaid flowchart.")
@MENU_FILE
@explained
def graph(file: str | None) -> None:
    """Print the graph of FILE (left out: the self-care menu) as a Mermaid flowchart.

    \b
    Example: starpound menu graph > menu.mmd
    """
    from gateway.daemon import load_menu
    from menus.diagram import diagram

    click.echo(diagram(load_menu(file)))
