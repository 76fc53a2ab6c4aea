"""The trace over HTTP and WebSocket, and what is passed on from the gateway's admin page."""

import asyncio
import contextlib
import json
import re
import tempfile

import httpx
import pytest
import websockets

from gateway.dumps.capture import read_capture
from gateway.smpp.pdu import BindTransceiver, encode
from smpp_sim.api.trace import BEHIND_PDUS
from smpp_sim.settings import SimulatorError
from smpp_sim.simulator import Simulator
from tests.unit.smpp_sim.sim_scene import WireEsme, scene, settings

PHONE, OTHER = "79260000003", "79260000004"


@contextlib.asynccontextmanager
async def running(**changes):
    """A simulator, a client of its API, and a bound ESME."""
    async with (
        Simulator(settings(**changes)) as sim,
        httpx.AsyncClient(base_url=sim.url, trust_env=False) as http,
    ):
        esme = await WireEsme.bind(sim.smpp_port)
        yield sim, http, esme
        await esme.cut()


async def get(http, path):
    answer = await http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def turn(sim, esme, msisdn=PHONE):
    """A code is dialled, and answered with a screen."""
    sim.centre.dial(msisdn, "*105#")
    await esme.show(await esme.turn(), "1 Balance", "finish")


def numbers(page):
    return [pdu["number"] for pdu in page["pdus"]]


# --- the list -----------------------------------------------------------------------------------------------------


@scene
async def test_a_turn_is_four_pdus_behind_the_bind():
    async with running() as (sim, http, esme):
        await turn(sim, esme)
        page = await get(http, "/api/trace?after=0")
        assert [(pdu["direction"], pdu["command"]) for pdu in page["pdus"]] == [
            ("in", "bind_transceiver"),
            ("out", "bind_transceiver_resp"),
            ("out", "deliver_sm"),
            ("in", "deliver_sm_resp"),
            ("in", "submit_sm"),
            ("out", "submit_sm_resp"),
        ]
        assert (page["last"], page["missed"]) == (6, False)
        dialled = page["pdus"][2]
        assert dialled["summary"] == f'USSD: {PHONE} dialled "*105#"'
        assert (dialled["account"], dialled["link"], dialled["msisdn"]) == ("gw", 1, PHONE)


@scene
async def test_pages_of_the_list():
    async with running() as (sim, http, esme):
        await turn(sim, esme)
        assert numbers(await get(http, "/api/trace?limit=2")) == [5, 6], "the newest, without after"
        first = await get(http, "/api/trace?after=0&limit=4")
        assert (numbers(first), first["last"]) == ([1, 2, 3, 4], 4)
        assert numbers(await get(http, "/api/trace?after=4")) == [5, 6]
        assert await get(http, "/api/trace?after=6") == {"pdus": [], "last": 6, "missed": False}


@scene
async def test_by_phone_and_by_link():
    async with running() as (sim, http, esme):
        await turn(sim, esme)
        await turn(sim, esme, OTHER)
        assert numbers(await get(http, f"/api/trace?msisdn={PHONE}")) == [3, 4, 5, 6]
        assert numbers(await get(http, f"/api/trace?msisdn=%2B{OTHER}")) == [7, 8, 9, 10]
        assert len(numbers(await get(http, "/api/trace?link=gw"))) == 10
        assert numbers(await get(http, "/api/trace?link=2")) == []


@scene
async def test_waiting_for_a_phone():
    async with running() as (sim, http, esme):
        waiting = asyncio.ensure_future(http.get(f"/api/trace?after=2&msisdn={OTHER}&wait=9"))
        await turn(sim, esme)
        assert not waiting.done()
        sim.centre.dial(OTHER, "*105#")
        page = (await waiting).json()
        assert {pdu["msisdn"] for pdu in page["pdus"]} == {OTHER}
        assert page["pdus"][0]["summary"] == f'USSD: {OTHER} dialled "*105#"'


@scene
async def test_a_small_ring_says_what_is_missed():
    async with running(trace_pdus=2) as (sim, http, esme):
        await turn(sim, esme)
        page = await get(http, "/api/trace?after=1")
        assert (numbers(page), page["missed"]) == ([5, 6], True)
        answer = await http.get("/api/trace/1")
        assert (answer.status_code, answer.json()["error"]) == (
            404,
            "there is no such PDU in the trace, or not any more",
        )


