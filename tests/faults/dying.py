"""The command ``starpound``, which dies at a commit: run it as a script in place of the command.

The file named by the environment variable DIE_AT says when: ``before 1``, ``after 2`` and so on, counted from the
moment at which the file is there. It is removed by the death that it ordered. Without it nothing happens.
"""

import functools
import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

_ORDER = Path(os.environ["DIE_AT"])


class MortalConnection(sqlite3.Connection):
    """Looks at the order before and after each COMMIT."""

    _commits = 0

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Execute, and die if it is time."""
        if sql != "COMMIT" or not _ORDER.exists():
            return super().execute(sql, *values)
        self._commits += 1
        self._die_if_it_is_time("before")
        cursor = super().execute(sql, *values)
        self._die_if_it_is_time("after")
        return cursor

    def _die_if_it_is_time(self, moment: str) -> None:
        if _ORDER.read_text("ascii") == f"{moment} {self._commits}":
            _ORDER.unlink()
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    from cli import main

    sqlite3.connect = functools.partial(sqlite3.connect, factory=MortalConnection)
    main(prog_name="starpound")
