"""Cases W1 to W9 through a real socket: windows, errors, and what is promised when. The first line says what we do."""

from pathlib import Path

import pytest

from data.opening import open_store
from tests.conformance.ends import GATEWAY, ROLES, SIMULATOR, End, msisdn, staged
from tests.conformance.octets import (
    DELIVER_SM,
    ENQUIRE_LINK,
    QUERY_SM,
    RESPONSE,
    RINVDSTADR,
    RMSGQFUL,
    ROK,
    RSYSERR,
    RTHROTTLED,
    c_string,
    fields,
    frame,
    message,
    response,
)
from tests.conformance.peer import Peer

each_role = pytest.mark.parametrize("role", ROLES)
of_gateway = pytest.mark.parametrize("role", GATEWAY)
as_simulator = pytest.mark.parametrize("role", SIMULATOR)

TEMPORARY, PERMANENT = [RSYSERR, 0x64, 0x45], [RINVDSTADR, 0x65]
"""RSYSERR, RX_T_APPN, and RSUBMITFAIL, which is said of a submit_sm only; RINVDSTADR and RX_P_APPN."""


async def gives(end: End, peer: Peer, count: int) -> list:
    return [await peer.request(end.gives) for _ in range(count)]


def about(pdu) -> bytes:
    """What two copies of a message have in common."""
    return pdu.body


@each_role
async def test_W1_our_window(role: str, tmp_path: Path):
    """Ours is never exceeded; what is above the peer's is answered ESME_RTHROTTLED, and the link stays."""
    async with staged(role, tmp_path, window=2) as end:
        peer = await end.bound()
        for i in range(5):
            await end.stir(peer, i)
        first, second = await gives(end, peer, 2)
        await peer.is_alive()
        assert end.gives not in peer.skipped(), "a third request in a window of two"
        peer.write(response(second, ROK, c_string("2")))
        third = await peer.request(end.gives)
        await peer.is_alive()
        assert end.gives not in peer.skipped()
        peer.write(response(first, ROK, c_string("1")) + response(third, ROK, c_string("3")))
        await gives(end, peer, 2)


@each_role
async def test_W1_the_peers_window(role: str, tmp_path: Path):
    """Ours is never exceeded; what is above the peer's is answered ESME_RTHROTTLED, and the link stays."""
    async with staged(role, tmp_path, window=2) as end:
        peer = await end.bound()
        peer.write(b"".join(frame(end.takes, 0x100 + i, end.hello(i)) for i in range(10)))
        statuses = [(await peer.response(0x100 + i)).status for i in range(10)]
        assert statuses == [ROK] * 2 + [RTHROTTLED] * 8
        assert (await peer.ask(end.takes, end.hello(11))).status in (ROK, RTHROTTLED)
        await peer.is_alive()


@each_role
@pytest.mark.parametrize("status", [RTHROTTLED, RMSGQFUL])
async def test_W2_throttled(role: str, status: int, tmp_path: Path):
    """The queue waits as a whole, longer each time; its order is kept, and nothing is dropped."""
    async with staged(role, tmp_path, window=1) as end:
        peer = await end.bound()
        await end.stir(peer, 1)
        (first,) = await gives(end, peer, 1)
        for i in (2, 3):
            await end.stir(peer, i)
        await peer.is_alive()
        peer.write(response(first, status))
        came = []
        for _ in range(3):
            came += await gives(end, peer, 1)
            peer.write(response(came[-1], ROK, c_string("1")))
        assert about(came[0]) == about(first), "another one overtook it"
        assert len({about(pdu) for pdu in came}) == 3
        await peer.is_alive()


@each_role
async def test_W3_a_temporary_error(role: str, tmp_path: Path):
    """Sent again after a while; a permanent error ends the message, with the reason kept."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        for i, status in enumerate(TEMPORARY if role in GATEWAY else TEMPORARY[:2]):
            first = await end.provoke(peer, i)
            peer.write(response(first, status))
            again = await peer.request(end.gives)
            assert (about(again), again.number > first.number) == (about(first), True), hex(status)
            peer.write(response(again, ROK, c_string("1")))
        await peer.is_alive()


@each_role
async def test_W3_a_permanent_error(role: str, tmp_path: Path):
    """Sent again after a while; a permanent error ends the message, with the reason kept."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        for i, status in enumerate(PERMANENT):
            peer.write(response(await end.provoke(peer, i), status))
        await peer.is_alive()
        assert end.gives not in peer.skipped()
        if role in GATEWAY:
            assert end.counted("answers", verdict="failed") == len(PERMANENT)


