"""What the figures were measured on: processor, kernel, Python, and how long the disk takes to be sure.

No host name and no path: results.md is published.
"""

import os
import platform
import statistics
import tempfile
import time
from pathlib import Path


def describe(directory: Path) -> list[str]:
    """Return a line for each fact; ``directory`` is where the stores of the benchmark are kept."""
    median_ms, p99_ms = fsync_ms(directory)
    return [
        f"Processor: {processor()}, {os.cpu_count()} cores, shared by the load generator and what it loads",
        f"Kernel: {platform.system()} {platform.release()}, {platform.machine()}",
        f"Python: {platform.python_implementation()} {platform.python_version()}",
        f"fdatasync of 4 KiB where the stores are: median {median_ms:.2f} ms, p99 {p99_ms:.2f} ms",
        f"Idle before the run: load average {os.getloadavg()[0]:.2f}",
    ]


def processor() -> str:
    """Return the processor's model by name, "unknown" where /proc does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "unknown")


def fsync_ms(directory: Path, times: int = 200) -> tuple[float, float]:
    """Append 4 KiB and wait for the disk, ``times`` times; return median and 99th percentile (ms)."""
    taken = []
    with tempfile.TemporaryFile(dir=directory) as file:
        for _ in range(times):
            os.write(file.fileno(), bytes(4096))
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - began) * 1e3)
    return statistics.median(taken), statistics.quantiles(taken, n=100)[98]


def processor_seconds(groups: list[int]) -> float | None:
    """Return the processor time used so far by all processes of the process groups; None without /proc."""
    ticks = 0
    try:
        for stat in Path("/proc").glob("[0-9]*/stat"):
            fields = _fields(stat)
            if fields and int(fields[2]) in groups:
                ticks += int(fields[11]) + int(fields[12])
    except OSError:
        return None
    return ticks / os.sysconf("SC_CLK_TCK") if Path("/proc/self/stat").exists() else None


def _fields(stat: Path) -> list[str]:
    """Return the fields of proc(5) stat after the name: [0] state, [2] pgrp, [11] utime, [12] stime."""
    try:
        return stat.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
