"""Cases S1 to S11 through a real socket: binding, leaving, what is legal between. The first line says what we do."""

import asyncio
import itertools
from pathlib import Path

import pytest

from smpp_sim.settings import Account
from tests.conformance.ends import ANY_PORT, ESME, GATEWAY, ROLES, SIMULATOR, SMSC, msisdn, staged
from tests.conformance.octets import (
    BIND_RECEIVER,
    BIND_TRANSCEIVER,
    BIND_TRANSMITTER,
    CANCEL_SM,
    DATA_SM,
    ENQUIRE_LINK,
    GENERIC_NACK,
    OUTBIND,
    QUERY_SM,
    RALYBND,
    RESPONSE,
    RINVBNDSTS,
    RINVPASWD,
    RINVSYSID,
    ROK,
    SC_INTERFACE_VERSION,
    UNBIND,
    USSD_SERVICE_OP,
    bind,
    c_string,
    fields,
    frame,
    response,
    tlv,
    tlvs_of,
)
from tests.conformance.peer import Peer

each_role = pytest.mark.parametrize("role", ROLES)
as_smsc = pytest.mark.parametrize("role", SMSC)
as_simulator = pytest.mark.parametrize("role", SIMULATOR)
as_esme = pytest.mark.parametrize("role", ESME)

BINDS = [BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER]
RBINDFAIL = 0x0D


@each_role
async def test_S1_requests_before_the_bind(role: str, tmp_path: Path):
    """Its response with ESME_RINVBNDSTS; the bind may still follow."""
    async with staged(role, tmp_path) as end:
        peer = await end.connect()
        opening = await end.opening(peer)
        for command_id in (end.takes, DATA_SM):
            answer = await peer.ask(command_id, end.hello())
            assert (answer.command_id, answer.status) == (command_id | RESPONSE, RINVBNDSTS)
        peer.write(opening)
        await end.opened(peer)
        assert (await peer.ask(end.takes, end.hello())).status == ROK


@as_smsc
async def test_S2_a_second_bind(role: str, tmp_path: Path):
    """bind_resp with ESME_RALYBND; the session lives as it was."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        for kind, password in itertools.product(BINDS, ("secret", "wrong")):
            answer = await peer.ask(kind, bind(password=password))
            assert (answer.command_id, answer.status) == (kind | RESPONSE, RALYBND)
        assert (await peer.ask(end.takes, end.hello())).status == ROK


@each_role
async def test_S3_what_only_the_other_role_may_send(role: str, tmp_path: Path):
    """Refused with ESME_RINVBNDSTS, and never sent by us."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        wrong = [end.gives] if end.listens else [end.gives, QUERY_SM, CANCEL_SM, BIND_TRANSCEIVER]
        for command_id in wrong:
            answer = await peer.ask(command_id, end.hello())
            assert (answer.command_id, answer.status) == (command_id | RESPONSE, RINVBNDSTS)
        await peer.is_alive()


