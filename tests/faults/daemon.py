"""``starpound serve`` as a process of its own: started, read, killed."""

import asyncio
import contextlib
import json
import re
import signal
import sys
from pathlib import Path
from typing import Any

import httpx

STARPOUND = Path(sys.executable).with_name("starpound")
DYING = Path(__file__).with_name("dying.py")
_LONGEST_LINE = 1 << 22


class Daemon:
    """``await Daemon.start(config)``; every line of its log is kept in `log` as the dict that it is."""

    def __init__(self, process: asyncio.subprocess.Process):
        self.process = process
        self.log: list[dict[str, Any]] = []
        self._changed = asyncio.Event()
        self._reading = asyncio.create_task(self._read())
        self._admin = ""

    @classmethod
    async def start(cls, config: Path, mortal: bool = False) -> "Daemon":
        """Start it and wait until it is up; its links need not be bound yet. For `mortal` see `tests.faults.dying`."""
        command = [sys.executable, DYING] if mortal else [STARPOUND]
        process = await asyncio.create_subprocess_exec(
            *command,
            *("serve", "--config", config),
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
        )
        daemon = cls(process)
        try:
            up = await daemon.logged(event="gateway is up")
        except BaseException:
            await daemon.clear_away()
            raise
        daemon._admin = f"http://127.0.0.1:{up['admin_port']}"
        return daemon

    @property
    def running(self) -> bool:
        return self.process.returncode is None

    def kill(self) -> None:
        """SIGKILL, now."""
        self._signal(signal.SIGKILL)

    def terminate(self) -> None:
        """SIGTERM."""
        self._signal(signal.SIGTERM)

    async def ended(self, timeout_s: float = 10) -> int:
        """Wait for the end of the process; its exit status, negative for a signal."""
        try:
            async with asyncio.timeout(timeout_s):
                status = await self.process.wait()
                await self._reading
        except TimeoutError:
            raise AssertionError(f"the daemon did not end within {timeout_s:g} s\n{self.explain()}") from None
        return status

    async def clear_away(self) -> None:
        """Leave nothing behind, whatever the test came to."""
        self.kill()
        await self.ended()

    async def logged(self, timeout_s: float = 10, after: int = 0, **wanted: Any) -> dict[str, Any]:
        """The first line, from the line `after` on, that has these fields; waits for it."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    for line in self.log[after:]:
                        if wanted.items() <= line.items():
                            return line
                    assert self.running or not self._reading.done(), f"the daemon has ended\n{self.explain()}"
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"no line {wanted} within {timeout_s:g} s\n{self.explain()}") from None

    async def health(self) -> tuple[int, dict[str, Any]]:
        """Status and body of GET /healthz."""
        response = await self._get("/healthz")
        return response.status_code, response.json()

    async def metric(self, sample: str) -> float:
        """A sample of GET /metrics, such as ``starpound_jobs_total{job="x",result="done"}``; 0 when it is not there."""
        text = (await self._get("/metrics")).text
        found = re.search(rf"^{re.escape(sample)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def explain(self) -> str:
        """The end of the log, and how the process is, for a failure."""
        state = "is running" if self.running else f"ended with {self.process.returncode}"
        return "\n".join([f"the daemon {state}; its log ends:", *map(_shortened, self.log[-12:])])

    async def _get(self, page: str) -> httpx.Response:
        # verify=False: there is no TLS here, and to read the certificates takes longer than the page
        async with httpx.AsyncClient(
            base_url=self._admin, trust_env=False, timeout=5, verify=False
        ) as client:
            return await client.get(page)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    async def _read(self) -> None:
        async for line in self.process.stderr:
            try:
                entry = json.loads(line)
            except ValueError:
                entry = {"event": line.decode(errors="replace").rstrip()}
            self.log.append(entry)
            self._changed.set()
        self._changed.set()


def _shortened(line: dict[str, Any]) -> str:
    line = {key: value for key, value in line.items() if key not in ("timestamp", "peer")}
    trace = line.pop("exception", "")
    return f"{line} {trace[-600:]}" if trace else f"{line}"
