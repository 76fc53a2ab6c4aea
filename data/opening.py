"""Opening a store: the scheme of its URL says which implementation it is."""

from collections.abc import Callable
from typing import Protocol

from data.store import Store, StoreError


class Opener(Protocol):
    """What an implementation brings along: the URL, whether a new store may be made, whether to wait for others."""

    def __call__(self, url: str, create: bool, patient: bool) -> Store:
        """Open the store. Raises StoreError."""


def _sqlite() -> Opener:
    from data.sqlite import open_sqlite

    return open_sqlite


SCHEMES: dict[str, Callable[[], Opener]] = {"sqlite": _sqlite}
"""Scheme -> where its opener comes from; no implementation is imported before a store of its kind is opened."""


def open_store(url: str, create: bool = True, patient: bool = False) -> Store:
    """Open the store at ``url``, migrating it if it is old.

    ``sqlite:///relative/path``, ``sqlite:////absolute/path``, or ``sqlite://`` for one in memory, which is gone when it
    is closed. What is missing is made if ``create`` allows it. ``patient`` is for a command that writes while a gateway
    is at work: it waits seconds for its turn instead of half a one. Raises StoreError with one line that names the
    store: it is not a database, is not ours, is of a newer schema, cannot be written.
    """
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in SCHEMES:
        raise StoreError(f"{url}: a store is named {', '.join(f'{known}:///PATH' for known in SCHEMES)}")
    return SCHEMES[scheme]()(url, create, patient)
