"""Every example in docs/reference/simulator-api.md is played, in order, and answers what the page says."""

import asyncio
import json
import re
from pathlib import Path

import httpx
import websockets

from menus.turns import Answer
from smpp_sim.simulator import Simulator
from tests.unit.smpp_sim.sim_scene import SPEC, WireEsme, scene, settings

PAGE = Path(__file__).parents[4] / "docs/reference/simulator-api.md"
CHANGES = {"at": 0.0, "since": 0.0, "submitted": 0.0, "final": 0.0, "peer": "", "smpp_port": 0}
EXAMPLE = re.compile(r"```(http|stream)\n(.*?)\n```\n```(?:json ?(\d*)|text)\n(.*?)\n```", re.DOTALL)


def settled(value):
    """The same, without what differs from run to run."""
    if isinstance(value, list):
        return [settled(one) for one in value]
    if isinstance(value, dict):
        return {key: CHANGES.get(key, settled(one)) for key, one in value.items()}
    return value


async def serve(esme):
    while True:
        pdu = await esme.deliver_sm()
        if not SPEC.is_ussd(pdu):
            await esme.sms(pdu.source_addr, "Your password is in the post.")
            continue
        turn = SPEC.read(pdu)
        if isinstance(turn.turn, Answer):
            await esme.show(turn, "5.40 RUB", "finish")
        else:
            await esme.show(turn, "1 Balance\n2 Options")


async def play(sim, http, request):
    line, _, body = request.partition("\n")
    method, path = line.split()
    answer = await http.request(method, path, json=json.loads(body) if body else None)
    is_json = answer.headers["content-type"] == "application/json"
    return answer.status_code, answer.json() if is_json else answer.text.rstrip("\n")


async def watch(sim, path, count):
    async with websockets.connect(f"ws://127.0.0.1:{sim.http_port}{path}") as stream:
        return [json.loads(await stream.recv()) for _ in range(count)]


@scene
async def test_the_examples():
    examples = EXAMPLE.findall(PAGE.read_text("utf-8"))
    assert len(examples) == sum(PAGE.read_text("utf-8").count(mark) for mark in ("\n```json", "\n```text"))
    async with Simulator(settings()) as sim, httpx.AsyncClient(base_url=sim.url, trust_env=False) as http:
        esme = await WireEsme.bind(sim.smpp_port)
        serving = asyncio.create_task(serve(esme))
        for kind, request, status, shown in examples:
            expected = shown if shown.startswith("@") else json.loads(shown)
            if kind == "stream":
                seen = await watch(sim, request, len(expected))
            else:
                code, seen = await play(sim, http, request)
                assert code == int(status or 200), request
            assert settled(seen) == settled(expected), request
        serving.cancel()
        await esme.cut()
