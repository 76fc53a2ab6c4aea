"""A store for a command: opened beside the gateway that may be at work on it, and closed again whatever happens."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from data.store import Store

STORE = click.option("--store", "url", required=True, help="sqlite:///PATH")

Found = TypeVar("Found")


def ask(url: str, question: Callable[["Store"], Awaitable[Found]], *, create: bool = False) -> Found:
    """Open the store, put the question and answer it. Raises StoreError.

    With ``create`` a store that is not there is made.
    """
    from data.opening import open_store

    async def opened() -> Found:
        store = open_store(url, create=create, patient=True)
        try:
            return await question(store)
        finally:
            await store.close()

    return asyncio.run(opened())
