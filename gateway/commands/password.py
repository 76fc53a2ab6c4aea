"""``starpound password``: the passwords that were issued."""

import asyncio
import sys

import click

from gateway.commands import explained


@click.group()
def password() -> None:
    """Passwords of the web account."""


@password.command(short_help="Say whether a password is the right one.")
@click.option("--store", "url", required=True, help="sqlite:///PATH")
@click.argument("msisdn")
@explained
def verify(url: str, msisdn: str) -> None:
    """Read a password from standard input; exit status 0 when it is the right one for MSISDN, 1 when not.

    \b
    Example: starpound password verify --store sqlite:///var/starpound.db 79260000003 < password.txt
    """
    from data.opening import open_store
    from handlers.password import verify as is_right

    given = sys.stdin.readline().rstrip("\n")

    async def ask() -> bool:
        store = open_store(url, create=False)
        try:
            return await is_right(store, msisdn, given)
        finally:
            await store.close()

    right = asyncio.run(ask())
    click.echo("right" if right else "wrong")
    raise SystemExit(0 if right else 1)
