"""``starpound menu``: what is wrong with a menu file, and what it looks like."""

import click

from gateway.commands import explained


@click.group()
def menu() -> None:
    """Look at a menu file."""


MENU_FILE = click.argument("file", required=False, type=click.Path(dir_okay=False))


@menu.command(short_help="Find the faults of a menu file.")
@MENU_FILE
@explained
def check(file: str | None) -> None:
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
    for problem in problems:
        click.echo(str(problem), err=True)
    click.echo(
        f"{path}: {len(problems) or 'no'} problem{'' if len(problems) == 1 else 's'}", err=bool(problems)
    )
    raise SystemExit(1 if problems else 0)


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
