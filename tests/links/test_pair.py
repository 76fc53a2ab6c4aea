"""bind = "pair": a receiver and a transmitter that work as one link, and the centre that asks for its receiver."""

import asyncio
import contextlib

import httpx

from gateway.smpp.events import UnbindRequest
from gateway.smpp.pdu import BindReceiver, BindTransmitter, Outbind
from gateway.smpp.session import Role, State
from gateway.smpp.vocabulary import ESME_RBINDFAIL, ESME_ROK
from tests.links.peer import Centre, Peer, centre, connected
from tests.links.scene import (
    dialled,
    gateway,
    healthy,
    listening_port,
    metric,
    number,
    replied,
    scene,
    scene_on_both_loops,
    shown,
    to_centre,
    until,
)

INVITED = {"bind": "pair", "outbind": {"listen": "127.0.0.1:0", "system_id": "smsc", "password": "welcome"}}
WAITS = "receiver: waits for the centre's outbind"


async def halves(smsc: Centre, after: int = 0) -> tuple[Peer, Peer]:
    """The receiver and the transmitter, as the centre has them: the two binds that come after so many."""
    two = [await smsc.bound(after + 1), await smsc.bound(after + 2)]
    by_state = {peer.session.state: peer for peer in two}
    return by_state[State.BOUND_RX], by_state[State.BOUND_TX]


@scene_on_both_loops
async def test_a_question_on_the_receiver_is_answered_on_the_transmitter(tmp_path):
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, bind="pair")) as ours:
        rx, tx = await halves(smsc)
        await healthy(ours)
        assert (type(rx.bind), type(tx.bind)) == (BindReceiver, BindTransmitter)
        assert (await rx.ask(dialled(number(3), "*105#"))).command_status == ESME_ROK
        await tx.message(1)
        await rx.ask(replied(number(3), "3"))
        assert shown(await tx.message(2)) != shown(await tx.message(1))
        assert not rx.messages
        assert metric(ours, "link_up", link="ussdc") == 2
    assert rx.seen(UnbindRequest)
    assert tx.seen(UnbindRequest)


@scene
async def test_the_transmitter_is_lost_and_bound_again(tmp_path):
    """What is asked meanwhile is taken in, and what was under way is sent once more; each leaves once it can."""
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, bind="pair")) as ours:
        rx, tx = await halves(smsc)
        await healthy(ours)
        tx.judge = lambda pdu: None
        await rx.ask(dialled(number(3), "*100#"))
        await tx.message()
        smsc.prepare = lambda peer: setattr(peer, "admit", lambda bind: ESME_RBINDFAIL)
        tx.cut()
        await until(lambda: ours.problems()["ussdc"], "half of the link is down")
        async with httpx.AsyncClient() as web:
            page = await web.get(f"http://127.0.0.1:{ours.admin_port}/healthz")
        assert page.status_code == 503
        assert page.json()["links"]["ussdc"] != "bound"
        assert metric(ours, "link_up", link="ussdc") == 1
        assert (await rx.ask(dialled(number(2), "*100#"))).command_status == ESME_ROK
        smsc.prepare = lambda peer: None
        await healthy(ours)
        again = smsc.peers[-1]
        await again.message(2)
        assert [pdu.destination_addr for pdu in again.messages] == [number(3), number(2)]
        assert not rx.lost, "the half that worked stays"


@scene
async def test_the_receiver_is_lost_and_bound_again(tmp_path):
    """The transmitter goes on meanwhile."""
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, bind="pair", window=1)) as ours:
        rx, tx = await halves(smsc)
        tx.judge = lambda pdu: None
        for i in (1, 2, 3):
            await rx.ask(dialled(number(i), "*100#"))
        await tx.message()
        smsc.prepare = lambda peer: setattr(peer, "admit", lambda bind: ESME_RBINDFAIL)
        rx.cut()
        await until(lambda: ours.problems()["ussdc"], "half of the link is down")
        tx.judge = lambda pdu: ESME_ROK
        tx.answer(tx.messages[0])
        await tx.message(3)
        assert [pdu.destination_addr for pdu in tx.messages] == [number(1), number(2), number(3)]
        smsc.prepare = lambda peer: None
        await healthy(ours)
        assert not tx.lost


@scene
async def test_both_halves_up_and_down_and_nothing_lost_or_twice(tmp_path):
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, bind="pair")) as ours:
        answered: list[str] = []
        smsc.judge = lambda pdu: answered.append(pdu.destination_addr) or ESME_ROK
        for turn in range(4):
            await healthy(ours)
            rx = next(peer for peer in reversed(smsc.peers) if peer.session.state is State.BOUND_RX)
            for i in range(10):
                await rx.ask(dialled(number(10 * turn + i), "*100#"))
            for peer in smsc.peers:
                if not peer.lost:
                    peer.cut()
                    await peer.over()
            await until(lambda: ours.problems()["ussdc"], "the link is down")
        await healthy(ours)
        everybody = {number(i) for i in range(40)}
        await until(lambda: set(answered) == everybody, "an answer to everybody")
        await until(
            lambda: metric(ours, "answers_total", link="ussdc", verdict="taken") == 40, "all are settled"
        )


# --- outbind


