"""``starpound password``: the passwords that were issued."""

import sys

import click

from gateway.commands import explained
from gateway.commands.store import STORE, ask


@click.group()
def password() -> None:
    """Passwords of the web account."""


@password.command(short_help="Say whether a password is the right one.")
@STORE
@click.argument("msisdn")
@explained
def verify(url: str, msisdn: str) -> None:
    """Read a password from standard input; exit status 0 when it is the right one for MSISDN, 1 when not.

    \b
    Example: starpound password verify --store sqlite:///var/starpound.db 79260000003 < password.txt
    """
    from handlers.password import verify as is_right

    given = sys.stdin.readline().rstrip("\n")
    right = ask(url, lambda store: is_right(store, msisdn, given))
    click.echo("right" if right else "wrong")
    raise SystemExit(0 if right else 1)