@each_role
async def test_W4_a_response_that_does_not_come(role: str, tmp_path: Path):
    """Sent again with a new sequence number: at least once towards the handset."""
    async with staged(role, tmp_path, response_s=0.2) as end:
        peer = await end.bound()
        first = await end.provoke(peer, 1)
        again = await peer.request(end.gives)
        assert (about(again), again.number != first.number) == (about(first), True)
        peer.write(response(first, ROK, c_string("1")) + response(again, ROK, c_string("1")))
        await peer.is_alive()


@each_role
async def test_W5_responses_at_once(role: str, tmp_path: Path):
    """A request is registered before its octets are written, so that no response is too early."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        for i in range(30):
            peer.write(response(await end.provoke(peer, i), ROK, c_string(str(i))))
        await peer.is_alive()
        if role in GATEWAY:
            assert end.counted("answers", verdict="stray") == 0
            assert end.counted("answers", verdict="taken") == 30


@each_role
async def test_W6_one_write_for_one_read(role: str, tmp_path: Path):
    """All that one read produced leaves in one write, and TCP_NODELAY has it leave at once."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        await peer.is_alive()
        peer.write(b"".join(frame(end.takes, 0x100 + i, end.hello(i)) for i in range(5)))
        octets = await peer.read_at_once()
        acknowledged = [
            0x100 + i
            for i in range(5)
            if (end.takes | RESPONSE).to_bytes(4, "big") + bytes(4) + (0x100 + i).to_bytes(4, "big") in octets
        ]
        assert acknowledged == [0x100 + i for i in range(5)], "the first read of the socket had these"


@of_gateway
async def test_W7_acknowledged_after_the_commit(role: str, tmp_path: Path):
    """An acknowledgement leaves after the commit of all that the message did."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        for i in range(5):
            assert (await peer.ask(end.takes, end.hello(i))).status == ROK
            stranger = open_store(end.url, create=False)  # sees what is committed, and nothing else
            try:
                async with stranger.view() as view:
                    assert await view.inbox.dialogue(msisdn(i)), "acknowledged, and not there"
            finally:
                await stranger.close()


@as_simulator
async def test_W7_a_message_id_is_good_at_once(role: str, tmp_path: Path):
    """An acknowledgement leaves after the commit of all that the message did."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        submitted = await peer.ask(end.takes, end.hello())
        queried = await peer.ask(QUERY_SM, submitted.body + b"\1\1" + c_string("105"))
        assert queried.status == ROK
        assert queried.body.startswith(submitted.body)


def receipt(i: int, message_id: str) -> bytes:
    """The body of a delivery receipt (appendix B)."""
    text = (
        f"id:{message_id} sub:001 dlvrd:001 submit date:2611220000 done date:2611220000 stat:DELIVRD err:000"
    )
    return message(msisdn(i), "105", text.encode(), esm_class=0x04)


@of_gateway
async def test_W8_a_receipt_before_its_submit_sm_resp(role: str, tmp_path: Path):
    """Acknowledged, and matched all the same."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        request = await end.provoke(peer, 3)
        assert (await peer.ask(end.takes, receipt(3, "7F"))).status == ROK
        peer.write(response(request, ROK, c_string("7F")))
        await peer.is_alive()
        assert end.counted("answers", verdict="taken") == 1
        assert end.counted("answers", verdict="stray") == 0


@of_gateway
async def test_W9_ids_in_receipts(role: str, tmp_path: Path):
    """Hexadecimal, decimal, with zeros before them: matched in every form."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        for i, (told, received) in enumerate([("7F", "127"), ("128", "80"), ("0000129", "129")]):
            peer.write(response(await end.provoke(peer, i), ROK, c_string(told)))
            assert (await peer.ask(end.takes, receipt(i, received))).status == ROK
        await peer.is_alive()
        assert end.counted("quarantined") == 0


@as_simulator
async def test_W9_the_simulators_receipt_has_the_id_of_its_response(role: str, tmp_path: Path):
    """Hexadecimal, decimal, with zeros before them: matched in every form."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        body = message("105", msisdn(3), b"hello", receipt=1)
        submitted = await peer.ask(end.takes, body)
        assert submitted.status == ROK
        report = await peer.request(DELIVER_SM)
        message_id = submitted.body.rstrip(b"\0")
        assert b"id:" + message_id in fields(report.body)[1]


@each_role
async def test_W6_enquire_link_and_messages_are_answered_together(role: str, tmp_path: Path):
    """All that one read produced leaves in one write, and TCP_NODELAY has it leave at once."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        await peer.is_alive()
        peer.write(frame(end.takes, 1, end.hello()) + frame(ENQUIRE_LINK, 2))
        octets = await peer.read_at_once()
        for command_id, number in ((end.takes, 1), (ENQUIRE_LINK, 2)):
            head = (command_id | RESPONSE).to_bytes(4, "big") + bytes(4) + number.to_bytes(4, "big")
            assert head in octets