@scene_on_both_loops
async def test_S9_the_centre_sends_outbind_and_the_pair_works(tmp_path):
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, **INVITED)) as ours:
        tx = await smsc.bound()
        assert type(tx.bind) is BindTransmitter
        await until(lambda: ours.problems() == {"ussdc": WAITS}, "what is missing")
        async with connected(listening_port(ours), Role.SMSC) as rx:
            rx.send(Outbind(system_id="smsc", password="welcome"))
            await rx.bound()
            assert type(rx.bind) is BindReceiver
            assert (rx.bind.system_id, rx.bind.password) == ("gw", "secret")
            await healthy(ours)
            await rx.ask(dialled(number(3), "*100#"))
            assert "523" in shown(await tx.message())
            rx.cut()
            await until(lambda: ours.problems() == {"ussdc": WAITS}, "what is missing, again")
        async with connected(listening_port(ours), Role.SMSC) as rx:
            rx.send(Outbind(system_id="smsc", password="welcome"))
            await rx.bound()
            await healthy(ours)
            await asyncio.gather(*(link.stop(5) for link in ours.links))
            await rx.until(lambda: rx.seen(UnbindRequest), "an unbind")


@scene
async def test_S9_an_outbind_of_somebody_else_is_not_followed(tmp_path, heard):
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, **INVITED)) as ours:
        for stranger in (
            Outbind(system_id="smsc", password="Welcome"),
            Outbind(system_id="smsx", password="welcome"),
            Outbind(),
        ):
            async with connected(listening_port(ours), Role.SMSC) as peer:
                peer.send(stranger)
                await peer.over()
                assert peer.bind is None, "our password went to a stranger"
        assert len(heard.of("outbind of somebody else")) == 3
        assert "elcome" not in str(heard)
        assert ours.problems() == {"ussdc": WAITS}


@scene
async def test_strangers_at_the_outbind_address_do_not_make_a_link_look_down(tmp_path):
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, **INVITED)) as ours:
        port = listening_port(ours)
        async with connected(port, Role.SMSC) as rx:
            rx.send(Outbind(system_id="smsc", password="welcome"))
            await rx.bound()
            await healthy(ours)
            for greeting in (
                b"GET / HTTP/1.0\r\n\r\n",
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                b"\0" * 16,
            ):
                async with connected(port, Role.SMSC) as stranger:
                    stranger.write(greeting)
                    await stranger.over()
            async with connected(port, Role.SMSC):
                pass
            assert ours.problems() == {"ussdc": None}
            assert not rx.lost


@scene
async def test_a_connection_that_sends_no_outbind_is_closed(tmp_path):
    async with (
        centre() as smsc,
        gateway(tmp_path, to_centre(smsc.port, **INVITED, connect_s=0.1)) as ours,
        connected(listening_port(ours), Role.SMSC) as silent,
    ):
        await silent.over()


@scene
async def test_a_centre_that_refuses_the_receiver_it_asked_for_is_left(tmp_path, heard):
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, **INVITED)) as ours:
        async with connected(listening_port(ours), Role.SMSC) as rx:
            rx.admit = lambda bind: ESME_RBINDFAIL
            rx.send(Outbind(system_id="smsc", password="welcome"))
            await rx.over()
        await until(heard.about("ESME_RBINDFAIL"), "a line with the reason")
        assert ours.problems() == {"ussdc": WAITS}


@scene_on_both_loops
async def test_a_stop_leaves_nobody_waiting_for_an_outbind(tmp_path):
    """One who has connected and said nothing yet, and one whose bind_receiver we wait for."""
    async with (
        centre() as smsc,
        contextlib.AsyncExitStack() as peers,
        gateway(tmp_path, to_centre(smsc.port, **INVITED)) as ours,
    ):
        port = listening_port(ours)
        await peers.enter_async_context(connected(port, Role.SMSC))
        peer = await peers.enter_async_context(connected(port, Role.SMSC))
        peer.deaf, asked = True, asyncio.Event()
        peer.on_data = lambda data: asked.set()
        peer.send(Outbind(system_id="smsc", password="welcome"))
        await asyncio.wait_for(asked.wait(), 5)


# --- several addresses


@scene
async def test_the_next_address_is_tried_when_one_does_not_answer(tmp_path):
    async with centre() as first, centre() as second:
        addresses = [f"127.0.0.1:{first.port}", f"127.0.0.1:{second.port}"]
        await first.leave()
        async with gateway(tmp_path, to_centre(0, connect=addresses)) as ours:
            peer = await second.bound()
            await healthy(ours)
            await peer.ask(dialled(number(3), "*100#"))
            assert "523" in shown(await peer.message())
            await first.listen()
            peer.cut()
            back = await first.bound()
            await healthy(ours)
            back.cut()
            await first.bound(2)
            assert len(second.peers) == 1, "the one that is preferred, whenever it is there"


@scene
async def test_an_address_that_refuses_the_bind_is_passed_over_too(tmp_path, heard):
    async with centre() as first, centre() as second:
        first.prepare = lambda peer: setattr(peer, "admit", lambda bind: ESME_RBINDFAIL)
        addresses = [f"127.0.0.1:{first.port}", f"127.0.0.1:{second.port}"]
        async with gateway(tmp_path, to_centre(0, connect=addresses)) as ours:
            await second.bound()
            await healthy(ours)
            assert heard.about("bind refused: ESME_RBINDFAIL")()
