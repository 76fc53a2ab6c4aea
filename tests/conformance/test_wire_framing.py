"""Cases F1 to F10 through a real socket: what a peer may put on the wire. The first line of each says what we do."""

import itertools
from pathlib import Path

import pytest

from tests.conformance.ends import ESME, GATEWAY, ROLES, SMSC, staged
from tests.conformance.octets import (
    CANCEL_SM,
    DATA_SM,
    ENQUIRE_LINK,
    GENERIC_NACK,
    MESSAGE_PAYLOAD,
    RESPONSE,
    RINVCMDID,
    RINVCMDLEN,
    RINVMSGLEN,
    RINVOPTPARSTREAM,
    RINVPARLEN,
    ROK,
    USSD_SERVICE_OP,
    c_string,
    frame,
    message,
    response,
    tlv,
)

each_role = pytest.mark.parametrize("role", ROLES)

FOREIGN = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: example\r\n\r\n",
    "TLS": bytes.fromhex("16030102000100 01fc0303") + bytes(300),
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "RDP": bytes.fromhex("030000130ee000000000000100080003000000"),
    "AMQP": b"AMQP\x00\x00\x09\x01",
}


@each_role
async def test_F1_octet_by_octet_from_the_bind_on(role: str, tmp_path: Path):
    """PDUs are put together, however they were cut or joined on the way, during the bind as well."""
    async with staged(role, tmp_path) as end:
        peer = await end.connect()
        await peer.write_slowly(await end.opening(peer))
        await end.opened(peer)
        await peer.write_slowly(frame(end.takes, 7, end.hello()))
        assert (await peer.response(7)).status == ROK
        await peer.is_alive()


@each_role
async def test_F1_the_bind_and_messages_in_one_write(role: str, tmp_path: Path):
    """PDUs are put together, however they were cut or joined on the way, during the bind as well."""
    async with staged(role, tmp_path) as end:
        peer = await end.connect()
        messages = b"".join(frame(end.takes, 0x100 + i, end.hello(i)) for i in range(8))
        peer.write(await end.opening(peer) + messages + frame(ENQUIRE_LINK, 0x200))
        await end.opened(peer)
        for i in range(8):
            answer = await peer.response(0x100 + i)
            assert (answer.command_id, answer.status) == (end.takes | RESPONSE, ROK), answer
        await peer.response(0x200)


@each_role
async def test_F2_wrong_command_length(role: str, tmp_path: Path):
    """generic_nack ESME_RINVCMDLEN, then the close: nobody knows where the next PDU begins."""
    async with staged(role, tmp_path) as end:
        for length in (0, 15, 65537, 0x7FFFFFFF):
            peer = await end.bound()
            await peer.is_alive()
            peer.write(length.to_bytes(4, "big") + frame(end.takes, 9, end.hello())[4:])
            rest = await peer.is_closed()
            assert [(pdu.command_id, pdu.status) for pdu in rest] == [(GENERIC_NACK, RINVCMDLEN)], length
        await (await end.bound()).is_alive()


@each_role
async def test_F3_unknown_command(role: str, tmp_path: Path):
    """generic_nack ESME_RINVCMDID with the same sequence number; the link stays."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        for command_id in (0x00000000, 0x00000112, 0x00010200, 0x80000777):
            peer.write(frame(command_id, 77, b"\1\2\3"))
            nack = await peer.response(77)
            assert (nack.command_id, nack.status) == (GENERIC_NACK, RINVCMDID), hex(command_id)
        assert (await peer.ask(end.takes, end.hello())).status == ROK, "the link did not stay"


@each_role
async def test_F4_another_protocol(role: str, tmp_path: Path):
    """Closed at once and without an answer; the log names the protocol, and the next connection is welcome."""
    async with staged(role, tmp_path) as end:
        for protocol, octets in FOREIGN.items():
            stranger = await end.connect()
            stranger.write(octets)
            said = await stranger.is_closed()
            asked = [pdu.command_id & RESPONSE for pdu in said]
            assert asked == [0] * (not end.listens), f"{protocol}: our bind, if anything"
        await (await end.bound()).is_alive()


@each_role
async def test_F5_odd_sequence_numbers_are_echoed(role: str, tmp_path: Path):
    """Any sequence number is accepted and echoed; ours run from 1 to 0x7FFFFFFF and then begin with 1 again."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        for i, number in enumerate((0, 0x80000000, 0xFFFFFFFF)):
            answer = await peer.ask(end.takes, end.hello(i), number)
            assert (answer.command_id, answer.status) == (end.takes | RESPONSE, ROK), hex(number)
            assert (await peer.ask(ENQUIRE_LINK, b"", number)).command_id == ENQUIRE_LINK | RESPONSE


@each_role
async def test_F5_our_own_numbers_begin_with_1_and_count(role: str, tmp_path: Path):
    """Any sequence number is accepted and echoed; ours run from 1 to 0x7FFFFFFF and then begin with 1 again."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        first = (await end.provoke(peer, 1)).number
        assert first == (1 if end.listens else 2), "an ESME's first request is its bind"
        assert (await end.provoke(peer, 2)).number == first + 1


CUT = message("79260000003", "105", b"HELLO")[:-6]  # up to sm_length
ODD_BODIES = {
    "nothing": (b"", RINVPARLEN),
    "a C-string without NUL": (b"SERVICETYPE WITHOUT END", RINVPARLEN),
    "cut in the integers": (c_string("USSD") + b"\1", RINVPARLEN),
    "sm_length beyond the body": (CUT + b"\x06HELLO", RINVMSGLEN),
    "a cut TLV": (CUT + b"\x00" + tlv(USSD_SERVICE_OP, b"\1\2")[:-1], RINVOPTPARSTREAM),
    "one octet too many": (CUT + b"\x00\x00", RINVOPTPARSTREAM),
}


@each_role
async def test_F6_a_body_that_does_not_add_up(role: str, tmp_path: Path):
    """The request's own response with a fitting status; the link stays; the octets go into quarantine."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        for what, (body, status) in ODD_BODIES.items():
            answer = await peer.ask(end.takes, body)
            assert (answer.command_id, answer.status) == (end.takes | RESPONSE, status), (what, answer)
        assert (await peer.ask(DATA_SM, b"\0")).status == RINVPARLEN
        assert (await peer.ask(end.takes, end.hello())).status == ROK, "the link did not stay"
        if role in GATEWAY:
            assert end.counted("quarantined") == len(ODD_BODIES) + 1


