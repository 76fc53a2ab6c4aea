"""Control over HTTP and WebSocket, as a client sees it."""

import asyncio
import json

import httpx
import pytest
import websockets
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from smpp_sim.api import app as api
from smpp_sim.api import requests as api_requests
from smpp_sim.phones import events
from smpp_sim.settings import SimulatorError, SimulatorSettings
from smpp_sim.simulator import Simulator
from tests.unit.smpp_sim.sim_scene import WireEsme, scene, settings, until

IVAN = "/api/phones/79260000003"


def client(sim, **how):
    return httpx.AsyncClient(base_url=sim.url, trust_env=False, timeout=10, **how)


def ws_url(sim, path):
    return f"ws://127.0.0.1:{sim.http_port}{path}"


@scene
async def test_a_dialogue_over_http():
    async with Simulator(settings()) as sim, client(sim) as http:
        esme = await WireEsme.bind(sim.smpp_port)
        dialled = (await http.post(f"{IVAN}/dial", json={"code": "*105#"})).json()
        assert (dialled["state"], dialled["before"], dialled["display"]) == ("running", 0, None)
        waiting = asyncio.create_task(http.get(f"{IVAN}/events?kind=screen&wait=5&after={dialled['before']}"))
        await esme.show(await esme.turn(), "1 Balance")
        seen = (await waiting).json()
        assert [event["text"] for event in seen["events"]] == ["1 Balance"]
        state = (await http.get(IVAN)).json()
        assert (state["state"], state["display"]["screen"]) == ("asked", "ask")
        assert (await http.post(f"{IVAN}/answer", json={"text": "1"})).json()["state"] == "running"
        await esme.show(await esme.turn(), "5 RUB", "finish")
        last = (await http.get(f"{IVAN}/events?kind=screen&wait=5&after={seen['last']}")).json()
        assert last["events"][0]["screen"] == "end"
        assert (await http.post(f"{IVAN}/ok")).json()["state"] == "idle"
        await esme.cut()


@scene
async def test_links_phones_and_inbox_are_listed():
    async with Simulator(settings()) as sim, client(sim) as http:
        waiting = asyncio.create_task(http.get("/api/links/events?wait=5"))
        esme = await WireEsme.bind(sim.smpp_port)
        assert (await waiting).json()["events"][0]["kind"] == "bound"
        [link] = (await http.get("/api/links")).json()["links"]
        assert (link["system_id"], link["bind"], link["dialect"]) == ("gw", "transceiver", "spec")
        await esme.sms("79260000003", "hello")
        assert [sms["text"] for sms in (await http.get(f"{IVAN}/inbox")).json()["messages"]] == ["hello"]
        phones = (await http.get("/api/phones")).json()
        assert [(phone["msisdn"], phone["inbox"]) for phone in phones["phones"]] == [("79260000003", 1)]
        assert (await http.get("/api")).json()["links"] == 1
        await esme.cut()


@pytest.mark.parametrize(
    ("method", "path", "how", "status", "says"),
    [
        ("GET", "/nowhere", {}, 404, "nothing at this address"),
        ("GET", f"{IVAN}/dial", {}, 405, "method"),
        ("POST", f"{IVAN}/dance", {}, 404, "it can dial, answer, sms, ok"),
        ("GET", "/api/phones/ivan", {}, 400, "'ivan' is no phone number"),
        ("POST", f"{IVAN}/dial", {"json": {}}, 400, "'code' is missing; expected code"),
        ("POST", f"{IVAN}/dial", {"json": {"code": 100}}, 400, "'code' must be a text"),
        ("POST", f"{IVAN}/dial", {"json": {"cod": "*100#"}}, 400, "unknown 'cod'; expected code"),
        ("POST", f"{IVAN}/dial", {"json": ["*100#"]}, 400, "send an object"),
        ("POST", f"{IVAN}/dial", {"content": '{"code": "*100#"}'}, 415, "application/json"),
        ("POST", f"{IVAN}/dial", {"json": {"code": "12"}}, 409, "a call, not a code"),
        ("POST", f"{IVAN}/dial", {"json": {"code": "\ud800"}}, 400, "must be a text"),
        ("POST", f"{IVAN}/answer", {"json": {"text": "1"}}, 409, "asks nothing"),
        ("POST", f"{IVAN}/ok", {}, 409, "no box"),
        ("POST", f"{IVAN}/cancel", {}, 409, "nothing to cancel"),
        ("POST", f"{IVAN}/lose", {}, 409, "no dialogue"),
        ("POST", f"{IVAN}/sms", {"json": {"to": "Bank"}}, 409, "'Bank' is no number"),
        ("GET", f"{IVAN}/events?after=x", {}, 400, "after must be a number"),
        ("GET", f"{IVAN}/events?wait=-1", {}, 400, "wait must be a number"),
        ("GET", f"{IVAN}/events?wait=nan", {}, 400, "wait must be a number"),
        ("GET", "/api/mail/7", {}, 404, "no such letter"),
    ],
)
@scene
async def test_what_is_wrong_is_said(method, path, how, status, says):
    async with Simulator(settings()) as sim, client(sim) as http:
        if "json" in how:
            how = {"content": json.dumps(how["json"]), "headers": {"content-type": "application/json"}}
        answer = await http.request(method, path, **how)
        assert answer.status_code == status
        assert says in answer.json()["error"]


@scene
async def test_a_body_is_bounded():
    async with Simulator(settings()) as sim, client(sim) as http:
        answer = await http.post(
            f"{IVAN}/sms", json={"to": "0500", "text": "x" * api_requests.MAX_BODY_OCTETS}
        )
        assert answer.status_code == 413


