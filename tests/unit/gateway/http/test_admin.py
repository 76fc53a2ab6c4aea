"""The admin page: how the gateway is, and what a tester may see of the menu and of a dialogue."""

import asyncio
import contextlib

import httpx
import pytest

from data.model import DialogueRecord
from data.opening import open_store
from gateway.daemon import load_menu
from gateway.http.admin import admin_app
from gateway.watch.metrics import Metrics

PHONE = "79260000003"
SECRET = "0ld-passw0rd"
RECORD = DialogueRecord(PHONE, "ussdc", "1", "options", 2, 1, f'{{"given": "{SECRET}"}}', 3, 100.0, 50.0)


@pytest.fixture(scope="module")
def menu():
    return load_menu(None)


@contextlib.asynccontextmanager
async def opened(folder, menu, client="127.0.0.1", name="127.0.0.1:8100"):
    """A client of the page, which comes from an address and calls the page by a name; one dialogue is open."""
    store = open_store(f"sqlite:///{folder}/x.db")
    async with store.unit() as unit:
        await unit.inbox.save_dialogues([RECORD])

    async def find(msisdn):
        async with store.view() as view:
            return await view.inbox.dialogue(msisdn)

    app = admin_app(Metrics(), lambda: {"ussdc": None}, menu, find)
    transport = httpx.ASGITransport(app=app, client=(client, 40000))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{name}") as http:
        yield http
    await store.close()


def get(path, folder, menu, **where):
    async def ask():
        async with opened(folder, menu, **where) as http:
            return await http.get(path)

    return asyncio.run(ask())


def test_the_menu_is_a_graph_without_loose_ends(tmp_path, menu):
    graph = get("/menu", tmp_path, menu).json()
    nodes = {node["id"]: node for node in graph["nodes"]}
    assert list(nodes) == list(menu.nodes)
    assert {node["kind"] for node in nodes.values()} == {"menu", "list", "call", "end"}
    assert graph["home"] in nodes
    assert {end for edge in graph["edges"] for end in (edge["from"], edge["to"])} <= set(nodes)
    assert {"code": "*105#", "to": graph["home"]} in graph["codes"]
    assert {"from": "root", "to": "options", "label": {"ru": "3 Опции", "en": "3 Options"}} in graph["edges"]
    assert nodes["root"]["title"]["en"] == "Zvezda Service Guide"


def test_a_dialogue_is_its_node_and_nothing_that_was_said(tmp_path, menu):
    answer = get(f"/dialogues/{PHONE}", tmp_path, menu)
    assert answer.json() == {"node": "options", "page": 2}
    assert SECRET not in answer.text


@pytest.mark.parametrize("msisdn", ["79260000004", "x", "%27%20or%201=1", "9" * 40])
def test_a_number_without_a_dialogue(tmp_path, menu, msisdn):
    answer = get(f"/dialogues/{msisdn}", tmp_path, menu)
    assert (answer.status_code, answer.json()) == (404, {"error": "there is no open dialogue of this number"})


@pytest.mark.parametrize("path", ["/menu", f"/dialogues/{PHONE}"])
@pytest.mark.parametrize(
    "where",
    [{"client": "10.0.0.7"}, {"client": "2001:db8::1"}, {"name": "evil.example"}, {"name": "10.0.0.1:8100"}],
)
def test_pages_for_a_tester_are_for_this_machine_only(tmp_path, menu, path, where):
    answer = get(path, tmp_path, menu, **where)
    assert answer.status_code == 403
    assert "options" not in answer.text


@pytest.mark.parametrize("name", ["localhost:8100", "127.0.0.1", "[::1]:8100"])
def test_this_machine_by_any_of_its_names(tmp_path, menu, name):
    assert get("/menu", tmp_path, menu, name=name).status_code == 200


@pytest.mark.parametrize("client", ["127.0.0.1", "10.0.0.7"])
def test_health_and_metrics_are_for_everybody(tmp_path, menu, client):
    assert get("/healthz", tmp_path, menu, client=client).json() == {
        "status": "ok",
        "links": {"ussdc": "bound"},
    }
    assert get("/metrics", tmp_path, menu, client=client).status_code == 200


def test_without_a_menu_there_is_none():
    async def ask():
        transport = httpx.ASGITransport(app=admin_app(Metrics(), lambda: {"ussdc": "no bind yet"}))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            return [(await http.get(path)).status_code for path in ("/menu", "/dialogues/1", "/healthz")]

    assert asyncio.run(ask()) == [404, 404, 503]