@as_smsc
async def test_S3_a_receiver_does_not_send(role: str, tmp_path: Path):
    """Refused with ESME_RINVBNDSTS, and never sent by us."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound(BIND_RECEIVER)
        answer = await peer.ask(end.takes, end.hello())
        assert (answer.command_id, answer.status) == (end.takes | RESPONSE, RINVBNDSTS)
        await peer.is_alive()


@as_smsc
async def test_S3_a_transmitter_is_sent_nothing(role: str, tmp_path: Path):
    """Refused with ESME_RINVBNDSTS, and never sent by us."""
    async with staged(role, tmp_path) as end:
        transmitter = await end.bound(BIND_TRANSMITTER)
        await end.stir(transmitter)
        await transmitter.is_alive()
        receiver = await end.bound(BIND_RECEIVER)
        await receiver.request(end.gives)
        await transmitter.is_alive()
        assert end.gives not in transmitter.skipped(), "a deliver_sm on a transmitter"


@as_smsc
async def test_S4_wrong_credentials(role: str, tmp_path: Path):
    """ESME_RINVSYSID, ESME_RINVPASWD or one for both, the close after three tries; refused ourselves, we try again."""
    async with staged(role, tmp_path) as end:
        peer = await end.connect()
        tries = [("gw", "wrong", RINVPASWD), ("nobody", "secret", RINVSYSID), ("gw", "", RINVPASWD)]
        for system_id, password, status in tries:
            answer = await peer.ask(BIND_TRANSCEIVER, bind(system_id, password))
            assert answer.status in (status, RBINDFAIL)
            assert answer.command_id == BIND_TRANSCEIVER | RESPONSE
        assert await peer.is_closed() == []
        again = await end.connect()
        await again.ask(BIND_TRANSCEIVER, bind(password="wrong"))
        assert (await again.ask(BIND_TRANSCEIVER, bind())).status == ROK, "a right try after a wrong one"


@as_esme
@pytest.mark.parametrize("nack", [False, True])
async def test_S4_our_bind_is_refused(role: str, nack: bool, tmp_path: Path):
    """ESME_RINVSYSID, ESME_RINVPASWD or one for both, the close after three tries; refused ourselves, we try again."""
    async with staged(role, tmp_path) as end:
        peer = await end.connect()
        request = await peer.request(BIND_TRANSCEIVER)
        peer.write(frame(GENERIC_NACK, request.number, b"", 0x0D) if nack else response(request, RINVPASWD))
        assert await peer.is_closed() == []
        await (await end.bound()).is_alive()


@each_role
async def test_S5_enquire_link_at_any_time(role: str, tmp_path: Path):
    """Answered, even unbound; and any PDU is a sign of life."""
    async with staged(role, tmp_path) as end:
        peer = await end.connect()
        opening = await end.opening(peer)
        await peer.is_alive()
        peer.write(opening)
        await end.opened(peer)
        await peer.is_alive()


@each_role
async def test_S6_the_peer_unbinds(role: str, tmp_path: Path):
    """What is under way is finished, unbind_resp is on the wire before the close; what is not goes out later."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        peer.write(frame(end.takes, 7, end.hello()) + frame(UNBIND, 8))
        rest = await peer.is_closed()
        assert [pdu.number for pdu in rest if pdu.command_id == end.takes | RESPONSE] == [7]
        assert rest[-1] == (UNBIND | RESPONSE, ROK, 8, b""), "the last that it says"
        again = await end.bound()
        if role in GATEWAY:
            await again.request(end.gives)


@each_role
async def test_S6_we_unbind(role: str, tmp_path: Path):
    """What is under way is finished, unbind_resp is on the wire before the close; what is not goes out later."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        request = await end.provoke(peer)
        stopping = await end.begin_stop()
        if role in GATEWAY:
            await peer.is_alive()
            peer.write(response(request, ROK, c_string("1")))
        unbind = await peer.request(UNBIND)
        peer.write(response(unbind))
        await peer.is_closed()
        await stopping


@each_role
async def test_S7_responses_that_nobody_asked_for(role: str, tmp_path: Path):
    """Counted, logged and dropped."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        request = await end.provoke(peer)
        heard = peer.skipped()
        right = response(request, ROK, c_string("1"))
        unasked = [end.gives, end.takes, ENQUIRE_LINK, BIND_TRANSCEIVER, UNBIND, 0]
        peer.write(b"".join(frame(command_id | RESPONSE, 0x7FFF) for command_id in unasked))
        peer.write(frame(DATA_SM | RESPONSE, request.number, c_string("1")) + right + right)
        await peer.is_alive()
        assert peer.skipped() == heard, "nobody answers an answer"
        if role in GATEWAY:
            assert end.counted("answers", verdict="stray") == len(unasked) + 2


@each_role
async def test_S8_after_unbind_resp(role: str, tmp_path: Path):
    """Nothing but the close: whatever follows is not read."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        assert (await peer.ask(UNBIND)).command_id == UNBIND | RESPONSE
        peer.write(frame(BIND_TRANSCEIVER, 1, bind()) + frame(end.takes, 2, end.hello()))
        assert await peer.is_closed() == []


OUTBIND_BODY = c_string("SMSC") + c_string("letmein")
INVITED = {"bind": "pair", "outbind": {"listen": ANY_PORT, "system_id": "SMSC", "password": "letmein"}}


@as_esme
async def test_S9_outbind(role: str, tmp_path: Path):
    """We bind as receiver on the connection that the centre opened; the simulator's centre asks in the same way."""
    async with staged(role, tmp_path, link=INVITED) as end:
        transmitter = await end.connect()
        transmitter.write(await end.opening(transmitter, BIND_TRANSMITTER))
        peer = await end.connect_to(end.gateway.listeners[ANY_PORT].port)
        peer.write(frame(OUTBIND, 1, OUTBIND_BODY))
        request = await peer.request(BIND_RECEIVER)
        peer.write(response(request, ROK, c_string("SMSC")))
        assert (await peer.ask(end.takes, end.hello())).status == ROK
        await transmitter.request(end.gives)