@given(body=st.binary(max_size=200))
@hypothesis_settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_body_is_refused_or_understood(body):
    async def send():
        sim_app = await _app()
        transport = httpx.ASGITransport(sim_app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            answer = await http.post(
                f"{IVAN}/dial", content=body, headers={"content-type": "application/json"}
            )
            assert answer.status_code in (400, 409)
            assert answer.json()["error"]

    asyncio.run(send())


async def _app():
    from smpp_sim.centre.centre import Centre
    from smpp_sim.mailbox import Mailbox

    return api.build_app(Centre(settings()), Mailbox(), settings())


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({"host": "evil.example"}, "this is not evil.example"),
        ({"origin": "http://evil.example"}, "pages of http://evil.example may not"),
        ({"origin": "null"}, "may not"),
        ({"origin": "http://["}, "may not"),
    ],
)
@scene
async def test_pages_of_others_do_not_reach_it(headers, says):
    async with Simulator(settings()) as sim, client(sim, headers=headers) as http:
        answer = await http.get("/api")
        assert answer.status_code == 403
        assert says in answer.json()["error"]
        with pytest.raises(websockets.InvalidStatus):
            await websockets.connect(ws_url(sim, f"{IVAN}/stream"), additional_headers=headers).__aenter__()


@scene
async def test_its_own_page_does():
    async with Simulator(settings()) as sim, client(sim, headers={"origin": sim.url}) as http:
        assert (await http.get("/api")).status_code == 200


@scene
async def test_a_token_is_asked_for():
    async with Simulator(settings(http_token="let-me-in")) as sim, client(sim) as http:
        assert (await http.get("/api")).status_code == 401
        assert (await http.get("/api?token=wrong")).status_code == 401
        assert (await http.get("/api?token=let-me-in")).status_code == 200
        assert (await http.get("/api", headers={"authorization": "Bearer let-me-in"})).status_code == 200


def test_an_open_address_needs_a_token():
    with pytest.raises(SimulatorError, match="open to everybody"):
        SimulatorSettings(http_host="0.0.0.0")


@scene
async def test_a_stream_tells_everything_as_it_happens():
    async with Simulator(settings()) as sim:
        phone = sim.phone("79260000003")
        phone.dial("*#06#")
        async with websockets.connect(ws_url(sim, f"{IVAN}/stream?after=0")) as stream:
            assert json.loads(await stream.recv())["screen"] == "local"
            phone.press_ok()
            assert json.loads(await stream.recv())["kind"] == "idle"


@scene
async def test_who_talks_to_a_stream_is_told_once_that_it_does_not_listen(caplog):
    async with Simulator(settings()) as sim:
        async with websockets.connect(ws_url(sim, f"{IVAN}/stream")) as stream:
            await stream.send("nonsense")
            told = json.loads(await stream.recv())
            assert told["kind"] == "error"
            assert "POST" in told["error"]
            await stream.send(b"\x00\x01")
            sim.phone("79260000003").dial("*#06#")
            assert json.loads(await stream.recv())["screen"] == "local"
            await stream.send(b"\xff", text=True)  # no text at all
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await stream.recv()
            assert closed.value.rcvd.code == 1007
        sim.phone("79260000003").press_ok()
    assert [(record.message, record.exc_info) for record in caplog.records] == [
        ("Invalid UTF-8 sequence received from client.", None)
    ]


@scene
async def test_a_stream_that_cannot_be_says_why():
    async with Simulator(settings()) as sim:
        for path in ("/api/phones/ivan/stream", f"{IVAN}/stream?after=x"):
            async with websockets.connect(ws_url(sim, path)) as stream:
                with pytest.raises(websockets.ConnectionClosed) as closed:
                    await stream.recv()
                assert closed.value.rcvd.code == 1008
                assert closed.value.rcvd.reason


@scene
async def test_a_watcher_who_was_away_too_long_is_told():
    async with Simulator(settings()) as sim, client(sim) as http:
        phone = sim.phone("79260000003")
        for _ in range(150):
            phone.dial("*#06#")
            phone.press_ok()
        answer = (await http.get(f"{IVAN}/events?after=1")).json()
        assert answer["missed"] is True
        async with websockets.connect(ws_url(sim, f"{IVAN}/stream?after=1")) as stream:
            assert json.loads(await stream.recv()) == {"kind": "missed"}
            numbers = [json.loads(await stream.recv())["number"] for _ in range(events.MAX_EVENTS)]
            assert numbers == list(range(101, 301))


@scene
async def test_a_watcher_who_leaves_is_forgotten():
    async with Simulator(settings()) as sim:
        phone = sim.phone("79260000003")
        station = sim.centre.network.station(phone.msisdn)
        async with websockets.connect(ws_url(sim, f"{IVAN}/stream")) as stream:
            phone.dial("*#06#")
            await stream.recv()
        await until(lambda: not station.log.watchers)


@scene
async def test_the_stop_ends_streams_and_those_who_wait():
    sim = Simulator(settings())
    await sim.start()
    async with client(sim) as http, websockets.connect(ws_url(sim, f"{IVAN}/stream")) as stream:
        waiting = asyncio.create_task(http.get(f"{IVAN}/events?wait=60"))
        station = sim.centre.network.station("79260000003")
        await until(lambda: len(station.log.watchers) == 2)
        await sim.stop()
        assert (await waiting).json()["events"] == []
        with pytest.raises(websockets.ConnectionClosed):
            await stream.recv()
