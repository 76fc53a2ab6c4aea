"""The commands that run the gateway and look at what is the gateway's, a module each.

A room is imported where a command uses it: `starpound --help` need not load a gateway.
"""

from gateway.terminal import explaining


def _expected() -> tuple[type[Exception], ...]:
    from data.store import StoreError
    from gateway.daemon import StartError
    from gateway.dialect import DialectError
    from gateway.settings import SettingsError
    from menus.problems import MenuError

    return StoreError, StartError, SettingsError, DialectError, MenuError


explained = explaining(_expected)
"""Decorates a command: what may be expected to go wrong is one line."""