@as_esme
async def test_S9_outbind_of_somebody_else(role: str, tmp_path: Path):
    """We bind as receiver on the connection that the centre opened; the simulator's centre asks in the same way."""
    async with staged(role, tmp_path, link=INVITED) as end:
        for system_id, password in (("SMSC", "wrong"), ("nobody", "letmein")):
            peer = await end.connect_to(end.gateway.listeners[ANY_PORT].port)
            peer.write(frame(OUTBIND, 1, c_string(system_id) + c_string(password)))
            assert await peer.is_closed() == []


@as_esme
async def test_S9_outbind_out_of_place(role: str, tmp_path: Path):
    """We bind as receiver on the connection that the centre opened; the simulator's centre asks in the same way."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        refused = await peer.ask(OUTBIND, OUTBIND_BODY)
        assert (refused.command_id, refused.status) == (GENERIC_NACK, RINVBNDSTS)
        assert (await peer.ask(end.takes, end.hello())).status == ROK


@as_simulator
async def test_S9_the_simulator_asks(role: str, tmp_path: Path):
    """We bind as receiver on the connection that the centre opened; the simulator's centre asks in the same way."""
    called: asyncio.Queue[Peer] = asyncio.Queue()
    esme = await asyncio.start_server(lambda *stream: called.put_nowait(Peer(*stream)), "127.0.0.1", 0)
    port = esme.sockets[0].getsockname()[1]
    async with esme:
        account = Account("gw", "secret", outbind=f"127.0.0.1:{port}")
        async with staged(role, tmp_path, accounts=(account,), outbind_password="letmein") as end:
            end.simulator.phone(msisdn(3)).dial("*100#")
            peer = await called.get()
            end.peers.append(peer)
            outbind = await peer.request(OUTBIND)
            assert outbind.body.split(b"\0")[1] == b"letmein"
            assert (await peer.ask(BIND_RECEIVER, bind())).status == ROK
            await peer.request(end.gives)


@each_role
async def test_S10_a_peer_older_than_3_4(role: str, tmp_path: Path):
    """No TLVs to it, and message ids of at most 8 characters."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound(version=0x33)
        answer = await peer.ask(end.takes, end.hello())
        assert answer.status == ROK
        assert len(answer.body) <= 9, f"a C-string of 8, nothing behind it: {answer}"
        request = await end.provoke(peer, 4)
        assert fields(request.body)[2] == {}


@each_role
async def test_S10_a_peer_of_version_3_4_gets_tlvs(role: str, tmp_path: Path):
    """No TLVs to it, and message ids of at most 8 characters."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound(version=0x34)
        request = await end.provoke(peer, 4)
        assert USSD_SERVICE_OP in fields(request.body)[2]


@as_esme
async def test_S11_interface_version_of_our_bind(role: str, tmp_path: Path):
    """Ours is the octet 0x34."""
    async with staged(role, tmp_path) as end:
        request = await (await end.connect()).request(BIND_TRANSCEIVER)
        system_id, password, system_type, rest = request.body.split(b"\0", 3)
        assert (system_id, password, system_type) == (b"gw", b"secret", b"")
        assert rest[0] == 0x34


@as_smsc
async def test_S11_sc_interface_version_of_our_response(role: str, tmp_path: Path):
    """Ours is the octet 0x34."""
    async with staged(role, tmp_path) as end:
        for kind in BINDS:
            answer = await (await end.connect()).ask(kind, bind())
            _, tlvs = answer.body.split(b"\0", 1)
            assert tlvs_of(tlvs) == {SC_INTERFACE_VERSION: b"\x34"}
        older = await end.connect()
        answer = await older.ask(BIND_TRANSCEIVER, bind(version=0x33) + tlv(0x1400, b""))
        assert answer.body.split(b"\0", 1)[1] == b"", "version 3.3 knows no TLVs (S10)"