@each_role
async def test_F6_a_malformed_response_counts_by_its_header(role: str, tmp_path: Path):
    """The request's own response with a fitting status; the link stays; the octets go into quarantine."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        request = await end.provoke(peer)
        peer.write(response(request, ROK, b"no NUL"))
        await peer.is_alive()
        assert (await end.provoke(peer, 4)).number > request.number


@each_role
async def test_F7_any_tlv_in_any_pdu(role: str, tmp_path: Path):
    """Unknown, vendors' and misplaced TLVs are accepted and kept as octets."""
    odd = b"".join(tlv(tag, b"\1\2") for tag in (0x0000, 0x0007, 0x0422, 0x1400, 0x3FFF, 0x4001, 0xFFFF))
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        assert (await peer.ask(end.takes, end.hello() + odd + tlv(0x1501, b""))).status == ROK
        assert (await peer.ask(ENQUIRE_LINK, odd)).status == ROK
        request = await end.provoke(peer, 5)
        peer.write(response(request, ROK, c_string("1") + odd))
        await peer.is_alive()


@each_role
async def test_F8_the_same_tlv_twice(role: str, tmp_path: Path):
    """The last one counts."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        twice = tlv(USSD_SERVICE_OP, b"\x10") + tlv(0x1400, b"first") + tlv(0x1400, b"last")
        if role in GATEWAY:  # 0x10 asks for nothing that it does; dialling again behind it does
            body = end.hello().replace(tlv(USSD_SERVICE_OP, b"\1"), twice + tlv(USSD_SERVICE_OP, b"\1"))
            peer.write(frame(end.takes, 7, body))
            assert (await peer.response(7)).status == ROK
            await peer.request(end.gives)
        else:
            assert (await peer.ask(end.takes, end.hello() + tlv(0x1400, b"first") * 2)).status == ROK
        await peer.is_alive()


@each_role
async def test_F9_a_vendors_status(role: str, tmp_path: Path):
    """Kept as the number that it is."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        odd = (0x400, 0x4FF, 0x0009, 0xFFFFFFFF)
        for i, status in enumerate(odd):
            peer.write(response(await end.provoke(peer, i), status))
        await peer.is_alive()
        assert (await end.provoke(peer, 9)).status == ROK
        if role in GATEWAY:
            assert end.counted("answers", verdict="failed") == len(odd)


@each_role
async def test_F10_an_error_with_and_without_a_body(role: str, tmp_path: Path):
    """A response is read with its body and without, an error or not."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        bodies = b"", b"\0", c_string("42"), b"\0" + tlv(0x0425, b"\1")
        for i, (status, body) in enumerate(itertools.product((0x0B, ROK), bodies)):
            peer.write(response(await end.provoke(peer, i), status, body))
        await peer.is_alive()
        if role in GATEWAY:
            assert end.counted("quarantined") == 0
            assert end.counted("answers", verdict="stray") == 0


@pytest.mark.parametrize("role", ESME)
@pytest.mark.parametrize("status", [ROK, 0x0D])
async def test_F10_a_bind_response_without_a_body(role: str, status: int, tmp_path: Path):
    """A response is read with its body and without, an error or not."""
    async with staged(role, tmp_path) as end:
        peer = await end.connect()
        await _answer_bind(end, peer, status)
        if status:
            assert await peer.is_closed() == []
            peer = await end.connect()
            await _answer_bind(end, peer, ROK)
        assert (await peer.ask(end.takes, end.hello())).status == ROK


async def _answer_bind(end, peer, status: int) -> None:
    opening = await end.opening(peer)
    command_id, number = int.from_bytes(opening[4:8], "big"), int.from_bytes(opening[12:16], "big")
    peer.write(frame(command_id, number, b"", status))


@pytest.mark.parametrize("role", SMSC)
async def test_F6_every_command_that_is_cut_is_answered_with_its_own_response(role: str, tmp_path: Path):
    """The request's own response with a fitting status; the link stays; the octets go into quarantine."""
    commands = [0x03, 0x04, 0x07, CANCEL_SM, 0x21, DATA_SM]
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        for command_id in commands:
            answer = await peer.ask(command_id, b"\0")
            assert answer.command_id == command_id | RESPONSE
            assert answer.status == RINVPARLEN
        await peer.is_alive()


@each_role
async def test_F1_a_long_pdu_within_the_limit(role: str, tmp_path: Path):
    """PDUs are put together, however they were cut or joined on the way, during the bind as well."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        filled = end.hello() + tlv(0x1400, bytes(60_000))
        assert (await peer.ask(end.takes, filled)).status == ROK
        assert (await peer.ask(end.takes, end.hello(4) + tlv(MESSAGE_PAYLOAD, b""))).status == ROK