@scene
async def test_bad_requests():
    async with running() as (_, http, _):
        for path in ("/api/trace?after=x", "/api/trace?limit=-1", "/api/trace?wait=x"):
            assert (await http.get(path)).status_code == 400, path
        for path in (
            "/api/trace/0",
            "/api/trace/99",
            "/api/trace/99.hex",
            "/api/trace/x",
            f"/api/trace/{'9' * 5000}",
        ):
            assert (await http.get(path)).status_code == 404, path


@scene
async def test_another_protocol_on_the_port():
    async with running() as (sim, http, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", sim.smpp_port)
        writer.write(b"GET / HTTP/1.1\r\nAuthorization: Bearer c2VjcmV0\r\n\r\n")
        await reader.read()
        writer.close()
        page = await get(http, "/api/trace?link=2")
        assert [pdu["problem"] for pdu in page["pdus"]] == ["HTTP, not SMPP"]
        assert "c2VjcmV0" not in json.dumps(await get(http, f"/api/trace/{numbers(page)[0]}"))


# --- one PDU ------------------------------------------------------------------------------------------------------


@scene
async def test_every_field_of_one():
    async with running() as (sim, http, esme):
        await turn(sim, esme)
        pdu = await get(http, "/api/trace/3")
        values = {field["name"]: field["value"] for field in pdu["fields"]}
        assert values["short_message"] == '"*105#"'
        assert (pdu["answered_by"], pdu["sequence_number"]) == (4, 1)
        assert any("deliver_sm_resp" in advice for advice in pdu["advice"])
        assert (await http.get("/api/trace/3.hex")).text == pdu["hex"] + "\n"
        assert len(bytes.fromhex(pdu["hex"])) == pdu["octets"]


@scene
async def test_the_password_of_a_bind_leaves_in_no_form():
    async with running() as (_, http, _):
        capture = (await http.get("/api/trace.pcap")).content
        for octets in [
            capture,
            *[(await http.get(path)).content for path in ("/api/trace", "/api/trace/1", "/api/trace/1.hex")],
        ]:
            assert b"secret" not in octets
            assert b"secret".hex().encode() not in octets
        bind = BindTransceiver("gw", "******", interface_version=0x34, sequence_number=1)
        assert (await http.get("/api/trace/1.hex")).text.strip() == encode(bind).hex()


@scene
async def test_a_capture_has_the_same_pdus():
    async with running() as (sim, http, esme):
        await turn(sim, esme)
        await turn(sim, esme, OTHER)
        answer = await http.get(f"/api/trace.pcap?msisdn={PHONE}")
        assert answer.headers["content-type"] == "application/vnd.tcpdump.pcap"
        page = await get(http, f"/api/trace?msisdn={PHONE}")
        shown = [(await http.get(f"/api/trace/{number}.hex")).text.strip() for number in numbers(page)]
        assert await asyncio.to_thread(read_back, answer.content) == shown


def read_back(capture):
    """The PDUs in a capture, as hex."""
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        file.write(capture)
        file.flush()
        return [pdu.octets.hex() for pdu in read_capture(file.name)]


# --- as a stream --------------------------------------------------------------------------------------------------


def stream(sim, query=""):
    """`max_queue`: a client that does not read all can still say good-bye."""
    url = f"ws://127.0.0.1:{sim.http_port}/api/trace/stream{query}"
    return websockets.connect(url, max_queue=None)


@scene
async def test_a_stream_from_the_beginning():
    async with running() as (sim, _, esme), stream(sim, "?after=0") as events:
        await turn(sim, esme)
        seen = [json.loads(await events.recv()) for _ in range(6)]
        assert [event["number"] for event in seen] == [1, 2, 3, 4, 5, 6]
        assert {event["kind"] for event in seen} == {"pdu"}


@scene
async def test_a_stream_of_one_phone():
    async with running() as (sim, _, esme), stream(sim, f"?after=0&msisdn={OTHER}") as events:
        await turn(sim, esme)
        await turn(sim, esme, OTHER)
        assert [json.loads(await events.recv())["number"] for _ in range(4)] == [7, 8, 9, 10]


@scene
async def test_a_stream_that_is_far_behind_leaves_some_out():
    async with running() as (sim, _, _):
        tap = sim.centre.trace.tap(100)
        tap.sent(b"\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\1" * (BEHIND_PDUS + 10), 1.0)
        async with stream(sim, "?after=0") as events:
            assert json.loads(await events.recv()) == {"kind": "missed"}
            assert json.loads(await events.recv())["number"] == sim.centre.trace.last - BEHIND_PDUS + 1


@scene
async def test_a_stream_that_makes_no_sense_is_closed():
    async with running() as (sim, _, _), stream(sim, "?after=x") as events:
        with pytest.raises(websockets.ConnectionClosed):
            await events.recv()
        assert (events.close_code, events.close_reason) == (1008, "after must be a number, 0 or more")


@scene
async def test_what_a_watcher_says_is_not_listened_to():
    async with running() as (sim, _, esme), stream(sim, "?after=2") as events:
        await events.send("{nonsense")
        assert json.loads(await events.recv())["kind"] == "error"
        await events.send(b"\xff\xfe")
        await turn(sim, esme)
        assert json.loads(await events.recv())["number"] == 3


@scene
async def test_with_a_token_nobody_else_sees_the_wire():
    async with running(http_token="t0ken") as (sim, http, _):
        for path in ("/api/trace", "/api/trace.pcap", "/api/trace/1.hex", "/api/gateway/menu"):
            assert (await http.get(path)).status_code == 401, path
        assert (await http.get("/api/trace", headers={"authorization": "Bearer t0ken"})).status_code == 200
        with pytest.raises(websockets.InvalidStatus):
            async with stream(sim):
                pass


# --- the gateway's admin page -------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def admin_page(answers):
    """An HTTP server that answers each path with (status, body); yields its address and the paths asked for."""
    asked = []

    async def serve(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        path = re.match(rb"GET (\S+)", head)[1].decode()
        asked.append(path)
        status, body = answers.get(path, (404, '{"error": "no"}'))
        octets = body.encode()
        writer.write(
            b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(octets))
        )
        writer.write(octets)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


@scene
async def test_the_menu_and_the_node_are_passed_on():
    answers = {"/menu": (200, '{"home": "root"}'), f"/dialogues/{PHONE}": (200, '{"node": "root"}')}
    async with admin_page(answers) as (url, asked), running(gateway_admin=url) as (_, http, _):
        assert await get(http, "/api/gateway/menu") == {"home": "root"}
        assert await get(http, f"/api/gateway/dialogue?msisdn={PHONE}") == {"node": "root"}
        assert await get(http, f"/api/gateway/dialogue?msisdn={OTHER}") == {"node": None}
        assert asked == ["/menu", f"/dialogues/{PHONE}", f"/dialogues/{OTHER}"]


@scene
async def test_nobody_has_said_where_the_gateway_is():
    async with running() as (sim, http, _):
        answer = await http.get("/api/gateway/menu")
        assert answer.status_code == 404
        assert "gateway_admin" in answer.json()["error"]
        assert await get(http, f"/api/gateway/dialogue?msisdn={PHONE}") == {"node": None}
        async with admin_page({"/menu": (200, "{}")}) as (url, _):
            sim.centre.gateway_admin = url
            assert await get(http, "/api/gateway/menu") == {}


@pytest.mark.parametrize("msisdn", ["", "..%2Fmetrics", "7926x", "1" * 16, "%D9%A1%D9%A2"])
def test_only_a_number_is_asked_for(msisdn):
    @scene
    async def ask():
        async with admin_page({}) as (url, asked), running(gateway_admin=url) as (_, http, _):
            assert (await http.get(f"/api/gateway/dialogue?msisdn={msisdn}")).status_code == 400
            assert asked == []

    ask()


@pytest.mark.parametrize("answer", [(200, "no JSON"), (200, "[1]"), (500, "{}"), (200, "")])
def test_an_admin_page_that_answers_otherwise(answer):
    @scene
    async def ask():
        async with admin_page({"/menu": answer}) as (url, _), running(gateway_admin=url) as (_, http, _):
            seen = await http.get("/api/gateway/menu")
            assert seen.status_code == 502
            assert url in seen.json()["error"]

    ask()


@scene
async def test_an_admin_page_that_is_not_there():
    async with admin_page({}) as (url, _):
        pass
    async with running(gateway_admin=url) as (_, http, _):
        assert (await http.get("/api/gateway/menu")).status_code == 502


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8100", "http://", "file:///etc/passwd", "http://a b", "http://x/menu"]
)
def test_an_address_that_is_none(url):
    with pytest.raises(SimulatorError, match="gateway_admin"):
        settings(gateway_admin=url)
