"""The timers of §7.2 through a real socket, all of them short; on the core time is a number (tests/protocol)."""

from pathlib import Path

import pytest

from tests.conformance.ends import GATEWAY, ROLES, SMSC, staged
from tests.conformance.octets import BIND_TRANSCEIVER, ENQUIRE_LINK, bind, frame, response

each_role = pytest.mark.parametrize("role", ROLES)
SHORT_S = 0.15


SAID = {
    "nothing": b"",
    "half a header": b"\0\0\0\x2f\0\0\0",
    "half a bind": frame(BIND_TRANSCEIVER, 1, bind())[:-5],
    "an enquire_link": frame(ENQUIRE_LINK, 1),
}


@pytest.mark.parametrize("role", SMSC)
async def test_a_connection_that_does_not_bind_is_closed(role: str, tmp_path: Path):
    """session_init_timer: whoever has not bound by then is closed, whatever it has said (slow-loris)."""
    async with staged(role, tmp_path, session_init_s=SHORT_S) as end:
        lorises = [await end.connect() for _ in SAID]
        for loris, octets in zip(lorises, SAID.values(), strict=True):
            loris.write(octets)
        for loris in lorises:
            await loris.is_closed()
        await (await end.bound()).is_alive()


@each_role
async def test_a_peer_that_falls_silent_is_asked_and_dropped(role: str, tmp_path: Path):
    """enquire_link_timer and response_timer: half a header and silence; the half-open link is dropped."""
    async with staged(role, tmp_path, enquire_link_s=SHORT_S, response_s=SHORT_S) as end:
        peer = await end.bound()
        peer.mute = True
        peer.write(frame(end.takes, 9, end.hello())[:7])
        sent = await peer.is_closed()
        assert ENQUIRE_LINK in [pdu.command_id for pdu in sent]
        await (await end.bound()).is_alive()


@each_role
async def test_a_peer_that_answers_enquire_link_stays(role: str, tmp_path: Path):
    """enquire_link_timer: silence is followed by a question; who answers it stays."""
    async with staged(role, tmp_path, enquire_link_s=SHORT_S, response_s=SHORT_S) as end:
        peer = await end.bound()
        peer.mute = True
        for _ in range(4):
            peer.write(response(await peer.request(ENQUIRE_LINK)))
        await peer.is_alive()


@pytest.mark.parametrize("role", GATEWAY)
async def test_a_connection_on_which_the_bind_is_not_answered(role: str, tmp_path: Path):
    """response_timer: a bind without an answer, or none at all, ends in another connection."""
    async with staged(role, tmp_path, response_s=SHORT_S, connect_s=SHORT_S, session_init_s=SHORT_S) as end:
        silent = await end.connect()
        await silent.is_closed()
        await (await end.bound()).is_alive()
