"""Coverage-guided fuzzing: `make fuzz`, or `fuzz.py [TARGET…]`. FUZZ_S says how many seconds each target is given.

A target runs in a process of its own under atheris, which begins with the octets in `corpus/TARGET.txt` (one input a
line, in hex) and what the tests have as vectors, and writes back what reached code that nothing else had reached. An
input that breaks something is written to `finds/`, where `test_finds.py` picks it up from then on.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CORPUS, FINDS = HERE / "corpus", HERE / "finds"
DEFAULT_S = 60
LONGEST_OCTETS = 512
MOST_INPUTS = 300
LAST_LINES = 40

sys.path[:0] = [str(ROOT)]


def main(arguments: list[str]) -> int:
    """Run the targets that are named, or all; 1 when something was found, 2 when atheris cannot run here."""
    if arguments[:1] == ["--one"]:
        return fuzz_one(arguments[1], arguments[2:])
    try:
        import atheris  # noqa: F401
    except ImportError as problem:
        print(f"atheris does not run here ({problem}): it has wheels for Linux and CPython", file=sys.stderr)
        return 2
    from tests.fuzz.targets import TARGETS

    seconds = int(os.environ.get("FUZZ_S", DEFAULT_S))
    broken = [target for target in arguments or TARGETS if not fuzz(target, seconds)]
    for target in broken:
        print(f"{target}: see tests/fuzz/finds/{target}-*", file=sys.stderr)
    return 1 if broken else 0


def fuzz(target: str, seconds: int) -> bool:
    """Run one target for so long, and keep what it learned; whether it held."""
    FINDS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        learned, vectors = Path(folder, "learned"), Path(folder, "vectors")
        _fill(learned, corpus(target))
        _fill(vectors, seeds(target))
        print(f"{target}: {seconds} s", flush=True)
        limits = [
            f"-max_total_time={seconds}",
            f"-max_len={LONGEST_OCTETS}",
            "-timeout=10",
            "-rss_limit_mb=2048",
        ]
        held = _run(target, *limits, f"-artifact_prefix={FINDS / target}-", str(learned), str(vectors))
        keep(target, learned)
    return held


def _fill(folder: Path, inputs: list[bytes]) -> None:
    folder.mkdir()
    for number, octets in enumerate(inputs):
        (folder / str(number)).write_bytes(octets)


def _run(target: str, *options: str) -> bool:
    """Be brief when all is well; otherwise let libFuzzer and the traceback speak."""
    command = [sys.executable, __file__, "--one", target, "-verbosity=1", "-print_final_stats=1", *options]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, errors="replace")
    said = ended.stderr + ended.stdout
    if ended.returncode:
        print("\n".join(said.splitlines()[-LAST_LINES:]), file=sys.stderr, flush=True)
    runs = re.search(r"number_of_executed_units: (\d+)", said)
    print(f"{target}: {runs[1] if runs else 'no'} runs", flush=True)
    return not ended.returncode


def fuzz_one(target: str, options: list[str]) -> int:
    """Be the process in which atheris calls the target; it never returns."""
    import atheris

    with atheris.instrument_imports(include=["gateway.smpp", "gateway.dialect"]):
        from tests.fuzz.targets import TARGETS
    _instrument_codec(atheris)
    atheris.Setup([__file__, *options], TARGETS[target])
    atheris.Fuzz()
    return 0


def _instrument_codec(atheris) -> None:
    """The encoders and decoders are made with exec, which no import hook sees."""
    from gateway.smpp import pdu

    for table in (pdu.DECODERS, pdu.ENCODERS):
        for command_id, function in table.items():
            table[command_id] = atheris.instrument_func(function)


def seeds(target: str) -> list[bytes]:
    """The vectors of tests/protocol in the form that the target reads."""
    from gateway.smpp.pdu import DataSm, DeliverSm, SubmitSm
    from tests.protocol.vectors import VECTORS

    frames = [vector.frame for vector in VECTORS]
    match target:
        case "framing":
            return [b"\3\7\1\4" + b"".join(frames), *(b"\0\1\2\3" + frame for frame in frames)]
        case "session":
            read = [bytes([8 * len(frame) & 0xF8 | 1]) + frame[:31] for frame in frames]
            return [bytes([role]) + one + b"\3\6\7" for role in range(8) for one in read]
        case "text":
            return [frame[16:] for frame in frames]
        case "dialect":
            commands = [DeliverSm.command_id, SubmitSm.command_id, DataSm.command_id]
            numbers = [(int.from_bytes(frame[4:8], "big"), frame) for frame in frames]
            return [bytes([commands.index(i)]) + frame[16:] for i, frame in numbers if i in commands]
    return frames


def corpus(target: str) -> list[bytes]:
    """What earlier runs found worth keeping."""
    file = CORPUS / f"{target}.txt"
    return [bytes.fromhex(line) for line in file.read_text("ascii").split()] if file.exists() else []


def keep(target: str, folder: Path) -> None:
    """Write the inputs in `folder` down as the corpus, the shortest ones."""
    found = sorted({file.read_bytes() for file in folder.iterdir()}, key=lambda octets: (len(octets), octets))
    if found:
        CORPUS.mkdir(exist_ok=True)
        lines = [octets.hex() for octets in found if octets][:MOST_INPUTS]
        (CORPUS / f"{target}.txt").write_text("".join(f"{line}\n" for line in lines), "ascii")
        print(f"{target}: {len(lines)} inputs kept", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
