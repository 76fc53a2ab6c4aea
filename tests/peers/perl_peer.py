"""Net::SMPP (Perl) as a peer: `perl/peer.pl`, a process for each. short_message and TLVs are bytes, both ways."""

import asyncio
import contextlib
import functools
import shutil
import subprocess
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

from tests.peers.line_peer import WAIT_S, Link, Peer

PROGRAM = Path(__file__).with_name("perl") / "peer.pl"


@functools.cache
def missing() -> str | None:
    """Why Net::SMPP cannot run here; None when it can."""
    if shutil.which("perl") is None:
        return "perl is not installed (tests/provide perl)"
    tried = subprocess.run(["perl", "-MNet::SMPP", "-MJSON::PP", "-e1"], capture_output=True, check=False)
    return "Perl's Net::SMPP is not installed (tests/provide perl)" if tried.returncode else None


@contextlib.asynccontextmanager
async def esme(port: int) -> AsyncIterator[Link]:
    """An ESME connected to this port, not yet bound."""
    async with _peer() as peer:
        peer.tell({"connect": port})
        yield await peer.opened()


@contextlib.asynccontextmanager
async def smsc() -> AsyncIterator[Peer]:
    """An SMSC, listening."""
    async with _peer() as peer:
        await peer.listen()
        yield peer


@contextlib.asynccontextmanager
async def _peer() -> AsyncIterator[Peer]:
    process = await asyncio.create_subprocess_exec("perl", PROGRAM, stdin=PIPE, stdout=PIPE, limit=1 << 20)
    assert process.stdin
    assert process.stdout
    peer = Peer("Net::SMPP", process.stdout, process.stdin)
    try:
        yield peer
    finally:
        try:
            await asyncio.wait_for(peer.end(), WAIT_S)
        except TimeoutError:
            process.kill()  # in the middle of a PDU that never ends it hears nothing else
        await process.wait()
