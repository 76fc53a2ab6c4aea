"""Opening a store: the scheme of its URL says which implementation it is."""

from collections.abc import Callable

from data.store import Store, StoreError

Open = Callable[[str, bool, bool, bool], Store]


def _open_sqlite(url: str, create: bool, patient: bool, folders: bool) -> Store:
    from data.sqlite import open_store

    return open_store(url, create, patient, folders)


# Each imports its implementation when it is asked for: nobody needs the drivers of the others.
SCHEMES: dict[str, Open] = {"sqlite": _open_sqlite}


def open_store(url: str, create: bool = True, patient: bool = False, folders: bool = True) -> Store:
    """Open the store at a URL such as ``sqlite:///var/starpound.db``, migrating it if it is old.

    It is made when it is missing and ``create`` allows it, and so is its folder unless ``folders`` is false: a daemon
    with a mistyped path must not begin with an empty store. ``patient`` is for a command that writes while a gateway
    is at work: it waits seconds for its turn instead of half a one. Raises StoreError with one line that says which
    store and why: the scheme is none of :data:`SCHEMES`, or the implementation cannot use what is there.
    """
    scheme, separator, _ = url.partition("://")
    if not separator:
        raise StoreError(f"{url}: a store is named by a URL such as sqlite:///PATH")
    if scheme not in SCHEMES:  # of the rest nothing is told: a password may be in it
        known = ", ".join(f"{kind}:///PATH" for kind in sorted(SCHEMES))
        raise StoreError(f"{scheme}: no such kind of store; there is {known}")
    return SCHEMES[scheme](url, create, patient, folders)
