"""A stop, or a cut, at any moment: no task stays, no socket, and nobody complains. See `scene`, which looks."""

import asyncio
import contextlib
import random

import pytest

from gateway.links import link as links_module
from gateway.smpp.pdu import SubmitSm
from gateway.smpp.session import Role
from gateway.smpp.vocabulary import ESME_ROK
from tests.links.peer import Peer, centre, connected
from tests.links.scene import (
    RUNNERS,
    _watched,
    dialled,
    from_centre,
    gateway,
    link_of,
    listening_port,
    metric,
    number,
    query,
    scene,
    shown,
    to_centre,
    until,
)


@pytest.fixture(params=RUNNERS)
def run(request):
    return lambda play: RUNNERS[request.param](_watched(play))


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 4, 6, 9, 13, 20, 40])
def test_a_stop_after_so_many_turns_of_the_loop(tmp_path, run, turns):
    """In every phase of connecting and binding; on every kind of link at once."""

    async def play():
        async with centre() as smsc:
            pair = {"bind": "pair", "outbind": {"listen": "127.0.0.1:0", "password": "theirs"}}
            links = (
                to_centre(smsc.port, name="a"),
                to_centre(smsc.port, name="b", **pair),
                from_centre(name="c", listen="localhost:0"),
            )
            async with contextlib.AsyncExitStack() as peers, gateway(tmp_path, *links) as ours:
                for address in ours.listeners:
                    role = Role.ESME if "localhost" in address else Role.SMSC
                    await peers.enter_async_context(connected(listening_port(ours, address), role))
                for _ in range(turns):
                    await asyncio.sleep(0)

    run(play())


@pytest.mark.parametrize(
    "phase", ["nobody listens", "no answer to the bind", "refused", "bound", "no unbind_resp"]
)
def test_a_stop_in_each_phase_of_a_bind(tmp_path, run, monkeypatch, phase):
    monkeypatch.setattr("gateway.daemon._GRACE_S", 0.1)

    def prepare(peer: Peer) -> None:
        peer.deaf = phase == "no answer to the bind"
        peer.admit = lambda bind: 0x0D if phase == "refused" else ESME_ROK
        peer.answers_unbind = phase != "no unbind_resp"

    async def play():
        async with centre() as smsc:
            smsc.prepare = prepare
            if phase == "nobody listens":
                await smsc.leave()
            async with gateway(tmp_path, to_centre(smsc.port)) as ours:
                match phase:
                    case "nobody listens" | "refused":
                        await until(lambda: ours.problems()["ussdc"] != "not connected yet", "a reason")
                    case "no answer to the bind":
                        await smsc.connection(1)
                    case _:
                        await smsc.bound()
            assert len(asyncio.all_tasks()) == 1

    run(play())


@pytest.mark.parametrize("seed", range(6))
def test_restarts_and_cuts_at_random_lose_nothing(tmp_path, seed):
    """Questions that were acknowledged are answered, by whichever run; a subscriber is answered at least once."""

    @scene
    async def play():
        chance = random.Random(seed)
        acknowledged, answered = set(), []
        async with centre() as smsc:
            smsc.judge = lambda pdu: (
                answered.append(pdu.destination_addr) or chance.choice([ESME_ROK] * 5 + [0x58, 8])
            )
            for run in range(4):
                async with gateway(
                    tmp_path, to_centre(smsc.port, window=4, bind=chance.choice(["pair", "transceiver"]))
                ):
                    binds = len(smsc.peers)
                    await smsc.connection(max(1, binds))
                    for i in range(10):
                        await one_question(smsc, number(10 * run + i), acknowledged)
                        if chance.random() < 0.2:
                            chance.choice(smsc.peers).transport.abort()
                        for _ in range(chance.randrange(4)):
                            await asyncio.sleep(0)
            async with gateway(tmp_path, to_centre(smsc.port)):
                await until(
                    lambda: acknowledged <= set(answered), "an answer for everybody who was acknowledged"
                )
                await until(
                    lambda: query(tmp_path, "SELECT count(*) FROM outbox") == [(0,)], "all settled", 10
                )
        assert len(acknowledged) > 20, "too few for a test"

    async def one_question(smsc, msisdn, acknowledged):
        async with asyncio.timeout(20):
            while True:
                there = [
                    p for p in smsc.peers if p.session.state.value in ("bound_rx", "bound_trx") and not p.lost
                ]
                if there:
                    break
                await asyncio.sleep(0.005)
        peer, question = there[-1], dialled(msisdn, "*100#")
        peer.send(question)
        await peer.until(lambda: peer.response_to(question) or peer.lost, "a response, or the end")
        if (response := peer.response_to(question)) and response.command_status == ESME_ROK:
            acknowledged.add(msisdn)

    play()


@scene
async def test_a_handler_that_fails_costs_one_connection_and_no_message(tmp_path, heard):
    """Another connection of the link stays: what was under way by the one that failed leaves by it."""
    async with gateway(tmp_path, from_centre()) as ours:
        port = listening_port(ours)
        async with connected(port) as stays, connected(port) as fails:
            await fails.bind_as()
            fails.judge = lambda pdu: None
            await fails.ask(dialled(number(3), "*100#", carrier=SubmitSm))
            await fails.message()
            await stays.bind_as()
            link = link_of(ours)
            link._turns = None  # a bug: isinstance and `in` will raise
            fails.send(dialled(number(1), "*100#", carrier=SubmitSm))
            await fails.over()
            link._turns = links_module._TURNS["smsc"]
            assert "523" in shown(await stays.message())
            await until(lambda: metric(ours, "link_up", link="ussdc") == 1, "one connection left")
            assert heard.of("connection failed")
