"""A pseudo terminal with a command in it; the command cannot tell."""

import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\r")


class Terminal:
    """A terminal of 80 columns with the command in it.

    `screen` is what it has shown and nobody has looked at, without escapes; `raw` is all that came, with them.
    """

    def __init__(self, fd: int, process: subprocess.Popen):
        self._fd, self.process = fd, process
        self.screen = self.raw = ""

    def type(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def shows(self, words: str) -> None:
        """Wait until these words are on it; what was there before them is then no longer looked at."""
        deadline = time.monotonic() + PATIENCE_S
        while words not in self.screen:
            left_s = max(deadline - time.monotonic(), 0)
            assert select.select([self._fd], [], [], left_s)[0], f"no {words!r} in:\n{self.screen}"
            self.screen += self._read()
        self.screen = self.screen.partition(words)[2]

    def interrupt(self) -> None:
        """Ctrl-C, a moment later: a signal between a prompt and the wait for keys is not seen before the next key."""
        time.sleep(0.5)
        self.process.send_signal(signal.SIGINT)

    def ends(self) -> int:
        deadline = time.monotonic() + PATIENCE_S
        try:
            while True:
                left_s = max(deadline - time.monotonic(), 0)
                assert select.select([self._fd], [], [], left_s)[0], f"it does not end:\n{self.screen}"
                self.screen += self._read()
        except OSError:  # the other side of the terminal is closed
            return self.process.wait(PATIENCE_S)

    def _read(self) -> str:
        came = os.read(self._fd, 65536).decode(errors="replace")
        self.raw += came
        return _ESCAPES.sub("", came)


@contextmanager
def terminal(command: list[str], **environment: str) -> Iterator[Terminal]:
    """The command, begun at a terminal of its own, and killed in the end if it is still there."""
    ours, theirs = pty.openpty()
    usual = {"PROMPT_TOOLKIT_NO_CPR": "1", "TERM": "xterm", "COLUMNS": "80", "LINES": "40"}
    process = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        env=os.environ | usual | environment,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(ours, process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE_S)
        os.close(ours)
